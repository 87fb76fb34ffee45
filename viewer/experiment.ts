/**
 * An experiment as the viewer shows it: the rows of its grid, by their names, in their order, those still to come included.
 *
 * @module
 */
import type { Experiment } from "../core/record.ts";
import type { Configuration, Model } from "./configurations.ts";

/** The value of an address that stands for all runs. */
export const everything = "all";

/** The experiment that a page shows: the named one, or the one that was written last; `null` for all runs. */
export function experimentOf(model: Model, name: string | null): Experiment | null {
  if (name === everything) return null;
  if (name !== null) return model.experiments.find((own) => own.name === name) ?? null;
  return model.experiments.reduce<Experiment | null>(
    (newest, own) => newest === null || own.writtenAt > newest.writtenAt ? own : newest,
    null,
  );
}

/** The configurations of an experiment, with the runs that it planned and no others. */
export function configurationsOf(model: Model, experiment: Experiment): Configuration[] {
  return experiment.rows.map(({ label, configuration: id, across, runs }): Configuration => {
    const known = model.byId.get(id);
    const planned = new Set(runs.map((run) => run.id));
    const own = known?.runs.filter((run) => planned.has(run.id)) ?? [];
    const count = (state: string) => own.filter((run) => run.state === state).length;
    return {
      id,
      label,
      ...(across === undefined ? {} : { across }),
      settings: known?.settings ?? {},
      modalities: known?.modalities ?? [],
      runs: own,
      counts: {
        finished: count("finished"),
        running: count("running"),
        failed: count("failed"),
        interrupted: count("interrupted"),
      },
      planned: planned.size - own.length,
    };
  });
}

/** How far an experiment is: "13 of 60 runs finished". */
export function progressText(configurations: readonly Configuration[]): string {
  const finished = configurations.reduce((sum, { counts }) => sum + counts.finished, 0);
  const all = configurations.reduce((sum, { runs, planned }) => sum + runs.length + planned, 0);
  return `${finished} of ${all} runs finished`;
}

/** What the newest experiment that planned it calls the row of each run. */
export function rowNames(model: Model): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const { rows } of [...model.experiments].sort((a, b) => a.writtenAt < b.writtenAt ? -1 : 1)) {
    for (const { label, runs } of rows) for (const { id } of runs) names.set(id, label);
  }
  return names;
}

/** Experiments that have a run, with what they call its row. */
export function experimentsWith(model: Model, run: string): { readonly name: string; readonly label: string }[] {
  return model.experiments.flatMap(({ name, rows }) =>
    rows.filter(({ runs }) => runs.some(({ id }) => id === run)).map(({ label }) => ({ name, label }))
  );
}
