/**
 * What an experiment shows beside its rows: tuning, several data sets together, rules of selection.
 *
 * @module
 */
import type { Experiment } from "../core/record.ts";
import { type Across, acrossOf } from "../experiments/across/across.ts";
import type { FinishedRun } from "../experiments/results.ts";
import { selectionRules } from "../experiments/selection_rules.ts";
import { answerOf } from "../experiments/table.ts";
import {
  givenAndTuned,
  incompleteStudies,
  runKey,
  type TuningResult,
  tuningResults,
} from "../experiments/tuning/tune.ts";
import { acrossTable, profileChart, rankDiagram } from "./across_tables.ts";
import type { Chart } from "./charts.ts";
import type { Model } from "./configurations.ts";
import { selectionTable } from "./selection_table.ts";
import type { RunStore } from "./store.ts";
import type { Table } from "./table.ts";
import { chosenTable, tuningChart, tuningTable } from "./tuning_table.ts";

/** A picture that is no chart. */
export interface Picture {
  readonly title: string;
  readonly about: string;
  readonly svg: string;
  /** In the colours of the page that it stands in. */
  readonly inline: string;
}

/** Tables, charts and pictures by the names under which they are exported. */
export interface ExperimentParts {
  readonly tables: Readonly<Record<string, Table>>;
  readonly charts: readonly Chart[];
  readonly pictures: Readonly<Record<string, Picture>>;
  /** Configurations as given and tuned; empty where nothing was tuned or no study is complete. */
  readonly tuned: readonly TuningResult[];
  /** Studies with runs that are still to come: they choose nothing yet. */
  readonly incomplete: number;
  /** Comparisons over several data sets, by which runs they are of: `as given` and `tuned`, or `all`. */
  readonly across: readonly (readonly [how: string, across: Across])[];
  /** The answer at equal tuning in one sentence, without its end; `null` where nothing was tuned or is compared yet. */
  readonly tunedAnswer: string | null;
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

/** Runs of an experiment that are still to come: planned, begun or stopped, but neither finished nor failed. */
export function pendingOf(model: Model, { rows }: Experiment): Set<string> {
  return new Set(rows.flatMap(({ label, runs }) =>
    runs.flatMap(({ id, seed }) => {
      const state = model.runs.get(id)?.state;
      return state === "finished" || state === "failed" ? [] : [runKey(label, seed)];
    })
  ));
}

/** A comparison over data sets as table, chart and picture. @param how Which runs they are, where there are several kinds. */
interface AcrossParts {
  readonly across: Across;
  readonly table: Table;
  readonly chart: Chart;
  readonly picture: Picture | null;
}

function acrossParts(runs: readonly FinishedRun[], subject: string, how?: string): AcrossParts | null {
  const across = acrossOf(runs, subject);
  if (across === null) return null;
  const diagram = rankDiagram(across);
  const chart = profileChart(across);
  const named = (title: string) => how === undefined ? title : `${title}, ${how}`;
  return {
    across,
    table: acrossTable(across, how),
    chart: how === undefined
      ? chart
      : { ...chart, id: `${chart.id}-${how.replaceAll(" ", "-")}`, title: named(chart.title) },
    picture: diagram === null ? null : {
      title: named("Mean ranks"),
      about:
        "Mean ranks over data sets, the best at the left; bars join what Nemenyi's test does not tell apart at 5 %",
      svg: diagram,
      inline: rankDiagram(across, { ink: "currentColor", ground: "none" })!,
    },
  };
}

const gathered = new WeakMap<Model, Map<string, Promise<ExperimentParts>>>();

/** Gathers what an experiment shows beside its rows; done once for each model. */
export function experimentParts(store: RunStore, model: Model, experiment: Experiment): Promise<ExperimentParts> {
  const known = gathered.get(model) ?? new Map<string, Promise<ExperimentParts>>();
  gathered.set(model, known);
  const parts = known.get(experiment.name) ?? partsOf(store, model, experiment);
  known.set(experiment.name, parts);
  return parts;
}

async function partsOf(store: RunStore, model: Model, experiment: Experiment): Promise<ExperimentParts> {
  const { tuning, reference, rows } = experiment;
  const finished = finishedOf(model, experiment);
  const pending = tuning === undefined ? new Set<string>() : pendingOf(model, experiment);
  const results = tuning === undefined ? [] : tuningResults(tuning, finished, { reference, pending });
  const subject = rows.find(({ label }) => label === reference)?.across?.subject ?? reference;
  const pair = tuning === undefined ? null : givenAndTuned(tuning, finished, pending);
  const given = pair === null ? acrossParts(finished, subject) : acrossParts(pair.given, subject, "as given");
  const tuned = pair === null ? null : acrossParts(pair.tuned, subject, "tuned");
  const selection = await selectionRules(store.folder, pair?.given ?? finished);
  const answer = answerOf(results.map((own) => own.tuned));
  return {
    tables: {
      ...(results.length === 0 ? {} : { tuned: tuningTable(results, reference), chosen: chosenTable(results) }),
      ...(given === null ? {} : { across: given.table }),
      ...(tuned === null ? {} : { "across-tuned": tuned.table }),
      ...(selection.length === 0 ? {} : { selection: selectionTable(selection) }),
    },
    charts: [
      ...(results.length === 0 ? [] : [tuningChart(results)]),
      ...[given, tuned].flatMap((own) => own === null ? [] : [own.chart]),
    ],
    pictures: {
      ...(given === null || given.picture === null ? {} : { ranks: given.picture }),
      ...(tuned === null || tuned.picture === null ? {} : { "ranks-tuned": tuned.picture }),
    },
    tuned: results,
    incomplete: tuning === undefined ? 0 : incompleteStudies(tuning, pending),
    across: [
      ...(given === null ? [] : [[pair === null ? "all" : "as given", given.across] as const]),
      ...(tuned === null ? [] : [["tuned", tuned.across] as const]),
    ],
    tunedAnswer: answer === null ? null : `Tuned: ${answer}`,
    alike: tuning === undefined && finished.every((run) => run.across === undefined),
  };
}
