/**
 * The quick grid as a whole: our command against one PyTorch process that does the same cells.
 *
 * Ours is the command behind `deno task bench` with its default workers, an empty runs folder and no kept graphs: from
 * the start of the process to its end, so with loading, tracing, compiling, training, evaluation, records, checkpoints and
 * statistics. PyTorch's is `torch_grid.py`, from the start of Python to its end, import included, without checkpoints,
 * records and statistics. Both take the data as they find it: ours decodes and corrupts it, PyTorch reads arrays that were
 * written before the clock starts.
 *
 * @module
 */
import { median } from "../../core/median.ts";
import { join } from "node:path";
import type { Dataset } from "../../core/kinds/mod.ts";
import type { NamedHostTensors } from "../../core/program.ts";
import type { RunConfig } from "../../core/record.ts";
import { CACHE_VARIABLE } from "../../formats/cache_folder.ts";
import { selectEngine } from "../../engines/mod.ts";
import { resolveConfig } from "../../experiments/config.ts";
import { applySettings } from "../../experiments/settings.ts";
import { quick } from "../../experiments/grids/mod.ts";
import { createLibrary } from "../../library.ts";
import { openRun } from "../../store/run_folder.ts";
import { runId } from "../../store/run_id.ts";
import { writeSafetensors } from "../../store/tensors.ts";
import { VERSION } from "../../version.ts";
import { datasetOf } from "./data.ts";
import type { Row } from "./rows.ts";

/** Threads of PyTorch's process. */
export const GRID_THREADS = 2;

/** Wall time, or processor time of all threads of a side. */
export type Clock = "wall" | "cpu";

/** Which part of the quick grid; all of it if nothing is said. */
export interface GridPart {
  /** How many of its seeds, from the first on. */
  readonly seeds?: number;
  /** One cell, as `label#seed`. */
  readonly only?: string;
  /** Assignments as `--set` takes them. */
  readonly settings?: readonly string[];
}

/** A cell with its resolved configuration. */
export interface GridCell {
  readonly label: string;
  readonly config: RunConfig;
}

/** What one side did in one turn. */
export interface SideRun {
  /** Wall time of the whole process. */
  readonly wallMs: number;
  /** Processor time of all its threads; `null` where the system does not tell. */
  readonly processorMs: number | null;
  /** Largest resident memory; `null` where the system does not tell. */
  readonly peakMiB: number | null;
  /** Test accuracies by label, over seeds. */
  readonly accuracies: Readonly<Record<string, readonly number[]>>;
}

/** Ours. */
export interface OurRun extends SideRun {
  /** Trace and compilation, summed over cells and workers. */
  readonly compileMs: number;
}

/** PyTorch's. */
export interface TorchRun extends SideRun {
  readonly importMs: number;
  readonly version: string;
}

/** The row of the grid, with what shows that both sides did the same. */
export interface GridRow extends Row {
  /** PyTorch's time without importing torch. */
  readonly torchMsWithoutImport: number | null;
  readonly turns: number;
  readonly cells: number;
  /** Mean test accuracy by label. */
  readonly accuracy: Readonly<Record<string, { readonly ours: number; readonly torch: number | null }>>;
}

/** The cells of the grid in the order in which they run: seeds outside. */
export async function gridCells({ seeds, only, settings = [] }: GridPart = {}): Promise<GridCell[]> {
  const library = createLibrary();
  const { engine } = await selectEngine(undefined, { threads: 1 });
  const { name, version } = engine;
  await engine.dispose();
  const datasets = new Map<string, Promise<Dataset>>();
  /** Loaded once: decoding takes seconds. */
  const loaded = (name: string, options: Readonly<Record<string, unknown>>): Promise<Dataset> => {
    const key = JSON.stringify([name, options]);
    const known = datasets.get(key);
    if (known !== undefined) return known;
    const made = datasetOf(name, library, options);
    datasets.set(key, made);
    return made;
  };
  const cells: GridCell[] = [];
  for (const seed of quick.seeds.slice(0, seeds)) {
    for (const request of applySettings(quick.cells, settings, library)) {
      if (only !== undefined && only !== `${request.label}#${seed}`) continue;
      const dataset = await loaded(request.dataset.name, request.dataset.options);
      const context = { seed, engine: { name, version, threads: 1 }, version: VERSION, plugins: [] };
      cells.push({ label: request.label, config: resolveConfig(request, library, dataset, context) });
    }
  }
  return cells;
}

/** Writes what `torch_grid.py` reads: the arrays of all splits, and the cells. */
export async function exportGrid(folder: string, cells: readonly GridCell[]): Promise<void> {
  const [{ config }] = cells;
  const dataset = await datasetOf(config.dataset.name, createLibrary(), config.dataset.options);
  const arrays: NamedHostTensors = {};
  for (const [name, { size, labels, inputs }] of Object.entries(dataset.splits)) {
    arrays[`${name}/labels`] = { data: labels, shape: [size], dtype: "int32" };
    for (const [modality, data] of Object.entries(inputs)) {
      const { shape, dtype } = dataset.modalities[modality];
      arrays[`${name}/${modality}`] = { data, shape: [size, ...shape], dtype };
    }
  }
  await writeSafetensors(join(folder, "data.safetensors"), arrays);
  await Deno.writeTextFile(join(folder, "cells.json"), JSON.stringify(cells));
}

/** Memory and processor time of a process while it runs, as Linux tells them. */
class Watch {
  processorMs: number | null = null;
  peakMiB: number | null = null;
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(pid: number) {
    this.#timer = setInterval(() => this.#look(pid), 100);
  }

  #look(pid: number): void {
    try {
      const status = Deno.readTextFileSync(`/proc/${pid}/status`);
      const peak = status.split("\n").find((line) => line.startsWith("VmHWM:"));
      if (peak !== undefined) this.peakMiB = Number(peak.replace(/\D/g, "")) / 1024;
      // Behind the name in brackets: state is field 0, time in user and system mode 11 and 12, in hundredths of a second.
      const fields = Deno.readTextFileSync(`/proc/${pid}/stat`).replace(/^.*\) /s, "").split(" ");
      if (peak !== undefined) this.processorMs = 10 * (Number(fields[11]) + Number(fields[12]));
    } catch (error) {
      // Not Linux, or over between two looks: what was seen last stands.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  end(): void {
    clearInterval(this.#timer);
  }
}

/** Runs a command to its end. @throws {Error} If it fails; the message holds the end of what it said. */
async function timed(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Pick<SideRun, "wallMs" | "processorMs" | "peakMiB"> & { readonly output: string }> {
  const started = performance.now();
  const child = new Deno.Command(command, { args: [...args], env, stdin: "null", stdout: "piped", stderr: "piped" })
    .spawn();
  const watch = new Watch(child.pid);
  try {
    const { code, stdout, stderr } = await child.output();
    const wallMs = performance.now() - started;
    if (code !== 0) {
      const said = new TextDecoder().decode(stderr).trim().split("\n").slice(-5).join("\n");
      throw new Error(
        `Cannot time "${[command, ...args].join(" ")}" as it must succeed: it ended with ${code}\n${said}`,
      );
    }
    const { processorMs, peakMiB } = watch;
    return { wallMs, processorMs, peakMiB, output: new TextDecoder().decode(stdout) };
  } finally {
    watch.end();
  }
}

function byLabel(cells: readonly { readonly label: string; readonly accuracy: number }[]): Record<string, number[]> {
  const found: Record<string, number[]> = {};
  for (const { label, accuracy } of cells) (found[label] ??= []).push(accuracy);
  return found;
}

/** Our side: the command, then what it left in its runs folder. */
export async function runOurs(
  cells: readonly GridCell[],
  { seeds, only, settings = [] }: GridPart = {},
): Promise<OurRun> {
  const folder = await Deno.makeTempDir({ prefix: "armlab-grid-" });
  try {
    const runs = join(folder, "runs");
    const main = new URL("../../cli/main.ts", import.meta.url).pathname;
    const { output: _, ...side } = await timed(Deno.execPath(), [
      ...["run", "-A", main, "bench", "--runs", runs],
      ...(seeds === undefined ? [] : ["--seeds", String(seeds)]),
      ...(only === undefined ? [] : ["--only", only]),
      ...settings.flatMap((setting) => ["--set", setting]),
    ], { [CACHE_VARIABLE]: join(folder, "cache") });
    let compileMs = 0;
    const tested = [];
    for (const { label, config } of cells) {
      const run = openRun(runs, runId(config));
      const summary = await run.summary();
      if (summary === null) {
        throw new Error(`Cannot read cell "${label}" as its run must be finished: ${runId(config)}`);
      }
      compileMs += 1000 * (await run.timing()).compileSeconds;
      tested.push({ label, accuracy: summary.test.accuracy });
    }
    return { ...side, compileMs, accuracies: byLabel(tested) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** PyTorch's side. @param folder What `exportGrid` wrote. */
export async function runTorch(python: string, folder: string): Promise<TorchRun> {
  const script = new URL("./torch_grid.py", import.meta.url).pathname;
  const { output, wallMs } = await timed(python, [script, folder, String(GRID_THREADS)]);
  const said = JSON.parse(output);
  return {
    wallMs,
    processorMs: 1000 * said.processorSeconds,
    peakMiB: said.peakMiB,
    importMs: 1000 * said.importSeconds,
    version: said.version,
    accuracies: byLabel(said.cells),
  };
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** A side's time. @throws {RangeError} If processor time is asked for and not known. */
function timeOf(run: SideRun, clock: Clock): number {
  if (clock === "wall") return run.wallMs;
  if (run.processorMs === null) {
    throw new RangeError("Cannot time the quick grid by processor time as the system must tell it: use --clock wall");
  }
  return run.processorMs;
}

/** The row of turns: the median of each turn's ratio. */
export function gridRow(ours: readonly OurRun[], torch: readonly TorchRun[] | null, clock: Clock): GridRow {
  const [first] = ours;
  const times = ours.map((run) => timeOf(run, clock));
  const torchTimes = torch?.map((run) => timeOf(run, clock)) ?? null;
  const memory = torch?.flatMap((run, i) =>
    run.peakMiB === null || ours[i].peakMiB === null ? [] : [
      ours[i].peakMiB! / run.peakMiB,
    ]
  );
  return {
    step: "quick-grid",
    threads: GRID_THREADS,
    oursMs: median(times),
    torchMs: torchTimes === null ? null : median(torchTimes),
    timeRatio: torchTimes === null ? null : median(times.map((time, i) => time / torchTimes[i])),
    memoryRatio: memory === undefined || memory.length === 0 ? null : median(memory),
    compileMs: median(ours.map(({ compileMs }) => compileMs)),
    keptMs: null,
    nodes: null,
    peakShare: null,
    torchMsWithoutImport: torch === null ? null : median(torch.map((run) => timeOf(run, clock) - run.importMs)),
    turns: ours.length,
    cells: Object.values(first.accuracies).flat().length,
    accuracy: Object.fromEntries(
      Object.entries(first.accuracies).map(([label, values]) => [label, {
        ours: mean(values),
        torch: torch === null ? null : mean(torch[0].accuracies[label]),
      }]),
    ),
  };
}

/** What stands under the row. */
export function gridNotes(row: GridRow, clock: Clock): string[] {
  const workers = Math.min(navigator.hardwareConcurrency, row.cells);
  return [
    `quick-grid: ${row.cells} cells, ${row.turns} turn(s); ${workers} worker(s) of one thread against one PyTorch ` +
    `process of ${row.threads} threads.`,
    "Ours: the whole command with an empty runs folder and no kept graphs, compile ms summed over all cells.",
    ...(clock === "cpu"
      ? ["By processor time of all threads: the work of each side, not how long one waits for it."]
      : []),
    ...(row.torchMsWithoutImport === null ? [] : [
      `PyTorch: the whole process; without importing torch ${row.torchMsWithoutImport.toFixed(0)} ms, time ratio ${
        (row.oursMs / row.torchMsWithoutImport).toFixed(2)
      }.`,
    ]),
    `Mean test accuracy in %, ours${row.torchMs === null ? "" : " / PyTorch"}: ${
      Object.entries(row.accuracy).map(([label, { ours, torch }]) =>
        `${label} ${(100 * ours).toFixed(2)}${torch === null ? "" : ` / ${(100 * torch).toFixed(2)}`}`
      ).join(", ")
    }.`,
  ];
}

/** How the row is measured. */
export interface GridOptions {
  /** Python with torch and numpy; `null` times our side alone. */
  readonly python: string | null;
  readonly clock: Clock;
  readonly turns: number;
  readonly part?: GridPart;
  /** Told what begins. */
  readonly say?: (line: string) => void;
}

/** Measures the row, sides in turns. */
export async function timeGrid({ python, clock, turns, part = {}, say = () => {} }: GridOptions): Promise<GridRow> {
  const cells = await gridCells(part);
  if (cells.length === 0) throw new RangeError(`Cannot time the quick grid as it must have a cell "${part.only}"`);
  const folder = await Deno.makeTempDir({ prefix: "armlab-grid-" });
  try {
    if (python !== null) await exportGrid(folder, cells);
    const ours: OurRun[] = [];
    const torch: TorchRun[] = [];
    for (let turn = 1; turn <= turns; turn++) {
      say(`quick-grid, turn ${turn} of ${turns}: ours, ${cells.length} cells`);
      ours.push(await runOurs(cells, part));
      if (python === null) continue;
      say(`quick-grid, turn ${turn} of ${turns}: PyTorch, ${cells.length} cells`);
      torch.push(await runTorch(python, folder));
    }
    return gridRow(ours, python === null ? null : torch, clock);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
