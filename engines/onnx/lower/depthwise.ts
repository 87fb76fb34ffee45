/**
 * Convolution of each channel by filters of its own, and convolutions fused with what follows them.
 *
 * @module
 */
import type { Builder } from "../graph/builder.ts";
import { sizeOf, type Value } from "../graph/ir.ts";
import type { ActivationAttributes, WindowGeometry } from "../trace/kernels.ts";
import { activated } from "./activation.ts";
import { convRules } from "./conv.ts";
import { float, type KernelRule, type Rules } from "./rule.ts";
import { cropped, first, last, mapShape, pads, transposedWindow } from "./window.ts";

/** Filter [height, width, in, filters of a channel] as ONNX's grouped [in * filters, 1, height, width]. */
function groupedFilter(b: Builder, filter: Value, g: WindowGeometry): Value {
  return b.reshape(b.transpose(float(b, filter), [2, 3, 0, 1]), [g.outChannels, 1, ...g.kernel]);
}

const depthwise: KernelRule<"DepthwiseConv2dNative"> = {
  inputs: ["x", "filter"],
  infer: (_, g) => ({ shape: mapShape(g, g.outChannels, g.outSpatial), dtype: "float32" }),
  sums: true,
  lower: (b, [x, filter], g) => {
    const y = b.op("Conv", [first(b, float(b, x), g), groupedFilter(b, filter, g)], {
      kernel_shape: g.kernel,
      strides: g.strides,
      dilations: g.dilations,
      pads: pads(g),
      group: g.inChannels,
    });
    return last(b, cropped(b, y, g), g);
  },
};

/** A vector that belongs to the channels, where they come first. */
function byChannel(b: Builder, x: Value, { channelsFirst, kernel }: WindowGeometry): Value {
  const vector = x.shape.length === 1 && x.shape[0] !== 1;
  return channelsFirst && vector ? b.reshape(x, [x.shape[0], ...kernel.map(() => 1)]) : x;
}

function fused<K extends "FusedConv2D" | "FusedDepthwiseConv2D">(
  convolution: KernelRule<"Conv2D"> | KernelRule<"DepthwiseConv2dNative">,
): KernelRule<K> {
  const rule: KernelRule<"FusedConv2D"> = {
    inputs: ["x", "filter", "bias?", "preluActivationWeights?"],
    infer: ([x, filter], g) => convolution.infer([x, filter], g),
    lower: (b, [x, filter, bias, weights], g: WindowGeometry & ActivationAttributes, outputs) => {
      // Without input channels there is nothing to sum: the runtime never ends then.
      const y = sizeOf(x.shape) === 0
        ? b.filled(0, outputs[0].shape, "float32")
        : convolution.lower(b, [x, filter], g, outputs) as Value;
      const sum = bias === null ? y : b.op("Add", [y, byChannel(b, float(b, bias), g)]);
      return activated(b, sum, weights === null ? null : byChannel(b, weights, g), g);
    },
  };
  return rule as unknown as KernelRule<K>;
}

/** Rows of this family. */
export const depthwiseRules: Rules<
  | "DepthwiseConv2dNative"
  | "DepthwiseConv2dNativeBackpropFilter"
  | "DepthwiseConv2dNativeBackpropInput"
  | "FusedConv2D"
  | "FusedDepthwiseConv2D"
> = {
  DepthwiseConv2dNative: depthwise,
  DepthwiseConv2dNativeBackpropInput: {
    inputs: ["dy", "filter"],
    infer: (_, g) => ({ shape: mapShape(g, g.inChannels, g.inSpatial), dtype: "float32" }),
    sums: true,
    lower: (b, [dy, filter], g) => {
      const x = transposedWindow(b, first(b, float(b, dy), g), groupedFilter(b, filter, g), g, g.inChannels);
      return last(b, x, g);
    },
  },
  DepthwiseConv2dNativeBackpropFilter: {
    inputs: ["x", "dy"],
    infer: (_, g) => ({ shape: [...g.kernel, g.inChannels, g.multiplier], dtype: "float32" }),
    sums: true,
    lower: (b, [x, dy], g) => {
      // As for full convolutions, with a channel's samples as the channels of a group:
      // dW[i, j, c, m] = sum over n, p, q of x[n, s p + d i, s q + d j, c] dy[n, p, q, c M + m].
      const maps = b.transpose(first(b, float(b, x), g), [1, 0, 2, 3]);
      const weights = b.transpose(first(b, float(b, dy), g), [1, 0, 2, 3]);
      const grouped = b.reshape(maps, [1, g.inChannels * g.batch, ...g.inSpatial]);
      const y = b.op("Conv", [grouped, weights], {
        kernel_shape: g.outSpatial,
        strides: g.dilations,
        dilations: g.strides,
        pads: pads(g),
        group: g.inChannels,
      });
      // Input that no forward window reached makes the result larger than the filter.
      const reached = b.slice(y, [0, 0, 0, 0], [1, g.outChannels, ...g.kernel]);
      const filters = b.reshape(reached, [g.inChannels, g.multiplier, ...g.kernel]);
      return b.transpose(filters, [2, 3, 0, 1]);
    },
  },
  FusedConv2D: fused(convRules.Conv2D),
  FusedDepthwiseConv2D: fused(depthwise),
};
