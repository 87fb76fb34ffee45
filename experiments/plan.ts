/**
 * From requests to cells: what a grid would run, found out before anything runs.
 *
 * @module
 */
import { join } from "node:path";
import type { Library } from "../core/library.ts";
import type { CellRequest, Dataset } from "../core/kinds/mod.ts";
import type { Engine } from "../core/program.ts";
import type { RunConfig } from "../core/record.ts";
import { Refusal } from "../core/refusal.ts";
import { selectEngine } from "../engines/mod.ts";
import { isFolder, readTextSync, StoreError } from "../store/files.ts";
import { runNames } from "../store/inspect.ts";
import { maxJsonBytes, runFiles } from "../store/run_files.ts";
import { runId, sourceId } from "../store/run_id.ts";
import { parseStored } from "../store/schemas.ts";
import { CompositionError } from "../training/compose.ts";
import { VERSION } from "../version.ts";
import { buildModel, encodersOf, resolveConfig, trainingOptions, Unfit } from "./config.ts";
import { loadDataset } from "./data.ts";
import { failureOf } from "./failure.ts";
import { checkMemory, diskBytes, type Footprint, footprintOf } from "./memory.ts";
import { changesSince, Provenance } from "./provenance.ts";
import { Pretrained } from "./pretrained.ts";
import { SharedData } from "./shared_data.ts";
import { requestOf, teachersOf } from "./teachers.ts";

/** What is planned. */
export interface PlanOptions {
  readonly cells: readonly CellRequest[];
  /** At least one. */
  readonly seeds: readonly number[];
  /** Those of a configuration that is not run with all of them. @default all */
  readonly seedsOf?: (request: CellRequest) => readonly number[];
  /** Folder of all runs; need not exist. */
  readonly runs: string;
  readonly library: Library;
  /** Modules that registered plugins; `library` must hold them already. */
  readonly plugins?: readonly string[];
  /** Engine by name; the best that works if absent. */
  readonly engine?: string;
  /** Names and options are right: data is loaded and an engine chosen now, which takes its time. */
  readonly onLoad?: () => void;
  /** Leave out configurations whose parts do not fit together, instead of refusing the whole. @default {false} */
  readonly skipUnfit?: boolean;
  /**
   * Of which configuration one is a trial, by its label; `null` of one that is asked for by itself. Trials whose parts do
   * not fit, and those that equal their configuration or another trial of it, are left out. @default none is a trial
   */
  readonly trialOf?: (request: CellRequest) => string | null;
}

/** A configuration with a seed, as asked for. */
export interface AskedCell {
  /** Place in the grid. */
  readonly index: number;
  readonly request: CellRequest;
  readonly seed: number;
  /** Of a run that only teaches: a cell that asked for it, whose command runs it too. */
  readonly pupil?: AskedCell;
}

/** One configuration with one seed. */
export interface GridCell extends AskedCell {
  readonly config: RunConfig;
  readonly id: string;
}

/** What a grid would run. */
export interface GridPlan {
  readonly cells: readonly GridCell[];
  /** Runs that teach cells and are no cells themselves. */
  readonly teachers: readonly GridCell[];
  /** Ids of all runs that teach others, cells among them: they run first. */
  readonly taught: ReadonlySet<string>;
  /** Ids of the runs that each run learns from, by the ids of those that learn. */
  readonly lessons: ReadonlyMap<string, readonly string[]>;
  /** Cells that cannot be run, as a plugin fails. */
  readonly failed: readonly { readonly cell: AskedCell; readonly message: string }[];
  /** Configurations that were left out, as their parts do not fit or they are trials of what is tried already. */
  readonly unfit: readonly { readonly label: string; readonly reason: string }[];
  /** What is new since earlier runs, a line each. */
  readonly notes: readonly string[];
  /** Datasets that are loaded already. @default each worker loads its own */
  readonly data?: SharedData;
  /** Bytes that its runs take on the disk when all are finished, about; `null` where nobody counted. */
  readonly bytes: number | null;
  /** Name, version and device of the engine, and why it was chosen, in one line. */
  readonly engine: string;
}

/** The largest seed: randomness takes 32 bits of it, and two seeds that share them would be one. */
const largestSeed = 2 ** 32 - 1;

function checkAsked({ cells, seeds }: PlanOptions): void {
  const what = "run a grid";
  const bad = seeds.find((seed) => !Number.isInteger(seed) || seed < 0 || seed > largestSeed);
  if (bad !== undefined) {
    throw new Refusal({ what, must: `seeds must be integers from 0 to ${largestSeed}`, found: `found ${bad}` });
  }
  if (cells.length === 0) {
    throw new Refusal({ what, must: "it must have at least one configuration", found: "found none" });
  }
  if (seeds.length === 0) throw new Refusal({ what, must: "it must have at least one seed", found: "found none" });
  const labels = cells.map(({ label }) => label);
  const twice = labels.find((label, index) => labels.indexOf(label) !== index);
  if (twice !== undefined) throw new Refusal({ what, must: "labels must be unique", found: `"${twice}" occurs twice` });
}

/** Checks names and options before data is loaded and an engine is chosen, which take their time. */
function checkParts({ cells, library }: PlanOptions): void {
  for (const request of cells) {
    library.bind("dataset", request.dataset);
    for (const encoder of Object.values(encodersOf(request))) library.bind("encoder", encoder);
    library.bind("fusion", request.fusion);
    for (const method of request.methods) library.bind("method", method);
    library.resolve("training", { options: trainingOptions }, request.training);
  }
}

/** Loads each dataset once; what fails is kept, for every cell that wants it. */
class Datasets {
  readonly #library: Library;
  readonly #loaded: Map<string, Dataset | Error> = new Map();

  constructor(library: Library) {
    this.#library = library;
  }

  async get(request: CellRequest): Promise<Dataset> {
    const key = JSON.stringify(request.dataset);
    let dataset = this.#loaded.get(key);
    if (dataset === undefined) {
      try {
        dataset = await loadDataset(this.#library, request.dataset);
      } catch (error) {
        if (error instanceof Refusal) throw error;
        dataset = error instanceof Error ? error : new Error(String(error));
      }
      this.#loaded.set(key, dataset);
    }
    if (dataset instanceof Error) throw dataset;
    return dataset;
  }
}

/**
 * Resolves every configuration with every seed.
 *
 * @throws {Refusal} If a name, an option or a combination of parts is not valid. What a plugin throws is no refusal: its
 * cells are `failed`.
 */
export async function planGrid(options: PlanOptions): Promise<GridPlan> {
  checkAsked(options);
  checkParts(options);
  options.onLoad?.();
  const { engine, reason } = await selectEngine(options.engine, { threads: 1 }, options.library.of("engine").list());
  try {
    const line = `${engine.name} (${engine.version}, ${engine.device}): ${reason}`;
    return { ...await resolveCells(options, engine), engine: line };
  } finally {
    await engine.dispose();
  }
}

/** Cells of a plan. */
async function resolveCells(options: PlanOptions, engine: Engine): Promise<Omit<GridPlan, "engine">> {
  const { library, plugins = [], trialOf = () => null } = options;
  const engineConfig = { name: engine.name, version: engine.version, threads: 1 };
  const provenance = await Provenance.of(library, plugins);
  const datasets = new Datasets(library);
  const data = new SharedData();
  const pretrained = new Pretrained();
  const context = { engine: engineConfig, version: VERSION, plugins };
  const [found, failed, unfit]: [GridCell[], GridPlan["failed"][number][], GridPlan["unfit"][number][]] = [[], [], []];
  let [index, bytes] = [0, 0];
  // Methods and training change nothing of it, and large plans differ in these.
  const sizes = new Map<string, Footprint>();
  const onCard = library.of("engine").get(engine.name).cards !== undefined;
  const sizeOf = (config: RunConfig, dataset: Dataset): Footprint => {
    const { dataset: data, modalities, encoders, fusion, weights, freeze, rates } = config;
    const key = JSON.stringify([data, modalities, encoders, fusion, weights, freeze, rates]);
    const known = sizes.get(key) ??
      footprintOf(config, buildModel(config, library, dataset), dataset, (run) => engine.abstract(run), onCard);
    sizes.set(key, known);
    return known;
  };
  /** What all seeds of a request share, which is everything but the seed; with the bytes that a run takes. */
  const resolve = async (request: CellRequest, seed: number): Promise<{ shared: RunConfig; own: number }> => {
    const dataset = await datasets.get(request);
    const weights = await pretrained.of(request, dataset);
    const resolved = resolveConfig(request, library, dataset, { ...context, seed, weights });
    data.keep(resolved.dataset, dataset);
    await pretrained.check(resolved, library, dataset);
    const footprint = sizeOf(resolved, dataset);
    checkMemory(resolved, footprint, dataset);
    const lessons = Object.values(teachersOf(resolved, library, dataset)).map(({ fusion }) => fusion);
    const shared = { ...resolved, ...provenance.sourcesOf(resolved, lessons) };
    return { shared, own: diskBytes(resolved, footprint.parameters, dataset) };
  };
  for (const request of options.cells) {
    const seeds = options.seedsOf?.(request) ?? options.seeds;
    const asked = seeds.map((seed): AskedCell => ({ index: index++, request, seed }));
    try {
      const { shared, own } = await resolve(request, seeds[0]);
      for (const cell of asked) {
        const config = { ...shared, seed: cell.seed };
        found.push({ ...cell, config, id: runId(config) });
      }
      bytes += own * seeds.length;
    } catch (error) {
      const optional = options.skipUnfit === true || trialOf(request) !== null;
      if (optional && (error instanceof Unfit || error instanceof CompositionError)) {
        unfit.push({ label: request.label, reason: (error as Error).message });
        continue;
      }
      if (error instanceof Refusal) throw error;
      for (const cell of asked) failed.push({ cell, message: failureOf(error) });
    }
  }
  const { cells, repeated } = distinct(found, trialOf);
  unfit.push(...repeated);
  if (cells.length + failed.length === 0) {
    throw new Refusal({ what: "run a grid", must: "a configuration must fit", found: "all were left out" });
  }
  const taught = await addTeachers(cells, index, library, datasets);
  const notes = [...pretrained.notes, ...await notesOn([...cells, ...taught.teachers], options)];
  return { cells, ...taught, failed, unfit, notes, bytes, data };
}

/** Runs that teach cells. @param next The first free place in the grid. */
async function addTeachers(
  cells: readonly GridCell[],
  next: number,
  library: Library,
  datasets: Datasets,
): Promise<Pick<GridPlan, "teachers" | "taught" | "lessons">> {
  const known = new Set(cells.map(({ id }) => id));
  const taught = new Set<string>();
  const lessons = new Map<string, string[]>();
  const teachers: GridCell[] = [];
  const byRequest = new Map<CellRequest, readonly RunConfig[]>();
  for (const pupil of cells) {
    const { request, seed, config: own } = pupil;
    // Those of another seed differ in the seed alone.
    const lessonsOf = byRequest.get(request) ?? Object.values(teachersOf(own, library, await datasets.get(request)));
    byRequest.set(request, lessonsOf);
    for (const config of lessonsOf.map((teacher) => ({ ...teacher, seed }))) {
      const id = runId(config);
      taught.add(id);
      lessons.set(pupil.id, [...lessons.get(pupil.id) ?? [], id]);
      if (known.has(id)) continue;
      known.add(id);
      teachers.push({ index: next + teachers.length, request: requestOf(config), seed, pupil, config, id });
    }
  }
  return { teachers, taught, lessons };
}

/**
 * Cells that differ from each other, without trials of what their configuration tries already.
 *
 * @throws {Refusal} If others are equal.
 */
function distinct(
  found: readonly GridCell[],
  trialOf: NonNullable<PlanOptions["trialOf"]>,
): { readonly cells: GridCell[]; readonly repeated: GridPlan["unfit"][number][] } {
  const ids = new Map<string, GridCell>();
  const repeated: GridPlan["unfit"][number][] = [];
  const cells = found.filter((cell) => {
    const other = ids.get(cell.id);
    if (other === undefined) {
      ids.set(cell.id, cell);
      return true;
    }
    const row = trialOf(cell.request);
    const { label } = other.request;
    if (row !== null && (label === row || trialOf(other.request) === row)) {
      repeated.push({ label: cell.request.label, reason: `it is "${label}"` });
      return false;
    }
    throw new Refusal({
      what: `run "${cell.request.label}" beside "${label}"`,
      must: "configurations must differ",
      found: "they are equal",
    });
  });
  return { cells, repeated };
}

/** What changed since earlier runs of the same configurations. */
async function notesOn(cells: readonly GridCell[], { runs, library }: PlanOptions): Promise<string[]> {
  const fresh: GridCell[] = [];
  for (const cell of cells) if (!await isFolder(join(runs, cell.id))) fresh.push(cell);
  if (fresh.length === 0 || !await isFolder(runs)) return [];
  const earlier = new Map<string, RunConfig>();
  for (const config of storedConfigs(runs)) earlier.set(sourceId(config), config);
  return [
    ...new Set(fresh.flatMap(({ config }) => {
      const other = earlier.get(sourceId(config));
      return other === undefined ? [] : changesSince(other, config, library);
    })),
  ];
}

/** Configurations of a runs folder, those of this format that can be read. */
function* storedConfigs(runs: string): Generator<RunConfig> {
  for (const name of runNames(runs)) {
    const path = join(runs, name, runFiles.config);
    try {
      const text = readTextSync(path, maxJsonBytes);
      if (text === null) continue;
      const config = parseStored("config", text, path);
      if (config.format === 2) yield config;
    } catch (error) {
      if (!(error instanceof StoreError)) throw error; // a damaged run is told where it is shown or run
    }
  }
}
