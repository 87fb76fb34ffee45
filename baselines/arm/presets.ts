/**
 * ARM's presets as changes to the defaults.
 *
 * @module
 */
import { use } from "../../core/options.ts";
import { contributionGap } from "../../losses/contribution_gap.ts";
import { minimumInformation } from "../../losses/minimum_information.ts";
import { histogram } from "../../miv/estimators/histogram.ts";
import { official } from "../../miv/estimators/official.ts";
import { uniformSampler } from "../../sampling/uniform.ts";
import type { ArmOptions } from "./options.ts";

/**
 * The paper as printed: Eq. 16 with its sign, contributions in their raw range, soft bins on raw features, equal weights
 * for the terms (the paper gives none), all gradients. The paper names no number of bins: as many as the coordinates fill,
 * as everywhere. Needs encoders as wide as the fusion. May diverge.
 */
export const literalPreset: Partial<ArmOptions> = {
  estimator: use(histogram, { binning: "soft" }),
  view: "raw",
  center: "none",
  range: "raw",
  minimum: use(minimumInformation, { minimum: "paper-literal", tau: 1 }),
  gap: use(contributionGap, { range: "raw", probGradient: true, denominatorGradient: true }),
  readoutWeight: 0,
  lambda1: 1,
  lambda2: 1,
};

/**
 * The released code: no losses, no re-sampling, no warm-up; batch scalars from a frozen random projection, its conditional
 * entropy, crossed ratios, and weights in prediction that are computed from the labels of what is predicted.
 */
export const officialPreset: Partial<ArmOptions> = {
  estimator: use(official),
  view: "official",
  granularity: "batch",
  center: "none",
  index: "own",
  readout: "raw",
  gradient: "none",
  range: "raw",
  dfe: "crossed",
  fwTest: "leaky",
  warmup: 0,
  lambda1: 0,
  lambda2: 0,
  readoutWeight: 0,
  sampler: use(uniformSampler),
};

/** What leaves ARM's parts out. */
export const without = {
  dfe: { dfe: "off" },
  bmml: { lambda1: 0, lambda2: 0 },
  dsr: { sampler: use(uniformSampler) },
  readouts: { readoutWeight: 0 },
} as const satisfies Record<string, Partial<ArmOptions>>;
