/**
 * What rows of sliding windows share, for one to three spatial axes.
 *
 * @module
 */
import type { Builder } from "../graph/builder.ts";
import { sizeOf, type Value } from "../graph/ir.ts";
import type { WindowGeometry } from "../trace/kernels.ts";

/** A map with channels before the spatial axes, as ONNX wants it. */
export function first(b: Builder, x: Value, { channelsFirst, kernel }: WindowGeometry): Value {
  const rank = kernel.length;
  return channelsFirst ? x : b.transpose(x, [0, rank + 1, ...kernel.map((_, axis) => axis + 1)]);
}

/** A map of ONNX's layout in the layout that the kernel has. */
export function last(b: Builder, x: Value, { channelsFirst, kernel }: WindowGeometry): Value {
  return channelsFirst ? x : b.transpose(x, [0, ...kernel.map((_, axis) => axis + 2), 1]);
}

/** Shape of a map in the kernel's layout. */
export function mapShape(
  { channelsFirst, batch }: WindowGeometry,
  channels: number,
  spatial: readonly number[],
): number[] {
  return channelsFirst ? [batch, channels, ...spatial] : [batch, ...spatial, channels];
}

/** ONNX wants padding that is not negative; elements that no window reaches need none. */
export function pads({ before, after }: WindowGeometry): number[] {
  return [...before, ...after.map((count) => Math.max(0, count))];
}

/** Offsets of the taps in the padded input. */
export function taps({ kernel: [rows, columns], dilations }: WindowGeometry): [number, number][] {
  return Array.from({ length: rows * columns }, (_, tap) => [
    Math.floor(tap / columns) * dilations[0],
    (tap % columns) * dilations[1],
  ]);
}

/** Padding after each spatial axis that the last window needs; none where it ends before the input does. */
export function reach(g: WindowGeometry): number[] {
  return g.outSpatial.map((extent, axis) =>
    Math.max(
      0,
      (extent - 1) * g.strides[axis] + g.dilations[axis] * (g.kernel[axis] - 1) + 1 - g.inSpatial[axis] -
        g.before[axis],
    )
  );
}

/**
 * The windows that the kernel has, of a map with channels first. There may be more where tfjs counts too few (paddings
 * as numbers with unequal strides or windows).
 */
export function cropped(b: Builder, y: Value, g: WindowGeometry): Value {
  return b.slice(y, y.shape.map(() => 0), [...y.shape.slice(0, 2), ...g.outSpatial]);
}

/**
 * The gradient of a window operation by its input, of maps with channels first.
 *
 * @param y Gradient of the result.
 * @param filter Weights [channels of y, channels of x in a group, ...kernel].
 */
export function transposedWindow(b: Builder, y: Value, filter: Value, g: WindowGeometry, group = 1): Value {
  // What no window reached gets zeros. The runtime adds less than a step of them by itself.
  const missing = g.inSpatial.map((size, axis) => {
    const reached = (g.outSpatial[axis] - 1) * g.strides[axis] + g.dilations[axis] * (g.kernel[axis] - 1) + 1 -
      g.before[axis] - Math.max(0, g.after[axis]);
    return size - reached;
  });
  const own = missing.map((count, axis) => Math.min(count, Math.max(g.strides[axis], g.dilations[axis]) - 1));
  const x = b.op("ConvTranspose", [y, filter], {
    kernel_shape: g.kernel,
    strides: g.strides,
    dilations: g.dilations,
    pads: pads(g),
    output_padding: own,
    group,
  });
  const rest = missing.map((count, axis) => count - own[axis]);
  return b.pad(x, [...x.shape.map(() => 0), 0, 0, ...rest], 0);
}

/** Elements from which on a second node costs less than it saves. */
const LARGE_FILTER = 16384;

/**
 * Filter [...kernel, in, out] as ONNX's [out, in, ...kernel].
 *
 * Large ones in two moves, each of which the runtime does in blocks: at once it takes ten times as long.
 */
export function onnxFilter(b: Builder, filter: Value): Value {
  const [input, output] = filter.shape.slice(-2);
  const kernel = filter.shape.slice(0, -2);
  if (sizeOf(filter.shape) < LARGE_FILTER) {
    const rank = kernel.length;
    return b.transpose(filter, [rank + 1, rank, ...kernel.map((_, axis) => axis)]);
  }
  const exchanged = b.transpose(b.reshape(filter, [sizeOf(kernel), input, output]), [0, 2, 1]);
  const moved = b.transpose(b.reshape(exchanged, [sizeOf(kernel), output * input]), [1, 0]);
  return b.reshape(moved, [output, input, ...kernel]);
}

/**
 * How many elements of the input each average-pooling window covers; broadcasts to [1, 1, ...out]. The graph multiplies
 * the counts of the axes: of a large map the product would be a large constant.
 */
export function windowCounts(b: Builder, g: WindowGeometry): Value {
  return g.outSpatial.map((size, axis) => {
    const covered = Array.from({ length: size }, (_, i) => {
      const start = i * g.strides[axis] - g.before[axis];
      return Math.min(start + g.kernel[axis], g.inSpatial[axis]) - Math.max(start, 0);
    });
    if (covered.every((count) => count === g.kernel[axis])) return b.scalar(g.kernel[axis]);
    return b.constant(covered, [size, ...g.outSpatial.slice(axis + 1).map(() => 1)], "float32");
  }).reduce((product, counts) => b.op("Mul", [product, counts]));
}
