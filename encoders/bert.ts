/**
 * BERT-style transformer over token ids.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { defineEncoder, type EncoderPlugin, type Stage, type TokenLayer } from "../core/kinds/mod.ts";
import type { Scope } from "../core/scope.ts";
import { attend, dropout, embedding, feedForward, layerNorm, linear, truncatedNormal } from "../nn/mod.ts";

/** Options of `bert`. */
export interface BertOptions {
  readonly vocabulary: number;
  readonly positions: number;
  readonly width: number;
  readonly depth: number;
  readonly heads: number;
  readonly hidden: number;
  readonly pooling: "pooler" | "cls" | "mean";
  readonly padding: number;
  readonly dropout: number;
}

/** Of the layer norms, as in the released code. */
const EPSILON = 1e-12;
const kernelInit = truncatedNormal(0.02);

/** 1 where there is a token, 0 for padding: [B, T]. */
function presence(ids: tf.Tensor, padding: number): tf.Tensor2D {
  return tf.cast(tf.notEqual(ids, tf.scalar(padding, "int32")), "float32");
}

/** norm(x + attention(x)), then norm(x + mlp(x)); padding is left at 0. */
function layer(scope: Scope, x: tf.Tensor, present: tf.Tensor2D, options: BertOptions): tf.Tensor {
  const { heads, hidden, dropout: rate } = options;
  const width = x.shape[2] as number;
  const self = scope.in("attention").in("self");
  const [q, k, v] = ["query", "key", "value"].map((name) => linear(self.in(name), x, { width, kernelInit }));
  const attended = scope.in("attention").in("output");
  const seen = linear(attended.in("dense"), attend(self, q, k, v, { heads, present, dropout: rate }), {
    width,
    kernelInit,
  });
  const y = layerNorm(attended.in("LayerNorm"), tf.add(x, dropout(attended, seen, rate)), { epsilon: EPSILON });
  const output = scope.in("output");
  const thought = feedForward(scope.in("intermediate").in("dense"), output.in("dense"), y, { hidden, kernelInit });
  const z = layerNorm(output.in("LayerNorm"), tf.add(y, dropout(output, thought, rate)), { epsilon: EPSILON });
  return tf.mul(z, tf.expandDims(present, 2));
}

/**
 * BERT: embeddings of tokens, learned positions and one segment, post-norm layers with a padding mask.
 *
 * Every layer is a stage; the embeddings belong to the first. Tokens of padding are neither attended to nor passed on
 * (they are 0), so that what lies in the padding never reaches the feature. Parameters are named as in Hugging Face's
 * `BertModel`. BERT-tiny of the literature is width 128, depth 2, heads 2, hidden 512, and BERT-base 768, 12, 12, 3072,
 * both with 30522 ids and 512 positions.
 */
export const bert: EncoderPlugin = defineEncoder<BertOptions>({
  name: "bert",
  tiny: { width: 8, depth: 2, heads: 2, hidden: 12 },
  about: "BERT-style transformer over token ids with padding; gives tokens",
  formula: `t = norm(E_id + E_position + E_segment);  t <- norm(t + attention(t));  t <- norm(t + mlp(t)), depth times
    f = tanh(W t_1 + b) (pooler), t_1 (cls), or the mean over the tokens that there are`,
  source: "Devlin et al., BERT, NAACL 2019",
  options: {
    vocabulary: {
      type: "integer",
      default: 0,
      min: 0,
      about: "number of ids; 0 takes the dataset's",
      source: "the dataset says how many ids it uses",
    },
    positions: {
      type: "integer",
      default: 0,
      min: 0,
      about: "length of the position table; 0 is the input's length",
      source: "the input says how long it is",
    },
    width: {
      type: "integer",
      default: 128,
      min: 1,
      tune: [64, 128, 256],
      about: "width of tokens and feature; a multiple of heads",
      source: "BERT-tiny (Turc et al., 2019)",
    },
    depth: {
      type: "integer",
      default: 2,
      min: 1,
      tune: [2, 4, 6],
      about: "number of layers, each a stage",
      source: "BERT-tiny (Turc et al., 2019)",
    },
    heads: {
      type: "integer",
      default: 2,
      min: 1,
      about: "heads of attention",
      tune: [2, 4],
      source: "BERT-tiny (Turc et al., 2019)",
    },
    hidden: {
      type: "integer",
      default: 512,
      min: 1,
      about: "hidden width of a layer's MLP",
      tune: [256, 512],
      source: "BERT-tiny (Turc et al., 2019): four times the width",
    },
    pooling: {
      type: "choice",
      choices: ["pooler", "cls", "mean"],
      default: "pooler",
      about: "tanh layer on the first token, the first token, or the mean of the tokens that there are",
      source: "the paper's pooler",
    },
    padding: {
      type: "integer",
      default: 0,
      min: 0,
      about: "the id that is no token",
      source: "the published vocabularies' [PAD]",
    },
    dropout: {
      type: "number",
      default: 0.1,
      min: 0,
      max: 0.95,
      about: "dropout rate",
      source: "the paper",
      tune: [0, 0.1, 0.3],
    },
  },
  refuses: ({ shape, dtype, vocabulary: given }, { vocabulary, positions, width, heads }) => {
    if (dtype !== "int32" || shape.length !== 1) return "it needs [length] of token ids";
    if (vocabulary === 0 && given === undefined) {
      return "it needs the number of ids, which the dataset does not say: set vocabulary";
    }
    if (given !== undefined && vocabulary !== 0 && vocabulary < given) {
      return `its vocabulary of ${vocabulary} must hold the dataset's ${given} ids`;
    }
    if (positions !== 0 && positions < shape[0]) return `its ${positions} positions must hold ${shape[0]} tokens`;
    if (width % heads !== 0) return `its ${heads} heads must divide its width of ${width}`;
    return null;
  },
  create: (options, { shape, vocabulary: given = 0 }) => {
    const { positions, width, depth, pooling, padding, dropout: rate } = options;
    const ids = options.vocabulary === 0 ? given : options.vocabulary;
    const embed = (x: tf.Tensor, scope: Scope): tf.Tensor3D => {
      const embeddings = scope.in("embeddings");
      const table = (name: string, size: number, indices: tf.Tensor) =>
        embedding(embeddings.in(name), indices, { size, width, init: kernelInit });
      const places = table(
        "position_embeddings",
        positions === 0 ? shape[0] : positions,
        tf.range(0, shape[0], 1, "int32"),
      );
      const segment = table("token_type_embeddings", 2, tf.zeros([1], "int32"));
      const sum = tf.add(tf.add(table("word_embeddings", ids, x), places), segment);
      const normed = layerNorm(embeddings.in("LayerNorm"), sum, { epsilon: EPSILON });
      return dropout(embeddings, normed, rate) as tf.Tensor3D;
    };
    const layers = Array.from(
      { length: depth },
      (_, index): TokenLayer => (tokens, scope, present) =>
        layer(scope.in("encoder").in("layer").in(String(index)), tokens, present!, options) as tf.Tensor3D,
    );
    return {
      tokens: true,
      stages: layers.map((own, index): Stage => (x, scope, input) =>
        own(index === 0 ? embed(x, scope) : x as tf.Tensor3D, scope, presence(input, padding))
      ),
      transformer: {
        embed,
        layers,
        present: (input) => presence(input, padding),
        // The raw first token: heads of prompts and bottlenecks read it without the pooler.
        read: (tokens) => first(tokens),
      },
      head(map, scope, input) {
        const tokenMask = presence(input, padding);
        const tokens = map as tf.Tensor3D;
        return { pooled: pool(tokens, tokenMask, scope), tokens, tokenMask };
      },
    };
    function pool(tokens: tf.Tensor3D, present: tf.Tensor2D, scope: Scope): tf.Tensor2D {
      if (pooling === "mean") {
        const count = tf.maximum(tf.sum(present, 1, true), 1);
        return tf.div(tf.sum(tokens, 1), count);
      }
      if (pooling === "cls") return first(tokens);
      return tf.tanh(linear(scope.in("pooler").in("dense"), first(tokens), { width, kernelInit })) as tf.Tensor2D;
    }
    function first(tokens: tf.Tensor3D): tf.Tensor2D {
      return tf.reshape(tf.slice(tokens, [0, 0, 0], [-1, 1, -1]), [-1, width]);
    }
  },
});
