/**
 * How grids stand: planned, queued, running, finished, failed, by what is on the disk and who is alive.
 *
 * @module
 */
import type { Experiment } from "../core/record.ts";
import type { Holder } from "../store/claims.ts";
import { listExperiments } from "../store/experiments.ts";
import { isFolder } from "../store/files.ts";
import { inspectRun, type LiveContext, type RunReport } from "../store/inspect.ts";
import { openRun } from "../store/run_folder.ts";
import { launchesOf } from "./launched.ts";
import { type SlurmTasks, tasksOf } from "./slurm.ts";

/** How a cell stands. */
export type CellState = "queued" | "running" | "stopped" | "finished" | "failed" | "broken";

/** One cell of a grid. */
export interface CellStatus {
  readonly label: string;
  readonly seed: number;
  readonly id: string;
  readonly state: CellState;
  /** Epochs that ended. */
  readonly epoch: number;
  /** Epochs planned; `null` before it began. */
  readonly epochs: number | null;
  /** Seconds until its end at the speed so far; `null` where that is not known. */
  readonly secondsLeft: number | null;
  /** Who trains it: process and machine. */
  readonly by: { readonly pid: number; readonly host: string } | null;
  /** Why it failed or is broken. */
  readonly cause: string | null;
  /** The command that runs it again, of a failed one. */
  readonly command: string | null;
}

/** How a grid stands. */
export interface GridStatus {
  readonly name: string;
  /** The command that runs it again. */
  readonly command: string;
  readonly planned: number;
  readonly counts: Readonly<Record<CellState, number>>;
  /** Seconds until all are finished, with as many at once as now; `null` where that is not known. */
  readonly secondsLeft: number | null;
  readonly cells: readonly CellStatus[];
  /** What Slurm has of it; absent where it was not launched there, or nothing of it is open. */
  readonly slurm?: SlurmStatus;
}

/** Tasks of a grid that Slurm knows. */
export interface SlurmStatus {
  /** Names of its arrays, as `squeue --name` takes them. */
  readonly names: readonly string[];
  readonly waiting: number;
  /** Why the first of them waits, in Slurm's word. */
  readonly reason: string | null;
  /** Those that run, begin or end. */
  readonly running: number;
  /** Why Slurm was not heard, where it was not. */
  readonly problem: string | null;
}

const states: readonly CellState[] = ["queued", "running", "stopped", "finished", "failed", "broken"];

/**
 * How the experiments of a runs folder stand.
 *
 * @param only Names of those that are wanted. @default all
 * @param ask Asks Slurm for tasks by the names of their arrays; nothing is asked where no open grid was launched there.
 * @throws {StoreError} If the folder cannot be read.
 */
export async function gridStatus(
  runs: string,
  context: LiveContext,
  only?: string,
  ask: (names: readonly string[]) => Promise<SlurmTasks> = tasksOf,
): Promise<GridStatus[]> {
  const { experiments } = listExperiments(runs);
  const found = experiments.filter(({ name }) => only === undefined || name === only);
  const launches = launchesOf(runs);
  const grids: GridStatus[] = [];
  for (const experiment of found) {
    const grid = await statusOf(runs, experiment, context);
    const names = launches.filter((own) => own.grid === grid.name).map(({ name }) => name);
    const open = grid.counts.queued + grid.counts.running + grid.counts.stopped > 0;
    grids.push(names.length === 0 || !open ? grid : { ...grid, slurm: slurmStatus(names, await ask(names)) });
  }
  return grids;
}

function slurmStatus(names: readonly string[], { tasks, problem }: SlurmTasks): SlurmStatus {
  const waiting = tasks.filter(({ state }) => state === "PENDING");
  return {
    names,
    waiting: waiting.length,
    reason: waiting[0]?.reason ?? null,
    running: tasks.length - waiting.length,
    problem,
  };
}

async function statusOf(runs: string, { name, command, rows }: Experiment, context: LiveContext): Promise<GridStatus> {
  const cells: CellStatus[] = [];
  const [took, expected]: [number[], number[]] = [[], []];
  for (const { label, runs: planned } of rows) {
    for (const { seed, id } of planned) {
      const folder = openRun(runs, id).path;
      const report = await isFolder(folder) ? inspectRun(runs, id, context) : null;
      cells.push(cellStatus({ label, seed, id }, report, context.held.get(id) ?? null));
      if (report?.timing != null) took.push(report.timing.seconds);
      else if (report?.progress != null) {
        expected.push(report.progress.samplesBudget / report.progress.samplesPerSecond);
      }
    }
  }
  const counts = Object.fromEntries(
    states.map((state) => [state, cells.filter((cell) => cell.state === state).length]),
  ) as Record<CellState, number>;
  return {
    name,
    command,
    planned: cells.length,
    counts,
    secondsLeft: secondsOf(cells, counts, meanOf(took) ?? meanOf(expected)),
    cells,
  };
}

function cellStatus(
  known: Pick<CellStatus, "label" | "seed" | "id">,
  report: RunReport | null,
  holder: Holder | null,
): CellStatus {
  const nothing = { epoch: 0, epochs: null, secondsLeft: null, by: null, cause: null, command: null };
  const by = holder?.info == null ? null : { pid: holder.info.pid, host: holder.info.host };
  // Claimed, and still without a folder: it is about to begin.
  if (report === null) return { ...known, ...nothing, state: holder === null ? "queued" : "running", by };
  const { progress, config, failure } = report;
  const state = report.state === "interrupted" ? "stopped" : report.state;
  const left = progress === null ? null : (progress.samplesBudget - progress.samplesDrawn) / progress.samplesPerSecond;
  return {
    ...known,
    state,
    epoch: report.epochs,
    epochs: config?.training.epochs ?? null,
    secondsLeft: state === "running" && left !== null && Number.isFinite(left) ? Math.max(0, left) : null,
    by: state === "running" ? by : null,
    cause: report.reason,
    command: state === "failed" ? failure?.command ?? null : null,
  };
}

/** The mean of what is finite; `null` of nothing. */
function meanOf(seconds: readonly number[]): number | null {
  const known = seconds.filter(Number.isFinite);
  return known.length === 0 ? null : known.reduce((sum, own) => sum + own, 0) / known.length;
}

/** Seconds until a grid is finished: what is left of running cells and all others, over those that run at once. */
function secondsOf(
  cells: readonly CellStatus[],
  { running, queued, stopped }: Readonly<Record<CellState, number>>,
  mean: number | null,
): number | null {
  if (running === 0) return queued + stopped === 0 ? 0 : null;
  let left = 0;
  for (const { state, secondsLeft } of cells) {
    if (state !== "running" && state !== "queued" && state !== "stopped") continue;
    const own = secondsLeft ?? mean;
    if (own === null) return null;
    left += own;
  }
  return left / running;
}
