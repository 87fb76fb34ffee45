/**
 * Training steps on a run's state: an optimiser, a schedule and a budget of samples.
 *
 * @module
 */
import * as names from "../core/names.ts";
import type { Segment } from "../core/kinds/mod.ts";
import { float32, int32, type NamedHostTensors } from "../core/program.ts";
import type { Random } from "../core/random.ts";
import { groupOf } from "../core/scope.ts";
import type { Optimizer } from "../nn/optimizers.ts";
import { Batches, type BatchesOptions, gatherGroups, gatherRows, keepRows, scatterRows } from "./batches.ts";
import { Breath } from "./breath.ts";
import type { Compiled, CompiledPrograms } from "./compiled.ts";
import { StepCurve, ThinnedValues } from "./curve.ts";
import { DivergenceError, InterruptedError } from "./errors.ts";
import { type TrainProgram, trainProgram } from "./programs/train.ts";
import type { RunState } from "./run_state.ts";
import { selects } from "./select.ts";

/** How steps are made. */
export interface TrainerParts {
  readonly optimizer: Optimizer;
  /** Largest global gradient norm; 0 turns clipping off. */
  readonly clipNorm: number;
  /** The learning rate for a progress in [0, 1]. */
  readonly learningRate: (progress: number) => number;
  /** The run's stream. */
  readonly random: Random;
  readonly epochs: number;
  /** Training samples that may be drawn in all; infinite if only epochs are counted. */
  readonly budget: number;
  readonly signal?: AbortSignal;
  /** Called after each batch with the number of samples drawn so far. */
  readonly onStep?: (samplesDrawn: number) => void;
  /** Called after each step with its statistics by name. */
  readonly afterStep?: (stats: Readonly<Record<string, number>>) => void;
  /** What reads batches ahead, and changes the samples that are drawn. @default nothing does */
  readonly batches?: BatchesOptions;
}

/** Sums over the steps of a plan. */
export interface StepTotals {
  readonly steps: number;
  /** Samples drawn. */
  readonly samples: number;
  /** Samples that programs ran on: several times those drawn where a batch goes through several programs. */
  readonly rows: number;
  /** Sum over steps, by statistic. */
  readonly sums: Readonly<Record<string, number>>;
  /** Steps that have the statistic. */
  readonly counts: Readonly<Record<string, number>>;
}

/** Where a plan stands: so many items of this repetition of this segment are done. */
export interface Position {
  readonly segment: number;
  readonly repetition: number;
  readonly items: number;
}

/** How far a plan has come: with the run's state, all that is needed to go on. */
export interface Done {
  readonly position: Position;
  readonly totals: StepTotals;
}

/** How a plan is run. */
export interface PlanProgress {
  /** Go on from here. @default the start */
  readonly from?: Done;
  /** Called before each batch; may keep a checkpoint, and may throw to stop. @default stops if the signal says so */
  readonly pause?: (done: () => Done) => void | Promise<void>;
}

/** What running a plan keeps in mind. */
interface Underway {
  readonly stream: string;
  readonly planned: number;
  readonly pause: (done: () => Done) => void | Promise<void>;
  steps: number;
  samples: number;
  rows: number;
  readonly sums: Record<string, number>;
  readonly counts: Record<string, number>;
}

/** Batches that are announced beside the one that is trained on. */
const BATCHES_AHEAD = 16;

/** Training steps on a state. */
export class Trainer {
  readonly state: RunState;
  readonly parts: TrainerParts;
  /** Milliseconds of steps. */
  readonly stepMs: ThinnedValues = new ThinnedValues();
  /** Losses and gradient norms of the steps since it was last begun anew. */
  readonly curve: StepCurve = new StepCurve();
  readonly #programs: CompiledPrograms;
  readonly #batches: Batches;
  readonly #breath = new Breath();

  /** @param programs Freed by whoever made them. */
  constructor(state: RunState, programs: CompiledPrograms, parts: TrainerParts) {
    const { model, dataset, batchSize } = state.parts;
    this.state = state;
    this.parts = parts;
    this.#programs = programs;
    this.#batches = new Batches(dataset, state.modalities, batchSize, { ...parts.batches, blank: model.blank });
  }

  /** Milliseconds for which steps waited for their batches. */
  get waitMs(): number {
    return this.#batches.waitMs;
  }

  /** Runs a plan batch by batch until it ends or the sample budget is used up. */
  async run(plan: readonly Segment[], stream: string, options: PlanProgress = {}): Promise<StepTotals> {
    for (const segment of plan) this.#check(segment);
    const { from } = options;
    const underway: Underway = {
      stream,
      planned: plan.reduce((sum, { items, epochs = 1 }) => sum + items.length * epochs, 0),
      pause: options.pause ?? (() => this.stopIfAsked()),
      steps: from?.totals.steps ?? 0,
      samples: from?.totals.samples ?? 0,
      rows: from?.totals.rows ?? 0,
      sums: { ...from?.totals.sums },
      counts: { ...from?.totals.counts },
    };
    const start = from?.position ?? { segment: 0, repetition: 0, items: 0 };
    for (let index = start.segment; index < plan.length; index++) {
      const segment = plan[index];
      const resumed = from !== undefined && index === start.segment;
      if (segment.resetOptimizer !== undefined && !resumed) await this.#resetOptimizer(segment.resetOptimizer);
      for (let repetition = resumed ? start.repetition : 0; repetition < (segment.epochs ?? 1); repetition++) {
        const items = resumed && repetition === start.repetition ? start.items : 0;
        await this.#repetition(segment, { segment: index, repetition, items }, underway);
      }
    }
    return totalsOf(underway);
  }

  /** @throws {InterruptedError} If the signal asks for it. */
  stopIfAsked(): void {
    if (!this.parts.signal?.aborted) return;
    throw new InterruptedError(`Stopped in epoch ${this.state.epoch + 1}, step ${this.state.steps}`);
  }

  async #repetition(segment: Segment, start: Position, underway: Underway): Promise<void> {
    const { parts: { batchSize }, epoch } = this.state;
    const { budget, learningRate } = this.parts;
    const noise = this.parts.random.split("noise", `${underway.stream}/${start.repetition}`);
    for (let from = start.items; from < segment.items.length; from += batchSize) {
      const left = budget - this.state.samplesDrawn;
      if (left <= 0) return;
      await this.#breath.next();
      await underway.pause(() => ({ position: { ...start, items: from }, totals: totalsOf(underway) }));
      const upcoming = this.#upcoming(segment, from, left);
      const [items] = upcoming;
      this.#batches.announce(this.state.parts.dataset.splits.train, upcoming, epoch);
      for (const name of segment.programs) {
        const progress = this.#progress(underway);
        this.state.setControl("learningRate", learningRate(progress));
        this.state.setControl("epoch", epoch);
        this.state.setControl("progress", progress);
        const key = int32(noise.split(this.state.steps, name).key(), [2]);
        await this.#step(await this.#program(name), segment, from, items, key, underway);
        this.state.steps++;
        underway.steps++;
        underway.rows += items.length;
      }
      this.state.samplesDrawn += items.length;
      underway.samples += items.length;
      this.parts.onStep?.(this.state.samplesDrawn);
    }
  }

  /** The batch that begins at an item, and some that follow it, as far as the budget goes. */
  #upcoming({ items }: Segment, from: number, left: number): Int32Array[] {
    const { batchSize } = this.state.parts;
    const end = Math.min(items.length, from + left);
    const batches: Int32Array[] = [];
    for (let at = from; at < end && batches.length <= BATCHES_AHEAD; at += batchSize) {
      batches.push(items.subarray(at, Math.min(at + batchSize, end)));
    }
    return batches;
  }

  async #step(
    { compiled, program }: Compiled<TrainProgram>,
    segment: Segment,
    from: number,
    items: Int32Array,
    key: NamedHostTensors[string],
    { sums, counts }: Underway,
  ): Promise<void> {
    const { state } = this;
    const { merged: { columns, keep }, parts: { dataset: { splits: { train } }, batchSize } } = state;
    const feeds: NamedHostTensors = {
      ...await this.#batches.inputs(train, items, state.epoch),
      ...this.#batches.targets(train, items),
      ...state.controlFeeds(),
      key,
    };
    if (state.groups !== null) feeds["groups"] = gatherGroups(state.groups, items, batchSize);
    if (keep) feeds["keep"] = keepRows(segment.keep, from, items.length, batchSize, state.modalities.length);
    for (const [column, { width }] of Object.entries(columns)) {
      feeds[names.rows.of(column)] = gatherRows(state.tables[column], width, items, batchSize);
    }
    const started = performance.now();
    const outputs = await compiled.run(state.device, feeds);
    this.stepMs.add(performance.now() - started);
    const stats: Record<string, number> = {};
    program.statNames.forEach((name, index) => stats[name] = outputs["stats"].data[index]);
    this.curve.add(state.steps, stats["loss/total"], stats["gradientNorm"]);
    for (const [name, value] of Object.entries(stats)) {
      if (!Number.isFinite(value)) throw new DivergenceError(state.epoch, state.steps, name, value, this.curve.points);
      sums[name] = (sums[name] ?? 0) + value;
      counts[name] = (counts[name] ?? 0) + 1;
    }
    for (const [column, { width, added }] of Object.entries(columns)) {
      const rows = outputs[names.rows.of(column)];
      if (rows !== undefined) scatterRows(state.tables[column], width, items, rows, added);
    }
    this.parts.afterStep?.(stats);
  }

  /** Share of the training that is done, 0..1: of the samples, or of the epochs and the samples planned for this one. */
  #progress({ samples, planned }: Underway): number {
    const { budget, epochs } = this.parts;
    const { samplesDrawn, epoch } = this.state;
    return Math.min(1, Number.isFinite(budget) ? samplesDrawn / budget : (epoch + samples / planned) / epochs);
  }

  #check(segment: Segment): void {
    const { modalities, merged, parts: { dataset: { splits: { train: { size } } } } } = this.state;
    const bad = segment.items.find((item) => item < 0 || item >= size);
    if (bad !== undefined) {
      throw new RangeError(`Cannot run a segment as its items must be training samples 0..${size - 1}: found ${bad}`);
    }
    const flags = segment.items.length * modalities.length;
    if (segment.keep !== undefined && segment.keep.length !== flags) {
      throw new TypeError(
        `Cannot run a segment as its keep mask must have ${flags} flags: found ${segment.keep.length}`,
      );
    }
    if (segment.keep !== undefined && !merged.keep) {
      throw new TypeError("Cannot run a segment with a keep mask as its method must declare keep: it does not");
    }
    for (const name of segment.programs) this.#spec(name);
  }

  #spec(name: string) {
    const { programs } = this.state.merged;
    const spec = programs.get(name);
    if (spec !== undefined) return spec;
    throw new RangeError(`Cannot run program "${name}": declared programs are ${[...programs.keys()].join(", ")}`);
  }

  #program(name: string): Promise<Compiled<TrainProgram>> {
    const { optimizer, clipNorm } = this.parts;
    const make = () => trainProgram(this.state.programParts, optimizer, clipNorm, this.#spec(name));
    return this.#programs.get(`train/${name}`, make);
  }

  async #resetOptimizer(groups: readonly string[]): Promise<void> {
    const written: NamedHostTensors = {};
    for (const [name, { shape }] of Object.entries(this.state.device.specs)) {
      const slot = names.slot.has(name) && selects(groups, groupOf(names.slotParam(name)));
      const count = names.updates.has(name) && selects(groups, names.updates.rest(name));
      const size = shape.reduce((product, extent) => product * extent, 1);
      if (slot || count) written[name] = float32(new Float32Array(size), shape);
    }
    await this.state.device.write(written);
  }
}

function totalsOf({ steps, samples, rows, sums, counts }: Underway): StepTotals {
  return { steps, samples, rows, sums: { ...sums }, counts: { ...counts } };
}
