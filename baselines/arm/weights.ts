/**
 * Dynamic feature-level fusion: weights on every modality's features.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { at, type ByModality, byModality } from "../../core/modality.ts";
import type { Features, Step } from "../../core/kinds/mod.ts";
import { contributions, fusionWeights, ranged } from "../../miv/valuation.ts";
import { ones } from "../../nn/initializers.ts";
import type { ArmOptions } from "./options.ts";
import { ARM_GROUP, type Target, valuate, type Valuation } from "./valuation.ts";

/**
 * The released code's weights of two modalities: w_1 = pcmi_2 / pcmi_1 and w_2 = pcmi_1 / pcmi_2, one pair for the whole
 * batch. Unbounded, and negative where a contribution is.
 *
 * @param phi Contributions of the batch, [1, 2].
 */
export function crossedWeights(phi: tf.Tensor2D): tf.Tensor2D {
  const [first, second] = tf.split(phi, 2, 1);
  return tf.concat([tf.div(second, first), tf.div(first, second)], 1) as tf.Tensor2D;
}

/** Multiplies a modality's features by a weight [B, 1]: pooled, tokens, and the deepest map for fusions that read maps. */
export function scaled(features: Features, weight: tf.Tensor): Features {
  const along = (x: tf.Tensor) => tf.mul(x, tf.reshape(weight, [-1, ...new Array<number>(x.rank - 1).fill(1)]));
  return {
    ...features,
    pooled: along(features.pooled) as tf.Tensor2D,
    ...(features.tokens === undefined ? {} : { tokens: along(features.tokens) as tf.Tensor3D }),
    ...(features.stages === undefined ? {} : {
      stages: features.stages.map((map, level) => level === features.stages!.length - 1 ? along(map) : map),
    }),
  };
}

function scaledBy(step: Step, weights: tf.Tensor2D): ByModality<Features> {
  const columns = tf.split(weights, step.modalities.length, 1);
  return byModality(step.modalities, (modality, u) => scaled(at(step.features, modality), columns[u]));
}

/** Values the batch before fusion: for weights that are computed from the batch itself. */
function valueNow(step: Step, classes: tf.Tensor1D, options: ArmOptions): Valuation {
  const target: Target = { classes, output: step.subset(step.modalities), weights: step.scope.weights() };
  return valuate(step, target, options, step.scope.mode === "train");
}

/** Weights of the released code, [1, 2], from the means of the batch. */
function crossedOf({ p, solo, nmi, ncmi }: Valuation, step: Step, options: ArmOptions): tf.Tensor2D {
  const weights = step.scope.weights() ?? (tf.onesLike(p) as tf.Tensor1D);
  const share = tf.reshape(tf.div(weights, tf.maximum(tf.sum(weights), 1e-12)), [1, -1]) as tf.Tensor2D;
  const mean = <T extends tf.Tensor>(x: T): T =>
    tf.reshape(tf.matMul(share, tf.reshape(x, [x.shape[0], -1]) as tf.Tensor2D), [1, ...x.shape.slice(1)]) as T;
  return crossedWeights(contributions(mean(p), mean(solo), mean(nmi), mean(ncmi), options.index));
}

/** Features times their weights. */
export interface Weighted {
  /** `undefined` where they are not changed. */
  readonly features: ByModality<Features> | undefined;
  /** The valuation of this batch that gave the weights, if one did. */
  readonly value?: Valuation;
}

/**
 * Features times their weights.
 *
 * In prediction no label is involved but with `fwTest: "leaky"`, which the method declares. Weights that are valued in
 * prediction are left at 1 where a modality is dropped, as they would carry its content into the others.
 *
 * @param column Table column of this epoch's weights.
 * @param meanControl Control that holds their mean, [m].
 */
export function weightedFeatures(
  step: Step,
  options: ArmOptions,
  column: string,
  meanControl: string,
): Weighted {
  const m = step.modalities.length;
  const by = (weights: tf.Tensor2D, value?: Valuation): Weighted => ({ features: scaledBy(step, weights), value });
  if (step.scope.mode === "train") {
    if (options.fusionRule === "crossed") {
      const value = valueNow(step, step.visibleLabels!, options);
      return by(crossedOf(value, step, options), value);
    }
    if (options.fwTest === "dataset-mean") {
      // Kept as a buffer: it must belong to the parameters that are tested, which may be an earlier epoch's.
      const group = step.scope.group(ARM_GROUP);
      group.buffer("fusion-weights", [1, m], ones);
      group.update("fusion-weights", tf.reshape(step.scope.control(meanControl), [1, m]));
    }
    return by(step.rows(column));
  }
  switch (options.fwTest) {
    case "one":
      return { features: undefined };
    case "dataset-mean":
      return by(step.scope.group(ARM_GROUP).buffer("fusion-weights", [1, m], ones) as tf.Tensor2D);
    case "confidence":
    case "leaky": {
      if (step.keep !== null) return { features: undefined };
      const leaky = options.fwTest === "leaky";
      const classes = leaky ? step.visibleLabels! : tf.argMax(step.subset(step.modalities).logits, 1) as tf.Tensor1D;
      const value = valueNow(step, classes, options);
      const crossed = leaky && options.fusionRule === "crossed";
      return by(crossed ? crossedOf(value, step, options) : fusionWeights(ranged(value.phi, options.range)), value);
    }
  }
}
