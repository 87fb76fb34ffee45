/**
 * Shapes, constants, selection of parts, gathering and scattering.
 *
 * @module
 */
import { UnsupportedKernelError } from "../errors.ts";
import type { ValueSpec } from "../ir.ts";
import { float, type Rules } from "./rule.ts";

const same = ([x]: readonly ValueSpec[]): ValueSpec => ({ shape: x.shape, dtype: x.dtype });

/** Rows of this family. */
export const shapeRules: Rules<
  | "BroadcastTo"
  | "Cast"
  | "Concat"
  | "ExpandDims"
  | "Fill"
  | "GatherV2"
  | "Identity"
  | "OneHot"
  | "OnesLike"
  | "Pack"
  | "PadV2"
  | "Range"
  | "Reshape"
  | "Reverse"
  | "Slice"
  | "SplitV"
  | "StridedSlice"
  | "Tile"
  | "Transpose"
  | "Unpack"
  | "UnsortedSegmentSum"
  | "ZerosLike"
> = {
  BroadcastTo: {
    inputs: ["x"],
    infer: ([x], { shape }) => ({ shape, dtype: x.dtype }),
    lower: (b, [x], { shape }) => b.expand(x, shape),
  },
  Cast: {
    inputs: ["x"],
    infer: ([x], { dtype }) => ({ shape: x.shape, dtype }),
    lower: (b, [x], { dtype }) => b.cast(x, dtype),
  },
  Concat: {
    inputs: "variadic",
    infer: (values, { axis }) => ({
      shape: values[0].shape.map((extent, i) =>
        i === axis ? values.reduce((sum, { shape }) => sum + shape[axis], 0) : extent
      ),
      dtype: values[0].dtype,
    }),
    lower: (b, values, { axis }) => values.length === 1 ? values[0] : b.op("Concat", values, { axis }),
  },
  ExpandDims: {
    inputs: ["input"],
    infer: ([x], { shape }) => ({ shape, dtype: x.dtype }),
    lower: (b, [x], { shape }) => b.reshape(x, shape),
  },
  Fill: {
    inputs: [],
    infer: (_, { shape, dtype }) => ({ shape, dtype }),
    lower: (b, _, { shape, value, dtype }) => b.filled(value, shape, dtype),
  },
  GatherV2: {
    inputs: ["x", "indices"],
    infer: ([x, indices], { axis, batchDims }) => {
      if (batchDims !== 0) throw new UnsupportedKernelError("GatherV2", "batch dimensions are not supported");
      return {
        shape: [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)],
        dtype: x.dtype,
      };
    },
    lower: (b, [x, indices], { axis }) => b.op("Gather", [x, b.cast(indices, "int32")], { axis }),
    note: "without batch dimensions",
  },
  Identity: {
    inputs: ["x"],
    infer: same,
    lower: (_, [x]) => x,
  },
  OneHot: {
    inputs: ["indices"],
    infer: ([x], { depth, dtype }) => ({ shape: [...x.shape, depth], dtype }),
    lower: (b, [x], { depth, onValue, offValue, dtype }) => {
      const classes = b.constant(Array.from({ length: depth }, (_, i) => i), [depth], "int32");
      const hit = b.op("Equal", [b.reshape(b.cast(x, "int32"), [...x.shape, 1]), classes]);
      if (onValue === 1 && offValue === 0) return b.cast(hit, dtype);
      return b.cast(b.where(hit, b.scalar(onValue), b.scalar(offValue)), dtype);
    },
  },
  OnesLike: {
    inputs: ["x"],
    infer: same,
    lower: (b, [x]) => b.filled(1, x.shape, x.dtype),
  },
  Pack: {
    inputs: "variadic",
    infer: (values, { axis }) => ({
      shape: [...values[0].shape.slice(0, axis), values.length, ...values[0].shape.slice(axis)],
      dtype: values[0].dtype,
    }),
    lower: (b, values, { axis }) => {
      const shape = [...values[0].shape.slice(0, axis), 1, ...values[0].shape.slice(axis)];
      const expanded = values.map((value) => b.reshape(value, shape));
      return expanded.length === 1 ? expanded[0] : b.op("Concat", expanded, { axis });
    },
  },
  PadV2: {
    inputs: ["x"],
    infer: ([x], { paddings }) => ({
      shape: x.shape.map((extent, axis) => extent + paddings[axis][0] + paddings[axis][1]),
      dtype: x.dtype,
    }),
    lower: (b, [x], { paddings, value }) =>
      b.pad(x, [...paddings.map(([before]) => before), ...paddings.map(([_, after]) => after)], value),
  },
  Range: {
    inputs: [],
    infer: (_, { count, dtype }) => ({ shape: [count], dtype }),
    lower: (b, _, { start, step, count, dtype }) =>
      b.constant(Array.from({ length: count }, (_, i) => start + i * step), [count], dtype),
  },
  Reshape: {
    inputs: ["x"],
    infer: ([x], { shape }) => ({ shape, dtype: x.dtype }),
    lower: (b, [x], { shape }) => b.reshape(x, shape),
  },
  Reverse: {
    inputs: ["x"],
    infer: same,
    lower: (b, [x], { axes }) =>
      b.slice(
        x,
        x.shape.map((extent, axis) => axes.includes(axis) ? extent - 1 : 0),
        x.shape,
        x.shape.map((_, axis) => axes.includes(axis) ? -1 : 1),
      ),
  },
  Slice: {
    inputs: ["x"],
    infer: ([x], { size }) => ({ shape: size, dtype: x.dtype }),
    lower: (b, [x], { begin, size }) => b.slice(x, begin, size),
  },
  SplitV: {
    inputs: ["x"],
    infer: ([x], { axis, sizes }) =>
      sizes.map((size) => ({ shape: x.shape.map((extent, i) => i === axis ? size : extent), dtype: x.dtype })),
    lower: (b, [x], { axis, sizes }) => sizes.length === 1 ? [x] : b.node("Split", [x, b.ints(sizes)], { axis }),
  },
  StridedSlice: {
    inputs: ["x"],
    infer: ([x], { shape }) => ({ shape, dtype: x.dtype }),
    lower: (b, [x], { begin, size, strides, shape }) => b.reshape(b.slice(x, begin, size, strides), shape),
  },
  Tile: {
    inputs: ["x"],
    infer: ([x], { reps }) => ({ shape: x.shape.map((extent, axis) => extent * reps[axis]), dtype: x.dtype }),
    lower: (b, [x], { reps }) => {
      if (reps.every((count) => count === 1)) return x;
      // Repeating an axis of extent 1 is broadcasting, which costs nothing where it is used.
      const target = x.shape.map((extent, axis) => extent * reps[axis]);
      if (x.shape.every((extent, axis) => extent === 1 || reps[axis] === 1)) return b.expand(x, target);
      return b.op("Tile", [x, b.ints(reps)]);
    },
  },
  Transpose: {
    inputs: ["x"],
    infer: ([x], { perm }) => ({ shape: perm.map((axis) => x.shape[axis]), dtype: x.dtype }),
    lower: (b, [x], { perm }) => b.transpose(x, perm),
  },
  Unpack: {
    inputs: ["value"],
    infer: ([x], { axis }) =>
      Array.from({ length: x.shape[axis] }, () => ({ shape: x.shape.filter((_, i) => i !== axis), dtype: x.dtype })),
    lower: (b, [x], { axis }, outputs) => {
      const parts = outputs.length === 1 ? [x] : b.node("Split", [x, b.ints(outputs.map(() => 1))], { axis });
      return parts.map((part, i) => b.reshape(part, outputs[i].shape));
    },
  },
  UnsortedSegmentSum: {
    inputs: ["x", "segmentIds"],
    infer: ([x], { segments }) => ({ shape: [segments, ...x.shape.slice(1)], dtype: x.dtype }),
    lower: (b, [x, ids], { segments }) =>
      b.op("ScatterND", [
        b.filled(0, [segments, ...x.shape.slice(1)], "float32"),
        b.reshape(b.cast(ids, "int64"), [...ids.shape, 1]),
        float(b, x),
      ], { reduction: "add" }),
    note: "segment numbers must be in range",
  },
  ZerosLike: {
    inputs: ["x"],
    infer: same,
    lower: (b, [x]) => b.filled(0, x.shape, x.dtype),
  },
};
