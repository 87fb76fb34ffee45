/**
 * From runs to configurations: the seeds of one configuration are one row.
 *
 * @module
 */
import type { AcrossPlace, Experiment, RunConfig } from "../core/record.ts";
import { collapseSeeds, type ConfigurationResult, type FinishedRun } from "../experiments/results.ts";
import type { RunDetails } from "../store/index.ts";
import type { RunStatus } from "../store/inspect.ts";
import { labelsOf } from "./names.ts";
import { type Settings, settingsOf } from "./settings.ts";
import type { Snapshot } from "./store.ts";

/** A run of which the configuration is known. */
export type KnownRun = RunDetails & { readonly config: RunConfig; readonly configuration: string };

/** A configuration with its seeds. */
export interface Configuration {
  readonly id: string;
  readonly label: string;
  /** Its place in the shown experiment's comparison over several data sets. Absent if it has none. */
  readonly across?: AcrossPlace;
  readonly settings: Settings;
  readonly modalities: readonly string[];
  /** By seed. */
  readonly runs: readonly KnownRun[];
  readonly counts: Readonly<Record<Exclude<RunStatus, "broken">, number>>;
  /** Runs that the shown experiment planned and that have not begun. */
  readonly planned: number;
}

/** What the viewer knows of a runs folder. */
export interface Model {
  readonly version: number;
  readonly problem: string | null;
  readonly configurations: readonly Configuration[];
  /** By configuration id. */
  readonly byId: ReadonlyMap<string, Configuration>;
  /** Every run, broken ones too, by id. */
  readonly runs: ReadonlyMap<string, RunDetails>;
  /** Folders that are not what a run leaves. */
  readonly broken: readonly RunDetails[];
  /** What benches asked, by name. */
  readonly experiments: readonly Experiment[];
}

function isKnown(run: RunDetails): run is KnownRun {
  return run.config !== null && run.configuration !== null && run.state !== "broken";
}

/** Whether a summary tells of every modality of its configuration: anybody may have edited it. */
function fits(run: RunDetails): boolean {
  const { config, summary } = run;
  if (config === null || summary === null) return true;
  return config.modalities.every((modality) =>
    Object.hasOwn(config.encoders, modality) && Object.hasOwn(summary.test.perModality, modality)
  );
}

/** A run as it is, or as broken where its files do not fit each other. */
function checked(run: RunDetails): RunDetails {
  if (fits(run)) return run;
  return { ...run, state: "broken", reason: "its summary.json must tell of every modality of its config.json" };
}

const models = new WeakMap<Snapshot, Model>();

/** Groups the runs of a snapshot; done once for each. */
export function modelOf(snapshot: Snapshot): Model {
  const known = models.get(snapshot);
  if (known !== undefined) return known;
  const groups = new Map<string, KnownRun[]>();
  const runs = snapshot.runs.map(checked);
  for (const run of runs) {
    if (!isKnown(run)) continue;
    const group = groups.get(run.configuration);
    if (group === undefined) groups.set(run.configuration, [run]);
    else group.push(run);
  }
  const settings = new Map([...groups].map(([id, runs]) => [id, settingsOf(runs[0].config)]));
  const labels = labelsOf(settings);
  const configurations = [...groups].map(([id, runs]): Configuration => {
    const count = (state: RunStatus) => runs.filter((run) => run.state === state).length;
    const { modalities } = runs[0].config;
    return {
      id,
      label: labels.get(id)!,
      settings: settings.get(id)!,
      modalities,
      runs,
      counts: {
        finished: count("finished"),
        running: count("running"),
        failed: count("failed"),
        interrupted: count("interrupted"),
      },
      planned: 0,
    };
  });
  const model: Model = {
    version: snapshot.version,
    problem: snapshot.problem,
    configurations,
    byId: new Map(configurations.map((configuration) => [configuration.id, configuration])),
    runs: new Map(runs.map((run) => [run.id, run])),
    broken: runs.filter((run) => !isKnown(run)),
    experiments: snapshot.experiments,
  };
  models.set(snapshot, model);
  return model;
}

/** Comparisons of a model that are kept: most pages ask for one again, in another order or for other columns. */
const keptComparisons = 16;
const comparisons = new WeakMap<Model, Map<string, Map<string, ConfigurationResult>>>();

/**
 * As `resultsOf`, once for the same rows of a model.
 *
 * @param experiment Name of the experiment whose rows these are, which names them; `null` for all runs.
 */
export function resultsIn(
  model: Model,
  experiment: string | null,
  configurations: readonly Configuration[],
  reference: string | null,
): Map<string, ConfigurationResult> {
  const known = comparisons.get(model) ?? new Map<string, Map<string, ConfigurationResult>>();
  comparisons.set(model, known);
  const key = JSON.stringify([experiment, reference, configurations.map(({ id }) => id)]);
  const found = known.get(key) ?? resultsOf(configurations, reference);
  known.delete(key);
  known.set(key, found);
  if (known.size > keptComparisons) known.delete(known.keys().next().value!);
  return found;
}

/**
 * Collapses the seeds of configurations and compares them: with the best of those that may be compared, and with a
 * reference.
 *
 * @param reference Id of a configuration; `null` for none.
 * @returns Results by configuration id, with the names of the configurations; those without a finished seed have none.
 */
export function resultsOf(
  configurations: readonly Configuration[],
  reference: string | null,
): Map<string, ConfigurationResult> {
  const finished = configurations.flatMap(({ id, across, runs }): FinishedRun[] =>
    runs.flatMap((run) =>
      run.summary === null ? [] : [{
        label: id,
        id: run.id,
        seed: run.config.seed,
        config: run.config,
        summary: run.summary,
        timing: run.timing ?? { seconds: NaN, stepMs: NaN },
        ...(across === undefined ? {} : { across }),
      }]
    )
  );
  const labels = new Map(configurations.map(({ id, label }) => [id, label]));
  return new Map(
    collapseSeeds(finished, { reference }).map((result) => {
      const { label: id, versus } = result;
      const named = versus === null ? null : { ...versus, reference: labels.get(versus.reference)! };
      return [id, { ...result, label: labels.get(id)!, versus: named }];
    }),
  );
}
