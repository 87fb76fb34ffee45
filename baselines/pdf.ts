/**
 * Predictive dynamic fusion.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { byModality } from "../core/modality.ts";
import { CLAIMS, defineMethod, type MethodPlugin, type Step } from "../core/kinds/mod.ts";
import { crossEntropy, labelProbability } from "../losses/cross_entropy.ts";
import { whereKept } from "../losses/kept.ts";
import { linear } from "../nn/linear.ts";
import { stopGradient } from "../tensor/autodiff.ts";
import { needsLate, ownLogits, SHARED_CLAIMS, unimodalLosses } from "./unimodal.ts";

/** Options of `pdf`. */
export interface PdfOptions {
  readonly net: "relu" | "released";
  readonly calibrate: "prediction" | "never";
}

/** How confidences are joined; all [B, m], columns in sorted order of modalities. */
export interface CoBelief {
  /** Of each modality by the others' lack of confidence; a row sums to 1 over those that are kept. */
  readonly holo: tf.Tensor2D;
  /** Co-belief b = c + holo. */
  readonly belief: tf.Tensor2D;
}

/**
 * holo_u = (sum_v log c_v - log c_u) / ((m - 1) sum_v log c_v): log c_v / log(c_u c_v) for two.
 *
 * @param confidences c_u, [B, m].
 * @param keep 1 for kept modalities, 0 for dropped ones, which leave the sums, [B, m].
 */
export function coBelief(confidences: tf.Tensor2D, keep: tf.Tensor2D): CoBelief {
  const logs = tf.mul(tf.log(tf.clipByValue(confidences, 1e-6, 1 - 1e-6)), keep);
  const total = tf.sum(logs, 1, true);
  const count = tf.sum(keep, 1, true);
  const divisor = tf.mul(total, tf.maximum(tf.sub(count, 1), 1));
  const some = tf.less(divisor, -1e-12);
  const ratio = tf.div(tf.sub(total, logs), tf.where(some, divisor, tf.onesLike(divisor)));
  const equal = tf.div(tf.onesLike(ratio), tf.maximum(count, 1));
  const holo = tf.mul(tf.where(some, ratio, equal), keep) as tf.Tensor2D;
  return { holo, belief: tf.add(confidences, holo) };
}

/** Weights of the fusion, softmax of beliefs over the kept modalities, [B, m]. */
export function beliefWeights(belief: tf.Tensor2D, keep: tf.Tensor2D): tf.Tensor2D {
  return tf.mul(tf.softmax(tf.add(belief, tf.mul(tf.sub(keep, 1), 1e9)) as tf.Tensor2D), keep);
}

/** How far every prediction is from uniform, (1/C) sum_c |p_c - 1/C|, over the farthest of the row; 1 if all are uniform. */
export function relativeCalibration(probabilities: readonly tf.Tensor2D[], keep: tf.Tensor2D): tf.Tensor2D {
  const classes = probabilities[0].shape[1];
  const away = tf.concat(probabilities.map((p) => tf.mean(tf.abs(tf.sub(p, 1 / classes)), 1, true)), 1);
  const kept = tf.mul(away, keep);
  const most = tf.max(kept, 1, true);
  return tf.where(tf.greater(most, 1e-12), tf.div(kept, tf.maximum(most, 1e-12)), tf.onesLike(kept)) as tf.Tensor2D;
}

/** Confidence of a modality by a small net on its feature, which it does not train, [B, 1]. */
function confidenceNet(step: Step, modality: string, form: PdfOptions["net"]): tf.Tensor2D {
  const f = stopGradient(step.features[modality].pooled);
  const group = step.scope.group(`aux:pdf:${modality}`);
  const width = f.shape[1];
  const hidden = form === "relu"
    ? tf.relu(linear(group.in("hidden"), f, { width }))
    : linear(group.in("hidden2"), linear(group.in("hidden1"), f, { width: 2 * width }), { width });
  return tf.sigmoid(linear(group.in("out"), hidden, { width: 1 })) as tf.Tensor2D;
}

/**
 * Late fusion weighted by confidences that a small net per modality learns to be the probability of the label, and by how
 * unsure the others are; at prediction weights are calibrated by how far each prediction is from uniform.
 *
 * The released code calibrates in a test script alone, while its selection and its training's own test do not; here every
 * prediction is, so that what is selected is what is tested. Its nets have no activation between their layers
 * (`net: released`), and it takes logarithms of confidences without bounds.
 */
export const pdf: MethodPlugin = defineMethod<PdfOptions>({
  name: "pdf",
  about: "late fusion weighted by learned confidences of every sample, calibrated at prediction",
  formula:
    `c_u = net(sg f_u), taught p_u[y];  holo_u = (sum_v log c_v - log c_u) / ((m - 1) sum_v log c_v);  b = c + holo
    w = softmax_u(b), at prediction softmax_u(rc b);  l = sum_u sg[w_u] l_u;  L = CE(l) + sum_u CE(l_u) + sum_u mean |c_u - p_u[y]|`,
  source: 'Cao et al., "Predictive Dynamic Fusion", ICML 2024',
  options: {
    net: {
      type: "choice",
      choices: ["relu", "released"],
      default: "relu",
      about: "the confidence net: one hidden layer with ReLU, or three linear layers that make one linear map",
      source: "chosen here; released code: three linear layers",
    },
    calibrate: {
      type: "choice",
      choices: ["prediction", "never"],
      default: "prediction",
      about: "whether predictions weigh by relative calibration",
      source: "the paper; never is what the released training selects by",
    },
  },
  worksWith: "late fusions (decision, sum, mmtm)",
  cost: { forwards: 1, backwards: 1 },
  refuses: needsLate,
  create: ({ net, calibrate }, { modalities }) => {
    const m = modalities.length;
    const confidences = (step: Step) =>
      step.memo("pdf", () => byModality(modalities, (modality) => confidenceNet(step, modality, net)));
    const weightsOf = (step: Step): tf.Tensor2D => {
      const columns = modalities.map((modality) => stopGradient(confidences(step)[modality]));
      const c = tf.concat(columns, 1) as tf.Tensor2D;
      const keep = step.keep === null
        ? tf.onesLike(c)
        : tf.concat(modalities.map((modality) => step.keep![modality]), 1) as tf.Tensor2D;
      const { belief } = coBelief(c, keep);
      if (step.scope.mode === "train" || calibrate === "never") return beliefWeights(belief, keep);
      const logits = ownLogits(step);
      const rc = relativeCalibration(modalities.map((modality) => tf.softmax(logits[modality])), keep);
      return beliefWeights(tf.mul(belief, rc), keep);
    };
    return {
      name: "pdf",
      declares: { claims: [CLAIMS.taskLoss, SHARED_CLAIMS.logits, SHARED_CLAIMS.readouts] },
      output(step) {
        const logits = ownLogits(step);
        const each = tf.split(weightsOf(step), m, 1);
        const parts = byModality(modalities, (modality, u) => tf.mul(logits[modality], each[u]) as tf.Tensor2D);
        const fused = tf.addN(Object.values(parts)) as tf.Tensor2D;
        return { ...step.output, logits: fused, fused, parts };
      },
      taskLoss: (_terms, step) => ({ joint: crossEntropy(step.output.logits, step.labels) }),
      loss(step) {
        const logits = ownLogits(step);
        const terms: Record<string, tf.Tensor> = unimodalLosses(step, logits);
        for (const modality of modalities) {
          const aim = labelProbability(stopGradient(logits[modality]), step.labels);
          const own = tf.reshape(confidences(step)[modality], [-1]);
          terms[`confidence:${modality}`] = whereKept(tf.abs(tf.sub(own, aim)) as tf.Tensor1D, step.keep, modality);
        }
        return terms;
      },
      emit: (step) => ({
        stats: Object.fromEntries(
          modalities.map((modality) => [
            `confidence:${modality}`,
            step.mean(tf.reshape(confidences(step)[modality], [-1]) as tf.Tensor1D),
          ]),
        ),
      }),
    };
  },
});
