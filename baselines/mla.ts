/**
 * Multimodal learning with alternating unimodal adaptation.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { at, type ByModality, byModality, mapByModality } from "../core/modality.ts";
import { CLAIMS, defineMethod, type Keep, type MethodPlugin, type Step, type TrainStep } from "../core/kinds/mod.ts";
import type { NamedTensors } from "../core/program.ts";
import { groupOf, type Initializer, type Scope } from "../core/scope.ts";
import { whereKept } from "../losses/kept.ts";
import { xavierNormal, zeros } from "../nn/initializers.ts";
import { linear } from "../nn/linear.ts";
import { stopGradient } from "../tensor/autodiff.ts";
import { identityMatrix } from "../tensor/identity_matrix.ts";
import { squareScale } from "../tensor/square_scale.ts";
import { needsLate, SHARED_CLAIMS, unimodalLosses } from "./unimodal.ts";

/** Options of `mla`. */
export interface MlaOptions {
  readonly projection: "scalar" | "elementwise" | "off";
  readonly order: "update-first" | "project-first";
  readonly decay: "epoch" | "run";
  readonly resetP: "never" | "epoch";
  readonly testWeights: "entropy" | "fixed";
  readonly weights: readonly number[];
}

/**
 * P after a batch of features: k = P r^T, P <- P - k k^T / (alpha + r k), then divided by its Frobenius norm.
 *
 * @param p Symmetric, [d, d].
 * @param mean Mean feature r of the batch, [1, d].
 * @param form `"elementwise"` has the outer product k r in the denominator, as the released code.
 */
export function projectionUpdate(
  p: tf.Tensor2D,
  mean: tf.Tensor2D,
  alpha: tf.Scalar,
  form: "scalar" | "elementwise" = "scalar",
): tf.Tensor2D {
  const k = tf.matMul(p, mean, false, true);
  // Numerator and denominator are both quadratic in k and r, which may be of any size.
  const scale = squareScale(k);
  const own = tf.mul(k, scale) as tf.Tensor2D;
  const square = tf.mul(own, scale) as tf.Tensor2D;
  const inner = form === "scalar" ? tf.reshape(tf.matMul(mean, square), []) : tf.matMul(square, mean);
  // Beside what is scaled, alpha is nothing but what keeps from 0 / 0.
  const least = tf.where(tf.equal(scale, 1), alpha, tf.fill(alpha.shape, 1e-30));
  const next = tf.sub(p, tf.div(tf.matMul(own, own, false, true), tf.add(inner, least)));
  return tf.div(next, tf.maximum(tf.sqrt(tf.sum(tf.square(next))), 1e-12));
}

/** Weights [B, m] of the modalities at test: softmax over the kept ones of minus the entropy of each prediction. */
export function entropyWeights(
  logits: ByModality<tf.Tensor2D>,
  modalities: readonly string[],
  keep: Keep,
): tf.Tensor2D {
  const scores = modalities.map((modality) => {
    const logP = tf.logSoftmax(at(logits, modality));
    const negative = tf.sum(tf.mul(tf.exp(logP), logP), 1, true);
    // A dropped modality leaves the average.
    return keep === null ? negative : tf.add(negative, tf.mul(tf.sub(at(keep, modality), 1), 1e9));
  });
  return tf.softmax(tf.concat(scores, 1) as tf.Tensor2D);
}

const GROUP = "aux:mla";

const identity: Initializer = (shape) =>
  Float32Array.from({ length: shape[0] * shape[1] }, (_, i) => Number(i % (shape[1] + 1) === 0));

/** Features in the shared head's width: that of the widest encoder; a narrower one is mapped to it. */
function adapted(step: Step): Record<string, tf.Tensor2D> {
  return step.memo("mla/features", () => {
    const width = Math.max(...step.modalities.map((modality) => step.features[modality].pooled.shape[1]));
    return mapByModality(
      step.features,
      ({ pooled }, modality) =>
        pooled.shape[1] === width ? pooled : linear(step.scope.group(`${GROUP}:${modality}`), pooled, {
          width,
          bias: false,
          kernelInit: xavierNormal,
        }) as tf.Tensor2D,
    );
  });
}

/** Logits of the one head on every modality's feature. */
function headLogits(step: Step): Record<string, tf.Tensor2D> {
  return step.memo(
    "mla/logits",
    () =>
      mapByModality(
        adapted(step),
        (f) => linear(step.scope.group(GROUP), f, { width: step.classes, kernelInit: xavierNormal }) as tf.Tensor2D,
      ),
  );
}

/** What is kept of the updates: P, sub-steps in all, their number when the epoch began, and the epoch. */
function stateOf(scope: Scope, width: number) {
  const group = scope.group(GROUP);
  return {
    p: group.buffer("projection", [width, width], identity) as tf.Tensor2D,
    count: group.buffer("count", [], zeros) as tf.Scalar,
    start: group.buffer("start", [], zeros) as tf.Scalar,
    epoch: group.buffer("epoch", [], () => Float32Array.of(-1)) as tf.Scalar,
  };
}

/**
 * Modalities train in turn on every batch, each its own encoder and the one head that all share; the head's gradient is
 * projected away from the directions of the features that it saw before. At test, predictions are averaged by confidence.
 *
 * In the released code the projection never runs, as it looks for a name that the head's kernel does not have (`off`), its
 * denominator is the outer product (`elementwise`), and its entropy is a sum over the batch, one weight for all rows; the
 * last is not offered, as a prediction would depend on its batch. Encoders of unequal width get a linear map to the widest.
 */
export const mla: MethodPlugin = defineMethod<MlaOptions>({
  name: "mla",
  about: "trains modalities in turn with one shared head, whose gradient is projected; averages by entropy at test",
  formula:
    `for every batch, u = 1..m: L = CE(h(f_u)); k = P r^T, r = mean f_u; P <- P - k k^T / (alpha + r k), P <- P / |P|
    alpha = 0.1^(1 + batch / batches);  grad W <- (grad W) P^T;  test: l = sum_u softmax_u(-entropy_u) l_u`,
  source: 'Zhang et al., "Multimodal Representation Learning by Alternating Unimodal Adaptation" (MLA), CVPR 2024',
  options: {
    projection: {
      type: "choice",
      choices: ["scalar", "elementwise", "off"],
      default: "scalar",
      about: "denominator alpha + r k as a number or, elementwise, the outer product; or no projection",
      source: "the paper; elementwise as written in the released code, off as that code runs",
    },
    order: {
      type: "choice",
      choices: ["update-first", "project-first"],
      default: "update-first",
      about: "whether the head's gradient is projected after or before P takes in the batch",
      source: "released code: update-first",
    },
    decay: {
      type: "choice",
      choices: ["epoch", "run"],
      default: "epoch",
      about: "over what the batch counts that lower alpha: within the epoch, or in the whole run",
      source: "released code: within the epoch; over a whole run alpha vanishes",
    },
    resetP: {
      type: "choice",
      choices: ["never", "epoch"],
      default: "never",
      about: "when P becomes the identity again",
      source: "released code: never",
    },
    testWeights: {
      type: "choice",
      choices: ["entropy", "fixed"],
      default: "entropy",
      about: "weights at test: by each sample's entropies, or those of `weights`",
      source: "the paper; fixed as in the released code's second variant",
    },
    weights: {
      type: "numbers",
      default: [],
      about: "for fixed: one weight per modality in sorted order; none means equal ones",
      source: "released code: 0.55 and 0.45 for two, 0.35, 0.25 and 0.4 for three",
    },
  },
  worksWith: "late fusions, whose heads its shared head replaces (decision, sum, mmtm)",
  cost: { forwards: 1, backwards: 1 },
  refuses: (fusion, context, { weights }) =>
    weights.length > 0 && weights.length !== context.modalities.length
      ? `it needs one weight for each of ${context.modalities.join(", ")}: found [${weights.join(", ")}]`
      : needsLate(fusion, context),
  create: ({ projection, order, decay, resetP, testWeights, weights }, { modalities }) => {
    const m = modalities.length;
    const batches = "mla/batches";
    const shares = (step: Step): tf.Tensor2D => {
      const logits = headLogits(step);
      if (testWeights === "entropy") return entropyWeights(logits, modalities, step.keep);
      const fixed = tf.tensor2d(weights.length === 0 ? modalities.map(() => 1) : [...weights], [1, m]);
      const kept = step.keep === null
        ? fixed
        : tf.mul(fixed, tf.concat(modalities.map((modality) => step.keep![modality]), 1));
      return tf.div(kept, tf.maximum(tf.sum(kept, 1, true), 1e-12));
    };
    return {
      name: "mla",
      declares: {
        controls: { [batches]: 1 },
        programs: modalities.map((modality) => ({
          name: `mla:${modality}`,
          train: [`encoder:${modality}`, GROUP, `${GROUP}:${modality}`],
          lossKeys: [`uni:${modality}`],
          modalities: [modality],
        })),
        claims: [CLAIMS.alternates, CLAIMS.taskLoss, CLAIMS.readout, SHARED_CLAIMS.logits, SHARED_CLAIMS.readouts],
        passesKeep: true,
      },
      plan(host, base) {
        const steps = base.reduce(
          (sum, { items, epochs = 1 }) => sum + Math.ceil(items.length / host.batchSize) * epochs,
          0,
        );
        host.setControl(batches, Math.max(1, steps));
        const turns = modalities.map((modality) => `mla:${modality}`);
        return base.map((segment) => ({
          ...segment,
          programs: segment.programs.flatMap((program) => program === "main" ? turns : [program]),
        }));
      },
      readout: headLogits,
      output(step) {
        const logits = headLogits(step);
        const each = tf.split(shares(step), m, 1);
        const parts = byModality(modalities, (modality, u) => {
          const own = tf.mul(logits[modality], each[u]) as tf.Tensor2D;
          return step.keep === null ? own : tf.mul(own, step.keep[modality]) as tf.Tensor2D;
        });
        const fused = tf.addN(Object.values(parts)) as tf.Tensor2D;
        return { ...step.output, logits: fused, fused, parts, own: logits };
      },
      taskLoss: (_terms, step) => unimodalLosses(step, headLogits(step)),
      gradients(gradients, book, step) {
        const trained = modalities.filter((modality) =>
          Object.keys(gradients).some((full) => groupOf(full) === `encoder:${modality}`)
        );
        return projection === "off" ? gradients : project(gradients, trained, step, {
          // Each modality's part of the head's gradient: in its own program there is no other.
          of: (modality) => trained.length === 1 ? gradients : book.of([`uni:${modality}`]),
          form: projection,
          updateFirst: order === "update-first",
          wholeRun: decay === "run",
          reset: resetP === "epoch",
          batches: step.scope.control(batches) as tf.Scalar,
        });
      },
      emit(step) {
        const { p } = stateOf(step.scope, at(adapted(step), modalities[0]).shape[1]);
        return { stats: { trace: tf.sum(tf.mul(p, identityMatrix(p.shape[0]))) as tf.Scalar } };
      },
    };
  },
});

/** How `project` goes about it. */
interface ProjectOptions {
  of(modality: string): NamedTensors;
  readonly form: "scalar" | "elementwise";
  readonly updateFirst: boolean;
  readonly wholeRun: boolean;
  readonly reset: boolean;
  readonly batches: tf.Scalar;
}

/** The gradients with the head's projected; updates P by the modalities that are trained. */
function project(
  gradients: NamedTensors,
  trained: readonly string[],
  step: TrainStep,
  { of, form, updateFirst, wholeRun, reset, batches }: ProjectOptions,
): NamedTensors {
  const features = adapted(step);
  const m = step.modalities.length;
  const state = stateOf(step.scope, at(features, step.modalities[0]).shape[1]);
  const fresh = tf.notEqual(step.scope.control("epoch"), state.epoch);
  const start = tf.where(fresh, state.count, state.start) as tf.Scalar;
  let p = reset ? tf.where(fresh, identityMatrix(state.p.shape[0]), state.p) as tf.Tensor2D : state.p;
  let count = state.count;
  let projected: tf.Tensor = tf.zerosLike(gradients[`${GROUP}/kernel`]);
  for (const modality of trained) {
    const done = wholeRun ? count : tf.sub(count, start);
    // All modalities of a batch have its number.
    const batch = tf.floor(tf.div(done, m));
    const alpha = tf.exp(tf.mul(tf.add(tf.div(batch, batches), 1), Math.log(0.1))) as tf.Scalar;
    const valid = tf.reshape(whereKept(step.weights, step.keep, modality), [1, -1]);
    const sum = tf.matMul(valid, stopGradient(at(features, modality))) as tf.Tensor2D;
    const mean = tf.div(sum, tf.maximum(tf.sum(valid), 1e-12)) as tf.Tensor2D;
    // The very first sub-step neither projects nor updates.
    const later = tf.greater(count, 0);
    const next = tf.where(later, projectionUpdate(p, mean, alpha, form), p) as tf.Tensor2D;
    const gradient = of(modality)[`${GROUP}/kernel`] as tf.Tensor2D;
    const turned = tf.where(later, tf.matMul(updateFirst ? next : p, gradient), gradient);
    projected = tf.add(projected, turned);
    p = next;
    count = tf.add(count, 1) as tf.Scalar;
  }
  const group = step.scope.group(GROUP);
  group.update("projection", p);
  group.update("count", count);
  group.update("start", start);
  group.update("epoch", tf.mul(step.scope.control("epoch"), 1));
  return { ...gradients, [`${GROUP}/kernel`]: projected };
}
