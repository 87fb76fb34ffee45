/**
 * Cosine logits of every modality.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { byModality } from "../core/modality.ts";
import { CLAIMS, defineMethod, type MethodPlugin, type Step } from "../core/kinds/mod.ts";
import { SHARED_CLAIMS } from "./unimodal.ts";

/** Options of `mmcosine`. */
export interface MmCosineOptions {
  readonly scale: number;
}

/** 1 / |x| along an axis, 0 where the norm is below 1e-8: such a row has no direction and no gradient. */
function inverseNorm(x: tf.Tensor2D, axis: number): tf.Tensor2D {
  const square = tf.sum(tf.square(x), axis, true);
  const there = tf.cast(tf.greater(square, 1e-16), "float32");
  return tf.mul(tf.rsqrt(tf.maximum(square, 1e-16)), there) as tf.Tensor2D;
}

/**
 * scale cos(f, k_c) for every row and class.
 *
 * @param features [B, d].
 * @param kernel [d, C].
 * @returns [B, C].
 */
export function cosineLogits(features: tf.Tensor2D, kernel: tf.Tensor2D, scale: number): tf.Tensor2D {
  const product = tf.matMul(features, kernel);
  return tf.mul(tf.mul(product, tf.mul(inverseNorm(features, 1), scale)), inverseNorm(kernel, 0)) as tf.Tensor2D;
}

/**
 * Every modality's part of the logits is the cosine between its feature and its columns of the head, so that none gains by
 * the length of either. Used in training and prediction; the head's bias plays no part.
 *
 * A head of two linear layers (`concat` with a width) counts as their product.
 */
export const mmCosine: MethodPlugin = defineMethod<MmCosineOptions>({
  name: "mmcosine",
  about: "makes logits of cosines between features and the head's columns, so that lengths do not count",
  formula: "l_u,c = scale (f_u . k_u,c) / (|f_u| |k_u,c|);  l = sum_u l_u;  L = CE(l)",
  source:
    'Xu et al., "MMCosine: Multi-modal Cosine Loss Towards Balanced Audio-visual Fine-grained Learning", ICASSP 2023',
  options: {
    scale: {
      type: "number",
      default: 10,
      min: 0.01,
      tune: [5, 10, 15, 30],
      about: "factor on the cosines; more classes need more",
      source: "released code; BalanceBenchmark 15",
    },
  },
  worksWith: "fusions that are linear in the features (concat, sum, decision)",
  cost: { forwards: 1, backwards: 1 },
  refuses: (fusion) =>
    fusion.kernels === undefined
      ? "it compares features with the columns of a linear head, and this fusion is not linear in them; concat is"
      : null,
  create: ({ scale }, { modalities }) => {
    const logits = (step: Step) =>
      step.memo("mmcosine", () => {
        const kernels = step.kernels()!;
        return byModality(
          modalities,
          (modality) => cosineLogits(step.features[modality].pooled, kernels[modality], scale),
        );
      });
    return {
      name: "mmcosine",
      declares: { claims: [SHARED_CLAIMS.logits, CLAIMS.readout] },
      readout: logits,
      output(step) {
        const own = logits(step);
        const parts = byModality(
          modalities,
          (modality) => step.keep === null ? own[modality] : tf.mul(own[modality], step.keep[modality]) as tf.Tensor2D,
        );
        const fused = modalities.length === 1 ? parts[modalities[0]] : tf.addN(Object.values(parts)) as tf.Tensor2D;
        const heads = step.output.own === undefined ? {} : { own };
        return { ...step.output, ...heads, logits: fused, fused, parts };
      },
    };
  },
});
