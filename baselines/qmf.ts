/**
 * Quality-aware multimodal fusion.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { byModality } from "../core/modality.ts";
import { CLAIMS, defineMethod, type MethodPlugin, type Step, type TrainStep } from "../core/kinds/mod.ts";
import { crossEntropy } from "../losses/cross_entropy.ts";
import { whereKept } from "../losses/kept.ts";
import { stopGradient } from "../tensor/autodiff.ts";
import { needsLate, ownLogits, SHARED_CLAIMS, unimodalLosses, weightsOf } from "./unimodal.ts";

/** Options of `qmf`. */
export interface QmfOptions {
  readonly lambda: number;
  readonly temperature: number;
  readonly margin: "paper" | "released";
  readonly history: "visit" | "sum";
  readonly confidence: "energy" | "equal";
  readonly detach: boolean;
}

/** Energy confidence of every row, w = logsumexp(l) / T, [B, 1]; it may be negative. */
export function energyConfidence(logits: tf.Tensor2D, temperature: number): tf.Tensor2D {
  return tf.div(tf.logSumExp(logits, 1, true), temperature) as tf.Tensor2D;
}

/** A batch's values moved up by one row; the last valid row is followed by the first. @param valid 0 for padding, [B]. */
export function nextRow(values: tf.Tensor1D, valid: tf.Tensor1D): tf.Tensor1D {
  const first = tf.slice1d(values, 0, 1);
  const up = (x: tf.Tensor1D, last: tf.Tensor1D) =>
    x.shape[0] === 1 ? last : tf.concat([tf.slice1d(x, 1, x.shape[0] - 1), last]) as tf.Tensor1D;
  const there = up(valid, tf.zeros([1]) as tf.Tensor1D);
  return tf.where(tf.greater(there, 0), up(values, first), tf.add(tf.zerosLike(values), first)) as tf.Tensor1D;
}

/**
 * Ranking terms of neighbouring rows (i, i + 1): max(0, t (w_i - w_(i+1)) + margin a), with t and a the sign and the size of
 * kappa_i - kappa_(i+1): whom training found harder should have the smaller weight.
 *
 * @param confidence w, [B]; has a gradient.
 * @param hardness kappa in 0..1, [B]; has none.
 * @param valid 0 for padding, which stands last, [B].
 * @param margin 1 as in the paper, -1 as in the released code.
 */
export function rankingTerms(
  confidence: tf.Tensor1D,
  hardness: tf.Tensor1D,
  valid: tf.Tensor1D,
  margin: number,
): tf.Tensor1D {
  const lead = tf.sub(hardness, nextRow(hardness, valid));
  const difference = tf.sub(confidence, nextRow(confidence, valid));
  return tf.relu(tf.add(tf.mul(tf.sign(lead), difference), tf.mul(tf.abs(lead), margin)));
}

/**
 * Least and largest history of each modality over the training set, as [lows..., highs...]; 0 where there is none.
 *
 * @param sums Sums of past losses, [N, m], row-major.
 * @param visits How often each was visited, [N, m]. Who never was counts 0 in the first epoch, and not at all later.
 */
export function historyExtremes(
  sums: Float32Array,
  visits: Float32Array,
  m: number,
  epoch: number,
  history: QmfOptions["history"],
): number[] {
  const low = new Array<number>(m).fill(Infinity);
  const high = new Array<number>(m).fill(-Infinity);
  for (let k = 0; k < sums.length; k++) {
    if (visits[k] === 0 && epoch > 0) continue;
    const value = visits[k] === 0 ? 0 : history === "sum" ? sums[k] : sums[k] / visits[k];
    const u = k % m;
    if (value < low[u]) low[u] = value;
    if (value > high[u]) high[u] = value;
  }
  return [...low, ...high].map((value) => Number.isFinite(value) ? value : 0);
}

/** The control that holds the extremes of all histories. */
const RANGE = "qmf/range";

/** CE of every modality [B, m] without gradient, 0 where nothing is to be learned, and 1 where something is. */
function visitOf(step: TrainStep, modalities: readonly string[]): { losses: tf.Tensor2D; there: tf.Tensor2D } {
  return step.memo("qmf/visit", () => {
    const logits = ownLogits(step);
    const valid = modalities.map((modality) => tf.reshape(whereKept(weightsOf(step), step.keep, modality), [-1, 1]));
    const losses = modalities.map((modality) =>
      tf.reshape(crossEntropy(stopGradient(logits[modality]), step.labels), [-1, 1])
    );
    const there = tf.concat(valid, 1) as tf.Tensor2D;
    return { losses: tf.mul(tf.concat(losses, 1), there) as tf.Tensor2D, there };
  });
}

/**
 * kappa [B, m]: histories after this visit, between the least and the largest of all.
 *
 * @param range Those of the table before the step, [lows..., highs...].
 */
function hardnessOf(
  step: TrainStep,
  modalities: readonly string[],
  history: QmfOptions["history"],
  range: tf.Tensor1D,
): tf.Tensor2D {
  const { losses, there } = visitOf(step, modalities);
  const sums = tf.add(step.rows("qmf/history"), losses);
  const values = history === "sum"
    ? sums
    : tf.div(sums, tf.maximum(tf.add(step.rows("qmf/visits"), there), 1)) as tf.Tensor2D;
  const [low, high] = tf.split(range, 2);
  const absent = tf.mul(tf.sub(1, there), 1e30);
  const least = tf.minimum(low, tf.min(tf.add(values, absent), 0));
  const largest = tf.maximum(high, tf.max(tf.sub(values, absent), 0));
  const width = tf.sub(largest, least);
  const scaled = tf.div(tf.sub(values, least), tf.maximum(width, 1e-12));
  return tf.mul(scaled, tf.cast(tf.greater(width, 1e-12), "float32")) as tf.Tensor2D;
}

/**
 * Late fusion weighted by each sample's energies; a ranking loss wants less weight where a modality's loss was high so far.
 *
 * The released code's margin has the other sign, and the history is summed over visits, so that inside an epoch samples of
 * one and of two visits are compared; both are options. Its text-image branch weighs without gradient, the RGB-D one with.
 */
export const qmf: MethodPlugin = defineMethod<QmfOptions>({
  name: "qmf",
  about: "late fusion weighted by each sample's energy, with a loss that ranks weights by the training losses so far",
  formula: `w_u = logsumexp(l_u) / T;  l = sum_u sg[w_u] l_u;  L = CE(l) + sum_u CE(l_u) + lambda sum_u R_u
    R_u = mean_i max(0, t (w_i - w_(i+1)) + a), t a = kappa_i - kappa_(i+1), kappa: past losses scaled to 0..1`,
  source: 'Zhang et al., "Provable Dynamic Fusion for Low-Quality Multimodal Data" (QMF), ICML 2023',
  options: {
    lambda: {
      type: "number",
      default: 0.1,
      min: 0,
      tune: [0.01, 0.1, 1],
      about: "weight of the ranking losses",
      source: "released code: 1 for text and image and for SUN, 0.1 for NYU",
    },
    temperature: {
      type: "number",
      default: 10,
      min: 0.01,
      tune: [1, 10, 100],
      about: "what energies are divided by",
      source: "released code",
    },
    margin: {
      type: "choice",
      choices: ["paper", "released"],
      default: "paper",
      about: "sign of the margin a: + or -",
      source: "the paper; the released code divides by the sign before it turns the target",
    },
    history: {
      type: "choice",
      choices: ["visit", "sum"],
      default: "visit",
      about: "past losses per visit, or their sum",
      source: "the paper averages; released code: sum",
    },
    confidence: {
      type: "choice",
      choices: ["energy", "equal"],
      default: "energy",
      about: "weights of the fusion: energies, or 1 / m as a control",
      source: "the paper; equal is the plain average",
    },
    detach: {
      type: "boolean",
      default: true,
      about: "whether the fusion's weights carry no gradient",
      source: "released code: yes for text and image, no for RGB-D",
    },
  },
  worksWith: "late fusions (decision, sum, mmtm)",
  cost: { forwards: 1, backwards: 1 },
  refuses: needsLate,
  create: ({ lambda, temperature, margin, history, confidence, detach }, { modalities }) => {
    const m = modalities.length;
    const energies = (step: Step) =>
      step.memo("qmf/energies", () => {
        const logits = ownLogits(step);
        return byModality(modalities, (modality) => energyConfidence(logits[modality], temperature));
      });
    const hardness = (step: TrainStep) =>
      hardnessOf(step, modalities, history, step.scope.control(RANGE) as tf.Tensor1D);
    const visit = (step: TrainStep) => visitOf(step, modalities);
    return {
      name: "qmf",
      declares: {
        columns: {
          "qmf/history": { width: m, init: 0, added: true },
          "qmf/visits": { width: m, init: 0, added: true },
        },
        controls: { [RANGE]: new Array<number>(2 * m).fill(0) },
        claims: [CLAIMS.taskLoss, SHARED_CLAIMS.logits, SHARED_CLAIMS.readouts],
      },
      output(step) {
        const logits = ownLogits(step);
        const parts = byModality(modalities, (modality) => {
          const energy = energies(step)[modality];
          const weight = confidence === "equal" ? tf.scalar(1 / m) : detach ? stopGradient(energy) : energy;
          const own = tf.mul(logits[modality], weight) as tf.Tensor2D;
          return step.keep === null ? own : tf.mul(own, step.keep[modality]) as tf.Tensor2D;
        });
        const fused = tf.addN(Object.values(parts)) as tf.Tensor2D;
        return { ...step.output, logits: fused, fused, parts };
      },
      taskLoss: (_terms, step) => ({ joint: crossEntropy(step.output.logits, step.labels) }),
      loss(step) {
        const terms: Record<string, tf.Tensor> = unimodalLosses(step, ownLogits(step));
        if (lambda === 0) return terms;
        const kappas = tf.split(hardness(step), m, 1);
        const weights = weightsOf(step);
        modalities.forEach((modality, u) => {
          const valid = whereKept(weights, step.keep, modality);
          const pairs = tf.mul(valid, nextRow(valid, weights));
          const kappa = tf.reshape(kappas[u], [-1]) as tf.Tensor1D;
          const ranks = rankingTerms(
            tf.reshape(energies(step)[modality], [-1]) as tf.Tensor1D,
            kappa,
            weights,
            margin === "paper" ? 1 : -1,
          );
          const mean = tf.div(tf.sum(tf.mul(ranks, pairs)), tf.maximum(tf.sum(pairs), 1e-12));
          terms[`rank:${modality}`] = tf.mul(mean, lambda);
        });
        return terms;
      },
      emit(step) {
        const { losses, there } = visit(step);
        const weights = weightsOf(step);
        const mean = (x: tf.Tensor) =>
          tf.div(tf.sum(tf.mul(tf.reshape(x, [-1]), weights)), tf.sum(weights)) as tf.Scalar;
        return {
          rows: { "qmf/history": losses, "qmf/visits": there },
          stats: Object.fromEntries(
            modalities.map((modality) => [`confidence:${modality}`, mean(energies(step)[modality])]),
          ),
        };
      },
      afterStep(_stats, host) {
        const [sums, visits] = [host.table("qmf/history"), host.table("qmf/visits")];
        host.setControl(RANGE, historyExtremes(sums, visits, m, host.epoch, history));
      },
    };
  },
});
