/**
 * Batch and layer normalisation, and dropout.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { Initializer, Scope } from "../core/scope.ts";
import { ones, zeros } from "./initializers.ts";

/** Options of `batchNorm`. */
export interface BatchNormOptions {
  /** Share of the new batch in the running statistics. @default {0.1} */
  readonly momentum?: number;
  /** @default {1e-5} */
  readonly epsilon?: number;
  /** Start of the scale. @default 1 */
  readonly scaleInit?: Initializer;
}

/**
 * Batch normalisation over all axes but the last, with PyTorch's semantics: the biased variance normalises, the unbiased
 * one enters the running buffer; evaluation uses the buffers. Rows of weight 0 (padding) do not enter the statistics.
 *
 * Parameters: `scale`, `shift` [c]. Buffers: `mean`, `variance` [c].
 *
 * @param x Float32 [B, ..., c].
 */
export function batchNorm(scope: Scope, x: tf.Tensor, options: BatchNormOptions = {}): tf.Tensor {
  const { momentum = 0.1, epsilon = 1e-5, scaleInit = ones } = options;
  const channels = x.shape[x.shape.length - 1];
  const scale = scope.param("scale", [channels], scaleInit);
  const shift = scope.param("shift", [channels], zeros);
  const runningMean = scope.buffer("mean", [channels], zeros);
  const runningVariance = scope.buffer("variance", [channels], ones);
  const normalise = (mean: tf.Tensor, variance: tf.Tensor) => {
    const factor = tf.mul(tf.rsqrt(tf.add(variance, epsilon)), scale);
    return tf.add(tf.mul(tf.sub(x, mean), factor), shift);
  };
  if (scope.mode === "eval") return normalise(runningMean, runningVariance);

  const axes = Array.from({ length: x.rank - 1 }, (_, axis) => axis);
  const perRow = x.size / (x.shape[0] * channels);
  const weights = scope.weights();
  let mean: tf.Tensor;
  let variance: tf.Tensor;
  let unbiased: tf.Tensor;
  if (weights === null) {
    const count = x.shape[0] * perRow;
    mean = tf.mean(x, axes);
    variance = tf.mean(tf.square(tf.sub(x, mean)), axes);
    unbiased = tf.mul(variance, count / Math.max(1, count - 1));
  } else {
    const present = tf.reshape(tf.cast(tf.greater(weights, 0), "float32"), [-1, ...x.shape.slice(1).map(() => 1)]);
    const count = tf.mul(tf.sum(present), perRow);
    mean = tf.div(tf.sum(tf.mul(x, present), axes), count);
    variance = tf.div(tf.sum(tf.mul(tf.square(tf.sub(x, mean)), present), axes), count);
    unbiased = tf.mul(variance, tf.div(count, tf.maximum(tf.sub(count, 1), 1)));
  }
  scope.update("mean", tf.add(tf.mul(runningMean, 1 - momentum), tf.mul(mean, momentum)));
  scope.update("variance", tf.add(tf.mul(runningVariance, 1 - momentum), tf.mul(unbiased, momentum)));
  return normalise(mean, variance);
}

/**
 * Layer normalisation over the last axis (Ba et al., 2016), biased variance.
 *
 * Parameters: `scale`, `shift` [d].
 *
 * @param x Float32 [..., d].
 */
export function layerNorm(scope: Scope, x: tf.Tensor, { epsilon = 1e-5 }: { epsilon?: number } = {}): tf.Tensor {
  const width = x.shape[x.shape.length - 1];
  const centred = tf.sub(x, tf.mean(x, -1, true));
  const variance = tf.mean(tf.square(centred), -1, true);
  const normed = tf.mul(centred, tf.rsqrt(tf.add(variance, epsilon)));
  return tf.add(tf.mul(normed, scope.param("scale", [width], ones)), scope.param("shift", [width], zeros));
}

/**
 * Sets values to 0 with probability `rate` and scales the others by 1 / (1 - rate); the identity in evaluation.
 *
 * @throws {RangeError} If the rate is not in [0, 1).
 */
export function dropout(scope: Scope, x: tf.Tensor, rate: number): tf.Tensor {
  if (!(rate >= 0 && rate < 1)) throw new RangeError(`Cannot use dropout as its rate must be in [0, 1): found ${rate}`);
  if (scope.mode === "eval" || rate === 0) return x;
  const kept = tf.cast(tf.greaterEqual(scope.random("uniform", x.shape), rate), "float32");
  return tf.mul(tf.mul(x, kept), 1 / (1 - rate));
}
