/** Parity cases of pooling, with its gradients, and what windows have in common. */
import * as tf from "@tensorflow/tfjs";
import type { convRules } from "../../../engines/onnx/lower/conv.ts";
import { type Case, golden, shaped } from "./case.ts";

export type Pad = "same" | "valid" | number;
export type Pair = number | [number, number];
export const pads: readonly Pad[] = ["same", "valid", 1];
export const strides: readonly Pair[] = [1, 2, [2, 1], 3];
export const rounding = (pad: Pad) => typeof pad === "number" ? "floor" as const : undefined;

/** Kernels of pooling. */
export type PoolName = Extract<keyof typeof convRules, `${"Avg" | "Max"}Pool${string}`>;

const average2d = (x: tf.Tensor, size: Pair, stride: Pair, pad: Pad) =>
  tf.avgPool(x as tf.Tensor4D, size, stride, pad, rounding(pad));
const maximum2d = (x: tf.Tensor, size: Pair, stride: Pair, pad: Pad) =>
  tf.maxPool(x as tf.Tensor4D, size, stride, pad, rounding(pad));
const argument2d = (x: tf.Tensor, size: Pair, stride: Pair, pad: "same" | "valid", batch: boolean) =>
  Object.values(tf.maxPoolWithArgmax(x as tf.Tensor4D, size, stride, pad, batch));
const divides = "divides the gradient by the whole window where a part of it is padding";
const borders: Partial<Case> = { gradient: "differences", wrong: divides };
/** Odd extents, one element, and no samples, channels or places. */
const maps = [[3, 5, 3, 5], [1, 1, 1, 1], [0, 4, 4, 1], [2, 4, 4, 0]] as const;
const volumes = [[3, 3, 5, 3, 1], [1, 1, 1, 1, 1], [0, 4, 4, 4, 1], [2, 4, 4, 4, 0]] as const;

export const poolCases: Readonly<Record<PoolName, readonly Case[]>> = {
  AvgPool: [
    ...shaped([[2, 5, 6, 3], ...maps], (x) => average2d(x, 1, 1, "valid")),
    ...shaped([[2, 6, 5, 3], [3, 3, 5, 1], [0, 4, 4, 1]], (x) => average2d(x, 2, 2, "valid")),
    ...shaped([[2, 6, 5, 3]], (x) => average2d(x, [3, 2], [1, 2], "valid")),
    ...shaped([[2, 5, 6, 3], ...maps], (x) => average2d(x, 3, 2, "same"), borders),
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
    ...shaped([[2, 4, 5, 3, 2], [1, 2, 2, 2, 1], volumes[0]], (x) => tf.avgPool3d(x as tf.Tensor5D, 2, 1, "valid")),
    ...shaped(volumes, (x) => tf.avgPool3d(x as tf.Tensor5D, 1, 1, "valid")),
    ...shaped([[2, 4, 5, 3, 2], ...volumes], (x) => tf.avgPool3d(x as tf.Tensor5D, [2, 3, 2], 2, "same"), borders),
    golden("average 3d", [[1, 4, 5, 4, 2]], ([x]) => tf.avgPool3d(x as tf.Tensor5D, [2, 3, 2], 2, "same"), divides),
  ],
  AvgPool3DGrad: shaped([[2, 4, 5, 3, 2]], (x) => tf.avgPool3d(x as tf.Tensor5D, [2, 3, 1], 2, "valid")),
  MaxPool: [
    ...pads.flatMap((pad) => shaped([[2, 5, 6, 3], [1, 3, 3, 1]], (x) => maximum2d(x, 3, 2, pad))),
    ...shaped([[2, 5, 6, 3], ...maps], (x) => maximum2d(x, 1, 1, "valid")),
    ...shaped(maps, (x) => maximum2d(x, 3, 2, "same")),
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
  MaxPool3D: (["same", "valid"] as const).flatMap((pad) => [
    ...shaped([[2, 4, 5, 3, 2], [1, 2, 2, 2, 1]], (x) => tf.maxPool3d(x as tf.Tensor5D, 2, [2, 1, 1], pad)),
    ...shaped(volumes, (x) => tf.maxPool3d(x as tf.Tensor5D, pad === "same" ? 2 : 1, 2, pad)),
  ]),
  MaxPool3DGrad: [
    ...shaped([[1, 4, 4, 2, 2]], (x) => tf.maxPool3d(x as tf.Tensor5D, 2, 2, "same")),
    ...shaped([volumes[0]], (x) => tf.maxPool3d(x as tf.Tensor5D, 3, 1, "same")),
  ],
  MaxPoolWithArgmax: [false, true].flatMap((batch) => [
    ...shaped([[2, 5, 6, 3]], (x) => argument2d(x, 2, 2, "valid", batch), { gradient: false }),
    ...shaped([[2, 5, 4, 2], ...maps], (x) => argument2d(x, 3, 2, "same", batch), { gradient: false }),
  ]),
};
