/**
 * Summation.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { at, byModality, mapByModality } from "../core/modality.ts";
import { defineFusion, type FusionPlugin, type KeepFill } from "../core/kinds/mod.ts";
import type { Scope } from "../core/scope.ts";
import { xavierNormal, zeros } from "../nn/initializers.ts";
import { linear } from "../nn/linear.ts";
import { alignHeads, keepFillOption, keptFeatures, total } from "./shared.ts";

/** Options of `sum`. */
export interface SumOptions {
  readonly level: "logit" | "feature";
  readonly width: number;
  readonly keepFill: KeepFill;
}

/**
 * Sum of logits, l = sum_u (W_u f_u + b_u), or of projected features, f_y = sum_u P_u f_u, l = V f_y + c.
 *
 * At the logit level a dropped modality's head leaves the sum; at the feature level its feature is filled.
 */
export const sum: FusionPlugin = defineFusion<SumOptions>({
  name: "sum",
  about: "sum of unimodal logits, or of projected features",
  formula: "logit: l = sum_u (W_u f_u + b_u);  feature: f_y = sum_u P_u f_u, l = V f_y + c, solo l_u = V P_u f_u + c/m",
  source: "Peng et al., OGM-GE, CVPR 2022 (summation); feature level as in ARM, AAAI 2025",
  options: {
    level: {
      type: "choice",
      choices: ["logit", "feature"],
      default: "logit",
      about: "what is summed",
      source: "the released code of OGM-GE sums logits",
    },
    width: {
      type: "integer",
      default: 128,
      min: 1,
      tune: [64, 128, 256, 512],
      about: "width of the projections at the feature level",
      source: "chosen here: as concat's",
    },
    keepFill: keepFillOption,
  },
  create: ({ level, width, keepFill }, { modalities, classes }) => {
    if (level === "logit") {
      const unbiased = (f: tf.Tensor2D, modality: string, scope: Scope) =>
        linear(scope.group(`head:${modality}`), f, {
          width: classes,
          bias: false,
          kernelInit: xavierNormal,
        }) as tf.Tensor2D;
      const own = (f: tf.Tensor2D, modality: string, scope: Scope) =>
        tf.add(
          unbiased(f, modality, scope),
          scope.group(`head:${modality}`).param("bias", [classes], zeros),
        ) as tf.Tensor2D;
      return {
        needs: {},
        soloMode: "own",
        late: true,
        align: alignHeads,
        kernels: (features, scope) =>
          mapByModality(
            features,
            ({ pooled }, modality) =>
              scope.group(`head:${modality}`).param("kernel", [pooled.shape[1], classes], xavierNormal) as tf.Tensor2D,
          ),
        forward(features, keep, scope) {
          const heads = mapByModality(features, ({ pooled }, modality) => own(pooled, modality, scope));
          const logits = total(
            modalities.map((modality) =>
              keep === null ? at(heads, modality) : tf.mul(at(heads, modality), at(keep, modality)) as tf.Tensor2D
            ),
          );
          return { fused: logits, logits, own: heads };
        },
        solo(features, scope) {
          const parts = mapByModality(features, ({ pooled }, modality) => unbiased(pooled, modality, scope));
          return {
            parts,
            fused: total(modalities.map((modality) => at(parts, modality))),
            logits: mapByModality(features, ({ pooled }, modality) => own(pooled, modality, scope)),
          };
        },
      };
    }
    const project = (f: tf.Tensor2D, modality: string, scope: Scope) =>
      linear(scope.group("fusion").in(modality), f, { width, bias: false, kernelInit: xavierNormal }) as tf.Tensor2D;
    const head = (x: tf.Tensor2D, scope: Scope, share: number) => {
      const group = scope.group("head");
      const y = linear(group, x, { width: classes, bias: false, kernelInit: xavierNormal });
      const shift = group.param("bias", [classes], zeros);
      return tf.add(y, share === 1 ? shift : tf.mul(shift, share)) as tf.Tensor2D;
    };
    return {
      needs: {},
      soloMode: "own",
      kernels: (features, scope) =>
        mapByModality(features, ({ pooled }, modality) => {
          const projection = scope.group("fusion").in(modality).param("kernel", [pooled.shape[1], width], xavierNormal);
          return tf.matMul(
            projection as tf.Tensor2D,
            scope.group("head").param("kernel", [width, classes], xavierNormal) as tf.Tensor2D,
          );
        }),
      forward(features, keep, scope, means) {
        const pooled = keptFeatures(features, keep, keepFill, means);
        const fused = total(modalities.map((modality) => project(at(pooled, modality), modality, scope)));
        return { fused, logits: head(fused, scope, 1) };
      },
      solo(features, scope) {
        const parts = mapByModality(features, ({ pooled }, modality) => project(pooled, modality, scope));
        return {
          parts,
          fused: total(modalities.map((modality) => at(parts, modality))),
          logits: byModality(modalities, (modality) => head(at(parts, modality), scope, 1 / modalities.length)),
        };
      },
    };
  },
});
