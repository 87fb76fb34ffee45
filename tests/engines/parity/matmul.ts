/** Parity cases of matrix products, fused ones, and sums of products by index letters. */
import * as tf from "@tensorflow/tfjs";
import type { matmulRules } from "../../../engines/onnx/lower/matmul.ts";
import { type Case, golden, several } from "./case.ts";

const flags = [[false, false], [true, false], [false, true], [true, true]] as const;
const left = (
  batch: readonly number[],
  transposed: boolean,
  m = 3,
  k = 4,
) => [...batch, ...(transposed ? [k, m] : [m, k])];
const right = (
  batch: readonly number[],
  transposed: boolean,
  k = 4,
  n = 5,
) => [...batch, ...(transposed ? [n, k] : [k, n])];
const product = (a: boolean, b: boolean) => ([x, y]: tf.Tensor[]) => tf.matMul(x, y, a, b);
const batches: readonly (readonly [readonly number[], readonly number[]])[] = [
  [[], []],
  [[2], [2]],
  [[1], [1]],
  [[2, 3], [2, 3]],
  [[3], [1]],
  [[1], [3]],
];
const einsum = (equation: string, ...shapes: (readonly number[])[]): Case => ({
  shapes,
  run: (x) => tf.einsum(equation, ...x),
});

export const matmulCases: Readonly<Record<keyof typeof matmulRules, readonly Case[]>> = {
  BatchMatMul: [
    ...flags.flatMap(([a, b]) =>
      batches.map(([x, y]): Case => ({ shapes: [left(x, a), right(y, b)], run: product(a, b) }))
    ),
    golden(
      "matmul",
      [[2, 1, 3, 4], [1, 3, 4, 2]],
      product(false, false),
      "takes the larger batch for the broadcast one",
    ),
    { shapes: [[1, 1], [1, 1]], run: product(false, false) },
    { shapes: [[3, 1], [1, 2]], run: product(false, false) },
    { shapes: [[0, 4], [4, 2]], run: product(false, false) },
    { shapes: [[3, 0], [0, 2]], run: product(false, false) },
    { shapes: [[2, 3, 0], [2, 0, 2]], run: product(false, false) },
    { shapes: [[5], [5]], run: ([x, y]) => tf.dot(x, y) },
    { shapes: [[3, 5], [5]], run: ([x, y]) => tf.dot(x, y) },
    { shapes: [[3], [2]], run: ([x, y]) => tf.outerProduct(x as tf.Tensor1D, y as tf.Tensor1D) },
  ],
  Einsum: [
    einsum("ij,jk->ik", [2, 3], [3, 4]),
    einsum("bij,bjk->bik", [2, 3, 4], [2, 4, 5]),
    einsum("bhqd,bhkd->bhqk", [2, 2, 3, 4], [2, 2, 5, 4]),
    einsum("bqhd,bkhd->bhqk", [2, 3, 2, 4], [2, 5, 2, 4]),
    einsum("bhqk,bkhd->bqhd", [2, 2, 3, 5], [2, 5, 2, 4]),
    einsum("btd,dhk->bthk", [2, 3, 4], [4, 2, 5]),
    einsum("i,j->ij", [3], [4]),
    einsum("i,i->", [3], [3]),
    einsum("ij,ij->ji", [2, 3], [2, 3]),
    golden("einsum", [[2, 3], [3]], (x) => tf.einsum("ij,j->j", ...x), "forgets the second operand"),
    einsum("ijk->kj", [2, 3, 4]),
    einsum("ij->", [2, 3]),
    einsum("ij->ji", [1, 3]),
    einsum("ij,jk->ik", [2, 1], [1, 1]),
    einsum("ij,jk->ik", [1, 1], [1, 1]),
    einsum("ij,jk->ik", [3, 0], [0, 2]),
    einsum("ij,jk->ik", [0, 3], [3, 2]),
    einsum("bij,bkj->bik", [0, 3, 2], [0, 2, 2]),
    einsum("ij->j", [0, 3]),
  ],
  _FusedMatMul: [
    ...(["linear", "relu", "relu6", "elu", "sigmoid", "leakyrelu"] as const).map((activation): Case => ({
      shapes: [[3, 4], [4, 2], [2]],
      run: ([a, b, bias]) => tf.fused.matMul({ a, b, bias, activation, leakyreluAlpha: 0.3 }),
      // Under a tape tfjs fuses the linear one only.
      ...(activation === "linear" ? {} : { gradient: false }),
    })),
    {
      shapes: [[3, 4], [4, 2], [2], [2]],
      run: ([a, b, bias, w]) => tf.fused.matMul({ a, b, bias, activation: "prelu", preluActivationWeights: w }),
      gradient: false,
    },
    ...flags.map(([transposeA, transposeB]): Case => ({
      shapes: [left([2], transposeA), right([2], transposeB)],
      run: ([a, b]) => tf.fused.matMul({ a, b, transposeA, transposeB }),
    })),
    ...several(
      [[[3, 5], [5, 3], [3]], [[1, 1], [1, 1], [1]], [[3, 0], [0, 2], [2]], [[0, 4], [4, 2], [2]]],
      ([a, b, bias]) => tf.fused.matMul({ a, b, bias }),
    ),
    ...flags.slice(1).map(([transposeA, transposeB]): Case => ({
      shapes: [left([], transposeA, 3, 0), right([], transposeB, 0, 2), [2]],
      run: ([a, b, bias]) => tf.fused.matMul({ a, b, bias, transposeA, transposeB }),
    })),
  ],
};
