/**
 * Losses of one modality in batches where samples lack modalities.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { at } from "../core/modality.ts";
import type { Keep } from "../core/kinds/mod.ts";

/**
 * Per-sample terms of one modality, 0 where the modality is dropped from the sample.
 *
 * @param terms [B].
 * @param keep The batch's mask, or `null` if every sample has all.
 */
export function whereKept(terms: tf.Tensor1D, keep: Keep, modality: string): tf.Tensor1D {
  return keep === null ? terms : tf.mul(terms, tf.reshape(at(keep, modality), [-1]));
}
