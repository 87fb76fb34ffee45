/**
 * Classifier-guided gradient modulation.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { byModality } from "../core/modality.ts";
import { CLAIMS, defineMethod, type MethodPlugin, type Step, type TrainStep } from "../core/kinds/mod.ts";
import type { Scope } from "../core/scope.ts";
import { xavierNormal, zeros } from "../nn/initializers.ts";
import { linear } from "../nn/linear.ts";
import { stopGradient } from "../tensor/autodiff.ts";
import {
  keptMean,
  needsTwo,
  perModality,
  presence,
  scaledEncoders,
  SHARED_CLAIMS,
  statsOf,
  unimodalLosses,
} from "./unimodal.ts";

/** Options of `cggm`. */
export interface CggmOptions {
  readonly rho: number;
  readonly lambda: number;
  readonly rate: number;
  readonly kappa: "clipped" | "released";
  readonly delta: "step" | "epoch";
  readonly direction: "weight" | "released" | "off";
}

/**
 * kappa_u = (S - Delta_u) / S, S = sum of all Delta: the less a modality's accuracy gained of late, the more.
 *
 * @param gains Delta_u, [m].
 * @param form Clipped to 0..1, and 1 where S is 0; or S + 1e-8 and no bounds, as released.
 */
export function cggmCoefficients(gains: tf.Tensor1D, form: CggmOptions["kappa"]): tf.Tensor1D {
  const total = tf.sum(gains);
  if (form === "released") {
    const divisor = tf.add(total, 1e-8);
    return tf.div(tf.sub(divisor, gains), divisor) as tf.Tensor1D;
  }
  // What differs by less is rounding: accuracies of a batch differ by at least one row.
  const some = tf.greater(tf.abs(total), 1e-6);
  const ratio = tf.div(tf.sub(total, gains), tf.where(some, total, tf.onesLike(total)));
  return tf.where(some, tf.clipByValue(ratio, 0, 1), tf.onesLike(gains)) as tf.Tensor1D;
}

/** Cosine of two matrices as vectors. */
export function matrixCosine(a: tf.Tensor, b: tf.Tensor): tf.Scalar {
  const norm = (x: tf.Tensor) => tf.sqrt(tf.maximum(tf.sum(tf.square(x)), 1e-16));
  return tf.div(tf.sum(tf.mul(a, b)), tf.mul(norm(a), norm(b))) as tf.Scalar;
}

/** d cos(a, b) / d a: b / (|a| |b|) - cos a / |a|^2. */
export function matrixCosineGradient(a: tf.Tensor, b: tf.Tensor): tf.Tensor {
  const square = (x: tf.Tensor) => tf.maximum(tf.sum(tf.square(x)), 1e-16);
  const [aa, bb] = [square(a), square(b)];
  return tf.sub(tf.div(b, tf.sqrt(tf.mul(aa, bb))), tf.mul(a, tf.div(matrixCosine(a, b), aa)));
}

const GROUP = "aux:cggm";

/** The auxiliary head's kernel [d_u, C], and its logits on features that are cut off. */
function auxiliary(step: Step): Record<string, { kernel: tf.Tensor2D; logits: tf.Tensor2D }> {
  return step.memo("cggm/heads", () =>
    byModality(step.modalities, (modality) => {
      const f = stopGradient(step.features[modality].pooled);
      const group = step.scope.group(`${GROUP}:${modality}`);
      return {
        logits: linear(group, f, { width: step.classes, kernelInit: xavierNormal }) as tf.Tensor2D,
        kernel: group.param("kernel", [f.shape[1], step.classes], xavierNormal) as tf.Tensor2D,
      };
    }));
}

function stateOf(scope: Scope, m: number) {
  const group = scope.group(GROUP);
  const vector = (name: string) => group.buffer(name, [m], zeros) as tf.Tensor1D;
  return {
    accuracy: vector("accuracy"),
    kappa: vector("kappa"),
    sum: vector("sum"),
    count: vector("count"),
    epoch: group.buffer("epoch", [], () => Float32Array.of(-1)),
  };
}

/**
 * Auxiliary classifiers look at every modality's feature without training its encoder; encoders whose classifier gained less
 * accuracy since the last step learn faster, and the fused head is turned towards the classifiers.
 *
 * The classifiers learn with a rate of their own; the harness's clipping counts their gradients too. The released direction
 * compares weights of the step before (in variables called gradients), which moves the head as a constant force
 * (`direction: released`); the paper is said to compare gradients, which could not be checked. Its coefficients divide by
 * sums near 0 without bounds and may be negative: ascent (`kappa: released`).
 */
export const cggm: MethodPlugin = defineMethod<CggmOptions>({
  name: "cggm",
  about:
    "scales encoders' gradients by what auxiliary classifiers gained of late, and turns the head to these; rho is void under Adam",
  formula:
    `q_u = A_u sg f_u;  Delta_u = a_u - a_u of the step before, a_u: accuracy of q_u;  kappa_u = clip((S - Delta_u) / S), S = sum Delta
    g_u <- rho kappa_u g_u;  L = CE(l) + (lambda / m) (sum |kappa| - sum kappa_u cos(W_u, A_u)), kappa of the step before; + CE(q_u)`,
  source: 'Guo et al., "Classifier-guided Gradient Modulation for Enhanced Multimodal Learning", NeurIPS 2024',
  options: {
    rho: {
      type: "number",
      default: 1.3,
      min: 0,
      tune: [1, 1.3, 2],
      about: "factor on all encoders' gradients",
      source: "released code",
    },
    lambda: {
      type: "number",
      default: 0.2,
      min: 0,
      tune: [0.05, 0.1, 0.2, 1],
      about: "weight of the head's direction",
      source: "released code: 0.2 for MOSI and IEMOCAP, 0.05 for Food-101, 0.1 and 1 for segmentation",
    },
    rate: {
      type: "number",
      default: 0.5,
      min: 0,
      tune: [0.1, 0.5, 1],
      about: "learning rate of the auxiliary classifiers over that of the model",
      source: "released code: 5e-4 beside 1e-3",
    },
    kappa: {
      type: "choice",
      choices: ["clipped", "released"],
      default: "clipped",
      about: "coefficients in 0..1, or without bounds",
      source: "chosen here; released code: without",
    },
    delta: {
      type: "choice",
      choices: ["step", "epoch"],
      default: "step",
      about: "over what accuracies gain: from step to step, or between the means of epochs",
      source: "released code: step",
    },
    direction: {
      type: "choice",
      choices: ["weight", "released", "off"],
      default: "weight",
      about: "the head's direction: by the current weights, by those of the step before, or none",
      source: "chosen here; released code: the step before",
    },
  },
  worksWith: "every fusion; the head is turned on those that are linear in the features (concat, sum, decision)",
  cost: { forwards: 1, backwards: 1 },
  refuses: (_fusion, context) => needsTwo(context),
  create: ({ rho, lambda, rate, kappa: form, delta, direction }, { modalities }) => {
    const m = modalities.length;
    /** Accuracies of the batch and what they make of the encoders' gradients; counts them. */
    const guided = (step: TrainStep) =>
      step.memo("cggm", () => {
        const heads = auxiliary(step);
        const seen = tf.stack(modalities.map((modality) => {
          const right = tf.equal(tf.argMax(heads[modality].logits, 1), step.labels);
          return keptMean(tf.cast(right, "float32") as tf.Tensor1D, step.weights, step.keep, modality);
        })) as tf.Tensor1D;
        const there = tf.stack(
          modalities.map((modality) => presence(step.weights, step.keep, modality)),
        ) as tf.Tensor1D;
        const before = stateOf(step.scope, m);
        const accuracy = tf.add(tf.mul(seen, there), tf.mul(before.accuracy, tf.sub(1, there))) as tf.Tensor1D;
        const group = step.scope.group(GROUP);
        if (delta === "step") {
          const kappa = cggmCoefficients(tf.sub(accuracy, before.accuracy), form);
          group.update("accuracy", accuracy);
          group.update("kappa", kappa);
          return { accuracy, kappa };
        }
        const now = step.scope.control("epoch");
        const turned = tf.logicalAnd(tf.notEqual(now, before.epoch), tf.greaterEqual(before.epoch, 0));
        const mean = tf.div(before.sum, tf.maximum(before.count, 1)) as tf.Tensor1D;
        const fresh = cggmCoefficients(tf.sub(mean, before.accuracy), form);
        const kept = tf.where(tf.greaterEqual(before.epoch, 0), before.kappa, tf.onesLike(before.kappa));
        const kappa = tf.where(turned, fresh, kept) as tf.Tensor1D;
        const rest = tf.cast(tf.logicalNot(turned), "float32");
        group.update("accuracy", tf.where(turned, mean, before.accuracy));
        group.update("sum", tf.add(tf.mul(before.sum, rest), tf.mul(seen, there)));
        group.update("count", tf.add(tf.mul(before.count, rest), there));
        group.update("epoch", tf.mul(now, 1));
        group.update("kappa", kappa);
        return { accuracy, kappa };
      });
    /** lambda D: how far the head's columns are turned away from the auxiliary classifiers. */
    const turn = (step: TrainStep): tf.Scalar | null => {
      const kernels = direction === "off" || lambda === 0 ? null : step.kernels();
      if (kernels === null) return null;
      const { kappa } = stateOf(step.scope, m);
      const each = perModality(kappa, modalities);
      const heads = auxiliary(step);
      const parts = modalities.map((modality) => {
        const kernel = kernels[modality];
        const head = stopGradient(heads[modality].kernel);
        if (direction === "weight") return tf.mul(each[modality], matrixCosine(kernel, head));
        const group = step.scope.group(GROUP).in(modality);
        const old = {
          kernel: group.buffer("kernel", kernel.shape, zeros),
          head: group.buffer("head", head.shape, zeros),
        };
        group.update("kernel", stopGradient(kernel));
        group.update("head", head);
        // The value is that of the step before, the gradient its own at the weights of then.
        const pulled = tf.sum(tf.mul(kernel, matrixCosineGradient(old.kernel, old.head)));
        const value = tf.add(matrixCosine(old.kernel, old.head), tf.sub(pulled, stopGradient(pulled)));
        return tf.mul(each[modality], value);
      });
      return tf.mul(tf.sub(tf.sum(tf.abs(kappa)), tf.addN(parts)), lambda / m) as tf.Scalar;
    };
    return {
      name: "cggm",
      declares: { claims: [SHARED_CLAIMS.readouts, CLAIMS.readout] },
      readout: (step) => byModality(modalities, (modality) => auxiliary(step)[modality].logits),
      loss(step) {
        const terms: Record<string, tf.Tensor> = unimodalLosses(
          step,
          byModality(modalities, (modality) => auxiliary(step)[modality].logits),
        );
        const direction = turn(step);
        return direction === null ? terms : { ...terms, direction };
      },
      gradients: (gradients, _book, step) =>
        scaledEncoders(gradients, perModality(tf.mul(guided(step).kappa, rho) as tf.Tensor1D, modalities)),
      rates: () => Object.fromEntries(modalities.map((modality) => [`${GROUP}:${modality}`, tf.scalar(rate)])),
      emit(step) {
        const { accuracy, kappa } = guided(step);
        return { stats: statsOf({ accuracy, kappa }, modalities) };
      },
    };
  },
});
