/**
 * The loss terms of a training step.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { Step, TrainStep } from "../core/kinds/mod.ts";
import { Refusal } from "../core/refusal.ts";
import { crossEntropy } from "../losses/cross_entropy.ts";
import type { Model } from "./model.ts";

/** Adds labels and weights to a step. */
export function trainStep(step: Step, labels: tf.Tensor1D, weights: tf.Tensor1D): TrainStep {
  // A batch of padding only cannot occur, but a method may give every sample weight 0: the mean is then 0, not NaN.
  const total = tf.maximum(tf.sum(weights), 1e-12);
  const extra = {
    labels,
    weights,
    mean: (perSample: tf.Tensor1D) => tf.div(tf.sum(tf.mul(perSample, weights)), total) as tf.Scalar,
  };
  // Prototype instead of spread: the step's features and output are getters that must stay live.
  return Object.assign(Object.create(step) as Step, extra);
}

/** Loss terms as scalars. */
export interface LossTerms {
  /** In a fixed order: the task's own (`"joint"`, or the fusion's keys), then the methods'. */
  readonly terms: Record<string, tf.Scalar>;
  /** Keys of the task's own. */
  readonly task: readonly string[];
}

/**
 * All loss terms of a step.
 *
 * @throws {Refusal} If two methods use one key.
 */
export function lossTerms(model: Model, step: TrainStep): LossTerms {
  const { fusion, methods, criterion = crossEntropy } = model;
  const own = fusion.loss?.(step.output, step.labels, step.scope, step.keep) ??
    { joint: criterion(step.output.logits, step.labels) };
  let task: Record<string, tf.Tensor> = own;
  for (const method of methods) {
    task = method.taskLoss?.(task as Record<string, tf.Tensor1D>, step) ?? task;
  }
  const terms: Record<string, tf.Scalar> = {};
  const add = (from: string, added: Record<string, tf.Tensor>) => {
    for (const [key, value] of Object.entries(added)) {
      if (Object.hasOwn(terms, key)) {
        throw new Refusal({
          what: `add loss term "${key}" of ${from}`,
          must: "every key must be unique",
          found: "the key is taken",
        });
      }
      terms[key] = value.rank === 0 ? value as tf.Scalar : step.mean(value as tf.Tensor1D);
    }
  };
  add("the fusion", task);
  const taskKeys = Object.keys(terms);
  for (const method of methods) add(`method "${method.name}"`, method.loss?.(step) ?? {});
  return { terms, task: taskKeys };
}
