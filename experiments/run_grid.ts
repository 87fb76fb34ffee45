/**
 * Runs a grid: every configuration with every seed, several at once in one-thread workers.
 *
 * @module
 */
import type { Library } from "../core/library.ts";
import type { Dataset } from "../core/kinds/mod.ts";
import type { Experiment, RunConfig, RunSummary, RunTiming } from "../core/record.ts";
import { selectEngine } from "../engines/mod.ts";
import { writeExperiment } from "../store/experiments.ts";
import { prepareRuns } from "../store/run_folder.ts";
import { acquireLock } from "../store/lock.ts";
import { configurationId, runId } from "../store/run_id.ts";
import { VERSION } from "../version.ts";
import { resolveConfig } from "./config.ts";
import type { CellRequest } from "../core/kinds/mod.ts";
import { requestOf, teachersOf } from "./teachers.ts";
import type { CellEvent } from "./run_cell.ts";
import type { WorkerReply, WorkerRequest } from "./worker.ts";

/** What to run, where. */
export interface GridOptions {
  readonly cells: readonly CellRequest[];
  /** At least one. */
  readonly seeds: readonly number[];
  /** Folder of all runs; made if it does not exist. */
  readonly runs: string;
  readonly library: Library;
  /** Modules whose plugins the workers import too; `library` must hold them already. */
  readonly plugins?: readonly string[];
  /** Engine by name; the best that works if absent. */
  readonly engine?: string;
  /** Cells at once. @default the number of cores, at most the number of cells */
  readonly workers?: number;
  /** Go on with the other cells when one fails. @default {true} */
  readonly continueOnError?: boolean;
  readonly signal?: AbortSignal;
  /** The command that runs one cell alone, for failures. */
  readonly command?: (request: CellRequest, seed: number) => string;
  readonly onEvent?: (event: GridEvent) => void;
  /** What is asked, to be kept beside the runs before the first of them starts; not kept if absent. */
  readonly experiment?: Pick<Experiment, "name" | "question" | "command" | "reference" | "budget">;
}

/** One configuration with one seed. */
export interface GridCell {
  readonly index: number;
  readonly request: CellRequest;
  readonly seed: number;
  readonly config: RunConfig;
  readonly id: string;
}

/** What happens in a grid. */
export type GridEvent =
  | { readonly type: "planned"; readonly cells: readonly GridCell[]; readonly engine: string; readonly workers: number }
  | { readonly type: "cell"; readonly cell: GridCell; readonly event: CellEvent };

/** How a cell ended. */
export type CellOutcome =
  | { readonly cell: GridCell; readonly status: "finished"; readonly summary: RunSummary; readonly timing: RunTiming }
  | { readonly cell: GridCell; readonly status: "failed"; readonly message: string; readonly command: string }
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
 * @throws {RangeError} If a name, an option or a combination of parts is not valid; nothing has run then.
 * @throws {StoreError} If the runs folder cannot be written or another process is writing to it.
 */
export async function runGrid(options: GridOptions): Promise<GridResult> {
  const { cells: requests, seeds, library, plugins = [] } = options;
  if (requests.length === 0) throw new RangeError("Cannot run a grid as it must have at least one configuration");
  if (seeds.length === 0) throw new RangeError("Cannot run a grid as it must have at least one seed");
  const labels = requests.map(({ label }) => label);
  const twice = labels.find((label, index) => labels.indexOf(label) !== index);
  if (twice !== undefined) throw new RangeError(`Cannot run a grid as labels must be unique: "${twice}" occurs twice`);

  const { engine, reason } = await selectEngine(options.engine, { threads: 1 });
  const engineConfig = { name: engine.name, version: engine.version, threads: 1 };
  const engineLine = `${engine.name} (${engine.version}, ${engine.device}): ${reason}`;
  await engine.dispose();

  const datasets = new Map<string, Dataset>();
  const cells: GridCell[] = [];
  for (const request of requests) {
    const key = JSON.stringify(request.dataset);
    let dataset = datasets.get(key);
    if (dataset === undefined) {
      dataset = await library.of("dataset").get(request.dataset.name).load(request.dataset.options);
      datasets.set(key, dataset);
    }
    for (const seed of seeds) {
      const config = resolveConfig(request, library, dataset, {
        seed,
        engine: engineConfig,
        version: VERSION,
        plugins,
      });
      cells.push({ index: cells.length, request, seed, config, id: runId(config) });
    }
  }
  const ids = new Map<string, GridCell>();
  for (const cell of cells) {
    const other = ids.get(cell.id);
    if (other !== undefined) {
      throw new RangeError(
        `Cannot run "${cell.request.label}" beside "${other.request.label}" as configurations must differ: they are equal`,
      );
    }
    ids.set(cell.id, cell);
  }
  // Teachers run first, those that are cells of this grid too among them.
  const first = new Set<GridCell>();
  const teachers: GridCell[] = [];
  for (const cell of cells) {
    const own = teachersOf(cell.config, library, datasets.get(JSON.stringify(cell.request.dataset))!);
    for (const config of Object.values(own)) {
      const id = runId(config);
      let teacher = ids.get(id);
      if (teacher === undefined) {
        const index = cells.length + teachers.length;
        teacher = { index, request: requestOf(config), seed: cell.seed, config, id };
        teachers.push(teacher);
        ids.set(id, teacher);
      }
      first.add(teacher);
    }
  }
  datasets.clear();

  await prepareRuns(options.runs);
  const lock = await acquireLock(options.runs);
  try {
    if (options.experiment !== undefined) {
      await writeExperiment(options.runs, {
        format: 1,
        ...options.experiment,
        rows: rowsOf(cells),
        seeds,
        plugins,
        writtenAt: new Date().toISOString(),
      });
    }
    const workers = Math.max(1, Math.min(options.workers ?? navigator.hardwareConcurrency, cells.length));
    const all = [...cells, ...teachers];
    options.onEvent?.({ type: "planned", cells: all, engine: engineLine, workers });
    // Seeds outside, configurations inside: a grid that is stopped early has compared everything with fewer seeds.
    const queue = all.sort((a, b) => seeds.indexOf(a.seed) - seeds.indexOf(b.seed) || a.index - b.index);
    const outcomes = new Map<number, CellOutcome>();
    for (const part of [queue.filter((cell) => first.has(cell)), queue.filter((cell) => !first.has(cell))]) {
      for (const [index, outcome] of await runQueue(part, workers, options, plugins)) outcomes.set(index, outcome);
      if ([...outcomes.values()].some(({ status }) => status === "failed") && options.continueOnError === false) break;
    }
    return {
      outcomes: cells.map((cell) => outcomes.get(cell.index) ?? { cell, status: "stopped" }),
      engine: engineLine,
    };
  } finally {
    lock.release();
  }
}

/** Cells by configuration, in the order of the grid. */
function rowsOf(cells: readonly GridCell[]): Experiment["rows"] {
  const rows = new Map<string, { label: string; configuration: string; runs: { seed: number; id: string }[] }>();
  for (const { request: { label }, seed, config, id } of cells) {
    const row = rows.get(label) ?? { label, configuration: configurationId(config), runs: [] };
    row.runs.push({ seed, id });
    rows.set(label, row);
  }
  return [...rows.values()];
}

async function runQueue(
  queue: GridCell[],
  count: number,
  options: GridOptions,
  plugins: readonly string[],
): Promise<Map<number, CellOutcome>> {
  const outcomes = new Map<number, CellOutcome>();
  let halted = false;
  const next = (): GridCell | undefined => halted || options.signal?.aborted ? undefined : queue.shift();
  const settle = (outcome: CellOutcome) => {
    outcomes.set(outcome.cell.index, outcome);
    if (outcome.status === "failed" && options.continueOnError === false) halted = true;
  };
  await Promise.all(
    Array.from({ length: count }, async () => {
      let cell = next();
      while (cell !== undefined) {
        // A worker serves cells until one of them breaks it (an error outside a cell's own handling); then a new one does.
        cell = await serve(cell, next, settle, options, plugins);
      }
    }),
  );
  return outcomes;
}

/** Runs cells in one worker until there are none left or the worker breaks; returns the next cell then, if any. */
function serve(
  first: GridCell,
  next: () => GridCell | undefined,
  settle: (outcome: CellOutcome) => void,
  options: GridOptions,
  plugins: readonly string[],
): Promise<GridCell | undefined> {
  return new Promise((resolve) => {
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    const send = (request: WorkerRequest) => worker.postMessage(request);
    let cell: GridCell = first;
    const commandOf = (of: GridCell) => options.command?.(of.request, of.seed) ?? "";
    const stop = () => send({ type: "stop" });
    const end = (following: GridCell | undefined) => {
      options.signal?.removeEventListener("abort", stop);
      worker.terminate();
      resolve(following);
    };
    const fail = (message: string) => {
      settle({ cell, status: "failed", message, command: commandOf(cell) });
      options.onEvent?.({ type: "cell", cell, event: { type: "failed", message } });
    };
    options.signal?.addEventListener("abort", stop);
    worker.onerror = (event) => {
      event.preventDefault();
      fail(`The worker broke: ${event.message}`);
      end(next());
    };
    worker.onmessage = ({ data }: MessageEvent<WorkerReply>) => {
      switch (data.type) {
        case "ready":
          send({ type: "run", cell: cell.index, config: cell.config, command: commandOf(cell) });
          break;
        case "broken":
          fail(data.message);
          end(next());
          break;
        case "event": {
          const { event } = data;
          if (event.type === "failed") {
            settle({ cell, status: "failed", message: event.message, command: commandOf(cell) });
          }
          if (event.type === "finished") {
            settle({ cell, status: "finished", summary: event.summary, timing: event.timing });
          }
          if (event.type === "interrupted") settle({ cell, status: "stopped" });
          options.onEvent?.({ type: "cell", cell, event });
          if (event.type === "failed" || event.type === "finished" || event.type === "interrupted") {
            const following = next();
            if (following === undefined) return end(undefined);
            cell = following;
            send({ type: "run", cell: cell.index, config: cell.config, command: commandOf(cell) });
          }
          break;
        }
      }
    };
    send({ type: "start", runs: options.runs, plugins });
  });
}
