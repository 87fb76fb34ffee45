/**
 * Encoders: one modality's input to features. Symbols: B batch, d width.
 *
 * @module
 */
import { complete, defineKind, type Kind, type Typed } from "./kind.ts";
import type * as tf from "@tensorflow/tfjs";
import type { RawOptions } from "../options.ts";
import type { Scope } from "../scope.ts";
import type { About } from "./about.ts";
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
  /** Last feature map to features; `input` as in `Stage`. */
  head(map: tf.Tensor, scope: Scope, input: tf.Tensor): Omit<Features, "stages">;
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
  functions: { refuses: { at: 1, otherwise: () => null }, create: { at: 0 } },
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
