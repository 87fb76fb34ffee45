/**
 * Balancing methods.
 *
 * @module
 */
import type { MethodPlugin } from "../core/kinds/mod.ts";
import { armMethods } from "./arm/mod.ts";
import { greedy } from "./greedy.ts";
import { modalityValuation } from "./modality_valuation.ts";
import { none } from "./none.ts";
import { ogm, ogmGe } from "./ogm_ge.ts";
import { sampleValuation } from "./sample_valuation.ts";
import { umt } from "./umt.ts";
import { uniCe } from "./uni_ce.ts";

export * from "./arm/mod.ts";
export { curationOf, greedy, type GreedyOptions, randomCuration, relativeSpeed } from "./greedy.ts";
export {
  gapDifference,
  keptOfCopy,
  modalityValuation,
  type ModalityValuationOptions,
  nestedCopies,
  repeatedShare,
} from "./modality_valuation.ts";
export { none } from "./none.ts";
export { discrepancyRatios, gradientStd, modulation, ogm, ogmGe, type OgmOptions } from "./ogm_ge.ts";
export { copiesFor, sampleValuation, type SampleValuationOptions } from "./sample_valuation.ts";
export { featureDistance, umt, type UmtOptions } from "./umt.ts";
export { uniCe, type UniCeOptions } from "./uni_ce.ts";

/** All built-in methods. */
export const builtinMethods: readonly MethodPlugin[] = [
  none,
  ogm,
  ogmGe,
  uniCe,
  greedy,
  sampleValuation,
  modalityValuation,
  umt,
  ...armMethods,
];
