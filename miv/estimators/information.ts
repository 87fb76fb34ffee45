/**
 * Normalised (conditional) mutual information between parts and the fused feature, by the estimator of one's choice.
 *
 * For one sample the d coordinates of two vectors are d paired observations; with granularity `"batch"` the B d
 * coordinates of the whole batch are. Entropies and information are in nats. Shapes: B batch, d coordinates, m modalities.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { type ByModality, modalitiesOf, valuesOf } from "../../core/modality.ts";
import { gaussianInformation } from "./gaussian.ts";
import { histogramInformation } from "./histogram.ts";
import { type EstimatorOptions, resolveEstimator } from "./options.ts";

/** Information between every part and the fused feature, and between them given every other part. */
export interface Information {
  /** NMI(f_y; z_u), [B, m] in sorted order of modalities. */
  readonly nmi: tf.Tensor2D;
  /** NCMI(f_y; z_j | z_i) at [B, i, j]; 0 on the diagonal. */
  readonly ncmi: tf.Tensor3D;
  /** I(f_y; z_u) in nats, not normalised, [B, m]. */
  readonly mi: tf.Tensor2D;
  /** I(f_y; z_j | z_i) in nats at [B, i, j]. */
  readonly cmi: tf.Tensor3D;
}

/**
 * NMI and NCMI of every sample.
 *
 * With `"straight-through"` the values are those of hard bins and the gradients those of soft bins, each judged by its
 * own entropies: soft - sg[soft] + sg[hard].
 *
 * @param parts What is compared with the fused feature, [B, d] each; usually the solo images z_u, centred by the caller.
 * @param fused Fused feature, [B, d], centred by the caller.
 * @param weights Sample weights [B] for granularity `"batch"`; rows of weight 0 do not count. Without them all count.
 * @throws {TypeError} If widths differ: the estimate pairs coordinate with coordinate.
 * @throws {RangeError} If options are out of range or contradict each other.
 */
export function informationOf(
  parts: ByModality<tf.Tensor2D>,
  fused: tf.Tensor2D,
  options: EstimatorOptions = {},
  weights: tf.Tensor1D | null = null,
): Information {
  return informationOfVectors(vectorsOf(parts, fused), options, weights);
}

/**
 * What is compared in one tensor, [B, 1 + m, d]: the fused feature, then the parts in sorted order of modalities.
 *
 * @throws {TypeError} If widths differ or the batch is empty.
 */
export function vectorsOf(parts: ByModality<tf.Tensor2D>, fused: tf.Tensor2D): tf.Tensor3D {
  const [batch, coordinates] = fused.shape;
  for (const modality of modalitiesOf(parts)) {
    if (parts[modality].shape[1] !== coordinates) {
      throw new TypeError(
        `Cannot estimate information of "${modality}" as parts must have the fused width ${coordinates}: found ` +
          `${parts[modality].shape[1]}`,
      );
    }
  }
  if (batch === 0) throw new TypeError("Cannot estimate information as the batch must hold a sample: it is empty");
  return tf.reshape(tf.concat([fused, ...valuesOf(parts)], 1), [batch, -1, coordinates]) as tf.Tensor3D;
}

/**
 * The same of vectors that are together already.
 *
 * @param vectors [B, 1 + m, d]: the fused feature, then the parts in sorted order of modalities.
 * @throws {RangeError} If options are out of range or contradict each other.
 */
export function informationOfVectors(
  vectors: tf.Tensor3D,
  options: EstimatorOptions = {},
  weights: tf.Tensor1D | null = null,
): Information {
  const [batch, count, coordinates] = vectors.shape;
  const resolved = resolveEstimator(options, coordinates);
  const estimate = resolved.estimator === "gaussian" ? gaussianInformation : histogramInformation;
  if (resolved.granularity === "sample") return estimate(vectors, resolved, null);
  // Every coordinate counts as its sample does.
  const share = weights === null
    ? null
    : tf.reshape(tf.mul(tf.expandDims(weights, 1), tf.ones([1, coordinates])), [1, batch * coordinates]) as tf.Tensor2D;
  const whole = tf.reshape(tf.transpose(vectors, [1, 0, 2]), [1, count, batch * coordinates]) as tf.Tensor3D;
  const found = estimate(whole, resolved, share);
  return {
    nmi: tf.tile(found.nmi, [batch, 1]),
    ncmi: tf.tile(found.ncmi, [batch, 1, 1]),
    mi: tf.tile(found.mi, [batch, 1]),
    cmi: tf.tile(found.cmi, [batch, 1, 1]),
  };
}

/**
 * The estimator's floor: the same estimate between mismatched samples. What it finds is bias, and what all samples share.
 *
 * @param weights Weight of each mismatched pair, [B], for estimates over the whole batch; `null` if all count.
 * @throws {RangeError} If there is only one sample.
 */
export function shuffledFloor(
  parts: ByModality<tf.Tensor2D>,
  fused: tf.Tensor2D,
  options: EstimatorOptions = {},
  weights: tf.Tensor1D | null = null,
): Information {
  return informationOfVectors(mismatched(vectorsOf(parts, fused)), options, weights);
}

/**
 * The fused feature of each row beside the parts of the row before.
 *
 * @param vectors [B, 1 + m, d], as `vectorsOf` gives them.
 * @throws {RangeError} If there is only one sample.
 */
export function mismatched(vectors: tf.Tensor3D): tf.Tensor3D {
  const [batch, count] = vectors.shape;
  if (batch < 2) throw new RangeError(`Cannot mismatch samples as there must be at least 2: found ${batch}`);
  const fused = tf.slice(vectors, [0, 0, 0], [-1, 1, -1]);
  const before = tf.concat([
    tf.slice(vectors, [batch - 1, 1, 0], [1, count - 1, -1]),
    tf.slice(vectors, [0, 1, 0], [batch - 1, count - 1, -1]),
  ], 0);
  return tf.concat([fused, before], 1);
}
