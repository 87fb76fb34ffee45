/**
 * Transformer over sequences of vectors.
 *
 * @module
 */
import { defineEncoder, type EncoderPlugin } from "../core/kinds/mod.ts";
import { linear, tokenTransformer, xavierUniform } from "../nn/mod.ts";

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
  create: (options, { shape: [, inner] }) =>
    tokenTransformer({
      ...options,
      epsilon: 1e-5,
      tokens: (x, scope) => linear(scope.in("embed"), x, { width: options.width, kernelInit: xavierUniform }),
      alignTokens: (alignment, group) =>
        alignment.layer({
          inputs: [[`${group}/embed/kernel`, alignment.identity(inner)]],
          bias: `${group}/embed/bias`,
        })[0],
    }),
});
