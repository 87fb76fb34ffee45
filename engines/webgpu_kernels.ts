/**
 * What tfjs's WebGPU backend (4.22) gets wrong, put right.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { type ComposedKernel, registerComposed } from "./composed_kernels.ts";
import { logSumExpKernels } from "./log_sum_exp_kernel.ts";

/** The backend gives [1] where a vector's largest value is a scalar. */
const argument = (name: string): ComposedKernel => (k, { x }, attrs) => {
  const { axis } = attrs as { axis: number };
  const own = k.run(`${name}/own`, { x }, { axis });
  const [reduced] = tf.util.parseAxisParam(axis, x.shape);
  return k.reshape(own, x.shape.filter((_, i) => i !== reduced));
};

/** The backend cannot sum nothing. */
const sum: ComposedKernel = (k, { x }, attrs) => {
  const { axis, keepDims } = attrs as { axis: number | number[] | null; keepDims?: boolean };
  if (tf.util.sizeFromShape(x.shape) > 0) return k.run("Sum/own", { x }, { axis, keepDims });
  const axes = tf.util.parseAxisParam(axis ?? x.shape.map((_, i) => i), x.shape);
  const shape = keepDims
    ? x.shape.map((extent, i) => axes.includes(i) ? 1 : extent)
    : x.shape.filter((_, i) => !axes.includes(i));
  return k.zeros(shape, x.dtype === "bool" ? "int32" : x.dtype);
};

/** Puts the backend right, once its package is imported and before it is first used; again is no error. */
export function mendWebgpu(): void {
  registerComposed("webgpu", {
    ...logSumExpKernels,
    ArgMax: argument("ArgMax"),
    ArgMin: argument("ArgMin"),
    Sum: sum,
  });
  // By default commands wait for others before they are submitted, while buffers that are freed meanwhile are written
  // anew at once: a training step then computes with another step's values.
  tf.env().set("WEBGPU_DEFERRED_SUBMIT_BATCH_SIZE", 1);
}
