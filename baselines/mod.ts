/**
 * Balancing methods.
 *
 * @module
 */
import type { MethodPlugin } from "../core/kinds/mod.ts";
import { agm } from "./agm.ts";
import { armMethods } from "./arm/mod.ts";
import { greedy } from "./greedy.ts";
import { mla } from "./mla.ts";
import { mmPareto } from "./mm_pareto.ts";
import { modalityValuation } from "./modality_valuation.ts";
import { none } from "./none.ts";
import { ogm, ogmGe } from "./ogm_ge.ts";
import { opm } from "./opm.ts";
import { pmr } from "./pmr.ts";
import { qmf } from "./qmf.ts";
import { sampleValuation } from "./sample_valuation.ts";
import { umt } from "./umt.ts";
import { uniCe } from "./uni_ce.ts";

export { agm, agmCoefficients, type AgmOptions, agmRatios, partWeights } from "./agm.ts";
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
export { entropyWeights, mla, type MlaOptions, projectionUpdate } from "./mla.ts";
export { mmPareto, type MmParetoOptions, paretoGradients, type ParetoJoint } from "./mm_pareto.ts";
export { dropProbability, opm, type OpmOptions } from "./opm.ts";
export { nextPrototypes, pmr, pmrCoefficients, type PmrOptions, prototypeLogits } from "./pmr.ts";
export { energyConfidence, nextRow, qmf, type QmfOptions, rankingTerms } from "./qmf.ts";
export { none } from "./none.ts";
export { gradientStd, modulation, ogm, ogmGe, type OgmOptions } from "./ogm_ge.ts";
export { copiesFor, sampleValuation, type SampleValuationOptions } from "./sample_valuation.ts";
export { featureDistance, umt, type UmtOptions } from "./umt.ts";
export { discrepancyRatios, type OthersForm } from "./unimodal.ts";
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
  agm,
  mla,
  mmPareto,
  opm,
  pmr,
  qmf,
  ...armMethods,
];
