/**
 * Cross-entropy.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { withGradient } from "../tensor/autodiff.ts";

/**
 * Cross-entropy of each sample in nats: -log softmax(logits)[label].
 *
 * Its gradient is softmax(logits) - onehot(label), whose exponentials the value has made already.
 *
 * @param logits Float32 [B, C].
 * @param labels Int32 [B], class indices.
 * @returns Float32 [B].
 */
export function crossEntropy(logits: tf.Tensor2D, labels: tf.Tensor1D): tf.Tensor1D {
  const target = tf.oneHot(labels, logits.shape[1], 1, 0, "float32");
  return withGradient([logits], (save) => {
    // From the largest one down: no exponential overflows.
    const below = tf.sub(logits, tf.max(logits, 1, true));
    const powers = tf.exp(below);
    const total = tf.sum(powers, 1, true);
    save([powers, total, target]);
    return {
      value: tf.sub(tf.reshape(tf.log(total), [-1]), tf.sum(tf.mul(below, target), 1)),
      gradient(dy, [powers, total, target]) {
        const each = tf.expandDims(dy, 1);
        return [tf.sub(tf.mul(powers, tf.div(each, total)), tf.mul(target, each))];
      },
    };
  }) as tf.Tensor1D;
}

/**
 * Probability of each sample's label: softmax(logits)[label].
 *
 * @param logits Float32 [B, C].
 * @param labels Int32 [B].
 * @returns Float32 [B].
 */
export function labelProbability(logits: tf.Tensor2D, labels: tf.Tensor1D): tf.Tensor1D {
  const target = tf.oneHot(labels, logits.shape[1], 1, 0, "float32");
  return tf.sum(tf.mul(tf.softmax(logits), target), 1);
}
