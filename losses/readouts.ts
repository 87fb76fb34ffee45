/**
 * The loss of every modality's own readout.
 *
 * @module
 */
import { at } from "../core/modality.ts";
import { defineLoss, type LossPlugin } from "../core/kinds/mod.ts";
import { type BoundPart, use } from "../core/options.ts";
import { Refusal } from "../core/refusal.ts";
import { crossEntropyLoss } from "./cross_entropy.ts";
import { whereKept } from "./kept.ts";

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
        return Object.fromEntries(step.modalities.map((modality) => [
          `readout:${modality}`,
          whereKept(ofLogits(at(logits, modality), step.labels), step.keep, modality),
        ]));
      },
    };
  },
});
