/**
 * Sums of many numbers on eager backends that add one after the other: part by part, then the sums of the parts, so that
 * rounding does not add up.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { Kernels } from "./composed_kernels.ts";

/** Fewer numbers per result are summed at once. */
const LONG = 2 ** 14;
/** Numbers of a part. */
const PART = 16;

/**
 * The sum over axes of a float tensor of many numbers per result; `null` where there are few, or they are integers.
 *
 * @param axes Not negative.
 * @returns Without the axes.
 */
export function stagedSum(k: Kernels, x: tf.TensorInfo, axes: readonly number[]): tf.TensorInfo | null {
  const count = axes.reduce((product, axis) => product * x.shape[axis], 1);
  if (x.dtype !== "float32" || count <= LONG) return null;
  const kept = x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const rows = tf.util.sizeFromShape(kept.map((axis) => x.shape[axis]));
  let value = k.reshape(k.transpose(x, [...kept, ...axes]), [rows, count]);
  for (let length = count; length > 1;) {
    const part = Math.min(PART, length);
    const parts = Math.ceil(length / part);
    const whole = k.pad(value, [[0, 0], [0, parts * part - length]]);
    const sums = k.run("Sum/own", { x: k.reshape(whole, [rows * parts, part]) }, { axis: [1], keepDims: false });
    value = k.reshape(sums, [rows, parts]);
    length = parts;
  }
  return k.reshape(value, kept.map((axis) => x.shape[axis]));
}
