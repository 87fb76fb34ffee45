/**
 * Multiplicative interaction.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { at } from "../core/modality.ts";
import { defineFusion, type FusionPlugin, type KeepFill, keptOfAll } from "../core/kinds/mod.ts";
import { Refusal } from "../core/refusal.ts";
import { normal, xavierNormal, zeros } from "../nn/initializers.ts";
import { linear } from "../nn/linear.ts";
import { keepFillOption, keptFeatures } from "./shared.ts";

/** Options of `multiplicative`. */
export interface MultiplicativeOptions {
  readonly width: number;
  readonly keepFill: KeepFill;
}

/**
 * The general bilinear layer of two features: f_y = f_1' W f_2 + U f_1 + V f_2 + b, l = H f_y + c, with W [d_1, d_2, d].
 *
 * It contains gating, FiLM and concatenation as special cases, and is defined for two modalities.
 *
 * Parameters: d (d_1 d_2 + d_1 + d_2 + 1) and the head's C d + C.
 */
export const multiplicative: FusionPlugin = defineFusion<MultiplicativeOptions>({
  name: "multiplicative",
  symmetric: false, // W's first axis is the first modality in sorted order
  tiny: { width: 5 },
  about: "bilinear form of two features with linear terms",
  formula: "f_y = f_1' W f_2 + U f_1 + V f_2 + b;  l = H f_y + c",
  source: "Jayakumar et al., Multiplicative Interactions and Where to Find Them, ICLR 2020; as in MultiBench",
  options: {
    width: {
      type: "integer",
      default: 64,
      min: 1,
      tune: [32, 64, 128],
      about: "width d of the fused feature",
      source: "chosen here: at features of 128 the form has a million numbers",
    },
    keepFill: keepFillOption,
  },
  create: ({ width, keepFill }, { modalities, classes }) => {
    if (modalities.length !== 2) {
      throw new Refusal({
        what: 'use fusion "multiplicative"',
        must: "its form is of two modalities",
        found: `found ${modalities.length} (${modalities.join(", ")})`,
        hint: "for others take lmf, a product of any number",
      });
    }
    return {
      needs: {},
      soloMode: "ablate-zero",
      forward(features, keep, scope, means) {
        const always = keepFill === "zero" ? keptOfAll(keep) : null;
        // A form of two features, one of which is 0 in all samples, is 0.
        const there = always ?? modalities;
        const pooled = keptFeatures(features, always === null ? keep : null, keepFill, means);
        const group = scope.group("fusion");
        const [first, second] = modalities.map((modality) => at(pooled, modality));
        const [d1, d2] = [first.shape[1], second.shape[1]];
        // Per output the form is a matrix [d_1, d_2], whose start is Xavier's divided by the sum over the other factor.
        const form = group.param("form", [d1, d2, width], normal(Math.sqrt(2 / (d1 * d2 + width)))) as tf.Tensor3D;
        const bilinear = (): tf.Tensor2D => {
          const outer = tf.reshape(tf.mul(tf.expandDims(first, 2), tf.expandDims(second, 1)), [-1, d1 * d2]);
          return tf.matMul(outer as tf.Tensor2D, tf.reshape(form, [d1 * d2, width]) as tf.Tensor2D);
        };
        const lines = there.map((modality) =>
          linear(group.in(modality), at(pooled, modality), { width, bias: false, kernelInit: xavierNormal })
        ) as tf.Tensor2D[];
        const terms = there.length === 2 ? [bilinear(), ...lines] : lines;
        const sum = terms.length === 0 ? tf.zeros([first.shape[0], width]) : tf.addN(terms);
        const fused = tf.add(sum, group.param("bias", [width], zeros)) as tf.Tensor2D;
        const logits = linear(scope.group("head"), fused, { width: classes, kernelInit: xavierNormal }) as tf.Tensor2D;
        return { fused, logits };
      },
    };
  },
});
