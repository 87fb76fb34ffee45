/**
 * Activations by name.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { withGradient } from "../tensor/autodiff.ts";

/** Names of activations. */
export type ActivationName = "none" | "relu" | "gelu" | "tanh";

/** log(1 / sqrt(pi)) */
const LOG_DENSITY = -0.5 * Math.log(Math.PI);

/**
 * Gaussian error linear unit x Phi(x) (Hendrycks and Gimpel, 2016), with the exact error function.
 *
 * Its gradient is Phi(x) + x phi(x); with u = x / sqrt(2) that is Phi(x) + u exp(-u^2) / sqrt(pi).
 */
export function gelu(x: tf.Tensor): tf.Tensor {
  return withGradient([x], (save) => {
    const u = tf.mul(x, Math.SQRT1_2);
    const below = tf.add(tf.mul(tf.erf(u), 0.5), 0.5);
    save([u, below]);
    return {
      value: tf.mul(x, below),
      gradient(dy, [u, below]) {
        const density = tf.exp(tf.sub(LOG_DENSITY, tf.square(u)));
        return [tf.mul(dy, tf.add(below, tf.mul(u, density)))];
      },
    };
  });
}

/** A gate between 0 and a scale, scale sigmoid(x). Its gradient is scale y (1 - y) of y = sigmoid(x). */
export function scaledSigmoid(x: tf.Tensor, scale: number): tf.Tensor {
  return withGradient([x], (save) => {
    const share = tf.sigmoid(x);
    const value = tf.mul(share, scale);
    save([share, value]);
    return { value, gradient: (dy, [share, value]) => [tf.mul(dy, tf.mul(value, tf.sub(1, share)))] };
  });
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
