/**
 * Tensor fusion network.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { at } from "../core/modality.ts";
import { defineFusion, type FusionPlugin, type KeepFill } from "../core/kinds/mod.ts";
import { Refusal } from "../core/refusal.ts";
import { xavierNormal } from "../nn/initializers.ts";
import { linear } from "../nn/linear.ts";
import { keepFillOption, keptFeatures, withOne } from "./shared.ts";

/** Options of `tfn`. */
export interface TfnOptions {
  readonly projection: number;
  readonly width: number;
  readonly keepFill: KeepFill;
}

/** Most entries of the product that are computed: four modalities of 16 fit, a kernel from there to 128 takes 43 MB. */
const LARGEST = 2 ** 17;

/**
 * The whole tensor product of all features and 1, and a perceptron on it: x = vec([1; p_1] × … × [1; p_m]),
 * f_y = relu(W x + b), l = V f_y + c.
 *
 * p_u is f_u, or where that is wider than `projection` a linear map of it with bias. The product is row-major in sorted
 * order of the modalities, the constant 1 at index 0. It grows with the power m.
 *
 * Parameters, with p_u the widths in the product: sum over wide u of (d_u + 1) p_u, (prod_u (p_u + 1) + 1) d, C d + C.
 */
export const tfn: FusionPlugin = defineFusion<TfnOptions>({
  name: "tfn",
  symmetric: false, // rows of the kernel on the product stand in sorted order of modalities
  tiny: { projection: 3, width: 5 },
  about: "tensor product of all features, then a perceptron",
  formula: `x = vec([1; p_1] x ... x [1; p_m]), p_u = f_u or P_u f_u + q_u where f_u is wide
    f_y = relu(W x + b);  l = V f_y + c`,
  source: "Zadeh et al., Tensor Fusion Network for Multimodal Sentiment Analysis, EMNLP 2017",
  options: {
    projection: {
      type: "integer",
      default: 32,
      min: 1,
      tune: [8, 16, 32],
      about: "widest feature that enters the product; wider ones are projected to this",
      source: "chosen here: the paper's features have 32, 32 and 128",
    },
    width: {
      type: "integer",
      default: 128,
      min: 1,
      tune: [64, 128],
      about: "width d of the fused feature, the perceptron's hidden layer",
      source: "the paper",
    },
    keepFill: keepFillOption,
  },
  create: ({ projection, width, keepFill }, { modalities, classes }) => ({
    needs: {},
    soloMode: "ablate-zero",
    forward(features, keep, scope, means) {
      const pooled = keptFeatures(features, keep, keepFill, means);
      const group = scope.group("fusion");
      const parts = modalities.map((modality) => {
        const f = at(pooled, modality);
        if (f.shape[1] <= projection) return withOne(f);
        const project = group.in("projection").in(modality);
        return withOne(linear(project, f, { width: projection, kernelInit: xavierNormal }) as tf.Tensor2D);
      });
      const entries = parts.reduce((size, part) => size * part.shape[1], 1);
      if (entries > LARGEST) {
        throw new Refusal({
          what: `use fusion "tfn" for ${modalities.join(", ")}`,
          must: `its product may have ${LARGEST} entries`,
          found: `widths ${parts.map((part) => part.shape[1]).join(" x ")} give ${entries}`,
          hint: "set a smaller projection, or take lmf",
        });
      }
      const product = parts.reduce((all, part) =>
        tf.reshape(tf.mul(tf.expandDims(all, 2), tf.expandDims(part, 1)), [-1, all.shape[1] * part.shape[1]])
      );
      const fused = tf.relu(linear(group, product, { width, kernelInit: xavierNormal })) as tf.Tensor2D;
      const logits = linear(scope.group("head"), fused, { width: classes, kernelInit: xavierNormal }) as tf.Tensor2D;
      return { fused, logits };
    },
  }),
});
