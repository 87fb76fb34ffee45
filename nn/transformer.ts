/**
 * The pre-norm block of transformers.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { Alignment, Encoder, Stage, TokenLayer, Transport } from "../core/kinds/mod.ts";
import type { Initializer, Scope } from "../core/scope.ts";
import { attend, feedForward } from "./attention.ts";
import { linear } from "./linear.ts";
import { truncatedNormal, xavierUniform, zeros } from "./initializers.ts";
import { dropout, layerNorm } from "./normalization.ts";

/** Options of `transformerBlock`. */
export interface TransformerBlockOptions {
  /** Heads of attention; must divide the width. */
  readonly heads: number;
  /** Hidden width of the MLP. */
  readonly hidden: number;
  /** Start of all kernels; biases start at 0. */
  readonly kernelInit: Initializer;
  /** Of the layer norms. @default {1e-5} */
  readonly epsilon?: number;
  /** Rate of dropout on what is added to the stream. @default {0} */
  readonly dropout?: number;
  /** Which tokens may be attended to: 1, or 0 for those that may not, [B, T]. @default all */
  readonly present?: tf.Tensor2D | null;
  /** The tokens whose output is wanted; the others are attended to only. @default all */
  readonly rows?: { readonly from: number; readonly size: number };
}

/**
 * x + attention(norm(x)), then x + mlp(norm(x)).
 *
 * Parameters are named as in timm's blocks: `norm1`, `attn/qkv`, `attn/proj`, `norm2`, `mlp/fc1`, `mlp/fc2`; with a hidden
 * width of 4 D they are 12 D^2 + 13 D numbers.
 *
 * @param x Float32 [B, T, D].
 * @returns Float32 [B, T, D], or [B, rows.size, D].
 */
export function transformerBlock(scope: Scope, x: tf.Tensor, options: TransformerBlockOptions): tf.Tensor {
  const { heads, hidden, kernelInit, epsilon = 1e-5, dropout: rate = 0, present = null, rows } = options;
  const width = x.shape[2] as number;
  const wanted = (tokens: tf.Tensor) =>
    rows === undefined ? tokens : tf.slice(tokens, [0, rows.from, 0], [-1, rows.size, -1]);
  const attention = scope.in("attn");
  const normed = layerNorm(scope.in("norm1"), x, { epsilon });
  const qkv = linear(attention.in("qkv"), normed, { width: 3 * width, kernelInit });
  const [q, k, v] = tf.split(qkv, 3, 2);
  const seen = linear(attention.in("proj"), attend(attention, wanted(q), k, v, { heads, present }), {
    width,
    kernelInit,
  });
  const y = tf.add(wanted(x), dropout(attention.in("proj"), seen, rate));
  const mlp = scope.in("mlp");
  const thought = feedForward(mlp.in("fc1"), mlp.in("fc2"), layerNorm(scope.in("norm2"), y, { epsilon }), {
    hidden,
    kernelInit,
  });
  return tf.add(y, dropout(mlp, thought, rate));
}

/**
 * Aligns a block of two trained copies: queries, keys and values each by themselves, over all heads together, of which only
 * the values' transport goes on; what is added to the stream is averaged with it.
 *
 * @param path Full name of the block's scope.
 * @param stream The transport of the tokens that enter.
 * @returns That of the tokens that leave.
 */
export function alignBlock(alignment: Alignment, path: string, stream: Transport): Transport {
  const layer = (name: string, incoming: Transport, parts = 1) =>
    alignment.layer({ inputs: [[`${path}/${name}/kernel`, incoming]], bias: `${path}/${name}/bias`, parts });
  const norm = (name: string, transport: Transport) =>
    alignment.follow([`${path}/${name}/scale`, `${path}/${name}/shift`], transport);
  norm("norm1", stream);
  const [, , values] = layer("attn/qkv", stream, 3);
  const [seen] = layer("attn/proj", values);
  const middle = alignment.average(stream, seen);
  norm("norm2", middle);
  const [hidden] = layer("mlp/fc1", middle);
  const [thought] = layer("mlp/fc2", hidden);
  return alignment.average(middle, thought);
}

/** What pre-norm transformers differ in. */
export interface TokenTransformerOptions {
  readonly width: number;
  readonly depth: number;
  readonly heads: number;
  /** Hidden width of a block's MLP, as a multiple of the width. */
  readonly mlpRatio: number;
  readonly pooling: "cls" | "mean";
  readonly dropout: number;
  /** Of the layer norms. */
  readonly epsilon: number;
  /** Whether inputs are films [B, T, ...] whose frames go one by one. @default {false} */
  readonly frames?: boolean;
  /** Tokens of an input [B, T, width], before the class token and positions. */
  tokens(x: tf.Tensor, scope: Scope): tf.Tensor;
  /** Aligns the parameters of `tokens` of two trained copies. */
  alignTokens(alignment: Alignment, group: string): Transport;
}

/**
 * An encoder of tokens behind a class token (none where the mean of all tokens is the feature), with learned positions,
 * pre-norm blocks, each a stage, and one last norm. Parameters are named as in timm: `cls_token`, `pos_embed`, `blocks/0`,
 * `norm`.
 *
 * Where frames go one by one, tokens attend within their frame, embedding is a stage before the blocks, whose maps are
 * [B, frames, tokens, width], the feature is the mean of the frames' features, and its tokens are those of all frames.
 * Other tokens beside those of one frame would belong to no film, so that fusions cannot run its layers.
 */
export function tokenTransformer(options: TokenTransformerOptions): Encoder {
  const { width, depth, heads, mlpRatio, pooling, dropout: rate, epsilon } = options;
  const embed = (x: tf.Tensor, scope: Scope): tf.Tensor3D => {
    let tokens = options.tokens(x, scope);
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
        epsilon,
        dropout: rate,
        present,
      }) as tf.Tensor3D,
  );
  const head = (map: tf.Tensor, scope: Scope) => {
    const tokens = layerNorm(scope.in("norm"), map, { epsilon }) as tf.Tensor3D;
    const pooled = pooling === "mean"
      ? tf.mean(tokens, 1)
      : tf.reshape(tf.slice(tokens, [0, 0, 0], [-1, 1, -1]), [-1, width]);
    return { pooled: pooled as tf.Tensor2D, tokens };
  };
  const align: Encoder["align"] = (alignment, group) => {
    const positions = `${group}/pos_embed`;
    const start = alignment.average(options.alignTokens(alignment, group), alignment.columns([positions]));
    alignment.follow([positions, ...pooling === "cls" ? [`${group}/cls_token`] : []], start);
    const end = layers.reduce((stream, _, index) => alignBlock(alignment, `${group}/blocks/${index}`, stream), start);
    alignment.follow([`${group}/norm/scale`, `${group}/norm/shift`], end);
    return end;
  };
  if (options.frames === true) {
    return {
      tokens: true,
      stages: [
        (x, scope) => eachFrame(x, (frames) => embed(frames, scope)),
        ...layers.map((layer): Stage => (map, scope) =>
          eachFrame(map, (tokens) => layer(tokens as tf.Tensor3D, scope, null))
        ),
      ],
      head(map, scope) {
        const [batch, frames, size] = map.shape as number[];
        const own = head(tf.reshape(map, [batch * frames, size, width]), scope);
        return {
          pooled: tf.mean(tf.reshape(own.pooled, [batch, frames, width]), 1) as tf.Tensor2D,
          tokens: tf.reshape(own.tokens, [batch, frames * size, width]),
        };
      },
      align,
    };
  }
  return {
    tokens: true,
    stages: layers.map((layer, index): Stage => (x, scope) =>
      layer(index === 0 ? embed(x, scope) : x as tf.Tensor3D, scope, null)
    ),
    transformer: { embed, layers, present: () => null, read: (tokens, scope) => head(tokens, scope).pooled },
    head,
    align,
  };
}

/** Applies a map of rows to every frame of films [B, T, ...], as rows of their own. */
function eachFrame(films: tf.Tensor, apply: (rows: tf.Tensor) => tf.Tensor): tf.Tensor {
  const [batch, frames, ...rest] = films.shape as number[];
  const rows = apply(tf.reshape(films, [batch * frames, ...rest]));
  return tf.reshape(rows, [batch, frames, ...rows.shape.slice(1)]);
}
