/**
 * Windows that slide over two or three spatial axes, as numbers. What "same", "valid" and roundings mean is computed by
 * tfjs itself.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { WindowGeometry } from "./kernels.ts";

/** Attributes as tfjs gives them. */
export type RawAttributes = Readonly<Record<string, unknown>>;

type Info2d = tf.backend_util.Conv2DInfo;
type Info3d = tf.backend_util.Conv3DInfo;
type Shape4d = [number, number, number, number];
type Shape5d = [number, number, number, number, number];
type Format = "NHWC" | "NCHW";
type Pad2d = "valid" | "same" | number | [[number, number], [number, number], [number, number], [number, number]];
type Pad3d = "valid" | "same" | number;
type Rounding = "floor" | "round" | "ceil" | undefined;
type Extents2d = number | [number, number];
type Extents3d = number | [number, number, number];

type Sizes = Omit<WindowGeometry, "after">;

/** Adds what has to be padded at the end for the last window to be complete. */
function complete(sizes: Sizes): WindowGeometry {
  const { inSpatial, outSpatial, kernel, strides, dilations, before } = sizes;
  return {
    ...sizes,
    after: inSpatial.map((size, i) =>
      (outSpatial[i] - 1) * strides[i] + dilations[i] * (kernel[i] - 1) + 1 - size - before[i]
    ),
  };
}

function geometry2d(info: Info2d): WindowGeometry {
  return complete({
    channelsFirst: info.dataFormat === "channelsFirst",
    batch: info.batchSize,
    inChannels: info.inChannels,
    outChannels: info.outChannels,
    inSpatial: [info.inHeight, info.inWidth],
    outSpatial: [info.outHeight, info.outWidth],
    kernel: [info.filterHeight, info.filterWidth],
    strides: [info.strideHeight, info.strideWidth],
    dilations: [info.dilationHeight, info.dilationWidth],
    before: [info.padInfo.top, info.padInfo.left],
  });
}

function geometry3d(info: Info3d): WindowGeometry {
  return complete({
    channelsFirst: info.dataFormat === "channelsFirst",
    batch: info.batchSize,
    inChannels: info.inChannels,
    outChannels: info.outChannels,
    inSpatial: [info.inDepth, info.inHeight, info.inWidth],
    outSpatial: [info.outDepth, info.outHeight, info.outWidth],
    kernel: [info.filterDepth, info.filterHeight, info.filterWidth],
    strides: [info.strideDepth, info.strideHeight, info.strideWidth],
    dilations: [info.dilationDepth, info.dilationHeight, info.dilationWidth],
    before: [info.padInfo.front, info.padInfo.top, info.padInfo.left],
  });
}

function planar(
  raw: RawAttributes,
  x: readonly number[],
  filter: readonly number[],
  byChannel: boolean,
): WindowGeometry {
  return geometry2d(tf.backend_util.computeConv2DInfo(
    x as Shape4d,
    filter as Shape4d,
    raw["strides"] as Extents2d,
    (raw["dilations"] ?? 1) as Extents2d,
    raw["pad"] as Pad2d,
    raw["dimRoundingMode"] as Rounding,
    byChannel,
    tf.backend_util.convertConv2DDataFormat((raw["dataFormat"] ?? "NHWC") as Format),
  ));
}

/** A convolution of [batch, height, width, in] by [height, width, in, out]. */
export function convolution2d(raw: RawAttributes, x: readonly number[], filter: readonly number[]): WindowGeometry {
  return planar(raw, x, filter, false);
}

/** A convolution of each channel by filters of its own, [height, width, in, filters of a channel]. */
export function depthwise(raw: RawAttributes, x: readonly number[], filter: readonly number[]): WindowGeometry {
  return planar(raw, x, filter, true);
}

/** A convolution of [batch, depth, height, width, in] by [depth, height, width, in, out]. */
export function convolution3d(raw: RawAttributes, x: readonly number[], filter: readonly number[]): WindowGeometry {
  return geometry3d(tf.backend_util.computeConv3DInfo(
    x as Shape5d,
    filter as Shape5d,
    raw["strides"] as Extents3d,
    (raw["dilations"] ?? 1) as Extents3d,
    raw["pad"] as Pad3d,
  ));
}

/** Pooling over [batch, height, width, channels]. */
export function pooling2d(raw: RawAttributes, x: readonly number[]): WindowGeometry {
  return geometry2d(tf.backend_util.computePool2DInfo(
    x as Shape4d,
    raw["filterSize"] as Extents2d,
    raw["strides"] as Extents2d,
    1,
    raw["pad"] as Pad2d,
    raw["dimRoundingMode"] as Rounding,
  ));
}

/** Pooling over [batch, depth, height, width, channels]. */
export function pooling3d(raw: RawAttributes, x: readonly number[]): WindowGeometry {
  return geometry3d(tf.backend_util.computePool3DInfo(
    x as Shape5d,
    raw["filterSize"] as Extents3d,
    raw["strides"] as Extents3d,
    1,
    raw["pad"] as Pad3d,
    raw["dimRoundingMode"] as Rounding,
    (raw["dataFormat"] ?? "NDHWC") as "NDHWC" | "NCDHW",
  ));
}
