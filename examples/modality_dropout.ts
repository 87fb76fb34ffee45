/**
 * A method of one's own, in one file: in training, some samples lose one of their modalities.
 *
 * Bench it: `deno task bench --plugin ./examples/modality_dropout.ts --compare none,modality-dropout`
 *
 * Outside this repository the import below is `@armlab/armlab`.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { defineMethod, type MethodPlugin } from "../mod.ts";

/** Options of `modality-dropout`. */
export interface ModalityDropoutOptions {
  readonly rate: number;
}

/** Drops one modality, each as likely as another, from a share of the samples of every training step. */
export const modalityDropout: MethodPlugin = defineMethod<ModalityDropoutOptions>({
  name: "modality-dropout",
  about: "drops one modality from some samples in training",
  formula: "r ~ U(0, 1) per sample;  drop modality floor(m r / rate) if r < rate",
  source: "Neverova et al., ModDrop, TPAMI 2016, with one modality at most",
  options: {
    rate: {
      type: "number",
      default: 0.3,
      min: 0.01,
      max: 1,
      tune: [0.1, 0.3, 0.5],
      about: "share of samples that lose a modality",
      source: "an example",
    },
  },
  // Which modality a number stands for follows their sorted order, so other names draw other samples.
  symmetric: false,
  refuses: (_fusion, { modalities }) => modalities.length < 2 ? "a sample must have a modality left" : null,
  create: ({ rate }, { modalities }) => ({
    name: "modality-dropout",
    features(step) {
      if (step.scope.mode === "eval") return { features: step.features };
      const batch = step.features[modalities[0]].pooled.shape[0];
      // Noise comes from the scope, never from Math.random: a traced program would repeat one draw for ever.
      const drawn = step.scope.group("noise:modality-dropout").random("uniform", [batch, 1]);
      const chosen = tf.floor(tf.mul(drawn, modalities.length / rate));
      const keep = Object.fromEntries(modalities.map((modality, index) => {
        const own = tf.cast(tf.notEqual(chosen, index), "float32") as tf.Tensor2D;
        // A sample that lacks modalities already may lose another, but not what it never had.
        return [modality, step.keep === null ? own : tf.mul(own, step.keep[modality]) as tf.Tensor2D];
      }));
      return { features: step.features, keep };
    },
  }),
});
