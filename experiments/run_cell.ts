/**
 * One cell of a grid: a resolved configuration trained, kept on disk, resumed where it stopped.
 *
 * @module
 */
import type { Library } from "../core/library.ts";
import type { Dataset } from "../core/kinds/mod.ts";
import type { Engine } from "../core/program.ts";
import type { EpochRecord, RunConfig, RunSummary, RunTiming } from "../core/record.ts";
import { checkDataset } from "../datasets/check.ts";
import { selectModalities } from "../datasets/select.ts";
import { selectEngine } from "../engines/mod.ts";
import { openRun, type RunFolder } from "../store/run_folder.ts";
import { runId } from "../store/run_id.ts";
import {
  type Checkpoint,
  type CheckpointState,
  DivergenceError,
  InterruptedError,
  sampleBudget,
  stepForwards,
  train,
} from "../training/mod.ts";
import { buildModel } from "./config.ts";
import { finishedTeachers, teacherRuns } from "./teachers.ts";

/** What happens in a cell, in order. */
export type CellEvent =
  | { readonly type: "started"; readonly epochs: number; readonly samplesBudget: number; readonly samplesDrawn: number }
  | { readonly type: "step"; readonly epoch: number; readonly samplesDrawn: number }
  | { readonly type: "epoch"; readonly epoch: number; readonly validationAccuracy: number }
  | { readonly type: "finished"; readonly summary: RunSummary; readonly timing: RunTiming; readonly reused: boolean }
  | { readonly type: "failed"; readonly message: string }
  | { readonly type: "interrupted" };

/** How a cell is run. */
export interface CellOptions {
  /** The command that runs this cell alone, kept beside a failure. */
  readonly command: string;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: CellEvent) => void;
}

/** Milliseconds between two progress messages of a cell. */
const PROGRESS_MS = 250;

/** Runs cells in this thread; keeps the last dataset and engine, as neighbouring cells share them. */
export class CellRunner {
  readonly #library: Library;
  readonly #runs: string;
  #dataset: { key: string; dataset: Dataset } | null = null;
  #engine: { key: string; engine: Engine } | null = null;

  /** @param runs Folder of all runs; must exist. */
  constructor(library: Library, runs: string) {
    this.#library = library;
    this.#runs = runs;
  }

  /** Runs a cell to its end, or to the first of: failure, stop. Never throws; what went wrong is an event and a file. */
  async run(config: RunConfig, options: CellOptions): Promise<void> {
    const folder = openRun(this.#runs, runId(config));
    const emit = options.onEvent ?? (() => {});
    let place: { epoch: number; checkpoint: number | null } = { epoch: 0, checkpoint: null };
    try {
      const done = await folder.summary();
      if (done !== null) {
        emit({ type: "finished", summary: done, timing: await folder.timing(), reused: true });
        return;
      }
      await folder.create(config);
      const { summary, timing } = await this.#train(config, folder, options, (now) => place = now);
      emit({ type: "finished", summary, timing, reused: false });
    } catch (error) {
      if (error instanceof InterruptedError) {
        await folder.log("stopped from outside");
        emit({ type: "interrupted" });
        return;
      }
      const message = error instanceof Error ? error.message : String(error);
      const divergence = error instanceof DivergenceError ? error : null;
      try {
        await folder.fail({
          message,
          epoch: divergence?.epoch ?? place.epoch,
          step: divergence?.step ?? null,
          term: divergence?.term ?? null,
          checkpointEpoch: place.checkpoint,
          command: options.command,
          at: new Date().toISOString(),
        });
        await folder.log(`failed: ${message}`);
      } catch (second) {
        // The first error is the one to show; that it could not be kept is part of it.
        const also = second instanceof Error ? second.message : String(second);
        emit({ type: "failed", message: `${message} (and the failure could not be kept: ${also})` });
        return;
      }
      const last = place.checkpoint === null ? "none" : `epoch ${place.checkpoint}`;
      emit({ type: "failed", message: `${message} [last good checkpoint: ${last}]` });
    }
  }

  async #train(
    config: RunConfig,
    folder: RunFolder,
    options: CellOptions,
    at: (place: { epoch: number; checkpoint: number | null }) => void,
  ): Promise<{ summary: RunSummary; timing: RunTiming }> {
    const dataset = await this.#load(config);
    const engine = await this.#open(config);
    const emit = options.onEvent ?? (() => {});
    const saved = await folder.loadCheckpoint<SavedState>();
    const resume: Checkpoint | undefined = saved === null
      ? undefined
      : { tensors: saved.tensors, state: saved.state.checkpoint };
    const finishedEpochs = resume?.state.epochs ?? 0;
    await folder.truncateEpochs(finishedEpochs);
    at({ epoch: finishedEpochs, checkpoint: resume === undefined ? null : finishedEpochs - 1 });

    const before = saved?.state.timing ?? { seconds: 0, startedAt: new Date().toISOString() };
    const started = performance.now();
    const seconds = () => before.seconds + (performance.now() - started) / 1000;
    const budget = sampleBudget(config.training, dataset.splits.train.size);
    const samplesBudget = Number.isFinite(budget) ? budget : config.training.epochs * dataset.splits.train.size;
    const samplesBefore = resume?.state.counters.samplesDrawn ?? 0;
    emit({ type: "started", epochs: config.training.epochs, samplesBudget, samplesDrawn: samplesBefore });
    await folder.log(
      `${resume === undefined ? "started" : `resumed after epoch ${finishedEpochs}`} on ${engine.name} ` +
        `(${engine.version}, ${engine.device}), armlab ${config.version}`,
    );
    let told = performance.now();
    let drawn = samplesBefore;
    let validationAccuracy: number | null = null;
    const result = await train({
      model: buildModel(config, this.#library, dataset),
      dataset,
      engine,
      teachers: finishedTeachers(this.#runs, config, this.#library, dataset, engine),
      training: config.training,
      seed: config.seed,
      resume,
      signal: options.signal,
      onStep: ({ epoch, samplesDrawn }) => {
        drawn = samplesDrawn;
        if (performance.now() - told < PROGRESS_MS) return;
        told = performance.now();
        emit({ type: "step", epoch, samplesDrawn });
      },
      onEpoch: async (record: EpochRecord, checkpoint) => {
        await folder.appendEpoch(record);
        const { tensors, state } = await checkpoint();
        const kept: SavedState = { checkpoint: state, timing: { seconds: seconds(), startedAt: before.startedAt } };
        await folder.saveCheckpoint(tensors, kept);
        validationAccuracy = record.validation.accuracy;
        at({ epoch: record.epoch + 1, checkpoint: record.epoch });
        await folder.writeProgress({
          epoch: record.epoch,
          epochs: config.training.epochs,
          samplesDrawn: drawn,
          samplesBudget,
          samplesPerSecond: (drawn - samplesBefore) / ((performance.now() - started) / 1000),
          validationAccuracy,
          pid: Deno.pid,
          updatedAt: new Date().toISOString(),
        });
        await folder.log(
          `epoch ${record.epoch + 1}: loss ${record.loss.total.toPrecision(4)}, ` +
            `train ${(100 * record.trainAccuracy).toFixed(2)} %, validation ${(100 * validationAccuracy).toFixed(2)} %`,
        );
        emit({ type: "epoch", epoch: record.epoch, validationAccuracy });
      },
    });
    const timing: RunTiming = {
      seconds: seconds(),
      ...result.timing,
      startedAt: before.startedAt,
      finishedAt: new Date().toISOString(),
      device: engine.device,
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
    await folder.log(`finished after ${timing.seconds.toFixed(1)} s; tested epoch ${summary.selectedEpoch + 1}`);
    await folder.finish(summary, timing, { params: result.params, buffers: result.buffers }, result.predictions);
    return { summary, timing };
  }

  async #load(config: RunConfig): Promise<Dataset> {
    const key = JSON.stringify([config.dataset.name, config.dataset.options]);
    if (this.#dataset?.key !== key) {
      const plugin = this.#library.of("dataset").get(config.dataset.name);
      const loaded = await plugin.load(config.dataset.options);
      checkDataset(loaded); // whoever wrote the dataset: a NaN is told here, not as a diverged loss
      this.#dataset = { key, dataset: loaded };
    }
    const { dataset } = this.#dataset;
    if (dataset.fingerprint !== config.dataset.fingerprint) {
      throw new RangeError(
        `Cannot run on dataset "${dataset.name}" as its fingerprint must be ${config.dataset.fingerprint}: found ` +
          `${dataset.fingerprint}; the data changed since the run was configured`,
      );
    }
    return selectModalities(dataset, config.modalities);
  }

  async #open(config: RunConfig): Promise<Engine> {
    const key = JSON.stringify(config.engine);
    if (this.#engine?.key !== key) {
      await this.#engine?.engine.dispose();
      const { engine } = await selectEngine(config.engine.name, { threads: config.engine.threads });
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

/** What a cell keeps in its checkpoint beside tensors. */
interface SavedState {
  readonly checkpoint: CheckpointState;
  readonly timing: { readonly seconds: number; readonly startedAt: string };
}
