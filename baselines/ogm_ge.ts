/**
 * On-the-fly gradient modulation, without and with generalisation enhancement.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { at, byModality } from "../core/modality.ts";
import { defineMethod, type Method, type MethodPlugin, type TrainStep } from "../core/kinds/mod.ts";
import type { NamedTensors } from "../core/program.ts";
import { groupOf } from "../core/scope.ts";
import { stopGradient } from "../tensor/autodiff.ts";
import { squareScale } from "../tensor/square_scale.ts";
import { labelProbability } from "../losses/cross_entropy.ts";
import { discrepancyRatios, needsTwo } from "./unimodal.ts";

/** Options of `ogm` and `ogm-ge`. */
export interface OgmOptions {
  readonly alpha: number;
  readonly start: number;
  readonly end: number;
  readonly scope: "matrices" | "conv4d" | "all";
  readonly others: "mean" | "sum" | "least";
}

/** Modulation coefficient k = 1 - tanh(alpha rho) where rho > 1, else 1 (OGM-GE, CVPR 2022, Eq. 10). */
export function modulation(ratio: tf.Scalar, alpha: number): tf.Scalar {
  return tf.where(tf.greater(ratio, 1), tf.sub(1, tf.tanh(tf.mul(ratio, alpha))), tf.onesLike(ratio)) as tf.Scalar;
}

/** Unbiased standard deviation over all elements plus 1e-8; 0 for a single element, which has none. */
export function gradientStd(gradient: tf.Tensor): tf.Scalar {
  if (gradient.size < 2) return tf.scalar(0);
  const centred = tf.sub(gradient, tf.mean(gradient));
  const scale = squareScale(centred);
  const variance = tf.div(tf.sum(tf.square(tf.mul(centred, scale))), gradient.size - 1);
  return tf.add(tf.div(tf.sqrt(variance), scale), 1e-8) as tf.Scalar;
}

function inScope(scope: OgmOptions["scope"], rank: number): boolean {
  return scope === "all" || (scope === "matrices" ? rank >= 2 : rank === 4);
}

function ogmMethod(name: string, options: OgmOptions, enhance: boolean): Method {
  const { alpha, start, end, scope, others } = options;
  const window = `${name}/window`;
  /** k of every modality; exactly 1 outside the window. */
  const coefficients = (step: TrainStep): Record<string, tf.Scalar> => {
    const { logits } = step.solo();
    const scores = step.modalities.map((modality) =>
      tf.sum(tf.mul(labelProbability(stopGradient(at(logits, modality)), step.labels), step.weights)) as tf.Scalar
    );
    const ratios = discrepancyRatios(scores, others);
    const open = step.scope.control(window);
    return byModality(
      step.modalities,
      (_, u) => tf.add(1, tf.mul(open, tf.sub(modulation(ratios[u], alpha), 1))) as tf.Scalar,
    );
  };
  /** Standard normal noise for the gradients of an encoder that have a spread: one draw, as many small ones cost more. */
  const encoderNoise = (
    names: readonly string[],
    modality: string,
    gradients: NamedTensors,
    step: TrainStep,
  ): NamedTensors => {
    const noisy = names.filter((full) => gradients[full].size > 1);
    if (noisy.length === 0) return {};
    const sizes = noisy.map((full) => gradients[full].size);
    const draw = step.scope.group(`noise:${name}`).in(modality).random("normal", [
      sizes.reduce((sum, size) => sum + size, 0),
    ]);
    const pieces = tf.split(draw, sizes);
    return Object.fromEntries(noisy.map((full, index) => [full, tf.reshape(pieces[index], gradients[full].shape)]));
  };
  return {
    name,
    declares: { controls: { [window]: 0 }, solo: true, claims: ["damp the encoders' gradients by OGM's ratio"] },
    beforeEpoch: (host) => host.setControl(window, host.epoch >= start && host.epoch <= end ? 1 : 0),
    gradients(gradients, _book, step) {
      const k = coefficients(step);
      const open = step.scope.control(window);
      const result = { ...gradients };
      for (const modality of step.modalities) {
        const modulated = Object.keys(gradients).sort().filter((full) =>
          groupOf(full) === `encoder:${modality}` && inScope(scope, gradients[full].rank)
        );
        const drawn = enhance ? encoderNoise(modulated, modality, gradients, step) : {};
        for (const full of modulated) {
          const damped = tf.mul(gradients[full], k[modality]);
          result[full] = full in drawn
            ? tf.add(damped, tf.mul(drawn[full], tf.mul(open, gradientStd(gradients[full]))))
            : damped;
        }
      }
      return result;
    },
    emit(step) {
      const k = coefficients(step);
      return { stats: Object.fromEntries(step.modalities.map((modality) => [`k:${modality}`, k[modality]])) };
    },
  };
}

const options = {
  alpha: {
    type: "number",
    default: 0.1,
    min: 0,
    tune: [0.1, 0.3, 0.8],
    about: "strength of the damping",
    source: "released code: 0.1 in general and for VGGSound, 0.8 for CREMA-D",
  },
  start: {
    type: "integer",
    default: 0,
    min: 0,
    tune: [0, 5],
    about: "first epoch of modulation, from 0",
    source: "released code",
  },
  end: {
    type: "integer",
    default: 50,
    min: 0,
    tune: [20, 50],
    about: "last epoch of modulation, inclusive",
    source: "released code",
  },
  scope: {
    type: "choice",
    choices: ["matrices", "conv4d", "all"],
    default: "matrices",
    about: "encoder tensors that are modulated: those with 2 or more axes, those with 4, or all",
    source: "the released code takes conv4d, which leaves linear layers and most of a transformer alone",
  },
  others: {
    type: "choice",
    choices: ["mean", "sum", "least"],
    default: "mean",
    about: "what a score is compared with where there are more than two modalities",
    source: "the paper has two; sum as in MLA's released code, least as in BalanceBenchmark",
  },
} as const;

const source = 'Peng et al., "Balanced Multimodal Learning via On-the-fly Gradient Modulation", CVPR 2022';

/** OGM: damps the gradients of the encoders that are ahead. */
export const ogm: MethodPlugin = defineMethod<OgmOptions>({
  name: "ogm",
  about: "damps the gradient of the encoder whose modality is ahead",
  formula: `s_u = sum_B softmax(l_u)_y;  rho_u = s_u / mean_{v != u} s_v
    k_u = 1 - tanh(alpha rho_u) if rho_u > 1 else 1;  g_u <- k_u g_u`,
  source,
  options,
  refuses: (_fusion, context) => needsTwo(context),
  create: (resolved) => ogmMethod("ogm", resolved, false),
});

/** OGM-GE: OGM with Gaussian noise of the gradient's own spread on every encoder. */
export const ogmGe: MethodPlugin = defineMethod<OgmOptions>({
  name: "ogm-ge",
  about: "OGM with gradient noise of the gradient's own standard deviation",
  formula: `s_u = sum_B softmax(l_u)_y;  rho_u = s_u / mean_{v != u} s_v
    k_u = 1 - tanh(alpha rho_u) if rho_u > 1 else 1;  g_u <- k_u g_u + xi,  xi ~ N(0, std(g_u)^2) per tensor`,
  source,
  options,
  refuses: (_fusion, context) => needsTwo(context),
  create: (resolved) => ogmMethod("ogm-ge", resolved, true),
});
