/**
 * On-the-fly prediction modulation.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { mapByModality } from "../core/modality.ts";
import { defineMethod, type Features, type MethodPlugin, type Step } from "../core/kinds/mod.ts";
import type { Scope } from "../core/scope.ts";
import { labelProbability } from "../losses/cross_entropy.ts";
import { stopGradient } from "../tensor/autodiff.ts";
import { discrepancyRatios, keptMean, needsTwo, type OthersForm, statsOf, weightsOf } from "./unimodal.ts";

/** Options of `opm`. */
export interface OpmOptions {
  readonly probability: number;
  readonly lambda: number;
  readonly share: number;
  readonly warmup: number;
  readonly others: OthersForm;
}

/** Drop probability q = clip(base (1 + lambda tanh(rho - 1)), 0, 1) of a modality ahead of the others (rho > 1), else 0. */
export function dropProbability(ratio: tf.Scalar, base: number, lambda: number): tf.Scalar {
  const raised = tf.mul(tf.add(tf.mul(tf.tanh(tf.sub(ratio, 1)), lambda), 1), base);
  return tf.where(tf.greater(ratio, 1), tf.clipByValue(raised, 0, 1), tf.zerosLike(raised)) as tf.Scalar;
}

/** Features times a factor per row [B]: pooled, tokens and maps of stages alike. */
function scaledRows({ pooled, tokens, stages, ...rest }: Features, factor: tf.Tensor1D): Features {
  const times = <T extends tf.Tensor>(x: T) =>
    tf.mul(x, tf.reshape(factor, [-1, ...new Array<number>(x.rank - 1).fill(1)])) as T;
  return {
    ...rest,
    pooled: times(pooled),
    ...(tokens === undefined ? {} : { tokens: times(tokens) }),
    ...(stages === undefined ? {} : { stages: stages.map(times) }),
  };
}

/**
 * In some batches, features of the modalities that are ahead are dropped from samples at random, the more the further ahead.
 *
 * What remains is divided by 1 - theta, one number for all modalities, theta being the dropped share of all coordinates.
 * The modality that is furthest behind is never dropped, so no sample is emptied but one whose other modalities were
 * missing already; its weight is then 0. BalanceBenchmark's ratios use scores that it has divided already; not offered.
 */
export const opm: MethodPlugin = defineMethod<OpmOptions>({
  name: "opm",
  about: "drops the features of modalities that are ahead from random samples",
  formula:
    `rho_u = s_u / mean_(v != u) s_v, s_u = mean softmax(l_u)_y;  q_u = clip(q (1 + lambda tanh(rho_u - 1)), 0, 1) or 0
    in a share of batches: f_u <- f_u 1[U >= q_u] / (1 - theta),  theta = sum_u d_u q_u / sum_u d_u`,
  source: 'Wei et al., "On-the-fly Modulation for Balanced Multimodal Learning", TPAMI 2024',
  options: {
    probability: {
      type: "number",
      default: 0.5,
      min: 0,
      max: 1,
      tune: [0.3, 0.5, 0.7],
      about: "base q of the drop probability",
      source: "released script; its configuration file has 0.4",
    },
    lambda: {
      type: "number",
      default: 0.5,
      min: 0,
      tune: [0.1, 0.5, 1],
      about: "how much a lead raises the drop probability",
      source: "released code",
    },
    share: {
      type: "number",
      default: 0.7,
      min: 0,
      max: 1,
      tune: [0.5, 0.7, 1],
      about: "share of batches in which features are dropped; 0 turns the method off",
      source: "released code (p_exe)",
    },
    warmup: {
      type: "integer",
      default: 5,
      min: 0,
      tune: [1, 5, 10],
      about: "first epoch of dropping, from 0",
      source: "released code",
    },
    others: {
      type: "choice",
      choices: ["mean", "sum", "least"],
      default: "mean",
      about: "what a score is compared with where there are more than two modalities",
      source: "the paper has two; sum as in BalanceBenchmark",
    },
  },
  // Masks are drawn by the modalities' places, so that other names change nothing and other orders do.
  symmetric: false,
  cost: { forwards: 1, backwards: 1 },
  refuses: (_fusion, context) => needsTwo(context),
  create: ({ probability, lambda, share, warmup, others }, { modalities }) => {
    const open = "opm/open";
    const rates = (step: Step): tf.Scalar[] => {
      const { logits } = step.solo();
      const weights = weightsOf(step);
      const scores = modalities.map((modality) =>
        keptMean(
          labelProbability(stopGradient(logits[modality]), step.visibleLabels!),
          weights,
          step.keep,
          modality,
        )
      );
      return discrepancyRatios(scores, others).map((ratio) => dropProbability(ratio, probability, lambda));
    };
    // Not in the step's memo, which is emptied where features change.
    const drawn = new WeakMap<Scope, tf.Tensor1D>();
    return {
      name: "opm",
      declares: { controls: { [open]: 0 }, claims: ["drop features at random"] },
      beforeEpoch: (host) => host.setControl(open, host.epoch >= warmup ? 1 : 0),
      features(step) {
        if (step.scope.mode === "eval") return { features: step.features };
        const noise = step.scope.group("noise:opm");
        const coin = tf.less(noise.in("coin").random("uniform", []), share);
        const active = tf.mul(step.scope.control(open), tf.cast(coin, "float32"));
        const drop = rates(step).map((rate) => tf.mul(rate, active) as tf.Scalar);
        drawn.set(step.scope, tf.stack(drop) as tf.Tensor1D);
        const widths = modalities.map((modality) => step.features[modality].pooled.shape[1]);
        const theta = tf.div(tf.addN(drop.map((rate, u) => tf.mul(rate, widths[u]))), widths.reduce((a, b) => a + b));
        const rows = step.features[modalities[0]].pooled.shape[0];
        const draws = tf.split(noise.random("uniform", [modalities.length, rows]), modalities.length);
        const masks = Object.fromEntries(modalities.map((modality, u) => [
          modality,
          tf.cast(tf.greaterEqual(tf.reshape(draws[u], [rows]), drop[u]), "float32") as tf.Tensor1D,
        ]));
        const scale = tf.div(1, tf.sub(1, theta));
        const features = mapByModality(
          step.features,
          (own, modality) => scaledRows(own, tf.mul(masks[modality], scale) as tf.Tensor1D),
        );
        if (step.keep === null) return { features };
        const left = modalities.map((modality) => tf.mul(masks[modality], tf.reshape(step.keep![modality], [-1])));
        return { features, weights: tf.cast(tf.greater(tf.addN(left), 0), "float32") as tf.Tensor1D };
      },
      emit: (step) => ({ stats: statsOf({ drop: drawn.get(step.scope)! }, modalities) }),
    };
  },
});
