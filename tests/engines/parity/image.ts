/** Parity cases of resizing and of normalisation by given or neighbouring values. */
import * as tf from "@tensorflow/tfjs";
import type { normalisationRules } from "../../../engines/onnx/lower/normalisation.ts";
import type { resizeRules } from "../../../engines/onnx/lower/resize.ts";
import { type Case, golden, several, shaped } from "./case.ts";

type Resize = typeof tf.image.resizeBilinear;
const sizes: readonly (readonly [readonly number[], [number, number]])[] = [
  [[2, 3, 3, 2], [6, 6]],
  [[2, 3, 5, 2], [6, 7]],
  [[1, 7, 5, 3], [3, 2]],
  [[1, 1, 1, 2], [4, 3]],
  [[1, 1, 1, 1], [3, 1]],
  [[1, 1, 1, 1], [1, 1]],
  [[2, 4, 3, 1], [1, 1]],
  [[2, 4, 4, 1], [4, 4]],
  [[1, 130, 2, 1], [7, 3]],
  [[0, 4, 4, 1], [2, 2]],
];
const modes = [[false, false], [true, false], [false, true]] as const;
const bilinear = "the gradient takes half-pixel centres for corners, and exchanges height and width in its shape";
const nearest = "the gradient takes half-pixel centres for corners, reads other samples' rows, and never ends where " +
  "one pixel is enlarged by its corners";
const resized = (resize: Resize, wrong: string): Case[] =>
  modes.flatMap(([corners, half]) =>
    sizes.flatMap(([shape, size]) =>
      shaped([shape], (x) => resize(x as tf.Tensor4D, size, corners, half), { gradient: "differences", wrong })
    )
  );

export const imageCases: Readonly<
  Record<keyof typeof resizeRules | keyof typeof normalisationRules, readonly Case[]>
> = {
  ResizeBilinear: resized(tf.image.resizeBilinear, bilinear),
  ResizeBilinearGrad: [
    ...[[7, 3], [2, 9]].flatMap(([height, width]) =>
      shaped([[2, 4, 4, 2]], (x) => tf.image.resizeBilinear(x as tf.Tensor4D, [height, width]))
    ),
    golden(
      "bilinear corners",
      [[2, 3, 5, 2]],
      ([x]) => tf.image.resizeBilinear(x as tf.Tensor4D, [6, 7], true),
      bilinear,
    ),
    golden(
      "bilinear half",
      [[2, 3, 5, 2]],
      ([x]) => tf.image.resizeBilinear(x as tf.Tensor4D, [6, 7], false, true),
      bilinear,
    ),
    golden(
      "bilinear half smaller",
      [[1, 5, 4, 2]],
      ([x]) => tf.image.resizeBilinear(x as tf.Tensor4D, [2, 3], false, true),
      bilinear,
    ),
  ],
  ResizeNearestNeighbor: resized(tf.image.resizeNearestNeighbor, nearest),
  ResizeNearestNeighborGrad: [
    ...shaped([[1, 4, 4, 2]], (x) => tf.image.resizeNearestNeighbor(x as tf.Tensor4D, [7, 3])),
    golden("nearest", [[2, 3, 5, 2]], ([x]) => tf.image.resizeNearestNeighbor(x as tf.Tensor4D, [7, 4]), nearest),
    golden(
      "nearest half",
      [[2, 3, 5, 2]],
      ([x]) => tf.image.resizeNearestNeighbor(x as tf.Tensor4D, [7, 4], false, true),
      nearest,
    ),
  ],

  FusedBatchNorm: [
    {
      shapes: [[2, 3, 3, 4], [4], [4], [4], [4]],
      low: 0.5,
      run: ([x, mean, variance, offset, scale]) =>
        tf.batchNorm(x, mean as tf.Tensor1D, variance as tf.Tensor1D, offset as tf.Tensor1D, scale as tf.Tensor1D),
    },
    ...several(
      [[[3, 5], [5], [5], [5], [5]], [[1], [1], [1], [1], [1]], [[0, 3], [3], [3], [3], [3]]],
      ([x, mean, variance, offset, scale]) =>
        tf.batchNorm(x, mean as tf.Tensor1D, variance as tf.Tensor1D, offset as tf.Tensor1D, scale as tf.Tensor1D),
      { low: 0.5 },
    ),
    {
      shapes: [[5, 3], [3], [3]],
      low: 0.5,
      run: ([x, mean, variance]) =>
        tf.batchNorm(x, mean as tf.Tensor1D, variance as tf.Tensor1D, undefined, undefined, 0.1),
    },
    {
      shapes: [[1, 1], [1], [1], [1]],
      low: 0.5,
      run: ([x, mean, variance, offset]) =>
        tf.batchNorm(x, mean as tf.Tensor1D, variance as tf.Tensor1D, offset as tf.Tensor1D),
    },
  ],
  LRN: [
    ...shaped(
      [[2, 3, 2, 7], [3, 1, 3, 5], [1, 1, 1, 1], [0, 2, 2, 3]],
      (x) => tf.localResponseNormalization(x as tf.Tensor4D, 2, 1, 0.7, 0.6),
    ),
    ...shaped([[3, 2, 4]], (x) => tf.localResponseNormalization(x as tf.Tensor3D)),
  ],
  LRNGrad: shaped([[2, 2, 2, 5]], (x) => tf.localResponseNormalization(x as tf.Tensor4D, 1, 1, 0.7, 0.6)),
};
