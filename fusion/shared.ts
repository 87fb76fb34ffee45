/**
 * What several fusions share: how a dropped modality's feature is filled, heads of modalities and their losses.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { at, type ByModality, byModality, mapByModality } from "../core/modality.ts";
import type { ChoiceOption } from "../core/options.ts";
import type {
  Alignment,
  Features,
  Fusion,
  FusionOutput,
  Keep,
  KeepFill,
  ModelContext,
  Solo,
  Transport,
} from "../core/kinds/mod.ts";
import { Refusal } from "../core/refusal.ts";
import type { Scope } from "../core/scope.ts";
import { crossEntropy } from "../losses/cross_entropy.ts";
import { whereKept } from "../losses/kept.ts";
import { xavierNormal, zeros } from "../nn/initializers.ts";

/** The option `keepFill`. */
export const keepFillOption: ChoiceOption<KeepFill> = {
  type: "choice",
  choices: ["zero", "mean"],
  default: "zero",
  about: "what a dropped modality's feature becomes: zero, or its training mean",
  source: "zero as in the released codes",
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

/** [1; f]: a column of ones before the feature, [B, d] to [B, d + 1]. */
export function withOne(f: tf.Tensor2D): tf.Tensor2D {
  return tf.concat([tf.ones([f.shape[0], 1]) as tf.Tensor2D, f], 1);
}

/** Parts of all modalities beside each other in sorted order, those dropped at 0: [B, sum of widths]. */
export function joinedParts(parts: ByModality<tf.Tensor2D>, keep: Keep): tf.Tensor2D {
  const kept = mapByModality(
    parts,
    (part, modality) => keep === null ? part : tf.mul(part, at(keep, modality)) as tf.Tensor2D,
  );
  return tf.concat(Object.values(kept), 1);
}

/** Sum of tensors of one shape. */
export function total(tensors: readonly tf.Tensor2D[]): tf.Tensor2D {
  return tensors.length === 1 ? tensors[0] : tf.addN(tensors as tf.Tensor2D[]);
}

/**
 * The modality that a fusion treats apart: the named one, or by default the second in sorted order (the only one of one).
 *
 * @throws {Refusal} If there is no modality of that name.
 */
export function targetOf(fusion: string, name: string, modalities: readonly string[]): string {
  if (name === "") return modalities[Math.min(1, modalities.length - 1)];
  if (modalities.includes(name)) return name;
  throw new Refusal({
    what: `use fusion "${fusion}" with target "${name}"`,
    must: "the target must be a modality",
    found: `modalities are ${modalities.join(", ")}`,
  });
}

/**
 * Checks that heads of attention divide the width of tokens.
 *
 * @throws {Refusal} If they do not.
 */
export function headsDivide(fusion: string, width: number, heads: number): void {
  if (width % heads === 0) return;
  throw new Refusal({
    what: `use fusion "${fusion}"`,
    must: "its heads must divide its width",
    found: `${heads} do not divide ${width}`,
  });
}

/** Which losses a fusion with heads of its own is trained by. */
export type HeadLoss = "joint" | "separate" | "both";

/** The option `loss`. */
export const lossOption: ChoiceOption<HeadLoss> = {
  type: "choice",
  choices: ["joint", "separate", "both"],
  default: "joint",
  about: "cross-entropy of the average, of each head, or both",
  source: "MMTM's paper; separate as in Greedy's released code",
};

/** One linear head per modality and the weighted average of those that are kept. */
export interface AveragedHeads {
  forward(
    features: ByModality<Features>,
    keep: Keep,
    scope: Scope,
    combine?: (own: ByModality<tf.Tensor2D>, shares: ByModality<tf.Tensor>) => tf.Tensor2D,
  ): FusionOutput;
  /** Kernels [d_u, C] of the averaged logits: each head's, times its share. */
  kernels(features: ByModality<Features>, scope: Scope): ByModality<tf.Tensor2D>;
  /** Merges the heads of two trained copies: classes keep their places. */
  align(alignment: Alignment, features: ByModality<Transport>): void;
  /** Parts of the averaged logits, and the heads' own logits. */
  solo(features: ByModality<Features>, scope: Scope): Solo;
}

/** Merges the heads `head:<modality>` of two trained copies: classes keep their places. */
export function alignHeads(alignment: Alignment, features: ByModality<Transport>): void {
  for (const [modality, incoming] of Object.entries(features)) {
    alignment.layer({
      inputs: [[`head:${modality}/kernel`, incoming]],
      bias: `head:${modality}/bias`,
      fixed: true,
    });
  }
}

/** Weighted sum of each modality's tensor. */
export function weightedSum(own: ByModality<tf.Tensor2D>, shares: ByModality<tf.Tensor>): tf.Tensor2D {
  return total(Object.keys(own).sort().map((modality) => tf.mul(own[modality], at(shares, modality)) as tf.Tensor2D));
}

/**
 * Heads l_u = W_u f_u + b_u in the groups `head:<modality>`, averaged with weights.
 *
 * @param weights One per modality in sorted order; their shares among those kept count.
 */
export function averagedHeads(
  { modalities, classes }: ModelContext,
  weights: readonly number[] = modalities.map(() => 1),
): AveragedHeads {
  const kernel = (f: tf.Tensor2D, modality: string, scope: Scope) =>
    scope.group(`head:${modality}`).param("kernel", [f.shape[1], classes], xavierNormal) as tf.Tensor2D;
  const unbiased = (f: tf.Tensor2D, modality: string, scope: Scope) =>
    tf.matMul(f, kernel(f, modality, scope)) as tf.Tensor2D;
  const head = (f: tf.Tensor2D, modality: string, scope: Scope) =>
    tf.add(
      unbiased(f, modality, scope),
      scope.group(`head:${modality}`).param("bias", [classes], zeros),
    ) as tf.Tensor2D;
  const shares = (keep: Keep): Record<string, tf.Tensor> => {
    const weighted = byModality(
      modalities,
      (modality, index) => keep === null ? tf.scalar(weights[index]) : tf.mul(at(keep, modality), weights[index]),
    );
    // With nothing kept the average is of nothing: 0.
    const sum = tf.maximum(tf.addN(Object.values(weighted)), 1e-12);
    return mapByModality(weighted, (own) => tf.div(own, sum));
  };
  return {
    forward(features, keep, scope, combine = weightedSum) {
      const own = mapByModality(features, ({ pooled }, modality) => head(pooled, modality, scope));
      const logits = combine(own, shares(keep));
      return { fused: logits, logits, own };
    },
    kernels(features, scope) {
      const share = shares(null);
      return mapByModality(
        features,
        ({ pooled }, modality) => tf.mul(kernel(pooled, modality, scope), at(share, modality)) as tf.Tensor2D,
      );
    },
    align: alignHeads,
    solo(features, scope) {
      const share = shares(null);
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
  };
}

/**
 * The `loss` of a fusion with own heads; nothing for `"joint"`, which is the harness's default.
 *
 * @param weights Weight of each head's cross-entropy.
 */
export function headLosses(
  kind: HeadLoss,
  weights: ByModality<number>,
): Pick<Fusion, "loss"> {
  if (kind === "joint") return {};
  return {
    loss({ logits, own }: FusionOutput, labels: tf.Tensor1D, _scope: Scope, keep: Keep) {
      const terms: Record<string, tf.Tensor1D> = kind === "both" ? { joint: crossEntropy(logits, labels) } : {};
      for (const [modality, head] of Object.entries(own!)) {
        const term = tf.mul(crossEntropy(head, labels), at(weights, modality)) as tf.Tensor1D;
        // A sample counts for the heads of the modalities that it has.
        terms[`head:${modality}`] = whereKept(term, keep, modality);
      }
      return terms;
    },
  };
}
