/**
 * ARM's presets as changes to the defaults.
 *
 * @module
 */
import type { ArmOptions } from "./options.ts";

/**
 * The paper as printed: Eq. 16 with its sign, contributions in their raw range, soft bins on raw features, equal weights
 * for the terms (the paper gives none), all gradients. The paper names no number of bins: as many as the coordinates fill,
 * as everywhere. Needs encoders as wide as the fusion. May diverge.
 */
export const literalPreset: Partial<ArmOptions> = {
  view: "raw",
  center: "none",
  gradient: "soft",
  range: "raw",
  minimum: "paper-literal",
  tau: 1,
  readoutWeight: 0,
  probGradient: true,
  denominatorGradient: true,
  lambda1: 1,
  lambda2: 1,
};

/**
 * The released code: no losses, no re-sampling, no warm-up; batch scalars from a frozen random projection, its conditional
 * entropy, crossed ratios, and weights in prediction that are computed from the labels of what is predicted.
 */
export const officialPreset: Partial<ArmOptions> = {
  bmmlMi: false,
  bmmlCmi: false,
  dsr: "off",
  estimator: "official",
  view: "official",
  granularity: "batch",
  center: "none",
  bins: 30,
  cmiBins: 2,
  edges: "range",
  norm: "mean",
  conditionalNorm: "sum",
  conditionalEntropy: "official",
  index: "own",
  readout: "raw",
  readoutWeight: 0,
  gradient: "none",
  range: "raw",
  fusionRule: "crossed",
  fwTest: "leaky",
  warmup: 0,
  lambda1: 0,
  lambda2: 0,
};
