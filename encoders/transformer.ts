/**
 * Transformer over sequences of vectors.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { defineEncoder, type EncoderPlugin, type Stage, type TokenLayer } from "../core/kinds/mod.ts";
import type { Scope } from "../core/scope.ts";
import {
  alignBlock,
  dropout,
  layerNorm,
  linear,
  transformerBlock,
  truncatedNormal,
  xavierUniform,
  zeros,
} from "../nn/mod.ts";

/** Options of `transformer`. */
export interface TransformerOptions {
  readonly width: number;
  readonly depth: number;
  readonly heads: number;
  readonly mlpRatio: number;
  readonly pooling: "cls" | "mean";
  readonly dropout: number;
}

/**
 * Steps of a sequence [T, d] as tokens: an affine map of each, learned positions, pre-norm blocks, one last norm.
 *
 * Every block is a stage; the map and positions belong to the first. The feature is the class token, or the mean of all
 * tokens (there is no class token then). Every step counts: sequences have no padding here.
 */
export const transformer: EncoderPlugin = defineEncoder<TransformerOptions>({
  name: "transformer",
  tiny: { width: 8, depth: 2, heads: 2 },
  about: "transformer over [steps, width] sequences of numbers; gives tokens",
  formula: `t = [cls; W x + b] + positions;  t <- t + attention(norm(t));  t <- t + mlp(norm(t)), depth times
    f = norm(t)_cls, or the mean of norm(t)`,
  source: "Vaswani et al., NeurIPS 2017, with the pre-norm blocks and class token of Dosovitskiy et al., ICLR 2021",
  options: {
    width: {
      type: "integer",
      default: 64,
      min: 1,
      tune: [64, 128],
      about: "width of tokens and feature; a multiple of heads",
      source: "chosen here: as vit",
    },
    depth: {
      type: "integer",
      default: 2,
      min: 1,
      tune: [2, 4],
      about: "number of blocks, each a stage",
      source: "chosen here for short sequences",
    },
    heads: {
      type: "integer",
      default: 4,
      min: 1,
      tune: [2, 4],
      about: "heads of attention",
      source: "chosen here: as vit",
    },
    mlpRatio: {
      type: "number",
      default: 4,
      min: 0.1,
      tune: [2, 4],
      about: "hidden width of a block's MLP, as a multiple of the width",
      source: "the paper",
    },
    pooling: {
      type: "choice",
      choices: ["cls", "mean"],
      default: "cls",
      about: "class token, or mean of all tokens",
      source: "chosen here: as vit",
    },
    dropout: {
      type: "number",
      default: 0,
      min: 0,
      max: 0.95,
      tune: [0, 0.1],
      about: "dropout rate",
      source: "chosen here: as vit",
    },
  },
  refuses: ({ shape, dtype }, { width, heads }) => {
    if (dtype !== "float32" || shape.length !== 2) return "it needs [steps, width] of numbers";
    if (width % heads !== 0) return `its ${heads} heads must divide its width of ${width}`;
    return null;
  },
  create: ({ width, depth, heads, mlpRatio, pooling, dropout: rate }, { shape: [, inner] }) => {
    const embed = (x: tf.Tensor, scope: Scope): tf.Tensor3D => {
      let tokens = linear(scope.in("embed"), x, { width, kernelInit: xavierUniform });
      if (pooling === "cls") {
        const cls = tf.tile(scope.param("cls_token", [1, 1, width], zeros) as tf.Tensor3D, [x.shape[0], 1, 1]);
        tokens = tf.concat([cls, tokens], 1);
      }
      const positions = scope.param("pos_embed", [1, tokens.shape[1]!, width], truncatedNormal(0.02));
      return dropout(scope.in("pos_drop"), tf.add(tokens, positions), rate) as tf.Tensor3D;
    };
    const layers = Array.from(
      { length: depth },
      (_, index): TokenLayer => (tokens, scope, present) =>
        transformerBlock(scope.in("blocks").in(String(index)), tokens, {
          heads,
          hidden: Math.round(mlpRatio * width),
          kernelInit: xavierUniform,
          dropout: rate,
          present,
        }) as tf.Tensor3D,
    );
    const head = (map: tf.Tensor, scope: Scope) => {
      const tokens = layerNorm(scope.in("norm"), map) as tf.Tensor3D;
      const pooled = pooling === "mean"
        ? tf.mean(tokens, 1)
        : tf.reshape(tf.slice(tokens, [0, 0, 0], [-1, 1, -1]), [-1, width]);
      return { pooled: pooled as tf.Tensor2D, tokens };
    };
    return {
      tokens: true,
      stages: layers.map((layer, index): Stage => (x, scope) =>
        layer(index === 0 ? embed(x, scope) : x as tf.Tensor3D, scope, null)
      ),
      transformer: { embed, layers, present: () => null, read: (tokens, scope) => head(tokens, scope).pooled },
      head,
      align(alignment, group) {
        const [stepwise] = alignment.layer({
          inputs: [[`${group}/embed/kernel`, alignment.identity(inner)]],
          bias: `${group}/embed/bias`,
        });
        const positions = `${group}/pos_embed`;
        const start = alignment.average(stepwise, alignment.columns([positions]));
        alignment.follow([positions, ...pooling === "cls" ? [`${group}/cls_token`] : []], start);
        const end = layers.reduce(
          (stream, _, index) => alignBlock(alignment, `${group}/blocks/${index}`, stream),
          start,
        );
        alignment.follow([`${group}/norm/scale`, `${group}/norm/shift`], end);
        return end;
      },
    };
  },
});
