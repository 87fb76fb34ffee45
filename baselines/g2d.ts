/**
 * Gradient-guided distillation ("G2D").
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { at, byModality } from "../core/modality.ts";
import {
  defineMethod,
  type Host,
  type Method,
  type MethodPlugin,
  type ModelContext,
  type TrainStep,
} from "../core/kinds/mod.ts";
import { groupOf } from "../core/scope.ts";
import { labelProbability } from "../losses/cross_entropy.ts";
import { klDivergence } from "../losses/divergence.ts";
import { whereKept } from "../losses/kept.ts";
import { featureColumn, fillFromTeachers, logitColumn, teacherDeclarations } from "./teachers.ts";
import { keptMean, needsTwo, perModality } from "./unimodal.ts";

/** Options of `g2d`. */
export interface G2dOptions {
  readonly logitWeight: number;
  readonly featureWeight: number;
  readonly temperature: number;
  readonly kl: "fused" | "unimodal";
  readonly start: number;
  readonly end: number;
  readonly order: "batch" | "run";
  readonly freeze: "gradient" | "update";
  readonly scope: "all" | "conv";
}

/**
 * How many encoders keep a gradient in an epoch: all outside the window; inside, one more in each of its m - 1 equal parts,
 * from one on.
 */
export function keptEncoders(epoch: number, start: number, end: number, modalities: number): number {
  if (epoch < start || epoch > end) return modalities;
  const length = end - start + 1;
  const begun = Array.from({ length: modalities - 1 }, (_, j) => start + Math.floor(j * length / (modalities - 1)));
  return begun.filter((from) => epoch >= from).length;
}

/**
 * 1 for the modalities that keep their gradient, else 0: those with fewer than `kept` less confident ones. Of equally
 * confident ones none is held back for the other.
 *
 * @param confidences Mean probability of the label by each teacher, one scalar per modality.
 */
export function gradientFlags(confidences: readonly tf.Scalar[], kept: tf.Scalar): tf.Scalar[] {
  const all = tf.stack([...confidences]);
  return confidences.map((own) => {
    const below = tf.sum(tf.cast(tf.less(all, own), "float32"));
    return tf.cast(tf.less(below, kept), "float32") as tf.Scalar;
  });
}

const ASKED = { features: true, logits: true };
const KEPT = "g2d/kept";
const CONFIDENCE = "g2d/confidence";

/** Mean probability of the label by every teacher over the training split. */
function meanConfidences(host: Host): number[] {
  const labels = host.labels("train");
  const { classes } = host;
  return host.modalities.map((modality) => {
    const logits = host.table(logitColumn(modality));
    let [sum, count] = [0, 0];
    labels.forEach((label, n) => {
      if (!host.has("train", n, modality)) return;
      count++;
      const row = logits.subarray(n * classes, (n + 1) * classes);
      const top = row.reduce((a, b) => Math.max(a, b), -Infinity);
      sum += Math.exp(row[label] - top) / row.reduce((total, value) => total + Math.exp(value - top), 0);
    });
    return sum / Math.max(1, count);
  });
}

function distilling(options: G2dOptions, context: ModelContext): Method {
  const { logitWeight, featureWeight, temperature, kl, start, end, order, freeze, scope } = options;
  const { modalities } = context;
  const declared = teacherDeclarations(context, ASKED);
  let filled = false;
  const flags = (step: TrainStep): Record<string, tf.Scalar> =>
    step.memo("g2d/flags", () => {
      const confidences = order === "run"
        ? Object.values(perModality(step.scope.control(CONFIDENCE) as tf.Tensor1D, modalities))
        : modalities.map((modality) =>
          keptMean(labelProbability(step.rows(logitColumn(modality)), step.labels), step.weights, step.keep, modality)
        );
      const own = gradientFlags(confidences, step.scope.control(KEPT) as tf.Scalar);
      return byModality(modalities, (_, u) => own[u]);
    });
  return {
    name: "g2d",
    declares: {
      ...declared,
      controls: { [KEPT]: modalities.length, [CONFIDENCE]: modalities.map(() => 0) },
      solo: kl === "unimodal",
      claims: ["hold encoders back by their teachers' confidence"],
    },
    async beforeEpoch(host) {
      if (!filled) await fillFromTeachers(host, ASKED);
      filled = true;
      host.setControl(KEPT, keptEncoders(host.epoch, start, end, modalities.length));
      if (order === "run") host.setControl(CONFIDENCE, meanConfidences(host));
    },
    loss(step) {
      const terms: [string, tf.Tensor][] = modalities.flatMap((modality) => {
        const logits = kl === "fused" ? step.output.logits : at(step.solo().logits, modality);
        const apart = klDivergence(step.rows(logitColumn(modality)), logits, temperature);
        const { pooled } = at(step.features, modality);
        const distance = tf.mean(tf.squaredDifference(pooled, step.rows(featureColumn(modality))), 1) as tf.Tensor1D;
        return [
          [`logits:${modality}`, tf.mul(whereKept(apart, step.keep, modality), logitWeight * temperature ** 2)],
          [`features:${modality}`, tf.mul(whereKept(distance, step.keep, modality), featureWeight)],
        ];
      });
      return Object.fromEntries(terms);
    },
    gradients(gradients, _book, step) {
      const own = flags(step);
      const result = { ...gradients };
      for (const [full, gradient] of Object.entries(gradients)) {
        const modality = modalities.find((name) => groupOf(full) === `encoder:${name}`);
        if (modality === undefined || (scope === "conv" && gradient.rank !== 4)) continue;
        result[full] = tf.mul(gradient, own[modality]);
      }
      return result;
    },
    ...freeze === "gradient" ? {} : {
      rates: (step: TrainStep) =>
        Object.fromEntries(modalities.map((modality) => [`encoder:${modality}`, flags(step)[modality]])),
    },
    emit(step) {
      const own = flags(step);
      return { stats: Object.fromEntries(modalities.map((modality) => [`kept:${modality}`, own[modality]])) };
    },
  };
}

/**
 * Distils the logits and features of unimodal teachers, and holds back the gradients of the encoders whose teachers are most
 * confident.
 *
 * Teachers are runs of their own, of the same encoder, data, training and seed; their samples are not part of this run's
 * budget and stand in its summary. For more than two modalities the window has m - 1 equal parts: in the j-th, the j least
 * confident encoders keep their gradient. A gradient of 0 does not stop an encoder: momentum and decay go on
 * (`freeze: "update"` stops it; its momentum fades).
 */
export const g2d: MethodPlugin = defineMethod<G2dOptions>({
  name: "g2d",
  tiny: { end: 1 },
  about: "distils unimodal teachers and holds back the encoders whose teachers are most confident",
  formula: `L = CE(l, y) + sum_u (lambda_l T^2 KL(softmax(t_u / T) || softmax(l / T)) + lambda_f mean_d (f_u - f_u^T)^2)
    c_u = mean_B softmax(t_u)_y;  within the window g_u <- 0 for the encoder of the largest c_u`,
  source: 'Rakib and Bagavathi, "G2D: Boosting Multimodal Learning with Gradient-Guided Distillation", ICCV 2025',
  options: {
    logitWeight: {
      type: "number",
      default: 1,
      min: 0,
      tune: [0, 1],
      about: "weight lambda_l of the logits' distillation",
      source: "released code",
    },
    featureWeight: {
      type: "number",
      default: 1,
      min: 0,
      tune: [0, 1, 10],
      about: "weight lambda_f of the features' distillation",
      source: "released code",
    },
    temperature: { type: "number", default: 1, min: 0.01, tune: [1, 2, 4], about: "T", source: "released code" },
    kl: {
      type: "choice",
      choices: ["fused", "unimodal"],
      default: "fused",
      about: "which logits learn from the teachers'",
      source: "released code: fused; unimodal takes each modality's own readout",
    },
    start: {
      type: "integer",
      default: 0,
      min: 0,
      tune: [0, 5],
      about: "first epoch of the window, from 0",
      source: "released code",
    },
    end: {
      type: "integer",
      default: 150,
      min: 0,
      tune: [5, 50, 150],
      about: "last epoch of the window, inclusive",
      source: "released code, of 300 epochs",
    },
    order: {
      type: "choice",
      choices: ["batch", "run"],
      default: "batch",
      about: "whether confidence is that of the batch or of the training set",
      source: "released code: batch",
    },
    freeze: {
      type: "choice",
      choices: ["gradient", "update"],
      default: "gradient",
      about: "what is held back",
      source: "released code: the gradient",
    },
    scope: {
      type: "choice",
      choices: ["all", "conv"],
      default: "all",
      about: "encoder tensors that are held back: all, or those of four axes",
      source: "the released code takes convolutions alone; all is what the paper says",
    },
  },
  cost: { forwards: 1, backwards: 1 },
  refuses: (_fusion, context, { start, end }) =>
    end < start ? `its window must end after it starts: found ${start} to ${end}` : needsTwo(context),
  create: (options, context) => distilling(options, context),
});
