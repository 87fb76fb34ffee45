/**
 * Uni-modal teachers ("UMT").
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { at } from "../core/modality.ts";
import { defineMethod, type MethodPlugin } from "../core/kinds/mod.ts";
import { whereKept } from "../losses/kept.ts";
import { featureColumn, fillFromTeachers, teacherDeclarations } from "./teachers.ts";

/** Options of `umt`. */
export interface UmtOptions {
  readonly weight: number;
}

/**
 * Squared distance of each sample's features to a teacher's, as a mean over the features.
 *
 * @param features [B, d].
 * @param teacher [B, d].
 * @returns [B].
 */
export function featureDistance(features: tf.Tensor2D, teacher: tf.Tensor2D): tf.Tensor1D {
  return tf.mean(tf.squaredDifference(features, teacher), 1);
}

const ASKED = { features: true, logits: false };

/**
 * Holds every encoder's features near those of a model that was trained on that modality alone.
 *
 * Teachers are runs of their own, of the same encoder, data, training and seed; their samples are not part of this run's
 * budget and stand in its summary. They see inputs as the dataset gives them, also where another method changes inputs.
 */
export const umt: MethodPlugin = defineMethod<UmtOptions>({
  name: "umt",
  about: "distils every encoder's features from a model trained on its modality alone",
  formula: "L = CE(l, y) + lambda sum_u mean_d (f_u - sg[f_u^T])^2",
  source:
    'Du et al., "Improving Multi-Modal Learning with Uni-Modal Teachers", 2021; distance and weight as in BalanceBenchmark',
  options: {
    weight: {
      type: "number",
      default: 10,
      min: 0,
      tune: [1, 10, 50],
      about: "weight lambda of the distance",
      source: "BalanceBenchmark; the paper's text could not be had",
    },
  },
  cost: { forwards: 1, backwards: 1 },
  create: ({ weight }, context) => {
    let filled = false;
    return {
      name: "umt",
      declares: teacherDeclarations(context, ASKED),
      async beforeEpoch(host) {
        if (!filled) await fillFromTeachers(host, ASKED);
        filled = true;
      },
      loss: (step) =>
        Object.fromEntries(step.modalities.map((modality) => {
          const { pooled } = at(step.features, modality);
          const distance = featureDistance(pooled, step.rows(featureColumn(modality)));
          return [`teacher:${modality}`, tf.mul(whereKept(distance, step.keep, modality), weight)];
        })),
    };
  },
});
