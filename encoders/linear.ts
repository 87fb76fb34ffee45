/**
 * One affine map.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { defineEncoder, type EncoderPlugin } from "../core/kinds/mod.ts";
import { sizeOf } from "../core/program.ts";
import { linear as affine, xavierNormal } from "../nn/mod.ts";

/** Options of `linear`. */
export interface LinearEncoderOptions {
  readonly width: number;
}

/**
 * f = W x + b without an activation, for ready features that must come to one width. A sequence [T, d] is mapped step by
 * step: the steps are tokens and their mean the feature. Anything else is flattened.
 */
export const linearEncoder: EncoderPlugin = defineEncoder<LinearEncoderOptions>({
  name: "linear",
  tiny: { width: 5 },
  about: "one affine map of ready features, of each step of a sequence, or of a flattened input",
  formula: "f = W x + b;  of sequences: t_s = W x_s + b, f = mean of t_s",
  source: "the usual probe on features of a model trained elsewhere (Alain and Bengio, 2016)",
  options: {
    width: {
      type: "integer",
      default: 128,
      min: 1,
      tune: [64, 128, 256],
      about: "width of the feature",
      source: "chosen here: as wide as concat's fused feature",
    },
  },
  refuses: ({ dtype }) => dtype === "float32" ? null : "it needs numbers, the input holds indices",
  create: ({ width }, { shape }) => {
    const steps = shape.length === 2;
    return {
      tokens: steps,
      stages: [
        (x, scope) =>
          affine(scope.in("out"), steps ? x : tf.reshape(x, [-1, sizeOf(shape)]), { width, kernelInit: xavierNormal }),
      ],
      head: (map) =>
        steps ? { pooled: tf.mean(map, 1) as tf.Tensor2D, tokens: map as tf.Tensor3D } : { pooled: map as tf.Tensor2D },
      align: (alignment, group) =>
        alignment.layer({
          inputs: [[`${group}/out/kernel`, alignment.identity(steps ? shape[1] : sizeOf(shape))]],
          bias: `${group}/out/bias`,
        })[0],
    };
  },
});
