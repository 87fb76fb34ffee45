/**
 * Writing a run: the folder `<runs>/<id>/`, whose files `core/record.ts` describes.
 *
 * At any moment the process may be killed; what is on the disk then is a run that goes on from its last checkpoint.
 *
 * @module
 */
import { dirname, join } from "node:path";
import { canonicalJson } from "../core/canonical.ts";
import type { NamedHostTensors } from "../core/program.ts";
import { Refusal } from "../core/refusal.ts";
import type {
  EpochRecord,
  PooledFeatures,
  Predictions,
  RunConfig,
  RunFailure,
  RunProgress,
  RunSummary,
  RunTiming,
  ValuationRecord,
} from "../core/record.ts";
import {
  appendLine,
  isFile,
  isFolder,
  makeFolder,
  readTextSync,
  removeIfPresent,
  removeTree,
  renameFolder,
  StoreError,
  storeErrorOf,
  writeAtomic,
} from "./files.ts";
import { isRunId, runId } from "./run_id.ts";
import { writeFeatures } from "./features.ts";
import { writePredictions } from "./predictions.ts";
import { maxJsonBytes, quoted, remedies, runFiles } from "./run_files.ts";
import { isKept, readEpochs, truncateEpochs, truncateValuation } from "./run_records.ts";
import {
  readCheckpoint,
  readModel,
  type StoredCheckpoint,
  type StoredModel,
  writeCheckpoint,
  writeModel,
} from "./run_tensors.ts";
import { parseStored, type StoredKinds } from "./schemas.ts";

/**
 * Makes the folder of all runs and checks that it can be written to.
 *
 * @throws {StoreError} If it cannot be made or written to.
 */
export async function prepareRuns(runsDir: string): Promise<void> {
  await makeFolder(runsDir);
  try {
    // A name of its own: several processes may ask at once.
    await removeIfPresent(await Deno.makeTempFile({ dir: runsDir, prefix: ".writable-" }));
  } catch (error) {
    throw storeErrorOf(error, "write into", runsDir);
  }
}

/**
 * The folder of a run, which need not exist yet.
 *
 * @throws {Refusal} If the id has not the form of one.
 */
export function openRun(runsDir: string, id: string): RunFolder {
  if (!isRunId(id)) {
    throw new Refusal({
      what: `open run ${quoted(id)}`,
      must: "its id must be 16 hexadecimal digits",
      found: "it is not",
    });
  }
  return new RunFolder(join(runsDir, id), id);
}

/** The folder of one run. One process writes to it, and within the process one worker: the runs folder is locked. */
export class RunFolder {
  /** The folder. */
  readonly path: string;
  /** The run's name. */
  readonly id: string;

  /** Use `openRun`. */
  constructor(path: string, id: string) {
    this.path = path;
    this.id = id;
  }

  /** Path of one of its files. */
  file(kind: keyof typeof runFiles): string {
    return join(this.path, runFiles[kind]);
  }

  /**
   * Makes the folder with its configuration and where the run stands, or checks the one that is there.
   *
   * A new folder appears as a whole, so that whoever looks never sees a run without one of them. The runs folder is not
   * made: where it is gone, so is its lock.
   *
   * @param progress Of a run that begins.
   * @throws {Refusal} If the configuration is of another run.
   * @throws {StoreError} If the folder cannot be written, or holds another or a damaged configuration.
   */
  async create(config: RunConfig, progress: RunProgress | null = null): Promise<void> {
    const id = runId(config);
    if (id !== this.id) {
      throw new Refusal({
        what: `make run "${this.id}"`,
        must: "its configuration must be of it",
        found: `found ${id}`,
      });
    }
    if (!await isFolder(this.path)) return await this.#make(config, progress);
    const present = this.#read("config");
    if (present === null) await writeAtomic(this.file("config"), canonicalJson(config, 2) + "\n");
    else if (runId(present) !== this.id) {
      throw new StoreError("corrupt", this.file("config"), {
        what: `use run folder "${this.path}"`,
        must: `its config.json must be of run ${this.id}`,
        found: `found one of run ${runId(present)}`,
        hint: "move the folder away",
      });
    }
    if (progress !== null) await this.writeProgress(progress);
  }

  /** Makes the folder under another name, then gives it its own. */
  async #make(config: RunConfig, progress: RunProgress | null): Promise<void> {
    const begun = join(dirname(this.path), `.${this.id}.tmp`);
    await removeTree(begun); // what a kill left
    try {
      await Deno.mkdir(begun);
    } catch (error) {
      throw storeErrorOf(error, "make folder", this.path);
    }
    const folder = new RunFolder(begun, this.id);
    await writeAtomic(folder.file("config"), canonicalJson(config, 2) + "\n");
    if (progress !== null) await folder.writeProgress(progress);
    await renameFolder(begun, this.path);
  }

  /** Forgets an earlier failure. @throws {StoreError} If it cannot be removed. */
  async forgetFailure(): Promise<void> {
    await removeIfPresent(this.file("failure"));
  }

  /** Whether there is a model. */
  async hasModel(): Promise<boolean> {
    return await isFile(this.file("model"));
  }

  /**
   * Removes what a finished run does not keep: a kill after its summary leaves it.
   *
   * @throws {StoreError} If it cannot be removed.
   */
  async tidy(): Promise<void> {
    for (const kind of ["progress", "failure", "checkpoint"] as const) await removeIfPresent(this.file(kind));
  }

  /** Takes a finished run's result back, so that it is trained anew. @throws {StoreError} If it cannot be removed. */
  async reopen(): Promise<void> {
    await removeIfPresent(this.file("summary"));
    await removeIfPresent(this.file("timing"));
  }

  /** The configuration, or `null`. @throws {StoreError} If it cannot be read. */
  config(): Promise<RunConfig | null> {
    return Promise.try(() => this.#read("config"));
  }

  /** The result, or `null` if the run is not finished. @throws {StoreError} If it cannot be read. */
  async summary(): Promise<RunSummary | null> {
    const summary = await Promise.try(() => this.#read("summary"));
    if (summary !== null && summary.id !== this.id) {
      throw new StoreError("corrupt", this.file("summary"), {
        what: `use "${this.file("summary")}"`,
        must: `it must be of run ${this.id}`,
        found: `found one of run ${quoted(summary.id)}`,
        hint: remedies.summary,
      });
    }
    return summary;
  }

  /** Wall-clock figures of a finished run. @throws {StoreError} If there are none or they cannot be read. */
  async timing(): Promise<RunTiming> {
    const timing = await Promise.try(() => this.#read("timing"));
    if (timing !== null) return timing;
    throw new StoreError("missing", this.file("timing"), {
      what: `read "${this.file("timing")}"`,
      must: "a finished run must have one",
      found: "nothing is there",
      hint: remedies.timing,
    });
  }

  /** Adds the record of an epoch, if it is one that is kept. @throws {StoreError} If it cannot be written. */
  async appendEpoch(record: EpochRecord): Promise<void> {
    if (isKept(record.epoch)) await appendLine(this.file("metrics"), canonicalJson(record));
  }

  /** Adds the valuation of the samples that are followed, before the record of its epoch. @throws {StoreError} As that. */
  async appendValuation(record: ValuationRecord): Promise<void> {
    if (isKept(record.epoch)) await appendLine(this.file("valuation"), canonicalJson(record));
  }

  /** Keeps pooled features of a finished run. @throws {StoreError} If they cannot be written. */
  async keepFeatures(features: PooledFeatures): Promise<void> {
    await writeFeatures(this.file("features-test"), this.id, features);
  }

  /** Whether there are pooled features. */
  async hasFeatures(): Promise<boolean> {
    return await isFile(this.file("features-test"));
  }

  /**
   * The records of all epochs, of thousands of those that are kept. A last line without its end is left out: it was cut off
   * by a kill.
   *
   * @throws {StoreError} If a line is damaged or the file cannot be read.
   */
  epochs(): Promise<EpochRecord[]> {
    return Promise.try(() => readEpochs(this.file("metrics")));
  }

  /**
   * Keeps the records of the first epochs only: those that the checkpoint covers.
   *
   * @throws {StoreError} If there are fewer, or the file cannot be written.
   */
  async truncateEpochs(count: number): Promise<void> {
    await truncateValuation(this.file("valuation"), count);
    await truncateEpochs(this.file("metrics"), count);
  }

  /**
   * Replaces the checkpoint, as a whole.
   *
   * @param state Plain data; numbers must be finite.
   * @throws {TypeError} If the state is not plain data.
   * @throws {StoreError} If it cannot be written; the old checkpoint stays.
   */
  async saveCheckpoint(tensors: NamedHostTensors, state: unknown): Promise<void> {
    await writeCheckpoint(this.file("checkpoint"), this.id, tensors, state);
  }

  /**
   * The checkpoint, or `null` if there is none.
   *
   * @throws {StoreError} If it is damaged, of another run, or cannot be read.
   */
  async loadCheckpoint<S>(): Promise<StoredCheckpoint<S> | null> {
    return await readCheckpoint<S>(this.file("checkpoint"), this.id);
  }

  /** What the checkpoint says of itself; `null` if there is none that can be read. */
  async checkpointState<S>(): Promise<S | null> {
    try {
      return (await this.loadCheckpoint<{ checkpoint?: S }>())?.state.checkpoint ?? null;
    } catch (error) {
      if (error instanceof StoreError) return null;
      throw error;
    }
  }

  /** Says that the run was stopped from outside: it does not go on now. @throws {StoreError} If it cannot be written. */
  async stopped(): Promise<void> {
    await removeIfPresent(this.file("progress"));
    await this.log("stopped from outside");
  }

  /** Adds a line with the time to the log, which is for people and read by no program. @throws {StoreError} If it cannot be written. */
  async log(text: string): Promise<void> {
    await appendLine(this.file("log"), `${new Date().toISOString()} ${text.replaceAll(/\s+/g, " ")}`);
  }

  /** Says where the run stands. @throws {StoreError} If it cannot be written. */
  async writeProgress(progress: RunProgress): Promise<void> {
    await writeAtomic(this.file("progress"), canonicalJson(progress, 2) + "\n");
  }

  /**
   * Says why the run stopped; beside a summary, damaged or not, nothing is said.
   *
   * @throws {StoreError} If it cannot be written: the folder is gone, too.
   */
  async fail(failure: RunFailure): Promise<void> {
    if (!await isFile(this.file("summary"))) await writeAtomic(this.file("failure"), canonicalJson(failure, 2) + "\n");
    await removeIfPresent(this.file("progress"));
  }

  /**
   * Keeps the result. The summary comes last: once it is there, everything else is.
   *
   * The checkpoint is removed, as nothing goes on from it; the tested parameters stay in `model.safetensors`, whose
   * metadata `buffers` lists which of its tensors are buffers.
   *
   * @param predictions By the tested parameters, a split each.
   * @throws {Refusal} If the summary is of another run, or a parameter and a buffer have the same name.
   * @throws {StoreError} If it cannot be written.
   */
  async finish(
    summary: RunSummary,
    timing: RunTiming,
    model: StoredModel,
    predictions: readonly Predictions[] = [],
  ): Promise<void> {
    if (summary.id !== this.id) {
      throw new Refusal({
        what: `finish run "${this.id}"`,
        must: "its summary must be of it",
        found: `found ${quoted(summary.id)}`,
      });
    }
    await writeModel(this.file("model"), this.id, model);
    for (const own of predictions) await writePredictions(this.file(`predictions-${own.split}`), this.id, own);
    await writeAtomic(this.file("timing"), canonicalJson(timing, 2) + "\n");
    await writeAtomic(this.file("summary"), canonicalJson(summary, 2) + "\n");
    await this.tidy();
  }

  /**
   * The tested parameters and buffers of a finished run, or `null` if there are none.
   *
   * @throws {StoreError} If they are damaged, of another run, or cannot be read.
   */
  async model(): Promise<StoredModel | null> {
    return await readModel(this.file("model"), this.id);
  }

  #read<K extends "config" | "summary" | "timing">(kind: K): StoredKinds[K] | null {
    const path = this.file(kind);
    const text = readTextSync(path, maxJsonBytes);
    return text === null ? null : parseStored(kind, text, path, undefined, remedies[kind]);
  }
}
