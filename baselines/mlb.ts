/**
 * Multi-loss balanced gradient modulation.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { CLAIMS, defineMethod, type MethodPlugin, type TrainStep } from "../core/kinds/mod.ts";
import { groupOf } from "../core/scope.ts";
import {
  labelScores,
  needsTwo,
  ownLogits,
  perModality,
  SHARED_CLAIMS,
  statsOf,
  unimodalLosses,
  windowOptions,
} from "./unimodal.ts";

/** Options of `mlb`. */
export interface MlbOptions {
  readonly alpha: number;
  readonly beta: number;
  readonly scope: "all" | "encoder";
  readonly start: number;
  readonly end: number;
}

/**
 * k_u = 1 + (B_u - 1) tanh(alpha (r_u - 1)) with r_u = mean of the others' scores over its own; B_u = beta for a modality that
 * is behind (r_u > 1), else 2: in (0, 2) for beta = 2, up to beta beyond.
 *
 * @param scores s_u, [m].
 */
export function mlbCoefficients(scores: tf.Tensor1D, alpha: number, beta: number): tf.Tensor1D {
  const m = scores.shape[0];
  const others = tf.div(tf.sub(tf.sum(scores), scores), m - 1);
  const ratio = tf.div(others, tf.maximum(scores, 1e-8));
  const bound = tf.where(tf.greater(ratio, 1), tf.fill([m], beta), tf.fill([m], 2));
  return tf.add(1, tf.mul(tf.sub(bound, 1), tf.tanh(tf.mul(tf.sub(ratio, 1), alpha)))) as tf.Tensor1D;
}

/**
 * Every modality has a loss and a head of its own, and its gradients are made smaller while it is ahead, larger while it is
 * behind: those of its encoder, its head, and its own columns of a linear fusion.
 *
 * The paper lets the modality behind grow beyond 2; no configuration of the release sets that, so 2 is the default.
 */
export const mlb: MethodPlugin = defineMethod<MlbOptions>({
  name: "mlb",
  about:
    "trains every readout and scales each modality's gradients by its lead; a factor that stays does nothing under Adam",
  formula: `L = CE(l) + sum_u CE(l_u);  s_u = mean softmax(l_u)_y, r_u = mean_(v != u) s_v / s_u
    k_u = 1 + (B_u - 1) tanh(alpha (r_u - 1)), B_u = beta if r_u > 1 else 2;  g_u <- k_u g_u`,
  source: 'Kontras et al., "Improving Multimodal Learning with Multi-Loss Gradient Modulation", BMVC 2024',
  options: {
    alpha: {
      type: "number",
      default: 0.8,
      min: 0,
      tune: [0.3, 0.8, 1, 2],
      about: "strength; 0 leaves the gradients of uni-ce",
      source: "released code: 0.8 for CREMA-D, AVE and MOSEI, 1 for UCF",
    },
    beta: {
      type: "number",
      default: 2,
      min: 1,
      tune: [2, 5, 10],
      about: "bound of the factor of a modality that is behind; below 1 it would slow it down too",
      source: "released configurations, which set none; the paper has larger ones",
    },
    scope: {
      type: "choice",
      choices: ["all", "encoder"],
      default: "all",
      about: "what is scaled: encoder, own head and own columns of a linear fusion, or the encoder alone",
      source: "released code: all",
    },
    ...windowOptions(0, 1500, "released code"),
  },
  worksWith: "every fusion; those without heads of one modality each get linear ones",
  cost: { forwards: 1, backwards: 1 },
  refuses: (_fusion, context) => needsTwo(context),
  create: ({ alpha, beta, scope, start, end }, { modalities }) => {
    const window = "mlb/window";
    const coefficients = (step: TrainStep): tf.Tensor1D =>
      step.memo("mlb", () => {
        const scores = tf.stack(labelScores(step, ownLogits(step))) as tf.Tensor1D;
        const k = mlbCoefficients(scores, alpha, beta);
        return tf.add(1, tf.mul(step.scope.control(window), tf.sub(k, 1))) as tf.Tensor1D;
      });
    /** Whose gradient it is, or none's. */
    const ownerOf = (full: string, rank: number, linear: boolean): string | undefined => {
      const group = groupOf(full);
      const own = modalities.find((modality) =>
        group === `encoder:${modality}` || (scope === "all" && group === `head:${modality}`)
      );
      if (own !== undefined || scope === "encoder" || !linear || rank < 2) return own;
      // A linear fusion's kernels of one modality carry its name; biases and shared layers do not.
      if (group !== "fusion" && group !== "head") return undefined;
      return modalities.find((modality) => full.split("/").includes(modality));
    };
    return {
      name: "mlb",
      declares: { controls: { [window]: 0 }, claims: [SHARED_CLAIMS.readouts, CLAIMS.readout] },
      beforeEpoch: (host) => host.setControl(window, host.epoch >= start && host.epoch <= end ? 1 : 0),
      readout: ownLogits,
      loss: (step) => unimodalLosses(step, ownLogits(step)),
      gradients(gradients, _book, step) {
        const k = perModality(coefficients(step), modalities);
        const linear = step.kernels() !== null;
        return Object.fromEntries(
          Object.entries(gradients).map(([full, gradient]) => {
            const owner = ownerOf(full, gradient.rank, linear);
            return [full, owner === undefined ? gradient : tf.mul(gradient, k[owner])];
          }),
        );
      },
      emit: (step) => ({ stats: statsOf({ k: coefficients(step) }, modalities) }),
    };
  },
});
