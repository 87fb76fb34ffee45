/**
 * Arithmetic and functions of one value or two.
 *
 * @module
 */
import type { Builder } from "../graph/builder.ts";
import type { Value, ValueSpec } from "../graph/ir.ts";
import type { KernelName } from "../trace/kernels.ts";
import type { OnnxName } from "../graph/onnx_ops.ts";
import { broadcastShapes } from "../graph/onnx_shapes.ts";
import { float, type KernelRule, numeric, type Rules } from "./rule.ts";

/** Kernels whose only input is `x` and that have no attributes. */
type Plain =
  | "Abs"
  | "Acos"
  | "Acosh"
  | "Asin"
  | "Asinh"
  | "Atan"
  | "Atanh"
  | "Ceil"
  | "Cos"
  | "Cosh"
  | "Elu"
  | "Erf"
  | "Exp"
  | "Expm1"
  | "Floor"
  | "Log"
  | "Log1p"
  | "Neg"
  | "Reciprocal"
  | "Relu"
  | "Relu6"
  | "Round"
  | "Rsqrt"
  | "Selu"
  | "Sigmoid"
  | "Sign"
  | "Sin"
  | "Sinh"
  | "Softplus"
  | "Sqrt"
  | "Square"
  | "Tan"
  | "Tanh";

type Arithmetic =
  | "Add"
  | "Atan2"
  | "FloorDiv"
  | "Maximum"
  | "Minimum"
  | "Mod"
  | "Multiply"
  | "Pow"
  | "RealDiv"
  | "SquaredDifference"
  | "Sub";

type Others = "AddN" | "BitwiseAnd" | "ClipByValue" | "EluGrad" | "LeakyRelu" | "Prelu" | "Step";

const same = ([x]: readonly ValueSpec[]): ValueSpec => ({ shape: x.shape, dtype: x.dtype });

/** A function computed in float32; an integer result is truncated as a typed array does it. */
function real(compute: (b: Builder, x: Value) => Value): KernelRule<Plain> {
  return {
    inputs: ["x"],
    infer: same,
    lower: (b, [x]) => b.cast(compute(b, float(b, x)), x.dtype),
  };
}

/** A function that ONNX has under this name, for floats. */
function named(op: OnnxName): KernelRule<Plain> {
  return real((b, x) => b.op(op, [x]));
}

/** A function that ONNX Runtime has for integers too. */
function numerical(compute: (b: Builder, x: Value) => Value): KernelRule<Plain> {
  return {
    inputs: ["x"],
    infer: same,
    lower: (b, [x]) => b.cast(compute(b, numeric(b, x)), x.dtype),
  };
}

/** A broadcasting function of two numbers of one type. */
function binary(compute: (b: Builder, x: Value, y: Value) => Value): KernelRule<Arithmetic> {
  return {
    inputs: ["a", "b"],
    infer: ([x, y]) => ({ shape: broadcastShapes(x.shape, y.shape), dtype: x.dtype }),
    lower: (b, [x, y]) => b.cast(compute(b, numeric(b, x), numeric(b, y)), x.dtype),
  };
}

const one = (b: Builder, x: Value) => b.scalar(1, x.dtype);
const zero = (b: Builder, x: Value) => b.scalar(0, x.dtype);

/** min(max(x, low), high), passing NaN on as tfjs does. */
function clip(b: Builder, x: Value, low: number, high: number): Value {
  return b.op("Min", [b.op("Max", [x, b.scalar(low, x.dtype)]), b.scalar(high, x.dtype)]);
}

/** Natural logarithm of 1 + x, exact where x is small: log(u) x / (u - 1) with u = 1 + x (Kahan). */
function log1p(b: Builder, x: Value): Value {
  const u = b.op("Add", [x, one(b, x)]);
  const small = b.op("Equal", [u, one(b, x)]);
  const excess = b.op("Sub", [u, one(b, x)]);
  // Where u = 1 the quotient is 0 / 0, and where u is infinite it is infinite over infinite; both are not taken.
  const ratio = b.op("Div", [x, b.where(small, one(b, x), excess)]);
  const log = b.op("Log", [u]);
  const infinite = b.op("IsInf", [u]);
  return b.where(b.op("Or", [small, infinite]), b.where(small, x, log), b.op("Mul", [log, ratio]));
}

/** e^x - 1, exact where x is small: 2 tanh(x / 2) / (1 - tanh(x / 2)) below 1/2, the plain formula above. */
function expm1(b: Builder, x: Value): Value {
  const half = b.op("Tanh", [b.op("Mul", [x, b.scalar(0.5)])]);
  const near = b.op("Div", [b.op("Mul", [half, b.scalar(2)]), b.op("Sub", [one(b, x), half])]);
  const far = b.op("Sub", [b.op("Exp", [x]), one(b, x)]);
  return b.where(b.op("Less", [b.op("Abs", [x]), b.scalar(0.5)]), near, far);
}

/** log(1 + e^x) = max(x, 0) + log1p(e^-|x|). */
function softplus(b: Builder, x: Value): Value {
  const tail = b.op("Exp", [b.op("Neg", [b.op("Abs", [x])])]);
  return b.op("Add", [b.op("Max", [x, zero(b, x)]), log1p(b, tail)]);
}

/** The quadrant-aware angle of (x, y) from atan(y / x). */
function atan2(b: Builder, y: Value, x: Value): Value {
  // Of two infinities only the signs count, and above and below the origin there is no quotient.
  const infinite = b.op("And", [b.op("IsInf", [x]), b.op("IsInf", [y])]);
  const finite = (value: Value) => b.where(infinite, b.op("Sign", [value]), value);
  const angle = b.op("Atan", [b.op("Div", [finite(y), finite(x)])]);
  const turn = b.where(b.op("Less", [y, zero(b, y)]), b.scalar(-Math.PI), b.scalar(Math.PI));
  const behind = b.where(b.op("Less", [x, zero(b, x)]), b.op("Add", [angle, turn]), angle);
  const upright = b.op("Mul", [b.op("Sign", [y]), b.scalar(Math.PI / 2)]);
  return b.where(b.op("Equal", [x, zero(b, x)]), upright, behind);
}

/**
 * The quotient rounded towards minus infinity. Of floats the exact one: 1 / 0.1 is 10 as a float, but the float 0.1 is above
 * a tenth, so that it goes 9 times. What is left after division is exact, and so is x without it.
 */
function floorDiv(b: Builder, x: Value, y: Value): Value {
  if (x.dtype === "float32") {
    const rest = b.op("Mod", [x, y], { fmod: 1 });
    const quotient = b.op("Round", [b.op("Div", [b.op("Sub", [x, rest]), y])]);
    const opposite = b.op("Less", [b.op("Mul", [b.op("Sign", [rest]), b.op("Sign", [y])]), zero(b, x)]);
    return b.op("Sub", [quotient, b.cast(opposite, "float32")]);
  }
  const quotient = b.op("Div", [x, y]); // towards zero
  const rest = b.op("Sub", [x, b.op("Mul", [quotient, y])]);
  const opposite = b.op("Less", [b.op("Mul", [b.op("Sign", [rest]), b.op("Sign", [y])]), zero(b, x)]);
  return b.op("Sub", [quotient, b.cast(opposite, x.dtype)]);
}

/** Remainder with the sign of the divisor. */
function mod(b: Builder, x: Value, y: Value): Value {
  if (x.dtype !== "float32") return b.op("Mod", [x, y], { fmod: 0 });
  const rest = b.op("Mod", [x, y], { fmod: 1 });
  const differ = b.op("Xor", [b.op("Less", [x, zero(b, x)]), b.op("Less", [y, zero(b, y)])]);
  return b.where(differ, b.op("Mod", [b.op("Add", [rest, y]), y], { fmod: 1 }), rest);
}

/** Constants of the self-normalising unit (Klambauer et al. 2017). */
const selu = { alpha: 1.6732632423543772848170429916717, gamma: 1.0507009873554804934193349852946 };

/** Rows of this family. */
export const elementwiseRules: Rules<Plain | Arithmetic | Others> = {
  Abs: numerical((b, x) => b.op("Abs", [x])),
  Acos: named("Acos"),
  Acosh: named("Acosh"),
  Asin: named("Asin"),
  Asinh: named("Asinh"),
  Atan: named("Atan"),
  Atanh: named("Atanh"),
  Ceil: named("Ceil"),
  Cos: named("Cos"),
  Cosh: named("Cosh"),
  Elu: named("Elu"),
  Erf: named("Erf"),
  Exp: named("Exp"),
  Expm1: real(expm1),
  Floor: named("Floor"),
  Log: named("Log"),
  Log1p: real(log1p),
  Neg: numerical((b, x) => b.op("Neg", [x])),
  Reciprocal: named("Reciprocal"),
  Relu: numerical((b, x) => b.op("Relu", [x])),
  Relu6: numerical((b, x) => clip(b, x, 0, 6)),
  Round: named("Round"),
  Rsqrt: real((b, x) => b.op("Reciprocal", [b.op("Sqrt", [x])])),
  Selu: real((b, x) => b.op("Selu", [x], selu)),
  Sigmoid: named("Sigmoid"),
  Sign: { ...numerical((b, x) => b.op("Sign", [x])), note: "of NaN is NaN, where tfjs's CPU gives 0" },
  Sin: named("Sin"),
  Sinh: named("Sinh"),
  Softplus: real(softplus),
  Sqrt: named("Sqrt"),
  Square: numerical((b, x) => b.op("Mul", [x, x])),
  Tan: named("Tan"),
  Tanh: named("Tanh"),

  Add: binary((b, x, y) => b.op("Add", [x, y])),
  Atan2: {
    ...binary((b, x, y) => atan2(b, float(b, x), float(b, y))),
    note: "zeros have no sign here",
  },
  FloorDiv: {
    inputs: ["a", "b"],
    infer: ([x, y]) => ({ shape: broadcastShapes(x.shape, y.shape), dtype: "int32" }),
    lower: (b, [x, y]) => b.cast(floorDiv(b, numeric(b, x), numeric(b, y)), "int32"),
  },
  Maximum: binary((b, x, y) => b.op("Max", [x, y])),
  Minimum: binary((b, x, y) => b.op("Min", [x, y])),
  Mod: binary(mod),
  Multiply: binary((b, x, y) => b.op("Mul", [x, y])),
  Pow: binary((b, x, y) => b.op("Pow", [x, y])),
  RealDiv: binary((b, x, y) => b.op("Div", [x, y])),
  SquaredDifference: binary((b, x, y) => {
    const difference = b.op("Sub", [x, y]);
    return b.op("Mul", [difference, difference]);
  }),
  Sub: binary((b, x, y) => b.op("Sub", [x, y])),

  AddN: {
    inputs: "variadic",
    infer: same,
    lower: (b, values) => values.reduce((sum, value) => b.op("Add", [sum, value])),
  },
  BitwiseAnd: {
    inputs: ["a", "b"],
    infer: ([x, y]) => ({ shape: broadcastShapes(x.shape, y.shape), dtype: x.dtype }),
    lower: (b, [x, y]) => b.op("BitwiseAnd", [x, y]),
  },
  ClipByValue: {
    inputs: ["x"],
    infer: same,
    lower: (b, [x], { min, max }) => b.cast(clip(b, float(b, x), min, max), x.dtype),
  },
  EluGrad: {
    inputs: ["dy", "y"],
    infer: ([_, y]) => ({ shape: y.shape, dtype: "float32" }),
    lower: (b, [dy, y]) => {
      const slope = b.op("Min", [b.op("Add", [y, b.scalar(1)]), b.scalar(1)]);
      return b.op("Mul", [dy, slope]);
    },
  },
  LeakyRelu: {
    inputs: ["x"],
    infer: ([x]) => ({ shape: x.shape, dtype: "float32" }),
    lower: (b, [x], { alpha }) => b.op("LeakyRelu", [float(b, x)], { alpha }),
  },
  Prelu: {
    inputs: ["x", "alpha"],
    infer: ([x, alpha]) => ({ shape: broadcastShapes(x.shape, alpha.shape), dtype: "float32" }),
    lower: (b, [x, alpha]) => {
      const value = float(b, x);
      return b.where(b.op("Less", [value, zero(b, value)]), b.op("Mul", [float(b, alpha), value]), value);
    },
  },
  Step: {
    inputs: ["x"],
    infer: same,
    lower: (b, [x], { alpha }) => {
      const value = float(b, x);
      const above = b.op("Greater", [value, zero(b, value)]);
      const step = alpha === 0 ? b.cast(above, "float32") : b.where(above, b.scalar(1), b.scalar(alpha));
      return x.dtype === "float32" ? b.where(b.op("IsNaN", [x]), x, step) : b.cast(step, x.dtype);
    },
  },
};

/** Names of this family, for tests. */
export type ElementwiseName = Extract<KernelName, Plain | Arithmetic | Others>;
