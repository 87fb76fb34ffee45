/**
 * Shapes, constants, and selection of parts that is known beforehand.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { Builder } from "../graph/builder.ts";
import { sizeOf, type Value, type ValueSpec } from "../graph/ir.ts";
import type { Rules } from "./rule.ts";

const same = ([x]: readonly ValueSpec[]): ValueSpec => ({ shape: x.shape, dtype: x.dtype });

/** All axes, some of them turned around. */
function reversed(b: Builder, x: Value, axes: readonly number[]): Value {
  return b.slice(
    x,
    x.shape.map((extent, axis) => axes.includes(axis) ? extent - 1 : 0),
    x.shape,
    x.shape.map((_, axis) => axes.includes(axis) ? -1 : 1),
  );
}

/** Blocks of batch [samples * block, ...] laid out in space; without `toSpace` the other way. tfjs computes the shapes. */
function blocks(b: Builder, x: Value, block: readonly number[], toSpace: boolean): Value {
  const [shape, extents, size] = [[...x.shape], [...block], sizeOf(block)];
  const split = tf.backend_util.getReshaped(shape, extents, size, toSpace);
  const perm = tf.backend_util.getPermuted(split.length, block.length, toSpace);
  const joined = tf.backend_util.getReshapedPermuted(shape, extents, size, toSpace);
  return b.reshape(b.transpose(b.reshape(x, split), perm), joined);
}

/** Extents of the spatial axes between the batch and what follows the block's axes. */
function spatial(x: ValueSpec, block: readonly number[], extent: (size: number, axis: number) => number): number[] {
  return x.shape.slice(1).map((size, axis) => axis < block.length ? extent(size, axis) : size);
}

/** Rows of this family. */
export const shapeRules: Rules<
  | "BatchToSpaceND"
  | "Cast"
  | "Concat"
  | "DepthToSpace"
  | "Diag"
  | "ExpandDims"
  | "Fill"
  | "FlipLeftRight"
  | "Identity"
  | "LinSpace"
  | "MirrorPad"
  | "OnesLike"
  | "Pack"
  | "PadV2"
  | "Range"
  | "Reshape"
  | "Reverse"
  | "Slice"
  | "SpaceToBatchND"
  | "SplitV"
  | "StridedSlice"
  | "Tile"
  | "Transpose"
  | "Unpack"
  | "ZerosLike"
> = {
  BatchToSpaceND: {
    inputs: ["x"],
    infer: ([x], { block, crops }) => ({
      shape: [
        x.shape[0] / sizeOf(block),
        ...spatial(x, block, (size, axis) => size * block[axis] - crops[axis][0] - crops[axis][1]),
      ],
      dtype: x.dtype,
    }),
    lower: (b, [x], { block, crops }, [output]) => {
      const begin = output.shape.map((_, axis) => axis > 0 && axis <= block.length ? crops[axis - 1][0] : 0);
      return b.slice(blocks(b, x, block, true), begin, output.shape);
    },
  },
  Cast: {
    inputs: ["x"],
    infer: ([x], { dtype }) => ({ shape: x.shape, dtype }),
    lower: (b, [x], { dtype }) => b.cast(x, dtype),
    note: "a float that no int32 holds becomes any number",
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
  DepthToSpace: {
    inputs: ["x"],
    infer: ([x], { block, channelsFirst }) => {
      const [batch, ...rest] = x.shape;
      const [height, width] = (channelsFirst ? rest.slice(1) : rest).map((extent) => extent * block);
      const channels = (channelsFirst ? rest[0] : rest[2]) / block ** 2;
      return {
        shape: channelsFirst ? [batch, channels, height, width] : [batch, height, width, channels],
        dtype: x.dtype,
      };
    },
    lower: (b, [x], { block, channelsFirst }, [output]) => {
      const [batch, ...rest] = x.shape;
      if (channelsFirst) {
        const split = b.reshape(x, [batch, block, block, output.shape[1], rest[1], rest[2]]);
        return b.reshape(b.transpose(split, [0, 3, 4, 1, 5, 2]), output.shape);
      }
      const split = b.reshape(x, [batch, rest[0], rest[1], block, block, output.shape[3]]);
      return b.reshape(b.transpose(split, [0, 1, 3, 2, 4, 5]), output.shape);
    },
  },
  Diag: {
    inputs: ["x"],
    infer: ([x]) => ({ shape: [...x.shape, ...x.shape], dtype: x.dtype }),
    lower: (b, [x], _, [output]) => {
      const count = sizeOf(x.shape);
      const numbers = b.iota(count, "int32");
      const diagonal = b.op("Equal", [b.reshape(numbers, [count, 1]), numbers]);
      const matrix = b.where(diagonal, b.reshape(x, [count]), b.constant([0], [], x.dtype));
      return b.reshape(matrix, output.shape);
    },
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
  FlipLeftRight: {
    inputs: ["image"],
    infer: same,
    lower: (b, [x]) => reversed(b, x, [2]),
  },
  Identity: {
    inputs: ["x"],
    infer: same,
    lower: (_, [x]) => x,
  },
  LinSpace: {
    inputs: [],
    infer: (_, { count }) => ({ shape: [count], dtype: "float32" }),
    note: "each value from its number, where tfjs's CPU adds up float32 steps",
    lower: (b, _, { start, stop, count }) => {
      const step = count > 1 ? (stop - start) / (count - 1) : 0;
      return b.op("Add", [b.op("Mul", [b.iota(count, "float32"), b.scalar(step)]), b.scalar(start)]);
    },
  },
  MirrorPad: {
    inputs: ["x"],
    infer: ([x], { paddings }) => ({
      shape: x.shape.map((extent, axis) => extent + paddings[axis][0] + paddings[axis][1]),
      dtype: x.dtype,
    }),
    lower: (b, [x], { paddings, reflect }) => {
      const skip = reflect ? 1 : 0; // whether the border itself is not repeated
      return paddings.reduce((value, [before, after], axis) => {
        if (before === 0 && after === 0) return value;
        const extent = x.shape[axis];
        const places = [
          ...Array.from({ length: before }, (_, i) => before - 1 - i + skip),
          ...Array.from({ length: extent }, (_, i) => i),
          ...Array.from({ length: after }, (_, i) => extent - 1 - i - skip),
        ];
        return b.op("Gather", [value, b.constant(places, [places.length], "int32")], { axis });
      }, x);
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
      b.op("Add", [b.op("Mul", [b.iota(count, dtype), b.scalar(step, dtype)]), b.scalar(start, dtype)]),
  },
  Reshape: {
    inputs: ["x"],
    infer: ([x], { shape }) => ({ shape, dtype: x.dtype }),
    lower: (b, [x], { shape }) => b.reshape(x, shape),
  },
  Reverse: {
    inputs: ["x"],
    infer: same,
    lower: (b, [x], { axes }) => reversed(b, x, axes),
  },
  Slice: {
    inputs: ["x"],
    infer: ([x], { size }) => ({ shape: size, dtype: x.dtype }),
    lower: (b, [x], { begin, size }) => b.slice(x, begin, size),
  },
  SpaceToBatchND: {
    inputs: ["x"],
    infer: ([x], { block, paddings }) => ({
      shape: [
        x.shape[0] * sizeOf(block),
        ...spatial(x, block, (size, axis) => (size + paddings[axis][0] + paddings[axis][1]) / block[axis]),
      ],
      dtype: x.dtype,
    }),
    lower: (b, [x], { block, paddings }) => {
      const inner = x.shape.slice(1 + block.length).map(() => 0);
      const [before, after] = [0, 1].map((side) => [0, ...paddings.map((pair) => pair[side]), ...inner]);
      return blocks(b, b.pad(x, [...before, ...after], 0), block, false);
    },
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
  ZerosLike: {
    inputs: ["x"],
    infer: same,
    lower: (b, [x]) => b.filled(0, x.shape, x.dtype),
  },
};
