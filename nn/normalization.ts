/**
 * Batch and layer normalisation, and dropout.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { stopGradient, withGradient } from "../tensor/autodiff.ts";
import type { Initializer, Scope } from "../core/scope.ts";
import { ones, zeros } from "./initializers.ts";
import { Refusal } from "../core/refusal.ts";

/** Options of `batchNorm`. */
export interface BatchNormOptions {
  /** Share of the new batch in the running statistics. @default {0.1} */
  readonly momentum?: number;
  /** @default {1e-5} */
  readonly epsilon?: number;
  /** Start of the scale. @default 1 */
  readonly scaleInit?: Initializer;
}

/** Axes between rows and channels. */
function inner(x: tf.Tensor): number[] {
  return Array.from({ length: Math.max(0, x.rank - 2) }, (_, axis) => axis + 1);
}

/**
 * Sums over all axes but the last. First within rows, so that weights of rows meet small tensors only.
 *
 * @param x [B, ..., c].
 * @param weights [B, 1], or `null` for ones.
 * @returns [c].
 */
function channelSums(x: tf.Tensor, weights: tf.Tensor | null): tf.Tensor {
  const axes = inner(x);
  const rows = axes.length === 0 ? x : tf.sum(x, axes);
  return tf.sum(weights === null ? rows : tf.mul(rows, weights), 0);
}

/** What a batch is normalised by. */
interface Statistics {
  /** [c] */
  readonly mean: tf.Tensor;
  /** Biased, [c]. */
  readonly variance: tf.Tensor;
  /** How many numbers per channel they are of, []. */
  readonly count: tf.Tensor;
  /** 1 for the rows that they are of, else 0, [B, 1]; `null` for all rows. */
  readonly present: tf.Tensor | null;
}

/**
 * scale (x - mean) / sqrt(variance + epsilon) + shift as a function of x, scale and shift, of which mean and variance are
 * the statistics.
 *
 * With d = x - mean, s = (variance + epsilon)^-1/2 and n numbers per channel (Ioffe and Szegedy, ICML 2015):
 * dx = scale s (dy - [row present] (sum(dy) + s^2 d sum(dy d)) / n). Written so that it takes few passes over x.
 */
function normaliseBatch(
  x: tf.Tensor,
  scale: tf.Tensor,
  shift: tf.Tensor,
  { mean, variance, count, present }: Statistics,
  epsilon: number,
): tf.Tensor {
  const byRow = (rows: tf.Tensor): tf.Tensor => tf.reshape(rows, [rows.shape[0], ...inner(x).map(() => 1), -1]);
  return withGradient([x, scale, shift], (save) => {
    const inverse = tf.rsqrt(tf.add(variance, epsilon));
    save([x, scale, mean, inverse, count, ...(present === null ? [] : [present])]);
    return {
      value: tf.add(tf.mul(tf.sub(x, mean), tf.mul(inverse, scale)), shift),
      gradient(dy, [x, scale, mean, inverse, count, present]) {
        const centred = tf.sub(x, mean);
        const factor = tf.mul(inverse, scale);
        const sum = channelSums(dy, null);
        const product = channelSums(tf.mul(dy, centred), null);
        const share = tf.neg(tf.div(factor, count));
        const level = tf.mul(share, sum);
        const slope = tf.mul(share, tf.mul(tf.square(inverse), product));
        const [levels, slopes] = present === undefined
          ? [level, slope]
          : [byRow(tf.mul(present, level)), byRow(tf.mul(present, slope))];
        const through = tf.add(tf.mul(centred, slopes), levels);
        return [tf.add(tf.mul(dy, factor), through), tf.mul(product, inverse), sum];
      },
    };
  });
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
  if (scope.mode === "eval") {
    const factor = tf.mul(tf.rsqrt(tf.add(runningVariance, epsilon)), scale);
    return tf.add(tf.mul(x, factor), tf.sub(shift, tf.mul(runningMean, factor)));
  }
  const perRow = x.size / (x.shape[0] * channels);
  const weights = scope.weights();
  const present = weights === null ? null : tf.reshape(tf.cast(tf.greater(weights, 0), "float32"), [-1, 1]);
  const count = present === null ? tf.scalar(x.shape[0] * perRow) : tf.mul(tf.sum(present), perRow);
  // The gradient through the statistics is part of normalising; here they are numbers.
  const fixed = stopGradient(x);
  const mean = tf.div(channelSums(fixed, present), count);
  const variance = tf.div(channelSums(tf.square(tf.sub(fixed, mean)), present), count);
  const unbiased = tf.mul(variance, tf.div(count, tf.maximum(tf.sub(count, 1), 1)));
  scope.update("mean", tf.add(tf.mul(runningMean, 1 - momentum), tf.mul(mean, momentum)));
  scope.update("variance", tf.add(tf.mul(runningVariance, 1 - momentum), tf.mul(unbiased, momentum)));
  return normaliseBatch(x, scale, shift, { mean, variance, count, present }, epsilon);
}

/**
 * Layer normalisation over the last axis (Ba et al., 2016), biased variance.
 *
 * With the normalised n, s = (variance + epsilon)^-1/2 and width d: dx = s (dn - (sum(dn) + n sum(dn n)) / d), where
 * dn = scale dy. The sums over the last axis are products with the scale, which take no pass of their own.
 *
 * Parameters: `scale`, `shift` [d].
 *
 * @param x Float32 [..., d].
 */
export function layerNorm(scope: Scope, x: tf.Tensor, { epsilon = 1e-5 }: { epsilon?: number } = {}): tf.Tensor {
  const width = x.shape[x.shape.length - 1];
  const scale = scope.param("scale", [width], ones);
  const shift = scope.param("shift", [width], zeros);
  return withGradient([x, scale, shift], (save) => {
    const centred = tf.sub(x, tf.mean(x, -1, true));
    const inverse = tf.rsqrt(tf.add(tf.mean(tf.square(centred), -1, true), epsilon));
    const normed = tf.mul(centred, inverse);
    save([normed, inverse, scale]);
    return {
      value: tf.add(tf.mul(normed, scale), shift),
      gradient(dy, [normed, inverse, scale]) {
        const rows = (values: tf.Tensor) => tf.reshape(values, [-1, width]) as tf.Tensor2D;
        const weights = tf.reshape(tf.div(scale, width), [width, 1]) as tf.Tensor2D;
        const weighted = (values: tf.Tensor) => tf.reshape(tf.matMul(rows(values), weights), inverse.shape);
        const product = tf.mul(dy, normed);
        const level = tf.mul(weighted(dy), inverse);
        const slope = tf.mul(weighted(product), inverse);
        const through = tf.add(tf.mul(normed, slope), level);
        return [
          tf.sub(tf.mul(tf.mul(dy, scale), inverse), through),
          tf.sum(rows(product), 0),
          tf.sum(rows(dy), 0),
        ];
      },
    };
  });
}

/**
 * Sets values to 0 with probability `rate` and scales the others by 1 / (1 - rate); the identity in evaluation.
 *
 * @throws {Refusal} If the rate is not in [0, 1).
 */
export function dropout(scope: Scope, x: tf.Tensor, rate: number): tf.Tensor {
  if (!(rate >= 0 && rate < 1)) {
    throw new Refusal({ what: "use dropout", must: "its rate must be in [0, 1)", found: `found ${rate}` });
  }
  if (scope.mode === "eval" || rate === 0) return x;
  const kept = tf.cast(tf.greaterEqual(scope.random("uniform", x.shape), rate), "float32");
  return tf.mul(tf.mul(x, kept), 1 / (1 - rate));
}
