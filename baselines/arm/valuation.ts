/**
 * The valuation of one step: what ARM's parts share.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { stopGradient } from "../../tensor/autodiff.ts";
import { squareScale } from "../../tensor/square_scale.ts";
import { at, type ByModality, byModality, mapByModality, valuesOf } from "../../core/modality.ts";
import type { Information, Step, Valued } from "../../core/kinds/mod.ts";
import { labelProbability } from "../../losses/cross_entropy.ts";
import { informationOfVectors, vectorsOf } from "../../miv/estimators/information.ts";
import { centred, contributions, gradientIf } from "../../miv/valuation.ts";
import { type Compared, viewOf } from "../../miv/views.ts";
import { xavierNormal, zeros } from "../../nn/initializers.ts";
import { canonicalJson } from "../../core/canonical.ts";
import { type ValuationOptions, valuationSpecs } from "./options.ts";
import { ARM_GROUP, jointHead, projection } from "./released.ts";

/** What a valuation gives. */
export interface Valuation extends Valued {
  /** Raw phi^CMI(x^i), without gradient, [B, m]. */
  readonly phi: tf.Tensor2D;
  /** What was compared, [B, 1 + m, d]: fused feature and parts, centred and without gradient. */
  readonly compared: tf.Tensor3D;
  /** The same estimates between mismatched neighbours of the batch; `null` if not wanted, and for one row. */
  readonly floor: Information | null;
  /** Which of these pairs count, [pairs] of 0 and 1: rows of one group are not mismatched. `null` if all do. */
  readonly apart: tf.Tensor1D | null;
}

/** Whose probability and which batch a valuation is about. */
export interface Target {
  /** Where in the step it stands: before features are weighted, or behind fusion. */
  readonly stage: "features" | "output";
  /** Class indices, int32 [B]: the labels in training. */
  readonly classes: tf.Tensor1D;
  /** The fused readout, [B, C], and the fused feature, [B, d]. */
  readonly output: { readonly logits: tf.Tensor2D; readonly fused: tf.Tensor2D };
  /** Sample weights [B], or `null` if all rows count. */
  readonly weights: tf.Tensor1D | null;
}

/** How a method values batches. */
export interface Valuing {
  readonly options: ValuationOptions;
  /** Whether prediction values samples, and so needs centres that do not depend on the batch. */
  readonly remembers: boolean;
}

/** The options of a valuation among others. */
export function valuationOptionsOf(options: ValuationOptions): ValuationOptions {
  const names = Object.keys(valuationSpecs) as (keyof ValuationOptions)[];
  return Object.fromEntries(names.map((name) => [name, options[name]])) as unknown as ValuationOptions;
}

/** Share of a new batch in remembered centres. */
const MOMENTUM = 0.1;

/** Subtracts what all samples share: the batch's mean in training, its remembered mean in prediction. */
function centre(vectors: tf.Tensor3D, step: Step, target: Target, { options, remembers }: Valuing): tf.Tensor3D {
  if (options.center === "none") return vectors;
  const [batch, count, width] = vectors.shape;
  const flat: tf.Tensor2D = tf.reshape(vectors, [batch, count * width]);
  const weights = target.weights ?? (tf.ones([batch]) as tf.Tensor1D);
  if (!remembers) return tf.reshape(centred(flat, weights), vectors.shape);
  const group = step.scope.group(ARM_GROUP);
  const remembered = group.buffer("centres", [1, count * width], zeros) as tf.Tensor2D;
  if (step.scope.mode === "eval") return tf.reshape(tf.sub(flat, remembered), vectors.shape);
  const result = centred(flat, weights);
  const mean = tf.slice(tf.sub(stopGradient(flat), stopGradient(result)), [0, 0], [1, -1]);
  group.update("centres", tf.add(tf.mul(remembered, 1 - MOMENTUM), tf.mul(mean, MOMENTUM)));
  return tf.reshape(result, vectors.shape);
}

/** Logits of ARM's own linear heads: for their loss (no gradient to features), and for valuation (none to the heads). */
function auxiliaryLogits(step: Step, use: "train" | "value"): ByModality<tf.Tensor2D> {
  return byModality(step.modalities, (modality) => {
    const { pooled } = at(step.features, modality);
    const head = step.scope.group(ARM_GROUP).in(`head/${modality}`);
    const kernel = head.param("kernel", [pooled.shape[1], step.classes], xavierNormal) as tf.Tensor2D;
    const bias = head.param("bias", [step.classes], zeros);
    return use === "train"
      ? tf.add(tf.matMul(stopGradient(pooled), kernel), bias) as tf.Tensor2D
      : tf.add(tf.matMul(pooled, stopGradient(kernel)), stopGradient(bias)) as tf.Tensor2D;
  });
}

/** What is compared, not centred yet, and the fused readout that goes with it. */
function compared(step: Step, { output }: Target, { view }: ValuationOptions): Compared & { logits: tf.Tensor2D } {
  const sources = {
    solo: () => step.solo(),
    pooled: mapByModality(step.features, ({ pooled }) => pooled),
    fused: output.fused,
    projection: () => projection(step),
  };
  const vectors = viewOf(view, "none", sources, tf.ones([output.fused.shape[0]]));
  // There, the vector that is valued is not the one that predicts.
  const logits = view === "official" ? jointHead(vectors.fused, step.classes, step.scope) : output.logits;
  return { ...vectors, logits };
}

/** Unimodal logits by the chosen readout, for valuation or for the readout's own loss. */
export function readoutLogits(
  step: Step,
  options: Pick<ValuationOptions, "readout">,
  use: "train" | "value",
): ByModality<tf.Tensor2D> {
  switch (options.readout) {
    case "solo":
      return step.solo().logits;
    case "auxiliary":
      return auxiliaryLogits(step, use);
    case "raw":
      return mapByModality(step.features, ({ pooled }) => jointHead(pooled, step.classes, step.scope));
  }
}

/** Probability of the target class by each modality's logits, [B, m]. */
function soloProbabilities(logits: ByModality<tf.Tensor2D>, classes: tf.Tensor1D): tf.Tensor2D {
  const all = valuesOf(logits);
  const [batch, count] = all[0].shape;
  const together = tf.reshape(tf.concat(all, 1), [batch, all.length, count]);
  const target = tf.reshape(tf.oneHot(classes, count, 1, 0, "float32"), [batch, 1, count]);
  return tf.sum(tf.mul(tf.softmax(together), target), 2);
}

/** Mismatched pairs that the floor is estimated from: enough for a mean over an epoch, cheap beside the valuation. */
const FLOOR_PAIRS = 16;

/** 1 for neighbours of a batch that are of two groups, else 0, [pairs]; `null` where every sample is a group of its own. */
function pairsApart(groups: tf.Tensor1D | null, pairs: number): tf.Tensor1D | null {
  if (groups === null) return null;
  return tf.cast(tf.notEqual(tf.slice(groups, [0], [pairs]), tf.slice(groups, [1], [pairs])), "float32");
}

/** phi_i (Eq. 11) of a valuation with the gradients that are asked for, [B, m]. */
function contributionsWith(
  { p, solo, nmi, ncmi }: Omit<Valued, "contributions">,
  index: ValuationOptions["index"],
  { probabilities, asymmetric }: Parameters<Valued["contributions"]>[0],
): tf.Tensor2D {
  const own = gradientIf(p, probabilities);
  if (!asymmetric) return contributions(own, gradientIf(solo, probabilities), nmi, ncmi, index);
  // A weak modality is to rise by its own information, not by what others say or know.
  const whole = contributions(stopGradient(p), stopGradient(solo), stopGradient(nmi), stopGradient(ncmi), index);
  const term = tf.mul(tf.expandDims(own, 1), nmi);
  return tf.add(term, stopGradient(tf.sub(whole, term))) as tf.Tensor2D;
}

/** What losses see of information and probabilities. */
export function valuedBy(found: Omit<Valued, "contributions">, index: ValuationOptions["index"]): Valued {
  return { ...found, contributions: (gradient) => contributionsWith(found, index, gradient) };
}

/**
 * The valuation of a batch; whatever has the same options shares it within a step.
 *
 * @param logged Whether the floor is wanted too.
 */
export function valuate(step: Step, target: Target, valuing: Valuing, logged: boolean): Valuation {
  const { options, remembers } = valuing;
  const key = canonicalJson({ valuation: valuationOptionsOf(options), remembers, logged, stage: target.stage });
  return step.memo(key, () => {
    const { index, estimator, granularity } = options;
    const { parts, fused, logits: fusedLogits } = compared(step, target, options);
    const vectors = centre(gradientIf(vectorsOf(parts, fused), options.gradient === "all"), step, target, valuing);
    const pairs = logged ? Math.min(FLOOR_PAIRS, vectors.shape[0] - 1) : 0;
    const apart = pairs === 0 ? null : pairsApart(step.groups, pairs);
    const how = { estimator, granularity };
    const { nmi, ncmi, floor } = informationOfVectors(vectors, how, target.weights, { pairs, apart });
    const keep = options.gradient !== "none";
    const p = gradientIf(labelProbability(fusedLogits, target.classes), keep);
    const solo = gradientIf(soloProbabilities(readoutLogits(step, options, "value"), target.classes), keep);
    const found = { p, solo, nmi, ncmi };
    const phi = contributions(stopGradient(p), stopGradient(solo), stopGradient(nmi), stopGradient(ncmi), index);
    return { ...valuedBy(found, index), phi, compared: stopGradient(vectors), floor, apart };
  });
}

/** Means of columns over rows, [1, k]; rows count as they weigh, and where none does the means are 0. */
export function weightedMeans(columns: tf.Tensor2D, weights: tf.Tensor1D): tf.Tensor2D {
  const total = tf.maximum(tf.sum(weights), 1e-12);
  return tf.div(tf.matMul(tf.expandDims(weights, 0) as tf.Tensor2D, columns), total);
}

/** What the estimator finds between mismatched samples: NMI and NCMI, means over modalities and pairs; 0 for one row. */
export function estimatorFloor({ floor, apart }: Valuation, weights: tf.Tensor1D): { nmi: tf.Scalar; ncmi: tf.Scalar } {
  if (floor === null) return { nmi: tf.scalar(0), ncmi: tf.scalar(0) };
  const [pairs, m] = floor.nmi.shape;
  // A pair counts if both of its rows do, and if these are of two groups.
  const both = tf.mul(tf.slice(weights, [0], [pairs]), tf.slice(weights, [1], [pairs])) as tf.Tensor1D;
  const shares = apart === null ? both : tf.mul(both, apart) as tf.Tensor1D;
  const all = tf.concat([floor.nmi, tf.reshape(floor.ncmi, [pairs, m * m])], 1) as tf.Tensor2D;
  const averages = Array.from({ length: m + m * m }, (_, k) => k < m ? [1 / m, 0] : [0, 1 / Math.max(1, m * (m - 1))]);
  const [nmi, ncmi] = tf.split(tf.matMul(weightedMeans(all, shares), tf.tensor2d(averages)), 2, 1)
    .map((mean) => tf.reshape(mean, []) as tf.Scalar);
  return { nmi, ncmi };
}

/** Mean cosine between each sample's modalities' vectors, over pairs, [B]; 0 for one modality alone. */
export function meanCosine({ compared }: Valuation): tf.Tensor1D {
  const [batch, count] = compared.shape;
  const m = count - 1;
  const given = tf.slice(compared, [0, 1, 0], [-1, m, -1]);
  // A cosine has no unit.
  const parts = tf.mul(given, squareScale(given, 2));
  const products = tf.matMul(parts, parts, false, true);
  const own = tf.reshape(tf.eye(m), [1, m, m]);
  const inverse = tf.rsqrt(tf.maximum(tf.sum(tf.mul(products, own), 2), 1e-24));
  const cosines = tf.mul(tf.mul(products, tf.reshape(inverse, [batch, m, 1])), tf.reshape(inverse, [batch, 1, m]));
  return tf.sum(tf.mul(cosines, tf.div(tf.sub(1, own), Math.max(1, m * (m - 1)))), [1, 2]);
}
