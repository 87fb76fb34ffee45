/**
 * Convolutions as products of patches with filters.
 *
 * On small maps the runtime's convolution works far below the machine's peak, and the gradient by the filter more so. One
 * gathering of patches serves both as products of two matrices: measured per shape in `docs/engine.md`.
 *
 * @module
 */
import type { Builder } from "../graph/builder.ts";
import { sizeOf, type Value } from "../graph/ir.ts";
import type { WindowGeometry } from "../trace/kernels.ts";
import { reach, taps } from "./window.ts";

/** Blocks of fewer numbers are slow to gather. */
const LEAST_CHANNELS = 8;
/** With a stride of 1 patches overlap so much that gathering pays only with more channels. */
const LEAST_CHANNELS_WITHOUT_STRIDE = 32;
/** More numbers than this leave the cache between gathering and product. */
const MOST_ELEMENTS = 2 ** 21;
/** The places to gather are a constant of the graph. */
const MOST_PLACES = 4096;

/** Whether a convolution is to be made of patches. */
export function byPatches(b: Builder, g: WindowGeometry): boolean {
  const places = sizeOf(g.outSpatial) * sizeOf(g.kernel);
  const least = g.strides.every((stride) => stride === 1) ? LEAST_CHANNELS_WITHOUT_STRIDE : LEAST_CHANNELS;
  return b.target === "cpu" && g.kernel.length === 2 && sizeOf(g.kernel) > 1 && g.inChannels >= least && places > 0 &&
    places <= MOST_PLACES && g.batch * places * g.inChannels <= MOST_ELEMENTS;
}

/** Number of places of all samples. */
function rows(g: WindowGeometry): number {
  return g.batch * sizeOf(g.outSpatial);
}

/** What every window sees, [samples and places, taps and channels]; equal calls are one node. */
function patches(b: Builder, x: Value, g: WindowGeometry): Value {
  const padded = b.pad(channelsLast(b, x, g), [0, ...g.before, 0, 0, ...reach(g), 0], 0);
  const [_, height, width] = padded.shape;
  const offsets = taps(g);
  const places: number[] = [];
  for (let row = 0; row < g.outSpatial[0]; row++) {
    for (let column = 0; column < g.outSpatial[1]; column++) {
      for (const [down, right] of offsets) {
        places.push((row * g.strides[0] + down) * width + column * g.strides[1] + right);
      }
    }
  }
  const flat = b.reshape(padded, [g.batch, height * width, g.inChannels]);
  return b.reshape(b.op("Gather", [flat, b.ints(places)], { axis: 1 }), [rows(g), offsets.length * g.inChannels]);
}

function channelsLast(b: Builder, map: Value, g: WindowGeometry): Value {
  return g.channelsFirst ? b.transpose(map, [0, 2, 3, 1]) : map;
}

/**
 * A convolution.
 *
 * @param x In the kernel's layout.
 * @param filter [...kernel, in, out].
 * @returns In the kernel's layout.
 */
export function patchConvolution(b: Builder, x: Value, filter: Value, g: WindowGeometry): Value {
  const seen = patches(b, x, g);
  const y = b.op("Gemm", [seen, b.reshape(filter, [seen.shape[1], g.outChannels])]);
  const map = b.reshape(y, [g.batch, ...g.outSpatial, g.outChannels]);
  return g.channelsFirst ? b.transpose(map, [0, 3, 1, 2]) : map;
}

/**
 * The gradient by the filter.
 *
 * @param x In the kernel's layout.
 * @param dy In the kernel's layout.
 * @returns [...kernel, in, out].
 */
export function patchFilterGradient(b: Builder, x: Value, dy: Value, g: WindowGeometry): Value {
  const gradient = b.reshape(channelsLast(b, dy, g), [rows(g), g.outChannels]);
  const sum = b.op("Gemm", [patches(b, x, g), gradient], { transA: 1 });
  return b.reshape(sum, [...g.kernel, g.inChannels, g.outChannels]);
}
