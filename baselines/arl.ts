/**
 * Asymmetric representation learning.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { CLAIMS, defineMethod, type MethodPlugin, type TrainStep } from "../core/kinds/mod.ts";
import { stopGradient } from "../tensor/autodiff.ts";
import {
  keptMean,
  needsTwo,
  perModality,
  scaledEncoders,
  SHARED_CLAIMS,
  statsOf,
  unimodalLosses,
  zeroFilledLogits,
} from "./unimodal.ts";

/** Options of `arl`. */
export interface ArlOptions {
  readonly gamma: number;
  readonly temperature: number;
  readonly warmup: number;
  readonly weights: "entropy" | "inverse" | "released";
}

/**
 * How much more each encoder learns, omega of sum 1.
 *
 * @param entropies Mean entropies H_u of the readouts, [m].
 * @param sizes Sizes a_u = sum_c mean |l_u,c| of the readouts, [m].
 */
export function arlWeights(
  entropies: tf.Tensor1D,
  sizes: tf.Tensor1D,
  temperature: number,
  form: ArlOptions["weights"],
): tf.Tensor1D {
  const m = entropies.shape[0];
  if (form === "released") return tf.fill([m], 0.5) as tf.Tensor1D;
  const shares = (x: tf.Tensor1D): tf.Tensor1D => {
    const total = tf.sum(x);
    return tf.where(tf.greater(total, 0), tf.div(x, tf.maximum(total, 1e-30)), tf.fill([m], 1 / m)) as tf.Tensor1D;
  };
  const least = tf.maximum(shares(entropies), 0.6 / m);
  const inverse = tf.div(1, least);
  const certain = tf.div(inverse, tf.sum(inverse)) as tf.Tensor1D;
  if (form === "inverse") return certain;
  return tf.softmax(tf.mul(tf.mul(tf.sub(1, shares(sizes)), certain), temperature));
}

/**
 * After a warm-up, encoders whose readouts are sure (low entropy) and yet small (the fusion depends little on them) learn
 * faster; every readout is trained throughout.
 *
 * The paper wants each modality's part to be inverse to its variance; the released code takes the entropy for it, computes
 * these weights and then multiplies every encoder by 1.5 (`weights: released`). Its file stops with an error before training,
 * and its gradient scaling fails on current PyTorch.
 */
export const arl: MethodPlugin = defineMethod<ArlOptions>({
  name: "arl",
  about:
    "trains every readout and speeds encoders that are sure but little depended on; a constant speed is void under Adam",
  formula:
    `H_u: mean entropy of l_u, h_u = max(H_u / sum H, .6 / m), w_u = (1/h_u) / sum 1/h;  M_u = a_u / sum a, a_u = sum_c mean |l_u,c|
    omega = softmax(T (1 - M) w);  grad of encoder u times 1 + omega_u;  L = CE(l) + gamma sum_u CE(l_u), gamma = 1 in the warm-up`,
  source: 'Wei et al., "Improving Multimodal Learning via Imbalanced Learning" (ARL), ICCV 2025',
  options: {
    gamma: {
      type: "number",
      default: 4,
      min: 0,
      tune: [1, 3, 4, 5],
      about: "weight of the modalities' own losses after the warm-up",
      source: "released code: 4 for CREMA-D, 5 for AVE, 3 for Kinetics-Sounds",
    },
    temperature: {
      type: "number",
      default: 8,
      min: 0,
      tune: [4, 8],
      about: "sharpness T of the speeds; 0 makes them equal",
      source: "released code: 8 for CREMA-D, 4 for AVE and Kinetics-Sounds",
    },
    warmup: {
      type: "integer",
      default: 6,
      min: 0,
      tune: [1, 3, 6],
      about: "first epoch with speeds and gamma, from 0",
      source: "released code: after epoch 5",
    },
    weights: {
      type: "choice",
      choices: ["entropy", "inverse", "released"],
      default: "entropy",
      about: "speeds by entropy and dependence, by entropy alone, or 0.5 for every encoder",
      source: "entropy: what the released code computes and drops; released: what it does",
    },
  },
  cost: { forwards: 1, backwards: 1 },
  refuses: (_fusion, context) => needsTwo(context),
  create: ({ gamma, temperature, warmup, weights }, { modalities }) => {
    const [open, weight] = ["arl/open", "arl/weight"];
    const speeds = (step: TrainStep): tf.Tensor1D =>
      step.memo("arl", () => {
        const logits = zeroFilledLogits(step);
        const mean = (terms: tf.Tensor, modality: string) =>
          keptMean(terms as tf.Tensor1D, step.weights, step.keep, modality);
        const entropies = tf.stack(modalities.map((modality) => {
          const logP = tf.logSoftmax(stopGradient(logits[modality]));
          return mean(tf.neg(tf.sum(tf.mul(tf.exp(logP), logP), 1)), modality);
        })) as tf.Tensor1D;
        const sizes = tf.stack(
          modalities.map((modality) => mean(tf.sum(tf.abs(stopGradient(logits[modality])), 1), modality)),
        ) as tf.Tensor1D;
        return tf.mul(arlWeights(entropies, sizes, temperature, weights), step.scope.control(open)) as tf.Tensor1D;
      });
    return {
      name: "arl",
      declares: {
        controls: { [open]: 0, [weight]: 1 },
        claims: [SHARED_CLAIMS.readouts, CLAIMS.readout, "speed the encoders by ARL's weights"],
      },
      beforeEpoch(host) {
        host.setControl(open, host.epoch >= warmup ? 1 : 0);
        host.setControl(weight, host.epoch >= warmup ? gamma : 1);
      },
      readout: zeroFilledLogits,
      loss(step) {
        const factor = step.scope.control(weight);
        return Object.fromEntries(
          Object.entries(unimodalLosses(step, zeroFilledLogits(step))).map((
            [key, term],
          ) => [key, tf.mul(term, factor)]),
        );
      },
      gradients: (gradients, _book, step) =>
        scaledEncoders(gradients, perModality(tf.add(speeds(step), 1) as tf.Tensor1D, modalities)),
      emit: (step) => ({ stats: statsOf({ speed: speeds(step) }, modalities) }),
    };
  },
});
