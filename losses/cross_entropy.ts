/**
 * Cross-entropy.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";

/**
 * Cross-entropy of each sample in nats: -log softmax(logits)[label].
 *
 * @param logits Float32 [B, C].
 * @param labels Int32 [B], class indices.
 * @returns Float32 [B].
 */
export function crossEntropy(logits: tf.Tensor2D, labels: tf.Tensor1D): tf.Tensor1D {
  const target = tf.oneHot(labels, logits.shape[1], 1, 0, "float32");
  return tf.neg(tf.sum(tf.mul(tf.logSoftmax(logits), target), 1));
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
