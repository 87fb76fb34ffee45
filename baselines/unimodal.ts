/**
 * What several methods share: losses, scores and heads of the modalities' own readouts, and scaling of encoders' gradients.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { at, type ByModality, byModality, mapByModality } from "../core/modality.ts";
import type { Fusion, Keep, ModelContext, Step, TrainStep } from "../core/kinds/mod.ts";
import type { NumberOption } from "../core/options.ts";
import type { NamedTensors } from "../core/program.ts";
import { groupOf } from "../core/scope.ts";
import { crossEntropy, labelProbability } from "../losses/cross_entropy.ts";
import { whereKept } from "../losses/kept.ts";
import { modalityTerms } from "../losses/readouts.ts";
import { xavierNormal } from "../nn/initializers.ts";
import { linear } from "../nn/linear.ts";
import { stopGradient } from "../tensor/autodiff.ts";

/** Claims that these methods share. */
export const SHARED_CLAIMS = {
  /** The loss contains the cross-entropy of every modality's readout. */
  readouts: "train every modality's readout",
  /** The logits are made anew from the modalities' parts. */
  logits: "make the fused logits anew",
} as const;

/** Why a comparison of modalities does not work with one. */
export function needsTwo({ modalities }: ModelContext): string | null {
  return modalities.length < 2 ? "it compares modalities and needs at least two" : null;
}

/** Why a method of late fusion does not work with others. */
export function needsLate(fusion: Fusion, context: ModelContext): string | null {
  return fusion.late === true
    ? needsTwo(context)
    : "it weighs predictions of one head per modality, and this fusion's logits are not made of such; decision's are";
}

/** What a score is compared with where there are more than two modalities. */
export type OthersForm = "mean" | "sum" | "least";

/**
 * Each modality's score over that of the others: rho_u = s_u / s_v for two.
 *
 * The paper defines it for two. For more, the others count by their mean; the released code of MLA takes their sum (at most
 * one modality is then damped), BalanceBenchmark the least of them.
 *
 * @param scores One scalar per modality.
 */
export function discrepancyRatios(scores: readonly tf.Scalar[], others: OthersForm = "mean"): tf.Scalar[] {
  return scores.map((own, u) => {
    const rest = scores.filter((_, v) => v !== u);
    const sum = tf.addN(rest);
    const joined = others === "sum" ? sum : others === "mean" ? tf.div(sum, rest.length) : tf.min(tf.stack(rest));
    return tf.div(own, tf.maximum(joined, 1e-8)) as tf.Scalar;
  });
}

/** First and last epoch of a window, from 0 and inclusive, as options. */
export function windowOptions(start: number, end: number, source: string): { start: NumberOption; end: NumberOption } {
  return {
    start: {
      type: "integer",
      default: start,
      min: 0,
      tune: [0, 5],
      about: "first epoch in which it acts, from 0",
      source,
    },
    end: {
      type: "integer",
      default: end,
      min: 0,
      tune: [20, 50],
      about: "last epoch in which it acts, inclusive",
      source,
    },
  };
}

/** Weighted mean of per-sample terms [B] over the rows that have the modality; 0 where there are none. */
export function keptMean(terms: tf.Tensor1D, weights: tf.Tensor1D, keep: Keep, modality: string): tf.Scalar {
  const valid = whereKept(weights, keep, modality);
  return tf.div(tf.sum(tf.mul(terms, valid)), tf.maximum(tf.sum(valid), 1e-12)) as tf.Scalar;
}

/** Sample weights [B] at any point of a training step: 1 where the harness gives none. */
export function weightsOf(step: Step): tf.Tensor1D {
  return step.scope.weights() ?? tf.ones([step.features[step.modalities[0]].pooled.shape[0]]);
}

/** Shuffles of a batch's rows from noise that is drawn in a group, int32 [count, B]; rows of padding stay behind the others. */
export function shuffledRows(step: TrainStep, group: string, count: number): tf.Tensor2D {
  const [rows] = step.labels.shape;
  const noise = step.scope.group(group).random("uniform", [count, rows]);
  const weights = step.scope.weights();
  const ranked = weights === null ? noise : tf.add(noise, tf.mul(weights, 2));
  return tf.topk(ranked, rows).indices as tf.Tensor2D;
}

/** 1 if any row of the batch has the modality, else 0. */
export function presence(weights: tf.Tensor1D, keep: Keep, modality: string): tf.Scalar {
  return tf.cast(tf.greater(tf.sum(whereKept(weights, keep, modality)), 0), "float32") as tf.Scalar;
}

/** Cross-entropy of every modality's logits by the keys `uni:<modality>`, per sample; 0 where it is dropped. */
export function unimodalLosses(
  step: TrainStep,
  logits: ByModality<tf.Tensor2D>,
  weight = 1,
): Record<string, tf.Tensor1D> {
  return mapByModality(
    modalityTerms("uni", logits, step, crossEntropy),
    (term) => weight === 1 ? term : tf.mul(term, weight) as tf.Tensor1D,
  );
}

/** Keys of `unimodalLosses`. */
export function unimodalKeys(modalities: readonly string[]): string[] {
  return modalities.map((modality) => `uni:${modality}`);
}

/** Mean probability of the label by every modality's logits, without gradient: its score. */
export function labelScores(step: TrainStep, logits: ByModality<tf.Tensor2D>): tf.Scalar[] {
  return step.modalities.map((modality) =>
    keptMean(labelProbability(stopGradient(at(logits, modality)), step.labels), step.weights, step.keep, modality)
  );
}

/**
 * Logits [B, C] of a head for every modality: the fusion's, if it has such heads, else linear ones on the features, in the
 * groups `head:<modality>`.
 */
export function ownLogits(step: Step): ByModality<tf.Tensor2D> {
  return step.output.own ?? step.memo("heads", () =>
    byModality(
      step.modalities,
      (modality) =>
        linear(step.scope.group(`head:${modality}`), step.features[modality].pooled, {
          width: step.classes,
          kernelInit: xavierNormal,
        }) as tf.Tensor2D,
    ));
}

/** Logits of the fusion with all but one modality dropped, its whole bias included. */
export function zeroFilledLogits(step: Step): ByModality<tf.Tensor2D> {
  return byModality(step.modalities, (modality) => {
    const { own, logits } = step.subset([modality]);
    return own?.[modality] ?? logits;
  });
}

/** Gradients with those of every modality's encoder times a factor. */
export function scaledEncoders(gradients: NamedTensors, factors: ByModality<tf.Scalar>): NamedTensors {
  const result = { ...gradients };
  for (const [full, gradient] of Object.entries(gradients)) {
    const group = groupOf(full);
    const factor = group.startsWith("encoder:") ? factors[group.slice("encoder:".length)] : undefined;
    if (factor !== undefined) result[full] = tf.mul(gradient, factor);
  }
  return result;
}

/** One scalar per modality of a vector [m] in sorted order. */
export function perModality(vector: tf.Tensor1D, modalities: readonly string[]): Record<string, tf.Scalar> {
  const each = tf.split(vector, modalities.length);
  return byModality(modalities, (_, u) => tf.reshape(each[u], []) as tf.Scalar);
}

/** Scalars of every modality as statistics `<name>:<modality>`. */
export function statsOf(
  vectors: Readonly<Record<string, tf.Tensor1D>>,
  modalities: readonly string[],
): Record<string, tf.Scalar> {
  return Object.fromEntries(
    Object.entries(vectors).flatMap(([name, vector]) =>
      Object.entries(perModality(vector, modalities)).map(([modality, value]) => [`${name}:${modality}`, value])
    ),
  );
}
