/** Parity cases of convolution and pooling. */
import * as tf from "@tensorflow/tfjs";
import type { convRules } from "../../../engines/onnx/lower/conv.ts";
import type { depthwiseRules } from "../../../engines/onnx/lower/depthwise.ts";
import { type Case, golden, type Make, shaped } from "./case.ts";

type Pad = "same" | "valid" | number;
type Pair = number | [number, number];
const rounding = (pad: Pad) => typeof pad === "number" ? "floor" as const : undefined;

const conv = (strides: Pair, pad: Pad, dilations: Pair = 1, format: "NHWC" | "NCHW" = "NHWC"): Make => ([x, w]) =>
  tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, strides, pad, format, dilations, rounding(pad));
const depthwise = (strides: Pair, pad: Pad, dilations: Pair = 1): Make => ([x, w]) =>
  tf.depthwiseConv2d(x as tf.Tensor4D, w as tf.Tensor4D, strides, pad, "NHWC", dilations, rounding(pad));
const conv3d = (strides: number | [number, number, number], pad: "same" | "valid", dilations = 1): Make => ([x, w]) =>
  tf.conv3d(x as tf.Tensor5D, w as tf.Tensor5D, strides, pad, "NDHWC", dilations);

const pads: readonly Pad[] = ["same", "valid", 1];
const strides: readonly Pair[] = [1, 2, [2, 1], 3];
const images = [[2, 6, 5, 3], [3, 3, 3, 4]] as const;
const windows = (make: (stride: Pair, pad: Pad) => Make, shapes: Case["shapes"], options: Partial<Case> = {}): Case[] =>
  pads.flatMap((pad) => strides.map((stride): Case => ({ shapes, run: make(stride, pad), ...options })));
/** Sums of hundreds of products are rounded in another order. */
const long: Partial<Case> = { tolerance: 1e-4 };
const volumes = [[2, 4, 5, 3, 2], [2, 3, 2, 2, 3]] as const;
const average2d = (x: tf.Tensor, size: Pair, stride: Pair, pad: Pad) =>
  tf.avgPool(x as tf.Tensor4D, size, stride, pad, rounding(pad));
const maximum2d = (x: tf.Tensor, size: Pair, stride: Pair, pad: Pad) =>
  tf.maxPool(x as tf.Tensor4D, size, stride, pad, rounding(pad));
const divides = "divides the gradient by the whole window where a part of it is padding";
const borders: Partial<Case> = { gradient: "differences", wrong: divides };

const strided = conv(2, "same");

export const convCases: Readonly<Record<keyof typeof convRules | keyof typeof depthwiseRules, readonly Case[]>> = {
  Conv2D: [
    ...windows((stride, pad) => conv(stride, pad), images),
    ...pads.flatMap((pad) =>
      [2, [1, 2] as [number, number]].map((dilation): Case => ({ shapes: images, run: conv(1, pad, dilation) }))
    ),
    { shapes: [[1, 4, 4, 1], [1, 1, 1, 2]], run: conv(2, "valid") },
    { shapes: [[1, 1, 1, 1], [1, 1, 1, 1]], run: conv(1, "same") },
    { shapes: [[2, 1, 7, 3], [1, 3, 3, 2]], run: conv([1, 2], "same") },
    { shapes: [[0, 4, 4, 2], [3, 3, 2, 3]], run: conv(1, "same") },
    {
      shapes: [[2, 5, 6, 3], [3, 2, 3, 4]],
      run: ([x, w]) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 2, [[0, 0], [1, 2], [0, 1], [0, 0]]),
    },
    {
      shapes: [[2, 6, 6, 2], [3, 3, 2, 3]],
      run: ([x, w]) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 2, 0, "NHWC", 1, "ceil"),
    },
    { shapes: [[2, 7, 3], [3, 3, 4]], run: ([x, w]) => tf.conv1d(x as tf.Tensor3D, w as tf.Tensor3D, 2, "same") },
  ],
  Conv2DBackpropFilter: [
    { shapes: [[2, 7, 7, 2], [3, 3, 2, 3]], run: strided },
    // With more channels, and on large maps, the gradient has other forms.
    ...windows((stride, pad) => conv(stride, pad), [[2, 7, 6, 8], [3, 3, 8, 2]], long),
    { shapes: [[2, 7, 6, 9], [1, 1, 9, 3]], run: conv(1, "valid") },
    { shapes: [[1, 24, 24, 8], [3, 3, 8, 1]], run: conv(1, "same"), ...long },
    {
      shapes: [[2, 8, 5, 6], [3, 2, 8, 2]],
      run: ([x, w]) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, [2, 1], 1, "NCHW", 1, "floor"),
    },
  ],
  Conv2DBackpropInput: [
    { shapes: [[2, 7, 7, 2], [3, 3, 2, 3]], run: conv(2, "valid") },
    ...(["same", "valid"] as const).flatMap((pad) =>
      [1, 2].map((stride): Case => ({
        shapes: [[2, 3, 4, 2], [3, 3, 4, 2]],
        run: ([x, w]) => {
          const extent = (size: number) => pad === "same" ? size * stride : (size - 1) * stride + 3;
          return tf.conv2dTranspose(x as tf.Tensor4D, w as tf.Tensor4D, [2, extent(3), extent(4), 4], stride, pad);
        },
      }))
    ),
  ],
  Conv3D: [
    ...(["same", "valid"] as const).flatMap((pad) =>
      ([1, 2, [1, 2, 1]] as (number | [number, number, number])[]).map((stride): Case => ({
        shapes: volumes,
        run: conv3d(stride, pad),
      }))
    ),
    { shapes: volumes, run: conv3d(1, "same", 2) },
    { shapes: [[1, 1, 1, 1, 1], [1, 1, 1, 1, 2]], run: conv3d(1, "valid") },
    { shapes: [[0, 3, 3, 3, 1], [2, 2, 2, 1, 2]], run: conv3d(1, "valid") },
  ],
  Conv3DBackpropFilterV2: [{ shapes: volumes, run: conv3d(2, "same") }],
  Conv3DBackpropInputV2: [
    { shapes: volumes, run: conv3d(2, "valid") },
    {
      shapes: [[2, 2, 3, 2, 2], [2, 2, 2, 3, 2]],
      run: ([x, w]) => tf.conv3dTranspose(x as tf.Tensor5D, w as tf.Tensor5D, [2, 4, 6, 4, 3], 2, "same"),
    },
  ],
  DepthwiseConv2dNative: [
    ...windows((stride, pad) => depthwise(stride, pad), [[2, 6, 5, 3], [3, 3, 3, 2]]),
    ...pads.map((pad): Case => ({ shapes: [[2, 6, 7, 2], [3, 2, 2, 1]], run: depthwise(1, pad, 2) })),
    { shapes: [[1, 3, 3, 1], [1, 1, 1, 1]], run: depthwise(1, "same") },
    { shapes: [[0, 3, 3, 2], [2, 2, 2, 1]], run: depthwise(1, "same") },
    {
      shapes: [[2, 5, 5, 2], [3, 3, 2, 2], [1, 1, 4, 3]],
      run: ([x, d, p]) => tf.separableConv2d(x as tf.Tensor4D, d as tf.Tensor4D, p as tf.Tensor4D, 1, "same"),
    },
  ],
  DepthwiseConv2dNativeBackpropFilter: [{ shapes: [[3, 7, 6, 2], [3, 2, 2, 3]], run: depthwise(2, "same") }],
  DepthwiseConv2dNativeBackpropInput: [{ shapes: [[3, 7, 6, 2], [2, 3, 2, 3]], run: depthwise(2, "valid") }],
  FusedConv2D: [
    ...(["linear", "relu", "sigmoid"] as const).map((activation): Case => ({
      shapes: [...images, [4]],
      run: ([x, filter, bias]) =>
        tf.fused.conv2d({
          x: x as tf.Tensor4D,
          filter: filter as tf.Tensor4D,
          strides: 2,
          pad: "same",
          bias,
          activation,
        }),
      ...(activation === "linear" ? {} : { gradient: false }),
    })),
    {
      shapes: [...images, [4], [4]],
      run: ([x, filter, bias, preluActivationWeights]) =>
        tf.fused.conv2d({
          x: x as tf.Tensor4D,
          filter: filter as tf.Tensor4D,
          strides: 1,
          pad: "valid",
          bias,
          activation: "prelu",
          preluActivationWeights,
        }),
      gradient: false,
    },
  ],
  FusedDepthwiseConv2D: (["linear", "relu6"] as const).map((activation): Case => ({
    shapes: [[2, 6, 5, 3], [3, 3, 3, 2], [6]],
    run: ([x, filter, bias]) =>
      tf.fused.depthwiseConv2d({
        x: x as tf.Tensor4D,
        filter: filter as tf.Tensor4D,
        strides: 1,
        pad: "same",
        bias,
        activation,
      }),
    ...(activation === "linear" ? {} : { gradient: false }),
  })),

  AvgPool: [
    ...shaped([[2, 5, 6, 3], [1, 1, 1, 1]], (x) => average2d(x, 1, 1, "valid")),
    ...shaped([[2, 6, 5, 3], [0, 4, 4, 1]], (x) => average2d(x, 2, 2, "valid")),
    ...shaped([[2, 6, 5, 3]], (x) => average2d(x, [3, 2], [1, 2], "valid")),
    ...shaped([[2, 5, 6, 3]], (x) => average2d(x, 3, 2, "same"), borders),
    ...shaped([[2, 5, 6, 3]], (x) => average2d(x, 3, 1, 1), borders),
    golden("average", [[2, 5, 6, 2]], ([x]) => average2d(x, 3, 2, "same"), divides),
  ],
  AvgPoolGrad: [
    // More places than a constant in a graph may have.
    ...shaped([[1, 130, 130, 1]], (x) => average2d(x, 3, 1, "same"), { ...borders, differences: false }),
    ...shaped([[2, 6, 5, 3]], (x) => average2d(x, 2, 2, "valid")),
    ...shaped([[2, 5, 5, 2]], (x) => tf.avgPool(x as tf.Tensor4D, 2, 2, 0, "ceil"), borders),
  ],
  AvgPool3D: [
    ...shaped([[2, 4, 5, 3, 2], [1, 2, 2, 2, 1]], (x) => tf.avgPool3d(x as tf.Tensor5D, 2, 1, "valid")),
    ...shaped([[2, 4, 5, 3, 2]], (x) => tf.avgPool3d(x as tf.Tensor5D, [2, 3, 2], 2, "same"), borders),
    golden("average 3d", [[1, 4, 5, 4, 2]], ([x]) => tf.avgPool3d(x as tf.Tensor5D, [2, 3, 2], 2, "same"), divides),
  ],
  AvgPool3DGrad: shaped([[2, 4, 5, 3, 2]], (x) => tf.avgPool3d(x as tf.Tensor5D, [2, 3, 1], 2, "valid")),
  MaxPool: [
    ...pads.flatMap((pad) => shaped([[2, 5, 6, 3], [1, 3, 3, 1]], (x) => maximum2d(x, 3, 2, pad))),
    ...shaped([[2, 5, 6, 3], [0, 4, 4, 1], [1, 1, 1, 1]], (x) => maximum2d(x, 1, 1, "valid")),
    ...shaped([[2, 6, 7, 2]], (x) => maximum2d(x, [2, 3], [1, 2], "same")),
  ],
  MaxPoolGrad: [
    ...shaped([[2, 5, 5, 2]], (x) => tf.maxPool(x as tf.Tensor4D, 2, 2, 0, "ceil")),
    ...shaped([[1, 4, 4, 2]], (x) => maximum2d(x, 2, 2, "valid")),
    {
      shapes: [[1, 2, 2, 1]],
      given: { 0: [1, 1, 1, 1] },
      run: ([x]) => maximum2d(x, 2, 2, "valid"),
      differences: false,
    },
  ],
  MaxPool3D: (["same", "valid"] as const).flatMap((pad) =>
    shaped([[2, 4, 5, 3, 2], [1, 2, 2, 2, 1]], (x) => tf.maxPool3d(x as tf.Tensor5D, 2, [2, 1, 1], pad))
  ),
  MaxPool3DGrad: shaped([[1, 4, 4, 2, 2]], (x) => tf.maxPool3d(x as tf.Tensor5D, 2, 2, "same")),
  MaxPoolWithArgmax: [false, true].flatMap((batch) => [
    ...shaped(
      [[2, 5, 6, 3]],
      (x) => Object.values(tf.maxPoolWithArgmax(x as tf.Tensor4D, 2, 2, "valid", batch)),
      { gradient: false },
    ),
    ...shaped(
      [[2, 5, 4, 2]],
      (x) => Object.values(tf.maxPoolWithArgmax(x as tf.Tensor4D, 3, 2, "same", batch)),
      { gradient: false },
    ),
  ]),
};
