/**
 * The measurement of information as a program, for any engine.
 *
 * @module
 */
import type * as tf from "@tensorflow/tfjs";
import { type ByModality, byModality } from "../core/modality.ts";
import * as names from "../core/names.ts";
import type { Program, TensorSpec } from "../core/program.ts";
import { informationOf, type InformationOptions } from "./estimators/information.ts";

/**
 * Normalised mutual information between parts and the fused feature, without labels.
 *
 * Inputs `part:<m>` and `fused` [B, d], already centred per coordinate, and `weights` [B], 0 for padding, which count for
 * granularity `"batch"`; outputs `nmi` [B, m] and `ncmi` [B, m, m].
 */
export function informationProgram(
  modalities: readonly string[],
  batchSize: number,
  width: number,
  options: InformationOptions = {},
): Program {
  const vectors: TensorSpec = { shape: [batchSize, width], dtype: "float32" };
  const inputs: Record<string, TensorSpec> = { fused: vectors, weights: { shape: [batchSize], dtype: "float32" } };
  for (const modality of modalities) inputs[names.part.of(modality)] = vectors;
  return {
    name: `information/${width}`,
    state: {},
    inputs,
    apply(_, fed) {
      const parts: ByModality<tf.Tensor2D> = byModality(modalities, (name) => fed[names.part.of(name)] as tf.Tensor2D);
      const { nmi, ncmi } = informationOf(parts, fed["fused"] as tf.Tensor2D, options, fed["weights"] as tf.Tensor1D);
      return { state: {}, outputs: { nmi, ncmi } };
    },
  };
}
