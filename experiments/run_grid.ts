/**
 * Runs a grid: every configuration with every seed, several at once in one-thread workers.
 *
 * @module
 */
import type { Experiment, RunSummary, RunTiming } from "../core/record.ts";
import type { Holder } from "../store/claims.ts";
import { writeExperiment } from "../store/experiments.ts";
import { type HeartOptions, joinRuns, type Member, Watch } from "../store/members.ts";
import { configurationId } from "../store/run_id.ts";
import type { CellRequest } from "../core/kinds/mod.ts";
import type { CheckpointInterval } from "../training/mod.ts";
import { runCrew } from "./crew.ts";
import { type AskedCell, type GridCell, type GridPlan, planGrid, type PlanOptions } from "./plan.ts";
import { CellQueue } from "./queue.ts";
import type { CellEvent } from "./run_cell.ts";
import { freeBytes } from "./machine.ts";
import { inOrder } from "./shard.ts";

export type { GridCell } from "./plan.ts";

/** What to run, where. */
export interface GridOptions extends PlanOptions {
  /** Cells at once. @default the number of cores, at most the number of cells */
  readonly workers?: number;
  /** Go on with the other cells when one fails. @default {true} */
  readonly continueOnError?: boolean;
  /** Wait for cells that another process trains; else they are left to it. @default {true} */
  readonly wait?: boolean;
  /** The plan that this one is a shard of. */
  readonly whole?: GridPlan;
  /** How this process shows others that it lives. */
  readonly heart?: HeartOptions;
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
  | { readonly type: "planned"; readonly plan: GridPlan; readonly workers: number; readonly freeBytes: number | null }
  | { readonly type: "note"; readonly text: string }
  | { readonly type: "cell"; readonly cell: AskedCell; readonly event: CellEvent };

/** How a cell ended. */
export type CellOutcome =
  | { readonly cell: GridCell; readonly status: "finished"; readonly summary: RunSummary; readonly timing: RunTiming }
  | { readonly cell: AskedCell; readonly status: "failed"; readonly message: string; readonly command: string }
  | { readonly cell: GridCell; readonly status: "stopped" }
  /** Another process trains it, and this one did not wait. */
  | { readonly cell: GridCell; readonly status: "elsewhere" };

/** How a grid ended. */
export interface GridResult {
  readonly outcomes: readonly CellOutcome[];
  /** Name, version and device of the engine, in one line. */
  readonly engine: string;
}

/**
 * Runs a grid. Finished cells are not repeated, stopped ones go on from their last checkpoint, and those that another
 * process trains are waited for.
 *
 * @throws {Refusal} If a name, an option or a combination of parts is not valid; nothing has run then.
 * @throws {StoreError} If the runs folder cannot be written.
 */
export async function runGrid(options: GridOptions): Promise<GridResult> {
  return await runPlan(await planGrid(options), options);
}

/** Runs what was planned. @throws {StoreError} As `runGrid`. */
export async function runPlan(plan: GridPlan, options: GridOptions): Promise<GridResult> {
  const outcomes = new Map<number, CellOutcome>();
  await using member = await joinRuns(options.runs, {
    ...options.heart,
    onTrouble: (text) => options.onEvent?.({ type: "note", text }),
  });
  const watch = new Watch(options.runs);
  await watch.tidy();
  const asked = options.whole ?? plan;
  if (options.experiment !== undefined && asked.cells.length > 0) {
    await keepExperiment(asked, options, options.experiment);
  }
  await new GridRun(plan, options, outcomes, { member, watch }).run();
  const cells: AskedCell[] = [...plan.cells, ...plan.failed.map(({ cell }) => cell)].sort((a, b) => a.index - b.index);
  return {
    outcomes: cells.map((cell) => outcomes.get(cell.index) ?? { cell: cell as GridCell, status: "stopped" }),
    engine: plan.engine,
  };
}

/** One run of a plan. */
class GridRun {
  readonly #plan: GridPlan;
  readonly #options: GridOptions;
  readonly #outcomes: Map<number, CellOutcome>;
  readonly #place: { readonly member: Member; readonly watch: Watch };
  #halted = false;

  constructor(
    plan: GridPlan,
    options: GridOptions,
    outcomes: Map<number, CellOutcome>,
    place: { readonly member: Member; readonly watch: Watch },
  ) {
    this.#plan = plan;
    this.#options = options;
    this.#outcomes = outcomes;
    this.#place = place;
  }

  async run(): Promise<void> {
    const { cells, teachers, taught, failed } = this.#plan;
    const { seeds, wait = true } = this.#options;
    const all = [...cells, ...teachers];
    const workers = Math.max(1, Math.min(this.#options.workers ?? navigator.hardwareConcurrency, all.length));
    this.#options.onEvent?.({ type: "planned", plan: this.#plan, workers, freeBytes: freeBytes(this.#options.runs) });
    for (const { cell, message } of failed) this.#tell(cell, { type: "failed", message });
    const ordered = inOrder(all, seeds);
    // Whoever is a teacher comes first, and is waited for whoever trains it.
    for (const first of [true, false]) {
      const own = ordered.filter(({ id }) => taught.has(id) === first);
      await this.#train(own, Math.min(workers, own.length), first || wait);
    }
  }

  async #train(cells: readonly GridCell[], workers: number, wait: boolean): Promise<void> {
    const { runs, plugins = [], signal, checkpointEvery, keepFeatures = false, keepTestCurve = false } = this.#options;
    const queue = new CellQueue(cells, {
      ...this.#place,
      wait,
      keeps: { features: keepFeatures, testCurve: keepTestCurve },
      over: () => this.#halted || signal?.aborted === true,
      onFinished: (cell, finished) => this.#tell(cell, { type: "finished", ...finished, reused: true }),
      onFailed: (cell, message) => this.#tell(cell, { type: "failed", message }),
      onElsewhere: (cell, holder) => this.#tell(cell, { type: "elsewhere", by: nameOf(holder) }),
    });
    await runCrew(workers, {
      runs,
      plugins,
      signal,
      checkpointEvery,
      keepFeatures,
      keepTestCurve,
      data: (cell) => this.#plan.data?.of(cell.config.dataset) ?? null,
      command: (cell) => this.#commandOf(cell),
      next: () => queue.next(),
      onEvent: (cell, event) => this.#tell(cell, event),
    });
    if (this.#halted || signal?.aborted === true) return;
    for (const cell of queue.elsewhere) this.#outcomes.set(cell.index, { cell, status: "elsewhere" });
  }

  #commandOf(cell: AskedCell): string {
    const { request, seed } = cell.pupil ?? cell;
    return this.#options.command?.(request, seed) ?? "";
  }

  #tell(cell: AskedCell, event: CellEvent): void {
    const { index } = cell;
    switch (event.type) {
      case "failed":
        this.#outcomes.set(index, { cell, status: "failed", message: event.message, command: this.#commandOf(cell) });
        if (this.#options.continueOnError === false) this.#halted = true;
        break;
      case "finished":
        this.#outcomes.set(index, {
          cell: cell as GridCell,
          status: "finished",
          summary: event.summary,
          timing: event.timing,
        });
        break;
      case "interrupted":
        this.#outcomes.set(index, { cell: cell as GridCell, status: "stopped" });
        break;
    }
    this.#options.onEvent?.({ type: "cell", cell, event });
  }
}

/** Who trains something, for people. */
export function nameOf({ info }: Holder): string {
  return info === null ? "another process" : `process ${info.pid} on ${info.host}`;
}

/** Keeps what is asked, before anything runs. */
export async function keepExperiment(
  { cells }: Pick<GridPlan, "cells">,
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
