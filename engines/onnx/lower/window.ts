/**
 * What rows of sliding windows share, for one to three spatial axes.
 *
 * @module
 */
import type { Builder } from "../builder.ts";
import { constantValue, type Value } from "../ir.ts";
import type { WindowGeometry } from "../kernels.ts";

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

/** Extents that a transposed window operation has to add at the end to reach the input's size. */
export function outputPadding(g: WindowGeometry): number[] {
  return g.inSpatial.map((size, axis) => {
    const reached = (g.outSpatial[axis] - 1) * g.strides[axis] + g.dilations[axis] * (g.kernel[axis] - 1) + 1 -
      g.before[axis] - Math.max(0, g.after[axis]);
    return size - reached;
  });
}

/** Filter [...kernel, in, out] as ONNX's [out, in, ...kernel]. */
export function onnxFilter(b: Builder, filter: Value): Value {
  const rank = filter.shape.length - 2;
  return b.transpose(filter, [rank + 1, rank, ...Array.from({ length: rank }, (_, axis) => axis)]);
}

/** How many elements of the input each average-pooling window covers, [1, 1, ...out]. */
export function windowCounts(g: WindowGeometry): Value {
  let counts = [1];
  g.outSpatial.forEach((size, axis) => {
    const covered = Array.from({ length: size }, (_, i) => {
      const start = i * g.strides[axis] - g.before[axis];
      return Math.min(start + g.kernel[axis], g.inSpatial[axis]) - Math.max(start, 0);
    });
    counts = counts.flatMap((count) => covered.map((c) => count * c));
  });
  return constantValue([1, 1, ...g.outSpatial], "float32", Float32Array.from(counts));
}
