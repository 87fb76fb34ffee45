/**
 * The tensors of a model: its parameters and buffers by name, found by running it once, and their start values.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { byModality, mapByModality } from "../core/modality.ts";
import * as names from "../core/names.ts";
import type { Dataset } from "../core/kinds/mod.ts";
import { type Engine, float32, type NamedHostTensors, type NamedSpecs } from "../core/program.ts";
import type { Random } from "../core/random.ts";
import { groupOf } from "../core/scope.ts";
import type { Optimizer } from "../nn/optimizers.ts";
import { type Asked, discover } from "../nn/scope.ts";
import { HARNESS_CONTROLS, type Merged, mergeDeclarations, startRows } from "./declarations.ts";
import { ratesByLayer } from "./layer_rates.ts";
import { lossTerms, trainStep } from "./losses.ts";
import { forward } from "./forward.ts";
import { accumulateFeatures, encode, type Model } from "./model.ts";
import { selects } from "./select.ts";

/** What a model is made of. */
export interface Layout {
  /** Parameters by full name, sorted. */
  readonly params: NamedSpecs;
  /** Buffers by full name, sorted. */
  readonly buffers: NamedSpecs;
  /** Pooled width per modality. */
  readonly widths: Readonly<Record<string, number>>;
  /** How each parameter and buffer starts, by device name. */
  readonly asked: ReadonlyMap<string, Asked>;
  /** Buffers that start as a parameter does: that parameter by full name. */
  readonly copies: ReadonlyMap<string, string>;
  /** Factors on the learning rate of single parameters, by full name. @default none */
  readonly rates?: Readonly<Record<string, number>>;
}

/** Width of every modality's pooled feature, found by running the encoders for their shapes. */
export function featureWidths(
  model: Model,
  dataset: Pick<Dataset, "modalities">,
  engine: Pick<Engine, "abstract">,
): Readonly<Record<string, number>> {
  const widths: Record<string, number> = {};
  discover((scope) => {
    const inputs = byModality(model.context.modalities, (modality) => {
      const { shape, dtype } = dataset.modalities[modality];
      return tf.zeros([1, ...shape], dtype);
    });
    for (const [modality, { pooled }] of Object.entries(encode(model, inputs, null, scope))) {
      widths[modality] = pooled.shape[1];
    }
  }, { controls: HARNESS_CONTROLS, abstract: (run) => engine.abstract(run), mode: "eval" });
  return widths;
}

/** What the methods of a model declare, with widths found by running its encoders where a column asks for them. */
export function mergedOf(
  model: Model,
  dataset: Pick<Dataset, "modalities">,
  engine: Pick<Engine, "abstract">,
): Merged {
  let widths: Readonly<Record<string, number>> | null = null;
  return mergeDeclarations(
    model.methods.map(({ declares }) => declares),
    (modality) => (widths ??= featureWidths(model, dataset, engine))[modality],
  );
}

/** Finds every parameter and buffer of a model by running it once for its shapes. */
export function layoutOf(
  model: Model,
  dataset: Pick<Dataset, "modalities">,
  merged: Merged,
  engine: Pick<Engine, "abstract">,
  batch: number,
): Layout {
  const { modalities } = model.context;
  const widths: Record<string, number> = {};
  const found = discover((scope) => {
    const pass = forward(model, {
      inputs: byModality(modalities, (modality) => {
        const { shape, dtype } = dataset.modalities[modality];
        return tf.zeros([batch, ...shape], dtype);
      }),
      blank: mapByModality(model.blank ?? {}, ({ shape }) => tf.zeros([...shape])),
      keep: merged.keep ? byModality(modalities, () => tf.ones([batch, 1])) : null,
      rows: (column) => startRows(merged, column, batch),
      labels: tf.zeros([batch], "int32"),
    }, scope);
    for (const modality of modalities) widths[modality] = pass.encoded[modality].pooled.shape[1];
    const step = trainStep(pass.step, tf.zeros([batch], "int32"), tf.ones([batch]));
    lossTerms(model, step);
    for (const method of model.methods) {
      method.rates?.(step);
      method.emit?.(step);
    }
    accumulateFeatures(pass.encoded, tf.ones([batch]), pass.step.keep, scope);
  }, { controls: merged.controls, scalars: merged.scalars, abstract: (run) => engine.abstract(run) });
  const asked = new Map<string, Asked>();
  const specs = (family: names.NameFamily, own: ReadonlyMap<string, Asked>): NamedSpecs => {
    const known = [...own.keys()].sort();
    for (const full of known) asked.set(family.of(full), own.get(full)!);
    return Object.fromEntries(known.map((full) => [full, { shape: own.get(full)!.shape, dtype: "float32" }]));
  };
  const params = specs(names.param, found.params);
  const copies = new Map<string, string>();
  for (const [prefix, groups] of Object.entries(merged.copies)) {
    for (const full of Object.keys(params)) if (selects(groups, groupOf(full))) copies.set(`${prefix}/${full}`, full);
  }
  const buffers: Record<string, NamedSpecs[string]> = { ...specs(names.buffer, found.buffers) };
  for (const [copy, full] of copies) buffers[copy] = params[full];
  const rates = ratesByLayer(model, dataset.modalities, (run) => engine.abstract(run));
  return { params, buffers: sorted(buffers), widths, asked, copies, rates };
}

function sorted<T>(values: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.keys(values).sort().map((name) => [name, values[name]]));
}

/**
 * Start values of parameters and buffers, by device name.
 *
 * A parameter's start depends on the seed and its own full name alone: adding a method or another modality does not change
 * how the rest starts, so paired comparisons start from the same weights.
 *
 * @param given Values by full name that take the place of those drawn: pretrained weights.
 */
export function startValues(
  layout: Layout,
  random: Random,
  given: Readonly<NamedHostTensors> = {},
): NamedHostTensors {
  const values: NamedHostTensors = {};
  for (const family of [names.param, names.buffer]) {
    for (const [name, { shape, init }] of layout.asked) {
      if (!family.has(name)) continue;
      const full = family.rest(name);
      values[name] = given[full] ?? float32(init(shape, random.split(full)), shape);
    }
  }
  for (const [copy, full] of layout.copies) {
    const { data, shape } = values[names.param.of(full)];
    values[names.buffer.of(copy)] = float32((data as Float32Array).slice(), shape);
  }
  return values;
}

/** Start values of the parameters of some groups, by full name. */
export function startParams(
  layout: Layout,
  random: Random,
  groups: readonly string[],
  given: Readonly<NamedHostTensors> = {},
): Record<string, Float32Array> {
  const chosen = Object.keys(layout.params).filter((full) => selects(groups, groupOf(full)));
  return Object.fromEntries(chosen.map((full) => {
    const { shape, init } = layout.asked.get(names.param.of(full))!;
    const own = given[full]?.data as Float32Array | undefined;
    return [full, own?.slice() ?? init(shape, random.split(full))];
  }));
}

/** What an optimiser adds to a model's tensors, by device name: slots and counts of updates, all 0. */
export function optimizerValues(layout: Layout, optimizer: Optimizer): NamedHostTensors {
  const values: NamedHostTensors = {};
  for (const [full, { shape }] of Object.entries(layout.params)) {
    const size = shape.reduce((product, extent) => product * extent, 1);
    for (const slot of optimizer.slots) values[names.slotOf(slot, full)] = float32(new Float32Array(size), shape);
    values[names.updates.of(groupOf(full))] = float32([0], []);
  }
  return values;
}
