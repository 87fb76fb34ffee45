/** Parity cases of convolutions, plain, by channel and fused, with their gradients. */
import * as tf from "@tensorflow/tfjs";
import type { convRules } from "../../../engines/onnx/lower/conv.ts";
import type { depthwiseRules } from "../../../engines/onnx/lower/depthwise.ts";
import { type Case, type Make, several } from "./case.ts";
import { type Pad, pads, type Pair, type PoolName, rounding, strides } from "./pool.ts";

type Format = "NHWC" | "NCHW";
type Extents = number | [number, number, number];

const conv = (stride: Pair, pad: Pad, dilations: Pair = 1, format: Format = "NHWC"): Make => ([x, w]) =>
  tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, stride, pad, format, dilations, rounding(pad));
const transposed =
  (outputShape: [number, number, number, number], stride: Pair, pad: "same" | "valid"): Make => ([x, w]) =>
    tf.conv2dTranspose(x as tf.Tensor4D, w as tf.Tensor4D, outputShape, stride, pad);
const depthwise = (stride: Pair, pad: Pad, dilations: Pair = 1): Make => ([x, w]) =>
  tf.depthwiseConv2d(x as tf.Tensor4D, w as tf.Tensor4D, stride, pad, "NHWC", dilations, rounding(pad));
const conv3d = (stride: Extents, pad: "same" | "valid", dilations = 1): Make => ([x, w]) =>
  tf.conv3d(x as tf.Tensor5D, w as tf.Tensor5D, stride, pad, "NDHWC", dilations);

type Options = Parameters<typeof tf.fused.depthwiseConv2d>[0];
type Activation = NonNullable<Options["activation"]>;
/** A fused convolution of x, filter, bias and weights of a PReLU. */
const fused = (
  run: (options: Options) => tf.Tensor,
  stride: Pair,
  pad: "same" | "valid",
  activation: Activation,
): Make =>
([x, filter, bias, preluActivationWeights]) =>
  run({
    x: x as tf.Tensor4D,
    filter: filter as tf.Tensor4D,
    strides: stride,
    pad,
    bias,
    activation,
    preluActivationWeights,
  });
/** Under a tape tfjs fuses the linear one only. */
const taped = (activation: Activation): Partial<Case> => activation === "linear" ? {} : { gradient: false };

const windows = (make: (stride: Pair, pad: Pad) => Make, shapes: Case["shapes"], options: Partial<Case> = {}): Case[] =>
  pads.flatMap((pad) => strides.map((stride): Case => ({ shapes, run: make(stride, pad), ...options })));
/** Sums of hundreds of products are rounded in another order. */
const long: Partial<Case> = { tolerance: 1e-4 };
const images = [[2, 6, 5, 3], [3, 3, 3, 4]] as const;
const volumes = [[2, 4, 5, 3, 2], [2, 3, 2, 2, 3]] as const;
/** Maps and filters of odd extents, of one element, and without samples, places, channels in or channels out. */
const edges = [
  [[3, 5, 7, 3], [3, 1, 3, 5]],
  [[1, 1, 1, 1], [1, 1, 1, 1]],
  [[0, 4, 4, 2], [3, 3, 2, 3]],
  [[2, 0, 4, 2], [3, 3, 2, 3]],
  [[2, 4, 4, 0], [3, 3, 0, 2]],
  [[2, 4, 4, 2], [3, 3, 2, 0]],
] as const;
const volumeEdges = [
  [[3, 3, 1, 5, 1], [3, 1, 3, 1, 3]],
  [[1, 1, 1, 1, 1], [1, 1, 1, 1, 1]],
  [[0, 3, 3, 3, 1], [2, 2, 2, 1, 2]],
  [[2, 3, 3, 3, 0], [2, 2, 2, 0, 2]],
] as const;
const fusedEdges = [
  [[3, 5, 7, 3], [3, 1, 3, 5], [5]],
  [[1, 1, 1, 1], [1, 1, 1, 1], [1]],
  [[0, 4, 4, 2], [3, 3, 2, 3], [3]],
  [[2, 4, 4, 0], [3, 3, 0, 2], [2]],
] as const;

export const convCases: Readonly<
  Record<Exclude<keyof typeof convRules, PoolName> | keyof typeof depthwiseRules, readonly Case[]>
> = {
  Conv2D: [
    ...windows((stride, pad) => conv(stride, pad), images),
    ...pads.flatMap((pad) =>
      [2, [1, 2] as [number, number]].map((dilation): Case => ({ shapes: images, run: conv(1, pad, dilation) }))
    ),
    ...several(edges, conv(1, "same")),
    ...several(edges.slice(0, 3), conv(2, "same")),
    { shapes: [[1, 4, 4, 1], [1, 1, 1, 2]], run: conv(2, "valid") },
    { shapes: [[2, 1, 7, 3], [1, 3, 3, 2]], run: conv([1, 2], "same") },
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
    { shapes: [[2, 7, 7, 2], [3, 3, 2, 3]], run: conv(2, "same") },
    // With more channels, and on large maps, the gradient has other forms.
    ...windows((stride, pad) => conv(stride, pad), [[2, 7, 6, 8], [3, 3, 8, 2]], long),
    ...several([[[3, 5, 3, 9], [3, 3, 9, 3]], [[0, 5, 3, 9], [3, 3, 9, 3]]], conv(1, "same"), long),
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
      [1, 2].map((stride): Case => {
        const extent = (size: number) => pad === "same" ? size * stride : (size - 1) * stride + 3;
        return { shapes: [[2, 3, 4, 2], [3, 3, 4, 2]], run: transposed([2, extent(3), extent(4), 4], stride, pad) };
      })
    ),
    { shapes: [[3, 3, 5, 1], [3, 3, 3, 1]], run: transposed([3, 5, 9, 3], 2, "same") },
    { shapes: [[1, 1, 1, 1], [1, 1, 1, 1]], run: transposed([1, 1, 1, 1], 1, "valid") },
    { shapes: [[0, 3, 3, 2], [3, 3, 4, 2]], run: transposed([0, 6, 6, 4], 2, "same") },
  ],
  Conv3D: [
    ...(["same", "valid"] as const).flatMap((pad) =>
      ([1, 2, [1, 2, 1]] as Extents[]).map((stride): Case => ({ shapes: volumes, run: conv3d(stride, pad) }))
    ),
    { shapes: volumes, run: conv3d(1, "same", 2) },
    { shapes: [[1, 1, 1, 1, 1], [1, 1, 1, 1, 2]], run: conv3d(1, "valid") },
    ...several(volumeEdges, conv3d(1, "same")),
    ...several(volumeEdges.slice(0, 3), conv3d(2, "same")),
  ],
  Conv3DBackpropFilterV2: several([volumes, volumeEdges[0]], conv3d(2, "same")),
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
    ...several(
      [
        [[3, 5, 7, 3], [3, 1, 3, 3]],
        [[1, 1, 1, 1], [1, 1, 1, 1]],
        [[0, 3, 3, 2], [2, 2, 2, 1]],
        [[2, 3, 3, 0], [2, 2, 0, 1]],
      ],
      depthwise(1, "same"),
    ),
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
      run: fused(tf.fused.conv2d, 2, "same", activation),
      ...taped(activation),
    })),
    { shapes: [...images, [4], [4]], run: fused(tf.fused.conv2d, 1, "valid", "prelu"), gradient: false },
    ...several(fusedEdges, fused(tf.fused.conv2d, 1, "same", "linear")),
    ...several(fusedEdges, fused(tf.fused.conv2d, 1, "same", "relu"), { gradient: false }),
  ],
  FusedDepthwiseConv2D: (["linear", "relu6"] as const).flatMap((activation) =>
    several(
      [
        [[2, 6, 5, 3], [3, 3, 3, 2], [6]],
        [[3, 5, 7, 3], [3, 1, 3, 1], [3]],
        [[1, 1, 1, 1], [1, 1, 1, 1], [1]],
        [[0, 4, 4, 3], [3, 3, 3, 2], [6]],
      ],
      fused(tf.fused.depthwiseConv2d, 1, "same", activation),
      taped(activation),
    )
  ),
};
