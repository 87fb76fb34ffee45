/**
 * Knowledge from the fused feature to every modality, by mutual information: what is known of AMID.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { byModality } from "../core/modality.ts";
import { defineMethod, type MethodPlugin, type Step, type TrainStep } from "../core/kinds/mod.ts";
import { whereKept } from "../losses/kept.ts";
import { xavierNormal } from "../nn/initializers.ts";
import { linear } from "../nn/linear.ts";
import { stopGradient } from "../tensor/autodiff.ts";
import { identityMatrix } from "../tensor/identity_matrix.ts";
import { needsTwo, SHARED_CLAIMS, unimodalLosses } from "./unimodal.ts";

/** Options of `amid`. */
export interface AmidOptions {
  readonly nce: number;
  readonly conditional: number;
  readonly temperature: number;
  readonly width: number;
  readonly teacher: "fused" | "others";
}

/**
 * InfoNCE of every row, both ways: -log of the softmax of its own pair among those of other classes.
 *
 * @param teacher [B, k]; `student` too. They are compared by cosine.
 * @param labels Rows of the same class are no negatives of each other, [B].
 * @param valid 0 for rows that take no part, [B]; their own terms are 0.
 * @returns [B].
 */
export function infoNce(
  teacher: tf.Tensor2D,
  student: tf.Tensor2D,
  labels: tf.Tensor1D,
  valid: tf.Tensor1D,
  temperature: number,
): tf.Tensor1D {
  const rows = labels.shape[0];
  const unit = (x: tf.Tensor2D) => tf.mul(x, tf.rsqrt(tf.maximum(tf.sum(tf.square(x), 1, true), 1e-16))) as tf.Tensor2D;
  const similar = tf.div(tf.matMul(unit(teacher), unit(student), false, true), temperature);
  const other = tf.cast(tf.notEqual(tf.expandDims(labels, 0), tf.expandDims(labels, 1)), "float32");
  const both = tf.mul(tf.expandDims(valid, 0), tf.expandDims(valid, 1));
  const own = identityMatrix(rows);
  // Own pairs and valid rows of other classes; the rest leave the denominators.
  const taken = tf.maximum(tf.mul(other, both), own);
  const masked = tf.add(similar, tf.mul(tf.sub(taken, 1), 1e9)) as tf.Tensor2D;
  const pair = tf.sum(tf.mul(similar, own), 1);
  const ways = tf.add(tf.logSumExp(masked, 1), tf.logSumExp(masked, 0));
  return tf.mul(tf.sub(tf.mul(ways, 0.5), pair), valid) as tf.Tensor1D;
}

const GROUP = "aux:amid";

/**
 * Every modality's feature is drawn to the fused one: by a contrastive bound on their mutual information, and by a map that
 * predicts the fused feature from it, a Gaussian bound on what the fused one holds beyond it.
 *
 * An interpretation. Of the paper only the abstract was available: a student, a teacher of all modalities and an auxiliary
 * model, trained together to raise I(teacher; student) and I(teacher; auxiliary) and to lower H(teacher | student), the last
 * adversarially. Here the teacher is the fused feature without gradient, each modality a student, and no discriminator.
 */
export const amid: MethodPlugin = defineMethod<AmidOptions>({
  name: "amid",
  about: "an interpretation of AMID: draws every modality's feature to the fused one by bounds on their information",
  formula: `t = sg f_y;  L = CE(l) + sum_u (CE(l_u) + lambda_1 NCE(P_t t, P_u f_u) + lambda_2 |M_u f_u - t|^2)
    NCE: mean of both directions, cosine / tau, other rows of the same class left out`,
  source:
    'after Chen et al., "Enhanced Multimodal Representation Learning with Cross-modal KD" (AMID), CVPR 2023; its formulas were not available',
  options: {
    nce: {
      type: "number",
      default: 0.1,
      min: 0,
      tune: [0.03, 0.1, 0.3, 1],
      about: "weight lambda_1 of the contrastive bound",
      source: "chosen here",
    },
    conditional: {
      type: "number",
      default: 0.001,
      min: 0,
      tune: [0.001, 0.01, 0.1],
      about: "weight lambda_2 of the squared error of the predicted fused feature, summed over its width",
      source: "chosen here, in place of the paper's adversary; 0.1 drowns all other losses at a width of 128",
    },
    temperature: {
      type: "number",
      default: 0.1,
      min: 0.001,
      tune: [0.05, 0.1, 0.5],
      about: "what cosines are divided by",
      source: "chosen here: common for contrastive losses",
    },
    width: {
      type: "integer",
      default: 128,
      min: 1,
      tune: [64, 128],
      about: "width of the projections that are compared",
      source: "chosen here",
    },
    teacher: {
      type: "choice",
      choices: ["fused", "others"],
      default: "fused",
      about: "the teacher of a modality: the fused feature, or that of all other modalities",
      source: "the paper's teacher sees all; others, as the fused feature holds the modality's own",
    },
  },
  tiny: { width: 6 },
  cost: { forwards: 1, backwards: 1 },
  refuses: (_fusion, context) => needsTwo(context),
  create: ({ nce, conditional, temperature, width, teacher }, { modalities }) => {
    const taught = (step: Step, modality: string): tf.Tensor2D =>
      stopGradient(
        teacher === "fused" ? step.output.fused : step.subset(modalities.filter((other) => other !== modality)).fused,
      );
    const project = (step: Step, name: string, x: tf.Tensor2D) =>
      linear(step.scope.group(GROUP).in(name), x, { width, bias: false, kernelInit: xavierNormal }) as tf.Tensor2D;
    const terms = (step: TrainStep) =>
      step.memo("amid", () =>
        byModality(modalities, (modality) => {
          const { pooled } = step.features[modality];
          const t = taught(step, modality);
          const valid = whereKept(step.weights, step.keep, modality);
          const contrast = infoNce(
            project(step, "teacher", t),
            project(step, modality, pooled),
            step.labels,
            valid,
            temperature,
          );
          const guess = linear(step.scope.group(GROUP).in(`${modality}/guess`), pooled, {
            width: t.shape[1],
            kernelInit: xavierNormal,
          });
          const error = tf.sum(tf.square(tf.sub(guess, t)), 1) as tf.Tensor1D;
          return { contrast, error: whereKept(error, step.keep, modality) };
        }));
    return {
      name: "amid",
      declares: { solo: true, claims: [SHARED_CLAIMS.readouts] },
      loss(step) {
        const found = terms(step);
        return {
          ...unimodalLosses(step, step.solo().logits),
          ...Object.fromEntries(modalities.flatMap((modality) => [
            [`nce:${modality}`, tf.mul(found[modality].contrast, nce)],
            [`conditional:${modality}`, tf.mul(found[modality].error, conditional)],
          ])),
        };
      },
    };
  },
});
