/**
 * Ready features as they are.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { defineEncoder, type EncoderPlugin } from "../core/kinds/mod.ts";

/** Options of `identity`: none. */
export type IdentityOptions = Record<never, never>;

/**
 * Features of a model trained elsewhere, untouched: a vector is the feature; of a sequence [T, d] the steps are tokens and
 * their mean the feature. It has no parameters.
 */
export const identity: EncoderPlugin = defineEncoder<IdentityOptions>({
  name: "identity",
  about: "ready features as they are: vectors, or sequences as tokens with their mean",
  formula: "f = x, or the mean over time",
  source: "for features of a model trained elsewhere",
  options: {},
  refuses: ({ shape, dtype }) =>
    dtype === "float32" && (shape.length === 1 || shape.length === 2)
      ? null
      : "it needs [width] or [steps, width] of numbers: what has more axes is no feature yet",
  create: (_options, { shape }) => ({
    tokens: shape.length === 2,
    stages: [(x) => x],
    head: (map) =>
      shape.length === 1
        ? { pooled: map as tf.Tensor2D }
        : { pooled: tf.mean(map, 1) as tf.Tensor2D, tokens: map as tf.Tensor3D },
    align: shape.length === 1 ? (alignment) => alignment.identity(shape[0]) : undefined,
  }),
});
