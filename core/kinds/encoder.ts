/**
 * Encoders: one modality's input to features. Symbols: B batch, d width.
 *
 * @module
 */
import { complete, defineKind, guardAtOnce, type Kind, type Typed } from "./kind.ts";
import type * as tf from "@tensorflow/tfjs";
import type { RawOptions } from "../options.ts";
import type { Scope } from "../scope.ts";
import type { About } from "./about.ts";
import type { Alignment, Transport } from "./alignment.ts";
import type { ModalityInfo } from "./dataset.ts";

/** What an encoder makes of one modality's input. */
export interface Features {
  /** [B, d]. */
  readonly pooled: tf.Tensor2D;
  /** Token sequence [B, T, D], if the encoder has one. */
  readonly tokens?: tf.Tensor3D;
  /** 1 where `tokens` are, 0 for padding, [B, T]. Without it, all are. */
  readonly tokenMask?: tf.Tensor2D;
  /** Outputs of the deepest stages that a fusion asked for, shallow to deep: [B, ..., c] each. */
  readonly stages?: readonly tf.Tensor[];
  /** The deepest layers of a transformer, which have not run yet: for a fusion that asked to run them itself. */
  readonly layers?: RemainingLayers;
}

/** Layers of one modality's transformer that are left to a fusion; parameters come from the encoder's group. */
export interface RemainingLayers {
  readonly count: number;
  /** Runs layer `level` (0 .. count - 1), shallow to deep, over the encoder's tokens and any others behind them. */
  run(level: number, tokens: tf.Tensor3D, present: tf.Tensor2D | null, scope: Scope): tf.Tensor3D;
  /** The feature that a head reads from the encoder's own tokens after the last layer: [B, D]. */
  read(tokens: tf.Tensor3D, scope: Scope): tf.Tensor2D;
}

/**
 * One layer of a transformer, over any number of tokens [B, T, D].
 *
 * @param present Which tokens may be attended to, [B, T], or `null` for all.
 */
export type TokenLayer = (tokens: tf.Tensor3D, scope: Scope, present: tf.Tensor2D | null) => tf.Tensor3D;

/** An encoder's inside, if it is a transformer: for fusions that put tokens of their own beside its tokens. */
export interface Transformer {
  /** Input to the first layer's tokens. */
  embed(x: tf.Tensor, scope: Scope): tf.Tensor3D;
  /** As many as there are stages. */
  readonly layers: readonly TokenLayer[];
  /** Which of the input's tokens there are, [B, T], or `null` for all. */
  present(input: tf.Tensor): tf.Tensor2D | null;
  /** The feature that a head reads from the last layer's tokens: the class token, normalised where the encoder does so. */
  read(tokens: tf.Tensor3D, scope: Scope): tf.Tensor2D;
}

/**
 * One stage of an encoder: feature map to feature map, `[B, ..., c]`. The first stage's map is the input.
 *
 * @param input The modality's input, from which any stage can tell what is padding.
 */
export type Stage = (map: tf.Tensor, scope: Scope, input: tf.Tensor) => tf.Tensor;

/**
 * An encoder as a chain of stages and a head. The harness runs the stages, so that a fusion may gate the maps between
 * them (MMTM, CentralNet) without the encoder knowing.
 */
export interface Encoder {
  /** At least one; the output of the last goes to `head`. */
  readonly stages: readonly Stage[];
  /** Whether `head` returns tokens. */
  readonly tokens: boolean;
  /** Its inside, where it is a transformer. */
  readonly transformer?: Transformer;
  /**
   * Aligns and merges the parameters and running statistics of two trained copies, layer by layer.
   *
   * @param group `encoder:<modality>`, with which full names begin.
   * @returns The transport of the pooled feature.
   */
  align?(alignment: Alignment, group: string): Transport;
  /** Last feature map to features; `input` as in `Stage`. */
  head(map: tf.Tensor, scope: Scope, input: tf.Tensor): Omit<Features, "stages" | "layers">;
}

/** A registered encoder. */
export interface EncoderPlugin extends About {
  readonly kind: "encoder";
  /** Says why an input cannot be encoded, or `null`. */
  refuses(input: ModalityInfo, options: RawOptions): string | null;
  /** Builds the encoder for one modality. */
  create(options: RawOptions, input: ModalityInfo): Encoder;
}

/** The kind of encoders. */
export const encoderKind: Kind<EncoderPlugin> = defineKind<EncoderPlugin>({
  name: "encoder",
  plural: "encoders",
  about: "one modality's input to features",
  functions: {
    refuses: { at: 1, otherwise: () => null },
    create: { at: 0, then: (made: object, part, owner) => guardAtOnce(made, part, owner) },
  },
});

/** Defines an encoder; `create` and `refuses` receive resolved options. */
export function defineEncoder<O extends object>(
  plugin: Typed<EncoderPlugin, O, "create" | "refuses"> & {
    refuses?(input: ModalityInfo, options: O): string | null;
    create(options: O, input: ModalityInfo): Encoder;
  },
): EncoderPlugin {
  return complete(encoderKind, plugin);
}
