/**
 * The tested model of a finished run, ready to predict.
 *
 * @module
 */
import { basename, dirname, resolve } from "node:path";
import type { Library } from "../core/library.ts";
import type { Dataset } from "../core/kinds/mod.ts";
import * as names from "../core/names.ts";
import type { Engine } from "../core/program.ts";
import type { RunConfig, RunSummary } from "../core/record.ts";
import { Refusal } from "../core/refusal.ts";
import { selectModalities } from "../datasets/select.ts";
import { openRun, type RunFolder } from "../store/run_folder.ts";
import type { Predictor } from "../training/predictor.ts";
import { predictWith } from "../training/run.ts";
import { RunState } from "../training/run_state.ts";
import { buildModel } from "./config.ts";
import { loadSameDataset } from "./data.ts";

/** A finished run's model on its data. */
export interface AppliedRun {
  readonly config: RunConfig;
  readonly summary: RunSummary | null;
  /** The run's modalities of its dataset. */
  readonly dataset: Dataset;
  readonly predictor: Predictor;
  /** Frees programs and tensors. */
  dispose(): void;
}

/**
 * Opens a finished run.
 *
 * @param path Folder of the run.
 * @param what What it is opened for, after "Cannot": `valuate run "…"`.
 * @throws {Refusal} If the run is not finished, or its dataset is not the one it was trained on.
 */
export async function applyRun(path: string, what: string, library: Library, engine: Engine): Promise<AppliedRun> {
  const full = resolve(path);
  const folder = openRun(dirname(full), basename(full));
  const load = async (config: RunConfig) =>
    selectModalities(await loadSameDataset(library, config, what), config.modalities);
  return await applied(folder, what, library, load, engine);
}

/** The same on a dataset that is loaded already. @throws {Refusal} If the run is not finished. */
export async function applyModel(
  folder: RunFolder,
  what: string,
  library: Library,
  dataset: Dataset,
  engine: Engine,
): Promise<AppliedRun> {
  return await applied(folder, what, library, () => Promise.resolve(dataset), engine);
}

async function applied(
  folder: RunFolder,
  what: string,
  library: Library,
  load: (config: RunConfig) => Promise<Dataset>,
  engine: Engine,
): Promise<AppliedRun> {
  const [config, stored] = [await folder.config(), await folder.model()];
  if (config === null || stored === null) {
    throw new Refusal({
      what,
      must: "it must be finished",
      found: "it has no model.safetensors",
      hint: "run it to its end by the same bench command",
    });
  }
  const dataset = await load(config);
  const { model, batchSize } = { model: buildModel(config, library, dataset), batchSize: config.training.batchSize };
  const tensors = { ...names.param.over(stored.params), ...names.buffer.over(stored.buffers) };
  const { predictor, dispose } = predictWith(
    RunState.ofModel({ model, dataset, engine, batchSize }, tensors, what),
  );
  return { config, summary: await folder.summary(), dataset, predictor, dispose };
}
