/**
 * On-the-fly gradient modulation, without and with generalisation enhancement.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { at, byModality } from "../core/modality.ts";
import { defineMethod, type Method, type MethodPlugin, type TrainStep } from "../core/plugin.ts";
import { groupOf } from "../core/scope.ts";
import { stopGradient } from "../core/autodiff.ts";
import { labelProbability } from "../losses/cross_entropy.ts";

/** Options of `ogm` and `ogm-ge`. */
export interface OgmOptions {
  readonly alpha: number;
  readonly start: number;
  readonly end: number;
  readonly scope: "matrices" | "conv4d" | "all";
}

/**
 * Each modality's score over that of the others: rho_u = s_u / mean over v != u of s_v.
 *
 * @param scores One scalar per modality.
 */
export function discrepancyRatios(scores: readonly tf.Scalar[]): tf.Scalar[] {
  return scores.map((own, u) => {
    const others = scores.filter((_, v) => v !== u);
    const rest = tf.div(tf.addN(others), others.length);
    return tf.div(own, tf.maximum(rest, 1e-8)) as tf.Scalar;
  });
}

/** Modulation coefficient k = 1 - tanh(alpha rho) where rho > 1, else 1 (OGM-GE, CVPR 2022, Eq. 10). */
export function modulation(ratio: tf.Scalar, alpha: number): tf.Scalar {
  return tf.where(tf.greater(ratio, 1), tf.sub(1, tf.tanh(tf.mul(ratio, alpha))), tf.onesLike(ratio)) as tf.Scalar;
}

/** Unbiased standard deviation over all elements plus 1e-8; 0 for a single element, which has none. */
export function gradientStd(gradient: tf.Tensor): tf.Scalar {
  if (gradient.size < 2) return tf.scalar(0);
  const centred = tf.sub(gradient, tf.mean(gradient));
  return tf.add(tf.sqrt(tf.div(tf.sum(tf.square(centred)), gradient.size - 1)), 1e-8) as tf.Scalar;
}

function inScope(scope: OgmOptions["scope"], rank: number): boolean {
  return scope === "all" || (scope === "matrices" ? rank >= 2 : rank === 4);
}

function ogmMethod(name: string, { alpha, start, end, scope }: OgmOptions, enhance: boolean): Method {
  const window = `${name}/window`;
  const coefficients = (step: TrainStep): Record<string, tf.Scalar> => {
    const { logits } = step.solo();
    const scores = step.modalities.map((modality) =>
      tf.sum(tf.mul(labelProbability(stopGradient(at(logits, modality)), step.labels), step.weights)) as tf.Scalar
    );
    const ratios = discrepancyRatios(scores);
    return byModality(step.modalities, (_, u) => modulation(ratios[u], alpha));
  };
  return {
    name,
    declares: { controls: { [window]: 0 }, solo: true },
    beforeEpoch: (host) => host.setControl(window, host.epoch >= start && host.epoch <= end ? 1 : 0),
    gradients(gradients, _book, step) {
      if (step.modalities.length < 2) return gradients;
      const k = coefficients(step);
      const open = step.scope.control(window);
      const result = { ...gradients };
      for (const full of Object.keys(gradients).sort()) {
        const modality = step.modalities.find((candidate) => groupOf(full) === `encoder:${candidate}`);
        const gradient = gradients[full];
        if (modality === undefined || !inScope(scope, gradient.rank)) continue;
        // 1 + open (k - 1): outside the window the factor is exactly 1.
        let changed = tf.mul(gradient, tf.add(1, tf.mul(open, tf.sub(k[modality], 1))));
        if (enhance && gradient.size > 1) {
          const noise = step.scope.group(`noise:${name}`).in(full).random("normal", gradient.shape);
          changed = tf.add(changed, tf.mul(noise, tf.mul(open, gradientStd(gradient))));
        }
        result[full] = changed;
      }
      return result;
    },
    emit(step) {
      if (step.modalities.length < 2) return {};
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
  start: { type: "integer", default: 0, min: 0, about: "first epoch of modulation, from 0", source: "released code" },
  end: { type: "integer", default: 50, min: 0, about: "last epoch of modulation, inclusive", source: "released code" },
  scope: {
    type: "choice",
    choices: ["matrices", "conv4d", "all"],
    default: "matrices",
    about:
      "encoder tensors that are modulated: those with 2 or more axes, convolution kernels only (released code), or all",
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
  create: (resolved) => ogmMethod("ogm-ge", resolved, true),
});
