/**
 * Everything the page of an experiment shows beside its rows: tuning, several data sets together, rules of selection.
 *
 * @module
 */
import type { Experiment } from "../core/record.ts";
import type { Model } from "./configurations.ts";
import { configurationsOf, progressText } from "./experiment.ts";
import { type ExperimentParts, experimentParts } from "./experiment_parts.ts";
import type { RunStore } from "./store.ts";

/** An experiment with what it shows beside its rows. */
export interface ExperimentView extends ExperimentParts {
  readonly experiment: Experiment;
  /** How far it is: "13 of 60 runs finished". */
  readonly progress: string;
}

/** Looks an experiment up; `null` if there is none of that name. */
export async function experimentViewOf(store: RunStore, model: Model, name: string): Promise<ExperimentView | null> {
  const experiment = model.experiments.find((own) => own.name === name);
  if (experiment === undefined) return null;
  const parts = await experimentParts(store, model, experiment);
  return { ...parts, experiment, progress: progressText(configurationsOf(model, experiment)) };
}

/** What the page of an experiment has beside the rows, in words; `null` where it has nothing. */
export function besideRows({ tuning, rows }: Experiment): string | null {
  const sets = new Set(rows.flatMap(({ across }) => across?.data ?? [])).size;
  const words = [
    ...(tuning === undefined ? [] : ["as given and tuned, with what tuning cost"]),
    ...(sets < 2 ? [] : [`over ${sets} data sets together`]),
  ];
  return words.length === 0 ? null : words.join("; ");
}

/** Address of the page of an experiment. */
export function experimentUrl(name: string): string {
  return `/experiments/${encodeURIComponent(name)}`;
}
