/**
 * Runs a grid: every configuration with every seed, several at once in one-thread workers.
 *
 * @module
 */
import type { Experiment, RunSummary, RunTiming } from "../core/record.ts";
import { writeExperiment } from "../store/experiments.ts";
import { acquireLock } from "../store/lock.ts";
import { configurationId } from "../store/run_id.ts";
import type { CellRequest } from "../core/kinds/mod.ts";
import type { CheckpointInterval } from "../training/mod.ts";
import { runCrew } from "./crew.ts";
import { type AskedCell, type GridCell, type GridPlan, planGrid, type PlanOptions } from "./plan.ts";
import type { CellEvent } from "./run_cell.ts";

export type { GridCell } from "./plan.ts";

/** What to run, where. */
export interface GridOptions extends PlanOptions {
  /** Cells at once. @default the number of cores, at most the number of cells */
  readonly workers?: number;
  /** Go on with the other cells when one fails. @default {true} */
  readonly continueOnError?: boolean;
  /** Stops every cell at its next step, with a checkpoint. */
  readonly signal?: AbortSignal;
  /** How often cells keep a checkpoint within epochs, beside that at each epoch's end. @default never */
  readonly checkpointEvery?: CheckpointInterval;
  /** Keeps pooled features of the test split of every cell, of finished ones too. @default {false} */
  readonly keepFeatures?: boolean;
  /** Keeps the accuracy on test after each epoch of every cell, for what choosing on test would give. @default {false} */
  readonly keepTestCurve?: boolean;
  /** The command that runs one cell alone, for failures. */
  readonly command?: (request: CellRequest, seed: number) => string;
  readonly onEvent?: (event: GridEvent) => void;
  /** What is asked, to be kept beside the runs before the first of them starts; not kept if absent. */
  readonly experiment?: Pick<Experiment, "name" | "question" | "command" | "reference" | "budget" | "tuning">;
}

/** What happens in a grid. */
export type GridEvent =
  | { readonly type: "planned"; readonly plan: GridPlan; readonly workers: number }
  | { readonly type: "cell"; readonly cell: AskedCell; readonly event: CellEvent };

/** How a cell ended. */
export type CellOutcome =
  | { readonly cell: GridCell; readonly status: "finished"; readonly summary: RunSummary; readonly timing: RunTiming }
  | { readonly cell: AskedCell; readonly status: "failed"; readonly message: string; readonly command: string }
  | { readonly cell: GridCell; readonly status: "stopped" };

/** How a grid ended. */
export interface GridResult {
  readonly outcomes: readonly CellOutcome[];
  /** Name, version and device of the engine, in one line. */
  readonly engine: string;
}

/**
 * Runs a grid. Finished cells are not repeated, stopped ones go on from their last checkpoint.
 *
 * @throws {Refusal} If a name, an option or a combination of parts is not valid; nothing has run then.
 * @throws {StoreError} If the runs folder cannot be written or another process is writing to it.
 */
export async function runGrid(options: GridOptions): Promise<GridResult> {
  return await runPlan(await planGrid(options), options);
}

/** Runs what was planned. @throws {StoreError} As `runGrid`. */
export async function runPlan(plan: GridPlan, options: GridOptions): Promise<GridResult> {
  const { cells, teachers, taught } = plan;
  const lock = await acquireLock(options.runs);
  const outcomes = new Map<number, CellOutcome>();
  const commandOf = (cell: AskedCell) => {
    const { request, seed } = cell.pupil ?? cell;
    return options.command?.(request, seed) ?? "";
  };
  let halted = false;
  const tell = (cell: AskedCell, event: CellEvent) => options.onEvent?.({ type: "cell", cell, event });
  const fail = (cell: AskedCell, message: string) => {
    outcomes.set(cell.index, { cell, status: "failed", message, command: commandOf(cell) });
    if (options.continueOnError === false) halted = true;
  };
  try {
    if (options.experiment !== undefined && cells.length > 0) await keepExperiment(plan, options, options.experiment);
    const all = [...cells, ...teachers];
    const workers = Math.max(1, Math.min(options.workers ?? navigator.hardwareConcurrency, all.length));
    options.onEvent?.({ type: "planned", plan, workers });
    for (const { cell, message } of plan.failed) {
      fail(cell, message);
      tell(cell, { type: "failed", message });
    }
    // Seeds outside, configurations inside: a grid that is stopped early has compared everything with fewer seeds.
    const place = ({ seed }: GridCell) => options.seeds.indexOf(seed);
    const ordered = all.sort((a, b) => place(a) - place(b) || a.index - b.index);
    // Whoever is a teacher comes first.
    for (const first of [true, false]) {
      const queue = ordered.filter(({ id }) => taught.has(id) === first);
      await runCrew(Math.min(workers, queue.length), {
        runs: options.runs,
        plugins: options.plugins ?? [],
        lock,
        signal: options.signal,
        checkpointEvery: options.checkpointEvery,
        keepFeatures: options.keepFeatures,
        keepTestCurve: options.keepTestCurve,
        command: commandOf,
        next: () => halted || options.signal?.aborted ? undefined : queue.shift(),
        onEvent(cell, event) {
          if (event.type === "failed") fail(cell, event.message);
          if (event.type === "finished") {
            outcomes.set(cell.index, { cell, status: "finished", summary: event.summary, timing: event.timing });
          }
          if (event.type === "interrupted") outcomes.set(cell.index, { cell, status: "stopped" });
          tell(cell, event);
        },
      });
    }
  } finally {
    lock.release();
  }
  const asked: AskedCell[] = [...cells, ...plan.failed.map(({ cell }) => cell)].sort((a, b) => a.index - b.index);
  return {
    outcomes: asked.map((cell) => outcomes.get(cell.index) ?? { cell: cell as GridCell, status: "stopped" }),
    engine: plan.engine,
  };
}

/** Keeps what is asked, before anything runs. */
async function keepExperiment(
  { cells }: GridPlan,
  { runs, seeds, plugins = [] }: GridOptions,
  asked: NonNullable<GridOptions["experiment"]>,
): Promise<void> {
  await writeExperiment(runs, {
    format: 1,
    ...asked,
    rows: rowsOf(cells),
    seeds,
    plugins,
    writtenAt: new Date().toISOString(),
  });
}

/** Cells by configuration, in the order of the grid. */
function rowsOf(cells: readonly GridCell[]): Experiment["rows"] {
  const rows = new Map<string, Experiment["rows"][number] & { runs: { seed: number; id: string }[] }>();
  for (const { request: { label, across }, seed, config, id } of cells) {
    const configuration = configurationId(config);
    const row = rows.get(label) ?? { label, configuration, ...(across === undefined ? {} : { across }), runs: [] };
    row.runs.push({ seed, id });
    rows.set(label, row);
  }
  return [...rows.values()];
}
