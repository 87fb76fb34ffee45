/**
 * Activations by name.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";

/** Names of activations. */
export type ActivationName = "none" | "relu" | "gelu" | "tanh";

/** Gaussian error linear unit x Phi(x), with the exact error function. */
export function gelu(x: tf.Tensor): tf.Tensor {
  return tf.mul(tf.mul(x, 0.5), tf.add(1, tf.erf(tf.mul(x, Math.SQRT1_2))));
}

/** Applies an activation elementwise. */
export function activate(x: tf.Tensor, name: ActivationName): tf.Tensor {
  switch (name) {
    case "none":
      return x;
    case "relu":
      return tf.relu(x);
    case "gelu":
      return gelu(x);
    case "tanh":
      return tf.tanh(x);
  }
}
