/**
 * Balancing methods.
 *
 * @module
 */
import type { MethodPlugin } from "../core/kinds/mod.ts";
import { agm } from "./agm.ts";
import { amco } from "./amco.ts";
import { amid } from "./amid.ts";
import { arl } from "./arl.ts";
import { cggm } from "./cggm.ts";
import { dgl } from "./dgl.ts";
import { mlb } from "./mlb.ts";
import { mslr } from "./mslr.ts";
import { pdf } from "./pdf.ts";
import { armMethods } from "./arm/mod.ts";
import { dataRemixing } from "./data_remixing.ts";
import { g2d } from "./g2d.ts";
import { gBlending } from "./g_blending.ts";
import { greedy } from "./greedy.ts";
import { infoReg } from "./info_reg.ts";
import { lfm } from "./lfm.ts";
import { cml } from "./cml.ts";
import { mbsd } from "./mbsd.ts";
import { mcr } from "./mcr.ts";
import { midas } from "./midas.ts";
import { mla } from "./mla.ts";
import { mmCosine } from "./mm_cosine.ts";
import { mmPareto } from "./mm_pareto.ts";
import { modalityValuation } from "./modality_valuation.ts";
import { none } from "./none.ts";
import { ogm, ogmGe } from "./ogm_ge.ts";
import { opm } from "./opm.ts";
import { pmr } from "./pmr.ts";
import { qmf } from "./qmf.ts";
import { reLearning } from "./re_learning.ts";
import { reconBoost } from "./recon_boost.ts";
import { sampleValuation } from "./sample_valuation.ts";
import { umt } from "./umt.ts";
import { uniCe } from "./uni_ce.ts";
import { unimodalEnsemble } from "./unimodal_ensemble.ts";

export { agm, agmCoefficients, type AgmOptions, agmRatios, partWeights } from "./agm.ts";
export { amco, type AmcoOptions, dependence, maskRate, smallestMask } from "./amco.ts";
export { amid, type AmidOptions, infoNce } from "./amid.ts";
export { arl, type ArlOptions, arlWeights } from "./arl.ts";
export { cggm, cggmCoefficients, type CggmOptions, matrixCosine, matrixCosineGradient } from "./cggm.ts";
export { dgl, type DglOptions } from "./dgl.ts";
export { mlb, mlbCoefficients, type MlbOptions } from "./mlb.ts";
export { mslr, type MslrOptions, type Track, tracked } from "./mslr.ts";
export { beliefWeights, type CoBelief, coBelief, pdf, type PdfOptions, relativeCalibration } from "./pdf.ts";
export * from "./arm/mod.ts";
export { confidence, dataRemixing, type DataRemixingOptions, leastOf } from "./data_remixing.ts";
export { g2d, type G2dOptions, gradientFlags, keptEncoders } from "./g2d.ts";
export { blendingWeights, type BranchLosses, gBlending, type GBlendingOptions } from "./g_blending.ts";
export { cml, type CmlOptions, confidenceHinge, predictionConfidence, removalChain } from "./cml.ts";
export { curationOf, greedy, type GreedyOptions, randomCuration, relativeSpeed } from "./greedy.ts";
export { infoReg, type InfoRegOptions, informationGain, regulation, squaredGradients } from "./info_reg.ts";
export { clippedGapWeight, fittedShare, lfm, type LfmOptions } from "./lfm.ts";
export { labelShares, likeness, midas, type MidasOptions, misalignedLoss, weakWeights } from "./midas.ts";
export { modalityValuation, type ModalityValuationOptions } from "./modality_valuation.ts";
export { type Piece, recipe, weighted } from "./recipe.ts";
export { mbsd, type MbsdOptions, type PairTerms, pairTerms } from "./mbsd.ts";
export { classContrast, mcr, type McrOptions, permutationEffect, type PermutationInputs } from "./mcr.ts";
export { entropyWeights, mla, type MlaOptions, projectionUpdate } from "./mla.ts";
export { cosineLogits, mmCosine, type MmCosineOptions } from "./mm_cosine.ts";
export { mmPareto, type MmParetoOptions, paretoGradients, type ParetoJoint } from "./mm_pareto.ts";
export { dropProbability, opm, type OpmOptions } from "./opm.ts";
export { nextPrototypes, pmr, pmrCoefficients, type PmrOptions, prototypeLogits } from "./pmr.ts";
export { energyConfidence, historyExtremes, nextRow, qmf, type QmfOptions, rankingTerms } from "./qmf.ts";
export { none } from "./none.ts";
export { gradientStd, modulation, ogm, ogmGe, type OgmOptions } from "./ogm_ge.ts";
export { discrepancyRatios, type OthersForm } from "./unimodal.ts";
export {
  boostedLoss,
  type BoostStage,
  type BoostWeights,
  disagreement,
  reconBoost,
  type ReconBoostOptions,
  stageOf,
} from "./recon_boost.ts";
export { kMeans, purity, reLearning, type ReLearningOptions, scaledColumns, setbacks } from "./re_learning.ts";
export { sampleValuation, type SampleValuationOptions } from "./sample_valuation.ts";
export { featureDistance, umt, type UmtOptions } from "./umt.ts";
export { unimodalEnsemble, type UnimodalEnsembleOptions } from "./unimodal_ensemble.ts";
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
  unimodalEnsemble,
  dataRemixing,
  g2d,
  gBlending,
  infoReg,
  lfm,
  mcr,
  reconBoost,
  reLearning,
  umt,
  agm,
  amco,
  amid,
  arl,
  cggm,
  cml,
  dgl,
  mbsd,
  midas,
  mla,
  mlb,
  mmCosine,
  mmPareto,
  mslr,
  opm,
  pdf,
  pmr,
  qmf,
  ...armMethods,
];
