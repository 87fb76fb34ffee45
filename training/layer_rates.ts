/**
 * Learning rates that fall from an encoder's last layer to its first.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { at, type ByModality } from "../core/modality.ts";
import type { Encoder, ModalityInfo } from "../core/kinds/mod.ts";
import type { Scope } from "../core/scope.ts";
import { discover } from "../nn/scope.ts";
import type { Abstract } from "./cost.ts";
import { encoderScope, type Model } from "./model.ts";

/** What runs an encoder's first `count` layers: a transformer's embedding counts as one of its own. */
function firstLayers({ stages, transformer }: Encoder, count: number, x: tf.Tensor, scope: Scope): void {
  if (count === 0) return;
  if (transformer === undefined) stages.slice(0, count).reduce((map, stage) => stage(map, scope, x), x);
  else if (count === 1) transformer.embed(x, scope);
  else stages.slice(0, count - 1).reduce((map, stage) => stage(map, scope, x), x);
}

/**
 * Factors on the learning rate of an encoder's parameters, decay^(n + 1 - k) for those of layer k of n: its stages, and the
 * embedding of a transformer before them. What its head adds (a last norm, a pooler) has 1.
 *
 * Clark et al., ELECTRA, ICLR 2020; with layers numbered as for BEiT (Bao et al., ICLR 2022).
 *
 * @returns By full name; without those of 1.
 */
export function layerRates(
  model: Model,
  modality: string,
  { shape, dtype }: ModalityInfo,
  decay: number,
  abstract: Abstract,
): Record<string, number> {
  const encoder = at(model.encoders, modality);
  const layers = encoder.stages.length + (encoder.transformer === undefined ? 0 : 1);
  const factors: Record<string, number> = {};
  for (let count = 1; count <= layers; count++) {
    const { params } = discover((scope) => {
      firstLayers(encoder, count, tf.zeros([1, ...shape], dtype), encoderScope(model, modality, scope));
    }, { abstract, mode: "eval" });
    for (const full of params.keys()) factors[full] ??= decay ** (layers + 1 - count);
  }
  return factors;
}

/** The factors of all encoders of a model, if it has a decay. */
export function ratesByLayer(
  model: Model,
  modalities: ByModality<ModalityInfo>,
  abstract: Abstract,
): Record<string, number> {
  const { layerDecay = 1, context, blank = {} } = model;
  if (layerDecay === 1) return {};
  // Where features stand in for an encoder there is nothing to train.
  const trained = context.modalities.filter((modality) => !Object.hasOwn(blank, modality));
  return Object.assign(
    {},
    ...trained.map((modality) => layerRates(model, modality, at(modalities, modality), layerDecay, abstract)),
  );
}
