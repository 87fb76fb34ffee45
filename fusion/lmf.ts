/**
 * Low-rank multimodal fusion.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { at } from "../core/modality.ts";
import { defineFusion, type FusionPlugin, type KeepFill } from "../core/kinds/mod.ts";
import { normal, xavierNormal, zeros } from "../nn/initializers.ts";
import { linear } from "../nn/linear.ts";
import { keepFillOption, keptFeatures, withOne } from "./shared.ts";

/** Options of `lmf`. */
export interface LmfOptions {
  readonly rank: number;
  readonly width: number;
  readonly keepFill: KeepFill;
}

/**
 * The tensor product of all features and 1, weighted by a tensor of low rank: f_y = sum_r w_r prod_u ([1; f_u] F_u^r) + b,
 * l = V f_y + c.
 *
 * Factors are F_u [R, d_u + 1, d], the constant 1 at index 0; each of the R matrices starts by Xavier's rule. A dropped
 * modality's feature is filled, and with zeros leaves its constant in the product.
 *
 * Parameters: R sum_u (d_u + 1) d + R + d, and the head's C d + C.
 */
export const lmf: FusionPlugin = defineFusion<LmfOptions>({
  name: "lmf",
  tiny: { rank: 2, width: 5 },
  about: "product of all features by factors of low rank",
  formula: "f_y = sum_r w_r prod_u ([1; f_u] F_u^r) + b;  l = V f_y + c",
  source: "Liu et al., Efficient Low-rank Multimodal Fusion with Modality-Specific Factors, ACL 2018",
  options: {
    rank: {
      type: "integer",
      default: 4,
      min: 1,
      tune: [2, 4, 8, 16],
      about: "number R of factors",
      source: "Liang et al., MultiBench, NeurIPS 2021",
    },
    width: {
      type: "integer",
      default: 128,
      min: 1,
      tune: [64, 128, 256],
      about: "width d of the fused feature",
      source: "chosen here: as concat's; MultiBench has the classes themselves",
    },
    keepFill: keepFillOption,
  },
  create: ({ rank, width, keepFill }, { modalities, classes }) => ({
    needs: {},
    soloMode: "ablate-zero",
    forward(features, keep, scope, means) {
      const pooled = keptFeatures(features, keep, keepFill, means);
      const group = scope.group("fusion");
      const factors = modalities.map((modality) => {
        const x = withOne(at(pooled, modality));
        const size = x.shape[1];
        const factor = group.param(
          `factor/${modality}`,
          [rank, size, width],
          normal(Math.sqrt(2 / (size + width))),
        ) as tf.Tensor3D;
        // One product for all ranks: [B, R d].
        const side = tf.reshape(tf.transpose(factor, [1, 0, 2]), [size, rank * width]) as tf.Tensor2D;
        return tf.matMul(x, side);
      });
      const product = tf.reshape(factors.reduce((all, factor) => tf.mul(all, factor)), [-1, rank, width]);
      const weights = group.param("weight", [1, rank], xavierNormal);
      const mixed = tf.sum(tf.mul(product, tf.reshape(weights, [1, rank, 1])), 1);
      const fused = tf.add(mixed, group.param("bias", [width], zeros)) as tf.Tensor2D;
      const logits = linear(scope.group("head"), fused, { width: classes, kernelInit: xavierNormal }) as tf.Tensor2D;
      return { fused, logits };
    },
  }),
});
