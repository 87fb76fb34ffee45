/**
 * What a valuation needs of a finished run: its tested model, applied to a split.
 *
 * @module
 */
import { basename, dirname, resolve } from "node:path";
import type { Library } from "../core/library.ts";
import type { SplitName } from "../core/kinds/mod.ts";
import * as names from "../core/names.ts";
import type { Engine } from "../core/program.ts";
import { Refusal } from "../core/refusal.ts";
import { checkDataset } from "../datasets/check.ts";
import { selectModalities } from "../datasets/select.ts";
import { subsetName, type ValuationInputs } from "../miv/valuate.ts";
import { openRun } from "../store/run_folder.ts";
import { predictWith } from "../training/run.ts";
import { RunState } from "../training/run_state.ts";
import { buildModel } from "./config.ts";

/** Arrays of a run and the names of its classes. */
export interface RunValuation {
  readonly inputs: ValuationInputs;
  readonly classes: readonly string[];
  /** How the fusion defines a modality's own readout. */
  readonly readout: string;
}

/**
 * Applies the tested model of a finished run to a split.
 *
 * Subsets are those of the harness: kept modalities at feature level, the others filled as the fusion says.
 *
 * @param path Folder of the run.
 * @throws {Refusal} If the run is not finished, or its dataset is not the one it was trained on.
 */
export async function valuationOfRun(
  path: string,
  split: SplitName,
  library: Library,
  engine: Engine,
): Promise<RunValuation> {
  const what = `valuate run "${path}"`;
  const full = resolve(path);
  const folder = openRun(dirname(full), basename(full));
  const [config, stored] = [await folder.config(), await folder.model()];
  if (config === null || stored === null) {
    throw new Refusal({
      what,
      must: "it must be finished",
      found: "it has no model.safetensors",
      hint: "run it to its end by the same bench command",
    });
  }
  const loaded = await library.of("dataset").get(config.dataset.name).load(config.dataset.options);
  checkDataset(loaded);
  if (loaded.fingerprint !== config.dataset.fingerprint) {
    throw new Refusal({
      what,
      must: `dataset "${config.dataset.name}" must have fingerprint ${config.dataset.fingerprint}`,
      found: `found ${loaded.fingerprint}`,
      hint: "its data has changed since: put the old data back, or train anew",
    });
  }
  const dataset = selectModalities(loaded, config.modalities);
  const { model, batchSize } = { model: buildModel(config, library, dataset), batchSize: config.training.batchSize };
  const tensors = { ...names.param.over(stored.params), ...names.buffer.over(stored.buffers) };
  const { predictor, dispose } = predictWith(
    RunState.ofModel({ model, dataset, engine, batchSize }, tensors, what),
  );
  try {
    const data = dataset.splits[split];
    const { logits, solo, fused, parts } = await predictor.detail(data);
    const subsets: Record<string, Float32Array> = {};
    const { modalities } = model.context;
    for (let subset = 0; subset < (1 << modalities.length) - 1; subset++) {
      const name = subsetName(subset, modalities);
      subsets[name] = await predictor.logits(data, { kept: name === "" ? [] : name.split("+") });
    }
    return {
      inputs: {
        labels: data.labels,
        classes: dataset.classes.length,
        width: fused.length / data.size,
        logits,
        solo,
        fused,
        parts,
        subsets,
      },
      classes: dataset.classes,
      readout: predictor.readout,
    };
  } finally {
    dispose();
  }
}
