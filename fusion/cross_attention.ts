/**
 * Cross-attention.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { at, byModality } from "../core/modality.ts";
import { defineFusion, type FusionPlugin, keptOfAll } from "../core/kinds/mod.ts";
import { xavierUniform } from "../nn/initializers.ts";
import { linear } from "../nn/linear.ts";
import { layerNorm } from "../nn/normalization.ts";
import { transformerBlock } from "../nn/transformer.ts";
import { headsDivide, joinedParts } from "./shared.ts";
import { layerHeads, layerWidth, presentOf, tokensOf } from "./tokens.ts";

/** Options of `cross-attention`. */
export interface CrossAttentionOptions {
  readonly depth: number;
  readonly width: number;
  readonly heads: number;
  readonly dropout: number;
}

/**
 * Every modality's feature asks the tokens of all others: c_u = P_u f_u + q_u goes through blocks whose keys and values are
 * [c_u; tokens of v, for every v but u]; f_y = [norm(c_1); …; norm(c_m)], l = V f_y + c.
 *
 * That is the fusion of class tokens of CrossViT for any number of modalities. c_u is among its own keys, so that a
 * modality without the others attends to itself. A dropped modality's tokens are not attended to, and its part of f_y is 0.
 *
 * Parameters: n m (12 D^2 + 13 D) + sum_u (2 d_u D + 2 D) + 2 m D + C m D + C, with d_u the width of features and tokens.
 */
export const crossAttention: FusionPlugin = defineFusion<CrossAttentionOptions>({
  name: "cross-attention",
  symmetric: false, // rows of the head stand in sorted order of modalities
  tiny: { depth: 1, width: 8, heads: 2, dropout: 0 },
  about: "each modality's feature attends to the tokens of the others; concatenated",
  formula: `c_u = P_u f_u + q_u;  k_u = [c_u; Q_v tokens_v + r_v, v != u]
    c_u <- c_u + attention(norm(c_u), norm(k_u));  c_u <- c_u + mlp(norm(c_u)), depth times
    f_y = [norm(c_1); ...; norm(c_m)];  l = V f_y + c`,
  source: "Chen, Fan and Panda, CrossViT, ICCV 2021 (fusion of class tokens), for any number of modalities",
  options: {
    depth: {
      type: "integer",
      default: 1,
      min: 1,
      tune: [1, 2],
      about: "number n of blocks of each modality",
      source: "the paper",
    },
    width: layerWidth,
    heads: layerHeads,
    dropout: {
      type: "number",
      default: 0,
      min: 0,
      max: 0.95,
      tune: [0, 0.1, 0.3],
      about: "rate of dropout in the blocks",
      source: "the paper",
    },
  },
  create: ({ depth, width, heads, dropout }, { modalities, classes }) => {
    headsDivide("cross-attention", width, heads);
    return {
      needs: { tokensIfAny: true },
      soloMode: "ablate-zero",
      forward(features, keep, scope) {
        const group = scope.group("fusion");
        const batch = at(features, modalities[0]).pooled.shape[0];
        const always = keptOfAll(keep);
        // Nothing asks tokens that are dropped of all samples, and those of the rest need no mask.
        const asked = (always ?? modalities).map((modality) => {
          const { tokens, present } = tokensOf(at(features, modality));
          const kept = keep === null || always !== null ? null : at(keep, modality);
          return {
            modality,
            tokens: linear(group.in(modality).in("tokens"), tokens, { width, kernelInit: xavierUniform }),
            size: tokens.shape[1],
            present: present === null ? kept : kept === null ? present : tf.mul(present, kept) as tf.Tensor2D,
          };
        });
        const parts = byModality(modalities, (modality) => {
          if (always !== null && !always.includes(modality)) return tf.zeros([batch, width]) as tf.Tensor2D;
          const own = group.in(modality);
          const others = asked.filter((other) => other.modality !== modality);
          const present = presentOf([{ size: 1, present: null }, ...others], batch);
          const feature = linear(own.in("feature"), at(features, modality).pooled, {
            width,
            kernelInit: xavierUniform,
          });
          let x: tf.Tensor = tf.reshape(feature, [batch, 1, width]);
          for (let level = 0; level < depth; level++) {
            x = transformerBlock(
              own.in(`layer${level + 1}`),
              tf.concat([x, ...others.map(({ tokens }) => tokens)], 1),
              {
                heads,
                hidden: 4 * width,
                kernelInit: xavierUniform,
                dropout,
                present,
                rows: { from: 0, size: 1 },
              },
            );
          }
          return layerNorm(own.in("norm"), tf.reshape(x, [batch, width])) as tf.Tensor2D;
        });
        const fused = joinedParts(parts, always === null ? keep : null);
        const logits = linear(scope.group("head"), fused, { width: classes, kernelInit: xavierUniform }) as tf.Tensor2D;
        return { fused, logits };
      },
    };
  },
});
