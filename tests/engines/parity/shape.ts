/** Parity cases of shapes, constants, and selection of parts that is known beforehand. */
import * as tf from "@tensorflow/tfjs";
import type { shapeRules } from "../../../engines/onnx/lower/shape.ts";
import { type Case, integer, several, shaped, typed } from "./case.ts";

export const shapeCases: Readonly<Record<keyof typeof shapeRules, readonly Case[]>> = {
  BatchToSpaceND: [
    ...typed([4, 2, 1], (x) => tf.batchToSpaceND(x, [2], [[1, 0]])),
    ...shaped([[4, 2, 3, 1]], (x) => tf.batchToSpaceND(x, [2, 2], [[0, 0], [0, 0]])),
    ...shaped([[12, 3, 2, 2]], (x) => tf.batchToSpaceND(x, [2, 3], [[1, 0], [2, 1]])),
    ...shaped([[2, 3]], (x) => tf.batchToSpaceND(x, [2], [[0, 1]])),
    ...shaped([[9, 1, 3, 5], [0, 2, 3, 1]], (x) => tf.batchToSpaceND(x, [3, 3], [[0, 0], [0, 0]])),
    ...shaped([[1, 1]], (x) => tf.batchToSpaceND(x, [1], [[0, 0]])),
  ],
  Cast: [
    ...shaped([[3, 5], [1], [0]], (x) => tf.cast(tf.mul(x, 3), "float32")),
    ...shaped([[3, 5], [1], [0]], (x) => tf.cast(tf.cast(tf.mul(x, 3), "int32"), "float32"), { gradient: false }),
    ...shaped([[2, 3]], (x) => tf.cast(tf.greater(x, 0), "float32"), { gradient: false }),
    ...shaped([[2, 3]], (x) => tf.cast(tf.round(x), "bool"), { gradient: false }),
    ...integer((x) => tf.cast(x, "bool")),
  ],
  Concat: [
    { shapes: [[2, 3], [2, 1], [2, 4]], run: (list) => tf.concat(list, 1) },
    ...several([[[1, 3], [3, 3]], [[1, 3], [2, 3]], [[1], [1]], [[0, 3], [0, 3]]], (list) => tf.concat(list, 0)),
    { shapes: [[2, 0], [2, 3]], run: (list) => tf.concat(list, -1) },
    { shapes: [[2], [3]], dtypes: ["int32", "int32"], run: (list) => tf.concat(list, 0) },
    { shapes: [[2], [3]], run: (list) => tf.concat(list.map((x) => tf.greater(x, 0)), 0), gradient: false },
  ],
  DepthToSpace: [
    ...shaped([[2, 2, 3, 8], [1, 1, 1, 4], [0, 2, 2, 4]], (x) => tf.depthToSpace(x as tf.Tensor4D, 2)),
    ...shaped([[1, 2, 2, 9], [3, 1, 3, 9]], (x) => tf.depthToSpace(x as tf.Tensor4D, 3)),
  ],
  Diag: [...shaped([[3], [1], [2, 2], [0]], (x) => tf.diag(x)), ...typed([3], (x) => tf.diag(x))],
  ExpandDims: [
    ...shaped([[2, 3], [3, 5], [], [0]], (x) => tf.expandDims(x, -1)),
    ...typed([3], (x) => tf.expandDims(x, 0)),
  ],
  Fill: [
    ...shaped([[2, 3], [3, 5], [1], [0, 3]], (x) => tf.add(x, tf.fill(x.shape, 2.5))),
    ...shaped([[2, 3]], (x) => tf.add(x, tf.cast(tf.fill([3], 2, "int32"), "float32"))),
  ],
  FlipLeftRight: shaped(
    [[2, 3, 4, 2], [3, 1, 5, 3], [1, 1, 1, 1], [0, 2, 3, 1]],
    (x) => tf.image.flipLeftRight(x as tf.Tensor4D),
  ),
  Identity: [...shaped([[2, 3], [3, 5], [], [0, 3]], (x) => tf.clone(x)), ...typed([3], (x) => tf.clone(x))],
  LinSpace: [
    ...shaped([[5]], (x) => tf.add(x, tf.linspace(-1, 3, 5))),
    ...shaped([[1]], (x) => tf.add(x, tf.linspace(2, 3, 1))),
    ...shaped([[5000]], (x) => tf.sub(tf.linspace(0, 1, 5000), tf.zerosLike(x)), {
      gradient: false,
      wrong: "adds up float32 steps, with an error of 1e-5 here",
      reference: { values: [Array.from({ length: 5000 }, (_, i) => i / 4999)] },
      tolerance: 1e-7,
    }),
  ],
  MirrorPad: [
    ...(["reflect", "symmetric"] as const).flatMap((mode) => [
      ...shaped([[3, 4], [3, 5]], (x) => tf.mirrorPad(x, [[1, 2], [0, 3]], mode)),
      ...shaped([[1]], (x) => tf.mirrorPad(x, [[0, 0]], mode)),
      ...shaped([[2, 3, 2]], (x) => tf.mirrorPad(x, [[0, 0], [2, 2], [1, 1]], mode)),
      ...shaped([[2]], (x) => tf.mirrorPad(x, [[1, 0]], mode)),
    ]),
    ...shaped([[1]], (x) => tf.mirrorPad(x, [[1, 1]], "symmetric")),
    ...shaped([[0, 3]], (x) => tf.mirrorPad(x, [[0, 0], [2, 1]], "symmetric")),
    ...typed([3, 2], (x) => tf.mirrorPad(x, [[1, 2], [0, 1]], "reflect")),
  ],
  OnesLike: [
    ...shaped([[2, 3], [3, 5], [1], [0]], (x) => tf.add(x, tf.onesLike(x))),
    ...typed([2, 3], (x) => tf.onesLike(x)),
  ],
  Pack: [
    ...typed([2, 3], (x) => tf.stack([x, x], 1)),
    ...several([[[2, 3], [2, 3]], [[3, 5], [3, 5], [3, 5]]], (list) => tf.stack(list, 1)),
    { shapes: [[2], [2], [2]], run: (list) => tf.stack(list, -1) },
    { shapes: [[]], run: (list) => tf.stack(list) },
    { shapes: [[0, 2], [0, 2]], run: (list) => tf.stack(list) },
  ],
  PadV2: [
    ...typed([2, 2], (x) => tf.pad(x, [[1, 0], [0, 2]])),
    ...shaped([[2, 3], [3, 5], [1, 1], [0, 3]], (x) => tf.pad(x, [[1, 0], [2, 1]], 0.5)),
    ...shaped([[3]], (x) => tf.pad(x, [[0, 0]])),
    ...integer((x) => tf.pad(x, x.shape.map(() => [1, 2] as [number, number]), 7)),
  ],
  Range: [
    ...shaped([[5]], (x) => tf.add(x, tf.range(1, 11, 2))),
    ...shaped([[4]], (x) => tf.add(x, tf.range(1, -1, -0.5))),
    ...shaped([[0]], (x) => tf.add(x, tf.range(3, 3))),
    ...shaped([[1]], (x) => tf.add(x, tf.range(3, 4))),
    ...shaped([[3]], (x) => tf.add(x, tf.cast(tf.range(2, 8, 2, "int32"), "float32"))),
    ...shaped([[5000]], (x) => tf.sub(tf.range(0, 5000), tf.zerosLike(x)), { gradient: false }),
  ],
  Reshape: [
    ...typed([2, 3], (x) => tf.reshape(x, [3, 2])),
    ...shaped([[2, 6], [12], [5, 3]], (x) => tf.reshape(x, [3, -1])),
    ...shaped([[0, 3]], (x) => tf.reshape(x, [3, 0])),
    ...shaped([[1, 1]], (x) => tf.reshape(x, [])),
  ],
  Reverse: [
    ...typed([2, 3], (x) => tf.reverse(x, 1)),
    ...shaped([[2, 3, 4], [1, 1, 1]], (x) => tf.reverse(x, [0, 2])),
    ...shaped([[3], [0]], (x) => tf.reverse(x)),
    ...shaped([[2, 3]], (x) => tf.reverse(x, -1)),
  ],
  Slice: [
    ...typed([3, 4], (x) => tf.slice(x, [1, 1], [2, 2])),
    ...shaped([[4, 5]], (x) => tf.slice(x, [1, 2])),
    ...shaped([[4], [3, 5], [1], [0, 3]], (x) => tf.slice(x, 0)),
    ...shaped([[4]], (x) => tf.slice(x, 1, 2)),
    ...shaped([[4, 5]], (x) => tf.slice(x, [1, 2], [2, -1])),
    ...shaped([[4, 5]], (x) => tf.slice(x, [3], [1])),
    ...shaped([[4, 5]], (x) => tf.slice(x, [1, 0], [0, 5])),
  ],
  SpaceToBatchND: [
    ...typed([2, 3, 1], (x) => tf.spaceToBatchND(x, [2], [[1, 0]])),
    ...shaped([[1, 4, 6, 1]], (x) => tf.spaceToBatchND(x, [2, 2], [[0, 0], [0, 0]])),
    ...shaped([[2, 3, 4, 2]], (x) => tf.spaceToBatchND(x, [2, 3], [[1, 0], [0, 2]])),
    ...shaped([[2, 3], [0, 3]], (x) => tf.spaceToBatchND(x, [2], [[0, 1]])),
    ...shaped([[3, 3, 9, 1]], (x) => tf.spaceToBatchND(x, [3, 3], [[0, 0], [0, 0]])),
    ...shaped([[1, 1]], (x) => tf.spaceToBatchND(x, [1], [[0, 0]])),
  ],
  SplitV: [
    ...typed([2, 4], (x) => tf.split(x, 2, 1)),
    ...shaped([[2, 6], [0, 6]], (x) => tf.split(x, [1, 2, 3], 1)),
    ...shaped([[5, 3]], (x) => tf.split(x, [1, 0, 4], 0)),
    ...shaped([[4, 3]], (x) => tf.split(x, 2, 0)),
    ...shaped([[4, 3]], (x) => tf.split(x, [1, -1], 0)),
    ...shaped([[4, 3], [1]], (x) => tf.split(x, 1, 0)),
  ],
  StridedSlice: [
    ...typed([3, 4], (x) => tf.stridedSlice(x, [2, 0], [0, 4], [-1, 2])),
    ...shaped([[5, 6]], (x) => tf.stridedSlice(x, [4, 1], [0, 6], [-2, 2])),
    ...shaped([[5, 6]], (x) => tf.stridedSlice(x, [0, 1], [3, 2], [1, 1], 0, 0, 0, 0, 2)),
    ...shaped([[5, 6]], (x) => tf.stridedSlice(x, [-1, 0], [0, 0], [-1, 1], 0, 3)),
    ...shaped([[5, 6]], (x) => tf.stridedSlice(x, [0, 2, 0], [0, 5, 4], [1, 1, 2], 0, 0, 0, 1)),
    ...shaped([[2, 3, 4]], (x) => tf.stridedSlice(x, [0, 1], [0, 3], [1, 1], 0, 0, 1)),
    ...shaped([[5, 6]], (x) => tf.stridedSlice(x, [2, 0], [2, 6], [1, 1])),
    ...shaped([[5, 7], [1, 1], [0, 3]], (x) => tf.stridedSlice(x, [0, 0], x.shape, [2, 3])),
    ...shaped([[0, 3]], (x) => tf.stridedSlice(x, [0, 2], [0, -4], [1, -1])),
  ],
  Tile: [
    ...typed([2, 1], (x) => tf.tile(x, [2, 3])),
    ...shaped([[2, 1, 3], [4, 3], [1], []], (x) => tf.broadcastTo(x, [2, 4, 3])),
    ...shaped([[2, 3], [1, 1], [0, 2]], (x) => tf.tile(x, [2, 2])),
    ...shaped([[1, 3]], (x) => tf.tile(x, [4, 1])),
    ...shaped([[1, 2, 1, 2, 3]], (x) => tf.tile(x, [2, 1, 3, 2, 1])),
    ...shaped([[3]], (x) => tf.tile(x, [1])),
  ],
  Transpose: [
    ...typed([2, 3], (x) => tf.transpose(x)),
    ...shaped([[2, 3, 4]], (x) => tf.transpose(x, [2, 0, 1])),
    ...shaped([[2, 3], [3, 5], [1, 4], [1, 1], [0, 2]], (x) => tf.transpose(x)),
    ...shaped([[1, 3, 1, 2]], (x) => tf.transpose(x, [2, 1, 0, 3])),
  ],
  Unpack: [
    ...typed([2, 3], (x) => tf.unstack(x, 1)),
    ...shaped([[3, 2, 4], [3, 5], [2, 1], [1, 1]], (x) => tf.unstack(x, 1)),
    ...shaped([[2, 0]], (x) => tf.unstack(x, 0)),
  ],
  ZerosLike: [
    ...shaped([[2, 3], [3, 5], [1], [0]], (x) => tf.add(x, tf.zerosLike(x))),
    ...typed([2, 3], (x) => tf.zerosLike(x)),
  ],
};
