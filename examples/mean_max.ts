/**
 * An encoder of one's own, in one file: convolutions, then the mean and the maximum of every channel.
 *
 * Bench it: `deno task bench --plugin ./examples/mean_max.ts --encoder mean-max`
 *
 * Outside this repository the imports below are `@armlab/armlab` and `@armlab/armlab/nn`.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { defineEncoder, type EncoderPlugin } from "../mod.ts";
import { conv2d, globalAveragePool, kaimingNormal, linear } from "../nn/mod.ts";

/** Options of `mean-max`. */
export interface MeanMaxOptions {
  readonly channels: readonly number[];
  readonly width: number;
}

/** Every convolution is a stage, so that MMTM, CentralNet and Greedy can gate its maps. */
export const meanMax: EncoderPlugin = defineEncoder<MeanMaxOptions>({
  name: "mean-max",
  about: "strided convolutions, then mean and maximum of every channel",
  formula: "a_l = relu(conv_l(a_{l-1}));  f = relu(W [mean_space a_L; max_space a_L] + b)",
  source: "an example",
  options: {
    channels: { type: "numbers", default: [8, 16, 32], about: "channels of the stages", source: "those of cnn" },
    width: {
      type: "integer",
      default: 64,
      min: 1,
      tune: [32, 64, 128],
      about: "width of the feature",
      source: "an example",
    },
  },
  tiny: { channels: [3, 4], width: 6 },
  refuses: ({ shape, dtype }, { channels }) => {
    if (dtype !== "float32" || shape.length !== 3) return "it needs [height, width, channels] of numbers";
    return channels.length === 0 || channels.some((count) => !Number.isInteger(count) || count < 1)
      ? "its channels must be positive integers, at least one"
      : null;
  },
  create: ({ channels, width }) => ({
    tokens: false,
    stages: channels.map((count, index) => (map, scope) =>
      tf.relu(conv2d(scope.in(`conv${index + 1}`), map, {
        channels: count,
        kernel: 3,
        stride: 2,
        kernelInit: kaimingNormal("fanOut"),
      }))
    ),
    head: (map, scope) => {
      const pooled = tf.concat([globalAveragePool(map), tf.max(map, [1, 2]) as tf.Tensor2D], 1);
      return { pooled: tf.relu(linear(scope.in("out"), pooled, { width })) as tf.Tensor2D };
    },
  }),
});
