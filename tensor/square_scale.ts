/**
 * Squares of numbers whose squares are beyond single precision.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { stopGradient } from "./autodiff.ts";

/** Squares of numbers up to this, 1e15, and sums of many of them are far below the largest number. */
const LARGE = 2 ** 50;
/** A power of two, so that multiplying by it rounds nothing; the largest number times it is 3e8. */
const SMALLER = 2 ** -100;

/**
 * What numbers are multiplied by before they are squared and summed, and results divided by: 2^-100 where one of them is
 * above 2^50, else 1, which changes no bit.
 *
 * @param axis Over which the largest is taken. @default all axes
 * @returns In the numbers' shape with those axes of extent 1; without `axis` a scalar. It has no gradient.
 */
export function squareScale(numbers: tf.Tensor, axis?: number | number[]): tf.Tensor {
  const largest = tf.max(tf.abs(stopGradient(numbers)), axis, axis !== undefined);
  return tf.where(tf.greater(largest, LARGE), tf.fill(largest.shape, SMALLER), tf.onesLike(largest));
}
