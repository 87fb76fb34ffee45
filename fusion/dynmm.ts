/**
 * Dynamic multimodal fusion.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { at, type ByModality, mapByModality } from "../core/modality.ts";
import { defineFusion, type Features, type FusionPlugin, type Keep } from "../core/kinds/mod.ts";
import { Refusal } from "../core/refusal.ts";
import type { Scope } from "../core/scope.ts";
import { crossEntropy } from "../losses/cross_entropy.ts";
import { whereKept } from "../losses/kept.ts";
import { xavierNormal } from "../nn/initializers.ts";
import { linear } from "../nn/linear.ts";
import { stopGradient } from "../tensor/autodiff.ts";
import { keptFeatures } from "./shared.ts";

/** Options of `dynmm`. */
export interface DynmmOptions {
  readonly gate: "soft" | "hard" | "hard-test";
  readonly tau: number;
  readonly hidden: number;
  readonly expertWeight: number;
  readonly lambda: number;
  readonly costs: readonly number[];
  readonly pretrain: number;
}

/** What is added to the gate's input of an expert that cannot speak: its share becomes exactly 0 in float32. */
const ABSENT = -1e9;

/** 1 at the largest entry of each row, the first of equals; else 0. */
function oneHotOfLargest(x: tf.Tensor2D): tf.Tensor2D {
  return tf.cast(tf.oneHot(tf.argMax(x, 1), x.shape[1]), "float32") as tf.Tensor2D;
}

/**
 * A gate weighs experts sample by sample. There are K = m + 1: a linear head of each modality and one of all features
 * together; g = softmax(G(f) / tau), l = sum_k g_k l^k, which is the fused feature too. The gate, a perceptron, reads the
 * features without passing a gradient on.
 *
 * With `gate: hard` one expert speaks: the one-hot of the largest share, the first of equals, with the gradient of the
 * softmax. `hard-test` trains the soft mixture and tests the hard one, as the released code does; it is a mismatch, so
 * report both. The training loss is CE(l) + `expertWeight` sum_k CE(l^k) + `lambda` sum_k cost_k mean g_k, its terms
 * `joint`, `expert:<modality>`, `expert` (the one of all) and `cost`. For the first `pretrain` epochs, which count in the
 * budget, experts are trained alone.
 *
 * Encoders are shared by the experts, which is our choice, as is K = m + 1; the release has networks of their own and
 * drops its image expert. An expert leaves when a modality that it reads is dropped, and the gate's shares are those among
 * the rest; with nothing left logits are 0.
 *
 * Parameters, h the gate's hidden width: sum_u (C d_u + C) + C sum d_u + C + h (sum d_u + 1) + K (h + 1).
 */
export const dynmm: FusionPlugin = defineFusion<DynmmOptions>({
  name: "dynmm",
  symmetric: false, // rows of the gate and of the expert of all stand in sorted order of modalities
  tiny: { hidden: 5 },
  about: "a gate weighs an expert of each modality and one of all, sample by sample",
  formula: `l^u = W_u f_u + b_u, l^(m+1) = W [f_1; ...; f_m] + b;  g = softmax(MLP(sg [f_1; ...; f_m]) / tau)
    l = sum_k g_k l^k;  L = CE(l) + sum_k CE(l^k) + lambda sum_k cost_k mean g_k`,
  source: "Xue and Marculescu, Dynamic Multimodal Fusion, CVPR Workshops 2023; K = m + 1 with shared encoders is ours",
  options: {
    gate: {
      type: "choice",
      choices: ["soft", "hard", "hard-test"],
      default: "soft",
      about: "mixture of the experts, one expert a sample (straight-through), or soft in training and hard in tests",
      source: "chosen here; the released code for MM-IMDB tests hard",
    },
    tau: {
      type: "number",
      default: 1,
      min: 1e-3,
      tune: [0.5, 1, 2],
      about: "temperature of the gate",
      source: "the released code",
    },
    hidden: {
      type: "integer",
      default: 128,
      min: 1,
      tune: [32, 128],
      about: "hidden width of the gate",
      source: "the released code",
    },
    expertWeight: {
      type: "number",
      default: 1,
      min: 0,
      tune: [0.3, 1],
      about: "weight of the experts' own losses; 0 leaves them out after pre-training",
      source: "chosen here: it trains experts beside the mixture, where the release trains them before",
    },
    lambda: {
      type: "number",
      default: 0,
      min: 0,
      tune: [0, 0.01, 0.1],
      about: "weight of the cost term",
      source: "chosen here for comparing accuracy; the released code has 0.1",
    },
    costs: {
      type: "numbers",
      default: [],
      about: "cost of each expert: modalities in sorted order, then the one of all; empty counts modalities read",
      source: "chosen here: the paper's are relative multiply-adds, which encoders that are shared do not have",
    },
    pretrain: {
      type: "integer",
      default: 0,
      min: 0,
      tune: [0, 2],
      about: "epochs at the start in which experts are trained alone; they count in the budget",
      source: "chosen here: none, at equal budgets; the release trains experts before",
    },
  },
  create: (options, { modalities, classes }) => {
    const { gate, tau, hidden, expertWeight, lambda, costs, pretrain } = options;
    const m = modalities.length;
    if (costs.length !== 0 && (costs.length !== m + 1 || costs.some((cost) => !(cost >= 0)))) {
      throw new Refusal({
        what: 'use fusion "dynmm"',
        must: `costs must be ${m + 1} numbers of at least 0, of ${modalities.join(", ")} and of all`,
        found: `found [${costs.join(", ")}]`,
      });
    }
    const price = costs.length === 0 ? [...modalities.map(() => 1 / m), 1] : costs;

    /** Which experts can speak, [B, K]. */
    const speaking = (keep: Keep): tf.Tensor2D | null => {
      if (keep === null) return null;
      const columns = modalities.map((modality) => at(keep, modality));
      return tf.concat([...columns, columns.reduce((all, column) => tf.mul(all, column))], 1);
    };
    /** The experts' logits, K of [B, C]. */
    const experts = (joined: tf.Tensor2D, own: tf.Tensor2D[], scope: Scope): tf.Tensor2D[] => [
      ...own,
      linear(scope.group("head"), joined, { width: classes, kernelInit: xavierNormal }) as tf.Tensor2D,
    ];
    /** The experts' shares, [B, K]. */
    const shares = (joined: tf.Tensor2D, able: tf.Tensor2D | null, scope: Scope): tf.Tensor2D => {
      const group = scope.group("fusion").in("gate");
      const inner = tf.relu(linear(group.in("1"), stopGradient(joined), { width: hidden, kernelInit: xavierNormal }));
      const scores = tf.div(linear(group.in("2"), inner, { width: m + 1, kernelInit: xavierNormal }), tau);
      const open = able === null ? scores : tf.add(scores, tf.mul(tf.sub(1, able), ABSENT));
      const soft = tf.softmax(open) as tf.Tensor2D;
      const hard = gate === "hard" || gate === "hard-test" && scope.mode === "eval";
      const chosen = hard ? tf.add(stopGradient(tf.sub(oneHotOfLargest(soft), soft)), soft) as tf.Tensor2D : soft;
      return able === null ? chosen : tf.mul(chosen, able);
    };
    /** The concatenation of features, dropped ones at 0, and the heads' logits of each modality alone. */
    const parts = (features: ByModality<Features>, keep: Keep, scope: Scope) => ({
      joined: tf.concat(Object.values(keptFeatures(features, keep, "zero", {})), 1) as tf.Tensor2D,
      own: mapByModality(features, ({ pooled }, modality) =>
        linear(scope.group(`head:${modality}`), pooled, {
          width: classes,
          kernelInit: xavierNormal,
        }) as tf.Tensor2D),
    });
    return {
      needs: {},
      soloMode: "own",
      forward(features, keep, scope) {
        const { joined, own } = parts(features, keep, scope);
        const g = shares(joined, speaking(keep), scope);
        const spoken = experts(joined, Object.values(own), scope);
        const columns = tf.split(g, m + 1, 1);
        const logits = tf.addN(spoken.map((l, k) => tf.mul(l, columns[k]) as tf.Tensor2D));
        return { fused: logits, logits, own, details: { together: spoken[m], shares: g } };
      },
      loss({ logits, own, details }, labels, scope, keep) {
        const { together: all, shares: g } = details!;
        const epoch = scope.control("epoch");
        const mixing = pretrain === 0 ? 1 : tf.cast(tf.greaterEqual(epoch, pretrain), "float32");
        const weight = pretrain === 0 ? expertWeight : tf.add(tf.mul(mixing, expertWeight - 1), 1);
        const times = (term: tf.Tensor, factor: tf.Tensor | number) => tf.mul(term, factor) as tf.Tensor1D;
        const terms: Record<string, tf.Tensor1D> = { joint: times(crossEntropy(logits, labels), mixing) };
        if (expertWeight > 0 || pretrain > 0) {
          for (const modality of modalities) {
            const term = crossEntropy(at(own!, modality), labels);
            terms[`expert:${modality}`] = times(whereKept(term, keep, modality), weight);
          }
          const together = modalities.reduce(
            (term, modality) => whereKept(term, keep, modality),
            crossEntropy(all, labels),
          );
          terms["expert"] = times(together, weight);
        }
        if (lambda > 0) {
          const cost = tf.sum(tf.mul(g, tf.tensor2d(price as number[], [1, m + 1])), 1);
          terms["cost"] = times(times(cost, lambda), mixing);
        }
        return terms;
      },
    };
  },
});
