/**
 * A run in progress on an engine: its tensors, tables, controls and compiled programs, and what methods may ask of it.
 *
 * @module
 */
import { byModality } from "../core/modality.ts";
import type {
  Dataset,
  EvaluationResult,
  Host,
  Method,
  OpenSplit,
  PassResult,
  ProgramSpec,
  Segment,
  Split,
} from "../core/kinds/mod.ts";
import {
  type CompiledProgram,
  type Engine,
  type EngineState,
  float32,
  int32,
  type NamedHostTensors,
  sizeOf,
} from "../core/program.ts";
import type { Random } from "../core/random.ts";
import { Refusal } from "../core/refusal.ts";
import { groupOf } from "../core/scope.ts";
import { measureInformation } from "../miv/measure.ts";
import type { Optimizer } from "../nn/optimizers.ts";
import { Batches, gatherRows, keepRows, scatterRows } from "./batches.ts";
import { Breath } from "./breath.ts";
import { DivergenceError, InterruptedError } from "./errors.ts";
import { accuracy, argmaxRows, likelihood } from "./metrics/classification.ts";
import { featureBuffers, type Model } from "./model.ts";
import { predictProgram, type ProgramParts, type TrainProgram, trainProgram } from "./programs.ts";
import { selects } from "./select.ts";
import { type InitialState, initialState, type Merged, mergedOf } from "./state.ts";

/** What declared teachers give, by name and split. */
export type Teachers = (name: string, split: OpenSplit) => Promise<PassResult>;

/** What a session is built from. */
export interface SessionParts {
  readonly model: Model;
  readonly dataset: Dataset;
  readonly engine: Engine;
  readonly optimizer: Optimizer;
  readonly batchSize: number;
  readonly clipNorm: number;
  /** Multiplier of the learning rate for a progress in [0, 1]. */
  readonly learningRate: (progress: number) => number;
  readonly random: Random;
  readonly epochs: number;
  /** Training samples that may be drawn in all; infinite if only epochs are counted. */
  readonly budget: number;
  readonly signal?: AbortSignal;
  /** What the teachers that methods declare give on a split. @default none can be asked */
  readonly teachers?: Teachers;
  /** Called after each step with the number of samples drawn so far. */
  readonly onStep?: (samplesDrawn: number) => void;
}

/** Sums over the steps of one or more segments. */
export interface StepTotals {
  steps: number;
  /** Samples drawn. */
  samples: number;
  /** Samples that programs ran on: several times those drawn where a batch goes through several programs. */
  rows: number;
  /** Sum over steps, by statistic. */
  sums: Record<string, number>;
  /** Steps that have the statistic. */
  counts: Record<string, number>;
}

/** Per-sample arrays of an evaluation pass with everything that valuation needs. */
export interface DetailedPass extends PassResult {
  /** Logits [N, C] with all other modalities at their training means. */
  readonly ablateMean: Readonly<Record<string, Float32Array>>;
  /** [N, m]. */
  readonly nmi: Float32Array;
  /** [N, m, m]. */
  readonly ncmi: Float32Array;
  /** Bias-free fused feature [N, d] and each modality's part in it, not centred. */
  readonly fused: Float32Array;
  readonly parts: Readonly<Record<string, Float32Array>>;
}

/** Saved form of a session apart from its tensors. */
export interface SessionState {
  readonly steps: number;
  readonly samplesDrawn: number;
  readonly controls: Readonly<Record<string, readonly number[]>>;
  readonly methods: Readonly<Record<string, unknown>>;
}

/** A run in progress. */
export class Session implements Host {
  readonly parts: SessionParts;
  readonly merged: Merged;
  readonly initial: InitialState;
  readonly state: EngineState;
  /** Median-able list of step durations in milliseconds. */
  readonly stepMs: number[] = [];
  compileSeconds = 0;
  epoch = 0;
  steps = 0;
  samplesDrawn = 0;
  readonly #programs = new Map<string, { compiled: CompiledProgram; program: TrainProgram | null }>();
  readonly #specs = new Map<string, ProgramSpec>([["main", { name: "main" }]]);
  readonly #tables: Record<string, Float32Array> = {};
  readonly #controls: Record<string, number[]>;
  readonly #batches: Batches;
  readonly #breath = new Breath();
  readonly #snapshots = new Map<number, NamedHostTensors>();
  #nextSnapshot = 1;

  /** Builds the start state; compiles nothing yet. */
  constructor(parts: SessionParts) {
    this.parts = parts;
    const { model, dataset, engine, optimizer, random, batchSize } = parts;
    const declared = model.methods.map((method) => method.declares);
    this.merged = mergedOf(model, dataset, engine);
    for (const declaration of declared) {
      for (const spec of declaration?.programs ?? []) {
        if (this.#specs.has(spec.name)) {
          throw new RangeError(`Cannot declare program "${spec.name}" as program names must be unique`);
        }
        this.#specs.set(spec.name, spec);
      }
    }
    this.initial = initialState(model, dataset, this.merged, optimizer, engine, random.split("init"), batchSize);
    this.state = engine.createState(this.initial.values);
    this.#controls = Object.fromEntries(
      Object.entries(this.merged.controls).map(([name, values]) => [name, [...values]]),
    );
    for (const [column, { width, init }] of Object.entries(this.merged.columns)) {
      this.#tables[column] = new Float32Array(dataset.splits.train.size * width).fill(init);
    }
    this.#batches = new Batches(dataset, model.context.modalities, batchSize);
  }

  get epochs(): number {
    return this.parts.epochs;
  }
  get batchSize(): number {
    return this.parts.batchSize;
  }
  get samplesLeft(): number {
    return Math.max(0, this.parts.budget - this.samplesDrawn);
  }
  /** How a modality's own readout is defined in this run. */
  get readout(): string {
    const { fusion, methods } = this.parts.model;
    return methods.some(({ readout }) => readout !== undefined) ? "own" : fusion.soloMode;
  }
  /** A stream for the methods of this epoch. */
  get random(): Random {
    return this.parts.random.split("methods", this.epoch);
  }
  get modalities(): readonly string[] {
    return this.parts.model.context.modalities;
  }
  get classes(): number {
    return this.parts.model.context.classes;
  }

  // ------------------------------------------------------------------------------------------------ host of methods

  labels(split: OpenSplit): Int32Array {
    return this.#open(split).labels;
  }

  table(column: string): Float32Array {
    const table = this.#tables[column];
    if (table === undefined) {
      throw new RangeError(
        `Cannot find column "${column}": declared columns are ${Object.keys(this.#tables).sort().join(", ") || "none"}`,
      );
    }
    return table;
  }

  /** All table columns. */
  get tables(): Readonly<Record<string, Float32Array>> {
    return this.#tables;
  }

  control(name: string): readonly number[] {
    const values = this.#controls[name];
    if (values === undefined) {
      throw new RangeError(
        `Cannot find control "${name}": declared controls are ${Object.keys(this.#controls).sort().join(", ")}`,
      );
    }
    return values;
  }

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

  async pass(split: OpenSplit, kept?: readonly string[], items?: Int32Array): Promise<PassResult> {
    const outputs = await this.#predict(this.#open(split), kept ?? null, true, items);
    return {
      logits: outputs["logits"],
      pooled: byModality(this.modalities, (modality) => outputs[`pooled:${modality}`]),
      solo: byModality(this.modalities, (modality) => outputs[`solo:${modality}`]),
    };
  }

  async logits(split: OpenSplit, kept?: readonly string[], items?: Int32Array): Promise<Float32Array> {
    return (await this.#predict(this.#open(split), kept ?? null, false, items))["logits"];
  }

  async evaluate(split: OpenSplit, kept?: readonly string[]): Promise<EvaluationResult> {
    const { labels } = this.#open(split);
    const logits = await this.logits(split, kept);
    return {
      loss: likelihood(logits, labels, this.classes).loss,
      accuracy: accuracy(argmaxRows(logits, this.classes), labels),
    };
  }

  async train(segments: readonly Segment[]): Promise<Record<string, number>> {
    const totals = await this.runSegments(segments, `nested/${this.epoch}/${this.steps}`);
    return Object.fromEntries(
      Object.entries(totals.sums).filter(([name]) => name.startsWith("loss/"))
        .map(([name, sum]) => [name.slice("loss/".length), sum / totals.counts[name]]),
    );
  }

  async params(groups: readonly string[]): Promise<Record<string, Float32Array>> {
    const names = this.initial.params.filter((full) => selects(groups, groupOf(full)));
    const values = await this.state.read(names.map((full) => `param:${full}`));
    return Object.fromEntries(names.map((full) => [full, values[`param:${full}`].data as Float32Array]));
  }

  startParams(groups: readonly string[]): Record<string, Float32Array> {
    const names = this.initial.params.filter((full) => selects(groups, groupOf(full)));
    return Object.fromEntries(
      names.map((full) => [full, (this.initial.values[`param:${full}`].data as Float32Array).slice()]),
    );
  }

  async teacher(name: string, split: OpenSplit): Promise<PassResult> {
    this.#open(split);
    const declared = this.parts.model.methods.flatMap(({ declares }) => Object.keys(declares?.teachers ?? {}));
    if (!declared.includes(name)) {
      throw new Refusal({
        what: `ask teacher "${name}"`,
        must: "a method must declare it",
        found: `declared are ${declared.sort().join(", ") || "none"}`,
      });
    }
    if (this.parts.teachers === undefined) {
      throw new Refusal({
        what: `ask teacher "${name}"`,
        must: "whoever trains must have run it",
        found: "no teachers were given",
        hint: "run the configuration as a cell of a grid, which trains its teachers first",
      });
    }
    return await this.parts.teachers(name, split);
  }

  async setParams(values: Record<string, Float32Array>): Promise<void> {
    const written: NamedHostTensors = {};
    for (const [full, data] of Object.entries(values)) {
      const start = this.initial.values[`param:${full}`];
      if (start === undefined) throw new RangeError(`Cannot set parameter "${full}": there is none of that name`);
      written[`param:${full}`] = float32(data, start.shape);
    }
    await this.state.write(written);
  }

  async buffers(groups: readonly string[]): Promise<Record<string, Float32Array>> {
    const names = this.initial.buffers.filter((full) => selects(groups, groupOf(full)));
    const values = await this.state.read(names.map((full) => `buffer:${full}`));
    return Object.fromEntries(names.map((full) => [full, values[`buffer:${full}`].data as Float32Array]));
  }

  async setBuffers(values: Record<string, Float32Array>): Promise<void> {
    const written: NamedHostTensors = {};
    for (const [full, data] of Object.entries(values)) {
      const start = this.initial.values[`buffer:${full}`];
      if (start === undefined) throw new RangeError(`Cannot set buffer "${full}": there is none of that name`);
      written[`buffer:${full}`] = float32(data, start.shape);
    }
    await this.state.write(written);
  }

  async snapshot(): Promise<number> {
    const id = this.#nextSnapshot++;
    this.#snapshots.set(id, await this.state.read());
    return id;
  }

  async restore(id: number): Promise<void> {
    const saved = this.#snapshots.get(id);
    if (saved === undefined) throw new RangeError(`Cannot restore snapshot ${id}: it was never taken or is used up`);
    await this.state.write(saved);
    this.#snapshots.delete(id);
  }

  // -------------------------------------------------------------------------------------------------------- training

  /** Runs segments batch by batch until they end or the sample budget is used up. */
  async runSegments(segments: readonly Segment[], stream: string): Promise<StepTotals> {
    const totals: StepTotals = { steps: 0, samples: 0, rows: 0, sums: {}, counts: {} };
    const planned = segments.reduce((sum, { items, epochs = 1 }) => sum + items.length * epochs, 0);
    for (const segment of segments) {
      this.#checkSegment(segment);
      if (segment.resetOptimizer !== undefined) await this.#resetOptimizer(segment.resetOptimizer);
      const epochs = segment.epochs ?? 1;
      for (let epoch = 0; epoch < epochs; epoch++) {
        await this.#runSegment(segment, `${stream}/${epoch}`, totals, planned);
      }
    }
    return totals;
  }

  /** Share of the training that is done, 0..1: of the samples, or of the epochs and the samples planned for this one. */
  #progress(done: number, planned: number): number {
    const { budget, epochs } = this.parts;
    return Math.min(1, Number.isFinite(budget) ? this.samplesDrawn / budget : (this.epoch + done / planned) / epochs);
  }

  async #runSegment(segment: Segment, stream: string, totals: StepTotals, planned: number): Promise<void> {
    const { dataset, batchSize, budget, signal } = this.parts;
    const keyRandom = this.parts.random.split("noise", stream);
    for (let from = 0; from < segment.items.length; from += batchSize) {
      const left = budget - this.samplesDrawn;
      if (left <= 0) return;
      const items = segment.items.subarray(from, Math.min(from + Math.min(batchSize, left), segment.items.length));
      await this.#breath.next();
      for (const name of segment.programs) {
        if (signal?.aborted) throw new InterruptedError(`Stopped in epoch ${this.epoch}, step ${this.steps}`);
        const { compiled, program } = await this.#training(name);
        const progress = this.#progress(totals.samples, planned);
        this.#controls["learningRate"] = [this.parts.learningRate(progress)];
        this.#controls["epoch"] = [this.epoch];
        this.#controls["progress"] = [progress];
        const feeds: NamedHostTensors = {
          ...this.#batches.inputs(dataset.splits.train, items),
          ...this.#batches.targets(dataset.splits.train, items),
          ...this.#controlFeeds(),
          key: int32(keyRandom.split(this.steps, name).key(), [2]),
        };
        if (this.merged.keep) {
          feeds["keep"] = keepRows(segment.keep, from, items.length, batchSize, this.modalities.length);
        }
        for (const [column, { width }] of Object.entries(this.merged.columns)) {
          feeds[`rows:${column}`] = gatherRows(this.#tables[column], width, items, batchSize);
        }
        const started = performance.now();
        const outputs = await compiled.run(this.state, feeds);
        this.stepMs.push(performance.now() - started);
        const stats = outputs["stats"].data;
        program.statNames.forEach((stat, index) => {
          if (!Number.isFinite(stats[index])) throw new DivergenceError(this.epoch, this.steps, stat, stats[index]);
          totals.sums[stat] = (totals.sums[stat] ?? 0) + stats[index];
          totals.counts[stat] = (totals.counts[stat] ?? 0) + 1;
        });
        for (const [column, { width }] of Object.entries(this.merged.columns)) {
          const rows = outputs[`rows:${column}`];
          if (rows !== undefined) scatterRows(this.#tables[column], width, items, rows);
        }
        for (const method of this.parts.model.methods) {
          method.afterStep?.(
            Object.fromEntries(program.statNames.map((stat, index) => [stat, stats[index]])),
            this,
          );
        }
        this.steps++;
        totals.steps++;
        totals.rows += items.length;
      }
      this.samplesDrawn += items.length;
      totals.samples += items.length;
      this.parts.onStep?.(this.samplesDrawn);
    }
  }

  #checkSegment(segment: Segment): void {
    const size = this.parts.dataset.splits.train.size;
    const bad = segment.items.find((item) => item < 0 || item >= size);
    if (bad !== undefined) {
      throw new RangeError(`Cannot run a segment as its items must be training samples 0..${size - 1}: found ${bad}`);
    }
    const flags = segment.items.length * this.modalities.length;
    if (segment.keep !== undefined && segment.keep.length !== flags) {
      throw new TypeError(
        `Cannot run a segment as its keep mask must have ${flags} flags: found ${segment.keep.length}`,
      );
    }
    if (segment.keep !== undefined && !this.merged.keep) {
      throw new TypeError("Cannot run a segment with a keep mask as its method must declare keep: it does not");
    }
  }

  async #resetOptimizer(groups: readonly string[]): Promise<void> {
    const written: NamedHostTensors = {};
    for (const [name, { data, shape }] of Object.entries(this.initial.values)) {
      const slot = name.startsWith("slot:") && selects(groups, groupOf(name.slice(name.indexOf("/") + 1)));
      const count = name.startsWith("updates:") && selects(groups, name.slice("updates:".length));
      if (slot || count) written[name] = float32(new Float32Array(data.length), shape);
    }
    await this.state.write(written);
  }

  /** Makes the means of pooled features from the epoch's sums and starts new sums. */
  async finishFeatureMeans(): Promise<void> {
    const written: NamedHostTensors = {};
    for (const modality of this.modalities) {
      const names = featureBuffers(modality);
      const read = await this.state.read([`buffer:${names.sum}`, `buffer:${names.count}`]);
      const sum = read[`buffer:${names.sum}`];
      const count = read[`buffer:${names.count}`].data[0];
      if (count === 0) continue; // the modality was dropped from every sample: keep the last means
      written[`buffer:${names.mean}`] = float32((sum.data as Float32Array).map((value) => value / count), sum.shape);
      written[`buffer:${names.sum}`] = float32(new Float32Array(sum.data.length), sum.shape);
      written[`buffer:${names.count}`] = float32([0], []);
    }
    await this.state.write(written);
  }

  // ------------------------------------------------------------------------------------------------------ evaluation

  /** Everything that metrics need of one split. */
  async detail(split: Split): Promise<DetailedPass> {
    const outputs = await this.#predict(split, null, true);
    const { nmi, ncmi } = await this.#information(outputs, split.size);
    return {
      logits: outputs["logits"],
      pooled: byModality(this.modalities, (modality) => outputs[`pooled:${modality}`]),
      solo: byModality(this.modalities, (modality) => outputs[`solo:${modality}`]),
      ablateMean: byModality(this.modalities, (modality) => outputs[`ablateMean:${modality}`]),
      nmi,
      ncmi,
      fused: outputs["fused"],
      parts: byModality(this.modalities, (modality) => outputs[`part:${modality}`]),
    };
  }

  /** Logits [N, C] of any split with only some modalities kept (feature level); for measurements after training. */
  async keptLogits(split: Split, kept: readonly string[]): Promise<Float32Array> {
    return (await this.#predict(split, kept, false))["logits"];
  }

  async #predict(
    split: Split,
    kept: readonly string[] | null,
    detail: boolean,
    chosen?: Int32Array,
  ): Promise<Record<string, Float32Array>> {
    const key = `predict/${kept === null ? "*" : [...kept].sort().join(",")}/${detail}`;
    const { compiled } = await this.#compiled(key, () => ({
      program: predictProgram(this.#programParts(), kept === null ? null : [...kept].sort(), detail),
      train: null,
    }));
    const items = chosen ?? Int32Array.from({ length: split.size }, (_, i) => i);
    const results: Record<string, Float32Array> = {};
    const { batchSize } = this.parts;
    for (let from = 0; from < items.length; from += batchSize) {
      if (this.parts.signal?.aborted) throw new InterruptedError(`Stopped while evaluating after epoch ${this.epoch}`);
      const batch = items.subarray(from, Math.min(from + batchSize, items.length));
      const outputs = await compiled.run(this.state, {
        ...this.#batches.inputs(split, batch),
        ...this.#controlFeeds(),
        ...(this.merged.leaksLabels ? { labels: this.#batches.targets(split, batch).labels } : {}),
      });
      for (const [name, { data, shape }] of Object.entries(outputs)) {
        const width = sizeOf(shape.slice(1));
        results[name] ??= new Float32Array(items.length * width);
        results[name].set((data as Float32Array).subarray(0, batch.length * width), from * width);
      }
    }
    return results;
  }

  /** Centres parts by their split's mean per coordinate and measures information on every sample. */
  async #information(
    outputs: Readonly<Record<string, Float32Array>>,
    size: number,
  ): Promise<{ nmi: Float32Array; ncmi: Float32Array }> {
    const { batchSize, engine } = this.parts;
    const none = engine.createState({});
    try {
      return await measureInformation({
        parts: byModality(this.modalities, (modality) => outputs[`part:${modality}`]),
        fused: outputs["fused"],
        size,
      }, {
        // Nothing is differentiated here: straight-through would give the same values at twice the cost.
        estimator: "hard",
        batchSize,
        run: async (program, feeds) => {
          const { compiled } = await this.#compiled(program.name, () => ({ program, train: null }));
          return await compiled.run(none, feeds);
        },
      });
    } finally {
      none.dispose();
    }
  }

  // ------------------------------------------------------------------------------------------------------ checkpoint

  /** Tensors and tables to save, by checkpoint name. */
  async tensors(): Promise<NamedHostTensors> {
    const values = await this.state.read();
    for (const [column, { width, derived }] of Object.entries(this.merged.columns)) {
      if (derived === true) continue;
      values[`table:${column}`] = float32(this.#tables[column], [this.#tables[column].length / width, width]);
    }
    return values;
  }

  /** Everything else to save. */
  saved(): SessionState {
    const methods: Record<string, unknown> = {};
    for (const method of this.parts.model.methods) methods[method.name] = method.save?.() ?? null;
    return {
      steps: this.steps,
      samplesDrawn: this.samplesDrawn,
      controls: Object.fromEntries(Object.entries(this.#controls).map(([name, values]) => [name, [...values]])),
      methods,
    };
  }

  /** Puts a saved session back. */
  async load(tensors: NamedHostTensors, saved: SessionState, epoch: number): Promise<void> {
    const state: NamedHostTensors = {};
    for (const name of Object.keys(this.initial.values)) {
      const value = tensors[name];
      if (value === undefined) throw new RangeError(`Cannot resume as the checkpoint must hold "${name}": it does not`);
      state[name] = value;
    }
    await this.state.write(state);
    for (const [column, { derived }] of Object.entries(this.merged.columns)) {
      if (derived === true) continue;
      this.#tables[column].set(tensors[`table:${column}`].data as Float32Array);
    }
    for (const [name, values] of Object.entries(saved.controls)) this.setControl(name, values);
    this.steps = saved.steps;
    this.samplesDrawn = saved.samplesDrawn;
    this.epoch = epoch;
    for (const method of this.parts.model.methods) {
      const own = saved.methods[method.name];
      if (own !== null && own !== undefined) method.load?.(own);
    }
  }

  /** Frees programs and state. */
  dispose(): void {
    for (const { compiled } of this.#programs.values()) compiled.dispose();
    this.#programs.clear();
    this.state.dispose();
  }

  // --------------------------------------------------------------------------------------------------------- private

  /** A split that methods may use. The types forbid the test split; this holds for untyped callers too. */
  #open(split: OpenSplit): Split {
    if ((split as string) === "test") {
      throw new RangeError(
        'Cannot use split "test" in a method as it is read once, at the end: open are train, validation',
      );
    }
    return this.parts.dataset.splits[split];
  }

  #programParts(): ProgramParts {
    const { model, dataset, batchSize } = this.parts;
    return { model, modalities: dataset.modalities, merged: this.merged, initial: this.initial, batchSize };
  }

  #controlFeeds(): NamedHostTensors {
    return Object.fromEntries(
      Object.entries(this.#controls).map(([name, values]) => [
        `control:${name}`,
        float32(values, this.merged.scalars.has(name) ? [] : [values.length]),
      ]),
    );
  }

  async #training(name: string): Promise<{ compiled: CompiledProgram; program: TrainProgram }> {
    const spec = this.#specs.get(name);
    if (spec === undefined) {
      throw new RangeError(`Cannot run program "${name}": declared programs are ${[...this.#specs.keys()].join(", ")}`);
    }
    const found = await this.#compiled(`train/${name}`, () => {
      const program = trainProgram(this.#programParts(), this.parts.optimizer, this.parts.clipNorm, spec);
      return { program, train: program };
    });
    return { compiled: found.compiled, program: found.program! };
  }

  async #compiled(
    key: string,
    make: () => { program: CompiledProgram["program"]; train: TrainProgram | null },
  ): Promise<{ compiled: CompiledProgram; program: TrainProgram | null }> {
    const present = this.#programs.get(key);
    if (present !== undefined) return present;
    const started = performance.now();
    const { program, train } = make();
    const entry = { compiled: await this.parts.engine.compile(program), program: train };
    this.compileSeconds += (performance.now() - started) / 1000;
    this.#programs.set(key, entry);
    return entry;
  }
}

/** Methods of a model by name, for reports. */
export function reportsOf(
  methods: readonly Method[],
  host: Host,
): Record<string, Record<string, number | Record<string, number>>> {
  const reports: Record<string, Record<string, number | Record<string, number>>> = {};
  for (const method of methods) {
    const report = method.report?.(host);
    if (report !== undefined) reports[method.name] = report;
  }
  return reports;
}
