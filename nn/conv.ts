/**
 * Convolution and pooling, channels last.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { sizeOf } from "../core/program.ts";
import type { Initializer, Scope } from "../core/scope.ts";
import { fanInUniform, fans, zeros } from "./initializers.ts";

/** Rows and columns added at each border: `"same"`, `"valid"`, or a number as in PyTorch. */
export type Padding = "same" | "valid" | number;

/** Options of `conv2d`. */
export interface ConvOptions {
  /** Output channels. */
  readonly channels: number;
  /** Extent of the square kernel. */
  readonly kernel: number;
  /** @default {1} */
  readonly stride?: number;
  /** @default {"same"} */
  readonly padding?: Padding;
  /** @default {true} */
  readonly bias?: boolean;
  /** Start of the kernel. @default PyTorch's: uniform ±1/sqrt(fan-in) */
  readonly kernelInit?: Initializer;
}

/** Applies a map of [n, h, w, c] to [B, ..., h, w, c], all leading axes taken as one: frames of clips go one by one. */
function perImage(x: tf.Tensor, apply: (images: tf.Tensor4D) => tf.Tensor4D): tf.Tensor {
  if (x.rank === 4) return apply(x as tf.Tensor4D);
  const [h, w, c] = x.shape.slice(-3);
  const leading = x.shape.slice(0, -3);
  const y = apply(tf.reshape(x, [sizeOf(leading), h, w, c]));
  return tf.reshape(y, [...leading, ...y.shape.slice(1)]);
}

/**
 * 2-D convolution (cross-correlation).
 *
 * Parameters: `kernel` [k, k, in, out], `bias` [out].
 *
 * @param x Float32 [B, ..., h, w, in]; axes between the first and the image's hold further images.
 * @returns Float32 [B, ..., h', w', out].
 */
export function conv2d(scope: Scope, x: tf.Tensor, options: ConvOptions): tf.Tensor {
  const { channels, kernel, stride = 1, padding = "same", bias = true, kernelInit } = options;
  const shape = [kernel, kernel, x.shape[x.rank - 1] as number, channels];
  const { fanIn } = fans(shape);
  const filter = scope.param("kernel", shape, kernelInit ?? fanInUniform(fanIn)) as tf.Tensor4D;
  // tfjs takes a number only where it knows the rounding of fractional output sizes: PyTorch's is floor.
  const y = perImage(
    x,
    (images) =>
      typeof padding === "number"
        ? tf.conv2d(images, filter, stride, padding, "NHWC", [1, 1], "floor")
        : tf.conv2d(images, filter, stride, padding),
  );
  if (!bias) return y;
  return tf.add(y, scope.param("bias", [channels], kernelInit === undefined ? fanInUniform(fanIn) : zeros));
}

/** Options of pooling. */
export interface PoolOptions {
  /** Extent of the square window. */
  readonly window: number;
  /** @default the window */
  readonly stride?: number;
  /** @default {"valid"} */
  readonly padding?: Padding;
}

/** Largest value of each window: [B, ..., h, w, c] to [B, ..., h', w', c]. */
export function maxPool(x: tf.Tensor, { window, stride = window, padding = "valid" }: PoolOptions): tf.Tensor {
  const rounding = typeof padding === "number" ? "floor" : undefined;
  return perImage(x, (images) => tf.maxPool(images, window, stride, padding, rounding));
}

/** Mean of each window: [B, ..., h, w, c] to [B, ..., h', w', c]. */
export function avgPool(x: tf.Tensor, { window, stride = window, padding = "valid" }: PoolOptions): tf.Tensor {
  const rounding = typeof padding === "number" ? "floor" : undefined;
  return perImage(x, (images) => tf.avgPool(images, window, stride, padding, rounding));
}

/** Mean over all axes between the first and the last: [B, ..., c] to [B, c]. */
export function globalAveragePool(x: tf.Tensor): tf.Tensor2D {
  if (x.rank === 2) return x as tf.Tensor2D;
  return tf.mean(x, Array.from({ length: x.rank - 2 }, (_, axis) => axis + 1));
}
