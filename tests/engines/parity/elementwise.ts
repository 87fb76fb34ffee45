/** Parity cases of arithmetic and functions of one value or two. */
import * as tf from "@tensorflow/tfjs";
import type { elementwiseRules } from "../../../engines/onnx/lower/elementwise.ts";
import { binary, type Case, integer, integers, several, unary } from "./case.ts";

const steps: Partial<Case> = { differences: false };
const positive: Partial<Case> = { low: 0.3, high: 3 };

const edges = [
  ...[NaN, Infinity, -Infinity, 0, -0, 1e30, -1e30, 1e-30, -1e-30, 1e-40, -1e-40, 88, -88, 104, -104],
  ...[0.5, -0.5, 1.5, 2.5, -1.5],
];

/** Without denormals, which the runtime takes for zeros: where a function jumps at zero that shows. */
const normal = edges.filter((value) => !(Math.abs(value) > 0 && Math.abs(value) < 1e-38));

/** Cases of a function of floats, with those where overflow, rounding and what is no number show. */
const plain = (run: (x: tf.Tensor) => tf.Tensor, options: Partial<Case> = {}): Case[] => [
  ...unary(run, options),
  { shapes: [[edges.length]], given: { 0: edges }, run: ([x]) => run(x), gradient: false },
];

/** Cases of two floats, with every pair of edges. */
const pairwise = (
  run: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor,
  options: Partial<Case> = {},
  values: readonly number[] = edges,
): Case[] => [
  ...binary(run, options),
  {
    shapes: [[values.length, 1], [values.length]],
    given: { 0: values, 1: values },
    run: ([a, b]) => run(a, b),
    gradient: false,
  },
];

export const elementwiseCases: Readonly<Record<keyof typeof elementwiseRules, readonly Case[]>> = {
  Abs: [...plain(tf.abs), ...integer(tf.abs)],
  Acos: plain(tf.acos, { low: -0.9, high: 0.9 }),
  Acosh: plain(tf.acosh, { low: 1.1, high: 3 }),
  Asin: plain(tf.asin, { low: -0.9, high: 0.9 }),
  Asinh: plain(tf.asinh),
  Atan: plain(tf.atan),
  Atanh: plain(tf.atanh, { low: -0.9, high: 0.9 }),
  Ceil: plain(tf.ceil, steps),
  ClipByValue: plain((x) => tf.clipByValue(x, -0.5, 0.7)),
  Cos: plain(tf.cos),
  Cosh: plain(tf.cosh),
  Elu: plain(tf.elu),
  EluGrad: unary((x) => tf.elu(x)),
  Erf: plain(tf.erf),
  Exp: plain(tf.exp),
  Expm1: [...plain(tf.expm1), ...plain(tf.expm1, { low: -1e-3, high: 1e-3, tolerance: 1e-8, gradient: false })],
  Floor: plain(tf.floor, steps),
  LeakyRelu: plain((x) => tf.leakyRelu(x, 0.3)),
  Log: plain(tf.log, { low: 0.1, high: 4 }),
  Log1p: [
    ...plain(tf.log1p, { low: -0.5, high: 3 }),
    ...plain(tf.log1p, { low: -1e-3, high: 1e-3, tolerance: 1e-8, gradient: false }),
  ],
  Neg: [...plain(tf.neg), ...integer(tf.neg)],
  Prelu: [
    ...binary((x, alpha) => tf.prelu(x, alpha)),
    {
      shapes: [[edges.length], [1]],
      given: { 0: edges, 1: [0.3] },
      run: ([x, alpha]) => tf.prelu(x, alpha),
      gradient: false,
    },
  ],
  Reciprocal: plain(tf.reciprocal, positive),
  Relu: [...plain(tf.relu), ...integer(tf.relu)],
  Relu6: plain((x) => tf.relu6(tf.mul(x, 5))),
  Round: plain(tf.round, steps),
  Rsqrt: plain(tf.rsqrt, positive),
  Selu: plain(tf.selu),
  Sigmoid: plain(tf.sigmoid),
  Sign: unary(tf.sign, steps),
  Sin: plain(tf.sin),
  Sinh: plain(tf.sinh),
  Softplus: plain((x) => tf.softplus(tf.mul(x, 10))),
  Sqrt: plain(tf.sqrt, positive),
  Square: plain(tf.square),
  Step: [...plain((x) => tf.step(x, 0.2), steps), ...plain((x) => tf.step(x), steps), ...integer((x) => tf.step(x))],
  Tan: plain(tf.tan, { low: -1, high: 1 }),
  Tanh: plain(tf.tanh),

  Add: [...pairwise(tf.add), ...integers(tf.add)],
  AddN: several([[[2, 3], [2, 3], [2, 3]], [[3, 5], [3, 5]], [[1]], [[0, 2], [0, 2]]], (list) => tf.addN(list)),
  Atan2: pairwise(tf.atan2, {}, normal.filter((value) => !Object.is(value, -0))),
  BitwiseAnd: several(
    [[[2, 3], [2, 3]], [[3, 5], [3, 5]], [[1], [1]], [[0, 3], [0, 3]]],
    ([a, b]) => tf.bitwiseAnd(a, b),
    {
      dtypes: ["int32", "int32"],
      low: -9,
      high: 9,
      gradient: false,
    },
  ),
  FloorDiv: [
    ...binary(tf.floorDiv, { low: 0.5, high: 4, gradient: false }),
    // Whole quotients of floats that are not whole numbers: as floats some are one more.
    {
      shapes: [[10], [10]],
      given: {
        0: [1, 1, 2, -1, -1, 6, 0.3, 5.5, 1e7, -1e-30],
        1: [0.1, -0.1, 0.2, 0.1, -0.1, 0.1, 0.1, 0.5, 0.1, 1],
      },
      run: ([a, b]) => tf.floorDiv(a, b),
      gradient: false,
    },
    ...integers(tf.floorDiv, { low: 1, high: 9 }),
    {
      shapes: [[6], [6]],
      dtypes: ["int32", "int32"],
      given: { 0: [7, -7, 7, -7, 6, -1], 1: [3, 3, -3, -3, 3, 4] },
      run: ([a, b]) => tf.floorDiv(a, b),
      gradient: false,
    },
  ],
  Maximum: [...pairwise(tf.maximum), ...integers(tf.maximum)],
  Minimum: [...pairwise(tf.minimum), ...integers(tf.minimum)],
  Mod: [
    ...pairwise(tf.mod, { low: 0.7, high: 4.2 }, normal),
    {
      shapes: [[6], [6]],
      given: { 0: [5.5, -5.5, 5.5, -5.5, 6, -1], 1: [3, 3, -3, -3, 4, 4] },
      run: ([a, b]) => tf.mod(a, b),
      differences: false,
    },
    {
      shapes: [[6], [6]],
      dtypes: ["int32", "int32"],
      given: { 0: [7, -7, 7, -7, 6, -1], 1: [3, 3, -3, -3, 3, 4] },
      run: ([a, b]) => tf.mod(a, b),
      gradient: false,
    },
  ],
  Multiply: [...pairwise(tf.mul), ...integers(tf.mul)],
  Pow: pairwise(tf.pow, { low: 0.3, high: 2 }, normal),
  RealDiv: pairwise(tf.div, { low: 0.5, high: 3 }),
  SquaredDifference: [...pairwise(tf.squaredDifference), ...integers(tf.squaredDifference)],
  Sub: [...pairwise(tf.sub), ...integers(tf.sub)],
};
