/**
 * Cross-entropy on every modality's own readout: the plain reference for balancing methods.
 *
 * @module
 */
import { defineMethod, type LossPlugin, type MethodPlugin } from "../core/kinds/mod.ts";
import { type BoundPart, use } from "../core/options.ts";
import { readouts } from "../losses/readouts.ts";
import { recipe, weighted } from "./recipe.ts";

/** Options of `uni-ce`. */
export interface UniCeOptions {
  readonly weight: number;
  readonly loss: BoundPart<LossPlugin>;
}

/** Adds the loss of each modality's own readout to the task's: a recipe of one loss. */
export const uniCe: MethodPlugin = defineMethod<UniCeOptions>({
  name: "uni-ce",
  about: "adds cross-entropy on every modality's own readout",
  formula: "L = CE(l, y) + w sum_u CE(l_u, y)",
  source: "auxiliary unimodal losses, common practice",
  options: {
    weight: {
      type: "number",
      default: 1,
      min: 0,
      tune: [0.1, 0.3, 1, 3],
      about: "weight w of the unimodal terms",
      source: "the plain sum, as in Greedy's and MMPareto's released codes",
    },
    loss: {
      type: "part",
      kind: "loss",
      default: use(readouts),
      about: "what is added: the readouts' loss, or another loss that needs no valuation",
      source: "common practice",
    },
  },
  cost: { forwards: 1, backwards: 1 },
  refuses: (_fusion, _context, { loss }) =>
    loss.plugin.needs?.includes("valuation") ? `loss "${loss.name}" needs a valuation, which arm's methods make` : null,
  create: ({ weight, loss }, context) =>
    recipe("uni-ce", {
      declares: { solo: true, claims: ["train every modality's readout"] },
      loss: weighted(loss.plugin.create(loss.options, context), weight),
    }),
});
