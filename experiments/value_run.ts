/**
 * What a valuation needs of a finished run: its tested model, applied to a split.
 *
 * @module
 */
import type { Library } from "../core/library.ts";
import type { SplitName } from "../core/kinds/mod.ts";
import type { Engine } from "../core/program.ts";
import { subsetName, type ValuationInputs } from "../miv/saved.ts";
import { applyRun } from "./applied_run.ts";

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
  const { config, dataset, predictor, dispose } = await applyRun(path, `valuate run "${path}"`, library, engine);
  try {
    const data = dataset.splits[split];
    const { logits, solo, fused, parts } = await predictor.detail(data);
    const subsets: Record<string, Float32Array> = {};
    const { modalities } = config;
    for (let subset = 0; subset < (1 << modalities.length) - 1; subset++) {
      const name = subsetName(subset, modalities);
      subsets[name] = await predictor.logits(data, { kept: name === "" ? [] : name.split("+") });
    }
    return {
      inputs: {
        labels: data.labels,
        groups: data.groups,
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
