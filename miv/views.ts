/**
 * What is compared with what before information is estimated.
 *
 * @module
 */
import { Refusal } from "../core/refusal.ts";
import * as tf from "@tensorflow/tfjs";
import { type ByModality, mapByModality, modalitiesOf, valuesOf } from "../core/modality.ts";
import { centred } from "./valuation.ts";

/**
 * - `"aligned"`: solo images z_u with the bias-free fused feature; coordinate k of both means the same.
 * - `"raw"`: the encoders' own features f_u with the fused feature; widths must be equal.
 * - `"official"`: f_u with a random projection of all features that is never trained, as in the released code. Coordinates
 *   are paired at random, so what it finds is mostly bias.
 */
export type View = "aligned" | "raw" | "official";
/** Whether the batch mean per coordinate is subtracted before estimating. */
export type Centring = "batch" | "none";

/** Where the vectors of a view come from. */
export interface ViewSources {
  /** Solo images and bias-free fused feature; asked for by `"aligned"` only. */
  solo(): { readonly parts: ByModality<tf.Tensor2D>; readonly fused: tf.Tensor2D };
  /** Features f_u of the encoders, [B, d_u]. */
  readonly pooled: ByModality<tf.Tensor2D>;
  /** Fused feature f_y, [B, d]. */
  readonly fused: tf.Tensor2D;
  /** Fixed random matrix [sum of d_u, d_u] for `"official"`; bins of [min, max] make its scale irrelevant. */
  projection?(): tf.Tensor2D;
}

/** Parts and what they are compared with. */
export interface Compared {
  readonly parts: ByModality<tf.Tensor2D>;
  readonly fused: tf.Tensor2D;
}

/**
 * The vectors of a view, centred as asked.
 *
 * @param weights Sample weights [B]: rows of weight 0 do not enter the mean.
 * @throws {Refusal} If widths do not fit the view.
 */
export function viewOf(view: View, centring: Centring, sources: ViewSources, weights: tf.Tensor1D): Compared {
  const { parts, fused } = uncentred(view, sources);
  if (centring === "none") return { parts, fused };
  return { parts: mapByModality(parts, (part) => centred(part, weights)), fused: centred(fused, weights) };
}

function uncentred(view: View, sources: ViewSources): Compared {
  if (view === "aligned") return sources.solo();
  const { pooled } = sources;
  if (view === "raw") {
    checkWidths(pooled, sources.fused.shape[1], "the fused feature");
    return { parts: pooled, fused: sources.fused };
  }
  const projection = sources.projection?.();
  if (projection === undefined) {
    throw new Refusal({
      what: 'take the view "official"',
      must: "it needs a random projection",
      found: "none is given",
    });
  }
  checkWidths(pooled, projection.shape[1], "the projection");
  return { parts: pooled, fused: tf.matMul(tf.concat(valuesOf(pooled), 1) as tf.Tensor2D, projection) };
}

function checkWidths(pooled: ByModality<tf.Tensor2D>, width: number, other: string): void {
  for (const modality of modalitiesOf(pooled)) {
    if (pooled[modality].shape[1] !== width) {
      throw new Refusal({
        what: `compare features of "${modality}" with ${other}`,
        must: "both must have one width",
        found: `found ${pooled[modality].shape[1]} and ${width}`,
        hint: 'the view "aligned" has no such need',
      });
    }
  }
}
