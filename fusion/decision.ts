/**
 * Decision (late) fusion.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { at, byModality, mapByModality } from "../core/modality.ts";
import { defineFusion, type FusionPlugin, type Keep, type ModelContext } from "../core/plugin.ts";
import type { Scope } from "../core/scope.ts";
import { xavierNormal, zeros } from "../nn/initializers.ts";
import { total } from "./shared.ts";

/** Options of `decision`. */
export interface DecisionOptions {
  readonly average: "logit" | "probability" | "weighted";
  readonly weights: readonly number[];
  readonly loss: "joint" | "separate" | "both";
}

/** Share of each modality: its weight over the sum of the weights of those that are kept, [B, 1] or a number. */
function shares(context: ModelContext, weights: readonly number[], keep: Keep): Record<string, tf.Tensor> {
  const weighted = byModality(
    context.modalities,
    (modality, index) => keep === null ? tf.scalar(weights[index]) : tf.mul(at(keep, modality), weights[index]),
  );
  // With nothing kept the average is of nothing: 0.
  const sum = tf.maximum(tf.addN(Object.values(weighted)), 1e-12);
  return mapByModality(weighted, (own) => tf.div(own, sum));
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
    },
    weights: {
      type: "numbers",
      default: [],
      about: "for weighted: one weight per modality in sorted order, as shares of their sum",
    },
    loss: {
      type: "choice",
      choices: ["joint", "separate", "both"],
      default: "joint",
      about: "CE of the average, of each head, or both",
    },
  },
  create: ({ average, weights, loss }, context) => {
    const { modalities, classes } = context;
    if (average === "weighted" && (weights.length !== modalities.length || weights.some((weight) => !(weight > 0)))) {
      throw new RangeError(
        `Cannot use fusion "decision" as weighted needs one positive weight for each of ${
          modalities.join(", ")
        }: found ` +
          `[${weights.join(", ")}]`,
      );
    }
    const factors = average === "weighted" ? weights : modalities.map(() => 1);
    const unbiased = (f: tf.Tensor2D, modality: string, scope: Scope) =>
      tf.matMul(
        f,
        scope.group(`head:${modality}`).param("kernel", [f.shape[1], classes], xavierNormal) as tf.Tensor2D,
      ) as tf.Tensor2D;
    const head = (f: tf.Tensor2D, modality: string, scope: Scope) =>
      tf.add(
        unbiased(f, modality, scope),
        scope.group(`head:${modality}`).param("bias", [classes], zeros),
      ) as tf.Tensor2D;
    return {
      needs: {},
      soloMode: "own",
      forward(features, keep, scope) {
        const own = mapByModality(features, ({ pooled }, modality) => head(pooled, modality, scope));
        const share = shares(context, factors, keep);
        const mix = (pick: (logits: tf.Tensor2D) => tf.Tensor) =>
          total(modalities.map((modality) => tf.mul(pick(at(own, modality)), at(share, modality)) as tf.Tensor2D));
        const logits = average === "probability"
          ? tf.log(tf.add(mix((l) => tf.softmax(l)), 1e-12)) as tf.Tensor2D
          : mix((l) => l);
        return { fused: logits, logits, own };
      },
      solo(features, scope) {
        const share = shares(context, factors, null);
        // Parts of the averaged logits, which is the fused feature here whatever is averaged.
        const parts = mapByModality(
          features,
          ({ pooled }, modality) => tf.mul(unbiased(pooled, modality, scope), at(share, modality)) as tf.Tensor2D,
        );
        return {
          parts,
          fused: total(modalities.map((modality) => at(parts, modality))),
          logits: mapByModality(features, ({ pooled }, modality) => head(pooled, modality, scope)),
        };
      },
      ...(loss === "joint" ? {} : {
        loss({ logits, own }, labels) {
          const target = tf.oneHot(labels, classes, 1, 0, "float32");
          const entropy = (l: tf.Tensor2D) => tf.neg(tf.sum(tf.mul(tf.logSoftmax(l), target), 1)) as tf.Tensor1D;
          return {
            ...(loss === "both" ? { joint: entropy(logits) } : {}),
            ...Object.fromEntries(modalities.map((modality) => [`head:${modality}`, entropy(at(own!, modality))])),
          };
        },
      }),
    };
  },
});
