/**
 * What the traced programs of a run are built from, and what they share.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { type ByModality, byModality } from "../../core/modality.ts";
import * as names from "../../core/names.ts";
import type { Dataset, Keep } from "../../core/kinds/mod.ts";
import type { NamedSpecs, NamedTensors, TensorSpec } from "../../core/program.ts";
import type { Merged } from "../declarations.ts";
import { type Model, subsetKeep } from "../model.ts";
import type { Layout } from "../state.ts";

/** What all programs of a run are built from. */
export interface ProgramParts {
  readonly model: Model;
  readonly modalities: Dataset["modalities"];
  readonly merged: Merged;
  readonly layout: Layout;
  readonly batchSize: number;
  /** Whether samples lack modalities: then every program is fed which each has, `present` [B, m]. @default {false} */
  readonly masked?: boolean;
  /** Whether training samples share groups that a method reads: then steps are fed `groups` [B]. @default {false} */
  readonly grouped?: boolean;
}

/** A spec, of float32 if nothing else is said. */
export function spec(shape: readonly number[], dtype: TensorSpec["dtype"] = "float32"): TensorSpec {
  return { shape, dtype };
}

/** Raw inputs of a batch. */
export function inputSpecs({ model, modalities, batchSize, masked = false }: ProgramParts): NamedSpecs {
  const specs: Record<string, TensorSpec> = Object.fromEntries(
    model.context.modalities.map((modality) => {
      const { shape, dtype } = modalities[modality];
      return [names.input.of(modality), spec([batchSize, ...shape], dtype)];
    }),
  );
  if (masked) specs["present"] = spec([batchSize, model.context.modalities.length]);
  for (const [modality, { shape }] of Object.entries(model.blank ?? {})) specs[names.blank.of(modality)] = spec(shape);
  return specs;
}

/** What a program is fed of a batch's inputs, as the forward pass wants it. */
export function fedInputs(
  { model }: ProgramParts,
  fed: Readonly<NamedTensors>,
): { readonly inputs: ByModality<tf.Tensor>; readonly blank: ByModality<tf.Tensor> } {
  const of = (modality: string) => fed[names.input.of(modality)];
  return { inputs: byModality(model.context.modalities, of), blank: names.blank.under(fed) };
}

/** Which modalities each sample of a batch has, or `null` where all have all. */
export function presentColumns({ model, masked = false }: ProgramParts, fed: Readonly<NamedTensors>): Keep {
  return masked ? keepColumns(fed["present"], model.context.modalities) : null;
}

/** Values that the host feeds. */
export function controlSpecs({ controls, scalars }: Merged): NamedSpecs {
  return Object.fromEntries(
    Object.entries(controls).map(([name, values]) => [
      names.control.of(name),
      spec(scalars.has(name) ? [] : [values.length]),
    ]),
  );
}

/** Parameters and buffers: the tensors that decide predictions. */
export function modelSpecs({ params, buffers }: Layout): NamedSpecs {
  return { ...names.param.over(params), ...names.buffer.over(buffers) };
}

/** Splits a mask [B, m] into columns [B, 1]. */
export function keepColumns(mask: tf.Tensor, modalities: readonly string[]): Keep {
  const columns = tf.split(mask, modalities.length, 1) as tf.Tensor2D[];
  return byModality(modalities, (_, index) => columns[index]);
}

/** A mask with all but some modalities dropped. */
export function restricted(keep: Keep, only: readonly string[], modalities: readonly string[], batch: number): Keep {
  const fixed = subsetKeep(modalities, only, batch)!;
  return keep === null
    ? fixed
    : byModality(modalities, (modality) => only.includes(modality) ? keep[modality] : fixed[modality]);
}
