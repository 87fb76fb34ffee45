/**
 * Comparisons, truths and choice.
 *
 * @module
 */
import type { Builder } from "../graph/builder.ts";
import type { Value } from "../graph/ir.ts";
import { broadcastShapes } from "../graph/onnx_shapes.ts";
import { float, type KernelRule, numeric, type Rules } from "./rule.ts";

type Comparison = "Equal" | "Greater" | "GreaterEqual" | "Less" | "LessEqual" | "NotEqual";
type Connective = "LogicalAnd" | "LogicalOr";
type Test = "IsFinite" | "IsInf" | "IsNan";

function comparison(compute: (b: Builder, x: Value, y: Value) => Value): KernelRule<Comparison> {
  return {
    inputs: ["a", "b"],
    infer: ([x, y]) => ({ shape: broadcastShapes(x.shape, y.shape), dtype: "bool" }),
    lower: (b, [x, y]) => compute(b, numeric(b, x), numeric(b, y)),
  };
}

function connective(op: "And" | "Or"): KernelRule<Connective> {
  return {
    inputs: ["a", "b"],
    infer: ([x, y]) => ({ shape: broadcastShapes(x.shape, y.shape), dtype: "bool" }),
    lower: (b, [x, y]) => b.op(op, [b.cast(x, "bool"), b.cast(y, "bool")]),
  };
}

function test(compute: (b: Builder, x: Value) => Value): KernelRule<Test> {
  return {
    inputs: ["x"],
    infer: ([x]) => ({ shape: x.shape, dtype: "bool" }),
    lower: (b, [x]) => compute(b, float(b, x)),
  };
}

/** Rows of this family. */
export const logicRules: Rules<Comparison | Connective | Test | "LogicalNot" | "Select"> = {
  Equal: comparison((b, x, y) => b.op("Equal", [x, y])),
  Greater: comparison((b, x, y) => b.op("Greater", [x, y])),
  GreaterEqual: comparison((b, x, y) => b.op("GreaterOrEqual", [x, y])),
  Less: comparison((b, x, y) => b.op("Less", [x, y])),
  LessEqual: comparison((b, x, y) => b.op("LessOrEqual", [x, y])),
  NotEqual: comparison((b, x, y) => b.op("Not", [b.op("Equal", [x, y])])),
  LogicalAnd: connective("And"),
  LogicalOr: connective("Or"),
  LogicalNot: {
    inputs: ["x"],
    infer: ([x]) => ({ shape: x.shape, dtype: "bool" }),
    lower: (b, [x]) => b.op("Not", [b.cast(x, "bool")]),
  },
  IsFinite: test((b, x) => b.op("Not", [b.op("Or", [b.op("IsInf", [x]), b.op("IsNaN", [x])])])),
  IsInf: test((b, x) => b.op("IsInf", [x])),
  IsNan: test((b, x) => b.op("IsNaN", [x])),
  Select: {
    inputs: ["condition", "t", "e"],
    infer: ([_, t]) => ({ shape: t.shape, dtype: t.dtype }),
    lower: (b, [condition, t, e]) => {
      // A condition of rank 1 chooses whole slices along the first axis.
      const rank = t.shape.length;
      const aligned = condition.shape.length === 1 && rank > 1
        ? b.reshape(condition, [condition.shape[0], ...new Array(rank - 1).fill(1)])
        : condition;
      return b.expand(b.where(b.cast(aligned, "bool"), t, e), t.shape);
    },
  },
};
