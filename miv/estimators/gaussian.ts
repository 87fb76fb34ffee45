/**
 * Information of jointly Gaussian variables in closed form: I = -1/2 ln(1 - rho^2), CMI with the partial correlation.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { defineEstimator, type EstimatorPlugin, type Information } from "../../core/kinds/mod.ts";
import { standardise } from "./binned.ts";

/** A partial correlation is not defined where what is left of a variance is below this share of it. */
const LEAST_REST = 1e-5;

/** Weighted mean over the last axis, kept. */
function mean(values: tf.Tensor, share: tf.Tensor | null): tf.Tensor {
  if (share === null) return tf.mean(values, -1, true);
  return tf.div(tf.sum(tf.mul(values, share), -1, true), tf.maximum(tf.sum(share), 1e-12));
}

/**
 * Information by the correlation of coordinates, in Linfoot's normalisation: 1 - exp(-2 I) = rho^2, in [0, 1].
 *
 * Differential entropies may be negative, so that I / sqrt(H H) has no meaning here. Where fused = sum of the parts
 * exactly, nothing of it is left once all other parts are known, and NCMI is 1 (CMI infinite). 0 where the condition
 * already determines either variable.
 *
 * @see Linfoot, "An informational measure of correlation", Information and Control, 1957.
 */
export const gaussian: EstimatorPlugin = defineEstimator<Record<never, never>>({
  name: "gaussian",
  about: "closed form of jointly Gaussian coordinates, in Linfoot's normalisation",
  formula: `I = -1/2 ln(1 - rho^2);  NMI = rho^2;  NCMI = squared partial correlation`,
  source: 'Linfoot, "An informational measure of correlation", Information and Control, 1957',
  options: {},
  promises: () => ({ gradient: "exact" }),
  create: () => ({ information: byCorrelation }),
});

function byCorrelation(vectors: tf.Tensor3D, share: tf.Tensor2D | null): Information {
  const [rows, count, n] = vectors.shape;
  const m = count - 1;
  const [y, ...z] = tf.split(standardise(vectors, share), count, 1).map((vector) => tf.reshape(vector, [rows, n]));
  const correlation = (a: tf.Tensor, b: tf.Tensor) =>
    tf.clipByValue(tf.reshape(mean(tf.mul(a, b), share), [rows]), -1, 1);
  const withFused = z.map((part) => correlation(part, y));
  const zero = tf.zeros([rows]);
  const ncmi: tf.Tensor[][] = Array.from({ length: m }, () => Array.from({ length: m }, () => zero));
  for (let i = 0; i < m; i++) {
    for (let j = i + 1; j < m; j++) {
      const between = correlation(z[i], z[j]);
      ncmi[i][j] = squaredPartial(withFused[j], withFused[i], between);
      ncmi[j][i] = squaredPartial(withFused[i], withFused[j], between);
    }
  }
  const normalised = {
    nmi: tf.stack(withFused.map((rho) => tf.square(rho)), 1) as tf.Tensor2D,
    ncmi: tf.reshape(tf.stack(ncmi.flat(), 1), [rows, m, m]) as tf.Tensor3D,
  };
  return { ...normalised, mi: natsOf(normalised.nmi), cmi: natsOf(normalised.ncmi) };
}

/** -1/2 ln(1 - rho^2), at most 8.06: a deterministic relation would have no finite value. */
function natsOf<T extends tf.Tensor>(squared: T): T {
  return tf.mul(tf.log(tf.maximum(tf.sub(1, squared), 1e-7)), -0.5) as T;
}

/** Squared partial correlation of y and j given i, from the three plain ones. */
function squaredPartial(yj: tf.Tensor, yi: tf.Tensor, ij: tf.Tensor): tf.Tensor {
  const restY = tf.sub(1, tf.square(yi));
  const restJ = tf.sub(1, tf.square(ij));
  const defined = tf.logicalAnd(tf.greater(restY, LEAST_REST), tf.greater(restJ, LEAST_REST));
  const one = tf.onesLike(restY);
  const rest = tf.mul(tf.where(defined, restY, one), tf.where(defined, restJ, one));
  const squared = tf.div(tf.square(tf.sub(yj, tf.mul(yi, ij))), rest);
  return tf.where(defined, tf.clipByValue(squared, 0, 1), tf.zerosLike(squared));
}
