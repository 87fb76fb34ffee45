/**
 * What an experiment shows beside its rows: tuning, several data sets together, rules of selection.
 *
 * @module
 */
import type { Experiment } from "../core/record.ts";
import { acrossOf } from "../experiments/across/across.ts";
import type { FinishedRun } from "../experiments/results.ts";
import { selectionRules } from "../experiments/selection_rules.ts";
import { tuningResults } from "../experiments/tuning/tune.ts";
import { acrossTable, profileChart, rankDiagram } from "./across_tables.ts";
import type { Chart } from "./charts.ts";
import type { Model } from "./configurations.ts";
import { selectionTable } from "./selection_table.ts";
import type { RunStore } from "./store.ts";
import type { Table } from "./table.ts";
import { chosenTable, tuningTable } from "./tuning_table.ts";

/** A picture that is no chart. */
export interface Picture {
  readonly title: string;
  readonly about: string;
  readonly svg: string;
}

/** Tables, charts and pictures by the names under which they are exported. */
export interface ExperimentParts {
  readonly tables: Readonly<Record<string, Table>>;
  readonly charts: readonly Chart[];
  readonly pictures: Readonly<Record<string, Picture>>;
  /** Whether its rows stand on the same data with the same seeds, so that they can be compared by samples. */
  readonly alike: boolean;
}

/** Finished runs of an experiment, by the names of its rows. */
export function finishedOf(model: Model, { rows }: Experiment): FinishedRun[] {
  return rows.flatMap(({ label, across, runs }) =>
    runs.flatMap(({ id, seed }): FinishedRun[] => {
      const run = model.runs.get(id);
      if (run === undefined || run.config === null || run.summary === null) return [];
      const { config, summary, timing } = run;
      const known = { label, id, seed, config, summary, timing: timing ?? { seconds: NaN, stepMs: NaN } };
      return [{ ...known, ...(across === undefined ? {} : { across }) }];
    })
  );
}

/** Gathers what an experiment shows beside its rows. */
export async function experimentParts(store: RunStore, model: Model, experiment: Experiment): Promise<ExperimentParts> {
  const { tuning, reference, rows } = experiment;
  const finished = finishedOf(model, experiment);
  const tuned = tuning === undefined ? [] : tuningResults(tuning, finished, { reference });
  const across = acrossOf(finished, rows.find(({ label }) => label === reference)?.across?.subject ?? reference);
  const selection = await selectionRules(store.folder, finished);
  const diagram = across === null ? null : rankDiagram(across);
  return {
    tables: {
      ...(tuned.length === 0 ? {} : { tuned: tuningTable(tuned, reference), chosen: chosenTable(tuned) }),
      ...(across === null ? {} : { across: acrossTable(across) }),
      ...(selection.length === 0 ? {} : { selection: selectionTable(selection) }),
    },
    charts: across === null ? [] : [profileChart(across)],
    pictures: diagram === null ? {} : {
      ranks: {
        title: "Mean ranks",
        about:
          "Mean ranks over data sets, the best at the left; bars join what Nemenyi's test does not tell apart at 5 %",
        svg: diagram,
      },
    },
    alike: tuning === undefined && finished.every((run) => run.across === undefined),
  };
}
