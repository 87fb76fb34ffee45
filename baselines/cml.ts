/**
 * Calibrating multimodal learning.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { byModality } from "../core/modality.ts";
import { CLAIMS, defineMethod, type MethodPlugin, type TrainStep } from "../core/kinds/mod.ts";
import { crossEntropy } from "../losses/cross_entropy.ts";
import { needsTwo } from "./unimodal.ts";

/** Options of `cml`. */
export interface CmlOptions {
  readonly lambda: number;
  readonly hinge: "sample" | "batch";
}

/** Confidence of a prediction: its largest probability, [B]. */
export function predictionConfidence(logits: tf.Tensor2D): tf.Tensor1D {
  return tf.max(tf.softmax(logits), 1);
}

/**
 * What a confidence may not do: grow when a modality is taken away.
 *
 * @param more Confidence with the modality, [B].
 * @param fewer Confidence without it, [B].
 */
export function confidenceHinge(more: tf.Tensor1D, fewer: tf.Tensor1D): tf.Tensor1D {
  return tf.relu(tf.sub(fewer, more));
}

/** Which modalities are there after each removal but the last: rows [m - 1, m] of 0 and 1. @param order Of removal. */
export function removalChain(order: ArrayLike<number>): number[] {
  const m = order.length;
  const there = new Array<number>(m).fill(1);
  const rows: number[] = [];
  for (let k = 0; k < m - 1; k++) {
    there[order[k]] = 0;
    rows.push(...there);
  }
  return rows;
}

/**
 * Modalities are taken away one after the other, in an order drawn for each epoch; every subset on the way predicts, and
 * must not be more confident than the one before.
 *
 * The released form that is known (BalanceBenchmark) compares sums over the batch, so that rows make up for each other
 * (`hinge: batch`); the paper's is per sample. Subsets are the fusion's own with the others dropped, bias and all.
 */
export const cml: MethodPlugin = defineMethod<CmlOptions>({
  name: "cml",
  about: "trains nested subsets of modalities, none of which may be more confident than one that contains it",
  formula: `S_1 = all, S_(k+1) = S_k without one;  conf(S) = max softmax l(S)
    L = (1/m) sum_k CE(l(S_k)) + lambda sum_k mean max(0, conf(S_(k+1)) - conf(S_k))`,
  source: 'Ma et al., "Calibrating Multimodal Learning", ICML 2023',
  options: {
    lambda: {
      type: "number",
      default: 0.1,
      min: 0,
      tune: [0.01, 0.1, 1],
      about: "weight of the confidences",
      source: "BalanceBenchmark",
    },
    hinge: {
      type: "choice",
      choices: ["sample", "batch"],
      default: "sample",
      about: "what is compared: each sample's confidences, or their sums over the batch",
      source: "the paper; batch: BalanceBenchmark",
    },
  },
  // The order of removal is drawn by the modalities' places.
  symmetric: false,
  cost: { forwards: 1, backwards: 1 },
  refuses: (_fusion, context) => needsTwo(context),
  create: ({ lambda, hinge }, { modalities }) => {
    const m = modalities.length;
    const chain = "cml/chain";
    /** Logits of each subset, and which rows have any of its modalities. */
    const subsets = (step: TrainStep) =>
      step.memo("cml", () => {
        const rows = step.output.logits.shape[0];
        const flags = tf.split(tf.reshape(step.scope.control(chain), [m - 1, m]), m - 1);
        const fewer = flags.map((row) => {
          const each = tf.split(row, m, 1);
          const keep = byModality(modalities, (modality, u) => {
            const there = tf.tile(each[u], [rows, 1]) as tf.Tensor2D;
            return step.keep === null ? there : tf.mul(there, step.keep[modality]) as tf.Tensor2D;
          });
          const any = tf.reshape(tf.minimum(tf.addN(Object.values(keep)), 1), [-1]) as tf.Tensor1D;
          return { logits: step.masked(keep).logits, any };
        });
        return [{ logits: step.output.logits, any: tf.ones([rows]) as tf.Tensor1D }, ...fewer];
      });
    return {
      name: "cml",
      declares: {
        controls: { [chain]: removalChain(Array.from({ length: m }, (_, u) => u)) },
        claims: [CLAIMS.taskLoss],
      },
      beforeEpoch: (host) => host.setControl(chain, removalChain(host.random.split("cml").permutation(m))),
      taskLoss: (_terms, step) => ({
        joint: tf.div(
          tf.addN(subsets(step).map(({ logits, any }) => tf.mul(crossEntropy(logits, step.labels), any))),
          m,
        ),
      }),
      loss(step) {
        const all = subsets(step).map(({ logits, any }) => ({ sure: predictionConfidence(logits), any }));
        const terms = all.slice(1).map(({ sure, any }, k) => {
          const before = all[k].sure;
          if (hinge === "sample") return tf.mul(confidenceHinge(before, sure), any);
          return tf.relu(tf.sum(tf.mul(tf.mul(tf.sub(sure, before), any), step.weights)));
        });
        return { confidence: tf.mul(tf.addN(terms), lambda) };
      },
    };
  },
});
