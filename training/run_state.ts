/**
 * What a run consists of: its tensors on the device, the per-sample table, the controls and the counters.
 *
 * @module
 */
import * as names from "../core/names.ts";
import type { Dataset } from "../core/kinds/mod.ts";
import { type Engine, type EngineState, float32, type NamedHostTensors, type NamedSpecs } from "../core/program.ts";
import type { Random } from "../core/random.ts";
import { Refusal } from "../core/refusal.ts";
import { groupOf } from "../core/scope.ts";
import type { Optimizer } from "../nn/optimizers.ts";
import { groupNumbers, lacksSome } from "./batches.ts";
import type { Merged } from "./declarations.ts";
import { checkEncoders, featureBuffers, type Model } from "./model.ts";
import { modelSpecs, type ProgramParts } from "./programs/parts.ts";
import { selects } from "./select.ts";
import { type Layout, layoutOf, mergedOf, optimizerValues, startValues } from "./state.ts";

/** A model on the data that it is for. */
export interface StateParts {
  readonly model: Model;
  readonly dataset: Dataset;
  readonly engine: Engine;
  /** Rows of a batch B. */
  readonly batchSize: number;
}

/** Counters and controls of a run, as JSON. */
export interface SavedCounters {
  readonly steps: number;
  readonly samplesDrawn: number;
  readonly controls: Readonly<Record<string, readonly number[]>>;
}

/** The state of a run: all that changes in it, but for what methods keep to themselves. */
export class RunState {
  readonly parts: StateParts;
  readonly merged: Merged;
  readonly layout: Layout;
  /** Tensors on the device, by device name. */
  readonly device: EngineState;
  /** Columns of the per-sample table, row-major [N, width]. */
  readonly tables: Readonly<Record<string, Float32Array>>;
  /** The epoch that is trained, from 0. */
  epoch = 0;
  /** Optimiser steps so far. */
  steps = 0;
  /** Training samples drawn so far. */
  samplesDrawn = 0;
  /** Groups of the training samples by number [N], where some share one and a method reads them. */
  readonly groups: Int32Array | null;
  readonly #controls: Record<string, number[]>;

  private constructor(parts: StateParts, merged: Merged, layout: Layout, values: NamedHostTensors) {
    this.parts = parts;
    this.merged = merged;
    this.layout = layout;
    this.device = parts.engine.createState(values);
    this.groups = merged.groups ? groupNumbers(parts.dataset.splits.train) : null;
    this.#controls = Object.fromEntries(Object.entries(merged.controls).map(([name, own]) => [name, [...own]]));
    this.tables = Object.fromEntries(
      Object.entries(merged.columns).map(([column, { width, init }]) => [
        column,
        new Float32Array(parts.dataset.splits.train.size * width).fill(init),
      ]),
    );
  }

  /** The start of a training run. */
  static start(parts: StateParts, optimizer: Optimizer, random: Random): RunState {
    const { merged, layout } = found(parts);
    const values = { ...startValues(layout, random, parts.model.start), ...optimizerValues(layout, optimizer) };
    return new RunState(parts, merged, layout, values);
  }

  /**
   * The state of a trained model, to predict with.
   *
   * @param stored Parameters and buffers by device name.
   * @param what What is done with it, for messages: `valuate run "x"`.
   * @throws {Refusal} If a tensor of the model is missing or of another shape.
   */
  static ofModel(parts: StateParts, stored: NamedHostTensors, what: string): RunState {
    const { merged, layout } = found(parts);
    return new RunState(parts, merged, layout, chosen(modelSpecs(layout), stored, what, "its model.safetensors"));
  }

  /** The state of a model as it starts, to predict with. */
  static untrained(parts: StateParts, random: Random): RunState {
    const { merged, layout } = found(parts);
    return new RunState(parts, merged, layout, startValues(layout, random, parts.model.start));
  }

  /** What programs of this run are built from. */
  get programParts(): ProgramParts {
    const { parts: { model, dataset, batchSize }, merged, layout } = this;
    return {
      model,
      modalities: dataset.modalities,
      merged,
      layout,
      batchSize,
      masked: lacksSome(dataset),
      grouped: this.groups !== null,
    };
  }

  /** Sorted names. */
  get modalities(): readonly string[] {
    return this.parts.model.context.modalities;
  }

  /** A column of the table. @throws {RangeError} If no method declares it. */
  table(column: string): Float32Array {
    if (Object.hasOwn(this.tables, column)) return this.tables[column];
    const declared = Object.keys(this.tables).sort().join(", ") || "none";
    throw new RangeError(`Cannot find column "${column}": declared columns are ${declared}`);
  }

  /** The values of a control. @throws {RangeError} If no method declares it. */
  control(name: string): readonly number[] {
    if (Object.hasOwn(this.#controls, name)) return this.#controls[name];
    throw new RangeError(
      `Cannot find control "${name}": declared controls are ${Object.keys(this.#controls).sort().join(", ")}`,
    );
  }

  /** Sets a control. @throws {TypeError} If it has another number of values. */
  setControl(name: string, value: number | readonly number[]): void {
    const present = this.control(name);
    const values = typeof value === "number" ? [value] : [...value];
    if (values.length !== present.length) {
      throw new TypeError(
        `Cannot set control "${name}" as it must have ${present.length} values: found ${values.length}`,
      );
    }
    this.#controls[name] = values;
  }

  /** All controls as they are fed. */
  controlFeeds(): NamedHostTensors {
    return Object.fromEntries(
      Object.entries(this.#controls).map(([name, values]) => [
        names.control.of(name),
        float32(values, this.merged.scalars.has(name) ? [] : [values.length]),
      ]),
    );
  }

  /** Copies of the parameters of some groups, by full name. */
  params(groups: readonly string[]): Promise<Record<string, Float32Array>> {
    return this.#copies(names.param, this.layout.params, groups);
  }

  /** Sets parameters by full name. @throws {RangeError} If there is none of a name. */
  async setParams(values: Readonly<Record<string, Float32Array>>): Promise<void> {
    await this.#set("parameter", names.param, this.layout.params, values);
  }

  /** Copies of the buffers of some groups, by full name. */
  buffers(groups: readonly string[]): Promise<Record<string, Float32Array>> {
    return this.#copies(names.buffer, this.layout.buffers, groups);
  }

  /** Sets buffers by full name. @throws {RangeError} If there is none of a name. */
  async setBuffers(values: Readonly<Record<string, Float32Array>>): Promise<void> {
    await this.#set("buffer", names.buffer, this.layout.buffers, values);
  }

  async #copies(
    family: names.NameFamily,
    specs: NamedSpecs,
    groups: readonly string[],
  ): Promise<Record<string, Float32Array>> {
    const chosen = Object.keys(specs).filter((full) => selects(groups, groupOf(full)));
    const values = family.under(await this.device.read(chosen.map(family.of)));
    return Object.fromEntries(chosen.map((full) => [full, values[full].data as Float32Array]));
  }

  async #set(
    what: string,
    family: names.NameFamily,
    specs: NamedSpecs,
    values: Readonly<Record<string, Float32Array>>,
  ): Promise<void> {
    const written: NamedHostTensors = {};
    for (const [full, data] of Object.entries(values)) {
      if (!Object.hasOwn(specs, full)) throw new RangeError(`Cannot set ${what} "${full}": there is none of that name`);
      written[family.of(full)] = float32(data, specs[full].shape);
    }
    await this.device.write(written);
  }

  /** The tensors that decide predictions: parameters and buffers, by device name. */
  async testable(): Promise<NamedHostTensors> {
    return await this.device.read(Object.keys(modelSpecs(this.layout)));
  }

  /** Makes the means of pooled features from the epoch's sums and starts new sums. */
  async finishFeatureMeans(): Promise<void> {
    const written: NamedHostTensors = {};
    for (const modality of this.modalities) {
      const own = featureBuffers(modality);
      const read = names.buffer.under(await this.device.read([own.sum, own.count].map(names.buffer.of)));
      const { data, shape } = read[own.sum];
      const count = read[own.count].data[0];
      if (count === 0) continue; // the modality was dropped from every sample: keep the last means
      written[names.buffer.of(own.mean)] = float32((data as Float32Array).map((value) => value / count), shape);
      written[names.buffer.of(own.sum)] = float32(new Float32Array(data.length), shape);
      written[names.buffer.of(own.count)] = float32([0], []);
    }
    await this.device.write(written);
  }

  /** Every tensor and column but those that methods fill again, by checkpoint name. */
  async tensors(): Promise<NamedHostTensors> {
    const values = await this.device.read();
    for (const [column, { width, derived }] of Object.entries(this.merged.columns)) {
      if (derived === true) continue;
      const data = this.tables[column];
      values[names.table.of(column)] = float32(data, [data.length / width, width]);
    }
    return values;
  }

  /** Everything else that changes. */
  saved(): SavedCounters {
    return { steps: this.steps, samplesDrawn: this.samplesDrawn, controls: structuredClone(this.#controls) };
  }

  /**
   * Puts a saved state back.
   *
   * @throws {Refusal} If a tensor or column is missing or of another shape.
   */
  async load(tensors: NamedHostTensors, saved: SavedCounters): Promise<void> {
    const columns = Object.fromEntries(
      Object.entries(this.merged.columns).filter(([_, { derived }]) => derived !== true).map(([column, { width }]) => [
        names.table.of(column),
        { shape: [this.parts.dataset.splits.train.size, width], dtype: "float32" as const },
      ]),
    );
    const all = chosen({ ...this.device.specs, ...columns }, tensors, "resume", "the checkpoint");
    for (const [column, { data }] of Object.entries(names.table.under(all))) {
      this.tables[column].set(data as Float32Array);
    }
    await this.device.write(Object.fromEntries(Object.entries(all).filter(([name]) => !names.table.has(name))));
    this.count(saved);
  }

  /** Puts counters and controls back. */
  count({ controls, steps, samplesDrawn }: SavedCounters): void {
    for (const [name, values] of Object.entries(controls)) this.setControl(name, values);
    this.steps = steps;
    this.samplesDrawn = samplesDrawn;
  }

  /** Frees the tensors on the device. */
  dispose(): void {
    this.device.dispose();
  }
}

/** What methods declare and the model is made of. */
function found({ model, dataset, engine, batchSize }: StateParts): { merged: Merged; layout: Layout } {
  checkEncoders(model);
  const merged = mergedOf(model, dataset, engine);
  return { merged, layout: layoutOf(model, dataset, merged, engine, batchSize) };
}

/** The tensors of some names. @throws {Refusal} If one is missing or of another shape. */
function chosen(
  specs: Readonly<Record<string, { readonly shape: readonly number[] }>>,
  given: NamedHostTensors,
  what: string,
  where: string,
): NamedHostTensors {
  return Object.fromEntries(
    Object.entries(specs).map(([name, { shape }]) => {
      const value = Object.hasOwn(given, name) ? given[name] : undefined;
      if (value === undefined || value.shape.join() !== shape.join()) {
        throw new Refusal({
          what,
          must: `${where} must hold "${name}" of shape [${shape.join(", ")}]`,
          found: value === undefined ? "it does not" : `found [${value.shape.join(", ")}]`,
        });
      }
      return [name, value];
    }),
  );
}
