/**
 * The comparison: what was chosen side by side, with differences and what supports them.
 *
 * @module
 */
import { holm, leastSeeds, pairedBySeed, type PairedTest } from "../experiments/statistics.ts";
import { type Chart, type Compared, comparisonChart } from "./charts.ts";
import type { Configuration, KnownRun, Model } from "./configurations.ts";
import { type EpochMeasure, epochMeasures } from "./curves.ts";
import { type CompareQuery, maxCompared } from "./query.ts";
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
  /** `null` with too few common finished seeds, or on other data. */
  readonly test: PairedTest | null;
  /** Corrected by Holm over all differences shown. */
  readonly pHolm: number | null;
  /** Why there is no test; else `null`. */
  readonly reason: string | null;
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
  const items: ComparedItem[] = [];
  const missing: string[] = [];
  for (const id of query.c) {
    const configuration = model.byId.get(id);
    if (configuration === undefined) missing.push(id);
    else items.push({ id, kind: "configuration", label: configuration.label, configuration, runs: configuration.runs });
  }
  for (const id of query.r) {
    const run = model.runs.get(id);
    const configuration = run?.configuration == null ? undefined : model.byId.get(run.configuration);
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
  const chosen = measures.filter(({ key }) => query.metric.includes(key)).slice(0, maxCharts);
  const reference = items.find(({ id }) => id === query.reference) ?? items[0] ?? null;
  return {
    query,
    items,
    missing,
    leftOut,
    measures,
    charts: compared.length === 0 ? [] : chosen.map((measure) => comparisonChart(compared, measure, query)),
    reference,
    differences: reference === null ? [] : differencesOf(items, reference),
    settings: differing(items.map(({ runs }) => settingsOf(runs[0].config))),
  };
}

function differencesOf(items: readonly ComparedItem[], reference: ComparedItem): Difference[] {
  const others = items.filter((item) => item !== reference);
  const base = accuracies(reference.runs);
  const tested = others.map((item) => {
    if (item.configuration.comparable !== reference.configuration.comparable) {
      return { item, test: null, reason: "tested on other data" };
    }
    if ([item, reference].some(({ runs }) => runs.some(({ summary }) => summary?.readsLabels))) {
      return { item, test: null, reason: "one of them reads the labels of what it predicts" };
    }
    const test = pairedBySeed(accuracies(item.runs), base);
    const enough = test !== null && test.n >= leastSeeds;
    return {
      item,
      test: enough ? test : null,
      reason: enough ? null : `fewer than ${leastSeeds} common finished seeds`,
    };
  });
  const tests = tested.flatMap(({ test }) => test === null ? [] : [test]);
  const corrected = holm(tests.map(({ p }) => p));
  return tested.map(({ item, test, reason }) => ({
    item,
    test,
    reason,
    pHolm: test === null ? null : corrected[tests.indexOf(test)],
  }));
}

function pText(p: number | null): string {
  return p === null ? "–" : p < 0.0001 ? "< 0.0001" : p.toFixed(4);
}

/** Differences of test accuracy, with their tests. */
export function differenceTable({ reference, differences }: Comparison): Table {
  const points = (value: number) => `${value < 0 ? "−" : "+"}${(100 * Math.abs(value)).toFixed(2)}`;
  return {
    title: `Differences of test accuracy from ${reference?.label ?? "the reference"}`,
    columns: [
      { title: "Configuration", align: "left" },
      { title: "Common seeds", align: "right" },
      { title: "Difference in points", align: "right", raw: ["difference"] },
      { title: "± 95 % CI", align: "right", raw: ["ci95"] },
      { title: "t", align: "right" },
      { title: "p", align: "right" },
      { title: "p, Holm", align: "right" },
      { title: "At 5 %", align: "left" },
    ],
    rows: differences.map(({ item, test, pHolm, reason }) => [
      cell(item.label),
      cell(test?.n ?? null),
      cell(test?.difference ?? null, test === null ? "–" : points(test.difference)),
      cell(test?.ci95 ?? null, test === null ? "–" : (100 * test.ci95).toFixed(2)),
      cell(
        test === null || !Number.isFinite(test.t) ? null : test.t,
        test === null ? "–" : Number.isFinite(test.t) ? test.t.toFixed(2).replace("-", "−") : "∞",
      ),
      cell(test?.p ?? null, pText(test?.p ?? null)),
      cell(pHolm, pText(pHolm)),
      cell(reason ?? (pHolm! < 0.05 ? (test!.difference > 0 ? "better" : "worse") : "not told apart")),
    ]),
    notes: [
      "Two-sided paired t-tests over common finished seeds, Holm-corrected over the rows shown; the interval is not corrected.",
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
