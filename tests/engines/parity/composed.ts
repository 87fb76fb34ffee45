/** Parity cases of operations that are no kernels themselves: tfjs composes them. */
import * as tf from "@tensorflow/tfjs";
import { type Case, shaped } from "./case.ts";

const losses = (run: (labels: tf.Tensor, predictions: tf.Tensor) => tf.Tensor, low = 0.1): readonly Case[] => [
  { shapes: [[3, 4], [3, 4]], low, high: 0.9, run: ([a, b]) => run(a, b) },
];

export const composedCases: Readonly<Record<string, readonly Case[]>> = {
  bandPart: shaped([[4, 5]], (x) => tf.linalg.bandPart(x, 1, 2)),
  basicLSTMCell: [{
    shapes: [[2, 3], [2, 4], [2, 4], [7, 16], [16]],
    run: ([x, h, c, kernel, bias]) =>
      tf.basicLSTMCell(
        1,
        kernel as tf.Tensor2D,
        bias as tf.Tensor1D,
        x as tf.Tensor2D,
        c as tf.Tensor2D,
        h as tf.Tensor2D,
      ),
  }],
  confusionMatrix: [{
    shapes: [[5], [5]],
    dtypes: ["int32", "int32"],
    low: 0,
    high: 3,
    run: ([a, b]) => tf.math.confusionMatrix(a as tf.Tensor1D, b as tf.Tensor1D, 3),
  }],
  divNoNan: [{
    shapes: [[4], [4]],
    given: { 1: [0, 2, 0, -1] },
    run: ([a, b]) => tf.divNoNan(a, b),
    differences: false,
  }],
  eye: shaped([[3, 3]], (x) => tf.mul(x, tf.eye(3))),
  gramSchmidt: shaped([[2, 4]], (x) => tf.linalg.gramSchmidt(x as tf.Tensor2D)),
  grayscaleToRGB: shaped([[2, 3, 1]], (x) => tf.image.grayscaleToRGB(x as tf.Tensor3D)),
  hannWindow: shaped([[8]], (x) => tf.mul(x, tf.signal.hannWindow(8))),
  logSumExp: [
    ...shaped([[3, 5]], (x) => tf.logSumExp(x, 1)),
    ...shaped([[2, 3]], (x) => tf.logSumExp(x)),
    ...[1, -1].map((axis) => ({
      shapes: [[6, 2]],
      given: {
        0: [...[-Infinity, -Infinity], ...[1, 2], ...[Infinity, 1], ...[NaN, 1], ...[-Infinity, NaN], ...[
          -Infinity,
          3,
        ]],
      },
      run: ([x]: tf.Tensor[]) => tf.logSumExp(x, axis, axis < 0),
      gradient: false as const,
      wrong: "subtracts infinity from infinity",
      reference: { values: [[-Infinity, 1 + Math.log(1 + Math.E), Infinity, NaN, NaN, 3]] },
    })),
  ],
  logSigmoid: shaped([[2, 3]], (x) => tf.logSigmoid(x)),
  logSoftmax: shaped([[3, 5], [4, 1], [2, 3, 2], [0, 3]], (x) => tf.logSoftmax(x)),
  lowerBound: [{
    shapes: [[2, 3], [2, 2]],
    given: { 0: [1, 2, 3, 1, 1, 4], 1: [2, 5, 1, 0] },
    run: ([sorted, x]) => [tf.lowerBound(sorted, x), tf.upperBound(sorted, x)],
    gradient: false,
  }],
  meshgrid: [{ shapes: [[3], [2]], run: ([x, y]) => tf.meshgrid(x, y) as tf.Tensor[] }],
  moments: shaped([[2, 3, 4]], (x) => {
    const { mean, variance } = tf.moments(x, [0, 2]);
    return [mean, variance];
  }),
  norm: [
    ...shaped([[3, 4]], (x) => tf.norm(x, "euclidean", 1)),
    ...shaped([[3, 4]], (x) => tf.norm(x, 1)),
    ...shaped([[3, 4]], (x) => tf.norm(x, Infinity, 1, true)),
  ],
  pool: [
    ...shaped([[2, 6, 5, 2]], (x) => tf.pool(x as tf.Tensor4D, 2, "max", "same", undefined, 2)),
    ...shaped([[2, 6, 6, 2]], (x) => tf.pool(x as tf.Tensor4D, [2, 2], "avg", "valid", [2, 2], 1)),
  ],
  rgbToGrayscale: shaped([[2, 2, 3]], (x) => tf.image.rgbToGrayscale(x as tf.Tensor3D)),
  squeeze: shaped([[1, 3, 1]], (x) => tf.squeeze(x)),
  absoluteDifference: losses((a, b) => tf.losses.absoluteDifference(a, tf.add(b, 1))),
  cosineDistance: losses((a, b) => tf.losses.cosineDistance(a, b, 1)),
  hingeLoss: losses((a, b) => tf.losses.hingeLoss(tf.round(a), b)),
  huberLoss: losses((a, b) => tf.losses.huberLoss(a, b), -3),
  logLoss: losses((a, b) => tf.losses.logLoss(a, b)),
  meanSquaredError: losses((a, b) => tf.losses.meanSquaredError(a, b)),
  sigmoidCrossEntropy: losses((a, b) => tf.losses.sigmoidCrossEntropy(a, b)),
  // tfjs's gradient by the labels is that by the logits with the other sign.
  softmaxCrossEntropy: losses((a, b) => tf.losses.softmaxCrossEntropy(a, b)).map((item) => ({
    ...item,
    differences: false,
  })),
};
