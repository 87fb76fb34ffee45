/**
 * Normalisation by given or neighbouring values.
 *
 * @module
 */
import type { Builder } from "../graph/builder.ts";
import type { Value } from "../graph/ir.ts";
import type { ResponseAttributes } from "../trace/kernels.ts";
import { float, type Rules } from "./rule.ts";

/** Sums over the channels at most `radius` away, along the last axis: a product with a band of ones. */
function neighbours(b: Builder, x: Value, radius: number): Value {
  const channels = x.shape.at(-1)!;
  const numbers = b.iota(channels, "float32");
  const distance = b.op("Abs", [b.op("Sub", [b.reshape(numbers, [channels, 1]), numbers])]);
  const band = b.cast(b.op("LessOrEqual", [distance, b.scalar(radius)]), "float32");
  return b.op("MatMul", [x, band]);
}

/** bias + alpha * sum of neighbouring squares. */
function norm(b: Builder, x: Value, { radius, bias, alpha }: ResponseAttributes): Value {
  const sum = neighbours(b, b.op("Mul", [x, x]), radius);
  return b.op("Add", [b.op("Mul", [sum, b.scalar(alpha)]), b.scalar(bias)]);
}

/** Rows of this family. */
export const normalisationRules: Rules<"FusedBatchNorm" | "LRN" | "LRNGrad"> = {
  FusedBatchNorm: {
    inputs: ["x", "scale?", "offset?", "mean", "variance"],
    infer: ([x]) => ({ shape: x.shape, dtype: "float32" }),
    lower: (b, [x, scale, offset, mean, variance], { epsilon }) => {
      const spread = b.op("Sqrt", [b.op("Add", [float(b, variance), b.scalar(epsilon)])]);
      const factor = scale === null ? b.op("Reciprocal", [spread]) : b.op("Div", [float(b, scale), spread]);
      const y = b.op("Mul", [b.op("Sub", [float(b, x), float(b, mean)]), factor]);
      return offset === null ? y : b.op("Add", [y, float(b, offset)]);
    },
  },
  LRN: {
    inputs: ["x"],
    infer: ([x]) => ({ shape: x.shape, dtype: "float32" }),
    lower: (b, [x], attributes) => {
      const power = b.op("Pow", [norm(b, float(b, x), attributes), b.scalar(-attributes.beta)]);
      return b.op("Mul", [float(b, x), power]);
    },
  },
  LRNGrad: {
    inputs: ["x", "y", "dy"],
    infer: ([x]) => ({ shape: x.shape, dtype: "float32" }),
    lower: (b, [x, y, dy], attributes) => {
      // dx_i = dy_i N_i^-beta - 2 alpha beta x_i * sum over neighbours j of dy_j y_j / N_j.
      const { alpha, beta, radius } = attributes;
      const n = norm(b, x, attributes);
      const own = b.op("Mul", [dy, b.op("Pow", [n, b.scalar(-beta)])]);
      const others = neighbours(b, b.op("Div", [b.op("Mul", [dy, y]), n]), radius);
      return b.op("Sub", [own, b.op("Mul", [b.op("Mul", [x, others]), b.scalar(2 * alpha * beta)])]);
    },
  },
};
