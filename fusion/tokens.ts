/**
 * What fusions by attention share: a modality's tokens, and its layers over them.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { ChoiceOption, NumberOption } from "../core/options.ts";
import { at, type ByModality, byModality, mapByModality } from "../core/modality.ts";
import type { Features, Fusion, Keep, ModelContext } from "../core/kinds/mod.ts";
import type { Scope } from "../core/scope.ts";
import { normal, xavierUniform } from "../nn/initializers.ts";
import { linear } from "../nn/linear.ts";
import { layerNorm } from "../nn/normalization.ts";
import { transformerBlock } from "../nn/transformer.ts";
import { averagedHeads, headsDivide, joinedParts } from "./shared.ts";

/**
 * Start of prompts, class tokens and positions. Kernels of layers start by Xavier's rule, as in `vit`: the papers' N(0, 0.02)
 * belongs to widths of 512 and more, and at 128 leaves a model at chance for epochs of SGD.
 */
export const tokenInit = normal(0.02);

/** The option `width` of fusions with layers of their own. */
export const layerWidth: NumberOption = {
  type: "integer",
  default: 128,
  min: 1,
  tune: [64, 128, 256],
  about: "width D of tokens in the fusion's own layers; a multiple of heads",
  source: "chosen here for small encoders; the papers have 512 or 768",
};

/** The option `heads` of fusions with layers of their own. */
export const layerHeads: NumberOption = {
  type: "integer",
  default: 4,
  min: 1,
  tune: [2, 4, 8],
  about: "heads of attention in the fusion's own layers",
  source: "chosen here: 32 numbers a head at the default width",
};

/** Whose layers a fusion puts its tokens into. */
export type LayersOf = "own" | "encoder";

/** The option `layers`. */
export const layersOption: ChoiceOption<LayersOf> = {
  type: "choice",
  choices: ["own", "encoder"],
  default: "own",
  about: "small layers of its own behind any encoder, or the deepest layers of transformer encoders themselves",
  source: "chosen here: own works with every encoder; the paper's are the encoders', pretrained",
};

/** A modality's tokens. */
export interface Tokens {
  /** [B, T, d]. */
  readonly tokens: tf.Tensor3D;
  /** 1 where there is a token, 0 for padding, [B, T]; `null` for all. */
  readonly present: tf.Tensor2D | null;
}

/**
 * A modality's tokens: those that its encoder gives, else the places of its last map if the fusion asked for one, else its
 * pooled feature as the only token.
 */
export function tokensOf({ pooled, tokens, tokenMask, stages }: Features): Tokens {
  if (tokens !== undefined) return { tokens, present: tokenMask ?? null };
  const map = stages?.[stages.length - 1] ?? pooled;
  const [batch, ...rest] = map.shape;
  const width = rest[rest.length - 1];
  return { tokens: tf.reshape(map, [batch, map.size / (batch * width), width]), present: null };
}

/** A vector per row of the batch: [n, D] to [B, n, D]. */
export function repeated(rows: tf.Tensor, batch: number): tf.Tensor3D {
  return tf.tile(tf.expandDims(rows, 0), [batch, 1, 1]) as tf.Tensor3D;
}

/**
 * Which of joined tokens may be attended to: [B, sum of their numbers].
 *
 * @param parts Number of tokens and whether they are there ([B, T] or [B, 1]); `null` for all.
 * @returns `null` if all of all are.
 */
export function presentOf(
  parts: readonly { readonly size: number; readonly present: tf.Tensor2D | null }[],
  batch: number,
): tf.Tensor2D | null {
  if (parts.every(({ present }) => present === null)) return null;
  const columns = parts.filter(({ size }) => size > 0).map(({ size, present }) =>
    present === null
      ? tf.ones([batch, size]) as tf.Tensor2D
      : present.shape[1] === size
      ? present
      : tf.tile(present, [1, size])
  );
  return tf.concat(columns, 1);
}

/** The first tokens of a sequence. */
export function firstOf(tokens: tf.Tensor, size: number): tf.Tensor3D {
  return tf.slice(tokens, [0, 0, 0], [-1, size, -1]) as tf.Tensor3D;
}

/** One modality's tokens, the layers that may take others in, and what a head reads at the end. */
export interface Stream extends Tokens {
  /**
   * Runs a layer over the stream's tokens and any behind them.
   *
   * @param rows The tokens whose output is wanted. @default all
   */
  run(
    level: number,
    tokens: tf.Tensor3D,
    present: tf.Tensor2D | null,
    rows?: { readonly from: number; readonly size: number },
  ): tf.Tensor3D;
  /** How many of the first tokens `read` looks at: of the last layer no others are wanted. */
  readonly readable: number;
  /** The feature after the last layer: [B, D]. */
  read(tokens: tf.Tensor3D): tf.Tensor2D;
}

/**
 * A modality's stream through layers of the fusion's own: tokens mapped to the width, with learned positions, behind a
 * class token; pre-norm blocks; the class token normalised.
 *
 * Parameters in `fusion/<modality>`, with T tokens of width d: d D + D + (T + 1) D, per layer 12 D^2 + 13 D, and 2 D.
 */
export function ownStream(
  features: Features,
  modality: string,
  scope: Scope,
  { width, heads }: { readonly width: number; readonly heads: number },
): Stream {
  const group = scope.group("fusion").in(modality);
  const { tokens, present } = tokensOf(features);
  const [batch, count] = tokens.shape;
  const mapped = linear(group.in("embed"), tokens, { width, kernelInit: xavierUniform });
  const placed = tf.add(mapped, tf.expandDims(group.param("positions", [count, width], tokenInit), 0));
  const classToken = repeated(group.param("class", [1, width], tokenInit), batch);
  return {
    tokens: tf.concat([classToken, placed], 1) as tf.Tensor3D,
    present: presentOf([{ size: 1, present: null }, { size: count, present }], batch),
    run: (level, x, among, rows) =>
      transformerBlock(group.in(`layer${level + 1}`), x, {
        heads,
        hidden: 4 * width,
        kernelInit: xavierUniform,
        present: among,
        rows,
      }) as tf.Tensor3D,
    readable: 1,
    read: (x) => layerNorm(group.in("norm"), tf.reshape(firstOf(x, 1), [batch, width])) as tf.Tensor2D,
  };
}

/** A modality's stream through the layers of its encoder that are left to the fusion. */
export function encoderStream(features: Features, scope: Scope): Stream {
  const layers = features.layers!;
  const own = tokensOf(features);
  return {
    ...own,
    run: (level, x, among, rows) => {
      const y = layers.run(level, x, among, scope);
      return rows === undefined ? y : tf.slice(y, [0, rows.from, 0], [-1, rows.size, -1]) as tf.Tensor3D;
    },
    readable: own.tokens.shape[1],
    read: (x) => layers.read(x, scope),
  };
}

/** What fusions of streams have in common. */
export interface StreamOptions {
  readonly layers: LayersOf;
  /** How many of the deepest layers exchange something. */
  readonly fused: number;
  readonly width: number;
  readonly heads: number;
}

/**
 * A fusion whose modalities run through layers that exchange something, and are read by heads of their own:
 * l = mean_u H_u(class_u), f_y = [class_1; ...; class_m]. The own readout is H_u's where u runs alone.
 *
 * @param name For messages.
 * @param run Runs the streams of the given modalities; gives their tokens after the last layer.
 */
export function fusionOfStreams(
  name: string,
  context: ModelContext,
  { layers, fused, width, heads }: StreamOptions,
  run: (streams: Readonly<Record<string, Stream>>, keep: Keep, scope: Scope) => Record<string, tf.Tensor3D>,
): Fusion {
  const { modalities } = context;
  const own = layers === "own";
  if (own) headsDivide(name, width, heads);
  const averaged = averagedHeads(context);
  const read = (features: ByModality<Features>, keep: Keep, scope: Scope): Record<string, tf.Tensor2D> => {
    const streams = mapByModality(
      features,
      (f, modality) => own ? ownStream(f, modality, scope, { width, heads }) : encoderStream(f, scope),
    );
    return mapByModality(run(streams, keep, scope), (tokens, modality) => streams[modality].read(tokens));
  };
  const pooled = (parts: ByModality<tf.Tensor2D>) => mapByModality(parts, (part): Features => ({ pooled: part }));
  return {
    needs: own ? { stages: 1 } : { layers: fused },
    soloMode: "own",
    late: true,
    forward(features, keep, scope) {
      const parts = read(features, keep, scope);
      const { logits, own: readouts } = averaged.forward(pooled(parts), keep, scope);
      return { fused: joinedParts(parts, keep), logits, own: readouts };
    },
    solo(features, scope, output) {
      const alone = byModality(modalities, (own) => read({ [own]: at(features, own) }, null, scope)[own]);
      const { logits } = averaged.solo(pooled(alone), scope);
      const only = (own: string) => mapByModality(alone, (part, other) => other === own ? part : tf.zerosLike(part));
      return {
        parts: mapByModality(alone, (_, own) => joinedParts(only(own), null)),
        fused: output?.fused ?? joinedParts(read(features, null, scope), null),
        logits,
      };
    },
  };
}
