/**
 * L_phiCMI: narrows the gaps between modalities' contributions (ARM, AAAI 2025, Eq. 15).
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { defineLoss, type LossPlugin } from "../core/kinds/mod.ts";
import { awayFromZero, type Range, ranged } from "../miv/valuation.ts";
import { stopGradient, withGradient } from "../tensor/autodiff.ts";

/** Options of `gapLoss`. */
export interface GapLossOptions {
  /** Whether the denominator has a gradient, as the paper's formula does: then inflating it lowers the loss. @default {false} */
  readonly denominatorGradient?: boolean;
  /** Only modalities below the mean are moved: no gradient to the mean and to those above it. @default {false} */
  readonly asymmetric?: boolean;
}

/**
 * L_phiCMI = sum_i |phi_i - phi(X)| / phi(X) (Eq. 15): narrows the gaps between modalities.
 *
 * @param phi Contributions in their chosen range, [B, m]; above 0 on average, or the loss is what is printed: negative.
 * @returns [B].
 */
export function gapLoss(phi: tf.Tensor2D, options: GapLossOptions = {}): tf.Tensor1D {
  const { denominatorGradient = false, asymmetric = false } = options;
  const mean = tf.mean(phi, 1, true);
  const denominator = tf.reshape(awayFromZero(denominatorGradient ? mean : stopGradient(mean)), [-1]);
  const gaps = asymmetric ? weakGaps(phi, stopGradient(mean)) : fromMean(phi);
  return tf.div(tf.sum(tf.abs(gaps), 1), denominator);
}

/** phi_i - mean(phi), whose gradient is what is left of the gradient without its own mean. */
function fromMean(phi: tf.Tensor2D): tf.Tensor {
  const centred = (rows: tf.Tensor) => tf.sub(rows, tf.mean(rows, 1, true));
  return withGradient([phi], () => ({ value: centred(phi), gradient: (dy) => [centred(dy)] }));
}

/** The same gaps; only those below the mean have a gradient. */
function weakGaps(phi: tf.Tensor2D, mean: tf.Tensor): tf.Tensor {
  return tf.sub(tf.where(tf.less(phi, mean), phi, stopGradient(phi)), mean);
}

/** Options of `contribution-gap`. */
export interface ContributionGapOptions {
  readonly range: Range;
  readonly probGradient: boolean;
  readonly denominatorGradient: boolean;
  readonly asymmetric: boolean;
}

/** Eq. 15 as a part. */
export const contributionGap: LossPlugin = defineLoss<ContributionGapOptions>({
  name: "contribution-gap",
  about: "ARM's L_phiCMI: narrows the gaps between modalities' contributions",
  formula: "sum_i |phi'_i - phi'(X)| / phi'(X)",
  source: 'Gao et al., "Asymmetric Reinforcing against Multi-modal Representation Bias", AAAI 2025, Eq. 15',
  needs: ["valuation"],
  options: {
    range: {
      type: "choice",
      choices: ["shift", "clamp", "raw"],
      default: "shift",
      about:
        "phi in [-(m-1), m] made fit for division: m (phi + m - 1) / (2m - 1), max(phi, 0), or as it is (may diverge)",
      source: "chosen here: the loss needs contributions above 0",
    },
    probGradient: {
      type: "boolean",
      default: false,
      about: "gradient through probabilities; with it the optimiser games the solo readouts",
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
      about: "moves only modalities below the mean, by their own information",
      source: "the paper's Eq. 15 moves both",
    },
  },
  create: ({ range, probGradient, denominatorGradient, asymmetric }, { valuation }) => ({
    terms(step) {
      const phi = valuation!(step).contributions({ probabilities: probGradient, asymmetric });
      return { phiCMI: gapLoss(ranged(phi, range), { denominatorGradient, asymmetric }) };
    },
  }),
});
