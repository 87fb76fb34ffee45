/**
 * Kernels of windows (convolutions, their gradients, the gradient of the largest) that tfjs's WebAssembly backend (4.22) lacks
 * or gets wrong, composed of kernels that it has: a slice for each tap of the filter.
 *
 * Symbols: B batch, h x w outputs, k filter extent, C channels in, K channels out, N = B h w.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { ComposedKernel, Kernels } from "./composed_kernels.ts";
import { Refusal } from "../core/refusal.ts";

/** tfjs's geometry of a 2-D convolution or pooling. */
type Geometry = tf.backend_util.Conv2DInfo;

/** Filter positions, row by row. */
function taps({ filterHeight, filterWidth }: Geometry): [number, number][] {
  return Array.from({ length: filterHeight * filterWidth }, (_, i) => [Math.floor(i / filterWidth), i % filterWidth]);
}

/** Extents of the padded input that the filter reaches: from the first row of the first tap to the last of the last. */
function reach(geometry: Geometry): [number, number] {
  const { outHeight, outWidth, strideHeight, strideWidth, dilationHeight, dilationWidth, filterHeight, filterWidth } =
    geometry;
  return [
    (outHeight - 1) * strideHeight + (filterHeight - 1) * dilationHeight + 1,
    (outWidth - 1) * strideWidth + (filterWidth - 1) * dilationWidth + 1,
  ];
}

/** The input with its padding, [B, H, W, C], cut to at least what the filter reaches. */
function padded(k: Kernels, x: tf.TensorInfo, geometry: Geometry, value = 0): tf.TensorInfo {
  const { top, left } = geometry.padInfo;
  const [height, width] = reach(geometry);
  return k.pad(x, [
    [0, 0],
    [top, Math.max(0, height - top - x.shape[1])],
    [left, Math.max(0, width - left - x.shape[2])],
    [0, 0],
  ], value);
}

/** What one tap of the filter sees of the padded input: [B, h, w, C]. */
function seen(k: Kernels, x: tf.TensorInfo, geometry: Geometry, [i, j]: [number, number]): tf.TensorInfo {
  const { outHeight, outWidth, strideHeight, strideWidth, dilationHeight, dilationWidth } = geometry;
  const begin = [0, i * dilationHeight, j * dilationWidth, 0];
  const size = [
    x.shape[0],
    (outHeight - 1) * strideHeight + 1,
    (outWidth - 1) * strideWidth + 1,
    x.shape[3],
  ];
  if (strideHeight === 1 && strideWidth === 1) return k.slice(x, begin, size);
  return k.run("StridedSlice", { x }, {
    begin,
    end: begin.map((first, axis) => first + size[axis]),
    strides: [1, strideHeight, strideWidth, 1],
    beginMask: 0,
    endMask: 0,
    ellipsisMask: 0,
    newAxisMask: 0,
    shrinkAxisMask: 0,
  });
}

/** Attributes that tfjs gives to the gradients of convolutions. */
interface ConvAttributes {
  readonly strides: [number, number] | number;
  readonly pad: "valid" | "same" | number | tf.backend_util.ExplicitPadding;
  readonly dilations?: [number, number] | number;
  readonly dataFormat?: "NHWC" | "NCHW";
  readonly dimRoundingMode?: "floor" | "round" | "ceil";
  readonly filterShape: [number, number, number, number];
  readonly inputShape: [number, number, number, number];
}

function geometryOf(
  kernel: string,
  x: readonly number[],
  filter: readonly number[],
  { strides, pad, dilations, dataFormat, dimRoundingMode }: ConvAttributes,
  depthwise: boolean,
): Geometry {
  if (dataFormat === "NCHW") {
    throw new Refusal({
      what: `run kernel ${kernel} on WebAssembly`,
      must: "its data format must be NHWC",
      found: "found NCHW",
    });
  }
  return tf.backend_util.computeConv2DInfo(
    x as [number, number, number, number],
    filter as [number, number, number, number],
    strides,
    dilations ?? [1, 1],
    pad,
    dimRoundingMode,
    depthwise,
  );
}

/** Whether the backend sees as many windows as tfjs made room for; one more, and it writes behind the result. */
function fits({ padInfo: { top, bottom, left, right }, inHeight, inWidth, ...g }: Geometry): boolean {
  const windows = (extent: number, filter: number, stride: number) => Math.floor((extent - filter) / stride) + 1;
  return windows(inHeight + top + bottom, (g.filterHeight - 1) * g.dilationHeight + 1, g.strideHeight) ===
      g.outHeight &&
    windows(inWidth + left + right, (g.filterWidth - 1) * g.dilationWidth + 1, g.strideWidth) === g.outWidth;
}

/** The backend's own convolution; where it fails at a padding, with the padding made first. */
function convolution(
  name: string,
  k: Kernels,
  inputs: Record<string, tf.TensorInfo>,
  attributes: ConvAttributes,
): tf.TensorInfo {
  const own = `${name}/own`;
  const { x, filter } = inputs;
  if (attributes.pad === "valid") return k.run(own, inputs, { ...attributes });
  const geometry = geometryOf(name, x.shape, filter.shape, attributes, name.includes("Depthwise"));
  const [height, width] = reach(geometry);
  const whole = attributes.pad !== "same" || (height >= x.shape[1] && width >= x.shape[2]);
  if (whole && fits(geometry)) return k.run(own, inputs, { ...attributes });
  const input = padded(k, x, geometry);
  const cut = geometry.batchSize * geometry.outHeight * geometry.outWidth === 0 ||
      (height === input.shape[1] && width === input.shape[2]) || attributes.pad === "same"
    ? input
    : k.slice(input, [0, 0, 0, 0], [x.shape[0], height, width, x.shape[3]]);
  return k.run(own, { ...inputs, x: cut }, { ...attributes, pad: "valid", dimRoundingMode: undefined });
}

/** A composed kernel. */
type Compose = (k: Kernels, inputs: Record<string, tf.TensorInfo>, attributes: ConvAttributes) => tf.TensorInfo;

/**
 * With batch and channels exchanged dW is a convolution of x by dy whose dilation is the stride:
 * dW[i, j, c, o] = sum over n, p, q of x[n, s p + d i, s q + d j, c] dy[n, p, q, o].
 */
const conv2DBackpropFilter: Compose = (k, { x, dy }, attributes) => {
  const { filterShape } = attributes;
  const geometry = geometryOf("Conv2DBackpropFilter", x.shape, filterShape, attributes, false);
  if (geometry.batchSize * geometry.outHeight * geometry.outWidth === 0) return k.zeros(filterShape);
  const { strideHeight, strideWidth, dilationHeight, dilationWidth } = geometry;
  const input = padded(k, x, geometry);
  const [height, width] = reach(geometry);
  const reached = height === input.shape[1] && width === input.shape[2]
    ? input
    : k.slice(input, [0, 0, 0, 0], [x.shape[0], height, width, x.shape[3]]);
  const y = k.run("Conv2D/own", {
    x: k.transpose(reached, [3, 1, 2, 0]),
    filter: k.transpose(dy, [1, 2, 0, 3]),
  }, {
    strides: [dilationHeight, dilationWidth],
    dilations: [strideHeight, strideWidth],
    pad: "valid",
    dataFormat: "NHWC",
  });
  return k.transpose(y, [1, 2, 0, 3]);
};

/** Each tap of dW is the sum over N of what it saw times dy: [k, k, C, q]. */
const depthwiseBackpropFilter: Compose = (k, { x, dy }, attributes) => {
  const { filterShape } = attributes;
  const geometry = geometryOf("DepthwiseConv2dNativeBackpropFilter", x.shape, filterShape, attributes, true);
  const rows = geometry.batchSize * geometry.outHeight * geometry.outWidth;
  if (rows === 0) return k.zeros(filterShape);
  const [, , channels, multiplier] = filterShape;
  const input = padded(k, x, geometry);
  const outputs = k.reshape(dy, [rows, channels, multiplier]);
  const parts = taps(geometry).map((tap) => {
    const rowsSeen = k.reshape(seen(k, input, geometry, tap), [rows, channels, 1]);
    return k.reshape(k.sum(k.multiply(rowsSeen, outputs), [0]), [1, channels, multiplier]);
  });
  return k.reshape(k.concat(parts, 0), filterShape);
};

/** Puts zeros between the elements of an axis and after the last one. */
function spread(k: Kernels, x: tf.TensorInfo, axis: number, stride: number): tf.TensorInfo {
  if (stride === 1) return x;
  const { shape } = x;
  const split = k.reshape(x, [...shape.slice(0, axis + 1), 1, ...shape.slice(axis + 1)]);
  const filled = k.pad(split, split.shape.map((_, i) => [0, i === axis + 1 ? stride - 1 : 0] as const));
  return k.reshape(filled, shape.map((extent, i) => i === axis ? extent * stride : extent));
}

/** Adds up what each tap gives back to the input that it saw: parts [B, h, w, C] to [B, H, W, C]. */
function givenBack(
  k: Kernels,
  geometry: Geometry,
  inputShape: readonly number[],
  partOf: (tap: [number, number]) => tf.TensorInfo,
): tf.TensorInfo {
  const [, height, width] = inputShape;
  const { outHeight, outWidth, strideHeight, strideWidth, dilationHeight, dilationWidth, padInfo: { top, left } } =
    geometry;
  // Large enough for every tap's spread outputs and for the input behind its padding.
  const full = [
    Math.max(top + height, outHeight * strideHeight + (geometry.filterHeight - 1) * dilationHeight),
    Math.max(left + width, outWidth * strideWidth + (geometry.filterWidth - 1) * dilationWidth),
  ];
  let total: tf.TensorInfo | null = null;
  for (const [i, j] of taps(geometry)) {
    const wide = spread(k, spread(k, partOf([i, j]), 1, strideHeight), 2, strideWidth);
    const [y, x] = [i * dilationHeight, j * dilationWidth];
    const placed = k.pad(wide, [
      [0, 0],
      [y, full[0] - y - wide.shape[1]],
      [x, full[1] - x - wide.shape[2]],
      [0, 0],
    ]);
    total = total === null ? placed : k.run("Add", { a: total, b: placed });
  }
  return k.slice(total!, [0, top, left, 0], inputShape);
}

/** dx is the sum over taps of (dy times the tap's weights), put where the tap saw it. */
const depthwiseBackpropInput: Compose = (k, { dy, filter }, attributes) => {
  const { inputShape } = attributes;
  const geometry = geometryOf("DepthwiseConv2dNativeBackpropInput", inputShape, filter.shape, attributes, true);
  const [batch, , , channels] = inputShape;
  const { outHeight, outWidth } = geometry;
  const multiplier = filter.shape[3];
  if (batch * outHeight * outWidth === 0) return k.zeros(inputShape);
  const outputs = k.reshape(dy, [batch, outHeight, outWidth, channels, multiplier]);
  return givenBack(k, geometry, inputShape, ([i, j]) => {
    const weights = k.reshape(k.slice(filter, [i, j, 0, 0], [1, 1, channels, multiplier]), [channels, multiplier]);
    return k.sum(k.multiply(outputs, weights), [4]);
  });
};

/** Each window's dy goes to the first of its largest values. */
function maxPoolGrad(
  k: Kernels,
  { dy, input, output }: Record<string, tf.TensorInfo>,
  { filterSize, strides, pad, dimRoundingMode }: {
    readonly filterSize: [number, number] | number;
    readonly strides: [number, number] | number;
    readonly pad: "valid" | "same" | number;
    readonly dimRoundingMode?: "floor" | "round" | "ceil";
  },
): tf.TensorInfo {
  const shape = input.shape as [number, number, number, number];
  const geometry = tf.backend_util.computePool2DInfo(shape, filterSize, strides, 1, pad, dimRoundingMode);
  if (tf.util.sizeFromShape(shape) * geometry.outHeight * geometry.outWidth === 0) return k.zeros(shape);
  const window = padded(k, input, geometry, Number.NEGATIVE_INFINITY);
  let left = dy;
  return givenBack(k, geometry, shape, (tap) => {
    const largest = k.run("Equal", { a: seen(k, window, geometry, tap), b: output });
    const part = k.multiply(left, k.cast(largest, "float32"));
    left = k.run("Sub", { a: left, b: part });
    return part;
  });
}

/** By tfjs's names. */
export const windowKernels: Readonly<Record<string, ComposedKernel>> = {
  Conv2D: (k, inputs, attrs) => convolution("Conv2D", k, inputs, attrs as ConvAttributes),
  DepthwiseConv2dNative: (k, inputs, attrs) => convolution("DepthwiseConv2dNative", k, inputs, attrs as ConvAttributes),
  FusedConv2D: (k, inputs, attrs) => convolution("FusedConv2D", k, inputs, attrs as ConvAttributes),
  FusedDepthwiseConv2D: (k, inputs, attrs) => convolution("FusedDepthwiseConv2D", k, inputs, attrs as ConvAttributes),
  Conv2DBackpropFilter: (k, inputs, attrs) => conv2DBackpropFilter(k, inputs, attrs as ConvAttributes),
  DepthwiseConv2dNativeBackpropFilter: (k, inputs, attrs) =>
    depthwiseBackpropFilter(k, inputs, attrs as ConvAttributes),
  DepthwiseConv2dNativeBackpropInput: (k, inputs, attrs) => depthwiseBackpropInput(k, inputs, attrs as ConvAttributes),
  MaxPoolGrad: (k, inputs, attrs) => maxPoolGrad(k, inputs, attrs as Parameters<typeof maxPoolGrad>[2]),
};
