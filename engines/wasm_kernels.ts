/**
 * Kernels that tfjs's WebAssembly backend (4.22) lacks or gets wrong, composed of kernels that it has. With them it
 * trains.
 *
 * Wrong are there: convolutions with "same" padding whose last window ends before the image does, as strided 1x1 ones
 * (all zeros), `MaxPoolGrad` (a window without a positive value loses its gradient), `OneHot` of floats (the bits of
 * integers), `FloorDiv` of floats (gives floats where tfjs gives integers, and rounds the quotient before its floor), `Log1p` (loses the digits of small values),
 * casts to truths, truths in `Select` and `Reverse`, and convolutions with paddings as numbers (write behind their result
 * where tfjs counts fewer windows). What stays wrong is refused.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { type ComposedKernel, type Kernels, registerComposed } from "./composed_kernels.ts";
import { indexChecks } from "./index_checks.ts";
import { floorDiv } from "./floor_div_kernel.ts";
import { logSumExpKernels } from "./log_sum_exp_kernel.ts";
import { wasmNanKernels } from "./nan_kernels.ts";
import { stagedSum } from "./staged_sum.ts";
import { gather, onTruths, refusals } from "./wasm_gaps.ts";
import { windowKernels } from "./wasm_windows.ts";

/** The backend's own kernel on integers, as floats afterwards. */
function oneHot(
  k: Kernels,
  indices: tf.TensorInfo,
  { depth, onValue, offValue, dtype }: {
    readonly depth: number;
    readonly onValue: number;
    readonly offValue: number;
    readonly dtype: tf.DataType;
  },
): tf.TensorInfo {
  const hits = k.run("OneHot/own", { indices }, { depth, onValue: 1, offValue: 0, dtype: "int32" });
  if (onValue === 1 && offValue === 0) return k.cast(hits, dtype);
  const scaled = k.multiply(k.cast(hits, "float32"), k.scalar(onValue - offValue));
  return k.cast(k.run("Add", { a: scaled, b: k.scalar(offValue) }), dtype);
}

/** x log(u) / (u - 1) with u = 1 + x, and x where u = 1: the rounding of u cancels (Kahan). */
function log1p(k: Kernels, x: tf.TensorInfo): tf.TensorInfo {
  const one = k.scalar(1);
  const u = k.run("Add", { a: k.cast(x, "float32"), b: one });
  const rest = k.run("Sub", { a: u, b: one });
  const nothing = k.run("Equal", { a: rest, b: k.scalar(0) });
  const safe = k.run("Select", { condition: nothing, t: k.run("OnesLike", { x: rest }), e: rest });
  const infinite = k.run("Equal", { a: u, b: k.scalar(Number.POSITIVE_INFINITY) });
  const log = k.run("Log", { x: u });
  const corrected = k.multiply(log, k.run("RealDiv", { a: k.cast(x, "float32"), b: safe }));
  const result = k.run("Select", { condition: nothing, t: k.cast(x, "float32"), e: corrected });
  return k.run("Select", { condition: infinite, t: u, e: result });
}

/** The backend's own product is quick only where nothing is transposed in it. */
function batchMatMul(k: Kernels, { a, b }: Record<string, tf.TensorInfo>, attrs: unknown): tf.TensorInfo {
  const { transposeA, transposeB } = attrs as { transposeA: boolean; transposeB: boolean };
  const turned = (x: tf.TensorInfo, turn: boolean) => {
    const rank = x.shape.length;
    const perm = Array.from({ length: rank }, (_, axis) => axis < rank - 2 ? axis : 2 * rank - 3 - axis);
    return turn ? k.transpose(x, perm) : x;
  };
  const [left, right] = [turned(a, transposeA), turned(b, transposeB)];
  if (left.shape.at(-1) === 0) {
    const [outerA, outerB] = [left.shape.slice(0, -2), right.shape.slice(0, -2)];
    const outer = tf.broadcast_util.assertAndGetBroadcastShape(outerA, outerB);
    return k.zeros([...outer, left.shape.at(-2)!, right.shape.at(-1)!]);
  }
  return k.run("BatchMatMul/own", { a: left, b: right }, { transposeA: false, transposeB: false });
}

/** Attributes of sums and means. */
interface SumAttributes {
  readonly axis: number | number[] | null;
  readonly keepDims?: boolean;
}

/** The axes of a sum and the shape of its result. */
function reducedTo(x: tf.TensorInfo, { axis, keepDims }: SumAttributes): { axes: number[]; shape: number[] } {
  const axes = tf.util.parseAxisParam(axis ?? x.shape.map((_, i) => i), x.shape);
  const shape = x.shape.map((extent, i) => axes.includes(i) ? 1 : extent);
  return { axes, shape: keepDims ? shape : shape.filter((_, i) => !axes.includes(i)) };
}

/** The backend gives whatever lay in memory as the sum of nothing, and adds up the rounding of long sums. */
function sum(k: Kernels, x: tf.TensorInfo, attrs: unknown): tf.TensorInfo {
  const { axes, shape } = reducedTo(x, attrs as SumAttributes);
  if (tf.util.sizeFromShape(x.shape) === 0) return k.zeros(shape, x.dtype === "bool" ? "int32" : x.dtype);
  const staged = stagedSum(k, x, axes);
  return staged === null ? k.run("Sum/own", { x }, { ...attrs as SumAttributes }) : k.reshape(staged, shape);
}

/** A long mean by its sum. */
function mean(k: Kernels, x: tf.TensorInfo, attrs: unknown): tf.TensorInfo {
  const { axes, shape } = reducedTo(x, attrs as SumAttributes);
  const staged = stagedSum(k, x, axes);
  if (axes.some((axis) => x.shape[axis] === 0)) return k.run("Fill", {}, { shape, value: NaN, dtype: "float32" });
  if (staged === null) return k.run("Mean/own", { x }, { ...attrs as SumAttributes });
  const count = axes.reduce((product, axis) => product * x.shape[axis], 1);
  return k.reshape(k.run("RealDiv", { a: staged, b: k.scalar(count) }), shape);
}

/** Operands side by side along all labels, those of the result first; multiplied and summed over the others. */
function einsum(k: Kernels, operands: readonly tf.TensorInfo[], equation: string): tf.TensorInfo {
  const [left, result] = equation.replaceAll(/\s/g, "").split("->");
  const labels = left.split(",").map((text) => [...text]);
  const all = [...new Set([...result, ...labels.flat()])];
  const extents = new Map<string, number>();
  operands.forEach(({ shape }, i) => labels[i].forEach((label, axis) => extents.set(label, shape[axis])));
  const product = operands.map((operand, i) => {
    const own = all.filter((label) => labels[i].includes(label));
    const ordered = k.transpose(operand, own.map((label) => labels[i].indexOf(label)));
    return k.reshape(ordered, all.map((label) => own.includes(label) ? extents.get(label)! : 1));
  }).reduce((a, b) => k.multiply(a, b));
  const summed = all.map((_, axis) => axis).slice(result.length);
  return summed.length === 0 ? k.reshape(product, product.shape) : sum(k, product, { axis: summed });
}

/** Rows added up by number: onehot(ids)^T x. Numbers out of range fall away, as on the other backends. */
function unsortedSegmentSum(k: Kernels, x: tf.TensorInfo, segmentIds: tf.TensorInfo, segments: number): tf.TensorInfo {
  const outer = segmentIds.shape.length;
  const rows = tf.util.sizeFromShape(segmentIds.shape);
  const shape = [segments, ...x.shape.slice(outer)];
  const width = tf.util.sizeFromShape(x.shape.slice(outer));
  if (rows === 0 || segments === 0 || width === 0) return k.zeros(shape);
  const hits = k.run("OneHot", { indices: k.reshape(segmentIds, [rows]) }, {
    depth: segments,
    onValue: 1,
    offValue: 0,
    dtype: "float32",
  });
  const values = k.reshape(k.cast(x, "float32"), [rows, width]);
  return k.cast(k.reshape(k.matMul(k.transpose(hits, [1, 0]), values), shape), x.dtype);
}

const composed: Readonly<Record<string, ComposedKernel>> = {
  ...wasmNanKernels,
  ...logSumExpKernels,
  ...windowKernels,
  BatchMatMul: batchMatMul,
  // The backend cuts numbers to bytes.
  Cast: (k, { x }, attrs) =>
    (attrs as { dtype: string }).dtype === "bool" && x.dtype !== "bool"
      ? k.run("NotEqual", { a: x, b: k.cast(k.scalar(0), x.dtype) })
      : k.run("Cast/own", { x }, attrs as Record<string, unknown>),
  Einsum: (k, inputs, attrs) => einsum(k, Object.values(inputs), (attrs as { equation: string }).equation),
  Sum: (k, { x }, attrs) => sum(k, x, attrs),
  Mean: (k, { x }, attrs) => mean(k, x, attrs),
  FloorDiv: floorDiv,
  Log1p: (k, { x }) => log1p(k, x),
  Reverse: onTruths("Reverse", ["x"]),
  Select: onTruths("Select", ["t", "e"]),
  OneHot: (k, { indices }, attrs) => oneHot(k, indices, attrs as Parameters<typeof oneHot>[2]),
  UnsortedSegmentSum: (k, { x, segmentIds }, attrs) =>
    unsortedSegmentSum(k, x, segmentIds, (attrs as { numSegments: number }).numSegments),
  GatherV2: gather,
  ...indexChecks,
};

/** Names of the kernels that this file adds or replaces. */
export const wasmKernels: readonly string[] = Object.keys(composed);

/** Registers them, once the backend's own kernels are; again is no error. */
export function registerWasmKernels(): void {
  registerComposed("wasm", { ...composed, ...refusals });
}
