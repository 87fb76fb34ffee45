/**
 * Options of ARM, with the reasons for their defaults. The defaults are the preset `arm`; `presets.ts` holds the others.
 *
 * @module
 */
import type { EstimatorPlugin, LossPlugin, SamplerPlugin } from "../../core/kinds/mod.ts";
import { type BoundPart, type SpecsFor, use } from "../../core/options.ts";
import { contributionGap } from "../../losses/contribution_gap.ts";
import { minimumInformation } from "../../losses/minimum_information.ts";
import { histogram } from "../../miv/estimators/histogram.ts";
import type { Granularity } from "../../miv/estimators/options.ts";
import type { InteractionIndex, Range } from "../../miv/valuation.ts";
import type { Centring, View } from "../../miv/views.ts";
import { dsr } from "../../sampling/dsr.ts";

/** Where a valuation has a gradient. */
export type ValuationGradient = "all" | "probabilities" | "none";
/** Where the probabilities p(f_u -> y) come from. */
export type Readout = "solo" | "auxiliary" | "raw";
/** How fusion weights are made of contributions. */
export type FusionRule = "ratio" | "crossed" | "off";
/** Fusion weights in prediction. */
export type TestWeights = "one" | "dataset-mean" | "confidence" | "leaky";

/** What decides the valuation of a batch. Parts of ARM with equal ones share it. */
export interface ValuationOptions {
  readonly estimator: BoundPart<EstimatorPlugin>;
  readonly view: View;
  readonly granularity: Granularity;
  readonly center: Centring;
  readonly index: InteractionIndex;
  readonly readout: Readout;
  readonly gradient: ValuationGradient;
}

/** What decides the weights of features (DFE). */
export interface FeatureWeightOptions {
  readonly dfe: FusionRule;
  readonly fwTest: TestWeights;
  readonly range: Range;
}

/** Options of `arm`, its presets and its parts. */
export interface ArmOptions extends ValuationOptions, FeatureWeightOptions {
  readonly warmup: number;
  readonly minimum: BoundPart<LossPlugin>;
  readonly lambda1: number;
  readonly gap: BoundPart<LossPlugin>;
  readonly lambda2: number;
  readonly lossFrom: number;
  readonly readoutWeight: number;
  readonly losses: readonly BoundPart<LossPlugin>[];
  readonly lossWeight: number;
  readonly sampler: BoundPart<SamplerPlugin>;
}

/** Specs of the valuation's options. */
export const valuationSpecs: SpecsFor<ValuationOptions> = {
  estimator: {
    group: "Valuation",
    type: "part",
    kind: "estimator",
    default: use(histogram),
    about: "estimator of information",
    source: "the paper's histogram estimates",
    tune: ["histogram", "gaussian"],
  },
  view: {
    group: "Valuation",
    type: "choice",
    choices: ["aligned", "raw", "official"],
    default: "aligned",
    about:
      "compare f_y with its part z_u of each modality, with the raw f_u (equal widths), or a frozen random projection of all f_u with f_u",
    source:
      "the paper writes I(f_y; f_u) without saying what is paired; the released code's projection is never trained",
  },
  granularity: {
    group: "Valuation",
    type: "choice",
    choices: ["sample", "batch"],
    default: "sample",
    about: "information of each sample over its coordinates, or one of the whole batch",
    source: "the paper values samples; the released code values batches",
  },
  center: {
    group: "Valuation",
    type: "choice",
    choices: ["batch", "none"],
    default: "batch",
    about: "subtract the batch mean per coordinate before estimating; without it shared patterns count as information",
    source: "chosen here: without it what all samples share counts as information",
  },
  index: {
    group: "Valuation",
    type: "choice",
    choices: ["other", "own"],
    default: "other",
    about: "interaction information of the partner (Eq. 11) or of the modality itself (released code)",
    source: "the paper, Eq. 11",
  },
  readout: {
    group: "Valuation",
    type: "choice",
    choices: ["solo", "auxiliary", "raw"],
    default: "solo",
    about:
      "p(f_u -> y) by the fusion's own readout of a modality, by linear heads trained on f_u without gradient to it, or by the joint head on the raw f_u",
    source: "the paper names no classifier; the released code uses the last",
  },
  gradient: {
    group: "Gradients",
    type: "choice",
    choices: ["all", "probabilities", "none"],
    default: "all",
    about: "gradient of the valuation: through information (as its estimator gives it) and probabilities, p only, none",
    source: "chosen here: without one the losses move nothing",
  },
};

/** Specs of all options; the defaults are the preset `arm`. */
export const armOptions: SpecsFor<ArmOptions> = {
  ...valuationSpecs,
  range: {
    group: "Weights of features (DFE)",
    type: "choice",
    choices: ["shift", "clamp", "raw"],
    default: "shift",
    about:
      "how phi in [-(m-1), m] is made fit for Eq. 13: m (phi + m - 1) / (2m - 1), max(phi, 0), or as it is (may diverge)",
    source: "chosen here: the paper's weights need contributions above 0",
  },
  dfe: {
    group: "Weights of features (DFE)",
    type: "choice",
    choices: ["ratio", "crossed", "off"],
    default: "ratio",
    about:
      "weights of features: FW_i = phi_i / phi(X) of the epoch before (Eq. 13), the released code's crossed ratios of the batch at hand (two modalities, no warm-up), or none",
    source: "the paper, Eq. 13",
  },
  fwTest: {
    group: "Weights of features (DFE)",
    type: "choice",
    choices: ["one", "dataset-mean", "confidence", "leaky"],
    default: "one",
    about:
      "fusion weights in prediction: 1, their mean over the training set, valued at the predicted class, or valued at the LABEL of what is predicted (released code; results are marked and never ranked)",
    source: "chosen here: prediction must not see labels",
  },
  warmup: {
    group: "Re-sampling (DSR)",
    type: "integer",
    default: -1,
    min: -1,
    about: "first epoch of DFE and DSR; -1 is an eighth of the epochs, at least 1",
    source: "the paper's 10 of 80 epochs",
    tune: [-1, 1, 5],
  },
  minimum: {
    group: "Losses (BMML) and the readouts'",
    type: "part",
    kind: "loss",
    default: use(minimumInformation),
    about: "the term L_phiMI (Eq. 14)",
    source: "the paper",
  },
  lambda1: {
    group: "Losses (BMML) and the readouts'",
    type: "number",
    default: 0.1,
    min: 0,
    tune: [0, 0.1, 1],
    about: "weight of L_phiMI; 0 leaves it out",
    source: "not given in the paper; 1 harmed in comparisons with concatenation",
  },
  gap: {
    group: "Losses (BMML) and the readouts'",
    type: "part",
    kind: "loss",
    default: use(contributionGap),
    about: "the term L_phiCMI (Eq. 15)",
    source: "the paper",
  },
  lambda2: {
    group: "Losses (BMML) and the readouts'",
    type: "number",
    default: 1,
    min: 0,
    tune: [0, 0.1, 1],
    about: "weight of L_phiCMI; 0 leaves it out",
    source: "not given in the paper",
  },
  lossFrom: {
    group: "Losses (BMML) and the readouts'",
    type: "integer",
    default: 0,
    min: 0,
    about: "first epoch of the loss terms",
    source: "the paper's Algorithm 1",
    tune: [0, 1, 5],
  },
  readoutWeight: {
    group: "Losses (BMML) and the readouts'",
    type: "number",
    default: 1,
    min: 0,
    tune: [0, 0.3, 1],
    about:
      "weight of cross-entropy on the readouts that give p(f_u -> y), as in uni-ce: untrained, they are by-products of the fused readout and no probabilities; 0 leaves it out",
    source: "not in the paper, which does not say how its classifiers of modalities are trained; chosen on validation",
  },
  losses: {
    group: "Losses (BMML) and the readouts'",
    type: "parts",
    kind: "loss",
    default: [],
    about: "further losses, which may read the valuation",
    source: "none in the paper",
  },
  lossWeight: {
    group: "Losses (BMML) and the readouts'",
    type: "number",
    default: 1,
    min: 0,
    tune: [0.1, 1],
    about: "weight of the further losses",
    source: "chosen here",
  },
  sampler: {
    group: "Re-sampling (DSR)",
    type: "part",
    kind: "sampler",
    default: use(dsr),
    about:
      "what an epoch draws past the warm-up: dynamic sample re-sampling (Eq. 18), its comparisons, uniform for none",
    source: "the paper",
    tune: ["dsr", "random", "inverse", "uniform"],
  },
};
