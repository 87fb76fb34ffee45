/**
 * Convolution and pooling over two or three spatial axes, with their gradients.
 *
 * tfjs keeps channels last, ONNX first. Every row transposes in and out; the builder lets transposes cancel and pass
 * elementwise operations, so that what stands between two convolutions stays channels first.
 *
 * @module
 */
import type { Builder } from "../graph/builder.ts";
import { sizeOf, type Value } from "../graph/ir.ts";
import type { WindowGeometry } from "../trace/kernels.ts";
import { filterGradient, inputGradient } from "./conv_gradients.ts";
import { byPatches, patchConvolution } from "./patches.ts";
import { float, type KernelRule, type Rules } from "./rule.ts";
import { cropped, first, last, mapShape, onnxFilter, pads, transposedWindow, windowCounts } from "./window.ts";

const convolution: KernelRule<"Conv2D" | "Conv3D"> = {
  inputs: ["x", "filter"],
  infer: (_, g) => ({ shape: mapShape(g, g.outChannels, g.outSpatial), dtype: "float32" }),
  sums: true,
  lower: (b, [x, filter], g) => {
    if (byPatches(b, g)) return patchConvolution(b, float(b, x), filter, g);
    const y = b.op("Conv", [first(b, float(b, x), g), onnxFilter(b, filter)], {
      kernel_shape: g.kernel,
      strides: g.strides,
      dilations: g.dilations,
      pads: pads(g),
    });
    return last(b, cropped(b, y, g), g);
  },
};

const inputGradientRule: KernelRule<"Conv2DBackpropInput" | "Conv3DBackpropInputV2"> = {
  inputs: ["dy", "filter"],
  infer: (_, g) => ({ shape: mapShape(g, g.inChannels, g.inSpatial), dtype: "float32" }),
  sums: true,
  lower: (b, [dy, filter], g) => inputGradient(b, float(b, dy), filter, g),
};

const filterGradientRule: KernelRule<"Conv2DBackpropFilter" | "Conv3DBackpropFilterV2"> = {
  inputs: ["x", "dy"],
  infer: (_, g) => ({ shape: [...g.kernel, g.inChannels, g.outChannels], dtype: "float32" }),
  sums: true,
  lower: (b, [x, dy], g) => filterGradient(b, float(b, x), float(b, dy), g),
};

const average: KernelRule<"AvgPool" | "AvgPool3D"> = {
  inputs: ["x"],
  infer: (_, g) => ({ shape: mapShape(g, g.inChannels, g.outSpatial), dtype: "float32" }),
  lower: (b, [x], g) => {
    const y = b.op("AveragePool", [first(b, float(b, x), g)], {
      kernel_shape: g.kernel,
      strides: g.strides,
      pads: pads(g),
      count_include_pad: 0,
    });
    return last(b, cropped(b, y, g), g);
  },
};

const averageGradient: KernelRule<"AvgPoolGrad" | "AvgPool3DGrad"> = {
  inputs: ["dy", "input"],
  infer: ([_, input]) => ({ shape: input.shape, dtype: "float32" }),
  note: "divides by the covered elements at padded borders, as the forward pass does; tfjs's CPU divides by the window",
  lower: (b, [dy], g) => {
    const share = b.op("Div", [first(b, float(b, dy), g), windowCounts(b, g)]);
    const ones = b.filled(1, [g.inChannels, 1, ...g.kernel], "float32");
    const x = transposedWindow(b, share, ones, g, g.inChannels);
    return last(b, x, g);
  },
};

function pooled(b: Builder, x: Value, g: WindowGeometry): readonly Value[] {
  const window = { kernel_shape: g.kernel, strides: g.strides, pads: pads(g) };
  return b.node("MaxPool", [first(b, float(b, x), g)], window).map((part) => cropped(b, part, g));
}

const maximum: KernelRule<"MaxPool" | "MaxPool3D"> = {
  inputs: ["x"],
  infer: (_, g) => ({ shape: mapShape(g, g.inChannels, g.outSpatial), dtype: "float32" }),
  lower: (b, [x], g) => last(b, pooled(b, x, g)[0], g),
};

const maximumGradient: KernelRule<"MaxPoolGrad" | "MaxPool3DGrad"> = {
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
};

/** Rows of this family. */
export const convRules: Rules<
  | "Conv2D"
  | "Conv2DBackpropFilter"
  | "Conv2DBackpropInput"
  | "Conv3D"
  | "Conv3DBackpropFilterV2"
  | "Conv3DBackpropInputV2"
  | "AvgPool"
  | "AvgPoolGrad"
  | "AvgPool3D"
  | "AvgPool3DGrad"
  | "MaxPool"
  | "MaxPoolGrad"
  | "MaxPool3D"
  | "MaxPool3DGrad"
  | "MaxPoolWithArgmax"
> = {
  Conv2D: convolution,
  Conv2DBackpropInput: inputGradientRule,
  Conv2DBackpropFilter: filterGradientRule,
  Conv3D: convolution,
  Conv3DBackpropInputV2: inputGradientRule,
  Conv3DBackpropFilterV2: filterGradientRule,
  AvgPool: average,
  AvgPoolGrad: averageGradient,
  AvgPool3D: average,
  AvgPool3DGrad: averageGradient,
  MaxPool: maximum,
  MaxPoolGrad: maximumGradient,
  MaxPool3D: maximum,
  MaxPool3DGrad: maximumGradient,
  MaxPoolWithArgmax: {
    inputs: ["x"],
    infer: ([x], g) => {
      const shape = mapShape(g, g.inChannels, g.outSpatial);
      return [{ shape, dtype: x.dtype }, { shape, dtype: "int32" }];
    },
    lower: (b, [x], g) => {
      // ONNX numbers the elements of [batch, channel, place], tfjs those of [place, channel] or [batch, place, channel].
      const [y, indices] = pooled(b, x, g);
      const places = sizeOf(g.inSpatial);
      const place = b.op("Mod", [indices, b.scalar(places, "int64")], { fmod: 0 });
      const channel = b.reshape(b.iota(g.inChannels, "int64"), [1, g.inChannels, 1, 1]);
      const inside = b.op("Add", [b.op("Mul", [place, b.scalar(g.inChannels, "int64")]), channel]);
      const sample = b.reshape(b.iota(g.batch, "int64"), [g.batch, 1, 1, 1]);
      const number = g.includeBatch
        ? b.op("Add", [inside, b.op("Mul", [sample, b.scalar(places * g.inChannels, "int64")])])
        : inside;
      return [b.cast(last(b, y, g), x.dtype), b.cast(last(b, number, g), "int32")];
    },
  },
};
