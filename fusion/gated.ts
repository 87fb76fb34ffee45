/**
 * Gated fusion in its three readings.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { at, mapByModality } from "../core/modality.ts";
import type { SpecsFor } from "../core/options.ts";
import { defineFusion, type Fusion, type FusionPlugin, type KeepFill, type ModelContext } from "../core/kinds/mod.ts";
import { Refusal } from "../core/refusal.ts";
import { xavierNormal } from "../nn/initializers.ts";
import { linear } from "../nn/linear.ts";
import { keepFillOption, keptFeatures, targetOf, total } from "./shared.ts";

/** Options of `gated` and `bigated`. */
export interface GatedOptions {
  readonly variant: "gated" | "bilinear-gated" | "bidirectional";
  readonly target: string;
  readonly width: number;
  readonly rank: number;
  readonly generalisation: "product" | "pairwise";
  readonly keepFill: KeepFill;
}

function gatedFusion(name: string, options: GatedOptions, { modalities, classes }: ModelContext): Fusion {
  const { variant, width, rank, generalisation, keepFill } = options;
  const aim = targetOf(name, options.target, modalities);
  if (variant === "bilinear-gated" && modalities.length !== 2) {
    throw new Refusal({
      what: `use fusion "${name}"`,
      must: "bilinear-gated is defined for two modalities",
      found: `found ${modalities.length}`,
      hint: "for more take lmf, or the variant gated or bidirectional",
    });
  }
  return {
    needs: {},
    soloMode: "ablate-mean",
    forward(features, keep, scope, means) {
      const pooled = keptFeatures(features, keep, keepFill, means);
      const size = variant === "bilinear-gated" ? rank : width;
      const h = mapByModality(
        pooled,
        (f, modality) =>
          linear(scope.group("fusion").in(modality), f, { width: size, kernelInit: xavierNormal }) as tf.Tensor2D,
      );
      const gated = (modality: string): tf.Tensor2D => {
        const own = at(h, modality);
        const gates = modalities.filter((other) => other !== modality).map((other) => tf.sigmoid(at(h, other)));
        if (gates.length === 0) return own;
        return tf.mul(
          own,
          generalisation === "pairwise" ? total(gates) : gates.reduce((all, gate) => tf.mul(all, gate)),
        );
      };
      let fused: tf.Tensor2D;
      switch (variant) {
        case "gated":
          fused = gated(aim);
          break;
        case "bidirectional":
          fused = total(modalities.map(gated));
          break;
        case "bilinear-gated": {
          const [first, second] = modalities.map((modality) => at(h, modality));
          const outer = tf.mul(tf.expandDims(tf.sigmoid(first), 2), tf.expandDims(second, 1));
          fused = tf.reshape(outer, [-1, rank * rank]);
          break;
        }
      }
      const logits = linear(scope.group("head"), fused, { width: classes, kernelInit: xavierNormal }) as tf.Tensor2D;
      return { fused, logits };
    },
  };
}

const options = (variant: GatedOptions["variant"]): SpecsFor<GatedOptions> => ({
  variant: {
    type: "choice",
    choices: ["gated", "bilinear-gated", "bidirectional"],
    default: variant,
    about:
      "the others gate the target; vec(sigmoid(W_1 f_1) x W_2 f_2), two modalities only; each is gated by the others, summed",
    source: "the released code of OGM-GE has gated; what ARM calls BiGated is not defined",
  },
  target: {
    type: "text",
    default: "",
    about: "gated: the modality that is gated; empty is the second in sorted order",
    source: "the released code of OGM-GE gates its second modality",
  },
  width: {
    type: "integer",
    default: 128,
    min: 1,
    tune: [64, 128, 256],
    about: "width of the projections h_u",
    source: "chosen here for small encoders; the released code has 512",
  },
  rank: {
    type: "integer",
    default: 16,
    min: 1,
    tune: [8, 16, 32, 64],
    about: "bilinear-gated: width r of the projections, r^2 fused",
    source: "chosen here: its square is near the width",
  },
  generalisation: {
    type: "choice",
    choices: ["product", "pairwise"],
    default: "product",
    about: "three or more modalities: a modality is multiplied by all others' gates, or by their sum (pair by pair)",
    source: "the paper has two modalities",
  },
  keepFill: keepFillOption,
});
const source = "Kiela et al., AAAI 2018; gated form as in Peng et al., OGM-GE, CVPR 2022";

/**
 * One modality gated by the others: f_y = h_t * prod over v != t of sigmoid(h_v), h_u = W_u f_u + b_u.
 *
 * Defined for two. With more, every further gate halves the product at the start; `pairwise` sums the gates instead.
 */
export const gated: FusionPlugin = defineFusion<GatedOptions>({
  name: "gated",
  symmetric: false,
  about: "one modality's projection gated by the others'",
  formula: "h_u = W_u f_u + b_u;  f_y = h_t * prod_{v != t} sigmoid(h_v);  l = V f_y + c",
  source,
  options: options("gated"),
  create: (resolved, context) => gatedFusion("gated", resolved, context),
});

/**
 * The paper's "BiGated" is ambiguous; this is its symmetric reading, f_y = sum_u h_u * prod over v != u of sigmoid(h_v).
 * `variant` gives the other two.
 */
export const bigated: FusionPlugin = defineFusion<GatedOptions>({
  name: "bigated",
  about: "every modality's projection gated by the others', summed",
  formula: "h_u = W_u f_u + b_u;  f_y = sum_u h_u * prod_{v != u} sigmoid(h_v);  l = V f_y + c",
  source,
  options: options("bidirectional"),
  create: (resolved, context) => gatedFusion("bigated", resolved, context),
});
