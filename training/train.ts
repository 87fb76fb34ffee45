/**
 * The only training loop.
 *
 * @module
 */
import { median } from "../core/median.ts";
import * as names from "../core/names.ts";
import type { Dataset } from "../core/kinds/mod.ts";
import { type Engine, type NamedHostTensors, sizeOf } from "../core/program.ts";
import { Random } from "../core/random.ts";
import type {
  EpochRecord,
  Predictions,
  RunSummary,
  TestPoint,
  TrainingConfig,
  ValuationRecord,
} from "../core/record.ts";
import { groupOf } from "../core/scope.ts";
import type { AugmentPlan } from "../augment/augmenter.ts";
import { createOptimizer } from "../nn/optimizers.ts";
import { schedule } from "../nn/schedules.ts";
import { checkModel, checkTraining } from "./check_asked.ts";
import { type Best, type Checkpoint, checkpointOf, restored } from "./checkpoint.ts";
import { modelCost } from "./cost.ts";
import { type TrainedEpoch, wholeEpoch } from "./epoch.ts";
import { InterruptedError } from "./errors.ts";
import { accuracyOn, examine, measureFollowing } from "./evaluate.ts";
import { reportsOf, type Teachers } from "./host.ts";
import { Journal, type SavedEpoch, type Surroundings } from "./journal.ts";
import type { Model } from "./model.ts";
import type { WholeModel } from "./ready.ts";
import { type Run, startRun } from "./run.ts";

/** What is trained, on what, how. */
export interface TrainOptions {
  readonly model: Model;
  readonly dataset: Dataset;
  readonly engine: Engine;
  readonly training: TrainingConfig;
  readonly seed: number;
  /** What features stand for that are made of frozen encoders before training (`ready.ts`). @default nothing is made */
  readonly whole?: WholeModel;
  /** Continue from here. */
  readonly resume?: Checkpoint;
  /** What the teachers that methods declare give. @default none can be asked */
  readonly teachers?: Teachers;
  /** What changes the samples that training draws. @default nothing */
  readonly augment?: AugmentPlan["parts"];
  /** Stops between two batches, where a checkpoint can be kept; `train` then throws `InterruptedError`. */
  readonly signal?: AbortSignal;
  /** How often checkpoints are kept within epochs. @default only when the signal stops the run */
  readonly checkpointEvery?: CheckpointInterval;
  /** Called after each step. */
  readonly onStep?: (progress: StepProgress) => void;
  /** Called after each epoch, before the next begins: keep the valuation, the record, then the checkpoint. */
  readonly onEpoch?: (
    record: EpochRecord,
    checkpoint: () => Promise<Checkpoint>,
    valuation: ValuationRecord,
  ) => void | Promise<void>;
  /**
   * Called after each epoch, before its record is kept, with what choosing on test would go by. Given, the test split is
   * looked at after each epoch; nothing here reads what was found.
   */
  readonly onTest?: (point: TestPoint) => void | Promise<void>;
  /** Called within epochs, as often as `checkpointEvery` says and when the signal stops the run: keep the checkpoint. */
  readonly onCheckpoint?: (checkpoint: () => Promise<Checkpoint>) => void | Promise<void>;
}

/** A number of steps, a span of time, or both: whichever comes first. */
export interface CheckpointInterval {
  readonly steps?: number;
  readonly seconds?: number;
}

/** Where training stands within an epoch. */
export interface StepProgress {
  readonly epoch: number;
  readonly samplesDrawn: number;
  readonly samplesBudget: number;
}

/** What training gives. */
export interface TrainResult {
  readonly summary: Omit<RunSummary, "id" | "format" | "seed">;
  /** Parameters and buffers that were tested, by full name. */
  readonly params: NamedHostTensors;
  readonly buffers: NamedHostTensors;
  /** What the tested parameters predict, of validation and test. */
  readonly predictions: readonly Predictions[];
  readonly timing: TrainTiming;
}

/** Seconds by purpose. */
export interface TrainTiming {
  readonly trainSeconds: number;
  readonly evaluationSeconds: number;
  readonly compileSeconds: number;
  readonly stepMs: number;
}

/** Samples that a run may draw: `epochs` x N under `"samples"`, unlimited under `"epochs"`. */
export function sampleBudget(training: TrainingConfig, trainSize: number): number {
  return training.budget === "samples" ? training.epochs * trainSize : Number.POSITIVE_INFINITY;
}

/**
 * Trains a model: selection on validation, one reading of test at the end.
 *
 * Equal arguments give equal results, bit for bit, on the same engine and machine type; a run resumed from any of its
 * checkpoints ends like one that was never stopped.
 *
 * @throws {Refusal} If model, dataset and numbers do not belong together, or are out of range.
 * @throws {DivergenceError} If a loss term or a prediction becomes NaN or infinite.
 * @throws {InterruptedError} If the signal stopped it.
 */
export async function train(options: TrainOptions): Promise<TrainResult> {
  const { model, dataset, engine, training, seed, signal } = options;
  checkTraining(training);
  checkModel(model, dataset);
  const { size } = dataset.splits.train;
  const budget = sampleBudget(training, size);
  const multiplier = schedule(training.schedule, { stepAt: training.stepAt, warmup: training.warmup });
  const run = startRun({
    model,
    dataset,
    engine,
    optimizer: createOptimizer(training.optimizer, {
      momentum: training.momentum,
      weightDecay: training.weightDecay,
    }),
    batchSize: training.batchSize,
    clipNorm: training.clipNorm,
    learningRate: (progress) => training.learningRate * multiplier(progress),
    random: new Random(seed),
    epochs: training.epochs,
    budget,
    signal,
    ...options.augment === undefined ? {} : { augment: { parts: options.augment, seed } },
    teachers: options.teachers,
    onStep: (samplesDrawn) =>
      options.onStep?.({
        epoch: run.state.epoch,
        samplesDrawn,
        samplesBudget: Number.isFinite(budget) ? budget : training.epochs * size,
      }),
  });
  try {
    return await new Loop(run, options).run();
  } finally {
    run.dispose();
  }
}

/** Epoch after epoch, with the selection of one of them. */
class Loop {
  readonly #run: Run;
  readonly #options: TrainOptions;
  #epochs = 0;
  #best: Best | null = null;
  #underway: SavedEpoch | null = null;
  #trainSeconds = 0;
  #evaluationSeconds = 0;
  #keptAt = { steps: 0, time: performance.now() };

  constructor(run: Run, options: TrainOptions) {
    this.#run = run;
    this.#options = options;
  }

  async run(): Promise<TrainResult> {
    const { training, resume } = this.#options;
    const { state, trainer } = this.#run;
    if (resume !== undefined) {
      ({ epochs: this.#epochs, best: this.#best, underway: this.#underway } = await restored(this.#run, resume));
    }
    while (!this.#finished()) {
      state.epoch = this.#epochs;
      trainer.curve.clear();
      this.#kept();
      const trained = await this.#epoch();
      const { accuracy } = trained.metrics;
      // Ties keep the earlier epoch, so that the choice does not depend on how often one looks.
      if (training.select === "last" || this.#best === null || accuracy > this.#best.validation.accuracy) {
        this.#best = { epoch: this.#epochs, validation: trained.metrics, tensors: await state.testable() };
      }
      const record = recordOf(this.#run, this.#epochs, trained);
      await this.#tested();
      this.#epochs++;
      const valuation = { epoch: record.epoch, ...trained.followed };
      await this.#options.onEpoch?.(record, () => this.#checkpoint(null), valuation);
    }
    return this.#result();
  }

  async #tested(): Promise<void> {
    const { onTest, dataset: { splits: { test } } } = this.#options;
    if (onTest === undefined) return;
    const started = performance.now();
    const accuracy = await accuracyOn(this.#run.predictor, test);
    this.#evaluationSeconds += (performance.now() - started) / 1000;
    await onTest({ epoch: this.#epochs, accuracy });
  }

  #finished(): boolean {
    const { training, dataset } = this.#options;
    // Within an epoch there is something left to do even if its last sample is drawn.
    if (this.#underway !== null) return false;
    return training.budget === "samples"
      ? this.#run.state.samplesDrawn >= sampleBudget(training, dataset.splits.train.size)
      : this.#epochs >= training.epochs;
  }

  async #epoch(): Promise<TrainedEpoch> {
    const { dataset: { splits: { validation } }, onCheckpoint } = this.#options;
    const began = performance.now();
    let evaluating = 0;
    const measured = async () => {
      const started = performance.now();
      const found = await measureFollowing(predictor, validation, "validation", trainer.curve.points);
      evaluating = (performance.now() - started) / 1000;
      return found;
    };
    const { host, predictor, trainer } = this.#run;
    const notes = {
      read: (when: "start" | "later") => host.surroundings(when),
      write: (saved: Surroundings) => host.surround(saved),
    };
    host.journal = onCheckpoint === undefined && this.#underway === null
      ? null
      : new Journal(notes, (saved) => this.#pause(saved), this.#underway);
    this.#underway = null;
    const trained = await wholeEpoch(this.#run, measured, host.journal);
    host.journal = null;
    this.#evaluationSeconds += evaluating;
    this.#trainSeconds += (performance.now() - began) / 1000 - evaluating;
    return trained;
  }

  /** Keeps a checkpoint where it is time for one, and stops where the signal says so. */
  async #pause(saved: () => SavedEpoch | null): Promise<void> {
    const { signal, checkpointEvery: { steps = Infinity, seconds = Infinity } = {}, onCheckpoint } = this.#options;
    const { state } = this.#run;
    const stopped = signal?.aborted ?? false;
    const due = state.steps - this.#keptAt.steps >= steps || performance.now() - this.#keptAt.time >= 1000 * seconds;
    if (!stopped && !due) return;
    const underway = onCheckpoint === undefined ? null : saved();
    if (underway !== null) {
      await onCheckpoint!(() => this.#checkpoint(underway));
      this.#kept();
    }
    if (stopped) throw new InterruptedError(`Stopped in epoch ${state.epoch + 1}, step ${state.steps}`);
  }

  #kept(): void {
    this.#keptAt = { steps: this.#run.state.steps, time: performance.now() };
  }

  #checkpoint(underway: SavedEpoch | null): Promise<Checkpoint> {
    return checkpointOf(this.#run, { epochs: this.#epochs, best: this.#best, underway });
  }

  async #result(): Promise<TrainResult> {
    const { dataset, engine, training } = this.#options;
    const { state, predictor, programs, trainer } = this.#run;
    const whole = this.#options.whole ??
      { model: this.#options.model, modalities: dataset.modalities, params: {}, buffers: {} };
    const best = this.#best!;
    const started = performance.now();
    await state.device.write(best.tensors);
    const selected = await examine(predictor, dataset.splits.validation, "validation");
    const tested = await examine(predictor, dataset.splits.test, "test");
    this.#evaluationSeconds += (performance.now() - started) / 1000;
    const byGroup: Record<string, number> = {};
    for (const [full, { shape }] of sortedByName({ ...whole.params, ...state.layout.params })) {
      const group = groupOf(full);
      byGroup[group] = (byGroup[group] ?? 0) + sizeOf(shape);
    }
    const cost = modelCost(whole.model, whole.modalities, (run) => engine.abstract(run));
    return {
      summary: {
        selectedOn: training.select === "best" ? "validation" : "none",
        selectedEpoch: best.epoch,
        epochs: this.#epochs,
        steps: state.steps,
        samplesDrawn: state.samplesDrawn,
        validation: best.validation,
        test: tested.metrics,
        classes: dataset.classes,
        ...(state.merged.readsLabels ? { readsLabels: true as const } : {}),
        parameters: Object.values(byGroup).reduce((sum, count) => sum + count, 0),
        parametersByGroup: byGroup,
        multiplyAdds: cost.multiplyAdds,
        multiplyAddsByPart: {
          ...Object.fromEntries(
            Object.entries(cost.encoders).map(([modality, own]) => [`encoder:${modality}`, own.multiplyAdds]),
          ),
          fusion: cost.fusion.multiplyAdds,
        },
      },
      params: { ...whole.params, ...names.param.under(best.tensors) },
      buffers: { ...whole.buffers, ...names.buffer.under(best.tensors) },
      predictions: [selected.predictions, tested.predictions],
      timing: {
        trainSeconds: this.#trainSeconds,
        evaluationSeconds: this.#evaluationSeconds,
        compileSeconds: programs.seconds,
        stepMs: median(trainer.stepMs.values),
      },
    };
  }
}

function recordOf({ state, host }: Run, epoch: number, { totals, metrics }: TrainedEpoch): EpochRecord {
  const mean = (name: string) => (totals.sums[name] ?? 0) / (totals.counts[name] ?? 1);
  const loss: Record<string, number> = {};
  const methods: Record<string, Record<string, number | Record<string, number>>> = reportsOf(
    state.parts.model.methods,
    host,
  );
  for (const name of Object.keys(totals.sums)) {
    const slash = name.indexOf("/");
    if (slash === -1) continue;
    const owner = name.slice(0, slash);
    if (owner === "loss") loss[name.slice(slash + 1)] = mean(name);
    else (methods[owner] ??= {})[name.slice(slash + 1)] = mean(name);
  }
  return {
    epoch,
    steps: state.steps,
    samplesDrawn: state.samplesDrawn,
    learningRate: state.control("learningRate")[0],
    loss,
    clipped: mean("clipped"),
    trainAccuracy: (totals.sums["correct"] ?? 0) / totals.rows,
    validation: metrics,
    methods,
  };
}

/** Entries in the order of their names. */
function sortedByName<T>(values: Readonly<Record<string, T>>): [string, T][] {
  return Object.keys(values).sort().map((name) => [name, values[name]]);
}
