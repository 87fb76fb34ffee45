/**
 * A training step as methods, losses and samplers see it. Symbols: B batch, C classes, m modalities.
 *
 * @module
 */
import type * as tf from "@tensorflow/tfjs";
import type { ByModality } from "../modality.ts";
import type { NamedTensors } from "../program.ts";
import type { Scope } from "../scope.ts";
import type { Features } from "./encoder.ts";
import type { FusionOutput, Keep, Solo } from "./fusion.ts";

/** A traced step as methods see it, in training and evaluation. */
export interface Step {
  readonly scope: Scope;
  /** Sorted names. */
  readonly modalities: readonly string[];
  readonly classes: number;
  /** Pooled features (and more) after all `features` hooks that ran so far. */
  readonly features: ByModality<Features>;
  /** The fusion's output after all `output` hooks that ran so far. */
  readonly output: FusionOutput;
  /** Modality mask of the batch, or `null` if every sample has all. */
  readonly keep: Keep;
  /** Class indices, int32 [B]: in training. `null` in prediction, but for methods that read labels. */
  readonly visibleLabels: tf.Tensor1D | null;
  /**
   * Groups of the rows by number, int32 [B]: rows of one group are no independent samples. In training, for methods that
   * declare `groups`; `null` where every training sample is a group of its own.
   */
  readonly groups: tf.Tensor1D | null;
  /** The modalities into which a parameter carries information from others, as the fusion says. */
  bypass(param: string): readonly string[];
  /**
   * Unimodal parts and readouts of the current features; computed once per step. In a `features` hook the readouts are the
   * fusion's own, later those of a method that has `readout`.
   */
  solo(): Solo;
  /** Output with only these modalities kept (feature level, no buffer updates); computed once per step and subset. */
  subset(kept: readonly string[]): FusionOutput;
  /** Output with any mask, columns [B, 1] of 0 and 1 (feature level, no buffer updates). */
  masked(keep: Keep): FusionOutput;
  /**
   * Output with every modality's features of other rows of the batch, modality u's of `rows[u]`, int32 [B] (feature level, no
   * buffer updates): a sample that is made of several.
   */
  rearranged(rows: ByModality<tf.Tensor1D>): FusionOutput;
  /** Kernels [d_u, C] of a fusion that is linear in its features, as `Fusion.kernels`; `null` if it is not. */
  kernels(): ByModality<tf.Tensor2D> | null;
  /**
   * Output with the raw inputs of all other modalities at zero, their encoders in evaluation mode; no buffer updates. The
   * kept ones' features are those of this step unless the fusion looks at stages. Computed once per step and subset.
   */
  zeroed(kept: readonly string[]): FusionOutput;
  /** Gathered rows [B, width] of a per-sample table column that a method declared. In evaluation: the initial value. */
  rows(column: string): tf.Tensor2D;
  /** Shares one result among methods: computed at the first call with this key in this step. */
  memo<T>(key: string, make: () => T): T;
}

/** A training step: a step with labels and weights. */
export interface TrainStep extends Step {
  /** Class indices, int32 [B]. */
  readonly labels: tf.Tensor1D;
  /** Sample weights [B]; 0 marks padding. */
  readonly weights: tf.Tensor1D;
  /** Weighted mean over the batch: sum(w x) / sum(w), for per-sample terms [B]. */
  mean(perSample: tf.Tensor1D): tf.Scalar;
}

/** Gradients of a training step, by full parameter name. */
export interface GradientBook {
  /** Keys of all loss terms: the task's, then the methods' in their order. */
  readonly keys: readonly string[];
  /** Keys of the task's own terms (`"joint"`, or the fusion's), after every `taskLoss`. */
  readonly task: readonly string[];
  /** Gradients of the sum of all loss terms. A fresh record at each call. */
  total(): NamedTensors;
  /** Gradients of the sum of some loss terms. */
  of(keys: readonly string[]): NamedTensors;
  /** The parameters' values. */
  readonly params: Readonly<NamedTensors>;
}
