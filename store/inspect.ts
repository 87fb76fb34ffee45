/**
 * Reading runs that anybody may have touched: half-written, deleted, foreign or damaged folders are reported as such.
 *
 * @module
 */
import { join } from "node:path";
import type {
  EpochRecord,
  RunConfig,
  RunFailure,
  RunProgress,
  RunSummary,
  RunTiming,
  ValuationRecord,
} from "../core/record.ts";
import { readTextSync, StoreError, storeErrorOf } from "./files.ts";
import { withLines } from "./lines.ts";
import { heldRuns, type Holder } from "./claims.ts";
import { Watch } from "./members.ts";
import { experimentsFolder } from "./experiments.ts";
import { maxJsonBytes, maxMetricsBytes, remedies, runFiles } from "./run_files.ts";
import { epochOfLine, parseEpoch, parseValuation } from "./run_records.ts";
import { isRunId, runId } from "./run_id.ts";
import { parseStored, type StoredKinds } from "./schemas.ts";

/**
 * How a run stands.
 *
 * - `finished`: it has a summary.
 * - `running`: a process holds it that lives, as far as can be seen from here.
 * - `failed`: it stopped by an error.
 * - `interrupted`: it was stopped from outside and can go on.
 * - `broken`: its folder is not what a run leaves; `reason` says why.
 */
export type RunStatus = "finished" | "running" | "failed" | "interrupted" | "broken";

/** What a run folder tells. Parts that are absent or cannot be read are `null`. */
export interface RunReport {
  /** The folder's name; the run's id unless the folder is broken. */
  readonly id: string;
  readonly state: RunStatus;
  /** Why it is broken or failed; else `null`. */
  readonly reason: string | null;
  /** Whether an older version of armlab wrote it: it is shown, never gone on with or written to. */
  readonly older: boolean;
  readonly config: RunConfig | null;
  readonly summary: RunSummary | null;
  readonly timing: RunTiming | null;
  readonly progress: RunProgress | null;
  readonly failure: RunFailure | null;
  /** Epochs that ended. */
  readonly epochs: number;
  /** The last record of one on disk; not read for a finished run. */
  readonly lastEpoch: EpochRecord | null;
}

/** What decides whether a run is going on. */
export interface LiveContext {
  /** Runs that are held by processes which live, by run. */
  readonly held: ReadonlyMap<string, Holder>;
}

/** Nobody works on any run. */
export const nobody: LiveContext = { held: new Map() };

/**
 * Who is writing now, for `inspectRun`.
 *
 * @param watch Of a reader that looks more than once: only it can tell that a process on another machine is gone.
 * @throws {StoreError} If claims cannot be read.
 */
export async function liveContext(runsDir: string, watch: Watch = new Watch(runsDir)): Promise<LiveContext> {
  return { held: await heldRuns(runsDir, watch) };
}

function read<K extends "config" | "summary" | "timing" | "progress" | "failure">(
  folder: string,
  kind: K,
): StoredKinds[K] | null {
  const path = join(folder, runFiles[kind]);
  const text = readTextSync(path, maxJsonBytes);
  return text === null ? null : parseStored(kind, text, path, undefined, remedies[kind]);
}

const nothing = {
  reason: null,
  older: false,
  config: null,
  summary: null,
  timing: null,
  progress: null,
  failure: null,
  epochs: 0,
  lastEpoch: null,
} as const;

/**
 * Reads one run folder. Whatever is in it, this reports and does not throw.
 *
 * @param name The folder's name within the runs folder.
 */
export function inspectRun(runsDir: string, name: string, context: LiveContext): RunReport {
  const folder = join(runsDir, name);
  let known: Omit<RunReport, "state"> = { id: name, ...nothing };
  try {
    const info = Deno.lstatSync(folder);
    if (!info.isDirectory) {
      return broken(known, `"${folder}" must be a folder: found ${info.isSymlink ? "a symbolic link" : "a file"}`);
    }
    const config = read(folder, "config");
    if (config === null) return broken(known, `it must hold a config.json: found none, so this is no run`);
    known = { ...known, config, older: config.format === 1 };
    if (!isRunId(name) || runId(config) !== name) {
      return broken(
        known,
        `its name must be the id of its config.json, ${runId(config)}: found ${JSON.stringify(name)}`,
      );
    }
    // In the order in which a run removes and writes them, so that a run that ends meanwhile does not look stopped.
    const progress = read(folder, "progress");
    const failure = read(folder, "failure");
    const timing = read(folder, "timing");
    const summary = read(folder, "summary");
    known = { ...known, progress, failure, timing, summary };
    if (summary !== null) {
      if (summary.id !== name) return broken({ ...known, summary: null }, `its summary.json is of another run`);
      return { ...known, state: "finished", epochs: summary.epochs };
    }
    const { epochs, last } = countEpochs(folder);
    // Of thousands of epochs not all have a record; where the run stands is written after each.
    known = { ...known, epochs: Math.max(epochs, (progress?.epoch ?? -1) + 1), lastEpoch: last };
    if (context.held.has(name)) return { ...known, state: "running" };
    if (failure !== null) return { ...known, state: "failed", reason: failure.message };
    return { ...known, state: "interrupted" };
  } catch (error) {
    const reason = storeErrorOf(error, "read", folder);
    if (reason instanceof StoreError) return broken(known, reason.message);
    throw error;
  }
}

function broken(known: Omit<RunReport, "state">, reason: string): RunReport {
  return { ...known, state: "broken", reason };
}

/** Reads the last whole line, which says how many epochs there are. @throws {StoreError} If it is damaged. */
function countEpochs(folder: string): { epochs: number; last: EpochRecord | null } {
  const path = join(folder, runFiles.metrics);
  const last = withLines(
    path,
    maxMetricsBytes,
    ({ count, at }) => count === 0 ? null : parseEpoch(at(count - 1), count - 1, path),
  );
  return { epochs: last === null ? 0 : last.epoch + 1, last };
}

/** The records of a run's epochs, as far as they can be read. */
export interface EpochsReport {
  readonly records: readonly EpochRecord[];
  /** Epochs up to the last whose record is on disk. */
  readonly total: number;
  /** Why there may be more than `records`; else `null`. */
  readonly reason: string | null;
}

/** Records read at most; of more epochs every second, fourth, … and the last. */
const maxRecords = 2000;

/**
 * Reads the records of a run's epochs up to the first damaged one; does not throw. Of thousands some are left out: every
 * 2^k-th is read, so that runs of unequal lengths have epochs in common.
 */
export function inspectEpochs(runsDir: string, name: string): EpochsReport {
  const path = join(runsDir, name, runFiles.metrics);
  const records: EpochRecord[] = [];
  let total = 0;
  try {
    let stride = 1;
    withLines(path, maxMetricsBytes, ({ count, at }) => {
      if (count === 0) return;
      const last = parseLast(at(count - 1), count, path);
      // What older versions wrote has all epochs.
      const epochOf = last === null || last.epoch === count - 1 ? (i: number) => i : epochOfLine;
      total = last === null ? count : last.epoch + 1;
      while (total / stride > maxRecords) stride *= 2;
      for (let i = 0; i < count; i++) {
        if (epochOf(i) % stride === 0 || i === count - 1) records.push(parseEpoch(at(i), i, path));
      }
    });
    return {
      records,
      total,
      reason: stride === 1 ? null : `Of ${total} epochs, every ${stride}th and the last are shown.`,
    };
  } catch (error) {
    if (error instanceof StoreError) return { records, total, reason: error.message };
    throw error;
  }
}

/** The record of the last of so many lines; `null` if it is damaged, which whoever reads up to it will find. */
function parseLast(line: string, count: number, path: string): EpochRecord | null {
  try {
    return parseEpoch(line, count - 1, path);
  } catch (error) {
    if (error instanceof StoreError) return null;
    throw error;
  }
}

/** What a run keeps of the samples that are followed, as far as it can be read. */
export interface ValuationReport {
  readonly records: readonly ValuationRecord[];
  /** Why there may be more than `records`; else `null`. */
  readonly reason: string | null;
}

/** Reads the valuation of followed samples up to the first damaged line, of thousands of epochs a part; does not throw. */
export function inspectValuation(runsDir: string, name: string): ValuationReport {
  const path = join(runsDir, name, runFiles.valuation);
  const records: ValuationRecord[] = [];
  try {
    withLines(path, maxMetricsBytes, ({ count, at }) => {
      const stride = Math.ceil(count / maxRecords);
      for (let i = 0; i < count; i++) {
        if (i % stride === 0 || i === count - 1) records.push(parseValuation(at(i), i, path));
      }
    });
    return { records, reason: null };
  } catch (error) {
    if (error instanceof StoreError) return { records, reason: error.message };
    throw error;
  }
}

/**
 * Names of the folders (and of links) in a runs folder, sorted. Plain files, the folder of experiments and names with a
 * leading dot are not runs.
 *
 * @throws {StoreError} If the runs folder is missing or cannot be read.
 */
export function runNames(runsDir: string): string[] {
  try {
    return [...Deno.readDirSync(runsDir)]
      .filter(({ isFile, name }) => !isFile && !name.startsWith(".") && name !== experimentsFolder)
      .map((entry) => entry.name)
      .sort();
  } catch (error) {
    throw storeErrorOf(error, "read runs folder", runsDir);
  }
}

/**
 * Reads all run folders.
 *
 * @returns One report per folder, sorted by name.
 * @throws {StoreError} If the runs folder itself is missing or cannot be read.
 */
export async function listRuns(runsDir: string): Promise<RunReport[]> {
  const context = await liveContext(runsDir);
  return runNames(runsDir).map((name) => inspectRun(runsDir, name, context));
}
