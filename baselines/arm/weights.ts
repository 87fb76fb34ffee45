/**
 * Dynamic feature-level fusion: weights on every modality's features.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { at, type ByModality, byModality } from "../../core/modality.ts";
import type { Features, Step } from "../../core/kinds/mod.ts";
import { fusionWeights, ranged } from "../../miv/valuation.ts";
import { ones } from "../../nn/initializers.ts";
import type { FeatureWeightOptions } from "./options.ts";
import { ARM_GROUP, crossedOf } from "./released.ts";
import { type Target, valuate, type Valuation, type Valuing } from "./valuation.ts";

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
function valueNow(step: Step, classes: tf.Tensor1D, valuing: Valuing): Valuation {
  const target: Target = {
    stage: "features",
    classes,
    output: step.subset(step.modalities),
    weights: step.scope.weights(),
  };
  return valuate(step, target, valuing, step.scope.mode === "train");
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
  options: FeatureWeightOptions,
  valuing: Valuing,
  column: string,
  meanControl: string,
): Weighted {
  const m = step.modalities.length;
  const by = (weights: tf.Tensor2D, value?: Valuation): Weighted => ({ features: scaledBy(step, weights), value });
  if (step.scope.mode === "train") {
    if (options.dfe === "crossed") {
      const value = valueNow(step, step.visibleLabels!, valuing);
      return by(crossedOf(value, step, valuing.options.index), value);
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
      const value = valueNow(step, classes, valuing);
      const crossed = leaky && options.dfe === "crossed";
      return by(
        crossed ? crossedOf(value, step, valuing.options.index) : fusionWeights(ranged(value.phi, options.range)),
        value,
      );
    }
  }
}
