/**
 * Reductions, positions of extremes, cumulative sums and softmax.
 *
 * @module
 */
import type { Builder } from "../builder.ts";
import type { Value, ValueSpec } from "../ir.ts";
import type { ReductionAttributes } from "../kernels.ts";
import { float, type KernelRule, numeric, type Rules } from "./rule.ts";

type Plain = "Max" | "Mean" | "Min" | "Prod" | "Sum" | "All" | "Any";

function reducedShape({ shape }: ValueSpec, { axes, keepDims }: ReductionAttributes): number[] {
  return keepDims
    ? shape.map((extent, axis) => axes.includes(axis) ? 1 : extent)
    : shape.filter((_, axis) => !axes.includes(axis));
}

function reduction(
  dtype: (x: ValueSpec) => ValueSpec["dtype"],
  compute: (b: Builder, x: Value, attributes: ReductionAttributes) => Value,
): KernelRule<Plain> {
  return {
    inputs: ["x"],
    infer: ([x], attributes) => ({ shape: reducedShape(x, attributes), dtype: dtype(x) }),
    lower: (b, [x], attributes, [output]) => b.cast(compute(b, numeric(b, x), attributes), output.dtype),
  };
}

const same = ({ dtype }: ValueSpec) => dtype;
const summed = ({ dtype }: ValueSpec) => dtype === "bool" ? "int32" as const : dtype;

function position(op: "ArgMax" | "ArgMin"): KernelRule<"ArgMax" | "ArgMin"> {
  return {
    inputs: ["x"],
    infer: ([x], { axis }) => ({ shape: x.shape.filter((_, i) => i !== axis), dtype: "int32" }),
    lower: (b, [x], { axis }) => b.cast(b.op(op, [numeric(b, x)], { axis, keepdims: 0 }), "int32"),
  };
}

function alongAxis(op: "Softmax" | "LogSoftmax"): KernelRule<"Softmax" | "LogSoftmax"> {
  return {
    inputs: ["logits"],
    infer: ([x]) => ({ shape: x.shape, dtype: "float32" }),
    lower: (b, [x], { axis }) => b.op(op, [float(b, x)], { axis }),
  };
}

/** Rows of this family. */
export const reductionRules: Rules<Plain | "ArgMax" | "ArgMin" | "Cumsum" | "Softmax" | "LogSoftmax"> = {
  All: reduction(same, (b, x, { axes, keepDims }) => b.reduce("ReduceMin", x, axes, keepDims)),
  Any: reduction(same, (b, x, { axes, keepDims }) => b.reduce("ReduceMax", x, axes, keepDims)),
  Max: reduction(same, (b, x, { axes, keepDims }) => b.reduce("ReduceMax", x, axes, keepDims)),
  Mean: reduction(() => "float32", (b, x, { axes, keepDims }) => b.reduce("ReduceMean", float(b, x), axes, keepDims)),
  Min: reduction(same, (b, x, { axes, keepDims }) => b.reduce("ReduceMin", x, axes, keepDims)),
  Prod: reduction(summed, (b, x, { axes, keepDims }) => b.reduce("ReduceProd", x, axes, keepDims)),
  Sum: reduction(summed, (b, x, { axes, keepDims }) => b.reduce("ReduceSum", x, axes, keepDims)),
  ArgMax: position("ArgMax"),
  ArgMin: position("ArgMin"),
  Cumsum: {
    inputs: ["x"],
    infer: ([x]) => ({ shape: x.shape, dtype: summed(x) }),
    lower: (b, [x], { axis, exclusive, reverse }) =>
      b.op("CumSum", [numeric(b, x), b.constant([axis], [], "int64")], {
        exclusive: exclusive ? 1 : 0,
        reverse: reverse ? 1 : 0,
      }),
  },
  Softmax: alongAxis("Softmax"),
  LogSoftmax: alongAxis("LogSoftmax"),
};
