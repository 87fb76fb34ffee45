/**
 * Gradients of convolutions, in the form that runs fastest for a geometry.
 *
 * Which form wins was measured per shape on one thread (`docs/engine.md`). All are exact rearrangements of one sum.
 *
 * @module
 */
import type { Builder } from "../graph/builder.ts";
import { sizeOf, type Value } from "../graph/ir.ts";
import type { WindowGeometry } from "../trace/kernels.ts";
import { byPatches, patchFilterGradient } from "./patches.ts";
import { first, last, onnxFilter, pads, reach, taps, transposedWindow } from "./window.ts";

/** Windows with more taps are not taken apart: too many copies of the input. */
const MOST_TAPS = 9;
/** Fewer input channels make the copies of parts short and slow. */
const LEAST_CHANNELS = 8;
/** From this many output places per sample on, products are taken sample by sample. */
const LARGE_MAP = 512;

/**
 * The gradient by the filter, dW[i, j, c, o] = sum over n, p, q of x[n, s p + d i, s q + d j, c] dy[n, p, q, o].
 *
 * @param x In the kernel's layout.
 * @param dy In the kernel's layout.
 * @returns [...kernel, in, out].
 */
export function filterGradient(b: Builder, x: Value, dy: Value, g: WindowGeometry): Value {
  if (byPatches(b, g)) return patchFilterGradient(b, x, dy, g);
  const apart = g.kernel.length === 2 && sizeOf(g.kernel) <= MOST_TAPS && g.inChannels >= LEAST_CHANNELS &&
    g.outSpatial.every((extent) => extent > 0);
  if (!apart) return exchanged(b, x, dy, g);
  return sizeOf(g.outSpatial) >= LARGE_MAP && g.strides.every((stride) => stride === 1)
    ? perSample(b, x, dy, g)
    : perTap(b, x, dy, g);
}

/** With batch and channels exchanged the gradient is a convolution of x by dy whose dilation is the stride. */
function exchanged(b: Builder, x: Value, dy: Value, g: WindowGeometry): Value {
  const exchange = (map: Value) => b.transpose(map, [1, 0, ...g.kernel.map((_, axis) => axis + 2)]);
  const y = b.op("Conv", [exchange(first(b, x, g)), exchange(first(b, dy, g))], {
    kernel_shape: g.outSpatial,
    strides: g.dilations,
    dilations: g.strides,
    pads: pads(g),
  });
  // Input that no forward window reached makes the result larger than the filter.
  const reached = b.slice(y, y.shape.map(() => 0), [g.inChannels, g.outChannels, ...g.kernel]);
  return b.transpose(reached, [...g.kernel.map((_, axis) => axis + 2), 0, 1]);
}

/** Per tap one product over all places of all samples, channels last: long sums, few and large products. */
function perTap(b: Builder, x: Value, dy: Value, g: WindowGeometry): Value {
  const toLast = (map: Value) => g.channelsFirst ? b.transpose(map, [0, 2, 3, 1]) : map;
  const padded = b.pad(toLast(x), [0, ...g.before, 0, 0, ...reach(g), 0], 0);
  const places = g.batch * sizeOf(g.outSpatial);
  const gradient = b.reshape(toLast(dy), [places, g.outChannels]);
  const products = taps(g).map(([row, column]) => {
    const part = b.slice(padded, [0, row, column, 0], [g.batch, ...g.outSpatial, g.inChannels], [1, ...g.strides, 1]);
    return b.op("Gemm", [b.reshape(part, [places, g.inChannels]), gradient], { transA: 1 });
  });
  const joined = products.length === 1 ? products[0] : b.op("Concat", products, { axis: 0 });
  return b.reshape(joined, [...g.kernel, g.inChannels, g.outChannels]);
}

/** Per tap one product per sample, channels first, then the sum over samples: nothing is transposed. */
function perSample(b: Builder, x: Value, dy: Value, g: WindowGeometry): Value {
  const padded = b.pad(first(b, x, g), [0, 0, ...g.before, 0, 0, ...reach(g)], 0);
  const places = sizeOf(g.outSpatial);
  const gradient = b.reshape(first(b, dy, g), [g.batch, g.outChannels, places]);
  const products = taps(g).map(([row, column]) => {
    const part = b.slice(padded, [0, 0, row, column], [g.batch, g.inChannels, ...g.outSpatial]);
    const product = b.op("FusedMatMul", [b.reshape(part, [g.batch, g.inChannels, places]), gradient], { transB: 1 });
    return b.reduce("ReduceSum", product, [0], false);
  });
  const joined = products.length === 1 ? products[0] : b.op("Concat", products, { axis: 0 });
  return b.reshape(joined, [...g.kernel, g.inChannels, g.outChannels]);
}

/**
 * The gradient by the input.
 *
 * @param dy In the kernel's layout.
 * @param filter [...kernel, in, out].
 * @returns In the kernel's layout.
 */
export function inputGradient(b: Builder, dy: Value, filter: Value, g: WindowGeometry): Value {
  const before = g.kernel.map((extent, axis) => extent - 1 - g.before[axis]);
  const after = g.kernel.map((extent, axis) => extent - 1 - g.after[axis]);
  const plain = g.kernel.length === 2 && [...g.strides, ...g.dilations].every((step) => step === 1) &&
    [...before, ...after].every((count) => count >= 0) && sizeOf(dy.shape) > 0;
  if (plain) {
    // Without strides it is a convolution by the turned filter, which the runtime does faster than a transposed one.
    const weights = turned(b, filter, g);
    return last(
      b,
      b.op("Conv", [first(b, dy, g), weights], { kernel_shape: g.kernel, pads: [...before, ...after] }),
      g,
    );
  }
  return last(b, transposedWindow(b, first(b, dy, g), onnxFilter(b, filter), g), g);
}

/** The filter turned by half a circle with its channels exchanged, [in, out, kh, kw]. */
function turned(b: Builder, filter: Value, { kernel, inChannels, outChannels }: WindowGeometry): Value {
  const count = sizeOf(kernel);
  const rows = b.reshape(filter, [count, inChannels * outChannels]);
  const reversed = count === 1
    ? rows
    : b.op("Gather", [rows, b.ints(Array.from({ length: count }, (_, tap) => count - 1 - tap))], { axis: 0 });
  return b.reshape(b.transpose(reversed, [1, 0]), [inChannels, outChannels, ...kernel]);
}
