/**
 * Feature-wise linear modulation.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { at } from "../core/modality.ts";
import { defineFusion, type FusionPlugin, type KeepFill } from "../core/plugin.ts";
import { xavierNormal } from "../nn/initializers.ts";
import { linear } from "../nn/linear.ts";
import { keepFillOption, keptFeatures, targetOf } from "./shared.ts";

/** Options of `film`. */
export interface FilmOptions {
  readonly target: string;
  readonly residualGamma: boolean;
  readonly keepFill: KeepFill;
}

/**
 * The other modalities scale and shift the target: f_y = gamma * f_t + beta, [gamma_v, beta_v] = W_v f_v + b_v, gamma the
 * first half. Several conditioners add up: gamma = sum_v gamma_v, beta = sum_v beta_v (their product would be unstable).
 * With `residualGamma` the scale is 1 + gamma. The target is not projected, so d = d_t.
 */
export const film: FusionPlugin = defineFusion<FilmOptions>({
  name: "film",
  about: "one modality scaled and shifted by the others",
  formula: "f_y = (1 + sum_v gamma_v) * f_t + sum_v beta_v;  [gamma_v, beta_v] = W_v f_v + b_v;  l = V f_y + c",
  source: "Perez et al., FiLM, AAAI 2018; as a fusion in Peng et al., OGM-GE, CVPR 2022 (without the 1)",
  options: {
    target: { type: "text", default: "", about: "the modality that is modulated; empty is the second in sorted order" },
    residualGamma: { type: "boolean", default: true, about: "scale by 1 + gamma instead of gamma" },
    keepFill: keepFillOption,
  },
  create: ({ target, residualGamma, keepFill }, { modalities, classes }) => {
    const aim = targetOf("film", target, modalities);
    return {
      needs: {},
      soloMode: "ablate-mean",
      forward(features, keep, scope, means) {
        const pooled = keptFeatures(features, keep, keepFill, means);
        const y = at(pooled, aim);
        const width = y.shape[1];
        let gamma: tf.Tensor = residualGamma ? tf.scalar(1) : tf.scalar(0);
        let beta: tf.Tensor = tf.scalar(0);
        for (const modality of modalities) {
          if (modality === aim) continue;
          const both = linear(scope.group("fusion").in(modality), at(pooled, modality), {
            width: 2 * width,
            kernelInit: xavierNormal,
          });
          const [scale, shift] = tf.split(both, 2, 1);
          gamma = tf.add(gamma, scale);
          beta = tf.add(beta, shift);
        }
        // A modality alone has no conditioner: gamma is 1 whatever the option says, or nothing would be left.
        const fused = modalities.length === 1 ? y : tf.add(tf.mul(gamma, y), beta) as tf.Tensor2D;
        const logits = linear(scope.group("head"), fused, { width: classes, kernelInit: xavierNormal }) as tf.Tensor2D;
        return { fused, logits };
      },
    };
  },
});
