/**
 * Affine maps.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { Initializer, Scope } from "../core/scope.ts";
import { fanInUniform, zeros } from "./initializers.ts";

/** Options of `linear`. */
export interface LinearOptions {
  /** Width of the output. */
  readonly width: number;
  /** @default {true} */
  readonly bias?: boolean;
  /** Start of the kernel. @default PyTorch's: uniform ±1/sqrt(fan-in) */
  readonly kernelInit?: Initializer;
  /** Start of the bias. @default PyTorch's, or 0 where `kernelInit` is given */
  readonly biasInit?: Initializer;
}

/**
 * x W + b over the last axis.
 *
 * Parameters: `kernel` [in, width], `bias` [width].
 *
 * @param x Float32 [..., in].
 * @returns Float32 [..., width].
 */
export function linear(scope: Scope, x: tf.Tensor, options: LinearOptions): tf.Tensor {
  const { width, bias = true, kernelInit } = options;
  const input = x.shape[x.shape.length - 1];
  const kernel = scope.param("kernel", [input, width], kernelInit ?? fanInUniform(input)) as tf.Tensor2D;
  const rows = x.rank === 2 ? x as tf.Tensor2D : tf.reshape(x, [-1, input]) as tf.Tensor2D;
  let y: tf.Tensor = tf.matMul(rows, kernel);
  if (bias) {
    const biasInit = options.biasInit ?? (kernelInit === undefined ? fanInUniform(input) : zeros);
    y = tf.add(y, scope.param("bias", [width], biasInit));
  }
  return x.rank === 2 ? y : tf.reshape(y, [...x.shape.slice(0, -1), width]);
}

/**
 * Rows of a trained table by index.
 *
 * Parameter: `table` [size, width], standard normal as in PyTorch.
 *
 * @param indices Int32 [...] in 0..size-1.
 * @param options.padding An index whose row is always 0 and gets no gradient.
 * @returns Float32 [..., width].
 */
export function embedding(
  scope: Scope,
  indices: tf.Tensor,
  options: { readonly size: number; readonly width: number; readonly padding?: number; readonly init?: Initializer },
): tf.Tensor {
  const { size, width, padding } = options;
  const init: Initializer = options.init ?? ((shape, random) => {
    const values = new Float32Array(shape[0] * shape[1]);
    for (let i = 0; i < values.length; i++) values[i] = random.normal();
    return values;
  });
  const table = scope.param("table", [size, width], init);
  const rows = tf.gather(table, tf.reshape(indices, [-1]));
  const shaped = tf.reshape(rows, [...indices.shape, width]);
  if (padding === undefined) return shaped;
  const present = tf.cast(tf.notEqual(indices, tf.scalar(padding, "int32")), "float32");
  return tf.mul(shaped, tf.expandDims(present, -1));
}
