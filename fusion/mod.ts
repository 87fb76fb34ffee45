/**
 * Fusions: features of all modalities to one prediction.
 *
 * @module
 */
import type { FusionPlugin } from "../core/plugin.ts";
import { concat } from "./concat.ts";
import { sum } from "./sum.ts";

export { concat, type ConcatOptions } from "./concat.ts";
export { sum, type SumOptions } from "./sum.ts";

/** All built-in fusions. */
export const builtinFusions: readonly FusionPlugin[] = [concat, sum];
