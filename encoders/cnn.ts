/**
 * Small convolutional network for small images and spectrograms.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { defineEncoder, type EncoderPlugin } from "../core/kinds/mod.ts";
import { batchNorm, conv2d, kaimingNormal, linear } from "../nn/mod.ts";

/** Options of `cnn`. */
export interface CnnOptions {
  readonly channels: readonly number[];
  readonly width: number;
  readonly norm: "none" | "batch";
}

/**
 * 3×3 convolutions of stride 2, each a stage; flattened and mapped to the feature width with ReLU. A film [T, h, w, c] goes
 * frame by frame through the same weights, and its feature is the mean of its frames'.
 */
export const cnn: EncoderPlugin = defineEncoder<CnnOptions>({
  name: "cnn",
  tiny: { channels: [3, 4], width: 6 },
  about: "small convolutional network for images, spectrograms and films, stride 2 in every stage",
  formula: "f = relu(W flatten(relu(conv_L(... relu(conv_1(x)) ...))) + b), of a film the mean over its frames",
  options: {
    channels: {
      type: "numbers",
      default: [8, 16, 32],
      about: "channels of the stages, shallow to deep",
      source: "chosen here for inputs of about 30 pixels",
    },
    width: {
      type: "integer",
      default: 128,
      min: 1,
      tune: [64, 128, 256],
      about: "width of the feature",
      source: "chosen here: as wide as concat's fused feature",
    },
    norm: {
      type: "choice",
      choices: ["none", "batch"],
      default: "none",
      about: "normalisation after each convolution",
      source: "chosen here: the plainest; batch as in ResNet",
    },
  },
  refuses: ({ shape, dtype }, { channels }) => {
    if (dtype !== "float32" || (shape.length !== 3 && shape.length !== 4)) {
      return "it needs [height, width, channels] or [frames, height, width, channels] of numbers";
    }
    if (channels.length === 0 || channels.some((count) => !Number.isInteger(count) || count < 1)) {
      return "its channels must be positive integers, at least one";
    }
    return null;
  },
  create: ({ channels, width, norm }, { shape }) => ({
    tokens: false,
    stages: channels.map((count, index) => (x, scope) => {
      const block = scope.in(`block${index + 1}`);
      const y = conv2d(block.in("conv"), x, {
        channels: count,
        kernel: 3,
        stride: 2,
        bias: norm === "none",
        kernelInit: kaimingNormal("fanOut"),
      });
      return tf.relu(norm === "batch" ? batchNorm(block.in("norm"), y) : y);
    }),
    head: (map, scope) => {
      const size = map.shape.slice(-3).reduce((product, extent) => product * extent, 1);
      const flat = tf.reshape(map, [-1, size]);
      const out = tf.relu(linear(scope.in("out"), flat, { width, kernelInit: kaimingNormal("fanIn") }));
      const films = map.rank === 5;
      return { pooled: (films ? tf.mean(tf.reshape(out, [-1, map.shape[1]!, width]), 1) : out) as tf.Tensor2D };
    },
    align(alignment, group) {
      const last = channels.reduce((incoming, _, index) => {
        const block = `${group}/block${index + 1}`;
        const [transport] = alignment.layer({
          inputs: [[`${block}/conv/kernel`, incoming]],
          ...(norm === "none" ? { bias: `${block}/conv/bias` } : {}),
        });
        if (norm === "batch") {
          alignment.follow(["scale", "shift", "mean", "variance"].map((name) => `${block}/norm/${name}`), transport);
        }
        return transport;
      }, alignment.identity(shape[shape.length - 1]));
      return alignment.layer({ inputs: [[`${group}/out/kernel`, last]], bias: `${group}/out/bias` })[0];
    },
  }),
});
