/**
 * Options of ARM, with the reasons for their defaults. The defaults are the preset `arm`; `presets.ts` holds the others.
 *
 * @module
 */
import type { SpecsFor } from "../../core/options.ts";
import type { ConditionalEntropy, Edges, Granularity, Normalization } from "../../miv/estimators/options.ts";
import type { InteractionIndex, Minimum, Range } from "../../miv/valuation.ts";
import type { Centring, View } from "../../miv/views.ts";
import type { ResamplingMode } from "../../sampling/dsr.ts";

/** What has a gradient in the information. */
export type InformationGradient = "straight-through" | "soft" | "prob-only" | "none";
/** Where the probabilities p(f_u -> y) come from. */
export type Readout = "solo" | "auxiliary" | "raw";
/** How fusion weights are made of contributions. */
export type FusionRule = "ratio" | "crossed";
/** Fusion weights in prediction. */
export type TestWeights = "one" | "dataset-mean" | "confidence" | "leaky";

/** Options of `arm`, its presets and its parts. */
export interface ArmOptions {
  // Which parts take part.
  readonly dfe: boolean;
  readonly bmmlMi: boolean;
  readonly bmmlCmi: boolean;
  readonly dsr: ResamplingMode;
  // Valuation.
  readonly estimator: "histogram" | "gaussian" | "official";
  readonly view: View;
  readonly granularity: Granularity;
  readonly center: Centring;
  readonly bins: number;
  readonly cmiBins: number;
  readonly edges: Edges;
  readonly norm: Exclude<Normalization, "sum">;
  readonly conditionalNorm: Exclude<Normalization, "mean">;
  readonly conditionalEntropy: ConditionalEntropy;
  readonly index: InteractionIndex;
  readonly readout: Readout;
  readonly readoutWeight: number;
  readonly gradient: InformationGradient;
  readonly range: Range;
  // Dynamic feature-level fusion.
  readonly fusionRule: FusionRule;
  readonly fwTest: TestWeights;
  readonly warmup: number;
  // Balanced min-max loss.
  readonly lambda1: number;
  readonly lambda2: number;
  readonly lossFrom: number;
  readonly minimum: Minimum;
  readonly tau: number;
  readonly probGradient: boolean;
  readonly denominatorGradient: boolean;
  readonly asymmetric: boolean;
  // Dynamic sample re-sampling.
  readonly k: number;
  readonly match: number;
}

/** Specs of all options; the defaults are the preset `arm`. */
export const armOptions: SpecsFor<ArmOptions> = {
  dfe: {
    type: "boolean",
    default: true,
    about: "dynamic feature-level fusion: scale features by last epoch's FW (Eq. 13)",
    source: "the paper",
  },
  bmmlMi: { type: "boolean", default: true, about: "the term L_phiMI (Eq. 14)", source: "the paper" },
  bmmlCmi: { type: "boolean", default: true, about: "the term L_phiCMI (Eq. 15)", source: "the paper" },
  dsr: {
    type: "choice",
    choices: ["dsr", "random", "inverse", "off"],
    default: "dsr",
    about: "dynamic sample re-sampling (Eq. 18), its two comparisons, or none",
    source: "the paper",
  },
  estimator: {
    type: "choice",
    choices: ["histogram", "gaussian", "official"],
    default: "histogram",
    about: "estimate of information: histograms, the Gaussian closed form, or the released code's arithmetic",
    source: "the paper's histogram estimates",
  },
  view: {
    type: "choice",
    choices: ["aligned", "raw", "official"],
    default: "aligned",
    about:
      "compare f_y with its part z_u of each modality, with the raw f_u (equal widths), or a frozen random projection of all f_u with f_u",
    source:
      "the paper writes I(f_y; f_u) without saying what is paired; the released code's projection is never trained",
  },
  granularity: {
    type: "choice",
    choices: ["sample", "batch"],
    default: "sample",
    about: "information of each sample over its coordinates, or one of the whole batch",
    source: "the paper values samples; the released code values batches",
  },
  center: {
    type: "choice",
    choices: ["batch", "none"],
    default: "batch",
    about: "subtract the batch mean per coordinate before estimating; without it shared patterns count as information",
    source: "chosen here: without it what all samples share counts as information",
  },
  bins: {
    type: "integer",
    default: 0,
    min: 0,
    max: 30,
    tune: [3, 4, 8],
    about: "bins per axis for MI; 0 is 4 from width 256 on, else 3",
    source: "the bias of a plug-in estimate grows with the cells; the released code's 30 gives mostly bias",
  },
  cmiBins: {
    type: "integer",
    default: 0,
    min: 0,
    max: 30,
    about: "bins per axis for CMI; 0 is as for MI: interaction information subtracts like from like",
    tune: [0, 2, 3, 4],
    source: "as for MI, so that bias cancels in the interaction information",
  },
  edges: {
    type: "choice",
    choices: ["standard", "range"],
    default: "standard",
    about: "equal bins of [-2, 2] after standardising, or of [min, max] (released code)",
    source: "chosen here: steady under outliers",
  },
  norm: {
    type: "choice",
    choices: ["sqrt", "mean"],
    default: "sqrt",
    about: "NMI: by sqrt(Hx Hy) (Eq. 2) or (Hx + Hy) / 2 (released code)",
    source: "the paper, Eq. 2",
  },
  conditionalNorm: {
    type: "choice",
    choices: ["sqrt", "sum"],
    default: "sqrt",
    about: "NCMI: by sqrt (Eq. 9) or by the sum of both entropies (released code; at most 0.5)",
    source: "the paper, Eq. 9",
  },
  conditionalEntropy: {
    type: "choice",
    choices: ["chain", "official"],
    default: "chain",
    about: "H(X|Z) by the chain rule, or as the released code computes it",
    source: "the definition",
  },
  index: {
    type: "choice",
    choices: ["other", "own"],
    default: "other",
    about: "interaction information of the partner (Eq. 11) or of the modality itself (released code)",
    source: "the paper, Eq. 11",
  },
  readout: {
    type: "choice",
    choices: ["solo", "auxiliary", "raw"],
    default: "solo",
    about:
      "p(f_u -> y) by the fusion's own readout of a modality, by linear heads trained on f_u without gradient to it, or by the joint head on the raw f_u",
    source: "the paper names no classifier; the released code uses the last",
  },
  readoutWeight: {
    type: "number",
    default: 1,
    min: 0,
    tune: [0, 0.3, 1],
    about:
      "weight of cross-entropy on the readouts that give p(f_u -> y), as in uni-ce: untrained, they are by-products of the fused readout and no probabilities; 0 leaves it out",
    source: "not in the paper, which does not say how its classifiers of modalities are trained; chosen on validation",
  },
  gradient: {
    type: "choice",
    choices: ["straight-through", "soft", "prob-only", "none"],
    default: "straight-through",
    about: "gradient of the information: of soft bins on hard values, soft throughout, through p only, none",
    source: "chosen here: hard histograms have no gradient, soft ones overestimate",
  },
  range: {
    type: "choice",
    choices: ["shift", "clamp", "raw"],
    default: "shift",
    about:
      "how phi in [-(m-1), m] is made fit for Eqs. 13 and 15: m (phi + m - 1) / (2m - 1), max(phi, 0), or as it is (may diverge)",
    source: "chosen here: the paper's weights and loss need contributions above 0",
  },
  fusionRule: {
    type: "choice",
    choices: ["ratio", "crossed"],
    default: "ratio",
    about:
      "FW_i = phi_i / phi(X) of the epoch before (Eq. 13), or the released code's crossed ratios of the batch at hand (two modalities, no warm-up)",
    source: "the paper, Eq. 13",
  },
  fwTest: {
    type: "choice",
    choices: ["one", "dataset-mean", "confidence", "leaky"],
    default: "one",
    about:
      "fusion weights in prediction: 1, their mean over the training set, valued at the predicted class, or valued at the LABEL of what is predicted (released code; results are marked and never ranked)",
    source: "chosen here: prediction must not see labels",
  },
  warmup: {
    type: "integer",
    default: -1,
    min: -1,
    about: "first epoch of DFE and DSR; -1 is an eighth of the epochs, at least 1",
    source: "the paper's 10 of 80 epochs",
    tune: [-1, 1, 5],
  },
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
  lossFrom: {
    type: "integer",
    default: 0,
    min: 0,
    about: "first epoch of the loss terms",
    source: "the paper's Algorithm 1",
    tune: [0, 1, 5],
  },
  minimum: {
    type: "choice",
    choices: ["softmin", "min", "paper-literal"],
    default: "softmin",
    about: "smallest information: bounded softmin, exact, or Eq. 16 as printed, whose sign is wrong",
    source: "chosen here: Eq. 16 as meant, with a bound",
  },
  tau: {
    type: "number",
    default: 20,
    min: 0.1,
    about: "sharpness of softmin; at most log(m) / tau below the minimum",
    tune: [5, 20, 50],
    source: "chosen here: at most 0.035 below the minimum of two",
  },
  probGradient: {
    type: "boolean",
    default: false,
    about: "gradient through probabilities in L_phiCMI; with it the optimiser games the solo readouts",
    source: "chosen here: with it readouts are gamed",
  },
  denominatorGradient: {
    type: "boolean",
    default: false,
    about: "gradient through the denominator of Eq. 15",
    source: "chosen here: balance, not growth of the mean",
  },
  asymmetric: {
    type: "boolean",
    default: false,
    about: "L_phiCMI moves only modalities below the mean, by their own information",
    source: "the paper's Eq. 15 moves both",
  },
  k: {
    type: "number",
    default: -2,
    max: -0.01,
    tune: [-0.5, -1, -1.5, -2, -2.5, -3],
    about: "slope of the re-sampling, below 0",
    source: "the paper's Table 5 row that equals its main results",
  },
  match: {
    type: "number",
    default: 0,
    min: 0,
    about: "mean copies per sample, the same for every mode (equal updates per epoch); 0 keeps what Eq. 18 gives",
    tune: [0, 1, 2],
    source: "chosen here: as Eq. 18 gives",
  },
};
