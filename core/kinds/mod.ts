/**
 * Contracts of everything that can be swapped, a file for each kind. A part is a plain value; importing it does nothing.
 *
 * @module
 */
import { augmentationKind } from "./augmentation.ts";
import { datasetKind } from "./dataset.ts";
import { encoderKind } from "./encoder.ts";
import { engineKind } from "./engine.ts";
import { estimatorKind } from "./estimator.ts";
import { fusionKind } from "./fusion.ts";
import { gridKind } from "./grid.ts";
import type { PartOf } from "./kind.ts";
import { lossKind } from "./loss.ts";
import { methodKind } from "./method.ts";
import { samplerKind } from "./sampler.ts";
import { setKind } from "./set.ts";

export * from "./about.ts";
export * from "./alignment.ts";
export * from "./augmentation.ts";
export * from "./dataset.ts";
export * from "./encoder.ts";
export * from "./engine.ts";
export * from "./estimator.ts";
export * from "./fusion.ts";
export * from "./grid.ts";
export * from "./host.ts";
export * from "./kind.ts";
export * from "./loss.ts";
export * from "./method.ts";
export * from "./sampler.ts";
export * from "./set.ts";
export * from "./step.ts";

/** The kinds that armlab brings, in the order in which they are listed. A library takes more by `addKind`. */
export const builtinKinds = {
  dataset: datasetKind,
  encoder: encoderKind,
  fusion: fusionKind,
  method: methodKind,
  estimator: estimatorKind,
  loss: lossKind,
  sampler: samplerKind,
  augmentation: augmentationKind,
  set: setKind,
  engine: engineKind,
  grid: gridKind,
} as const;

/** Names of the kinds that armlab brings. */
export type BuiltinKind = keyof typeof builtinKinds;

/** The part of each of them. */
export type Kinds = { readonly [K in BuiltinKind]: PartOf<(typeof builtinKinds)[K]> };
