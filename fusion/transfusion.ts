/**
 * A joint transformer over all modalities' tokens.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { at } from "../core/modality.ts";
import { defineFusion, type FusionPlugin, keptOfAll } from "../core/kinds/mod.ts";
import { xavierUniform } from "../nn/initializers.ts";
import { linear } from "../nn/linear.ts";
import { layerNorm } from "../nn/normalization.ts";
import { alignBlock, transformerBlock } from "../nn/transformer.ts";
import { headsDivide } from "./shared.ts";
import { firstOf, layerHeads, layerWidth, presentOf, repeated, tokenInit, tokensOf } from "./tokens.ts";

/** Options of `transfusion`. */
export interface TransfusionOptions {
  readonly depth: number;
  readonly width: number;
  readonly heads: number;
  readonly dropout: number;
}

/**
 * Our declared reading of "TransFusion": one transformer over [class; t_1; …; t_m], t_u = P_u tokens_u + q_u + e_u +
 * positions, pre-norm blocks; f_y = norm(class), l = V f_y + c.
 *
 * What the ARM paper cites by that name (Imfeld et al., ICLR 2024) merges two trained networks and takes no multimodal
 * input; that is `armlab merge`. Tokens are the encoder's where it gives them, else its pooled feature is the only one.
 * A dropped modality's tokens are not attended to; with all dropped the class token is alone.
 *
 * Parameters, with T_u tokens of width d_u: n (12 D^2 + 13 D) + sum_u (d_u D + D + T_u D) + D + m D + 2 D + C D + C.
 */
export const transfusion: FusionPlugin = defineFusion<TransfusionOptions>({
  name: "transfusion",
  tiny: { depth: 2, width: 8, heads: 2, dropout: 0 },
  about: "one transformer over the tokens of all modalities and a class token; our reading of the name",
  formula: `t_u = P_u tokens_u + q_u + e_u + positions;  x = [class; t_1; ...; t_m]
    x <- x + attention(norm(x));  x <- x + mlp(norm(x)), depth times;  f_y = norm(x_class);  l = V f_y + c`,
  source: "chosen here: the work that the ARM paper cites (Imfeld et al., ICLR 2024) fuses networks, not modalities",
  options: {
    depth: {
      type: "integer",
      default: 2,
      min: 1,
      tune: [1, 2, 4],
      about: "number n of blocks",
      source: "chosen here",
    },
    width: layerWidth,
    heads: layerHeads,
    dropout: {
      type: "number",
      default: 0.1,
      min: 0,
      max: 0.95,
      tune: [0, 0.1, 0.3],
      about: "rate of dropout in the blocks",
      source: "Vaswani et al., NeurIPS 2017",
    },
  },
  create: ({ depth, width, heads, dropout }, { modalities, classes }) => {
    headsDivide("transfusion", width, heads);
    return {
      needs: { tokensIfAny: true },
      soloMode: "ablate-zero",
      align(alignment, features) {
        const each = (name: string) => modalities.map((modality) => `fusion/${modality}/${name}`);
        // One stream carries the tokens of all, so that they are aligned together.
        const [embedded] = alignment.layer({
          inputs: modalities.map((modality) => [`fusion/${modality}/embed/kernel`, at(features, modality)]),
        });
        alignment.follow(each("embed/bias"), embedded);
        const placed = alignment.columns([...each("positions"), ...each("modality")]);
        const start = alignment.average(embedded, placed);
        alignment.follow(["fusion/class", ...each("positions"), ...each("modality")], start);
        let stream = start;
        for (let level = 0; level < depth; level++) stream = alignBlock(alignment, `fusion/layer${level + 1}`, stream);
        alignment.follow(["fusion/norm/scale", "fusion/norm/shift"], stream);
        alignment.layer({ inputs: [["head/kernel", stream]], bias: "head/bias", fixed: true });
      },
      forward(features, keep, scope) {
        const group = scope.group("fusion");
        const batch = at(features, modalities[0]).pooled.shape[0];
        const always = keptOfAll(keep);
        // What is dropped of all samples is attended to by none: it has no tokens, and those of the rest need no mask.
        const parts = (always ?? modalities).map((modality) => {
          const { tokens, present } = tokensOf(at(features, modality));
          const own = group.in(modality);
          const size = tokens.shape[1];
          const mapped = linear(own.in("embed"), tokens, { width, kernelInit: xavierUniform });
          const name = own.param("modality", [1, width], tokenInit);
          const places = tf.add(own.param("positions", [size, width], tokenInit), name);
          const kept = keep === null || always !== null ? null : at(keep, modality);
          return {
            tokens: tf.add(mapped, tf.expandDims(places, 0)),
            size,
            present: present === null ? kept : kept === null ? present : tf.mul(present, kept) as tf.Tensor2D,
          };
        });
        // The class token alone is the same in all rows, but for dropout.
        const rows = parts.length === 0 && scope.mode === "eval" ? 1 : batch;
        const classToken = repeated(group.param("class", [1, width], tokenInit), rows);
        const present = presentOf([{ size: 1, present: null }, ...parts], rows);
        let x: tf.Tensor = tf.concat([classToken, ...parts.map(({ tokens }) => tokens)], 1);
        for (let level = 0; level < depth; level++) {
          // Of the last block only the class token is read.
          const wanted = level === depth - 1 ? { from: 0, size: 1 } : undefined;
          x = transformerBlock(group.in(`layer${level + 1}`), x, {
            heads,
            hidden: 4 * width,
            kernelInit: xavierUniform,
            dropout,
            present,
            rows: wanted,
          });
        }
        const read = layerNorm(group.in("norm"), tf.reshape(firstOf(x, 1), [rows, width])) as tf.Tensor2D;
        const fused = rows === batch ? read : tf.tile(read, [batch, 1]);
        const logits = linear(scope.group("head"), fused, { width: classes, kernelInit: xavierUniform }) as tf.Tensor2D;
        return { fused, logits };
      },
    };
  },
});
