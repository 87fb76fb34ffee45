/**
 * Multilayer perceptron.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { defineEncoder, type EncoderPlugin } from "../core/kinds/mod.ts";
import { sizeOf } from "../core/program.ts";
import { dropout, kaimingNormal, linear } from "../nn/mod.ts";

/** Options of `mlp`. */
export interface MlpOptions {
  readonly hidden: readonly number[];
  readonly width: number;
  readonly dropout: number;
}

/** Input flattened, hidden layers with ReLU, then a layer of the feature width with ReLU. Stages: the hidden layers. */
export const mlp: EncoderPlugin = defineEncoder<MlpOptions>({
  name: "mlp",
  tiny: { hidden: [7, 6], width: 5 },
  about: "multilayer perceptron on the flattened input",
  formula: "f = relu(W_L ... relu(W_1 x + b_1) ... + b_L)",
  options: {
    hidden: {
      type: "numbers",
      default: [256],
      about: "widths of the hidden layers",
      source: "chosen here for small inputs",
    },
    width: {
      type: "integer",
      default: 128,
      min: 1,
      tune: [64, 128, 256],
      about: "width of the feature",
      source: "chosen here: as wide as concat's fused feature",
    },
    dropout: {
      type: "number",
      default: 0,
      min: 0,
      max: 0.95,
      about: "dropout rate after each hidden layer",
      tune: [0, 0.1, 0.3],
      source: "chosen here: none",
    },
  },
  refuses: ({ dtype }, { hidden }) => {
    if (dtype !== "float32") return "it needs numbers, the input holds indices";
    if (hidden.length === 0 || hidden.some((width) => !Number.isInteger(width) || width < 1)) {
      return "its hidden widths must be positive integers, at least one";
    }
    return null;
  },
  create: ({ hidden, width, dropout: rate }, { shape }) => ({
    tokens: false,
    stages: hidden.map((units, index) => (x, scope) => {
      const flat = index === 0 ? tf.reshape(x, [-1, sizeOf(shape)]) : x;
      const layer = scope.in(`hidden${index + 1}`);
      const y = tf.relu(linear(layer, flat, { width: units, kernelInit: kaimingNormal("fanIn") }));
      return dropout(layer, y, rate);
    }),
    head: (map, scope) => ({
      pooled: tf.relu(linear(scope.in("out"), map, { width, kernelInit: kaimingNormal("fanIn") })) as tf.Tensor2D,
    }),
    align(alignment, group) {
      const names = [...hidden.map((_, index) => `hidden${index + 1}`), "out"];
      return names.reduce(
        (incoming, name) =>
          alignment.layer({
            inputs: [[`${group}/${name}/kernel`, incoming]],
            bias: `${group}/${name}/bias`,
          })[0],
        alignment.identity(sizeOf(shape)),
      );
    },
  }),
});
