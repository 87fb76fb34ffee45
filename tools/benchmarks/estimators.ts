/**
 * The estimators that benchmarks compare, each in a word.
 *
 * @module
 */
import type { EstimatorPlugin } from "../../core/kinds/mod.ts";
import { type BoundPart, use } from "../../core/options.ts";
import { gaussian, histogram, official } from "../../miv/estimators/mod.ts";

/** The binnings of `histogram`, and the other traced estimators by their names. */
export const estimators = {
  "hard": use(histogram, { binning: "hard" }),
  "soft": use(histogram, { binning: "soft" }),
  "straight-through": use(histogram, { binning: "straight-through" }),
  "gaussian": use(gaussian),
  "official": use(official),
} as const satisfies Record<string, BoundPart<EstimatorPlugin>>;

/** A word for an estimator. */
export type EstimatorName = keyof typeof estimators;
