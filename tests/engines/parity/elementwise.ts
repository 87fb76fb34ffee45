/** Parity cases of arithmetic and functions of one value or two. */
import * as tf from "@tensorflow/tfjs";
import type { elementwiseRules } from "../../../engines/onnx/lower/elementwise.ts";
import { binary, type Case, integer, integers, unary } from "./case.ts";

const steps: Partial<Case> = { differences: false };
const positive: Partial<Case> = { low: 0.3, high: 3 };

export const elementwiseCases: Readonly<Record<keyof typeof elementwiseRules, readonly Case[]>> = {
  Abs: [...unary(tf.abs), ...integer(tf.abs)],
  Acos: unary(tf.acos, { low: -0.9, high: 0.9 }),
  Acosh: unary(tf.acosh, { low: 1.1, high: 3 }),
  Asin: unary(tf.asin, { low: -0.9, high: 0.9 }),
  Asinh: unary(tf.asinh),
  Atan: unary(tf.atan),
  Atanh: unary(tf.atanh, { low: -0.9, high: 0.9 }),
  Ceil: unary(tf.ceil, steps),
  ClipByValue: unary((x) => tf.clipByValue(x, -0.5, 0.7)),
  Cos: unary(tf.cos),
  Cosh: unary(tf.cosh),
  Elu: unary(tf.elu),
  EluGrad: unary((x) => tf.elu(x)),
  Erf: unary(tf.erf),
  Exp: unary(tf.exp),
  Expm1: [...unary(tf.expm1), ...unary(tf.expm1, { low: -1e-3, high: 1e-3, tolerance: 1e-8, gradient: false })],
  Floor: unary(tf.floor, steps),
  LeakyRelu: unary((x) => tf.leakyRelu(x, 0.3)),
  Log: unary(tf.log, { low: 0.1, high: 4 }),
  Log1p: [
    ...unary(tf.log1p, { low: -0.5, high: 3 }),
    ...unary(tf.log1p, { low: -1e-3, high: 1e-3, tolerance: 1e-8, gradient: false }),
  ],
  Neg: [...unary(tf.neg), ...integer(tf.neg)],
  Prelu: binary((x, alpha) => tf.prelu(x, alpha)).slice(0, 2),
  Reciprocal: unary(tf.reciprocal, positive),
  Relu: [...unary(tf.relu), ...integer(tf.relu)],
  Relu6: unary((x) => tf.relu6(tf.mul(x, 5))),
  Round: unary(tf.round, steps),
  Rsqrt: unary(tf.rsqrt, positive),
  Selu: unary(tf.selu),
  Sigmoid: unary(tf.sigmoid),
  Sign: unary(tf.sign, steps),
  Sin: unary(tf.sin),
  Sinh: unary(tf.sinh),
  Softplus: unary((x) => tf.softplus(tf.mul(x, 10))),
  Sqrt: unary(tf.sqrt, positive),
  Square: unary(tf.square),
  Step: unary((x) => tf.step(x, 0.2), steps),
  Tan: unary(tf.tan, { low: -1, high: 1 }),
  Tanh: unary(tf.tanh),

  Add: [...binary(tf.add), ...integers(tf.add)],
  AddN: [
    { shapes: [[2, 3], [2, 3], [2, 3]], run: (list) => tf.addN(list) },
    { shapes: [[1]], run: (list) => tf.addN(list) },
    { shapes: [[0, 2], [0, 2]], run: (list) => tf.addN(list) },
  ],
  Atan2: binary(tf.atan2),
  BitwiseAnd: integers((a, b) => tf.bitwiseAnd(a, b)).slice(0, 1),
  FloorDiv: [
    ...binary(tf.floorDiv, { low: 0.5, high: 4, gradient: false }),
    ...integers(tf.floorDiv, { low: 1, high: 9 }),
    {
      shapes: [[6], [6]],
      dtypes: ["int32", "int32"],
      given: { 0: [7, -7, 7, -7, 6, -1], 1: [3, 3, -3, -3, 3, 4] },
      run: ([a, b]) => tf.floorDiv(a, b),
      gradient: false,
    },
  ],
  Maximum: [...binary(tf.maximum), ...integers(tf.maximum)],
  Minimum: [...binary(tf.minimum), ...integers(tf.minimum)],
  Mod: [
    ...binary(tf.mod, { low: 0.5, high: 4 }),
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
  Multiply: [...binary(tf.mul), ...integers(tf.mul)],
  Pow: binary(tf.pow, { low: 0.3, high: 2 }),
  RealDiv: binary(tf.div, { low: 0.5, high: 3 }),
  SquaredDifference: [...binary(tf.squaredDifference), ...integers(tf.squaredDifference)],
  Sub: [...binary(tf.sub), ...integers(tf.sub)],
};
