/**
 * What tfjs's WebGPU backend (4.22) gets wrong, put right.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { type ComposedKernel, type Kernels, registerComposed } from "./composed_kernels.ts";
import { logSumExpKernels } from "./log_sum_exp_kernel.ts";
import { reductionsOfNothing } from "./nan_kernels.ts";

// Values cannot be looked at while kernels run here, so that NaN is asked for in every call.
const nans = (k: Kernels, x: tf.TensorInfo) => k.cast(k.run("IsNan", { x }), "float32");
const where = (k: Kernels, places: tf.TensorInfo, t: tf.TensorInfo, e: tf.TensorInfo) =>
  k.run("Select", { condition: k.run("Greater", { a: places, b: k.scalar(0) }), t, e });
const filled = (k: Kernels, shape: readonly number[], value: number) =>
  k.run("Fill", {}, { shape: [...shape], value, dtype: "float32" });

/** The place of the first NaN, if there is one; the backend gives [1] where a vector's is a scalar. */
const argument = (name: string): ComposedKernel => (k, { x }, attrs) => {
  const [axis] = tf.util.parseAxisParam((attrs as { axis: number }).axis, x.shape);
  const shape = x.shape.filter((_, i) => i !== axis);
  const own = k.reshape(k.run(`${name}/own`, { x }, { axis }), shape);
  if (x.dtype !== "float32") return own;
  const places = nans(k, x);
  const first = k.reshape(k.run("ArgMax/own", { x: places }, { axis }), shape);
  const any = k.reshape(k.run("Max/own", { x: places }, { reductionIndices: [axis], keepDims: false }), shape);
  return where(k, any, first, own);
};

/** NaN where one of a window's values is. */
const maxPool: ComposedKernel = (k, { x }, attrs) => {
  const windows = { ...attrs as Record<string, unknown> };
  const largest = k.run("MaxPool/own", { x }, windows);
  const places = k.run("MaxPool/own", { x: nans(k, x) }, windows);
  return where(k, places, filled(k, largest.shape, NaN), largest);
};

const sign: ComposedKernel = (k, { x }) => {
  const own = k.run("Sign/own", { x });
  return x.dtype === "float32" ? where(k, nans(k, x), filled(k, x.shape, NaN), own) : own;
};

/** The k largest, NaN above all: halves are sorted, infinity as the largest number and NaN as infinity. */
const topK: ComposedKernel = (k, { x }, attrs) => {
  const options = { ...attrs as { k: number; sorted: boolean } };
  if (x.dtype !== "float32") return k.all("TopK/own", { x }, options);
  const halves = k.run("Minimum", { a: k.multiply(x, k.scalar(0.5)), b: k.scalar(3.4028234663852886e38) });
  const ranks = where(k, nans(k, x), filled(k, x.shape, Infinity), halves);
  const [, places] = k.all("TopK/own", { x: ranks }, options);
  const width = x.shape.at(-1)!;
  const rows = x.shape.slice(0, -1).reduce((product, extent) => product * extent, 1);
  const starts = k.tensor(Int32Array.from({ length: rows }, (_, row) => row * width), [rows, 1]);
  const flat = k.run("Add", { a: k.reshape(places, [rows, options.k]), b: starts });
  const values = k.run("GatherV2", {
    x: k.reshape(x, [rows * width]),
    indices: k.reshape(flat, [rows * options.k]),
  }, { axis: 0, batchDims: 0 });
  return [k.reshape(values, [...x.shape.slice(0, -1), options.k]), places];
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
    ...reductionsOfNothing,
    ArgMax: argument("ArgMax"),
    ArgMin: argument("ArgMin"),
    MaxPool: maxPool,
    Sign: sign,
    Sum: sum,
    TopK: topK,
  });
  // By default commands wait for others before they are submitted, while buffers that are freed meanwhile are written
  // anew at once: a training step then computes with another step's values.
  tf.env().set("WEBGPU_DEFERRED_SUBMIT_BATCH_SIZE", 1);
}
