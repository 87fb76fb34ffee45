/**
 * Cross-entropy on every modality's own readout: the plain reference for balancing methods.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { at } from "../core/modality.ts";
import { defineMethod, type MethodPlugin } from "../core/kinds/mod.ts";
import { crossEntropy } from "../losses/cross_entropy.ts";
import { whereKept } from "../losses/kept.ts";

/** Options of `uni-ce`. */
export interface UniCeOptions {
  readonly weight: number;
}

/**
 * Adds the cross-entropy of each modality's own readout to the task's loss. A sample counts for the modalities that it
 * keeps.
 */
export const uniCe: MethodPlugin = defineMethod<UniCeOptions>({
  name: "uni-ce",
  about: "adds cross-entropy on every modality's own readout",
  formula: "L = CE(l, y) + w sum_u CE(l_u, y)",
  source: "auxiliary unimodal losses, common practice",
  options: {
    weight: {
      type: "number",
      default: 1,
      min: 0,
      tune: [0.1, 0.3, 1, 3],
      about: "weight w of the unimodal terms",
      source: "the plain sum, as in Greedy's and MMPareto's released codes",
    },
  },
  cost: { forwards: 1, backwards: 1 },
  create: ({ weight }) => ({
    name: "uni-ce",
    declares: { solo: true, claims: ["train every modality's readout"] },
    loss: (step) => {
      const { logits } = step.solo();
      return Object.fromEntries(
        step.modalities.map((modality) => [
          `uni:${modality}`,
          tf.mul(whereKept(crossEntropy(at(logits, modality), step.labels), step.keep, modality), weight),
        ]),
      );
    },
  }),
});
