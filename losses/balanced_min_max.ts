/**
 * The balanced min-max loss (ARM, AAAI 2025, Eqs. 14, 15, 17).
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { stopGradient } from "../tensor/autodiff.ts";

/**
 * L_phiMI = 1 - phi^MI(X) (Eq. 14): raises the least informative modality.
 *
 * @param lowerBound phi^MI(X), [B].
 * @returns [B].
 */
export function minimumLoss(lowerBound: tf.Tensor1D): tf.Tensor1D {
  return tf.sub(1, lowerBound);
}

/** Options of `gapLoss`. */
export interface GapLossOptions {
  /** Least denominator. @default {1e-3} */
  readonly floor?: number;
  /** Whether the denominator has a gradient, as the paper's formula does: then inflating it lowers the loss. @default {false} */
  readonly denominatorGradient?: boolean;
  /** Only modalities below the mean are moved: no gradient to the mean and to those above it. @default {false} */
  readonly asymmetric?: boolean;
}

/**
 * L_phiCMI = sum_i |phi_i - phi(X)| / phi(X) (Eq. 15): narrows the gaps between modalities.
 *
 * @param phi Contributions in a range >= 0, [B, m].
 * @returns [B].
 */
export function gapLoss(phi: tf.Tensor2D, options: GapLossOptions = {}): tf.Tensor1D {
  const { floor = 1e-3, denominatorGradient = false, asymmetric = false } = options;
  const m = phi.shape[1];
  const mean = tf.mean(phi, 1, true);
  const denominator = tf.reshape(tf.maximum(denominatorGradient ? mean : stopGradient(mean), floor), [-1]);
  const gaps = asymmetric ? weakGaps(phi, stopGradient(mean)) : tf.matMul(phi, centring(m));
  return tf.div(tf.sum(tf.abs(gaps), 1), denominator);
}

/** I - 1/m: times it, a row loses its mean. */
function centring(m: number): tf.Tensor2D {
  return tf.tensor2d(Array.from({ length: m * m }, (_, k) => Number(k % (m + 1) === 0) - 1 / m), [m, m]);
}

/** The same gaps; only those below the mean have a gradient. */
function weakGaps(phi: tf.Tensor2D, mean: tf.Tensor): tf.Tensor {
  return tf.sub(tf.where(tf.less(phi, mean), phi, stopGradient(phi)), mean);
}
