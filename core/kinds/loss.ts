/**
 * Losses: terms of the objective, per sample. Symbols: B batch, m modalities.
 *
 * @module
 */
import type * as tf from "@tensorflow/tfjs";
import type { ByModality } from "../modality.ts";
import type { RawOptions } from "../options.ts";
import type { About } from "./about.ts";
import type { ModelContext } from "./fusion.ts";
import { complete, defineKind, guardAtOnce, type Kind, type Typed } from "./kind.ts";
import type { TrainStep } from "./step.ts";

/** A batch's valuation, as losses see it. Symbols as in ARM (AAAI 2025). */
export interface Valued {
  /** p_y: probability of the label by the fused readout, [B]. */
  readonly p: tf.Tensor1D;
  /** p_u: the same by each modality's own readout, [B, m]. */
  readonly solo: tf.Tensor2D;
  /** NMI(f_y; f_u), [B, m]. */
  readonly nmi: tf.Tensor2D;
  /** NCMI(f_y; f_j | f_i) at [B, i, j]. */
  readonly ncmi: tf.Tensor3D;
  /** phi_i: raw contribution of each modality, with the gradients that its method allows, [B, m]. */
  contributions(gradient: { readonly probabilities: boolean; readonly asymmetric: boolean }): tf.Tensor2D;
}

/** What a loss may ask of its method besides the step. */
export type LossNeed = "valuation";

/** What a loss is built for. */
export interface LossContext extends ModelContext {
  /** The valuation of a step's batch, where the method makes one. */
  readonly valuation?: (step: TrainStep) => Valued;
  /** Which logits count as modalities' own readouts. @default `step.solo().logits` */
  readonly readouts?: (step: TrainStep) => ByModality<tf.Tensor2D>;
  /** Training samples of each class, where a dataset is at hand. */
  readonly counts?: readonly number[];
}

/** A loss with its options chosen. */
export interface Loss {
  /**
   * The loss of any logits, [B]: for losses that can stand for the task's own or for readouts'.
   *
   * @param logits [B, C].
   * @param labels Int32 [B].
   */
  ofLogits?(logits: tf.Tensor2D, labels: tf.Tensor1D): tf.Tensor1D;
  /** Terms [B] by key, not weighted; 0 where a sample has nothing to say about one. Pure and traced. */
  terms(step: TrainStep): Readonly<Record<string, tf.Tensor1D>>;
}

/** A registered loss. */
export interface LossPlugin extends About {
  readonly kind: "loss";
  /** What it asks of its method. @default {[]} */
  readonly needs?: readonly LossNeed[];
  /** Whether it can stand for the task's own loss, as it has `ofLogits`. @default {false} */
  readonly task?: boolean;
  /** Builds it. @throws {Refusal} If it cannot serve the task. */
  create(options: RawOptions, context: LossContext): Loss;
}

/** The kind of losses. */
export const lossKind: Kind<LossPlugin> = defineKind<LossPlugin>({
  name: "loss",
  plural: "losses",
  about: "a term of the objective, per sample",
  functions: { create: { at: 0, then: (made: object, part, owner) => guardAtOnce(made, part, owner) } },
  describe: ({ needs = [], task = false }) => [
    ...needs.includes("valuation") ? ["Needs: a valuation of the batch, as ARM's methods make it"] : [],
    task ? "Stands for the task's own loss too: --set training.loss=NAME" : "Is added to the task's loss",
  ],
});

/** Defines a loss; `create` receives resolved options. */
export function defineLoss<O extends object>(
  plugin: Typed<LossPlugin, O, "create"> & { create(options: O, context: LossContext): Loss },
): LossPlugin {
  return complete(lossKind, plugin);
}
