/**
 * Focal loss.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { defineLoss, type LossPlugin } from "../core/kinds/mod.ts";

/**
 * Focal loss of each sample in nats: -(1 - p_y)^gamma log p_y. With gamma = 0 it is cross-entropy.
 *
 * 1 - p_y is taken as 1 - exp(log p_y), and log p_y from the log-softmax, so that neither end overflows; a power of what is
 * 0 has gradient 0 for gamma > 1.
 *
 * @param logits Float32 [B, C].
 * @param labels Int32 [B].
 * @returns Float32 [B].
 * @see Lin et al., "Focal Loss for Dense Object Detection", ICCV 2017, Eq. 4.
 */
export function focalLoss(logits: tf.Tensor2D, labels: tf.Tensor1D, gamma: number): tf.Tensor1D {
  const target = tf.oneHot(labels, logits.shape[1], 1, 0, "float32");
  const logarithm = tf.sum(tf.mul(tf.logSoftmax(logits), target), 1);
  // A hair above 0: the gradient of x^gamma at 0 is infinite for gamma < 1.
  const rest = tf.maximum(tf.neg(tf.expm1(logarithm)), 1e-7);
  return tf.neg(tf.mul(tf.pow(rest, gamma), logarithm)) as tf.Tensor1D;
}

/** Focal loss as a part. */
export const focal: LossPlugin = defineLoss<{ readonly gamma: number }>({
  name: "focal",
  about: "cross-entropy that counts sure samples less",
  formula: "-(1 - p_y)^gamma log p_y",
  source: 'Lin et al., "Focal Loss for Dense Object Detection", ICCV 2017, Eq. 4',
  task: true,
  options: {
    gamma: {
      type: "number",
      default: 2,
      min: 0,
      tune: [0.5, 1, 2, 5],
      about: "how much less: 0 is cross-entropy",
      source: "the paper's best",
    },
  },
  create({ gamma }) {
    const ofLogits = (logits: tf.Tensor2D, labels: tf.Tensor1D) => focalLoss(logits, labels, gamma);
    return { ofLogits, terms: ({ output, labels }) => ({ focal: ofLogits(output.logits, labels) }) };
  },
});
