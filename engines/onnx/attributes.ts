/**
 * tfjs's kernel attributes in one form: axes as lists of non-negative numbers, ranges resolved against shapes, windows as
 * numbers instead of words. tfjs passes `null` where its types say otherwise (`axis` of a full sum); it ends here.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { ValueSpec } from "./ir.ts";
import { type AttributesOf, isTfType, type KernelName, type TfType, type WindowGeometry } from "./kernels.ts";

/** Attributes as tfjs gives them. */
export type RawAttributes = Readonly<Record<string, unknown>>;

type Normalise<K extends KernelName> = (raw: RawAttributes, inputs: readonly ValueSpec[]) => AttributesOf<K>;

const none = () => ({});

function axesOf(axis: unknown, rank: number): number[] {
  if (axis === null || axis === undefined) return Array.from({ length: rank }, (_, i) => i);
  const list = Array.isArray(axis) ? axis as number[] : [axis as number];
  return [...new Set(list.map((a) => a < 0 ? a + rank : a))].sort((a, b) => a - b);
}

const reduction = (name: "axis" | "reductionIndices") => (raw: RawAttributes, [x]: readonly ValueSpec[]) => ({
  axes: axesOf(raw[name] ?? raw["axis"], x.shape.length),
  keepDims: raw["keepDims"] === true,
});

const axis = (raw: RawAttributes, [x]: readonly ValueSpec[]) => {
  const [first] = axesOf(raw["axis"] ?? 0, x.shape.length);
  return { axis: first };
};

const lastAxis = (raw: RawAttributes, [x]: readonly ValueSpec[]) => {
  const [first] = axesOf(raw["dim"] ?? -1, x.shape.length);
  return { axis: first };
};

function typeOf(raw: unknown, fallback: TfType): TfType {
  return typeof raw === "string" && isTfType(raw) ? raw : fallback;
}

/** Geometry of a 2-D window from tfjs's own computation. */
function geometry(info: tf.backend_util.Conv2DInfo): WindowGeometry {
  const needed = (out: number, stride: number, kernel: number, dilation: number) =>
    (out - 1) * stride + dilation * (kernel - 1) + 1;
  const { padInfo } = info;
  return {
    channelsFirst: info.dataFormat === "channelsFirst",
    batch: info.batchSize,
    inChannels: info.inChannels,
    outChannels: info.outChannels,
    inSpatial: [info.inHeight, info.inWidth],
    outSpatial: [info.outHeight, info.outWidth],
    kernel: [info.filterHeight, info.filterWidth],
    strides: [info.strideHeight, info.strideWidth],
    dilations: [info.dilationHeight, info.dilationWidth],
    before: [padInfo.top, padInfo.left],
    after: [
      needed(info.outHeight, info.strideHeight, info.filterHeight, info.dilationHeight) - info.inHeight - padInfo.top,
      needed(info.outWidth, info.strideWidth, info.filterWidth, info.dilationWidth) - info.inWidth - padInfo.left,
    ],
  };
}

type Pad = "valid" | "same" | number | [[number, number], [number, number], [number, number], [number, number]];

function convolution(raw: RawAttributes, x: readonly number[], filter: readonly number[]): WindowGeometry {
  return geometry(tf.backend_util.computeConv2DInfo(
    x as [number, number, number, number],
    filter as [number, number, number, number],
    raw["strides"] as number | [number, number],
    (raw["dilations"] ?? 1) as number | [number, number],
    raw["pad"] as Pad,
    raw["dimRoundingMode"] as "floor" | "round" | "ceil" | undefined,
    false,
    tf.backend_util.convertConv2DDataFormat((raw["dataFormat"] ?? "NHWC") as "NHWC" | "NCHW"),
  ));
}

function pooling(raw: RawAttributes, x: readonly number[]): WindowGeometry {
  return geometry(tf.backend_util.computePool2DInfo(
    x as [number, number, number, number],
    raw["filterSize"] as number | [number, number],
    raw["strides"] as number | [number, number],
    1,
    raw["pad"] as Pad,
    raw["dimRoundingMode"] as "floor" | "round" | "ceil" | undefined,
  ));
}

/** Resolves -1 in a target shape. */
function implicit(shape: readonly number[], size: number): number[] {
  return tf.util.inferFromImplicitShape([...shape], size);
}

const sizeOf = ({ shape }: ValueSpec) => shape.reduce((product, extent) => product * extent, 1);

/** One row per kernel. */
export const normaliseAttributes: { readonly [K in KernelName]: Normalise<K> } = {
  Abs: none,
  Acos: none,
  Acosh: none,
  Asin: none,
  Asinh: none,
  Atan: none,
  Atanh: none,
  Ceil: none,
  ClipByValue: (raw) => ({ min: raw["clipValueMin"] as number, max: raw["clipValueMax"] as number }),
  Cos: none,
  Cosh: none,
  Elu: none,
  EluGrad: none,
  Erf: none,
  Exp: none,
  Expm1: none,
  Floor: none,
  IsFinite: none,
  IsInf: none,
  IsNan: none,
  LeakyRelu: (raw) => ({ alpha: raw["alpha"] as number }),
  Log: none,
  Log1p: none,
  Neg: none,
  Prelu: none,
  Reciprocal: none,
  Relu: none,
  Relu6: none,
  Round: none,
  Rsqrt: none,
  Selu: none,
  Sigmoid: none,
  Sign: none,
  Sin: none,
  Sinh: none,
  Softplus: none,
  Sqrt: none,
  Square: none,
  Step: (raw) => ({ alpha: (raw["alpha"] ?? 0) as number }),
  Tan: none,
  Tanh: none,

  Add: none,
  AddN: none,
  Atan2: none,
  FloorDiv: none,
  Maximum: none,
  Minimum: none,
  Mod: none,
  Multiply: none,
  Pow: none,
  RealDiv: none,
  SquaredDifference: none,
  Sub: none,

  Equal: none,
  Greater: none,
  GreaterEqual: none,
  Less: none,
  LessEqual: none,
  LogicalAnd: none,
  LogicalNot: none,
  LogicalOr: none,
  NotEqual: none,
  Select: none,

  All: reduction("axis"),
  Any: reduction("axis"),
  ArgMax: axis,
  ArgMin: axis,
  Cumsum: (raw, inputs) => ({
    ...axis(raw, inputs),
    exclusive: raw["exclusive"] === true,
    reverse: raw["reverse"] === true,
  }),
  Max: reduction("reductionIndices"),
  Mean: reduction("axis"),
  Min: reduction("axis"),
  Prod: reduction("axis"),
  Sum: reduction("axis"),

  BatchMatMul: (raw) => ({ transposeA: raw["transposeA"] === true, transposeB: raw["transposeB"] === true }),

  Conv2D: (raw, [x, filter]) => convolution(raw, x.shape, filter.shape),
  Conv2DBackpropFilter: (raw, [x]) => convolution(raw, x.shape, raw["filterShape"] as number[]),
  Conv2DBackpropInput: (raw, [_, filter]) => convolution(raw, raw["inputShape"] as number[], filter.shape),

  AvgPool: (raw, [x]) => pooling(raw, x.shape),
  AvgPoolGrad: (raw, [_, input]) => pooling(raw, input.shape),
  MaxPool: (raw, [x]) => pooling(raw, x.shape),
  MaxPoolGrad: (raw, [_, input]) => pooling(raw, input.shape),

  LogSoftmax: lastAxis,
  Softmax: lastAxis,

  BroadcastTo: (raw) => ({ shape: raw["shape"] as number[] }),
  Cast: (raw) => ({ dtype: typeOf(raw["dtype"], "float32") }),
  Concat: axis,
  ExpandDims: (raw, [x]) => {
    const { shape } = x;
    const dim = raw["dim"] as number;
    const at = dim < 0 ? shape.length + dim + 1 : dim;
    return { shape: [...shape.slice(0, at), 1, ...shape.slice(at)] };
  },
  Fill: (raw) => {
    const value = raw["value"];
    const inferred: TfType = typeof value === "boolean" ? "bool" : "float32";
    return { shape: raw["shape"] as number[], value: Number(value), dtype: typeOf(raw["dtype"], inferred) };
  },
  GatherV2: (raw, [x]) => ({
    axis: axesOf(raw["axis"] ?? 0, x.shape.length)[0],
    batchDims: (raw["batchDims"] ?? 0) as number,
  }),
  Identity: none,
  OneHot: (raw) => ({
    depth: raw["depth"] as number,
    onValue: raw["onValue"] as number,
    offValue: raw["offValue"] as number,
    dtype: typeOf(raw["dtype"], "int32"),
  }),
  OnesLike: none,
  Pack: (raw, [x]) => {
    const [at] = axesOf(raw["axis"] ?? 0, x.shape.length + 1);
    return { axis: at };
  },
  PadV2: (raw) => ({
    paddings: raw["paddings"] as number[][],
    value: (raw["constantValue"] ?? 0) as number,
  }),
  Range: (raw) => {
    const start = raw["start"] as number;
    const stop = raw["stop"] as number;
    const step = raw["step"] as number;
    const count = step === 0 ? 0 : Math.max(0, Math.ceil((stop - start) / step));
    return { start, step, count, dtype: raw["dtype"] === "int32" ? "int32" : "float32" };
  },
  Reshape: (raw, [x]) => ({ shape: implicit(raw["shape"] as number[], sizeOf(x)) }),
  Reverse: (raw, [x]) => ({ axes: axesOf(raw["dims"], x.shape.length) }),
  Slice: (raw, [x]) => {
    const shape = [...x.shape];
    const begin = raw["begin"] as number[];
    const size = raw["size"] as number[];
    return {
      begin: shape.map((_, i) => begin[i] ?? 0),
      size: shape.map((extent, i) => size[i] === undefined || size[i] === -1 ? extent - (begin[i] ?? 0) : size[i]),
    };
  },
  SplitV: (raw, [x]) => {
    const { axis: at } = axis(raw, [x]);
    const given = raw["numOrSizeSplits"] as number | number[];
    const extent = x.shape[at];
    if (typeof given === "number") {
      return { axis: at, sizes: Array.from({ length: given }, () => extent / given) };
    }
    const known = given.filter((size) => size !== -1).reduce((sum, size) => sum + size, 0);
    return { axis: at, sizes: given.map((size) => size === -1 ? extent - known : size) };
  },
  StridedSlice: (raw, [x]) => {
    const { begin, strides, finalShape, finalShapeSparse } = tf.slice_util.sliceInfo(
      [...x.shape],
      raw["begin"] as number[],
      raw["end"] as number[],
      raw["strides"] as number[],
      (raw["beginMask"] ?? 0) as number,
      (raw["endMask"] ?? 0) as number,
      (raw["ellipsisMask"] ?? 0) as number,
      (raw["newAxisMask"] ?? 0) as number,
      (raw["shrinkAxisMask"] ?? 0) as number,
    );
    return { begin, strides, size: finalShapeSparse, shape: finalShape };
  },
  Tile: (raw) => ({ reps: raw["reps"] as number[] }),
  Transpose: (raw) => ({ perm: raw["perm"] as number[] }),
  Unpack: (raw, [x]) => axis(raw, [x]),
  UnsortedSegmentSum: (raw) => ({ segments: raw["numSegments"] as number }),
  ZerosLike: none,

  ArmlabNoise: (raw) => ({
    stream: raw["stream"] as number,
    shape: raw["shape"] as number[],
    kind: raw["kind"] as "uniform" | "normal",
  }),
};
