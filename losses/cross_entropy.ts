/**
 * Cross-entropy.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { defineLoss, type LossPlugin } from "../core/kinds/mod.ts";
import { Refusal } from "../core/refusal.ts";
import { withGradient } from "../tensor/autodiff.ts";

/**
 * Cross-entropy of each sample in nats: -log softmax(logits)[label].
 *
 * Its gradient is softmax(logits) - onehot(label), whose exponentials the value has made already.
 *
 * @param logits Float32 [B, C].
 * @param labels Int32 [B], class indices.
 * @returns Float32 [B].
 */
export function crossEntropy(logits: tf.Tensor2D, labels: tf.Tensor1D): tf.Tensor1D {
  const target = tf.oneHot(labels, logits.shape[1], 1, 0, "float32");
  return withGradient([logits], (save) => {
    // From the largest one down: no exponential overflows.
    const below = tf.sub(logits, tf.max(logits, 1, true));
    const powers = tf.exp(below);
    const total = tf.sum(powers, 1, true);
    save([powers, total, target]);
    return {
      value: tf.sub(tf.reshape(tf.log(total), [-1]), tf.sum(tf.mul(below, target), 1)),
      gradient(dy, [powers, total, target]) {
        const each = tf.expandDims(dy, 1);
        return [tf.sub(tf.mul(powers, tf.div(each, total)), tf.mul(target, each))];
      },
    };
  }) as tf.Tensor1D;
}

/**
 * Probability of each sample's label: softmax(logits)[label].
 *
 * @param logits Float32 [B, C].
 * @param labels Int32 [B].
 * @returns Float32 [B].
 */
export function labelProbability(logits: tf.Tensor2D, labels: tf.Tensor1D): tf.Tensor1D {
  const target = tf.oneHot(labels, logits.shape[1], 1, 0, "float32");
  return tf.sum(tf.mul(tf.softmax(logits), target), 1);
}

/** How cross-entropy departs from the plain one. */
export interface CrossEntropyOptions {
  /** Share of the target that is spread evenly over all classes, 0..1. @default {0} */
  readonly smoothing?: number;
  /** Weight of each class's samples, C of them; with mean 1 over the training set they keep the loss's scale. */
  readonly classWeights?: readonly number[] | null;
}

/**
 * Cross-entropy with label smoothing and class weights:
 * w_y ((1 - s) (-log p_y) + s mean over c of -log p_c).
 *
 * @param logits Float32 [B, C].
 * @param labels Int32 [B].
 * @returns Float32 [B].
 * @see Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", CVPR 2016, section 7.
 */
export function generalCrossEntropy(
  logits: tf.Tensor2D,
  labels: tf.Tensor1D,
  { smoothing = 0, classWeights = null }: CrossEntropyOptions = {},
): tf.Tensor1D {
  let loss = crossEntropy(logits, labels);
  if (smoothing > 0) {
    const everywhere = tf.neg(tf.mean(tf.logSoftmax(logits), 1));
    loss = tf.add(tf.mul(loss, 1 - smoothing), tf.mul(everywhere, smoothing)) as tf.Tensor1D;
  }
  return classWeights === null ? loss : tf.mul(loss, tf.gather(tf.tensor1d([...classWeights]), labels)) as tf.Tensor1D;
}

/**
 * Weights that make every class count alike: N / (C n_c); 0 for a class without samples.
 *
 * @param counts Training samples of each class.
 */
export function balancedWeights(counts: readonly number[]): number[] {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.map((count) => count === 0 ? 0 : total / (counts.length * count));
}

/** Cross-entropy as a part: the task's loss where nothing is said. */
export const crossEntropyLoss: LossPlugin = defineLoss<{ smoothing: number; classWeights: "none" | "balanced" }>({
  name: "cross-entropy",
  about: "cross-entropy of the logits, with label smoothing and class weights",
  formula: "w_y ((1 - s) (-log p_y) + s mean_c -log p_c)",
  source: "the task's loss of the paper and of nearly all rivals; smoothing: Szegedy et al., CVPR 2016",
  task: true,
  options: {
    smoothing: {
      type: "number",
      default: 0,
      min: 0,
      max: 1,
      tune: [0, 0.1],
      about: "share s of the target that is spread evenly over all classes",
      source: "plain cross-entropy",
    },
    classWeights: {
      type: "choice",
      choices: ["none", "balanced"],
      default: "none",
      about: "weight of a class's samples: 1, or N / (C n_c) by the training set's counts",
      source: "plain cross-entropy",
    },
  },
  create({ smoothing, classWeights }, { counts }) {
    if (classWeights === "balanced" && counts === undefined) {
      throw new Refusal({
        what: "balance classes",
        must: "the training set's class counts must be known",
        found: "there is no dataset here",
      });
    }
    const weights = classWeights === "balanced" ? balancedWeights(counts!) : null;
    const ofLogits = (logits: tf.Tensor2D, labels: tf.Tensor1D) =>
      generalCrossEntropy(logits, labels, { smoothing, classWeights: weights });
    return { ofLogits, terms: ({ output, labels }) => ({ "cross-entropy": ofLogits(output.logits, labels) }) };
  },
});
