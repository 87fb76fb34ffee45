/**
 * Everything the page of one configuration shows: its seeds together.
 *
 * @module
 */
import type { ConfigurationResult } from "../experiments/results.ts";
import type { Chart } from "./charts.ts";
import { type Configuration, type Model, resultsIn } from "./configurations.ts";
import { configurationsOf, everything, experimentOf } from "./experiment.ts";
import { hasSpread, type Measure, measured, measuredCell, measuresFor, measureTitle } from "./measures.ts";
import { numberText } from "./numbers.ts";
import { referenceOf } from "./grid.ts";
import { configurationCharts } from "./run_charts.ts";
import { settingText } from "./settings.ts";
import type { RunStore } from "./store.ts";
import { cell, type Table } from "./table.ts";

/** A configuration with its seeds, beside what it is compared with. */
export interface ConfigurationView {
  readonly configuration: Configuration;
  /** Name of the experiment whose row it is; `null` of all runs. */
  readonly experiment: string | null;
  /** `null` without a finished seed. */
  readonly result: ConfigurationResult | null;
  /** What it is compared with; `null` if it is that itself, or there is nothing. */
  readonly reference: Configuration | null;
  readonly measures: readonly Measure[];
  /** Means over its seeds. */
  readonly charts: readonly Chart[];
  /** How far its curves reach, in words; `null` where there are none. */
  readonly drawn: string | null;
}

/** Looks a configuration up, as a row of an experiment if one is named; `null` if there is none of that id with a run. */
export function configurationViewOf(
  store: RunStore,
  model: Model,
  id: string,
  asked: string | null,
): ConfigurationView | null {
  const experiment = asked === null || asked === everything ? null : experimentOf(model, asked);
  const all = experiment === null ? model.configurations : configurationsOf(model, experiment);
  const configuration = all.find((own) => own.id === id) ?? model.byId.get(id);
  if (configuration === undefined || configuration.runs.length === 0) return null;
  const named = referenceOf({ reference: null }, experiment, all);
  const rows = all.includes(configuration) ? all : [configuration];
  const results = resultsIn(model, experiment?.name ?? null, rows, named?.id ?? null);
  const finished = configuration.runs.filter(({ state }) => state === "finished");
  const shown = finished.length > 0 ? finished : configuration.runs;
  const runs = shown.map((run) => store.epochs(run.id).records).filter((records) => records.length > 0);
  return {
    configuration,
    experiment: experiment?.name ?? null,
    result: results.get(id) ?? null,
    reference: named === configuration ? null : named,
    measures: measuresFor(configuration.modalities),
    charts: runs.length === 0 ? [] : configurationCharts(runs),
    drawn: runs.length === 0 ? null : `${runs.length} ${runs.length === 1 ? "seed" : "seeds"}`,
  };
}

/** Every measure of every seed, and their means. */
export function seedsTable({ configuration, measures }: ConfigurationView): Table {
  const shown = measures.filter((measure) => configuration.runs.some((run) => measure.of(run) !== null));
  return {
    title: `Seeds of ${configuration.label}`,
    columns: [
      { title: "Measure", align: "left" },
      ...configuration.runs.map(({ config }) => ({ title: `Seed ${config.seed}`, align: "right" as const })),
      { title: "Mean ± 95 % CI", align: "right", raw: ["mean", "std", "ci95"] },
    ],
    rows: shown.map((measure) => {
      const over = measuredCell(measure, measured(configuration.runs, measure));
      return [
        cell(measureTitle(measure)),
        ...configuration.runs.map((run) => {
          const value = measure.of(run);
          return cell(value, value === null ? "–" : numberText(value, measure.unit, false));
        }),
        hasSpread(measure) ? over : { ...over, raw: [over.raw?.[0] ?? null, null, null] },
      ];
    }),
    notes: ["Means over finished seeds with half the width of the 95 % confidence interval (Student's t)."],
  };
}

/** Settings in which it differs from the reference: how many stand first in their table. */
export function differingSettings({ configuration, reference }: ConfigurationView): number {
  if (reference === null) return 0;
  return Object.entries(configuration.settings).filter(([name, value]) => reference.settings[name] !== value).length;
}

/** Its settings, with those of the reference where they differ. */
export function settingsTable({ configuration, reference }: ConfigurationView): Table {
  const own = Object.entries(configuration.settings);
  const other = reference?.settings ?? {};
  const differs = ([name, value]: typeof own[number]) => reference !== null && other[name] !== value;
  return {
    title: `Settings of ${configuration.label}`,
    columns: [
      { title: "Setting", align: "left" },
      { title: "Value", align: "left" },
      ...(reference === null ? [] : [{ title: reference.label, align: "left" as const }]),
    ],
    rows: [...own.filter(differs), ...own.filter((entry) => !differs(entry))].map(([name, value]) => [
      cell(name),
      { text: settingText(value), raw: [value], strong: differs([name, value]) },
      ...(reference === null ? [] : [cell(other[name] ?? null, settingText(other[name]))]),
    ]),
    notes: reference === null ? [] : ["What differs stands first."],
  };
}

/** The tables of a configuration, by name. */
export function configurationTables(view: ConfigurationView): Readonly<Record<string, () => Table>> {
  return { seeds: () => seedsTable(view), settings: () => settingsTable(view) };
}
