/**
 * What several fusions share: how a dropped modality's feature is filled.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { at, type ByModality, mapByModality } from "../core/modality.ts";
import type { OptionSpec } from "../core/options.ts";
import type { Features, Keep, KeepFill } from "../core/plugin.ts";

/** The option `keepFill`. */
export const keepFillOption: Extract<OptionSpec, { type: "choice" }> & {
  readonly choices: readonly KeepFill[];
  readonly default: KeepFill;
} = {
  type: "choice",
  choices: ["zero", "mean"],
  default: "zero",
  about: "what a dropped modality's feature becomes: zero, or its training mean",
};

/**
 * Pooled features with dropped modalities filled.
 *
 * @returns [B, d_u] per modality: keep f + (1 - keep) fill.
 */
export function keptFeatures(
  features: ByModality<Features>,
  keep: Keep,
  fill: KeepFill,
  means: ByModality<tf.Tensor2D>,
): Record<string, tf.Tensor2D> {
  return mapByModality(features, ({ pooled }, modality) => {
    if (keep === null) return pooled;
    const mask = at(keep, modality);
    const kept = tf.mul(pooled, mask);
    return fill === "zero" ? kept : tf.add(kept, tf.mul(tf.sub(1, mask), at(means, modality)));
  }) as Record<string, tf.Tensor2D>;
}

/** Sum of tensors of one shape. */
export function total(tensors: readonly tf.Tensor2D[]): tf.Tensor2D {
  return tensors.length === 1 ? tensors[0] : tf.addN(tensors as tf.Tensor2D[]);
}

/**
 * The modality that a fusion treats apart: the named one, or by default the second in sorted order (the only one of one).
 *
 * @throws {RangeError} If there is no modality of that name.
 */
export function targetOf(fusion: string, name: string, modalities: readonly string[]): string {
  if (name === "") return modalities[Math.min(1, modalities.length - 1)];
  if (modalities.includes(name)) return name;
  throw new RangeError(`Cannot use fusion "${fusion}" with target "${name}": modalities are ${modalities.join(", ")}`);
}
