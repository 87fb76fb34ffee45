/**
 * The tensors of a run: parameters, optimiser slots, buffers and counters, by name.
 *
 * Names on the device: `param:<full>`, `slot:<slot>/<full>`, `buffer:<full>`, `updates:<group>`.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { byModality } from "../core/modality.ts";
import type { ColumnSpec, Dataset, Declarations } from "../core/kinds/mod.ts";
import { type Engine, float32, type NamedHostTensors } from "../core/program.ts";
import type { Random } from "../core/random.ts";
import { groupOf } from "../core/scope.ts";
import type { Optimizer } from "../nn/optimizers.ts";
import { discover, initialise } from "../nn/scope.ts";
import { selects } from "./select.ts";
import { lossTerms, trainStep } from "./losses.ts";
import { accumulateFeatures, encode, forward, type Model } from "./model.ts";

/** Values that the harness itself feeds at every step. */
export const HARNESS_CONTROLS: Readonly<Record<string, number>> = { learningRate: 0, epoch: 0, progress: 0 };

/** A column of the per-sample table, its width known. */
export type Column = ColumnSpec & { readonly width: number };

/** What all methods of a run declare, merged. */
export interface Merged {
  readonly controls: Readonly<Record<string, readonly number[]>>;
  /** Whether a control is a scalar. */
  readonly scalars: ReadonlySet<string>;
  readonly columns: Readonly<Record<string, Column>>;
  /** Buffers that start as copies of parameters: groups by name. */
  readonly copies: Readonly<Record<string, readonly string[]>>;
  readonly keep: boolean;
  /** Whether a method's predictions read labels. */
  readonly leaksLabels: boolean;
}

function unknownWidth(modality: string): number {
  throw new Error(`Cannot size a column as the feature width of "${modality}" must be known: nobody said it`);
}

/**
 * Merges declarations. Methods may share a column or control of the same name and shape.
 *
 * @param widthOf Width of a modality's features, for columns that hold such.
 * @throws {RangeError} If two methods declare the same name differently.
 */
export function mergeDeclarations(
  declarations: readonly (Declarations | undefined)[],
  widthOf: (modality: string) => number = unknownWidth,
): Merged {
  const controls: Record<string, readonly number[]> = {};
  const scalars = new Set<string>();
  const columns: Record<string, Column> = {};
  const copies: Record<string, readonly string[]> = {};
  let keep = false;
  let leaksLabels = false;
  const add = (name: string, value: number | readonly number[]) => {
    const values = typeof value === "number" ? [value] : value;
    if (Object.hasOwn(controls, name) && controls[name].join() !== values.join()) {
      throw new RangeError(
        `Cannot declare control "${name}" as a shared control must start at one value: found ${
          controls[name]
        } and ${values}`,
      );
    }
    controls[name] = values;
    if (typeof value === "number") scalars.add(name);
  };
  for (const [name, value] of Object.entries(HARNESS_CONTROLS)) add(name, value);
  for (const declared of declarations) {
    for (const [name, value] of Object.entries(declared?.controls ?? {})) add(name, value);
    for (const [name, spec] of Object.entries(declared?.columns ?? {})) {
      const present = columns[name];
      const width = typeof spec.width === "number" ? spec.width : widthOf(spec.width.featuresOf);
      if (present !== undefined && (present.width !== width || present.init !== spec.init)) {
        throw new RangeError(
          `Cannot declare column "${name}" as a shared column must have one width and start: found ` +
            `${present.width}, ${present.init} and ${width}, ${spec.init}`,
        );
      }
      columns[name] = { ...spec, width };
    }
    Object.assign(copies, declared?.copies ?? {});
    keep ||= declared?.keep ?? false;
    leaksLabels ||= declared?.leaksLabels ?? false;
  }
  return { controls, scalars, columns, copies, keep, leaksLabels };
}

/** The start value of a column as a batch of rows [B, width]: what evaluation sees in place of the table. */
export function startRows(merged: Merged, column: string, batch: number): tf.Tensor2D {
  const spec = merged.columns[column];
  if (spec === undefined) {
    throw new RangeError(
      `Cannot read column "${column}" as no method declares it: declared are ${
        Object.keys(merged.columns).sort().join(", ") || "none"
      }`,
    );
  }
  return tf.fill([batch, spec.width], spec.init);
}

/** Width of every modality's pooled feature, found by running the encoders for their shapes. */
export function featureWidths(
  model: Model,
  dataset: Pick<Dataset, "modalities">,
  engine: Engine,
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
export function mergedOf(model: Model, dataset: Pick<Dataset, "modalities">, engine: Engine): Merged {
  let widths: Readonly<Record<string, number>> | null = null;
  return mergeDeclarations(
    model.methods.map(({ declares }) => declares),
    (modality) => (widths ??= featureWidths(model, dataset, engine))[modality],
  );
}

/** The start of a run. */
export interface InitialState {
  /** Every state tensor by device name. */
  readonly values: NamedHostTensors;
  /** Full names of parameters, sorted. */
  readonly params: readonly string[];
  /** Full names of buffers, sorted. */
  readonly buffers: readonly string[];
  /** Pooled width per modality. */
  readonly widths: Readonly<Record<string, number>>;
}

/**
 * Finds every parameter and buffer by running the model once for its shapes, and makes their start values.
 *
 * A parameter's start depends on the seed and its own name alone: adding a method or another modality does not change
 * how the rest starts, so paired comparisons start from the same weights.
 */
export function initialState(
  model: Model,
  dataset: Pick<Dataset, "modalities">,
  merged: Merged,
  optimizer: Optimizer,
  engine: Engine,
  random: Random,
  batch: number,
): InitialState {
  const { modalities } = model.context;
  const widths: Record<string, number> = {};
  const { params, buffers } = initialise((scope) => {
    const pass = forward(model, {
      inputs: byModality(modalities, (modality) => {
        const { shape, dtype } = dataset.modalities[modality];
        return tf.zeros([batch, ...shape], dtype);
      }),
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
  }, { random, controls: merged.controls, abstract: (run) => engine.abstract(run) });
  for (const [prefix, groups] of Object.entries(merged.copies)) {
    for (const [name, { data, shape, dtype }] of Object.entries(params)) {
      if (selects(groups, groupOf(name))) buffers[`${prefix}/${name}`] = { data: data.slice(), shape, dtype };
    }
  }
  const values: NamedHostTensors = {};
  for (const [name, value] of Object.entries(params)) {
    values[`param:${name}`] = value;
    for (const slot of optimizer.slots) {
      values[`slot:${slot}/${name}`] = float32(new Float32Array(value.data.length), value.shape);
    }
    values[`updates:${groupOf(name)}`] = float32([0], []);
  }
  for (const [name, value] of Object.entries(buffers)) values[`buffer:${name}`] = value;
  return { values, params: Object.keys(params).sort(), buffers: Object.keys(buffers).sort(), widths };
}
