/**
 * The tfjs kernels that cannot be compiled, and why. The type checker holds kernels and this list complete together:
 * every kernel that tfjs names is in one of them.
 *
 * @module
 */
import type * as tf from "@tensorflow/tfjs";
import type { KernelName } from "./kernels.ts";

/** Every kernel that tfjs has a name for. */
export type TfjsKernel = {
  [K in keyof typeof tf]: (typeof tf)[K] extends K ? K : never;
}[keyof typeof tf];

/** Every kernel that tfjs has a name for and that has no rule. */
export type UnsupportedKernel = Exclude<TfjsKernel, KernelName>;

const size = "the size of its result depends on values";
const string = "ONNX Runtime computes no strings that tfjs would read";
const complex = "ONNX Runtime has no complex tensors";
const host = "preparation of images belongs to the host, before a program";
const morphology = "ONNX has no such operator, and no layer here uses it";
const composed = (parts: string) => `tfjs never runs it: the operation is made of ${parts}`;

/** Reasons, each a clause after "as". */
export const unsupportedKernels: Readonly<Record<UnsupportedKernel, string>> = {
  BroadcastArgs: "its result is a shape made of values",
  BroadcastTo: composed("Reshape and Tile"),
  Complex: complex,
  ComplexAbs: complex,
  CropAndResize: host,
  Dilation2D: morphology,
  Dilation2DBackpropFilter: morphology,
  Dilation2DBackpropInput: morphology,
  Draw: "it draws on a canvas",
  FFT: complex,
  FromPixels: "it reads an image of a browser",
  IFFT: complex,
  Imag: complex,
  LogSoftmax: composed("Max, Sub, Exp, Sum and Log"),
  LogicalXor: composed("LogicalOr, LogicalAnd and LogicalNot"),
  LowerBound: composed("SearchSorted"),
  MatrixBandPart: composed("Range, Sub, comparisons and Select"),
  Multinomial:
    "its seed would draw the same classes in every run: draw from a fed key by `multinomial` of tensor/noise.ts",
  NonMaxSuppressionV3: size,
  NonMaxSuppressionV4: size,
  NonMaxSuppressionV5: size,
  Pool: composed("AvgPool or MaxPool, SpaceToBatchND and BatchToSpaceND"),
  RaggedGather: size,
  RaggedRange: size,
  RaggedTensorToTensor: size,
  Real: complex,
  RotateWithOffset: host,
  SparseFillEmptyRows: size,
  SparseReshape: "its result is a shape made of values",
  SparseSegmentMean: size,
  SparseSegmentSum: size,
  StaticRegexReplace: string,
  StringNGrams: string,
  StringSplit: string,
  StringToHashBucketFast: string,
  Transform: host,
  Unique: size,
  UpperBound: composed("SearchSorted"),
};
