/** Parity cases of reductions, positions of extremes, cumulative sums and products, counts and softmax. */
import * as tf from "@tensorflow/tfjs";
import type { reductionRules } from "../../../engines/onnx/lower/reduction.ts";
import { adversarial, adversarialRows, type Case, integer, several, shaped, typed } from "./case.ts";

type Reduce = (x: tf.Tensor, axis?: number | number[], keepDims?: boolean) => tf.Tensor;

/** Over all axes (tfjs passes `null`), one, a negative one, several, all named, with and without the axes kept. */
const reduced = (reduce: Reduce, options: Partial<Case> = {}): Case[] => [
  ...shaped([[2, 3], [], [7], [1, 1]], (x) => reduce(x), options),
  ...shaped([[2, 3, 4], [1, 5], [4, 1]], (x) => reduce(x, 1), options),
  ...shaped([[2, 3, 4]], (x) => reduce(x, -1, true), options),
  ...shaped([[2, 3, 4, 5]], (x) => reduce(x, [0, 2]), options),
  ...shaped([[2, 3, 4]], (x) => reduce(x, [2, 0], true), options),
  ...shaped([[3, 2]], (x) => reduce(x, [0, 1], true), options),
  ...shaped([[0, 3]], (x) => reduce(x, 1), options),
];
const truths: Partial<Case> = { gradient: false };
/** A reduction over an axis of no elements, of which tfjs's CPU gives another value than TensorFlow. */
const nothing = (run: (x: tf.Tensor) => tf.Tensor, wrong: string, value: number): Case[] =>
  shaped([[3, 0]], run, { wrong, reference: { values: [[value, value, value]] }, differences: false });
const axes: readonly (readonly [readonly number[], number])[] = [[[2, 3, 4], 1], [[2, 3, 4], -1], [[1, 5], 0], [
  [7],
  0,
], [[1], 0]];
const alongAxes = (run: (x: tf.Tensor, axis: number) => tf.Tensor, options: Partial<Case> = {}): Case[] =>
  axes.flatMap(([shape, axis]) => shaped([shape], (x) => run(x, axis), options));
/** tfjs's CPU refuses negative axes here. */
const cumulative = (run: (x: tf.Tensor, axis: number, exclusive: boolean, reverse: boolean) => tf.Tensor): Case[] =>
  [[false, false], [true, false], [false, true], [true, true]].flatMap(([exclusive, reverse]) => [
    ...axes.flatMap(([shape, axis]) => shaped([shape], (x) => run(x, axis < 0 ? 2 : axis, exclusive, reverse))),
    ...shaped([[0, 3], [3, 1]], (x) => run(x, 1, exclusive, reverse)),
  ]);
const counted = [0, 2, 2, 5, 1, 9] as const;

/** From the largest to the smallest, NaN first, as NumPy and PyTorch sort. */
function descending(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(b)) - Number(Number.isNaN(a));
  return a === b ? 0 : b < a ? -1 : 1;
}

export const reductionCases: Readonly<Record<keyof typeof reductionRules, readonly Case[]>> = {
  All: [
    ...reduced((x, axis, keep) => tf.all(tf.greater(x, -1.2), axis, keep), truths),
    ...nothing((x) => tf.all(tf.greater(x, 0), 1), "of no elements not all are true", 1),
  ],
  Any: [
    ...reduced((x, axis, keep) => tf.any(tf.greater(x, 1.2), axis, keep), truths),
    ...shaped([[3, 0]], (x) => tf.any(tf.greater(x, 0), 1), truths),
  ],
  Max: [
    ...reduced(tf.max),
    ...typed([2, 3], (x) => tf.max(x, 1)),
    ...integer((x) => tf.max(x, 0)),
    ...adversarial((x) => tf.max(x, 1)),
    ...adversarial((x) => tf.max(tf.transpose(x), 0, true)),
    ...adversarial((x) => tf.max(x)),
    ...shaped([[3, 0]], (x) => tf.max(x, 1), truths),
  ],
  Mean: [
    ...typed([2, 3], (x) => tf.mean(x, 0)),
    ...reduced(tf.mean),
    ...adversarial((x) => tf.mean(x, 1)),
    ...shaped([[3, 0]], (x) => tf.mean(x, 1), truths),
  ],
  Min: [
    ...reduced(tf.min),
    ...integer((x) => tf.min(x, 0)),
    ...adversarial((x) => tf.min(x, 1)),
    ...adversarial((x) => tf.min(tf.transpose(x), 0, true)),
    ...shaped([[3, 0]], (x) => tf.min(x, 1), truths),
  ],
  Prod: [
    ...adversarial((x) => tf.prod(x, 1)),
    ...reduced(tf.prod),
    ...typed([2, 3], (x) => tf.prod(x, 0)),
    ...shaped([[3, 0]], (x) => tf.prod(x, 1)),
  ],
  Sum: [
    ...reduced(tf.sum),
    ...adversarial((x) => tf.sum(x, 1)),
    ...typed([2, 3], (x) => tf.sum(x, 0)),
    ...shaped([[3, 4]], (x) => tf.sum(tf.greater(x, 0)), truths),
    ...shaped([[3, 0], [0]], (x) => tf.sum(x, x.rank - 1)),
  ],
  ArgMax: [
    ...adversarial((x) => tf.argMax(x, 1)),
    ...alongAxes(tf.argMax, truths),
    ...shaped([[0, 3]], (x) => tf.argMax(x, 1), truths),
    { shapes: [[2, 4]], given: { 0: [1, 3, 3, 0, 2, 2, 2, 2] }, run: ([x]) => tf.argMax(x, 1), gradient: false },
    ...integer((x) => tf.argMax(x, 0)).slice(0, 1),
  ],
  ArgMin: [
    ...adversarial((x) => tf.argMin(x, 1)),
    ...alongAxes(tf.argMin, truths),
    ...shaped([[0, 3]], (x) => tf.argMin(x, 1), truths),
    { shapes: [[2, 4]], given: { 0: [1, 0, 3, 0, 2, 2, 2, 2] }, run: ([x]) => tf.argMin(x, 1), gradient: false },
  ],
  Bincount: [
    {
      shapes: [[6], [6]],
      dtypes: ["int32"],
      given: { 0: counted },
      run: ([x, w]) => tf.bincount(x as tf.Tensor1D, w as tf.Tensor1D, 6),
      gradient: false,
    },
    {
      shapes: [[6], [0]],
      dtypes: ["int32"],
      given: { 0: counted },
      run: ([x, w]) => tf.bincount(x as tf.Tensor1D, w as tf.Tensor1D, 10),
      gradient: false,
    },
    ...several(
      [[[5], [5]], [[1], [1]], [[0], [0]]],
      ([x, w]) => tf.bincount(x as tf.Tensor1D, w as tf.Tensor1D, 3),
      { dtypes: ["int32"], low: 0, high: 3, gradient: false },
    ),
  ],
  Cumprod: [
    ...adversarial((x) => tf.cumprod(x, 1)),
    ...cumulative(tf.cumprod),
    ...typed([2, 3], (x) => tf.cumprod(x, 1)),
  ],
  Cumsum: [
    ...adversarial((x) => tf.cumsum(x, 1)),
    ...shaped([[5000, 2]], (x) => tf.cumsum(x, 0), { gradient: false, tolerance: 1e-4 }),
    ...cumulative(tf.cumsum),
    ...integer((x) => tf.cumsum(x, 0)),
  ],
  DenseBincount: [false, true].flatMap((binary): Case[] => [
    {
      shapes: [[2, 3], [2, 3]],
      dtypes: ["int32"],
      given: { 0: counted },
      run: ([x, w]) => tf.denseBincount(x as tf.Tensor2D, w as tf.Tensor2D, 6, binary),
      gradient: false,
    },
    {
      shapes: [[2, 3], [0, 0]],
      dtypes: ["int32"],
      given: { 0: counted },
      run: ([x, w]) => tf.denseBincount(x as tf.Tensor2D, w as tf.Tensor2D, 4, binary),
      gradient: false,
    },
    {
      shapes: [[6], [0]],
      dtypes: ["int32"],
      given: { 0: counted },
      run: ([x, w]) => tf.denseBincount(x as tf.Tensor1D, w as tf.Tensor1D, 4, binary),
      gradient: false,
    },
    ...several(
      [[[3, 5], [3, 5]], [[1, 1], [1, 1]], [[1], [1]], [[0, 3], [0, 3]], [[3, 0], [3, 0]], [[0], [0]]],
      ([x, w]) => tf.denseBincount(x as tf.Tensor2D, w as tf.Tensor2D, 4, binary),
      { dtypes: ["int32"], low: 0, high: 6, gradient: false },
    ),
  ]),
  SearchSorted: (["left", "right"] as const).flatMap((side): Case[] => [
    {
      shapes: [[2, 5], [2, 3]],
      given: { 0: [-1, -0.5, 0, 0.5, 1, -1, -1, 0, 0, 2], 1: [0, 0.2, 5, -1, 0, -3] },
      run: ([sorted, x]) => tf.searchSorted(sorted, x, side),
      gradient: false,
    },
    {
      shapes: [[4], [2]],
      dtypes: ["int32", "int32"],
      given: { 0: [1, 3, 3, 7], 1: [3, 8] },
      run: ([sorted, x]) => tf.searchSorted(sorted, x, side),
    },
    {
      shapes: [[3, 3], [3, 5]],
      given: { 0: [-1, 0, 0, -1, -1, 1, 0, 0.5, 1] },
      run: ([sorted, x]) => tf.searchSorted(sorted, x, side),
      gradient: false,
    },
    ...several([[[1], [1]], [[0, 3], [0, 2]]], ([sorted, x]) => tf.searchSorted(sorted, x, side), truths),
  ]),
  Softmax: [
    ...shaped([[3, 5], [4, 1], [2, 3, 2], [1], [0, 3], [3, 0]], (x) => tf.softmax(x)),
    ...adversarial((x) => tf.softmax(x)),
  ],
  TopK: [
    ...shaped([[2, 5]], (x) => Object.values(tf.topk(x, 3))),
    ...shaped([[4], [2, 1, 4], [3, 1], [3, 5], [1], [0, 4]], (x) => Object.values(tf.topk(x, 1))),
    ...shaped([[3, 4]], (x) => Object.values(tf.topk(x, 4))),
    ...integer((x) => tf.topk(x, 1).indices),
    { shapes: [[5]], given: { 0: [1, 2, 2, 0, 2] }, run: ([x]) => Object.values(tf.topk(x, 4)), gradient: false },
    ...adversarial((x) => tf.topk(x, 3).values, {
      wrong: "puts NaN anywhere",
      reference: { values: [adversarialRows.flatMap((row) => [...row].sort(descending).slice(0, 3))] },
    }),
    {
      shapes: [[4]],
      given: { 0: [Infinity, 1, NaN, 3.4028234e38] },
      run: ([x]) => Object.values(tf.topk(x, 4)),
      gradient: false,
      wrong: "puts NaN anywhere",
      reference: { values: [[NaN, Infinity, 3.4028234e38, 1], [2, 0, 3, 1]] },
    },
  ],
};
