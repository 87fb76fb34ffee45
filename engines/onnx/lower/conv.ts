/**
 * Convolution and pooling with their gradients.
 *
 * tfjs keeps channels last, ONNX first. Every row transposes in and out; the builder lets transposes cancel and pass
 * elementwise operations, so that what stands between two convolutions stays channels first.
 *
 * @module
 */
import type { Builder } from "../builder.ts";
import { sizeOf, type Value } from "../ir.ts";
import type { WindowGeometry } from "../kernels.ts";
import { float, type Rules } from "./rule.ts";
import { first, last, mapShape, onnxFilter, outputPadding, pads, windowCounts } from "./window.ts";

function pooled(b: Builder, x: Value, g: WindowGeometry): readonly Value[] {
  return b.node("MaxPool", [first(b, float(b, x), g)], { kernel_shape: g.kernel, strides: g.strides, pads: pads(g) });
}

/** Rows of this family. */
export const convRules: Rules<
  | "Conv2D"
  | "Conv2DBackpropFilter"
  | "Conv2DBackpropInput"
  | "AvgPool"
  | "AvgPoolGrad"
  | "MaxPool"
  | "MaxPoolGrad"
> = {
  Conv2D: {
    inputs: ["x", "filter"],
    infer: (_, g) => ({ shape: mapShape(g, g.outChannels, g.outSpatial), dtype: "float32" }),
    lower: (b, [x, filter], g) => {
      const y = b.op("Conv", [first(b, float(b, x), g), onnxFilter(b, filter)], {
        kernel_shape: g.kernel,
        strides: g.strides,
        dilations: g.dilations,
        pads: pads(g),
      });
      return last(b, y, g);
    },
  },
  Conv2DBackpropInput: {
    inputs: ["dy", "filter"],
    infer: (_, g) => ({ shape: mapShape(g, g.inChannels, g.inSpatial), dtype: "float32" }),
    lower: (b, [dy, filter], g) => {
      const x = b.op("ConvTranspose", [first(b, float(b, dy), g), onnxFilter(b, filter)], {
        kernel_shape: g.kernel,
        strides: g.strides,
        dilations: g.dilations,
        pads: pads(g),
        output_padding: outputPadding(g),
      });
      return last(b, x, g);
    },
  },
  Conv2DBackpropFilter: {
    inputs: ["x", "dy"],
    infer: (_, g) => ({ shape: [...g.kernel, g.inChannels, g.outChannels], dtype: "float32" }),
    lower: (b, [x, dy], g) => {
      // With batch and channels exchanged the gradient is a convolution of x by dy whose dilation is the stride:
      // dW[i, j, c, o] = sum over n, p, q of x[n, s p + d i, s q + d j, c] dy[n, p, q, o].
      const maps = b.transpose(first(b, float(b, x), g), [1, 0, 2, 3]);
      const weights = b.transpose(first(b, float(b, dy), g), [1, 0, 2, 3]);
      const y = b.op("Conv", [maps, weights], {
        kernel_shape: g.outSpatial,
        strides: g.dilations,
        dilations: g.strides,
        pads: pads(g),
      });
      // Input that no forward window reached makes the result larger than the filter.
      const cropped = b.slice(y, [0, 0, 0, 0], [g.inChannels, g.outChannels, ...g.kernel]);
      return b.transpose(cropped, [2, 3, 0, 1]);
    },
  },
  AvgPool: {
    inputs: ["x"],
    infer: (_, g) => ({ shape: mapShape(g, g.inChannels, g.outSpatial), dtype: "float32" }),
    lower: (b, [x], g) =>
      last(
        b,
        b.op("AveragePool", [first(b, float(b, x), g)], {
          kernel_shape: g.kernel,
          strides: g.strides,
          pads: pads(g),
          count_include_pad: 0,
        }),
        g,
      ),
  },
  AvgPoolGrad: {
    inputs: ["dy", "input"],
    infer: ([_, input]) => ({ shape: input.shape, dtype: "float32" }),
    note:
      "divides by the covered elements at padded borders, as the forward pass does; tfjs's CPU divides by the window",
    lower: (b, [dy], g) => {
      const share = b.op("Div", [first(b, float(b, dy), g), windowCounts(g)]);
      const ones = b.filled(1, [g.inChannels, 1, ...g.kernel], "float32");
      const x = b.op("ConvTranspose", [share, ones], {
        kernel_shape: g.kernel,
        strides: g.strides,
        pads: pads(g),
        output_padding: outputPadding(g),
        group: g.inChannels,
      });
      return last(b, x, g);
    },
  },
  MaxPool: {
    inputs: ["x"],
    infer: (_, g) => ({ shape: mapShape(g, g.inChannels, g.outSpatial), dtype: "float32" }),
    lower: (b, [x], g) => last(b, pooled(b, x, g)[0], g),
  },
  MaxPoolGrad: {
    inputs: ["dy", "input", "output"],
    infer: ([_, input]) => ({ shape: input.shape, dtype: "float32" }),
    note: "of equal values in a window the first gets the gradient",
    lower: (b, [dy, input], g) => {
      const [y, indices] = pooled(b, input, g);
      const shape = [g.batch, g.inChannels, ...g.inSpatial];
      const flat = b.op("ScatterElements", [
        b.filled(0, [sizeOf(shape)], "float32"),
        b.reshape(indices, [sizeOf(y.shape)]),
        b.reshape(first(b, float(b, dy), g), [sizeOf(y.shape)]),
      ], { axis: 0, reduction: "add" });
      return last(b, b.reshape(flat, shape), g);
    },
  },
};
