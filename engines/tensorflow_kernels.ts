/**
 * What tfjs's Node packages (4.22) lack, composed of what they have: padding of windows in numbers. Depthwise
 * convolutions with dilations or unequal strides stay errors there.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { type ComposedKernel, type Kernels, registerComposed } from "./composed_kernels.ts";
import { floorDiv } from "./floor_div_kernel.ts";
import { indexChecks } from "./index_checks.ts";
import { logSumExpKernels } from "./log_sum_exp_kernel.ts";
import { nanKernels, windows } from "./nan_kernels.ts";

/** Attributes of windows. */
interface WindowAttributes {
  readonly strides: [number, number] | number;
  readonly pad: "valid" | "same" | number | tf.backend_util.ExplicitPadding;
  readonly dilations?: [number, number] | number;
  readonly dimRoundingMode?: "floor" | "round" | "ceil";
  readonly filterSize?: [number, number] | number;
  readonly filterShape?: [number, number, number, number];
  readonly inputShape?: [number, number, number, number];
}

type Shape = [number, number, number, number];

/** Padding in numbers before and after the axes of an image; `null` where the backend knows what to do itself. */
function paddings(
  attributes: WindowAttributes,
  input: readonly number[],
  filter: readonly number[] | null,
  depthwise: boolean,
): [number, number][] | null {
  const { pad, strides, dilations = 1, dimRoundingMode, filterSize } = attributes;
  if (pad === "valid" || pad === "same" || pad === 0) return null;
  const { padInfo: { top, bottom, left, right } } = filter === null
    ? tf.backend_util.computePool2DInfo(input as Shape, filterSize!, strides, 1, pad, dimRoundingMode)
    : tf.backend_util.computeConv2DInfo(
      input as Shape,
      filter as Shape,
      strides,
      dilations,
      pad,
      dimRoundingMode,
      depthwise,
    );
  return [[0, 0], [top, bottom], [left, right], [0, 0]];
}

const valid = (attributes: WindowAttributes, more: Partial<WindowAttributes> = {}) => ({
  ...attributes,
  pad: "valid",
  dimRoundingMode: undefined,
  ...more,
});

const grown = (shape: readonly number[], by: readonly (readonly [number, number])[]) =>
  shape.map((extent, axis) => extent + by[axis][0] + by[axis][1]) as Shape;

/** The part of a padded image that is the image. */
function cut(k: Kernels, x: tf.TensorInfo, by: readonly (readonly [number, number])[], shape: readonly number[]) {
  return k.slice(x, by.map(([before]) => before), shape);
}

const forward = (name: string, depthwise: boolean): ComposedKernel => (k, inputs, attrs) => {
  const attributes = attrs as WindowAttributes;
  const { x, filter } = inputs;
  const by = paddings(attributes, x.shape, filter.shape, depthwise);
  if (by === null) return k.run(`${name}/own`, inputs, { ...attributes });
  return k.run(`${name}/own`, { ...inputs, x: k.pad(x, by) }, valid(attributes));
};

const backFilter = (name: string, depthwise: boolean): ComposedKernel => (k, inputs, attrs) => {
  const attributes = attrs as WindowAttributes;
  const by = paddings(attributes, inputs.x.shape, attributes.filterShape!, depthwise);
  if (by === null) return k.run(`${name}/own`, inputs, { ...attributes });
  return k.run(`${name}/own`, { ...inputs, x: k.pad(inputs.x, by) }, valid(attributes));
};

const backInput = (name: string, depthwise: boolean): ComposedKernel => (k, inputs, attrs) => {
  const attributes = attrs as WindowAttributes;
  const shape = attributes.inputShape!;
  const by = paddings(attributes, shape, inputs.filter.shape, depthwise);
  if (by === null) return k.run(`${name}/own`, inputs, { ...attributes });
  const full = k.run(`${name}/own`, inputs, valid(attributes, { inputShape: grown(shape, by) }));
  return cut(k, full, by, shape);
};

const maxPool = (k: Kernels, { x }: { x: tf.TensorInfo }, attrs: unknown): tf.TensorInfo => {
  const attributes = attrs as WindowAttributes;
  const by = paddings(attributes, x.shape, null, false);
  if (by === null) return k.run("MaxPool/own", { x }, { ...attributes });
  return k.run("MaxPool/own", { x: k.pad(x, by, Number.NEGATIVE_INFINITY) }, valid(attributes));
};

const maxPoolGrad: ComposedKernel = (k, { dy, input, output }, attrs) => {
  const attributes = attrs as WindowAttributes;
  const by = paddings(attributes, input.shape, null, false);
  if (by === null) return k.run("MaxPoolGrad/own", { dy, input, output }, { ...attributes });
  const padded = k.pad(input, by, Number.NEGATIVE_INFINITY);
  return cut(k, k.run("MaxPoolGrad/own", { dy, input: padded, output }, valid(attributes)), by, input.shape);
};

/** How many values of the image each window of padding in numbers sees, at least 1: [1, h, w, 1]. */
function counts(k: Kernels, shape: readonly number[], by: [number, number][], attributes: WindowAttributes) {
  const ones = k.run("Fill", {}, { shape: [1, shape[1], shape[2], 1], value: 1, dtype: "float32" });
  const mean = k.run("AvgPool/own", { x: k.pad(ones, by) }, valid(attributes));
  return k.run("Maximum", { a: mean, b: k.scalar(1e-9) });
}

const avgPool: ComposedKernel = (k, { x }, attrs) => {
  const attributes = attrs as WindowAttributes;
  const by = paddings(attributes, x.shape, null, false);
  if (by === null) return k.run("AvgPool/own", { x }, { ...attributes });
  const mean = k.run("AvgPool/own", { x: k.pad(x, by) }, valid(attributes));
  return k.run("RealDiv", { a: mean, b: counts(k, x.shape, by, attributes) });
};

const avgPoolGrad: ComposedKernel = (k, { dy, input }, attrs) => {
  const attributes = attrs as WindowAttributes;
  const by = paddings(attributes, input.shape, null, false);
  if (by === null) return k.run("AvgPoolGrad/own", { dy, input }, { ...attributes });
  const scaled = k.run("RealDiv", { a: dy, b: counts(k, input.shape, by, attributes) });
  const full = k.run("AvgPoolGrad/own", { dy: scaled, input: k.pad(input, by) }, valid(attributes));
  return cut(k, full, by, input.shape);
};

/** Registers them, once the package is loaded; again is no error. */
export function registerTensorflowKernels(): void {
  registerComposed("tensorflow", {
    ...indexChecks,
    ...nanKernels,
    ...logSumExpKernels,
    AvgPool: avgPool,
    AvgPoolGrad: avgPoolGrad,
    Conv2D: forward("Conv2D", false),
    Conv2DBackpropFilter: backFilter("Conv2DBackpropFilter", false),
    Conv2DBackpropInput: backInput("Conv2DBackpropInput", false),
    DepthwiseConv2dNative: forward("DepthwiseConv2dNative", true),
    DepthwiseConv2dNativeBackpropFilter: backFilter("DepthwiseConv2dNativeBackpropFilter", true),
    DepthwiseConv2dNativeBackpropInput: backInput("DepthwiseConv2dNativeBackpropInput", true),
    FloorDiv: floorDiv,
    MaxPool: windows(maxPool),
    MaxPoolGrad: maxPoolGrad,
  });
}
