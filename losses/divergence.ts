/**
 * Divergences between predictions.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";

/** Sum over classes of p (log p - log q), from log-probabilities. */
function divergence(p: tf.Tensor2D, q: tf.Tensor2D): tf.Tensor1D {
  return tf.sum(tf.mul(tf.exp(p), tf.sub(p, q)), 1);
}

/**
 * KL(softmax(teacher / T) || softmax(logits / T)) of each sample in nats.
 *
 * @param teacher Float32 [B, C].
 * @param logits Float32 [B, C].
 * @param temperature T > 0.
 * @returns Float32 [B].
 */
export function klDivergence(teacher: tf.Tensor2D, logits: tf.Tensor2D, temperature = 1): tf.Tensor1D {
  const log = (own: tf.Tensor2D) => tf.logSoftmax(tf.div(own, temperature)) as tf.Tensor2D;
  return divergence(log(teacher), log(logits));
}

/**
 * Jensen-Shannon divergence of two predictions in nats: KL(p || m) / 2 + KL(q || m) / 2 with m = (p + q) / 2, in 0..ln 2.
 *
 * @param one Logits, float32 [B, C].
 * @param two Logits, float32 [B, C].
 * @param reversed KL(m || p) / 2 + KL(m || q) / 2 instead, which is not bounded.
 * @returns Float32 [B].
 */
export function jensenShannon(one: tf.Tensor2D, two: tf.Tensor2D, reversed = false): tf.Tensor1D {
  const [p, q] = [tf.logSoftmax(one) as tf.Tensor2D, tf.logSoftmax(two) as tf.Tensor2D];
  const middle = tf.log(tf.add(tf.mul(tf.add(tf.exp(p), tf.exp(q)), 0.5), 1e-12)) as tf.Tensor2D;
  const halves = reversed
    ? tf.add(divergence(middle, p), divergence(middle, q))
    : tf.add(divergence(p, middle), divergence(q, middle));
  return tf.mul(halves, 0.5) as tf.Tensor1D;
}
