/** Parity cases of gathering and scattering by numbers that are values of the program. */
import * as tf from "@tensorflow/tfjs";
import type { gatherRules } from "../../../engines/onnx/lower/gather.ts";
import { type Case, several, typed } from "./case.ts";

/** A case of a float tensor and int32 numbers. */
const gathered = (
  shape: readonly number[],
  places: readonly number[],
  numbers: readonly number[],
  run: (x: tf.Tensor, numbers: tf.Tensor) => tf.Tensor,
  options: Partial<Case> = {},
): Case => ({
  shapes: [shape, places],
  dtypes: ["float32", "int32"],
  given: { 1: numbers },
  run: ([x, n]) => run(x, n),
  ...options,
});
const take = (axis: number, batch = 0) => (x: tf.Tensor, numbers: tf.Tensor) =>
  tf.gather(x, numbers as tf.Tensor1D, axis, batch);
/** A case of a tensor, the places in it that are replaced, and what comes there. */
const updated = (shapes: Case["shapes"], places: readonly number[]): Case => ({
  shapes,
  dtypes: ["float32", "int32"],
  given: { 1: places },
  run: ([x, n, updates]) => tf.tensorScatterUpdate(x, n, updates),
});

export const gatherCases: Readonly<Record<keyof typeof gatherRules, readonly Case[]>> = {
  GatherNd: [
    ...typed([3, 2], (x) => tf.gatherND(x, tf.tensor2d([2, 1, 0, 0], [2, 2], "int32"))),
    gathered([3, 4], [2, 2], [2, 1, 0, 3], tf.gatherND),
    gathered([3, 4], [3, 1], [2, 0, 2], tf.gatherND),
    gathered([3, 2, 2], [2, 1, 2], [2, 1, 0, 0], tf.gatherND),
    gathered([3, 2], [0, 1], [], tf.gatherND),
    gathered([3, 5], [3, 1], [2, 0, 2], tf.gatherND),
    gathered([1], [1, 1], [0], tf.gatherND),
    gathered([3, 0], [2, 1], [2, 0], tf.gatherND, {
      wrong: "refuses to gather from a tensor of no elements",
      reference: { values: [[]], gradients: [[]] },
    }),
  ],
  GatherV2: [
    ...typed([3, 2], (x) => tf.gather(x, tf.tensor1d([2, 0], "int32"))),
    ...typed([2, 3], (x) => tf.gather(x, tf.tensor2d([2, 0], [2, 1], "int32"), 1, 1)),
    gathered([5, 3], [4], [4, 0, 0, 2], take(0)),
    gathered([2, 5], [2], [1, 3], take(1)),
    gathered([2, 5, 3], [2, 2], [1, 3, 4, 4], take(1)),
    gathered([2, 5, 3], [2], [1, 2], take(-1)),
    gathered([5], [], [3], take(0)),
    gathered([5, 2], [0], [], take(0)),
    gathered([3, 0], [2], [2, 0], take(0)),
    gathered([0, 3], [0], [], take(0)),
    gathered([1], [1], [0], take(0)),
    gathered([0, 5], [0, 3], [], take(1, 1), {
      wrong: "refuses a batch of no samples",
      reference: { values: [[]], gradients: [[]] },
    }),
    gathered([2, 1], [2, 2], [0, 0, 0, 0], take(1, 1)),
    gathered([2, 5], [2, 3], [1, 3, 1, 0, 0, 4], take(1, 1)),
    gathered([2, 3, 4, 2], [2, 3], [1, 3, 1, 0, 0, 2], take(2, 1)),
    gathered([2, 3, 4], [2, 3, 2], [0, 1, 2, 3, 3, 3, 1, 1, 0, 2, 3, 0], take(2, 2)),
    {
      shapes: [[4], [2]],
      dtypes: ["int32", "int32"],
      given: { 0: [5, 6, 7, 8], 1: [3, 0] },
      run: ([x, n]) => tf.gather(x, n as tf.Tensor1D),
    },
  ],
  OneHot: [
    {
      shapes: [[4]],
      dtypes: ["int32"],
      low: 0,
      high: 3,
      run: ([x]) => tf.oneHot(x as tf.Tensor1D, 3, 1, 0, "float32"),
    },
    { shapes: [[2, 2]], dtypes: ["int32"], low: 0, high: 3, run: ([x]) => tf.oneHot(x, 3, 5, -1) },
    { shapes: [[3]], dtypes: ["int32"], given: { 0: [-1, 1, 7] }, run: ([x]) => tf.oneHot(x, 2) },
    ...several([[[3, 5]], [[1]], [[0]]], ([x]) => tf.oneHot(x, 2), { dtypes: ["int32"], low: 0, high: 2 }),
    { shapes: [[2]], dtypes: ["int32"], given: { 0: [3, 4999] }, run: ([x]) => tf.oneHot(x, 5000) },
  ],
  ScatterNd: [
    gathered([4], [4, 1], [1, 3, 1, 0], (x, n) => tf.scatterND(n, x, [5])),
    gathered([3, 2], [3, 1], [1, 0, 1], (x, n) => tf.scatterND(n, x, [4, 2])),
    gathered([3, 5], [3, 1], [1, 0, 1], (x, n) => tf.scatterND(n, x, [4, 5])),
    gathered([1], [1, 1], [0], (x, n) => tf.scatterND(n, x, [1])),
    gathered([0, 2], [0, 1], [], (x, n) => tf.scatterND(n, x, [4, 2])),
    gathered([3, 0], [3, 1], [1, 0, 1], (x, n) => tf.scatterND(n, x, [4, 0])),
    gathered([2], [2, 2], [1, 0, 2, 1], (x, n) => tf.scatterND(n, x, [3, 2])),
    {
      shapes: [[3], [3, 1]],
      dtypes: ["int32", "int32"],
      given: { 0: [2, 3, 4], 1: [1, 1, 0] },
      run: ([x, n]) => tf.scatterND(n, x, [3]),
    },
  ],
  SparseToDense: [
    gathered([3], [3], [1, 4, 0], (x, n) => tf.sparseToDense(n, x, [5], 0.5)),
    gathered([2], [2, 2], [1, 0, 0, 2], (x, n) => tf.sparseToDense(n, x, [2, 3], 0)),
    gathered([], [3], [1, 4, 0], (x, n) => tf.sparseToDense(n, x, [5], 0.5)),
    gathered([1], [1], [0], (x, n) => tf.sparseToDense(n, x, [1], 0.5)),
    gathered([0], [0], [], (x, n) => tf.sparseToDense(n, x, [5], 0.5)),
    gathered([0], [0, 2], [], (x, n) => tf.sparseToDense(n, x, [2, 3], 0.5)),
  ],
  TensorScatterUpdate: [
    ...typed(
      [3],
      (x) => tf.tensorScatterUpdate(x, tf.tensor2d([[2], [0]], [2, 1], "int32"), tf.onesLike(tf.slice(x, 1))),
    ),
    updated([[4, 2], [2, 1], [2, 2]], [3, 1]),
    updated([[2, 3], [2, 2], [2]], [0, 2, 1, 0]),
    updated([[5, 3], [3, 1], [3, 3]], [3, 1, 0]),
    updated([[1], [1, 1], [1]], [0]),
    updated([[4, 2], [0, 1], [0, 2]], []),
    updated([[3, 0], [1, 1], [1, 0]], [2]),
  ],
  UnsortedSegmentSum: [
    gathered([5, 2], [5], [0, 2, 0, 1, 2], (x, n) => tf.unsortedSegmentSum(x, n as tf.Tensor1D, 4)),
    gathered([3, 5], [3], [0, 2, 0], (x, n) => tf.unsortedSegmentSum(x, n as tf.Tensor1D, 3)),
    gathered([1], [1], [0], (x, n) => tf.unsortedSegmentSum(x, n as tf.Tensor1D, 1)),
    gathered([0, 2], [0], [], (x, n) => tf.unsortedSegmentSum(x, n as tf.Tensor1D, 3)),
    gathered([3, 0], [3], [0, 2, 0], (x, n) => tf.unsortedSegmentSum(x, n as tf.Tensor1D, 3)),
    gathered([4], [4], [0, 2, -1, 0], (x, n) => tf.unsortedSegmentSum(x, n as tf.Tensor1D, 3)),
    gathered([3, 2, 2], [3], [1, 1, 1], (x, n) => tf.unsortedSegmentSum(x, n as tf.Tensor1D, 2)),
  ],
};
