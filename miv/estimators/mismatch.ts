/**
 * Pairs of a fused feature with parts that do not belong to it: what an estimator finds between them is bias, and what all
 * samples share.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { Mismatch } from "../../core/kinds/mod.ts";
import { stopGradient } from "../../tensor/autodiff.ts";

/**
 * Mismatched vectors. They have no gradient.
 *
 * @param vectors [N, 1 + m, n]: the fused feature, then the parts; N = 1 where observations are shifted.
 * @returns [count, 1 + m, n], or [1, 1 + m, count].
 */
export function mismatchedVectors(vectors: tf.Tensor3D, { axis, by, count }: Mismatch): tf.Tensor3D {
  const values = stopGradient(vectors);
  const [rows, all, observations] = values.shape;
  const taken = (first: number, vectors: number, from: number) =>
    axis === "rows"
      ? tf.slice(values, [from, first, 0], [count, vectors, observations])
      : tf.slice(values, [0, first, from], [rows, vectors, count]);
  return tf.concat([taken(0, 1, by), taken(1, all - 1, 0)], 1);
}
