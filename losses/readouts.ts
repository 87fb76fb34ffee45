/**
 * The loss of every modality's own readout.
 *
 * @module
 */
import type * as tf from "@tensorflow/tfjs";
import { at, type ByModality } from "../core/modality.ts";
import { defineLoss, type LossPlugin, type TrainStep } from "../core/kinds/mod.ts";
import { type BoundPart, use } from "../core/options.ts";
import { Refusal } from "../core/refusal.ts";
import { crossEntropyLoss } from "./cross_entropy.ts";
import { whereKept } from "./kept.ts";

/**
 * A loss of every modality's logits by the keys `<prefix>:<modality>`, 0 where a sample lacks the modality.
 *
 * @param logits [B, C] per modality.
 * @param ofLogits A loss of any logits, [B].
 */
export function modalityTerms(
  prefix: string,
  logits: ByModality<tf.Tensor2D>,
  step: TrainStep,
  ofLogits: (logits: tf.Tensor2D, labels: tf.Tensor1D) => tf.Tensor1D,
): Record<string, tf.Tensor1D> {
  return Object.fromEntries(step.modalities.map((modality) => [
    `${prefix}:${modality}`,
    whereKept(ofLogits(at(logits, modality), step.labels), step.keep, modality),
  ]));
}

/** Options of `readouts`. */
export interface ReadoutsOptions {
  readonly criterion: BoundPart<LossPlugin>;
}

/** Cross-entropy (or another criterion) of each modality's own readout; a sample counts for the modalities that it keeps. */
export const readouts: LossPlugin = defineLoss<ReadoutsOptions>({
  name: "readouts",
  about: "the loss of every modality's own readout",
  formula: "one term a modality: CE(l_u, y)",
  source: "auxiliary unimodal losses, common practice",
  options: {
    criterion: {
      type: "part",
      kind: "loss",
      default: use(crossEntropyLoss),
      about: "loss of the logits of one readout",
      source: "the task's own",
      tune: ["cross-entropy", "focal"],
    },
  },
  create({ criterion }, context) {
    const { ofLogits } = criterion.plugin.create(criterion.options, context);
    if (ofLogits === undefined) {
      throw new Refusal({
        what: `train readouts by loss "${criterion.name}"`,
        must: "a criterion must be a loss of any logits",
        found: "it is one of the whole step",
        hint: "take cross-entropy or focal",
      });
    }
    return {
      terms(step) {
        const logits = context.readouts?.(step) ?? step.solo().logits;
        return modalityTerms("readout", logits, step, ofLogits);
      },
    };
  },
});
