/**
 * One cell of a grid: a resolved configuration trained, kept on disk, resumed where it stopped.
 *
 * @module
 */
import type { Library } from "../core/library.ts";
import type { Dataset } from "../core/kinds/mod.ts";
import type { Engine } from "../core/program.ts";
import type { RunConfig, RunProgress, RunSummary, RunTiming, TestPoint } from "../core/record.ts";
import { Refusal } from "../core/refusal.ts";
import { selectModalities } from "../datasets/select.ts";
import { selectEngine } from "../engines/mod.ts";
import { checkClaim, type ClaimMark } from "../store/claims.ts";
import { removeIfPresent } from "../store/files.ts";
import { openRun, type RunFolder } from "../store/run_folder.ts";
import { runId } from "../store/run_id.ts";
import { appendTestPoint, testCurve, truncateTestCurve } from "../store/test_curve.ts";
import { type CheckpointInterval, DivergenceError, InterruptedError, stepForwards, train } from "../training/mod.ts";
import { reportText } from "../nn/pretrained.ts";
import { applyModel } from "./applied_run.ts";
import { augmentationsOf, buildModel } from "./config.ts";
import { StartValues } from "./pretrained.ts";
import { loadSameDataset } from "./data.ts";
import { FrozenFeatures } from "./frozen.ts";
import { failureOf, stackOf } from "./failure.ts";
import { type Finished, finishedRun } from "./finished.ts";
import { checkHeap, heapSpent } from "./heap.ts";
import { CheckpointKeeper, type SavedState } from "./keeper.ts";
import type { Provenance } from "./provenance.ts";
import { datasetKey, type SharedDataset } from "./shared_data.ts";
import { finishedTeachers, teacherRuns } from "./teachers.ts";

/** What happens in a cell, in order. */
export type CellEvent =
  | { readonly type: "started"; readonly epochs: number; readonly samplesBudget: number; readonly samplesDrawn: number }
  | { readonly type: "step"; readonly epoch: number; readonly samplesDrawn: number }
  | { readonly type: "epoch"; readonly epoch: number; readonly validationAccuracy: number }
  | { readonly type: "finished"; readonly summary: RunSummary; readonly timing: RunTiming; readonly reused: boolean }
  /** What somebody should know, and nothing follows from. */
  | { readonly type: "note"; readonly text: string }
  /** Another process trains it. */
  | { readonly type: "elsewhere"; readonly by: string }
  /** `spent`: this thread's memory is used up, and no further cell has a place in it. */
  | { readonly type: "failed"; readonly message: string; readonly spent?: boolean }
  | { readonly type: "interrupted" };

/** How a cell is run. */
export interface CellOptions {
  /** The claim on the run: nothing is written once it is another's. */
  readonly claim?: ClaimMark;
  /** The command that runs this cell alone, kept beside a failure. */
  readonly command: string;
  /** The cell's dataset, if somebody has loaded it. */
  readonly data?: SharedDataset;
  /** Stops at the next step, with a checkpoint. */
  readonly signal?: AbortSignal;
  /** How often a checkpoint is kept within epochs, beside that at each epoch's end. @default never */
  readonly checkpointEvery?: CheckpointInterval;
  /** Keeps pooled features of the test split. @default {false} */
  readonly keepFeatures?: boolean;
  /** Keeps the accuracy on test after each epoch, for what choosing on test would give. @default {false} */
  readonly keepTestCurve?: boolean;
  readonly onEvent?: (event: CellEvent) => void;
}

/** Milliseconds between two progress messages of a cell. */
const PROGRESS_MS = 250;

/** What a runner is held to. */
export interface RunnerOptions {
  /** What plugins are made of in this thread: a configuration of other code is refused. */
  readonly provenance?: Provenance;
  /** Makes features of frozen encoders. @default kept where the environment says */
  readonly features?: FrozenFeatures;
}

/** Runs cells in this thread; keeps the last dataset and engine, as neighbouring cells share them. */
export class CellRunner {
  readonly #library: Library;
  readonly #runs: string;
  readonly #held: RunnerOptions;
  #dataset: { key: string; dataset: Dataset } | null = null;
  #engine: { key: string; engine: Engine } | null = null;
  readonly #features: FrozenFeatures;
  readonly #start = new StartValues();

  /** @param runs Folder of all runs; must exist. */
  constructor(library: Library, runs: string, held: RunnerOptions = {}) {
    this.#library = library;
    this.#runs = runs;
    this.#held = held;
    this.#features = held.features ?? new FrozenFeatures();
  }

  /** Runs a cell to its end, or to the first of: failure, stop. Never throws; what went wrong is an event and a file. */
  async run(config: RunConfig, options: CellOptions): Promise<void> {
    const folder = openRun(this.#runs, runId(config));
    const emit = options.onEvent ?? (() => {});
    if (options.data !== undefined) this.#dataset = { key: datasetKey(config.dataset), dataset: options.data };
    const checkHeld = () => options.claim === undefined ? undefined : checkClaim(options.claim);
    const keeper = new CheckpointKeeper(folder, config, emit, checkHeld);
    try {
      checkHeld();
      if (options.keepTestCurve) await this.#forCurve(folder, emit);
      const done = await this.#finished(config, folder, emit);
      if (done !== null) {
        if (options.keepFeatures) await this.#keepFeatures(config, folder, checkHeld);
        emit({ type: "finished", ...done, reused: true });
        return;
      }
      await folder.create(config, beginning(config));
      await folder.forgetFailure();
      const { summary, timing } = await this.#train(config, folder, keeper, options);
      if (options.keepFeatures) await this.#keepFeatures(config, folder, checkHeld);
      emit({ type: "finished", summary, timing, reused: false });
    } catch (error) {
      if (error instanceof InterruptedError) {
        await folder.stopped().catch((second) => emit({ type: "note", text: failureOf(second) }));
        emit({ type: "interrupted" });
        return;
      }
      const spent = heapSpent();
      const message = await this.#fail(error, keeper, folder, options);
      emit({ type: "failed", message, ...(spent ? { spent } : {}) });
    }
  }

  /** The result of a run that is finished already; `null` if there is none. One whose model is gone is trained anew. */
  async #finished(
    config: RunConfig,
    folder: RunFolder,
    emit: (event: CellEvent) => void,
  ): Promise<Finished | null> {
    const done = await finishedRun(folder, config);
    if (done === null && await folder.summary() !== null) {
      await folder.reopen();
      emit({ type: "note", text: `the model of finished run ${folder.id} is gone: training anew` });
    }
    return done;
  }

  /** Keeps pooled features of a finished run that has none: its tested model is applied to the test split once more. */
  async #keepFeatures(config: RunConfig, folder: RunFolder, checkHeld: () => void): Promise<void> {
    if (await folder.hasFeatures()) return;
    const dataset = await this.#load(config);
    const engine = await this.#open(config);
    const applied = await applyModel(folder, `keep features of run ${folder.id}`, this.#library, dataset, engine);
    try {
      const { test } = dataset.splits;
      const { pooled, fused } = await applied.predictor.detail(test);
      checkHeld();
      await folder.keepFeatures({ labels: test.labels, pooled, fused });
    } finally {
      applied.dispose();
    }
  }

  /** A test curve has no gaps: what was trained or begun without one is trained anew. */
  async #forCurve(folder: RunFolder, emit: (event: CellEvent) => void): Promise<void> {
    const kept = testCurve(folder).length;
    const summary = await folder.summary();
    const done = summary?.epochs ?? (await folder.checkpointState<SavedState["checkpoint"]>())?.epochs ?? 0;
    if (kept >= done) return;
    emit({ type: "note", text: `run ${folder.id} has no test curve yet: training anew` });
    if (summary !== null) await folder.reopen();
    await removeIfPresent(folder.file("checkpoint"));
  }

  /** Keeps a failure; returns it in words. */
  async #fail(
    error: unknown,
    keeper: CheckpointKeeper,
    folder: RunFolder,
    { command, claim }: CellOptions,
  ): Promise<string> {
    const message = failureOf(error);
    const divergence = error instanceof DivergenceError ? error : null;
    try {
      if (claim !== undefined) checkClaim(claim);
      const { epoch, words } = await keeper.standing();
      const stack = stackOf(error);
      await folder.fail({
        message,
        epoch: divergence?.epoch ?? keeper.epoch,
        step: divergence?.step ?? null,
        term: divergence?.term ?? null,
        checkpointEpoch: epoch,
        ...(divergence === null ? {} : { curve: divergence.curve }),
        ...(stack === null ? {} : { stack }),
        command,
        at: new Date().toISOString(),
      });
      await folder.log(`failed: ${message}`);
      const last = words === null ? "no checkpoint to go on from" : `last good checkpoint: ${words}`;
      return `${message} [${last}]`;
    } catch (second) {
      // The first error is the one to show; that it could not be kept is part of it.
      return `${message} (and the failure could not be kept: ${failureOf(second)})`;
    }
  }

  async #train(
    config: RunConfig,
    folder: RunFolder,
    keeper: CheckpointKeeper,
    options: CellOptions,
  ): Promise<{ summary: RunSummary; timing: RunTiming }> {
    const changed = this.#held.provenance?.changed(config) ?? [];
    if (changed.length > 0) {
      throw new Refusal({
        what: `train run ${folder.id}`,
        must: "its plugins must be what they were when the grid began",
        found: `${changed.join(", ")} changed since`,
        hint: "run the same command again",
      });
    }
    const dataset = await this.#load(config);
    const engine = await this.#open(config);
    const emit = options.onEvent ?? (() => {});
    const resume = await keeper.begin(dataset.splits.train.size);
    await truncateTestCurve(folder, resume?.state.epochs ?? 0);
    const { words } = await keeper.standing();
    await folder.log(
      `${words === null ? "started" : `resumed from its checkpoint (${words})`} on ${engine.name} ` +
        `(${engine.version}, ${engine.device}) of ${keeper.processor}, armlab ${config.version}`,
    );
    let told = performance.now();
    const built = buildModel(config, this.#library, dataset);
    const start = await this.#start.of(
      config,
      built.encoders,
      dataset,
      (modality, report) => folder.log(`weights of "${modality}": ${reportText(report)}`),
    );
    const whole = config.weights === undefined ? built : { ...built, start };
    const ready = await this.#features.prepare(config, whole, dataset, engine, {
      tell: (text) => folder.log(text),
      signal: options.signal,
    });
    const result = await train({
      ...ready ?? { model: whole, dataset },
      engine,
      teachers: finishedTeachers(this.#runs, config, this.#library, dataset, engine),
      training: config.training,
      ...config.training.augment === undefined ? {} : { augment: augmentationsOf(config, this.#library, dataset) },
      seed: config.seed,
      resume,
      signal: options.signal,
      checkpointEvery: options.checkpointEvery,
      onStep: ({ epoch, samplesDrawn }) => {
        keeper.drawn = samplesDrawn;
        checkHeap();
        if (performance.now() - told < PROGRESS_MS) return;
        told = performance.now();
        emit({ type: "step", epoch, samplesDrawn });
      },
      ...(options.keepTestCurve ? { onTest: (point: TestPoint) => appendTestPoint(folder, point) } : {}),
      onEpoch: (record, checkpoint, valuation) => keeper.endEpoch(record, checkpoint, valuation),
      onCheckpoint: (checkpoint) => keeper.keep(checkpoint),
    });
    const timing: RunTiming = {
      seconds: keeper.seconds,
      ...result.timing,
      startedAt: keeper.startedAt,
      finishedAt: new Date().toISOString(),
      device: engine.device,
      processor: keeper.processor,
      deno: Deno.version.deno,
    };
    const { multiplyAdds = null, samplesDrawn } = result.summary;
    const forwards = stepForwards(config.methods.map(({ name }) => this.#library.of("method").get(name).cost));
    const summary: RunSummary = {
      format: 1,
      id: runId(config),
      seed: config.seed,
      ...result.summary,
      ...await teacherRuns(this.#runs, config, this.#library, dataset),
      trainingMultiplyAdds: multiplyAdds === null ? null : samplesDrawn * multiplyAdds * forwards,
    };
    if (options.claim !== undefined) checkClaim(options.claim);
    await folder.log(`finished after ${timing.seconds.toFixed(1)} s; tested epoch ${summary.selectedEpoch + 1}`);
    await folder.finish(summary, timing, { params: result.params, buffers: result.buffers }, result.predictions);
    return { summary, timing };
  }

  async #load(config: RunConfig): Promise<Dataset> {
    const key = datasetKey(config.dataset);
    if (this.#dataset?.key !== key) {
      this.#dataset = { key, dataset: await loadSameDataset(this.#library, config, `train run ${runId(config)}`) };
    }
    return selectModalities(this.#dataset.dataset, config.modalities);
  }

  async #open(config: RunConfig): Promise<Engine> {
    const key = JSON.stringify(config.engine);
    if (this.#engine?.key !== key) {
      await this.#engine?.engine.dispose();
      const engines = this.#library.of("engine").list();
      const { engine } = await selectEngine(config.engine.name, { threads: config.engine.threads }, engines);
      this.#engine = { key, engine };
    }
    return this.#engine.engine;
  }

  /** Frees the engine. */
  async dispose(): Promise<void> {
    await this.#engine?.engine.dispose();
    this.#engine = null;
  }
}

/** Where a run stands that has only begun. */
function beginning({ training: { epochs } }: RunConfig): RunProgress {
  return {
    epoch: -1,
    epochs,
    samplesDrawn: 0,
    samplesBudget: 0,
    samplesPerSecond: 0,
    validationAccuracy: null,
    pid: Deno.pid,
    updatedAt: new Date().toISOString(),
  };
}
