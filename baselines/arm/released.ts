/**
 * What the released code does otherwise than the paper: crossed ratios of batch means as weights, a frozen random projection
 * in place of the fused feature, the joint head on raw features. Its estimates are `miv/estimators/official.ts`.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { at } from "../../core/modality.ts";
import type { Step, Valued } from "../../core/kinds/mod.ts";
import type { Random } from "../../core/random.ts";
import type { Scope } from "../../core/scope.ts";
import { contributions, type InteractionIndex } from "../../miv/valuation.ts";
import { xavierNormal, zeros } from "../../nn/initializers.ts";

/** Parameter group of what ARM adds to a model. */
export const ARM_GROUP = "aux:arm";

/** The joint head applied to other vectors of its input's width. @throws {TypeError} If the widths differ. */
export function jointHead(vectors: tf.Tensor2D, classes: number, scope: Scope): tf.Tensor2D {
  const head = scope.group("head");
  const kernel = head.param("kernel", [vectors.shape[1], classes], xavierNormal) as tf.Tensor2D;
  return tf.add(tf.matMul(vectors, kernel), head.param("bias", [classes], zeros)) as tf.Tensor2D;
}

/** The frozen random map of the released code: it gets no gradient there and stays as it was drawn. */
export function projection(step: Step): tf.Tensor2D {
  const widths = step.modalities.map((modality) => at(step.features, modality).pooled.shape[1]);
  const shape = [widths.reduce((sum, width) => sum + width, 0), widths[0]];
  const drawn = (size: readonly number[], random: Random) =>
    Float32Array.from({ length: size[0] * size[1] }, () => 0.01 * random.normal());
  return step.scope.group(ARM_GROUP).buffer("projection", shape, drawn) as tf.Tensor2D;
}

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

/** Weights of the released code, [1, 2], from the means of the batch. */
export function crossedOf(
  { p, solo, nmi, ncmi }: Pick<Valued, "p" | "solo" | "nmi" | "ncmi">,
  step: Step,
  index: InteractionIndex,
): tf.Tensor2D {
  const weights = step.scope.weights() ?? (tf.onesLike(p) as tf.Tensor1D);
  const share = tf.reshape(tf.div(weights, tf.maximum(tf.sum(weights), 1e-12)), [1, -1]) as tf.Tensor2D;
  const mean = <T extends tf.Tensor>(x: T): T =>
    tf.reshape(tf.matMul(share, tf.reshape(x, [x.shape[0], -1]) as tf.Tensor2D), [1, ...x.shape.slice(1)]) as T;
  return crossedWeights(contributions(mean(p), mean(solo), mean(nmi), mean(ncmi), index));
}
