/**
 * Estimators of information: the parts, and what is put around them.
 *
 * @module
 */
import type { EstimatorPlugin } from "../../core/kinds/mod.ts";
import { gaussian } from "./gaussian.ts";
import { histogram } from "./histogram.ts";
import { ksg } from "./ksg.ts";
import { official } from "./official.ts";

export * from "./binned.ts";
export { gaussian } from "./gaussian.ts";
export * from "./gaussian_points.ts";
export { histogram, type HistogramBinning, type HistogramOptions } from "./histogram.ts";
export * from "./information.ts";
export * from "./ksg.ts";
export * from "./mismatch.ts";
export * from "./official.ts";
export * from "./options.ts";
export * from "./points.ts";
export { normalised } from "./quantities.ts";
export * from "./tables.ts";

/** All estimators that armlab brings. */
export const builtinEstimators: readonly EstimatorPlugin[] = [histogram, gaussian, official, ksg];
