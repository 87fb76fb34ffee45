/**
 * What the viewer reads: the runs of a folder, kept up to date, and nothing outside that folder.
 *
 * @module
 */
import { join } from "node:path";
import type { Experiment, PooledFeatures, Predictions } from "../core/record.ts";
import { type ExperimentList, experimentStamp, listExperiments } from "../store/experiments.ts";
import { StoreError, storeErrorOf } from "../store/files.ts";
import { openIndex, type RunDetails, type RunIndex } from "../store/index.ts";
import { readFeatures } from "../store/features.ts";
import { type EpochsReport, inspectEpochs, inspectValuation, type ValuationReport } from "../store/inspect.ts";
import { readPredictions } from "../store/predictions.ts";
import { runFiles } from "../store/run_files.ts";
import { isRunId } from "../store/run_id.ts";
import { bounded } from "./bounded.ts";

/** All runs at one moment. */
export interface Snapshot {
  /** Raised by every change. */
  readonly version: number;
  /** By configuration and seed; broken folders last. */
  readonly runs: readonly RunDetails[];
  /** What benches asked, by name. */
  readonly experiments: readonly Experiment[];
  /** Why runs or experiments may be missing from it, in words; else `null`. */
  readonly problem: string | null;
}

/** A file of a run that may be downloaded. */
export interface RunFile {
  readonly name: string;
  readonly bytes: number;
}

/** An opened file: the stream must be read or cancelled. */
export interface OpenFile extends RunFile {
  readonly stream: ReadableStream<Uint8Array<ArrayBuffer>>;
}

/** Records of a run's epochs, as far as they can be read. */
export type Epochs = EpochsReport;

/** Predictions of a run for one split. */
export interface KeptPredictions {
  readonly predictions: Predictions | null;
  readonly reason: string | null;
}

/** Pooled features of a run. */
export interface KeptFeatures {
  readonly features: PooledFeatures | null;
  readonly reason: string | null;
}

/** Source of all that the viewer shows. */
export interface RunStore {
  /** The runs folder, as shown to people. */
  readonly folder: string;
  /** The runs as they are now or were a moment ago: half a second, or longer where there are thousands. Never throws for what is in the folder. */
  snapshot(): Promise<Snapshot>;
  /** Epochs of a run; none for a name that is no run. */
  epochs(id: string): Epochs;
  /** What a run predicted for a split; `null` if it kept nothing, with what is wrong if its file is damaged. */
  predictions(id: string, split: Predictions["split"]): Promise<KeptPredictions>;
  /** Samples that a run followed, by epoch; none where it kept nothing. */
  valuation(id: string): ValuationReport;
  /** Pooled features of a run; `null` if it kept none, with what is wrong if its file is damaged. */
  features(id: string): Promise<KeptFeatures>;
  /** Size and time of a file of a run, to tell whether it is still the same; `null` if there is none. */
  stamp(id: string, file: keyof typeof runFiles): string | null;
  /** The run's log, its last part if it is long; `null` if it has none. */
  log(id: string): string | null;
  /** Files of a run, by name. */
  files(id: string): RunFile[];
  /** Opens a file that `files` lists; `null` for anything else. */
  open(id: string, name: string): Promise<OpenFile | null>;
  /** Frees the index. */
  close(): void;
}

/** Milliseconds for which a snapshot is not refreshed. */
const freshMs = 500;
/** A refresh takes at most one part in so many of the time: the cores belong to the bench. */
const idleShare = 20;
/** Runs whose epochs are kept in memory. */
const keptEpochs = 256;
/** Runs whose followed samples are kept in memory. */
const keptValuations = 16;
/** Runs whose predictions are kept in memory, and bytes of a file that is. */
const keptPredictions = 40;
const keptPredictionBytes = 2 * 1024 * 1024;
/** Bytes of a log that are shown. */
const shownLogBytes = 64 * 1024;
/** Folders listed at most: beyond, a page would not be one. */
const maxRuns = 20_000;

/** How a store reads. */
export interface StoreOptions {
  /** Milliseconds after which a snapshot is refreshed at the latest; 0 refreshes it at each call. @default {10000} */
  readonly staleMs?: number;
}

/** Opens the runs folder for reading. It need not exist yet. */
export function openRunStore(folder: string, options: StoreOptions = {}): RunStore {
  return new FolderStore(folder, options.staleMs ?? 10_000);
}

class FolderStore implements RunStore {
  readonly folder: string;
  #index: RunIndex | null = null;
  #note: string | null = null;
  #snapshot: Snapshot = { version: 0, runs: [], experiments: [], problem: null };
  #asked: { stamp: string | null; list: ExperimentList } = { stamp: null, list: { experiments: [], problems: [] } };
  #stamps = new Map<string, string>();
  #details = new Map<string, RunDetails>();
  #refreshedAt = -Infinity;
  #refreshMs = 0;
  #refreshing: Promise<Snapshot> | null = null;
  readonly #epochs = new Map<string, { stamp: string; epochs: Epochs }>();
  readonly #valuations = new Map<string, { stamp: string; report: ValuationReport }>();
  readonly #predictions = new Map<string, { stamp: string; own: KeptPredictions }>();

  readonly #staleMs: number;

  constructor(folder: string, staleMs: number) {
    this.folder = folder;
    this.#staleMs = staleMs;
  }

  snapshot(): Promise<Snapshot> {
    if (this.#refreshing !== null) return this.#refreshing;
    const fresh = Math.min(this.#staleMs, Math.max(freshMs, idleShare * this.#refreshMs));
    const start = performance.now();
    if (start - this.#refreshedAt < fresh) return Promise.resolve(this.#snapshot);
    const first = this.#refreshedAt === -Infinity;
    this.#refreshing = this.#refresh().finally(() => {
      this.#refreshing = null;
      this.#refreshedAt = performance.now();
      // The first one reads everything, and says nothing about the next.
      this.#refreshMs = first ? 0 : this.#refreshedAt - start;
    });
    return this.#refreshing;
  }

  async #refresh(): Promise<Snapshot> {
    try {
      const index = this.#open();
      await index.refresh();
      this.#take(index);
    } catch (error) {
      // Whatever is wrong with the folder or the index, the next call begins anew.
      this.close();
      const told = storeErrorOf(error, "read runs folder", this.folder);
      const problem = told instanceof StoreError && told.code === "missing"
        ? `There is no folder "${this.folder}" yet. Runs show up here as soon as a bench makes it.`
        : told instanceof Error
        ? told.message
        : String(told);
      if (problem !== this.#snapshot.problem || this.#snapshot.runs.length > 0) {
        this.#snapshot = { version: this.#snapshot.version + 1, runs: [], experiments: [], problem };
      }
      this.#stamps = new Map();
      this.#details = new Map();
      this.#asked = { stamp: null, list: { experiments: [], problems: [] } };
    }
    return this.#snapshot;
  }

  #open(): RunIndex {
    Deno.lstatSync(this.folder);
    this.#note = null;
    return this.#index ??= openIndex(this.folder);
  }

  #take(index: RunIndex): void {
    const stamps = index.stamps();
    const changed = [...stamps].filter(([id, stamp]) => this.#stamps.get(id) !== stamp).map(([id]) => id);
    const removed = [...this.#stamps.keys()].filter((id) => !stamps.has(id));
    this.#stamps = stamps;
    const asked = this.#experiments();
    const { experiments, problems } = this.#asked.list;
    const problem = stamps.size > maxRuns
      ? `Only the first ${maxRuns} of ${stamps.size} runs are shown.`
      : this.#note ?? problems[0] ?? null;
    if (!asked && changed.length === 0 && removed.length === 0 && problem === this.#snapshot.problem) return;
    for (const id of removed) this.#details.delete(id);
    for (const id of changed) {
      const details = index.run(id);
      if (details !== null) this.#details.set(id, bounded(details));
    }
    const runs = [...this.#details.values()].sort((a, b) =>
      compare(a.configuration ?? "~", b.configuration ?? "~") || (a.seed ?? 0) - (b.seed ?? 0) || compare(a.id, b.id)
    ).slice(0, maxRuns);
    this.#snapshot = { version: this.#snapshot.version + 1, runs, experiments, problem };
  }

  /** Reads the experiments again if a file of theirs has changed; says whether one has. */
  #experiments(): boolean {
    const stamp = experimentStamp(this.folder);
    if (stamp === this.#asked.stamp) return false;
    this.#asked = { stamp, list: bounded(listExperiments(this.folder), maxRuns) };
    return true;
  }

  epochs(id: string): Epochs {
    const path = this.#path(id, runFiles.metrics);
    const info = path === null ? null : regularFile(path);
    if (info === null) return { records: [], total: 0, reason: null };
    const stamp = `${info.size}@${info.mtime?.getTime() ?? 0}`;
    const kept = this.#epochs.get(id);
    if (kept?.stamp === stamp) return kept.epochs;
    const epochs = inspectEpochs(this.folder, id);
    this.#epochs.delete(id);
    this.#epochs.set(id, { stamp, epochs });
    // Maps keep the order of insertion: the first is the one that was not asked for the longest.
    if (this.#epochs.size > keptEpochs) this.#epochs.delete(this.#epochs.keys().next().value!);
    return epochs;
  }

  async predictions(id: string, split: Predictions["split"]): Promise<KeptPredictions> {
    const path = this.#path(id, runFiles[`predictions-${split}`]);
    const info = path === null ? null : regularFile(path);
    if (path === null || info === null) return { predictions: null, reason: null };
    const stamp = `${split} ${info.size}@${info.mtime?.getTime() ?? 0}`;
    const kept = this.#predictions.get(path);
    if (kept?.stamp === stamp) return kept.own;
    const own = await readPredictions(path, id, split).then(
      (predictions) => ({ predictions, reason: null }),
      (error) => {
        if (!(error instanceof StoreError)) throw error;
        return { predictions: null, reason: error.message };
      },
    );
    this.#predictions.delete(path);
    if (info.size <= keptPredictionBytes) this.#predictions.set(path, { stamp, own });
    if (this.#predictions.size > keptPredictions) this.#predictions.delete(this.#predictions.keys().next().value!);
    return own;
  }

  stamp(id: string, file: keyof typeof runFiles): string | null {
    const path = this.#path(id, runFiles[file]);
    const info = path === null ? null : regularFile(path);
    return info === null ? null : `${info.size}@${info.mtime?.getTime() ?? 0}`;
  }

  valuation(id: string): ValuationReport {
    const stamp = this.stamp(id, "valuation");
    if (stamp === null) return { records: [], reason: null };
    const kept = this.#valuations.get(id);
    if (kept?.stamp === stamp) return kept.report;
    const report = bounded(inspectValuation(this.folder, id));
    this.#valuations.delete(id);
    this.#valuations.set(id, { stamp, report });
    if (this.#valuations.size > keptValuations) this.#valuations.delete(this.#valuations.keys().next().value!);
    return report;
  }

  async features(id: string): Promise<KeptFeatures> {
    const path = this.#path(id, runFiles["features-test"]);
    if (path === null || regularFile(path) === null) return { features: null, reason: null };
    try {
      return { features: await readFeatures(path, id), reason: null };
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      return { features: null, reason: error.message };
    }
  }

  log(id: string): string | null {
    const path = this.#path(id, runFiles.log);
    const info = path === null ? null : regularFile(path);
    if (path === null || info === null) return null;
    using file = Deno.openSync(path, { read: true });
    const start = Math.max(0, info.size - shownLogBytes);
    file.seekSync(start, Deno.SeekMode.Start);
    const bytes = new Uint8Array(Math.min(info.size, shownLogBytes));
    const read = file.readSync(bytes) ?? 0;
    const text = new TextDecoder().decode(bytes.subarray(0, read));
    return start === 0 ? text : `[the first ${start} bytes are left out]\n${text.slice(text.indexOf("\n") + 1)}`;
  }

  files(id: string): RunFile[] {
    return Object.values(runFiles).flatMap((name) => {
      const path = this.#path(id, name);
      const info = path === null ? null : regularFile(path);
      return info === null ? [] : [{ name, bytes: info.size }];
    }).sort((a, b) => compare(a.name, b.name));
  }

  async open(id: string, name: string): Promise<OpenFile | null> {
    if (!Object.values<string>(runFiles).includes(name)) return null;
    const path = this.#path(id, name);
    if (path === null || regularFile(path) === null) return null;
    try {
      // The folder itself may be reached by a link; what is in it may not lead out of it.
      const inside = join(await Deno.realPath(this.folder), id, name);
      if (await Deno.realPath(path) !== inside) return null;
      const file = await Deno.open(inside, { read: true });
      const { size, isFile } = await file.stat();
      if (!isFile) {
        file.close();
        return null;
      }
      return { name, bytes: size, stream: file.readable };
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return null;
      throw storeErrorOf(error, "read", path);
    }
  }

  close(): void {
    const index = this.#index;
    this.#index = null;
    index?.close();
  }

  /** Path of a file of a run, or `null` where the name is no run's or leads elsewhere. */
  #path(id: string, name: string): string | null {
    if (!isRunId(id)) return null;
    const folder = join(this.folder, id);
    try {
      return Deno.lstatSync(folder).isDirectory ? join(folder, name) : null;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return null;
      throw storeErrorOf(error, "read", folder);
    }
  }
}

/** What is known of a regular file; `null` if there is none, or it is a link or something else. */
function regularFile(path: string): Deno.FileInfo | null {
  try {
    const info = Deno.lstatSync(path);
    return info.isFile ? info : null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw storeErrorOf(error, "read", path);
  }
}

/** Order of code units, the same everywhere. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
