/**
 * Training on misaligned samples ("MIDAS").
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { at, type ByModality, byModality, mapByModality } from "../core/modality.ts";
import { CLAIMS, defineMethod, type Method, type MethodPlugin, type TrainStep } from "../core/kinds/mod.ts";
import type { Scope } from "../core/scope.ts";
import { crossEntropy, labelProbability } from "../losses/cross_entropy.ts";
import { ones } from "../nn/initializers.ts";
import { stopGradient } from "../tensor/autodiff.ts";
import { needsTwo, ownLogits, SHARED_CLAIMS, shuffledRows, statsOf, unimodalLosses, weightsOf } from "./unimodal.ts";

/** Options of `midas`. */
export interface MidasOptions {
  readonly lambda: number;
  readonly eta: number;
  readonly warmup: number;
  readonly hard: boolean;
}

/** Samples made of several: which row of the batch every modality is of, int32 [B] each, and the rows that count, [B]. */
interface Misaligned {
  readonly rows: ByModality<tf.Tensor1D>;
  /** Weight of the row; 0 where all sources are of one class, are padding or lack the modality. */
  readonly valid: tf.Tensor1D;
}

/**
 * Each modality's share of a soft label: c_u = p_u[y_u] / sum_v p_v[y_v], the confidence of its own classifier in the class
 * that it is of, among all (Eq. 2).
 *
 * @param confidences p_u[y_u], [B] each.
 */
export function labelShares(confidences: ByModality<tf.Tensor1D>): Record<string, tf.Tensor1D> {
  const sum = tf.maximum(tf.addN(Object.values(confidences)), 1e-12);
  return mapByModality(confidences, (own) => tf.div(own, sum) as tf.Tensor1D);
}

/**
 * Loss of misaligned samples: sum_u alpha_u c_u CE(l, y_u), cross-entropy with the soft label sum_u c_u onehot(y_u) whose
 * parts weigh as alpha says (Eqs. 3, 4 and 10 but for the sample's own weight).
 *
 * @param logits Of the samples, [B, C].
 * @param labels The class that every modality is of, int32 [B].
 * @param shares c_u, [B].
 * @param alpha [m], in the modalities' sorted order.
 * @returns [B].
 */
export function misalignedLoss(
  logits: tf.Tensor2D,
  labels: ByModality<tf.Tensor1D>,
  shares: ByModality<tf.Tensor1D>,
  alpha: tf.Tensor1D,
): tf.Tensor1D {
  const names = Object.keys(labels).sort();
  const each = tf.split(alpha, names.length);
  return tf.addN(
    names.map((name, u) => tf.mul(tf.mul(crossEntropy(logits, at(labels, name)), at(shares, name)), each[u])),
  ) as tf.Tensor1D;
}

/**
 * How alike a misaligned sample is to the one whose row it has: the mean over modalities of another class of the cosine
 * between the feature that was replaced and the one in its place, -1..1 (Eq. 8). 0 where nothing of another class is.
 *
 * @param features [B, d_u].
 * @param differs 1 where the class in place is another one, [B] by modality.
 * @returns [B].
 */
export function likeness(
  features: ByModality<tf.Tensor2D>,
  rows: ByModality<tf.Tensor1D>,
  differs: ByModality<tf.Tensor1D>,
): tf.Tensor1D {
  const names = Object.keys(features).sort();
  const cosines = names.map((name) => {
    const own = at(features, name);
    const unit = tf.div(own, tf.maximum(tf.norm(own, 2, 1, true), 1e-12)) as tf.Tensor2D;
    return tf.mul(tf.sum(tf.mul(unit, tf.gather(unit, at(rows, name))), 1), at(differs, name));
  });
  return tf.div(tf.addN(cosines), tf.maximum(tf.addN(names.map((name) => at(differs, name))), 1)) as tf.Tensor1D;
}

/**
 * The weights of the next step: the modality u whose share c_u is least in the mean gets max(1, alpha_u + eta Delta), with
 * Delta the mean of c_u - q_u and q_u the fused prediction's own share of that modality's class; all others get 1 (Eqs. 5-7).
 *
 * @param alpha [m].
 * @param shares Means of c_u, [m].
 * @param fused Means of q_u, [m].
 */
export function weakWeights(alpha: tf.Tensor1D, shares: tf.Tensor1D, fused: tf.Tensor1D, eta: number): tf.Tensor1D {
  const least = tf.oneHot(tf.argMin(shares), alpha.shape[0], 1, 0, "float32");
  const raised = tf.maximum(tf.add(alpha, tf.mul(tf.sub(shares, fused), eta)), 1);
  return tf.add(tf.mul(least, raised), tf.sub(1, least)) as tf.Tensor1D;
}

const GROUP = "aux:midas";

/** Weights of this step: 1 at an epoch's first one. */
function alphaOf(scope: Scope, m: number): tf.Tensor1D {
  const group = scope.group(GROUP);
  const alpha = group.buffer("alpha", [m], ones) as tf.Tensor1D;
  const epoch = group.buffer("epoch", [], () => Float32Array.of(-1));
  return tf.where(tf.equal(epoch, scope.control("epoch")), alpha, tf.onesLike(alpha)) as tf.Tensor1D;
}

/** Misaligned samples of a batch: every modality in turn keeps its row, each of the others takes that of a shuffle. */
function misalign(step: TrainStep): Misaligned[] {
  const { modalities, labels, keep } = step;
  const own = tf.range(0, labels.shape[0], 1, "int32");
  const orders = tf.unstack(shuffledRows(step, GROUP, modalities.length - 1)) as tf.Tensor1D[];
  const weights = weightsOf(step);
  return modalities.map((_, k) => {
    const rows = byModality(modalities, (_own, u) => {
      const turn = (u - k + modalities.length) % modalities.length;
      return turn === 0 ? own : orders[turn - 1];
    });
    let valid = tf.zerosLike(weights);
    for (const modality of modalities) valid = tf.maximum(valid, differing(labels, at(rows, modality)));
    for (const modality of modalities) {
      valid = tf.mul(valid, tf.gather(weights, at(rows, modality)));
      if (keep !== null) valid = tf.mul(valid, tf.gather(tf.reshape(at(keep, modality), [-1]), at(rows, modality)));
    }
    return { rows, valid: valid as tf.Tensor1D };
  });
}

/** 1 where another row's class is not the row's own, [B]. */
function differing(labels: tf.Tensor1D, rows: tf.Tensor1D): tf.Tensor1D {
  return tf.cast(tf.notEqual(tf.gather(labels, rows), labels), "float32");
}

/** What a step makes of its misaligned samples. */
interface Outcome {
  readonly loss: tf.Scalar;
  /** Weights of the next step, [m]. */
  readonly next: tf.Tensor1D;
}

function outcomeOf(step: TrainStep, { eta, hard }: MidasOptions): Outcome {
  const { modalities, labels } = step;
  const alpha = stopGradient(alphaOf(step.scope, modalities.length));
  const confidences = mapByModality(ownLogits(step), (own) => labelProbability(stopGradient(own), labels));
  const features = mapByModality(step.features, ({ pooled }) => stopGradient(pooled));
  const found = misalign(step).map(({ rows, valid }) => {
    const classes = mapByModality(rows, (own) => tf.gather(labels, own) as tf.Tensor1D);
    const shares = labelShares(mapByModality(rows, (own, modality) => tf.gather(at(confidences, modality), own)));
    const { logits } = step.rearranged(rows);
    const loss = misalignedLoss(logits, classes, shares, alpha);
    const weight = hard
      ? likeness(features, rows, mapByModality(rows, (own) => differing(labels, own)))
      : tf.onesLike(loss);
    // The fused prediction's confidence in each modality's class, among these classes.
    const fused = labelShares(mapByModality(classes, (own) => labelProbability(stopGradient(logits), own)));
    return { valid, loss: tf.mul(loss, weight), shares, fused };
  });
  const count = tf.maximum(tf.sum(tf.addN(found.map(({ valid }) => valid))), 1e-12);
  const mean = (of: (each: typeof found[number]) => tf.Tensor) =>
    tf.div(tf.sum(tf.addN(found.map((each) => tf.mul(of(each), each.valid)))), count) as tf.Scalar;
  const means = (kind: "shares" | "fused") =>
    tf.stack(modalities.map((modality) => mean((each) => at(each[kind], modality)))) as tf.Tensor1D;
  return { loss: mean(({ loss }) => loss), next: weakWeights(alpha, means("shares"), means("fused"), eta) };
}

function midasOf(options: MidasOptions, modalities: readonly string[]): Method {
  const main = "midas/main";
  const outcome = (step: TrainStep) => step.memo("midas", () => outcomeOf(step, options));
  return {
    name: "midas",
    declares: {
      controls: { [main]: 1 },
      claims: [CLAIMS.taskLoss, SHARED_CLAIMS.readouts, CLAIMS.readout],
    },
    beforeEpoch: (host) => host.setControl(main, host.epoch < options.warmup ? 0 : 1),
    readout: ownLogits,
    taskLoss: (terms, step) => mapByModality(terms, (term) => tf.mul(term, step.scope.control(main))),
    loss: (step) => ({
      ...unimodalLosses(step, ownLogits(step)),
      misaligned: tf.mul(outcome(step).loss, tf.mul(step.scope.control(main), options.lambda)),
    }),
    emit(step) {
      const { next } = outcome(step);
      const on = step.scope.control(main);
      const alpha = tf.add(tf.mul(next, on), tf.sub(1, on)) as tf.Tensor1D;
      const group = step.scope.group(GROUP);
      group.update("alpha", alpha);
      group.update("epoch", tf.mul(step.scope.control("epoch"), 1));
      return { stats: statsOf({ alpha }, modalities) };
    },
  };
}

/**
 * Samples whose modalities are of different classes are training samples too: their label is shared out by how sure each
 * modality's own classifier is of its class, the least sure modality's part weighs more while the fused prediction neglects
 * it, and samples whose replaced features look alike weigh more. A warm-up trains the modalities' own classifiers alone.
 *
 * Misaligned samples are made of the batch's features, as the paper does for speed, so encoders run once. A pair of one
 * class teaches nothing and is left out, where the paper draws another. For more than two modalities every one in turn
 * keeps its row and the others take rows of a shuffle each; the paper assigns sources at random. Their loss is the mean
 * over all that count. Shares, likeness and weights carry no gradient. Whether the least sure modality is found by
 * confidences or by their shares, the paper's text leaves open; here by shares.
 */
export const midas: MethodPlugin = defineMethod<MidasOptions>({
  name: "midas",
  about: "trains on samples whose modalities are of different classes, with labels shared out by each one's confidence",
  formula: `L = CE(l, y) + sum_u CE(l_u, y) + lambda mean s sum_u alpha_u c_u CE(l(f_1 of y_1, ..., f_m of y_m), y_u)
    c_u = p_u[y_u] / sum_v p_v[y_v];  s: mean cosine of replaced and new features;  u = argmin mean c_u, Delta = mean (c_u - q_u)
    alpha_u <- max(1, alpha_u + eta Delta), the others' 1;  q: as c, of the fused prediction;  warm-up: L = sum_u CE(l_u, y)`,
  source:
    'Hwang et al., "MIDAS: Misalignment-based Data Augmentation Strategy for Imbalanced Multimodal Learning", NeurIPS 2025',
  options: {
    lambda: {
      type: "number",
      default: 1,
      min: 0,
      tune: [0.5, 1, 2, 5],
      about: "weight of the misaligned samples",
      source: "the paper; 5 for Kinetics-Sounds",
    },
    eta: {
      type: "number",
      default: 0.05,
      min: 0,
      tune: [0.01, 0.05, 0.2],
      about: "step size of the weak modality's weight; 0 turns it off",
      source: "the paper",
    },
    warmup: {
      type: "integer",
      default: 5,
      min: 0,
      tune: [0, 1, 5],
      about: "epochs in which the modalities' own classifiers alone are trained",
      source: "chosen here: the paper, of 30 and 70 epochs, does not say",
    },
    hard: {
      type: "boolean",
      default: true,
      about: "whether samples whose features are alike weigh more",
      source: "the paper; its ablation has it off",
    },
  },
  worksWith: "every fusion",
  // Shuffles are drawn by the modalities' places.
  symmetric: false,
  cost: { forwards: 1, backwards: 1 },
  refuses: (_fusion, context) => needsTwo(context),
  create: (options, { modalities }) => midasOf(options, modalities),
});
