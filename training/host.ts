/**
 * What methods may ask of a run and change in it.
 *
 * @module
 */
import type { EvaluationResult, Host, Method, OpenSplit, PassResult, Segment, Split } from "../core/kinds/mod.ts";
import type { NamedHostTensors } from "../core/program.ts";
import type { Random } from "../core/random.ts";
import { Refusal } from "../core/refusal.ts";
import type { Journal, Surroundings } from "./journal.ts";
import { accuracy, argmaxRows, likelihood } from "./metrics/classification.ts";
import type { PassSelection, Predictor } from "./predictor.ts";
import type { RunState } from "./run_state.ts";
import { startParams } from "./state.ts";
import type { PlanProgress, Trainer } from "./trainer.ts";

/** Saved tensors of the device by the id that a method has. */
export interface SavedSnapshots {
  readonly next: number;
  readonly taken: Readonly<Record<string, NamedHostTensors>>;
}

/** What declared teachers give, by name and split. */
export type Teachers = (name: string, split: OpenSplit) => Promise<PassResult>;

/** The host of a run's methods. */
export class RunHost implements Host {
  readonly #state: RunState;
  readonly #predictor: Predictor;
  readonly #trainer: Trainer;
  readonly #teachers?: Teachers;
  #snapshots: Record<string, NamedHostTensors> = {};
  #nextSnapshot = 1;
  /** Answers what hooks ask, and writes it down. */
  journal: Journal | null = null;

  constructor(state: RunState, predictor: Predictor, trainer: Trainer, teachers?: Teachers) {
    this.#teachers = teachers;
    this.#state = state;
    this.#predictor = predictor;
    this.#trainer = trainer;
  }

  get epoch(): number {
    return this.#state.epoch;
  }
  get epochs(): number {
    return this.#trainer.parts.epochs;
  }
  get batchSize(): number {
    return this.#state.parts.batchSize;
  }
  get samplesLeft(): number {
    return Math.max(0, this.#trainer.parts.budget - this.#state.samplesDrawn);
  }
  /** A stream for the methods of this epoch. */
  get random(): Random {
    return this.#trainer.parts.random.split("methods", this.epoch);
  }
  get modalities(): readonly string[] {
    return this.#state.modalities;
  }
  get classes(): number {
    return this.#state.parts.model.context.classes;
  }

  labels(split: OpenSplit): Int32Array {
    return this.#open(split).labels;
  }

  has(split: OpenSplit, sample: number, modality: string): boolean {
    const { present } = this.#open(split);
    return present === undefined || present[sample * this.modalities.length + this.modalities.indexOf(modality)] === 1;
  }

  table(column: string): Float32Array {
    return this.#state.table(column);
  }

  control(name: string): readonly number[] {
    return this.#state.control(name);
  }

  setControl(name: string, value: number | readonly number[]): void {
    this.#state.setControl(name, value);
  }

  pass(split: OpenSplit, kept?: readonly string[], items?: Int32Array): Promise<PassResult> {
    return this.#answered("pass", () => this.#predictor.pass(this.#open(split), selection(kept, items)));
  }

  logits(split: OpenSplit, kept?: readonly string[], items?: Int32Array): Promise<Float32Array> {
    return this.#answered("logits", () => this.#predictor.logits(this.#open(split), selection(kept, items)));
  }

  evaluate(split: OpenSplit, kept?: readonly string[]): Promise<EvaluationResult> {
    return this.#answered("evaluate", async () => {
      const open = this.#open(split);
      const logits = await this.#predictor.logits(open, selection(kept));
      return {
        loss: likelihood(logits, open.labels, this.classes).loss,
        accuracy: accuracy(argmaxRows(logits, this.classes), open.labels),
      };
    });
  }

  train(segments: readonly Segment[]): Promise<Record<string, number>> {
    const stream = `nested/${this.epoch}/${this.#state.steps}`;
    const run = async (options?: PlanProgress) => {
      const { sums, counts } = await this.#trainer.run(segments, stream, options);
      return Object.fromEntries(
        Object.entries(sums).filter(([name]) => name.startsWith("loss/"))
          .map(([name, sum]) => [name.slice("loss/".length), sum / counts[name]]),
      );
    };
    return this.journal === null ? run() : this.journal.train("train", run);
  }

  params(groups: readonly string[]): Promise<Record<string, Float32Array>> {
    return this.#answered("params", () => this.#state.params(groups));
  }

  startParams(groups: readonly string[]): Record<string, Float32Array> {
    const { layout, parts: { model } } = this.#state;
    return startParams(layout, this.#trainer.parts.random.split("init"), groups, model.start);
  }

  /** Not written down for repetition: a teacher gives the same whenever it is asked. */
  async teacher(name: string, split: OpenSplit): Promise<PassResult> {
    this.#open(split);
    const { methods } = this.#state.parts.model;
    const declared = methods.flatMap(({ declares }) => Object.keys(declares?.teachers ?? {}));
    const what = `ask teacher "${name}"`;
    if (!declared.includes(name)) {
      throw new Refusal({
        what,
        must: "a method must declare it",
        found: `declared are ${declared.sort().join(", ") || "none"}`,
      });
    }
    if (this.#teachers === undefined) {
      throw new Refusal({
        what,
        must: "whoever trains must have run it",
        found: "no teachers were given",
        hint: "run the configuration as a cell of a grid, which trains its teachers first",
      });
    }
    return await this.#teachers(name, split);
  }

  setParams(values: Record<string, Float32Array>): Promise<void> {
    return this.#answered("setParams", () => this.#state.setParams(values));
  }

  buffers(groups: readonly string[]): Promise<Record<string, Float32Array>> {
    return this.#answered("buffers", () => this.#state.buffers(groups));
  }

  setBuffers(values: Record<string, Float32Array>): Promise<void> {
    return this.#answered("setBuffers", () => this.#state.setBuffers(values));
  }

  snapshot(): Promise<number> {
    return this.#answered("snapshot", async () => {
      const id = this.#nextSnapshot++;
      this.#snapshots[id] = await this.#state.device.read();
      return id;
    });
  }

  restore(id: number): Promise<void> {
    return this.#answered("restore", async () => {
      const saved = this.#snapshots[id];
      if (saved === undefined) throw new RangeError(`Cannot restore snapshot ${id}: it was never taken or is used up`);
      await this.#state.device.write(saved);
      delete this.#snapshots[id];
    });
  }

  // ------------------------------------------------------------------------------------------------ for the harness

  /** Counters, table and what methods keep: of all, or of those that act after steps. */
  surroundings(when: "start" | "later"): Surroundings {
    const methods: Record<string, unknown> = {};
    for (const method of this.#state.parts.model.methods) {
      if (when === "later" && method.afterStep === undefined) continue;
      methods[method.name] = structuredClone(method.save?.() ?? null);
    }
    return { counters: this.#state.saved(), tables: this.#tables(), methods };
  }

  /** What methods keep to themselves. */
  savedMethods(): Record<string, unknown> {
    return Object.fromEntries(this.#state.parts.model.methods.map((method) => [method.name, method.save?.() ?? null]));
  }

  /** Gives methods back what they kept. */
  loadMethods(saved: Readonly<Record<string, unknown>>): void {
    for (const method of this.#state.parts.model.methods) {
      const own = Object.hasOwn(saved, method.name) ? saved[method.name] : null;
      if (own !== null) method.load?.(structuredClone(own));
    }
  }

  /** Snapshots that are not used up. */
  savedSnapshots(): SavedSnapshots {
    return { next: this.#nextSnapshot, taken: { ...this.#snapshots } };
  }

  /** Puts them back. */
  loadSnapshots({ next, taken }: SavedSnapshots): void {
    this.#nextSnapshot = next;
    this.#snapshots = { ...taken };
  }

  /** Copies of the columns but those that methods fill again. */
  #tables(): Record<string, Float32Array> {
    const { tables, merged } = this.#state;
    return Object.fromEntries(
      Object.entries(tables).filter(([column]) => merged.columns[column].derived !== true)
        .map(([column, values]) => [column, values.slice()]),
    );
  }

  /** Puts them back. */
  surround({ counters, tables, methods }: Surroundings): void {
    this.#state.count(counters);
    for (const [column, values] of Object.entries(tables)) this.#state.table(column).set(values);
    this.loadMethods(methods);
  }

  #answered<T>(name: string, run: () => Promise<T>): Promise<T> {
    return this.journal === null ? run() : this.journal.answer(name, run);
  }

  /** A split that methods may use. The types forbid the test split; this holds for untyped callers too. */
  #open(split: OpenSplit): Split {
    if (split === "train" || split === "validation") return this.#state.parts.dataset.splits[split];
    throw new RangeError(
      `Cannot use split "${split}" in a method as it is read once, at the end: open are train, validation`,
    );
  }
}

function selection(kept?: readonly string[], items?: Int32Array): PassSelection {
  return { kept, items };
}

/** What methods report, by method. */
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
