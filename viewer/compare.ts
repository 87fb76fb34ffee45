/**
 * The comparison: what was chosen side by side, with differences and what supports them.
 *
 * @module
 */
import { whyApart } from "../experiments/comparable.ts";
import { pointsText, pText, type Versus, versusReference } from "../experiments/versus.ts";
import type { Chart } from "./charts.ts";
import { type Compared, comparisonChart } from "./compare_chart.ts";
import type { Configuration, KnownRun, Model } from "./configurations.ts";
import { configurationsOf, experimentOf } from "./experiment.ts";
import { type EpochMeasure, epochMeasures } from "./curves.ts";
import { asksFor, type CompareQuery, maxCompared, presets } from "./query.ts";
import { differing, type Setting, settingsOf, settingText } from "./settings.ts";
import type { RunStore } from "./store.ts";
import { cell, type Table } from "./table.ts";

/** One thing compared. */
export interface ComparedItem {
  /** Of the configuration or the run. */
  readonly id: string;
  readonly kind: "configuration" | "run";
  readonly label: string;
  readonly configuration: Configuration;
  readonly runs: readonly KnownRun[];
}

/** The difference of one from the reference. */
export interface Difference {
  readonly item: ComparedItem;
  readonly versus: Versus;
}

/** What the comparison page shows. */
export interface Comparison {
  readonly query: CompareQuery;
  readonly items: readonly ComparedItem[];
  /** Ids that were asked for and are not there. */
  readonly missing: readonly string[];
  /** How many that were asked for are left out, as they would be too many. */
  readonly leftOut: number;
  /** Everything that could be drawn. */
  readonly measures: readonly EpochMeasure[];
  /** Measures that were asked for and that nothing has. */
  readonly unknown: readonly string[];
  readonly charts: readonly Chart[];
  readonly reference: ComparedItem | null;
  readonly differences: readonly Difference[];
  readonly settings: readonly string[];
}

/** Charts drawn at most. */
const maxCharts = 12;

/** Gathers what was asked for, in that order; no more than can be compared. */
export function itemsOf(
  model: Model,
  query: CompareQuery,
): { items: ComparedItem[]; missing: string[]; leftOut: number } {
  const experiment = query.experiment === null ? null : experimentOf(model, query.experiment);
  const named = new Map((experiment === null ? [] : configurationsOf(model, experiment)).map((own) => [own.id, own]));
  const items: ComparedItem[] = [];
  const missing: string[] = [];
  for (const id of query.c) {
    const configuration = named.get(id) ?? model.byId.get(id);
    if (configuration === undefined || configuration.runs.length === 0) missing.push(id);
    else items.push({ id, kind: "configuration", label: configuration.label, configuration, runs: configuration.runs });
  }
  for (const id of query.r) {
    const run = model.runs.get(id);
    const group = run?.configuration ?? "";
    const configuration = [named.get(group), model.byId.get(group)].find((known) =>
      known?.runs.some((candidate) => candidate.id === id)
    );
    const own = configuration?.runs.find((candidate) => candidate.id === id);
    if (configuration === undefined || own === undefined) missing.push(id);
    else {items.push({
        id,
        kind: "run",
        label: `${configuration.label}, seed ${own.config.seed}`,
        configuration,
        runs: [own],
      });}
  }
  return { items: items.slice(0, maxCompared), missing, leftOut: Math.max(0, items.length - maxCompared) };
}

/** Runs whose curves stand for an item: its finished seeds; else whatever goes on or stopped. */
function drawn({ runs }: ComparedItem): readonly KnownRun[] {
  const finished = runs.filter(({ state }) => state === "finished");
  if (finished.length > 0) return finished;
  const running = runs.filter(({ state }) => state === "running");
  return running.length > 0 ? running : runs;
}

function accuracies(runs: readonly KnownRun[]): Record<number, number> {
  return Object.fromEntries(
    runs.flatMap(({ config, summary }) => summary === null ? [] : [[config.seed, summary.test.accuracy]]),
  );
}

/** Builds the comparison that a query asks for. */
export function comparisonOf(store: RunStore, model: Model, query: CompareQuery): Comparison {
  const { items, missing, leftOut } = itemsOf(model, query);
  const compared = items.map((item): Compared => ({
    label: item.label,
    runs: drawn(item).map(({ id }) => store.epochs(id).records).filter((records) => records.length > 0),
  })).filter(({ runs }) => runs.length > 0);
  const measures = epochMeasures(compared.flatMap(({ runs }) => runs.flatMap((records) => records.slice(-1))));
  const chosen = measures.filter(({ key }) => asksFor(query.metric, key)).slice(0, maxCharts);
  const reference = items.find(({ id }) => id === query.reference) ?? items[0] ?? null;
  return {
    query,
    items,
    missing,
    leftOut,
    measures,
    unknown: compared.length === 0 ? [] : unknownIn(query, measures),
    charts: compared.length === 0 ? [] : chosen.map((measure) => comparisonChart(compared, measure, query)),
    reference,
    differences: reference === null ? [] : differencesOf(items, reference),
    settings: differing(items.map(({ runs }) => settingsOf(runs[0].config))),
  };
}

/** Names that were typed and stand for no measure; sets of measures may be of what these runs have not. */
function unknownIn({ metric }: CompareQuery, measures: readonly EpochMeasure[]): string[] {
  const offered = new Set(presets.flatMap(([_, names]) => names));
  return metric.filter((name) => !offered.has(name) && !measures.some(({ key }) => asksFor([name], key)));
}

function differencesOf(items: readonly ComparedItem[], reference: ComparedItem): Difference[] {
  const others = items.filter((item) => item !== reference);
  const apartOf = (item: ComparedItem) => {
    if ([item, reference].some(({ runs }) => runs.some(({ summary }) => summary?.readsLabels))) {
      return "one of them reads the labels of what it predicts";
    }
    const why = whyApart(item.runs[0].config, reference.runs[0].config);
    return why === null ? null : `trained ${why}`;
  };
  const found = versusReference(
    { label: reference.label, values: accuracies(reference.runs) },
    others.map((item) => ({ label: item.label, values: accuracies(item.runs), apart: apartOf(item) })),
  );
  return others.map((item, i) => ({ item, versus: found[i] }));
}

/** Differences of test accuracy, with their tests. */
export function differenceTable({ reference, differences }: Comparison): Table {
  return {
    title: `Differences of test accuracy from ${reference?.label ?? "the reference"}`,
    columns: [
      { title: "Configuration", align: "left" },
      { title: "Common seeds", align: "right" },
      { title: "Difference in points", align: "right", raw: ["difference"] },
      { title: "± 95 % CI", align: "right", raw: ["ci95"] },
      { title: "p", align: "right" },
      { title: "p, Holm", align: "right" },
      { title: "At 5 %", align: "left" },
      { title: "Seeds that would show it", align: "right" },
    ],
    rows: differences.map(({ item, versus }) => [
      cell(item.label),
      cell(versus.n),
      cell(versus.difference, versus.difference === null ? "–" : pointsText(versus.difference, 2)),
      cell(versus.ci95, versus.ci95 === null ? "–" : (100 * versus.ci95).toFixed(2)),
      cell(versus.p, versus.p === null ? "–" : pText(versus.p)),
      cell(versus.pHolm, versus.pHolm === null ? "–" : pText(versus.pHolm)),
      cell(versus.reason === null ? versus.verdict : `untested: ${versus.reason}`),
      cell(versus.seedsNeeded),
    ]),
    notes: [
      "Two-sided paired t-tests over common finished seeds, Holm-corrected over the rows shown; the interval is not " +
      "corrected. Seeds that would show a difference as large and as variable with a chance of 80 %.",
    ],
  };
}

/** Settings that differ, a row each. */
export function settingTable({ items, settings }: Comparison): Table {
  const all = items.map(({ runs }) => settingsOf(runs[0].config));
  return {
    title: "Settings that differ",
    columns: [
      { title: "Setting", align: "left" },
      ...items.map(({ label }) => ({ title: label, align: "left" as const })),
    ],
    rows: settings.map((name) => [
      cell(name),
      ...all.map((own) => {
        const value: Setting | undefined = own[name];
        return cell(value ?? null, settingText(value));
      }),
    ]),
    notes: ["A dash: the configuration has no such setting."],
  };
}
