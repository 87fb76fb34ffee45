/**
 * BERT-style transformer over token ids.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { defineEncoder, type Encoder, type EncoderPlugin, type Stage, type TokenLayer } from "../core/kinds/mod.ts";
import type { SpecsFor } from "../core/options.ts";
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

/** Where a release keeps what, within a layer and around them. */
interface Places {
  readonly layers: string;
  readonly query: string;
  readonly key: string;
  readonly value: string;
  readonly attended: string;
  readonly attendedNorm: string;
  readonly inner: string;
  readonly outer: string;
  readonly outerNorm: string;
  /** Where noise of dropout is drawn: of attention's weights, of what is attended to, of the MLP. */
  readonly noise: readonly [string, string, string];
  /** Whether there is a table of segments, and a pooler. */
  readonly segments: boolean;
}

const bertPlaces: Places = {
  layers: "encoder/layer",
  query: "attention/self/query",
  key: "attention/self/key",
  value: "attention/self/value",
  attended: "attention/output/dense",
  attendedNorm: "attention/output/LayerNorm",
  inner: "intermediate/dense",
  outer: "output/dense",
  outerNorm: "output/LayerNorm",
  noise: ["attention/self", "attention/output", "output"],
  segments: true,
};

const distilbertPlaces: Places = {
  layers: "transformer/layer",
  query: "attention/q_lin",
  key: "attention/k_lin",
  value: "attention/v_lin",
  attended: "attention/out_lin",
  attendedNorm: "sa_layer_norm",
  inner: "ffn/lin1",
  outer: "ffn/lin2",
  outerNorm: "output_layer_norm",
  noise: ["attention", "attention/out", "ffn"],
  segments: false,
};

/** norm(x + attention(x)), then norm(x + mlp(x)); padding is left at 0. */
function layer(scope: Scope, x: tf.Tensor, present: tf.Tensor2D, options: BertOptions, places: Places): tf.Tensor {
  const { heads, hidden, dropout: rate } = options;
  const width = x.shape[2] as number;
  const [weights, attended, mlp] = places.noise.map((path) => scope.in(path));
  const [q, k, v] = [places.query, places.key, places.value].map((path) =>
    linear(scope.in(path), x, { width, kernelInit })
  );
  const seen = linear(scope.in(places.attended), attend(weights, q, k, v, { heads, present, dropout: rate }), {
    width,
    kernelInit,
  });
  const y = layerNorm(scope.in(places.attendedNorm), tf.add(x, dropout(attended, seen, rate)), { epsilon: EPSILON });
  const thought = feedForward(scope.in(places.inner), scope.in(places.outer), y, { hidden, kernelInit });
  const z = layerNorm(scope.in(places.outerNorm), tf.add(y, dropout(mlp, thought, rate)), { epsilon: EPSILON });
  return tf.mul(z, tf.expandDims(present, 2));
}

/** Its options, with a size's defaults and where they come from. */
function optionsOf({ segments }: Places, sizes: Sizes, source: string): SpecsFor<BertOptions> {
  return {
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
      default: sizes.width,
      min: 1,
      tune: [64, 128, 256],
      about: "width of tokens and feature; a multiple of heads",
      source,
    },
    depth: {
      type: "integer",
      default: sizes.depth,
      min: 1,
      tune: [2, 4, 6],
      about: "number of layers, each a stage",
      source,
    },
    heads: {
      type: "integer",
      default: sizes.heads,
      min: 1,
      about: "heads of attention",
      tune: [2, 4],
      source,
    },
    hidden: {
      type: "integer",
      default: sizes.hidden,
      min: 1,
      about: "hidden width of a layer's MLP",
      tune: [256, 512],
      source,
    },
    pooling: {
      type: "choice",
      choices: ["pooler", "cls", "mean"],
      default: segments ? "pooler" : "cls",
      about: "tanh layer on the first token, the first token, or the mean of the tokens that there are",
      source: segments ? "the paper's pooler" : "the release has no pooler",
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
  };
}

/**
 * BERT: embeddings of tokens, learned positions and one segment, post-norm layers with a padding mask.
 *
 * Every layer is a stage; the embeddings belong to the first. Tokens of padding are neither attended to nor passed on
 * (they are 0), so that what lies in the padding never reaches the feature. Parameters are named as in Hugging Face's
 * `BertModel`, or `DistilBertModel`.
 */
function textTransformer(name: string, about: string, places: Places, sizes: Sizes, source: string): EncoderPlugin {
  return defineEncoder<BertOptions>({
    name,
    tiny: { width: 8, depth: 2, heads: 2, hidden: 12 },
    about,
    formula: `t = norm(E_id + E_position${
      places.segments ? " + E_segment" : ""
    });  t <- norm(t + attention(t));  t <- norm(t + mlp(t)), depth times
    f = tanh(W t_1 + b) (pooler), t_1 (cls), or the mean over the tokens that there are`,
    source: places.segments ? "Devlin et al., BERT, NAACL 2019" : "Sanh et al., DistilBERT, 2019",
    options: optionsOf(places, sizes, source),
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
      const ids = options.vocabulary === 0 ? given : options.vocabulary;
      return encoderOf({ ...options, vocabulary: ids }, shape[0], places);
    },
  });
}

/** The encoder of inputs of so many tokens. @param options With the number of ids that there are. */
function encoderOf(options: BertOptions, length: number, places: Places): Encoder {
  const { vocabulary, positions, width, depth, pooling, padding, dropout: rate } = options;
  const embed = (x: tf.Tensor, scope: Scope): tf.Tensor3D => {
    const embeddings = scope.in("embeddings");
    const table = (name: string, size: number, indices: tf.Tensor) =>
      embedding(embeddings.in(name), indices, { size, width, init: kernelInit });
    const positioned = table(
      "position_embeddings",
      positions === 0 ? length : positions,
      tf.range(0, length, 1, "int32"),
    );
    const placed = tf.add(table("word_embeddings", vocabulary, x), positioned);
    const sum = places.segments ? tf.add(placed, table("token_type_embeddings", 2, tf.zeros([1], "int32"))) : placed;
    const normed = layerNorm(embeddings.in("LayerNorm"), sum, { epsilon: EPSILON });
    return dropout(embeddings, normed, rate) as tf.Tensor3D;
  };
  const layers = Array.from(
    { length: depth },
    (_, index): TokenLayer => (tokens, scope, present) =>
      layer(scope.in(places.layers).in(String(index)), tokens, present!, options, places) as tf.Tensor3D,
  );
  const first = (tokens: tf.Tensor3D): tf.Tensor2D => tf.reshape(tf.slice(tokens, [0, 0, 0], [-1, 1, -1]), [-1, width]);
  const pool = (tokens: tf.Tensor3D, present: tf.Tensor2D, scope: Scope): tf.Tensor2D => {
    if (pooling === "mean") {
      const count = tf.maximum(tf.sum(present, 1, true), 1);
      return tf.div(tf.sum(tokens, 1), count);
    }
    if (pooling === "cls") return first(tokens);
    return tf.tanh(linear(scope.in("pooler").in("dense"), first(tokens), { width, kernelInit })) as tf.Tensor2D;
  };
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
}

/** What the sizes of the literature differ in. */
interface Sizes {
  readonly width: number;
  readonly depth: number;
  readonly heads: number;
  readonly hidden: number;
}

const base: Sizes = { width: 768, depth: 12, heads: 12, hidden: 3072 };

/** BERT of the size of BERT-tiny. */
export const bert: EncoderPlugin = textTransformer(
  "bert",
  "BERT-style transformer over token ids with padding; gives tokens",
  bertPlaces,
  { width: 128, depth: 2, heads: 2, hidden: 512 },
  "BERT-tiny (Turc et al., 2019)",
);
/** BERT-base: 30522 ids and 512 positions in its released weights. */
export const bertBase: EncoderPlugin = textTransformer(
  "bert-base",
  "BERT-base, for Hugging Face's weights; gives tokens",
  bertPlaces,
  base,
  "the paper",
);
/** DistilBERT: six layers of BERT-base, no segments, no pooler. */
export const distilbert: EncoderPlugin = textTransformer(
  "distilbert",
  "DistilBERT, for Hugging Face's weights; gives tokens",
  distilbertPlaces,
  { ...base, depth: 6 },
  "the paper",
);
