/**
 * Feature-wise linear modulation.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { at, type ByModality } from "../core/modality.ts";
import { defineFusion, type FusionPlugin, type KeepFill } from "../core/kinds/mod.ts";
import { Refusal } from "../core/refusal.ts";
import type { Scope } from "../core/scope.ts";
import { xavierNormal } from "../nn/initializers.ts";
import { linear } from "../nn/linear.ts";
import { keepFillOption, keptFeatures, targetOf, total } from "./shared.ts";

/** Options of `film`. */
export interface FilmOptions {
  readonly target: string;
  readonly residualGamma: boolean;
  readonly generalisation: "sum" | "product" | "cyclic";
  readonly keepFill: KeepFill;
}

/**
 * The other modalities scale and shift the target: f_y = gamma * f_t + beta, [gamma_v, beta_v] = W_v f_v + b_v, gamma the
 * first half. With `residualGamma` the scale is 1 + gamma. The target is not projected, so d = d_t.
 *
 * FiLM is defined for one conditioner. Several add up by default: scale sum_v gamma_v, shift sum_v beta_v; under `product`
 * the scale is the product of theirs, which soon explodes or vanishes; under `cyclic` there is no target: each modality is
 * modulated by the next in sorted order and the results are concatenated (for two modalities, both directions).
 */
export const film: FusionPlugin = defineFusion<FilmOptions>({
  name: "film",
  symmetric: false,
  about: "one modality scaled and shifted by the others",
  formula: `f_y = (1 + sum_v gamma_v) * f_t + sum_v beta_v;  [gamma_v, beta_v] = W_v f_v + b_v;  l = V f_y + c
    product: prod_v (1 + gamma_v);  cyclic: f_y = [(1 + gamma_2) * f_1 + beta_2; ...; (1 + gamma_1) * f_m + beta_1]`,
  source: "Perez et al., FiLM, AAAI 2018; as a fusion in Peng et al., OGM-GE, CVPR 2022 (without the 1)",
  options: {
    target: {
      type: "text",
      default: "",
      about: "the modality that is modulated; empty is the second in sorted order",
      source: "the released code of OGM-GE conditions its second modality",
    },
    residualGamma: {
      type: "boolean",
      default: true,
      about: "scale by 1 + gamma; OGM-GE's code scales by gamma",
      source: "practice of FiLM's authors",
    },
    generalisation: {
      type: "choice",
      choices: ["sum", "product", "cyclic"],
      default: "sum",
      about: "how several condition one target: scales add up or multiply; or each modality conditions the one before",
      source: "the paper has one conditioner",
    },
    keepFill: keepFillOption,
  },
  create: ({ target, residualGamma, generalisation, keepFill }, { modalities, classes }) => {
    const aim = targetOf("film", target, modalities);
    if (generalisation === "cyclic" && target !== "") {
      throw new Refusal({ what: 'use fusion "film"', must: "cyclic has no target", found: `found target "${target}"` });
    }
    const one = residualGamma ? 1 : 0;
    const condition = (scope: Scope, modality: string, f: tf.Tensor2D, width: number) =>
      tf.split(linear(scope.group("fusion").in(modality), f, { width: 2 * width, kernelInit: xavierNormal }), 2, 1);
    const aimed = (pooled: ByModality<tf.Tensor2D>, scope: Scope): tf.Tensor2D => {
      const y = at(pooled, aim);
      const pairs = modalities.filter((modality) => modality !== aim)
        .map((modality) => condition(scope, modality, at(pooled, modality), y.shape[1]));
      const scales = pairs.map(([scale]) => scale as tf.Tensor2D);
      const shift = total(pairs.map(([_, beta]) => beta as tf.Tensor2D));
      const scale = generalisation === "sum"
        ? tf.add(total(scales), one)
        : scales.map((gamma) => tf.add(gamma, one)).reduce((product, factor) => tf.mul(product, factor));
      return tf.add(tf.mul(scale, y), shift);
    };
    const around = (pooled: ByModality<tf.Tensor2D>, scope: Scope): tf.Tensor2D =>
      tf.concat(
        modalities.map((modality, index) => {
          const y = at(pooled, modality);
          const next = modalities[(index + 1) % modalities.length];
          const [gamma, beta] = condition(scope, next, at(pooled, next), y.shape[1]);
          return tf.add(tf.mul(tf.add(gamma, one), y), beta) as tf.Tensor2D;
        }),
        1,
      );
    return {
      needs: {},
      soloMode: "ablate-mean",
      forward(features, keep, scope, means) {
        const pooled = keptFeatures(features, keep, keepFill, means);
        // A modality alone has no conditioner and goes to the head as it is.
        const fused = modalities.length === 1
          ? at(pooled, aim)
          : generalisation === "cyclic"
          ? around(pooled, scope)
          : aimed(pooled, scope);
        const logits = linear(scope.group("head"), fused, { width: classes, kernelInit: xavierNormal }) as tf.Tensor2D;
        return { fused, logits };
      },
    };
  },
});
