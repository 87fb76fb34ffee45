/**
 * Adaptive gradient modulation.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { byModality } from "../core/modality.ts";
import { CLAIMS, defineMethod, type MethodPlugin, type Step } from "../core/kinds/mod.ts";
import { groupOf, type Scope } from "../core/scope.ts";
import { labelProbability } from "../losses/cross_entropy.ts";
import { zeros } from "../nn/initializers.ts";
import { stopGradient } from "../tensor/autodiff.ts";
import { keptMean, needsTwo, presence, SHARED_CLAIMS, statsOf, weightsOf, windowOptions } from "./unimodal.ts";

/** Options of `agm`. */
export interface AgmOptions {
  readonly alpha: number;
  readonly cap: number;
  readonly start: number;
  readonly end: number;
  readonly afterWindow: "one" | "stale";
  readonly clip: number;
}

/**
 * How much the output of each subset of modalities counts for each modality's part: Shapley's weights with an empty subset
 * of value 0, so that the parts sum up to the output of all.
 *
 * @returns [m, 2^m - 1], row-major; subset s stands in column s - 1 and holds modality u if its bit u is set.
 */
export function partWeights(m: number): number[][] {
  const factorial = (n: number): number => n < 2 ? 1 : n * factorial(n - 1);
  const bits = (subset: number) => subset.toString(2).replaceAll("0", "").length;
  return Array.from({ length: m }, (_, u) =>
    Array.from({ length: 2 ** m - 1 }, (_, column) => {
      const subset = column + 1;
      const size = bits(subset);
      return (subset >> u & 1) === 1
        ? factorial(size - 1) * factorial(m - size) / factorial(m)
        : -factorial(size) * factorial(m - size - 1) / factorial(m);
    }));
}

/** r_u = exp(m / (m - 1) (mean s - s_u)): above 1 for a modality that is ahead (low loss s_u). @param scores [m]. */
export function agmRatios(scores: tf.Tensor1D): tf.Tensor1D {
  const m = scores.shape[0];
  return tf.exp(tf.mul(tf.sub(tf.mean(scores), scores), m / (m - 1)));
}

/** kappa_u = exp(alpha min(r*_u - r_u, cap)). @param cap 0 for none. */
export function agmCoefficients(reference: tf.Tensor1D, ratios: tf.Tensor1D, alpha: number, cap: number): tf.Tensor1D {
  const gap = tf.sub(reference, ratios);
  return tf.exp(tf.mul(cap > 0 ? tf.minimum(gap, cap) : gap, alpha)) as tf.Tensor1D;
}

const GROUP = "aux:agm";

/** Outputs of all subsets of modalities, others' inputs at zero, as rows [2^m - 1, B C]. */
function subsetOutputs(step: Step): tf.Tensor2D {
  const { modalities } = step;
  const all = 2 ** modalities.length - 1;
  const outputs = Array.from({ length: all }, (_, column) => {
    const kept = modalities.filter((_, u) => (column + 1 >> u & 1) === 1);
    return tf.reshape(column + 1 === all ? step.output.logits : step.zeroed(kept).logits, [-1]);
  });
  return tf.stack(outputs) as tf.Tensor2D;
}

/** The modalities' parts of the logits, [B, C] each. */
function partsOf(step: Step): Record<string, tf.Tensor2D> {
  return step.memo("agm/parts", () => {
    const outputs = step.memo("agm/outputs", () => subsetOutputs(step));
    const parts = tf.split(
      tf.matMul(tf.tensor2d(partWeights(step.modalities.length)), outputs),
      step.modalities.length,
    );
    return byModality(step.modalities, (_, u) => tf.reshape(parts[u], [-1, step.classes]) as tf.Tensor2D);
  });
}

/**
 * The output's parts phi_u by which modalities count for it get gradients of other sizes: less for the one that is further
 * ahead of the others than it was on average so far, more for the one behind.
 *
 * Parts are Shapley values of the output as a function of whose inputs are there, an absent one being zero. Gradients flow
 * through the passes without an input too, as in the released code. BalanceBenchmark's version differs in four ways (it
 * scales parameters by the names of modalities, leaves a modality's output alone out of its part, turns the ratio round,
 * and caps at 7); none is offered. The released code keeps the last kappa after the window by a slip: `afterWindow`.
 */
export const agm: MethodPlugin = defineMethod<AgmOptions>({
  name: "agm",
  about:
    "scales the gradient entering each modality's part of the output by how far it is ahead of its usual lead; a factor that stays is void under Adam",
  formula: `phi_u = sum_S |S|! (m - |S| - 1)! / m! (l(S + u) - l(S)), l({}) = 0;  s_u = -mean log softmax(phi_u)_y
    r_u = exp(m / (m - 1) (mean s - s_u)), r*_u the same of running means tau;  kappa_u = exp(alpha min(r*_u - r_u, cap))
    L = CE(sum_u phi_u), its gradient entering phi_u times kappa_u`,
  source: 'Li et al., "Boosting Multi-modal Model Performance with Adaptive Gradient Modulation", ICCV 2023',
  options: {
    alpha: {
      type: "number",
      default: 1,
      min: 0,
      tune: [0.1, 0.5, 1, 1.5, 2.5],
      about: "strength; 0 leaves all gradients as they are",
      source: "released code: 1 by default, 1.5 for CREMA-D, 2.5 for AV-MNIST; BalanceBenchmark 0.1",
    },
    cap: {
      type: "number",
      default: 10,
      min: 0,
      tune: [0, 7, 10],
      about: "largest r* - r; 0 for none. Gradients may grow by exp(alpha cap)",
      source: "released code: 10 for CREMA-D, 7 for UR-Funny, none elsewhere",
    },
    ...windowOptions(0, 20, "released code"),
    afterWindow: {
      type: "choice",
      choices: ["one", "stale"],
      default: "one",
      about: "kappa outside of the window: 1, or the last one inside",
      source: "the paper; stale as in the released code by a slip",
    },
    clip: {
      type: "number",
      default: 0,
      min: 0,
      tune: [0, 1, 5],
      about: "norm to which all gradients are clipped if the head's is larger; 0 for none",
      source: "released code: 1 for CREMA-D and MOSEI, 5 for UR-Funny; BalanceBenchmark 5",
    },
  },
  worksWith: "every fusion; one that looks at stages runs 2^m - 1 times, all others once",
  cost: { forwards: 1, backwards: 1 },
  refuses: (_fusion, context) => needsTwo(context),
  create: ({ alpha, cap, start, end, afterWindow, clip }, { modalities }) => {
    const m = modalities.length;
    const window = "agm/window";
    const state = (scope: Scope) => {
      const group = scope.group(GROUP);
      return {
        tau: group.buffer("tau", [m], zeros) as tf.Tensor1D,
        count: group.buffer("count", [m], zeros) as tf.Tensor1D,
        last: group.buffer("kappa", [m], (shape) => new Float32Array(shape[0]).fill(1)) as tf.Tensor1D,
      };
    };
    /** Scores and coefficients of the batch; updates the running means. */
    const modulate = (step: Step) =>
      step.memo("agm", () => {
        const weights = weightsOf(step);
        const parts = partsOf(step);
        const scores = tf.stack(modalities.map((modality) => {
          const p = labelProbability(stopGradient(parts[modality]), step.visibleLabels!);
          return keptMean(tf.neg(tf.log(tf.maximum(p, 1e-8))), weights, step.keep, modality);
        })) as tf.Tensor1D;
        const present = tf.stack(modalities.map((modality) => presence(weights, step.keep, modality)));
        const { tau, count, last } = state(step.scope);
        const open = step.scope.control(window);
        const found = agmCoefficients(agmRatios(tau), agmRatios(scores), alpha, cap);
        const inside = tf.where(tf.greater(present, 0), found, tf.onesLike(found)) as tf.Tensor1D;
        const kept = tf.where(tf.greater(tf.mul(open, present), 0), inside, last) as tf.Tensor1D;
        const outside = afterWindow === "stale" ? last : tf.onesLike(last);
        const kappa = tf.add(tf.mul(open, inside), tf.mul(tf.sub(1, open), outside)) as tf.Tensor1D;
        const group = step.scope.group(GROUP);
        const t = tf.add(count, present);
        group.update("count", t);
        // tau (t - 1) / t + s / t
        group.update("tau", tf.add(tau, tf.mul(present, tf.div(tf.sub(scores, tau), tf.maximum(t, 1)))));
        group.update("kappa", kept);
        return { scores, kappa };
      });
    return {
      name: "agm",
      declares: { controls: { [window]: 0 }, claims: [SHARED_CLAIMS.logits, CLAIMS.readout] },
      beforeEpoch: (host) => host.setControl(window, host.epoch >= start && host.epoch <= end ? 1 : 0),
      readout: partsOf,
      output(step) {
        if (step.scope.mode === "eval") return step.output;
        const { kappa } = modulate(step);
        const outputs = step.memo("agm/outputs", () => subsetOutputs(step));
        const shares = tf.matMul(tf.reshape(kappa, [1, m]) as tf.Tensor2D, tf.tensor2d(partWeights(m)));
        const weighted = tf.reshape(tf.matMul(shares, outputs), [-1, step.classes]);
        // The value is exactly the output's, the gradient that of the weighted parts.
        const logits = tf.add(stopGradient(step.output.logits), tf.sub(weighted, stopGradient(weighted)));
        return { ...step.output, logits: logits as tf.Tensor2D };
      },
      gradients(gradients) {
        if (clip === 0) return gradients;
        const squares = (names: readonly string[]) => tf.addN(names.map((full) => tf.sum(tf.square(gradients[full]))));
        const names = Object.keys(gradients);
        const head = names.filter((full) => groupOf(full) === "head" || groupOf(full).startsWith("head:"));
        const whole = tf.sqrt(squares(names));
        const scale = tf.where(
          tf.greater(tf.sqrt(squares(head)), clip),
          tf.minimum(tf.div(clip, tf.add(whole, 1e-6)), 1),
          tf.onesLike(whole),
        );
        return Object.fromEntries(names.map((full) => [full, tf.mul(gradients[full], scale)]));
      },
      emit(step) {
        const { scores, kappa } = modulate(step);
        return { stats: statsOf({ score: scores, kappa }, modalities) };
      },
    };
  },
});
