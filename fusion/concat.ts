/**
 * Concatenation.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { at, type ByModality, byModality, mapByModality } from "../core/modality.ts";
import { defineFusion, type FusionPlugin, type KeepFill } from "../core/kinds/mod.ts";
import type { Scope } from "../core/scope.ts";
import { xavierNormal, zeros } from "../nn/initializers.ts";
import { keepFillOption, keptFeatures, total } from "./shared.ts";

/** Options of `concat`. */
export interface ConcatOptions {
  readonly width: number;
  readonly keepFill: KeepFill;
}

/**
 * Concatenation, a linear map to the fused width and a linear head: f_y = sum_u W_u f_u + b, l = V f_y + c.
 *
 * Kernels start by Xavier's rule, as in the released code of OGM-GE, from whose family the comparisons come; ARM's released
 * N(0, 0.01) belongs to its width of 512 and starts a width of 128 far too small.
 *
 * [W_1 … W_m] is one matrix, kept as one kernel per modality: the same map and, drawn with the fans of the whole, the
 * same start; so a modality's columns have a name and unequal widths need no offsets. The solo readout is the exact
 * split z_u = W_u f_u, l_u = V (z_u + b/m) + c/m, whose sum is l.
 */
export const concat: FusionPlugin = defineFusion<ConcatOptions>({
  name: "concat",
  tiny: { width: 12 },
  about: "concatenated features, linear map to the fused width, linear head",
  formula: "f_y = W [f_1; ...; f_m] + b;  l = V f_y + c;  solo: z_u = W_u f_u, l_u = V (z_u + b/m) + c/m",
  source: "Gao et al., ARM, AAAI 2025 (concatenation with bottleneck)",
  options: {
    width: {
      type: "integer",
      default: 128,
      min: 0,
      tune: [64, 128, 256, 512],
      about: "fused width d; 0 puts the head on the features themselves",
      source: "chosen here for small encoders; ARM's released code has 512",
    },
    keepFill: keepFillOption,
  },
  create: ({ width, keepFill }, { modalities, classes }) => {
    const m = modalities.length;
    const kernel = (scope: Scope, modality: string, input: number, widths: number, output: number) =>
      scope.param(`kernel/${modality}`, [input, output], (shape, random) => {
        // Xavier's variance is that of the whole matrix [sum of d_u, d].
        const std = Math.sqrt(2 / (widths + output));
        return Float32Array.from({ length: shape[0] * shape[1] }, () => std * random.normal());
      });
    const parts = (pooled: ByModality<tf.Tensor2D>, scope: Scope): Record<string, tf.Tensor2D> => {
      const widths = Object.values(pooled).reduce((sum, f) => sum + f.shape[1], 0);
      const output = width === 0 ? classes : width;
      const group = scope.group(width === 0 ? "head" : "fusion");
      return mapByModality(
        pooled,
        (f, modality) =>
          tf.matMul(f, kernel(group, modality, f.shape[1], widths, output) as tf.Tensor2D) as tf.Tensor2D,
      );
    };
    const bias = (scope: Scope) =>
      width === 0
        ? scope.group("head").param("bias", [classes], zeros)
        : scope.group("fusion").param("bias", [width], zeros);
    const head = (x: tf.Tensor2D, scope: Scope, share: number): tf.Tensor2D => {
      if (width === 0) return x;
      const group = scope.group("head");
      const y = tf.matMul(x, group.param("kernel", [width, classes], xavierNormal) as tf.Tensor2D);
      const shift = group.param("bias", [classes], zeros);
      return tf.add(y, share === 1 ? shift : tf.mul(shift, share));
    };
    return {
      needs: {},
      soloMode: "split",
      kernels(features, scope) {
        const widths = Object.values(features).reduce((sum, { pooled }) => sum + pooled.shape[1], 0);
        const output = width === 0 ? classes : width;
        const group = scope.group(width === 0 ? "head" : "fusion");
        return mapByModality(features, ({ pooled }, modality) => {
          const own = kernel(group, modality, pooled.shape[1], widths, output) as tf.Tensor2D;
          if (width === 0) return own;
          return tf.matMul(own, scope.group("head").param("kernel", [width, classes], xavierNormal) as tf.Tensor2D);
        });
      },
      align(alignment, features) {
        const group = width === 0 ? "head" : "fusion";
        const [fused] = alignment.layer({
          inputs: modalities.map((modality) => [`${group}/kernel/${modality}`, at(features, modality)]),
          bias: `${group}/bias`,
          fixed: width === 0,
        });
        if (width > 0) alignment.layer({ inputs: [["head/kernel", fused]], bias: "head/bias", fixed: true });
      },
      forward(features, keep, scope, means) {
        const pooled = keptFeatures(features, keep, keepFill, means);
        const z = parts(pooled, scope);
        const fused = tf.add(total(modalities.map((modality) => at(z, modality))), bias(scope)) as tf.Tensor2D;
        return { fused, logits: head(fused, scope, 1), parts: z };
      },
      solo(features, scope, output) {
        const z = output?.parts ?? parts(mapByModality(features, ({ pooled }) => pooled), scope);
        const share = tf.mul(bias(scope), 1 / m);
        return {
          parts: z,
          fused: total(modalities.map((modality) => at(z, modality))),
          logits: byModality(
            modalities,
            (modality) => head(tf.add(at(z, modality), share) as tf.Tensor2D, scope, 1 / m),
          ),
        };
      },
    };
  },
});
