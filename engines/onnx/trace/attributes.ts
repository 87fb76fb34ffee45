/**
 * tfjs's kernel attributes in one form: axes as lists of non-negative numbers, ranges resolved against shapes, windows as
 * numbers instead of words. tfjs passes `null` where its types say otherwise (`axis` of a full sum); it ends here.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { ValueSpec } from "../graph/ir.ts";
import {
  type ActivationAttributes,
  type AttributesOf,
  isTfType,
  type KernelName,
  type ResizeAttributes,
  type ResponseAttributes,
  type TfType,
} from "./kernels.ts";
import { convolution2d, convolution3d, depthwise, pooling2d, pooling3d, type RawAttributes } from "./geometry.ts";

export type { RawAttributes } from "./geometry.ts";

type Normalise<K extends KernelName> = (raw: RawAttributes, inputs: readonly ValueSpec[]) => AttributesOf<K>;

const none = () => ({});

function axesOf(axis: unknown, rank: number): number[] {
  if (axis === null || axis === undefined) return Array.from({ length: rank }, (_, i) => i);
  const list = Array.isArray(axis) ? axis as number[] : [axis as number];
  const outside = list.find((a) => !Number.isInteger(a) || a < -rank || a >= rank);
  if (outside !== undefined) throw new RangeError(`axis ${outside} is none of a tensor of rank ${rank}`);
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

const cumulative = (raw: RawAttributes, inputs: readonly ValueSpec[]) => ({
  ...axis(raw, inputs),
  exclusive: raw["exclusive"] === true,
  reverse: raw["reverse"] === true,
});

const factors = (raw: RawAttributes) => ({
  transposeA: raw["transposeA"] === true,
  transposeB: raw["transposeB"] === true,
});

function activation(raw: RawAttributes): ActivationAttributes {
  return {
    activation: (raw["activation"] ?? "linear") as ActivationAttributes["activation"],
    alpha: (raw["leakyreluAlpha"] ?? 0) as number,
  };
}

const response = (raw: RawAttributes): ResponseAttributes => ({
  radius: raw["depthRadius"] as number,
  bias: raw["bias"] as number,
  alpha: raw["alpha"] as number,
  beta: raw["beta"] as number,
});

const resize = (raw: RawAttributes): ResizeAttributes => ({
  size: raw["size"] as [number, number],
  alignCorners: raw["alignCorners"] === true,
  halfPixelCenters: raw["halfPixelCenters"] === true,
});

const resizeGradient = (raw: RawAttributes, [_, dy]: readonly ValueSpec[]): ResizeAttributes => ({
  ...resize(raw),
  size: [dy.shape[1], dy.shape[2]],
});

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
  BitwiseAnd: none,
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
  Bincount: (raw) => ({ size: raw["size"] as number }),
  Cumprod: cumulative,
  Cumsum: cumulative,
  DenseBincount: (raw) => ({ size: raw["size"] as number, binary: raw["binaryOutput"] === true }),
  Max: reduction("reductionIndices"),
  Mean: reduction("axis"),
  Min: reduction("axis"),
  Prod: reduction("axis"),
  SearchSorted: (raw) => ({ right: raw["side"] === "right" }),
  Sum: reduction("axis"),
  TopK: (raw) => ({ k: raw["k"] as number }),

  BatchMatMul: factors,
  Einsum: (raw) => ({ equation: (raw["equation"] as string).replaceAll(" ", "") }),
  _FusedMatMul: (raw) => ({ ...factors(raw), ...activation(raw) }),

  Conv2D: (raw, [x, filter]) => convolution2d(raw, x.shape, filter.shape),
  Conv2DBackpropFilter: (raw, [x]) => convolution2d(raw, x.shape, raw["filterShape"] as number[]),
  Conv2DBackpropInput: (raw, [_, filter]) => convolution2d(raw, raw["inputShape"] as number[], filter.shape),
  Conv3D: (raw, [x, filter]) => convolution3d(raw, x.shape, filter.shape),
  Conv3DBackpropFilterV2: (raw, [x]) => convolution3d(raw, x.shape, raw["filterShape"] as number[]),
  Conv3DBackpropInputV2: (raw, [_, filter]) => convolution3d(raw, raw["inputShape"] as number[], filter.shape),
  DepthwiseConv2dNative: (raw, [x, filter]) => depthwise(raw, x.shape, filter.shape),
  DepthwiseConv2dNativeBackpropFilter: (raw, [x]) => {
    const filter = raw["filterShape"] as number[];
    return { ...depthwise(raw, x.shape, filter), multiplier: filter[3] };
  },
  DepthwiseConv2dNativeBackpropInput: (raw, [_, filter]) => depthwise(raw, raw["inputShape"] as number[], filter.shape),
  FusedConv2D: (raw, [x, filter]) => ({ ...convolution2d(raw, x.shape, filter.shape), ...activation(raw) }),
  FusedDepthwiseConv2D: (raw, [x, filter]) => ({ ...depthwise(raw, x.shape, filter.shape), ...activation(raw) }),

  AvgPool: (raw, [x]) => pooling2d(raw, x.shape),
  AvgPool3D: (raw, [x]) => pooling3d(raw, x.shape),
  AvgPool3DGrad: (raw, [_, input]) => pooling3d(raw, input.shape),
  AvgPoolGrad: (raw, [_, input]) => pooling2d(raw, input.shape),
  MaxPool: (raw, [x]) => pooling2d(raw, x.shape),
  MaxPool3D: (raw, [x]) => pooling3d(raw, x.shape),
  MaxPool3DGrad: (raw, [_, input]) => pooling3d(raw, input.shape),
  MaxPoolGrad: (raw, [_, input]) => pooling2d(raw, input.shape),
  MaxPoolWithArgmax: (raw, [x]) => ({
    ...pooling2d(raw, x.shape),
    includeBatch: raw["includeBatchInIndex"] === true,
  }),

  FusedBatchNorm: (raw) => ({ epsilon: (raw["varianceEpsilon"] ?? 0.001) as number }),
  LRN: response,
  LRNGrad: response,
  Softmax: lastAxis,

  ResizeBilinear: resize,
  ResizeBilinearGrad: resizeGradient,
  ResizeNearestNeighbor: resize,
  ResizeNearestNeighborGrad: resizeGradient,

  BatchToSpaceND: (raw) => ({ block: raw["blockShape"] as number[], crops: raw["crops"] as number[][] }),
  Cast: (raw) => ({ dtype: typeOf(raw["dtype"], "float32") }),
  Concat: axis,
  DepthToSpace: (raw) => ({ block: raw["blockSize"] as number, channelsFirst: raw["dataFormat"] === "NCHW" }),
  Diag: none,
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
  FlipLeftRight: none,
  GatherNd: none,
  GatherV2: (raw, [x]) => ({
    axis: axesOf(raw["axis"] ?? 0, x.shape.length)[0],
    batchDims: (raw["batchDims"] ?? 0) as number,
  }),
  Identity: none,
  LinSpace: (raw) => ({ start: raw["start"] as number, stop: raw["stop"] as number, count: raw["num"] as number }),
  MirrorPad: (raw) => ({ paddings: raw["paddings"] as number[][], reflect: raw["mode"] === "reflect" }),
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
  ScatterNd: (raw) => ({ shape: raw["shape"] as number[] }),
  Slice: (raw, [x]) => {
    const info = { dataId: {}, shape: [...x.shape], dtype: x.dtype as tf.DataType };
    const [begin, size] = tf.slice_util.parseSliceParams(
      info,
      raw["begin"] as number | number[],
      raw["size"] as number | number[] | undefined,
    );
    tf.slice_util.assertParamsValid(info, begin, size);
    return { begin, size };
  },
  SpaceToBatchND: (raw) => ({ block: raw["blockShape"] as number[], paddings: raw["paddings"] as number[][] }),
  SparseToDense: (raw) => ({ shape: raw["outputShape"] as number[] }),
  SplitV: (raw, [x]) => {
    const { axis: at } = axis(raw, [x]);
    const shape = { shape: [...x.shape] } as tf.Tensor;
    return { axis: at, sizes: tf.backend_util.prepareSplitSize(shape, raw["numOrSizeSplits"] as number[], at) };
  },
  StridedSlice: (raw, [x]) => {
    const { begin, end, strides, finalShape } = tf.slice_util.sliceInfo(
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
    // tfjs's own sizes leave dropped axes out.
    const size = begin.map((at, i) => Math.max(0, Math.ceil((end[i] - at) / strides[i])));
    return { begin, strides, size, shape: finalShape };
  },
  TensorScatterUpdate: none,
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
