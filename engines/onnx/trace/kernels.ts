/**
 * The tfjs kernels that can be compiled: for each, the names of its inputs and its attributes after normalisation.
 *
 * A kernel added here needs a row in the rule table and one in `attributes.ts`, or neither compiles.
 *
 * @module
 */
import type { NoiseAttributes } from "../../../tensor/noise.ts";
import type { ElementType } from "../graph/ir.ts";

/** Element types that tfjs has. */
export type TfType = "float32" | "int32" | "bool";

/** A kernel's inputs by tfjs's names, `?` marking optional ones, or any number of alike ones; and its attributes. */
interface Kernel<I extends readonly string[] | "variadic", A = Record<never, never>> {
  readonly inputs: I;
  readonly attributes: A;
}

type Unary<A = Record<never, never>> = Kernel<["x"], A>;
type Binary = Kernel<["a", "b"]>;

/** Axes that are non-negative and sorted. */
export interface ReductionAttributes {
  readonly axes: readonly number[];
  readonly keepDims: boolean;
}

/** One axis, non-negative. */
export interface AxisAttributes {
  readonly axis: number;
}

/** Cumulative sums and products. */
export interface CumulativeAttributes extends AxisAttributes {
  readonly exclusive: boolean;
  readonly reverse: boolean;
}

/** A window that slides over one to three spatial axes. */
export interface WindowGeometry {
  /** Whether channels come before the spatial axes. */
  readonly channelsFirst: boolean;
  readonly batch: number;
  readonly inChannels: number;
  readonly outChannels: number;
  /** Extents of the spatial axes. */
  readonly inSpatial: readonly number[];
  readonly outSpatial: readonly number[];
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Padding before each spatial axis; what is needed after it follows from the other numbers. */
  readonly before: readonly number[];
  /** Padding after each spatial axis; negative where the last elements are not reached. */
  readonly after: readonly number[];
}

/** Factors of a matrix product. */
export interface MatMulAttributes {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

/** An activation that a fused kernel applies to its result; `alpha` is the slope of leaky ReLU. */
export interface ActivationAttributes {
  readonly activation: "linear" | "relu" | "relu6" | "elu" | "sigmoid" | "leakyrelu" | "prelu";
  readonly alpha: number;
}

/** Constants of local response normalisation. */
export interface ResponseAttributes {
  readonly radius: number;
  readonly bias: number;
  readonly alpha: number;
  readonly beta: number;
}

/** How a resized image's pixels map to the given one's. */
export interface ResizeAttributes {
  readonly size: readonly [number, number];
  readonly alignCorners: boolean;
  readonly halfPixelCenters: boolean;
}

/** Attributes of a constant filling of a shape. */
export interface FillAttributes {
  readonly shape: readonly number[];
  readonly value: number;
  readonly dtype: TfType;
}

/** A selected range per axis, resolved against the shape. */
export interface SliceAttributes {
  readonly begin: readonly number[];
  readonly size: readonly number[];
}

/** A strided range per axis, resolved against the shape, and the shape after axes were added and dropped. */
export interface StridedSliceAttributes extends SliceAttributes {
  readonly strides: readonly number[];
  readonly shape: readonly number[];
}

/** The kernels. */
export interface Kernels {
  Abs: Unary;
  Acos: Unary;
  Acosh: Unary;
  Asin: Unary;
  Asinh: Unary;
  Atan: Unary;
  Atanh: Unary;
  Ceil: Unary;
  ClipByValue: Unary<{ readonly min: number; readonly max: number }>;
  Cos: Unary;
  Cosh: Unary;
  Elu: Unary;
  EluGrad: Kernel<["dy", "y"]>;
  Erf: Unary;
  Exp: Unary;
  Expm1: Unary;
  Floor: Unary;
  IsFinite: Unary;
  IsInf: Unary;
  IsNan: Unary;
  LeakyRelu: Unary<{ readonly alpha: number }>;
  Log: Unary;
  Log1p: Unary;
  Neg: Unary;
  Prelu: Kernel<["x", "alpha"]>;
  Reciprocal: Unary;
  Relu: Unary;
  Relu6: Unary;
  Round: Unary;
  Rsqrt: Unary;
  Selu: Unary;
  Sigmoid: Unary;
  Sign: Unary;
  Sin: Unary;
  Sinh: Unary;
  Softplus: Unary;
  Sqrt: Unary;
  Square: Unary;
  Step: Unary<{ readonly alpha: number }>;
  Tan: Unary;
  Tanh: Unary;

  Add: Binary;
  AddN: Kernel<"variadic">;
  Atan2: Binary;
  BitwiseAnd: Binary;
  FloorDiv: Binary;
  Maximum: Binary;
  Minimum: Binary;
  Mod: Binary;
  Multiply: Binary;
  Pow: Binary;
  RealDiv: Binary;
  SquaredDifference: Binary;
  Sub: Binary;

  Equal: Binary;
  Greater: Binary;
  GreaterEqual: Binary;
  Less: Binary;
  LessEqual: Binary;
  LogicalAnd: Binary;
  LogicalNot: Unary;
  LogicalOr: Binary;
  NotEqual: Binary;
  Select: Kernel<["condition", "t", "e"]>;

  All: Unary<ReductionAttributes>;
  Any: Unary<ReductionAttributes>;
  ArgMax: Unary<AxisAttributes>;
  ArgMin: Unary<AxisAttributes>;
  Bincount: Kernel<["x", "weights"], { readonly size: number }>;
  Cumprod: Unary<CumulativeAttributes>;
  Cumsum: Unary<CumulativeAttributes>;
  DenseBincount: Kernel<["x", "weights"], { readonly size: number; readonly binary: boolean }>;
  Max: Unary<ReductionAttributes>;
  Mean: Unary<ReductionAttributes>;
  Min: Unary<ReductionAttributes>;
  Prod: Unary<ReductionAttributes>;
  SearchSorted: Kernel<["sortedSequence", "values"], { readonly right: boolean }>;
  Sum: Unary<ReductionAttributes>;
  TopK: Unary<{ readonly k: number }>;

  BatchMatMul: Kernel<["a", "b"], MatMulAttributes>;
  Einsum: Kernel<"variadic", { readonly equation: string }>;
  _FusedMatMul: Kernel<["a", "b", "bias?", "preluActivationWeights?"], MatMulAttributes & ActivationAttributes>;

  Conv2D: Kernel<["x", "filter"], WindowGeometry>;
  Conv2DBackpropFilter: Kernel<["x", "dy"], WindowGeometry>;
  Conv2DBackpropInput: Kernel<["dy", "filter"], WindowGeometry>;
  Conv3D: Kernel<["x", "filter"], WindowGeometry>;
  Conv3DBackpropFilterV2: Kernel<["x", "dy"], WindowGeometry>;
  Conv3DBackpropInputV2: Kernel<["dy", "filter"], WindowGeometry>;
  DepthwiseConv2dNative: Kernel<["x", "filter"], WindowGeometry>;
  DepthwiseConv2dNativeBackpropFilter: Kernel<["x", "dy"], WindowGeometry & { readonly multiplier: number }>;
  DepthwiseConv2dNativeBackpropInput: Kernel<["dy", "filter"], WindowGeometry>;
  FusedConv2D: Kernel<["x", "filter", "bias?", "preluActivationWeights?"], WindowGeometry & ActivationAttributes>;
  FusedDepthwiseConv2D: Kernel<
    ["x", "filter", "bias?", "preluActivationWeights?"],
    WindowGeometry & ActivationAttributes
  >;

  AvgPool: Unary<WindowGeometry>;
  AvgPool3D: Unary<WindowGeometry>;
  AvgPool3DGrad: Kernel<["dy", "input"], WindowGeometry>;
  AvgPoolGrad: Kernel<["dy", "input"], WindowGeometry>;
  MaxPool: Unary<WindowGeometry>;
  MaxPool3D: Unary<WindowGeometry>;
  MaxPool3DGrad: Kernel<["dy", "input", "output"], WindowGeometry>;
  MaxPoolGrad: Kernel<["dy", "input", "output"], WindowGeometry>;
  MaxPoolWithArgmax: Unary<WindowGeometry & { readonly includeBatch: boolean }>;

  FusedBatchNorm: Kernel<["x", "scale?", "offset?", "mean", "variance"], { readonly epsilon: number }>;
  LRN: Unary<ResponseAttributes>;
  LRNGrad: Kernel<["x", "y", "dy"], ResponseAttributes>;
  Softmax: Kernel<["logits"], AxisAttributes>;

  ResizeBilinear: Kernel<["images"], ResizeAttributes>;
  ResizeBilinearGrad: Kernel<["images", "dy"], ResizeAttributes>;
  ResizeNearestNeighbor: Kernel<["images"], ResizeAttributes>;
  ResizeNearestNeighborGrad: Kernel<["images", "dy"], ResizeAttributes>;

  BatchToSpaceND: Unary<{ readonly block: readonly number[]; readonly crops: readonly (readonly number[])[] }>;
  Cast: Unary<{ readonly dtype: TfType }>;
  Concat: Kernel<"variadic", AxisAttributes>;
  DepthToSpace: Unary<{ readonly block: number; readonly channelsFirst: boolean }>;
  Diag: Unary;
  ExpandDims: Kernel<["input"], { readonly shape: readonly number[] }>;
  Fill: Kernel<[], FillAttributes>;
  FlipLeftRight: Kernel<["image"]>;
  GatherNd: Kernel<["params", "indices"]>;
  GatherV2: Kernel<["x", "indices"], AxisAttributes & { readonly batchDims: number }>;
  Identity: Unary;
  LinSpace: Kernel<[], { readonly start: number; readonly stop: number; readonly count: number }>;
  MirrorPad: Unary<{ readonly paddings: readonly (readonly number[])[]; readonly reflect: boolean }>;
  OneHot: Kernel<["indices"], {
    readonly depth: number;
    readonly onValue: number;
    readonly offValue: number;
    readonly dtype: TfType;
  }>;
  OnesLike: Unary;
  Pack: Kernel<"variadic", AxisAttributes>;
  PadV2: Unary<{ readonly paddings: readonly (readonly number[])[]; readonly value: number }>;
  Range: Kernel<[], {
    readonly start: number;
    readonly step: number;
    readonly count: number;
    readonly dtype: "float32" | "int32";
  }>;
  Reshape: Unary<{ readonly shape: readonly number[] }>;
  Reverse: Unary<{ readonly axes: readonly number[] }>;
  ScatterNd: Kernel<["indices", "updates"], { readonly shape: readonly number[] }>;
  Slice: Unary<SliceAttributes>;
  SpaceToBatchND: Unary<{ readonly block: readonly number[]; readonly paddings: readonly (readonly number[])[] }>;
  SparseToDense: Kernel<["sparseIndices", "sparseValues", "defaultValue"], { readonly shape: readonly number[] }>;
  SplitV: Unary<AxisAttributes & { readonly sizes: readonly number[] }>;
  StridedSlice: Unary<StridedSliceAttributes>;
  TensorScatterUpdate: Kernel<["tensor", "indices", "updates"]>;
  Tile: Unary<{ readonly reps: readonly number[] }>;
  Transpose: Unary<{ readonly perm: readonly number[] }>;
  Unpack: Kernel<["value"], AxisAttributes>;
  UnsortedSegmentSum: Kernel<["x", "segmentIds"], { readonly segments: number }>;
  ZerosLike: Unary;

  ArmlabNoise: Kernel<["key"], NoiseAttributes>;
}

/** Name of a kernel that can be compiled. */
export type KernelName = keyof Kernels;

/** Normalised attributes of a kernel. */
export type AttributesOf<K extends KernelName> = Kernels[K]["attributes"];

/** One entry per named input: `T`, or `T | null` for an optional one. */
type Entries<N extends readonly string[], T> = {
  readonly [I in keyof N]: N[I] extends `${string}?` ? T | null : T;
};

/** Inputs as a tuple, or as a list where there may be any number. */
export type InputsOf<I extends readonly string[] | "variadic", T> = I extends readonly string[] ? Entries<I, T>
  : readonly T[];

/** Element types by name, for checks. */
export function isTfType(dtype: string): dtype is TfType & ElementType {
  return dtype === "float32" || dtype === "int32" || dtype === "bool";
}
