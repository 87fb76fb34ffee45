/**
 * Options of ARM, with the reasons for their defaults.
 *
 * @module
 */
import type { SpecsFor } from "../../core/options.ts";
import type { InteractionIndex, Minimum, Range } from "../../miv/valuation.ts";
import type { ResamplingMode } from "../../sampling/dsr.ts";

/** Options of `arm` and its parts. */
export interface ArmOptions {
  readonly dfe: boolean;
  readonly bmmlMi: boolean;
  readonly bmmlCmi: boolean;
  readonly dsr: ResamplingMode;
  readonly k: number;
  readonly match: number;
  readonly lambda1: number;
  readonly lambda2: number;
  readonly warmup: number;
  readonly lossFrom: number;
  readonly bins: number;
  readonly gradient: "straight-through" | "soft" | "prob-only" | "none";
  readonly center: "batch" | "none";
  readonly norm: "sqrt" | "mean";
  readonly conditionalNorm: "sqrt" | "sum";
  readonly index: InteractionIndex;
  readonly minimum: Minimum;
  readonly tau: number;
  readonly range: Range;
  readonly probGradient: boolean;
  readonly denominatorGradient: boolean;
  readonly asymmetric: boolean;
  readonly fwTest: "one" | "dataset-mean";
}

/** Specs of all options; the defaults are the preset `arm`. */
export const armOptions: SpecsFor<ArmOptions> = {
  dfe: {
    type: "boolean",
    default: true,
    about: "dynamic feature-level fusion: scale features by last epoch's FW (Eq. 13)",
  },
  bmmlMi: { type: "boolean", default: true, about: "the term L_phiMI (Eq. 14)" },
  bmmlCmi: { type: "boolean", default: true, about: "the term L_phiCMI (Eq. 15)" },
  dsr: {
    type: "choice",
    choices: ["dsr", "random", "inverse", "off"],
    default: "dsr",
    about: "dynamic sample re-sampling (Eq. 18), its two comparisons, or none",
  },
  k: {
    type: "number",
    default: -2,
    max: -0.01,
    tune: [-0.5, -1, -1.5, -2, -2.5, -3],
    about: "slope of the re-sampling, below 0",
    source: "the paper's Table 5 row that equals its main results",
  },
  match: { type: "number", default: 0, min: 0, about: "mean copies per sample; 0 keeps what Eq. 18 gives" },
  lambda1: {
    type: "number",
    default: 0.1,
    min: 0,
    tune: [0, 0.1, 1],
    about: "weight of L_phiMI; 0 leaves it out",
    source: "not given in the paper; 1 harmed in comparisons with concatenation",
  },
  lambda2: {
    type: "number",
    default: 1,
    min: 0,
    tune: [0, 0.1, 1],
    about: "weight of L_phiCMI; 0 leaves it out",
    source: "not given in the paper",
  },
  warmup: {
    type: "integer",
    default: -1,
    min: -1,
    about: "first epoch of DFE and DSR; -1 is an eighth of the epochs, at least 1",
    source: "the paper's 10 of 80 epochs",
  },
  lossFrom: {
    type: "integer",
    default: 0,
    min: 0,
    about: "first epoch of the loss terms",
    source: "the paper's Algorithm 1",
  },
  bins: {
    type: "integer",
    default: 0,
    min: 0,
    max: 30,
    tune: [3, 4, 8],
    about: "bins per axis for MI and CMI alike; 0 is 4 from width 256 on, else 3",
    source: "the bias of a plug-in estimate grows with the cells; the released code's 30 gives mostly bias",
  },
  gradient: {
    type: "choice",
    choices: ["straight-through", "soft", "prob-only", "none"],
    default: "straight-through",
    about: "gradient of the information: of soft bins on hard values, soft throughout, through p only, none",
  },
  center: {
    type: "choice",
    choices: ["batch", "none"],
    default: "batch",
    about: "subtract the batch mean per coordinate before estimating; without it shared patterns count as information",
  },
  norm: {
    type: "choice",
    choices: ["sqrt", "mean"],
    default: "sqrt",
    about: "NMI: by sqrt(Hx Hy) (Eq. 2) or (Hx + Hy) / 2 (released code)",
  },
  conditionalNorm: {
    type: "choice",
    choices: ["sqrt", "sum"],
    default: "sqrt",
    about: "NCMI: by sqrt (Eq. 9) or by the sum of both entropies (released code; at most 0.5)",
  },
  index: {
    type: "choice",
    choices: ["other", "own"],
    default: "other",
    about: "interaction information of the partner (Eq. 11) or of the modality itself (released code)",
  },
  minimum: {
    type: "choice",
    choices: ["softmin", "min", "paper-literal"],
    default: "softmin",
    about: "smallest information: bounded softmin, exact, or Eq. 16 as printed, whose sign is wrong",
  },
  tau: { type: "number", default: 20, min: 0.1, about: "sharpness of softmin; at most log(m) / tau below the minimum" },
  range: {
    type: "choice",
    choices: ["shift", "clamp", "raw"],
    default: "shift",
    about:
      "how phi in [-(m-1), m] is made fit for Eqs. 13 and 15: m (phi + m - 1) / (2m - 1), max(phi, 0), or as it is (may diverge)",
  },
  probGradient: {
    type: "boolean",
    default: false,
    about: "gradient through probabilities in L_phiCMI; with it the optimiser games the solo readouts",
  },
  denominatorGradient: { type: "boolean", default: false, about: "gradient through the denominator of Eq. 15" },
  asymmetric: { type: "boolean", default: false, about: "L_phiCMI moves only modalities below the mean" },
  fwTest: {
    type: "choice",
    choices: ["one", "dataset-mean"],
    default: "one",
    about: "fusion weights in prediction: 1, or their mean over the training table; the released code needs labels",
  },
};
