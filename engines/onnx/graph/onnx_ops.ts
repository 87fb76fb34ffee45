/**
 * The ONNX operators that lowered graphs may contain: attributes with their kinds, and the shape and type of the
 * outputs. Operator set 21; the meaning of each is ONNX's.
 *
 * @module
 */
import { type Attributes, type ElementType, printSpec, sameShape, sizeOf, type Value, type ValueSpec } from "./ir.ts";
import {
  axesOf,
  broadcastShapes,
  constantInts,
  fail,
  matmulShape,
  reducedShape,
  required,
  windowedShape,
  windowOf,
} from "./onnx_shapes.ts";

/** How an attribute is written. */
export type AttributeKind = "int" | "float" | "ints" | "string";

/** One ONNX operator. */
export interface OnnxOperator {
  /** Attributes it may have. */
  readonly attributes: Readonly<Record<string, AttributeKind>>;
  /** Domain other than ONNX's own; ONNX Runtime's contributed operators are in `com.microsoft`. */
  readonly domain?: string;
  /** Outputs for given inputs. Throws where the node is illegal. */
  infer(inputs: readonly (Value | null)[], attributes: Attributes): ValueSpec[];
}

type Infer = OnnxOperator["infer"];

/** ONNX numbers of the element types (TensorProto.DataType). */
export const elementTypes: Readonly<Record<ElementType, number>> = {
  float32: 1,
  uint8: 2,
  int32: 6,
  int64: 7,
  bool: 9,
  uint32: 12,
  uint64: 13,
};

const typeNames = new Map(Object.entries(elementTypes).map(([name, id]) => [id, name as ElementType]));

const like: Infer = ([x]) => [{ shape: x!.shape, dtype: x!.dtype }];
const unary: OnnxOperator = { attributes: {}, infer: like };
const predicate: OnnxOperator = { attributes: {}, infer: ([x]) => [{ shape: x!.shape, dtype: "bool" }] };

function broadcasting(dtype?: ElementType): Infer {
  return (inputs) => {
    const values = inputs.map((_, index) => required(inputs, index));
    for (const value of values) {
      if (value.dtype !== values[0].dtype) fail(`types differ: ${values.map(printSpec).join(" ")}`);
    }
    return [{ shape: broadcastShapes(...values.map((value) => value.shape)), dtype: dtype ?? values[0].dtype }];
  };
}

const arithmetic: OnnxOperator = { attributes: {}, infer: broadcasting() };
const comparison: OnnxOperator = { attributes: {}, infer: broadcasting("bool") };

const reduction: OnnxOperator = {
  attributes: { keepdims: "int", noop_with_empty_axes: "int" },
  infer: (inputs, { keepdims }) => {
    const x = required(inputs, 0);
    const given = constantInts(inputs[1]);
    const axes = given !== null && given.length === 0 ? [] : axesOf(given, x.shape.length);
    return [{ shape: reducedShape(x.shape, axes, keepdims !== 0), dtype: x.dtype }];
  },
};

const argument: OnnxOperator = {
  attributes: { axis: "int", keepdims: "int", select_last_index: "int" },
  infer: ([x], { axis, keepdims }) => [{
    shape: reducedShape(x!.shape, axesOf([axis as number], x!.shape.length), keepdims !== 0),
    dtype: "int64",
  }],
};

const alongAxis: OnnxOperator = { attributes: { axis: "int" }, infer: like };

const windowAttributes = { kernel_shape: "ints", strides: "ints", dilations: "ints", pads: "ints" } as const;

const pool: Infer = ([x], attributes) => {
  const spatial = windowedShape(x!.shape.slice(2), windowOf(attributes, x!.shape.length - 2));
  return [{ shape: [...x!.shape.slice(0, 2), ...spatial], dtype: x!.dtype }];
};

/** A matrix product, with something added. */
const gemm = {
  attributes: { alpha: "float", beta: "float", transA: "int", transB: "int" },
  infer: ([a, b, c], { transA, transB }) => {
    if (a!.shape.length !== 2 || b!.shape.length !== 2) fail(`Gemm of ${printSpec(a!)} and ${printSpec(b!)}`);
    const shape = matmulShape(
      transA === 1 ? [...a!.shape].reverse() : a!.shape,
      transB === 1 ? [...b!.shape].reverse() : b!.shape,
    );
    if (c !== null && c !== undefined && !sameShape(broadcastShapes(shape, c.shape), shape)) {
      fail(`Gemm adds ${printSpec(c)} to [${shape.join(",")}]`);
    }
    return [{ shape, dtype: a!.dtype }];
  },
} as const satisfies OnnxOperator;

/** A convolution, with a bias. */
const convolution = {
  attributes: { ...windowAttributes, group: "int" },
  infer: ([x, w, bias], attributes) => {
    const window = windowOf({ ...attributes, kernel_shape: w!.shape.slice(2) }, x!.shape.length - 2);
    const group = attributes["group"] as number ?? 1;
    if (x!.shape[1] !== w!.shape[1] * group || (bias && bias.shape[0] !== w!.shape[0])) {
      fail(`Conv of ${printSpec(x!)} and ${printSpec(w!)} in ${group} groups`);
    }
    return [{ shape: [x!.shape[0], w!.shape[0], ...windowedShape(x!.shape.slice(2), window)], dtype: x!.dtype }];
  },
} as const satisfies OnnxOperator;

/** The operators, by name. */
export const onnxOperators = {
  Abs: unary,
  Neg: unary,
  Exp: unary,
  Log: unary,
  Sqrt: unary,
  Reciprocal: unary,
  Sigmoid: unary,
  Tanh: unary,
  Relu: unary,
  Erf: unary,
  Sign: unary,
  Floor: unary,
  Ceil: unary,
  Round: unary,
  Sin: unary,
  Cos: unary,
  Tan: unary,
  Asin: unary,
  Acos: unary,
  Atan: unary,
  Sinh: unary,
  Cosh: unary,
  Asinh: unary,
  Acosh: unary,
  Atanh: unary,
  Softplus: unary,
  Identity: unary,
  Not: unary,
  BitwiseNot: unary,
  Elu: { attributes: { alpha: "float" }, infer: like },
  Selu: { attributes: { alpha: "float", gamma: "float" }, infer: like },
  LeakyRelu: { attributes: { alpha: "float" }, infer: like },
  IsNaN: predicate,
  IsInf: { attributes: { detect_negative: "int", detect_positive: "int" }, infer: predicate.infer },
  Cast: {
    attributes: { to: "int" },
    infer: ([x], { to }) => [{
      shape: x!.shape,
      dtype: typeNames.get(to as number) ?? fail(`Cast to unknown element type ${to}`),
    }],
  },
  Clip: { attributes: {}, infer: like },

  Add: arithmetic,
  Sub: arithmetic,
  Mul: arithmetic,
  Div: arithmetic,
  Max: arithmetic,
  Min: arithmetic,
  Sum: arithmetic,
  Mod: { attributes: { fmod: "int" }, infer: arithmetic.infer },
  Pow: {
    attributes: {},
    infer: ([a, b]) => [{ shape: broadcastShapes(a!.shape, b!.shape), dtype: a!.dtype }],
  },
  BitwiseAnd: arithmetic,
  BitwiseOr: arithmetic,
  BitwiseXor: arithmetic,
  BitShift: { attributes: { direction: "string" }, infer: arithmetic.infer },
  Equal: comparison,
  Less: comparison,
  LessOrEqual: comparison,
  Greater: comparison,
  GreaterOrEqual: comparison,
  And: comparison,
  Or: comparison,
  Xor: comparison,
  Where: {
    attributes: {},
    infer: ([condition, t, e]) => {
      if (t!.dtype !== e!.dtype || condition!.dtype !== "bool") {
        fail(`Where of ${printSpec(condition!)} ${printSpec(t!)} ${printSpec(e!)}`);
      }
      return [{ shape: broadcastShapes(condition!.shape, t!.shape, e!.shape), dtype: t!.dtype }];
    },
  },

  ReduceSum: reduction,
  ReduceMean: reduction,
  ReduceMax: reduction,
  ReduceMin: reduction,
  ReduceProd: reduction,
  ReduceSumSquare: reduction,
  ArgMax: argument,
  ArgMin: argument,
  CumSum: { attributes: { exclusive: "int", reverse: "int" }, infer: like },
  TopK: {
    attributes: { axis: "int", largest: "int", sorted: "int" },
    infer: (inputs, { axis }) => {
      const x = required(inputs, 0);
      const [k] = constantInts(inputs[1])!;
      const [along] = axesOf([axis as number], x.shape.length);
      const shape = x.shape.map((extent, i) => i === along ? k : extent);
      return [{ shape, dtype: x.dtype }, { shape, dtype: "int64" }];
    },
  },
  BatchNormalization: { attributes: { epsilon: "float" }, infer: like },
  Softmax: alongAxis,
  LogSoftmax: alongAxis,

  MatMul: {
    attributes: {},
    infer: ([a, b]) => [{ shape: matmulShape(a!.shape, b!.shape), dtype: a!.dtype }],
  },
  Gemm: gemm,
  FusedGemm: { ...gemm, attributes: { ...gemm.attributes, activation: "string" }, domain: "com.microsoft" },
  FusedMatMul: {
    attributes: { alpha: "float", transA: "int", transB: "int" },
    domain: "com.microsoft",
    infer: ([a, b], { transA, transB }) => {
      const swap = (shape: readonly number[]) => [...shape.slice(0, -2), shape.at(-1)!, shape.at(-2)!];
      return [{
        shape: matmulShape(transA === 1 ? swap(a!.shape) : a!.shape, transB === 1 ? swap(b!.shape) : b!.shape),
        dtype: a!.dtype,
      }];
    },
  },

  Conv: convolution,
  FusedConv: {
    ...convolution,
    attributes: { ...convolution.attributes, activation: "string" },
    domain: "com.microsoft",
  },
  ConvTranspose: {
    attributes: { ...windowAttributes, group: "int", output_padding: "ints" },
    infer: ([x, w], attributes) => {
      const spatial = x!.shape.slice(2);
      const { strides, dilations, pads } = windowOf(attributes, spatial.length);
      const extra = attributes["output_padding"] as number[] ?? spatial.map(() => 0);
      const group = attributes["group"] as number ?? 1;
      if (x!.shape[1] !== w!.shape[0]) fail(`ConvTranspose of ${printSpec(x!)} and ${printSpec(w!)}`);
      const shape = spatial.map((size, i) =>
        strides[i] * (size - 1) + extra[i] + (w!.shape[i + 2] - 1) * dilations[i] + 1 - pads[i] -
        pads[i + spatial.length]
      );
      return [{ shape: [x!.shape[0], w!.shape[1] * group, ...shape], dtype: x!.dtype }];
    },
  },
  MaxPool: {
    attributes: { ...windowAttributes, ceil_mode: "int", storage_order: "int" },
    infer: (inputs, attributes) => {
      const [y] = pool(inputs, attributes);
      return [y, { shape: y.shape, dtype: "int64" }];
    },
  },
  AveragePool: { attributes: { ...windowAttributes, ceil_mode: "int", count_include_pad: "int" }, infer: pool },
  MaxUnpool: {
    attributes: windowAttributes,
    infer: (inputs) => [{ shape: constantInts(inputs[2])!, dtype: required(inputs, 0).dtype }],
  },

  Reshape: {
    attributes: { allowzero: "int" },
    infer: (inputs) => {
      const x = required(inputs, 0);
      const shape = constantInts(inputs[1])!;
      if (sizeOf(shape) !== sizeOf(x.shape)) fail(`Reshape of ${printSpec(x)} to [${shape.join(",")}]`);
      return [{ shape, dtype: x.dtype }];
    },
  },
  Transpose: {
    attributes: { perm: "ints" },
    infer: ([x], { perm }) => [{ shape: (perm as number[]).map((axis) => x!.shape[axis]), dtype: x!.dtype }],
  },
  Expand: {
    attributes: {},
    infer: (inputs) => {
      const x = required(inputs, 0);
      return [{ shape: broadcastShapes(x.shape, constantInts(inputs[1])!), dtype: x.dtype }];
    },
  },
  Tile: {
    attributes: {},
    infer: (inputs) => {
      const x = required(inputs, 0);
      const reps = constantInts(inputs[1])!;
      return [{ shape: x.shape.map((extent, axis) => extent * reps[axis]), dtype: x.dtype }];
    },
  },
  Concat: {
    attributes: { axis: "int" },
    infer: (inputs, { axis }) => {
      const values = inputs.map((_, index) => required(inputs, index));
      const shape = [...values[0].shape];
      shape[axis as number] = values.reduce((sum, value) => sum + value.shape[axis as number], 0);
      return [{ shape, dtype: values[0].dtype }];
    },
  },
  Split: {
    attributes: { axis: "int" },
    infer: (inputs, { axis }) => {
      const x = required(inputs, 0);
      return constantInts(inputs[1])!.map((size) => ({
        shape: x.shape.map((extent, i) => i === axis ? size : extent),
        dtype: x.dtype,
      }));
    },
  },
  Slice: {
    attributes: {},
    infer: (inputs) => {
      const x = required(inputs, 0);
      const [starts, ends, axes, steps] = [1, 2, 3, 4].map((i) => constantInts(inputs[i]));
      const shape = [...x.shape];
      starts!.forEach((start, i) => {
        const axis = axes === null ? i : axes[i];
        const step = steps === null ? 1 : steps[i];
        const size = x.shape[axis];
        const low = step > 0 ? 0 : -1;
        const high = step > 0 ? size : size - 1;
        const place = (at: number) => Math.min(Math.max(at < 0 ? at + size : at, low), high);
        shape[axis] = Math.max(0, Math.ceil((place(ends![i]) - place(start)) / step));
      });
      return [{ shape, dtype: x.dtype }];
    },
  },
  Pad: {
    attributes: { mode: "string" },
    infer: (inputs) => {
      const x = required(inputs, 0);
      const pads = constantInts(inputs[1])!;
      const rank = x.shape.length;
      return [{ shape: x.shape.map((extent, axis) => extent + pads[axis] + pads[axis + rank]), dtype: x.dtype }];
    },
  },
  Gather: {
    attributes: { axis: "int" },
    infer: ([x, indices], { axis }) => [{
      shape: [...x!.shape.slice(0, axis as number), ...indices!.shape, ...x!.shape.slice(axis as number + 1)],
      dtype: x!.dtype,
    }],
  },
  GatherElements: {
    attributes: { axis: "int" },
    infer: ([x, indices]) => [{ shape: indices!.shape, dtype: x!.dtype }],
  },
  GatherND: {
    attributes: { batch_dims: "int" },
    infer: ([x, indices], { batch_dims }) => {
      const batch = batch_dims as number ?? 0;
      const depth = indices!.shape.at(-1)!;
      return [{ shape: [...indices!.shape.slice(0, -1), ...x!.shape.slice(batch + depth)], dtype: x!.dtype }];
    },
  },
  ScatterElements: { attributes: { axis: "int", reduction: "string" }, infer: like },
  ScatterND: { attributes: { reduction: "string" }, infer: like },
  ConstantOfShape: {
    // The value is a one-element tensor in ONNX; here a second, constant input that the writer turns into it.
    attributes: {},
    infer: (inputs) => [{ shape: constantInts(inputs[0])!, dtype: required(inputs, 1).dtype }],
  },
  Range: {
    attributes: {},
    infer: (inputs) => {
      const [start, limit, delta] = [0, 1, 2].map((i) => Number(required(inputs, i).data![0]));
      return [{ shape: [Math.max(0, Math.ceil((limit - start) / delta))], dtype: required(inputs, 0).dtype }];
    },
  },
  Trilu: { attributes: { upper: "int" }, infer: like },
  Shape: {
    attributes: { start: "int", end: "int" },
    infer: ([x], { start, end }) => [{
      shape: [x!.shape.slice(start as number | undefined, end as number | undefined).length],
      dtype: "int64",
    }],
  },
} as const satisfies Readonly<Record<string, OnnxOperator>>;

/** Name of an ONNX operator that lowered graphs may contain. */
export type OnnxName = keyof typeof onnxOperators;

/** The operator of a name. */
export function onnxOperator(name: string): OnnxOperator {
  if (!Object.hasOwn(onnxOperators, name)) fail(`${name} is not among the operators that lowered graphs may contain`);
  return onnxOperators[name as OnnxName];
}
