/** Parity cases of comparisons, truths and choice. */
import * as tf from "@tensorflow/tfjs";
import type { logicRules } from "../../../engines/onnx/lower/logic.ts";
import { binary, type Case, integers, unary } from "./case.ts";

const rounded = (compare: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor): Case[] => [
  ...binary((a, b) => compare(tf.round(a), tf.round(b)), { gradient: false }),
  ...integers(compare, { low: -2, high: 2 }),
];
const truths = (compare: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor): Case[] =>
  binary((a, b) => compare(tf.greater(a, 0), tf.greater(b, 0)), { gradient: false });

export const logicCases: Readonly<Record<keyof typeof logicRules, readonly Case[]>> = {
  Equal: rounded(tf.equal),
  NotEqual: rounded(tf.notEqual),
  Greater: rounded(tf.greater),
  GreaterEqual: rounded(tf.greaterEqual),
  Less: rounded(tf.less),
  LessEqual: rounded(tf.lessEqual),
  LogicalAnd: truths(tf.logicalAnd),
  LogicalOr: [...truths(tf.logicalOr), ...truths(tf.logicalXor)],
  LogicalNot: unary((x) => tf.logicalNot(tf.greater(x, 0)), { gradient: false }),
  IsFinite: unary((x) => tf.isFinite(tf.div(1, tf.round(x))), { gradient: false }),
  IsInf: unary((x) => tf.isInf(tf.div(1, tf.floor(x))), { gradient: false }),
  IsNan: unary((x) => tf.isNaN(tf.sqrt(x)), { gradient: false }),
  Select: [
    // tfjs gives up broadcasting where a tensor is empty.
    ...binary((a, b) => tf.where(tf.greater(a, b), a, b)).slice(0, -1),
    { shapes: [[0, 3], [0, 3]], run: ([a, b]) => tf.where(tf.greater(a, b), a, b) },
    {
      shapes: [[3], [3, 2], [3, 2]],
      dtypes: ["bool"],
      run: ([c, a, b]) => tf.where(tf.reshape(c, [3, 1]), a, b),
    },
    { shapes: [[2, 3], [2, 3], [2, 3]], dtypes: ["bool", "int32", "int32"], run: ([c, a, b]) => tf.where(c, a, b) },
    { shapes: [[4], [4]], dtypes: ["bool"], run: ([c, a]) => tf.where(c, tf.greater(a, 0), tf.less(a, 0.5)) },
  ],
};
