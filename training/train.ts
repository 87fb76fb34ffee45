/**
 * The only training loop.
 *
 * @module
 */
import type { Dataset, Segment } from "../core/kinds/mod.ts";
import { type Engine, type NamedHostTensors, sizeOf } from "../core/program.ts";
import { Random } from "../core/random.ts";
import type { EpochRecord, Predictions, RunSummary, SplitMetrics, TrainingConfig } from "../core/record.ts";
import { groupOf } from "../core/scope.ts";
import { createOptimizer } from "../nn/optimizers.ts";
import { schedule } from "../nn/schedules.ts";
import { modelCost } from "./cost.ts";
import { examine, measure } from "./evaluate.ts";
import type { Model } from "./model.ts";
import { reportsOf, Session, type SessionState, type StepTotals, type Teachers } from "./session.ts";

/** What is trained, on what, how. */
export interface TrainOptions {
  readonly model: Model;
  readonly dataset: Dataset;
  readonly engine: Engine;
  readonly training: TrainingConfig;
  readonly seed: number;
  /** Continue from here. */
  readonly resume?: Checkpoint;
  /** What the teachers that methods declare give. @default none can be asked */
  readonly teachers?: Teachers;
  /** Stops between two steps; `train` then throws `InterruptedError`. */
  readonly signal?: AbortSignal;
  /** Called after each step. */
  readonly onStep?: (progress: StepProgress) => void;
  /** Called after each epoch, before the next begins: keep the record, then the checkpoint. */
  readonly onEpoch?: (record: EpochRecord, checkpoint: () => Promise<Checkpoint>) => void | Promise<void>;
}

/** Where training stands within an epoch. */
export interface StepProgress {
  readonly epoch: number;
  readonly samplesDrawn: number;
  readonly samplesBudget: number;
}

/** The state of training after an epoch: all that is needed to go on bit for bit. */
export interface Checkpoint {
  /** Parameters, slots, buffers, tables, and the best parameters so far under `best:`. */
  readonly tensors: NamedHostTensors;
  readonly state: CheckpointState;
}

/** The JSON part of a checkpoint. */
export interface CheckpointState {
  /** Finished epochs. */
  readonly epochs: number;
  readonly session: SessionState;
  readonly best: { readonly epoch: number; readonly accuracy: number } | null;
  /** Metrics of the validation split at the best epoch. */
  readonly bestValidation: SplitMetrics | null;
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
 * @throws {DivergenceError} If a loss term becomes NaN or infinite.
 * @throws {InterruptedError} If the signal stopped it.
 */
export async function train(options: TrainOptions): Promise<TrainResult> {
  const { model, dataset, engine, training, seed, signal } = options;
  const random = new Random(seed);
  const trainSplit = dataset.splits.train;
  const budget = sampleBudget(training, trainSplit.size);
  const multiplier = schedule(training.schedule, { stepAt: training.stepAt });
  const session = new Session({
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
    random,
    epochs: training.epochs,
    budget,
    signal,
    teachers: options.teachers,
    onStep: (samplesDrawn) =>
      options.onStep?.({
        epoch: session.epoch,
        samplesDrawn,
        samplesBudget: Number.isFinite(budget) ? budget : training.epochs * trainSplit.size,
      }),
  });
  try {
    return await loop(session, options, random);
  } finally {
    session.dispose();
  }
}

async function loop(session: Session, options: TrainOptions, random: Random): Promise<TrainResult> {
  const { model, dataset, training, resume } = options;
  const { train: trainSplit, validation, test } = dataset.splits;
  let trainSeconds = 0;
  let evaluationSeconds = 0;
  let best: { epoch: number; accuracy: number } | null = null;
  let bestValidation: SplitMetrics | null = null;
  let bestTensors: NamedHostTensors = {};
  let epochs = 0;
  if (resume !== undefined) {
    await session.load(resume.tensors, resume.state.session, resume.state.epochs);
    ({ epochs, best, bestValidation } = resume.state);
    bestTensors = stripped("best:", resume.tensors);
  }
  const finished = () =>
    training.budget === "samples"
      ? session.samplesDrawn >= sampleBudget(training, trainSplit.size)
      : epochs >= training.epochs;

  while (!finished()) {
    session.epoch = epochs;
    const started = performance.now();
    const totals = await trainEpoch(session, random);
    trainSeconds += (performance.now() - started) / 1000;

    const evaluating = performance.now();
    const metrics = await measure(session, validation);
    evaluationSeconds += (performance.now() - evaluating) / 1000;
    for (const method of model.methods) await method.afterEpoch?.(session);
    // Ties keep the earlier epoch, so that the choice does not depend on how often one looks.
    if (training.select === "last" || best === null || metrics.accuracy > best.accuracy) {
      best = { epoch: epochs, accuracy: metrics.accuracy };
      bestValidation = metrics;
      bestTensors = await testable(session);
    }
    const record = recordOf(session, epochs, totals, metrics);
    epochs++;
    const state: CheckpointState = { epochs, session: session.saved(), best, bestValidation };
    const chosen = bestTensors;
    await options.onEpoch?.(record, async () => ({
      tensors: { ...await session.tensors(), ...prefixed("best:", chosen) },
      state,
    }));
  }

  const evaluating = performance.now();
  await session.state.write(bestTensors);
  const selected = await examine(session, validation, "validation");
  const tested = await examine(session, test, "test");
  evaluationSeconds += (performance.now() - evaluating) / 1000;
  const byGroup: Record<string, number> = {};
  for (const full of session.initial.params) {
    const group = groupOf(full);
    byGroup[group] = (byGroup[group] ?? 0) + sizeOf(session.initial.values[`param:${full}`].shape);
  }
  const cost = modelCost(model, dataset.modalities, (run) => options.engine.abstract(run));
  return {
    summary: {
      selectedOn: training.select === "best" ? "validation" : "none",
      selectedEpoch: best!.epoch,
      epochs,
      steps: session.steps,
      samplesDrawn: session.samplesDrawn,
      validation: bestValidation!,
      test: tested.metrics,
      classes: dataset.classes,
      ...(session.merged.leaksLabels ? { readsLabels: true as const } : {}),
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
    params: stripped("param:", bestTensors),
    buffers: stripped("buffer:", bestTensors),
    predictions: [selected.predictions, tested.predictions],
    timing: { trainSeconds, evaluationSeconds, compileSeconds: session.compileSeconds, stepMs: median(session.stepMs) },
  };
}

/**
 * Trains the epoch `session.epoch`: what methods do before it, its plan, its steps, the means of features.
 *
 * @param random The run's stream.
 */
export async function trainEpoch(session: Session, random: Random): Promise<StepTotals> {
  const { model, dataset } = session.parts;
  for (const method of model.methods) await method.beforeEpoch?.(session);
  const order = random.split("order", session.epoch).permutation(dataset.splits.train.size);
  let plan: readonly Segment[] = [{ programs: ["main"], items: order }];
  for (const method of model.methods) plan = await method.plan?.(session, plan) ?? plan;
  const totals = await session.runSegments(plan, `epoch/${session.epoch}`);
  if (totals.steps === 0) {
    throw new RangeError(
      `Cannot train epoch ${session.epoch} as its plan must hold at least one sample: it holds none`,
    );
  }
  await session.finishFeatureMeans();
  return totals;
}

function recordOf(session: Session, epoch: number, totals: StepTotals, validation: SplitMetrics): EpochRecord {
  const mean = (name: string) => (totals.sums[name] ?? 0) / (totals.counts[name] ?? 1);
  const loss: Record<string, number> = {};
  const methods: Record<string, Record<string, number | Record<string, number>>> = reportsOf(
    session.parts.model.methods,
    session,
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
    steps: session.steps,
    samplesDrawn: session.samplesDrawn,
    learningRate: session.control("learningRate")[0],
    loss,
    clipped: mean("clipped"),
    trainAccuracy: (totals.sums["correct"] ?? 0) / totals.rows,
    validation,
    methods,
  };
}

/** The tensors that decide predictions: parameters and buffers, by device name. */
async function testable(session: Session): Promise<NamedHostTensors> {
  const names = Object.keys(session.initial.values).filter((name) =>
    name.startsWith("param:") || name.startsWith("buffer:")
  );
  return await session.state.read(names);
}

function prefixed(prefix: string, tensors: NamedHostTensors): NamedHostTensors {
  return Object.fromEntries(Object.entries(tensors).map(([name, value]) => [prefix + name, value]));
}

function stripped(prefix: string, tensors: NamedHostTensors): NamedHostTensors {
  return Object.fromEntries(
    Object.entries(tensors).filter(([name]) => name.startsWith(prefix))
      .map(([name, value]) => [name.slice(prefix.length), value]),
  );
}

/** Median; 0 for none. */
function median(values: readonly number[]): number {
  if (values.length === 0) return 0;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}
