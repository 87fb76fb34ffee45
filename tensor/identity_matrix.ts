/**
 * The identity matrix.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";

/**
 * The identity matrix of a size, [size, size], made of two lists of numbers: `tf.eye` is a constant of size x size numbers,
 * which a compiled program would carry, and is refused from 129 on.
 */
export function identityMatrix(size: number): tf.Tensor2D {
  const places = tf.range(0, size, 1, "int32");
  return tf.cast(tf.equal(tf.reshape(places, [size, 1]), tf.reshape(places, [1, size])), "float32") as tf.Tensor2D;
}
