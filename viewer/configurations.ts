/**
 * From runs to configurations: the seeds of one configuration are one row.
 *
 * @module
 */
import type { RunConfig } from "../core/record.ts";
import { collapseSeeds, type ConfigurationResult, type FinishedRun } from "../experiments/results.ts";
import { canonicalJson } from "../core/canonical.ts";
import type { RunDetails } from "../store/index.ts";
import type { RunState } from "../store/inspect.ts";
import { labelsOf, type Settings, settingsOf } from "./settings.ts";
import type { Snapshot } from "./store.ts";

/** A run of which the configuration is known. */
export type KnownRun = RunDetails & { readonly config: RunConfig; readonly configuration: string };

/** A configuration with its seeds. */
export interface Configuration {
  readonly id: string;
  readonly label: string;
  readonly settings: Settings;
  readonly modalities: readonly string[];
  /** By seed. */
  readonly runs: readonly KnownRun[];
  readonly counts: Readonly<Record<Exclude<RunState, "broken">, number>>;
  /** Configurations of one such key may be compared: they are tested on the same data. */
  readonly comparable: string;
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
    const count = (state: RunState) => runs.filter((run) => run.state === state).length;
    const { dataset, modalities } = runs[0].config;
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
      comparable: canonicalJson(dataset),
    };
  });
  const model: Model = {
    version: snapshot.version,
    problem: snapshot.problem,
    configurations,
    byId: new Map(configurations.map((configuration) => [configuration.id, configuration])),
    runs: new Map(runs.map((run) => [run.id, run])),
    broken: runs.filter((run) => !isKnown(run)),
  };
  models.set(snapshot, model);
  return model;
}

/**
 * Collapses and ranks configurations, each among those it may be compared with.
 *
 * @returns Results by configuration id; configurations without a finished seed have none.
 */
export function resultsOf(configurations: readonly Configuration[]): Map<string, ConfigurationResult> {
  const results = new Map<string, ConfigurationResult>();
  for (const group of comparableGroups(configurations)) {
    const finished = group.flatMap(({ id, runs }): FinishedRun[] =>
      runs.flatMap((run) =>
        run.summary === null ? [] : [{
          label: id,
          id: run.id,
          seed: run.config.seed,
          config: run.config,
          summary: run.summary,
          timing: run.timing ?? { seconds: NaN, stepMs: NaN },
        }]
      )
    );
    for (const result of collapseSeeds(finished)) results.set(result.label, result);
  }
  return results;
}

/** Sets of configurations that may be compared. */
export function comparableGroups(configurations: readonly Configuration[]): Configuration[][] {
  const groups = new Map<string, Configuration[]>();
  for (const configuration of configurations) {
    const group = groups.get(configuration.comparable);
    if (group === undefined) groups.set(configuration.comparable, [configuration]);
    else group.push(configuration);
  }
  return [...groups.values()];
}
