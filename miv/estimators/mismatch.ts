/**
 * Pairs of a fused feature with parts that do not belong to it: what an estimator finds between them is bias, and what all
 * samples share.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { stopGradient } from "../../tensor/autodiff.ts";

/** Which pairs: the fused feature of one place with the parts of a place before. */
export interface Mismatch {
  /** What is shifted: rows, or the observations of one row. */
  readonly axis: "rows" | "observations";
  /** Steps between the two places. */
  readonly by: number;
  /** How many pairs. */
  readonly count: number;
  /** Weights of mismatched observations [1, count]; `null` where the matched ones have none. */
  readonly share: tf.Tensor2D | null;
}

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
