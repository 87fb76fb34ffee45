/**
 * Multimodal transfer module.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { at, type ByModality, byModality, mapByModality } from "../core/modality.ts";
import { defineFusion, type FusionPlugin } from "../core/kinds/mod.ts";
import type { Scope } from "../core/scope.ts";
import { scaledSigmoid } from "../nn/activations.ts";
import { globalAveragePool } from "../nn/conv.ts";
import { zeros } from "../nn/initializers.ts";
import { linear } from "../nn/linear.ts";
import { averagedHeads, type HeadLoss, headLosses, lossOption } from "./shared.ts";

/** Options of `mmtm`. */
export interface MmtmOptions {
  readonly stages: number;
  readonly ratio: number;
  readonly scale: number;
  readonly loss: HeadLoss;
}

/** Share of a new batch in the running mean of a squeeze vector. */
const MOMENTUM = 0.1;

/**
 * The running mean [1, c] after a batch: of rows [B, c] with weight whose modality is kept, where there is such a row.
 *
 * @param kept 1 or 0 per row, [B, 1], or `null` for all.
 */
function runningMean(running: tf.Tensor2D, rows: tf.Tensor2D, kept: tf.Tensor2D | null, scope: Scope): tf.Tensor2D {
  const weights = scope.weights();
  const blend = (part: tf.Tensor, share: tf.Tensor | number) =>
    tf.add(part, tf.mul(running, tf.sub(1, share))) as tf.Tensor2D;
  if (weights === null && kept === null) return blend(tf.mul(tf.mean(rows, 0, true), MOMENTUM), MOMENTUM);
  const column = weights === null ? kept! : tf.reshape(weights, [-1, 1]) as tf.Tensor2D;
  const used = weights === null || kept === null ? column : tf.mul(column, kept) as tf.Tensor2D;
  const total = tf.sum(used);
  const share = tf.mul(tf.cast(tf.greater(total, 0), "float32"), MOMENTUM);
  // Every row by its part of the share, which modules and modalities have in common.
  const parts = tf.mul(used, tf.div(share, tf.maximum(total, 1e-12)));
  return blend(tf.sum(tf.mul(parts, rows), 0, true), share);
}

/**
 * Squeeze and excitation between stages: maps of all modalities, of any and unequal spatial sizes, are averaged over
 * space and time, joined, and gate the channels of each.
 *
 * A dropped modality enters the squeeze with the running training mean of its own vector, and its map is 0.
 */
export const mmtm: FusionPlugin = defineFusion<MmtmOptions>({
  name: "mmtm",
  symmetric: false, // the rows of the one squeeze kernel stand in sorted order of modalities
  about: "modalities gate each other's channels between the encoders' stages; averaged heads",
  formula: `S_u = mean_space A_u;  Z = relu(W [S_1; ...; S_m] + b), dim Z = floor(2 sum c_u / ratio)
    E_u = W_u Z + b_u;  A_u <- A_u * scale * sigmoid(E_u);  l = (1/m) sum_u head_u(f_u)`,
  source: "Joze et al., MMTM, CVPR 2020; the released codes leave the factor 2 of the paper out (scale 1)",
  options: {
    stages: {
      type: "integer",
      default: 3,
      min: 1,
      about: "how many of the deepest stages are gated",
      source: "Wu et al. (Greedy), ICML 2022",
      tune: [2, 3],
    },
    ratio: {
      type: "number",
      default: 4,
      min: 0.1,
      tune: [2, 4, 8],
      about: "reduction of the joint representation",
      source: "the paper",
    },
    scale: {
      type: "number",
      default: 2,
      min: 0,
      about: "factor of the gate; 2 is the identity at E = 0",
      source: "the paper",
      tune: [1, 2],
    },
    loss: lossOption,
  },
  create: ({ stages, ratio, scale, loss }, context) => {
    const { modalities } = context;
    const heads = averagedHeads(context);
    return {
      needs: { stages },
      soloMode: "own",
      late: true,
      bypass(param) {
        const [group, , part, modality] = param.split("/");
        if (group !== "fusion") return [];
        return part === "excite" ? [modality] : modalities;
      },
      channelGates(level, maps, keep, scope) {
        const module = scope.group("fusion").in(`mmtm${level + 1}`);
        const squeezed: ByModality<tf.Tensor2D> = mapByModality(maps, (map, modality) => {
          const own = globalAveragePool(map);
          const running = module.in(modality).buffer("squeeze-mean", [1, own.shape[1]], zeros) as tf.Tensor2D;
          const kept = keep === null ? null : at(keep, modality);
          module.in(modality).update("squeeze-mean", runningMean(running, own, kept, module));
          if (kept === null) return own;
          return tf.add(tf.mul(own, kept), tf.mul(running, tf.sub(1, kept))) as tf.Tensor2D;
        });
        const widths = mapByModality(squeezed, (s) => s.shape[1]);
        const total = Object.values(widths).reduce((sum, width) => sum + width, 0);
        const joined = tf.concat(modalities.map((modality) => at(squeezed, modality)), 1);
        const joint = tf.relu(
          linear(module.in("squeeze"), joined, { width: Math.max(1, Math.floor(2 * total / ratio)) }),
        );
        return mapByModality(widths, (width, modality) => {
          const gate = scaledSigmoid(linear(module.in("excite").in(modality), joint, { width }), scale) as tf.Tensor2D;
          return keep === null ? gate : tf.mul(gate, at(keep, modality)) as tf.Tensor2D;
        });
      },
      forward(features, keep, scope) {
        return heads.forward(features, keep, scope);
      },
      solo: (features, scope) => heads.solo(features, scope),
      ...headLosses(loss, byModality(modalities, () => 1)),
    };
  },
});
