/**
 * Decision (late) fusion.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { byModality, mapByModality } from "../core/modality.ts";
import { defineFusion, type FusionPlugin } from "../core/kinds/mod.ts";
import { Refusal } from "../core/refusal.ts";
import { averagedHeads, type HeadLoss, headLosses, lossOption, weightedSum } from "./shared.ts";

/** Options of `decision`. */
export interface DecisionOptions {
  readonly average: "logit" | "probability" | "weighted";
  readonly weights: readonly number[];
  readonly loss: HeadLoss;
}

/**
 * One head per modality, l_u = W_u f_u + b_u, and an average: of logits (default), of probabilities
 * (l = log mean softmax l_u), or of logits with fixed weights. A dropped modality leaves the average.
 *
 * Losses: `joint` CE(l), `separate` sum_u CE(l_u), `both`. With `separate` the modalities train independently.
 */
export const decision: FusionPlugin = defineFusion<DecisionOptions>({
  name: "decision",
  about: "average of the modalities' own predictions",
  formula: "l = (1/m) sum_u l_u  |  log (1/m) sum_u softmax(l_u)  |  sum_u a_u l_u;  l_u = W_u f_u + b_u",
  source: "late fusion, common practice; the loss variants follow Wu et al. (Greedy), ICML 2022",
  options: {
    average: {
      type: "choice",
      choices: ["logit", "probability", "weighted"],
      default: "logit",
      about: "what is averaged",
      source: "chosen here: the common late fusion; the ARM paper does not say which",
    },
    weights: {
      type: "numbers",
      default: [],
      about: "for weighted: one weight per modality in sorted order, as shares of their sum",
      source: "equal weights need none",
    },
    loss: lossOption,
  },
  create: ({ average, weights, loss }, context) => {
    const { modalities } = context;
    if (average === "weighted" && (weights.length !== modalities.length || weights.some((weight) => !(weight > 0)))) {
      throw new Refusal({
        what: 'use fusion "decision"',
        must: `weighted needs one positive weight for each of ${modalities.join(", ")}`,
        found: `found [${weights.join(", ")}]`,
      });
    }
    const heads = averagedHeads(context, average === "weighted" ? weights : undefined);
    return {
      needs: {},
      soloMode: "own",
      late: true,
      align: heads.align,
      ...average === "probability" ? {} : { kernels: heads.kernels },
      forward(features, keep, scope) {
        if (average !== "probability") return heads.forward(features, keep, scope);
        return heads.forward(features, keep, scope, (own, shares) => {
          const mixed = weightedSum(mapByModality(own, (logits) => tf.softmax(logits)), shares);
          return tf.log(tf.add(mixed, 1e-12)) as tf.Tensor2D;
        });
      },
      // Parts of the averaged logits, which stand for the fused feature here whatever is averaged.
      solo: (features, scope) => heads.solo(features, scope),
      ...headLosses(loss, byModality(modalities, () => 1)),
    };
  },
});
