/**
 * The grid: configurations filtered, ranked, sorted and grouped as a query says.
 *
 * @module
 */
import { Refusal } from "../core/refusal.ts";
import { didYouMean } from "../core/suggest.ts";
import type { ConfigurationResult } from "../experiments/results.ts";
import { leastSeeds } from "../experiments/statistics.ts";
import { comparableGroups, type Configuration, type Model, resultsOf } from "./configurations.ts";
import {
  hasSpread,
  type Measure,
  type Measured,
  measured,
  measuredCell,
  measuresFor,
  measureTitle,
  rankText,
  rawTitles,
  stateText,
} from "./measures.ts";
import { type GridQuery, pageRows } from "./query.ts";
import { listed, readSearch, unknown } from "./search.ts";
import { differing, type Setting, settingText } from "./settings.ts";
import { cell, type Table } from "./table.ts";

/** A configuration with what is shown of it. */
export interface GridRow {
  readonly configuration: Configuration;
  /** `null` without a finished seed. */
  readonly result: ConfigurationResult | null;
  /** By measure key, for the shown measures. */
  readonly values: Readonly<Record<string, Measured | null>>;
}

/** Rows under one heading. */
export interface GridGroup {
  /** `null` where rows are not grouped. */
  readonly title: string | null;
  readonly rows: readonly GridRow[];
}

/** What the grid page shows. */
export interface Grid {
  readonly query: GridQuery;
  readonly groups: readonly GridGroup[];
  /** Rows that fit the query, on this page and others. */
  readonly total: number;
  readonly pages: number;
  /** All measures that may be chosen. */
  readonly measures: readonly Measure[];
  readonly shown: readonly Measure[];
  /** Names of the settings that are shown. */
  readonly settings: readonly string[];
  /** What ranks and marks mean here. */
  readonly notes: readonly string[];
  /** What of the query names nothing that there is, and counts for nothing. */
  readonly problems: readonly Refusal[];
}

/** Values that the filters offer. */
export interface Choices {
  readonly dataset: readonly string[];
  readonly fusion: readonly string[];
  readonly method: readonly string[];
}

/** Settings shown at most; more are reached by choosing rows. */
const maxSettings = 60;

/** What there is to filter by. */
export function choicesOf(model: Model): Choices {
  const of = (name: "dataset" | "fusion" | "method") =>
    [...new Set(model.configurations.map(({ settings }) => String(settings[name])))].sort();
  return { dataset: of("dataset"), fusion: of("fusion"), method: of("method") };
}

function fits(configuration: Configuration, query: GridQuery): boolean {
  const one = (wanted: readonly string[], value: Setting) => wanted.length === 0 || wanted.includes(String(value));
  const { settings, counts } = configuration;
  const states = query.state.filter((state) => Object.hasOwn(counts, state)) as (keyof typeof counts)[];
  return one(query.dataset, settings.dataset) && one(query.fusion, settings.fusion) &&
    one(query.method, settings.method) &&
    (query.state.length === 0 || states.some((state) => counts[state] > 0));
}

type Key = number | string | null;

function sortKey(row: GridRow, key: string, measures: readonly Measure[]): Key {
  if (key === "name") return row.configuration.label;
  if (key === "rank") return row.result?.rank ?? null;
  if (key === "seeds") return row.configuration.counts.finished;
  const measure = measures.find((candidate) => candidate.key === key);
  if (measure !== undefined) return measured(row.configuration.runs, measure)?.mean ?? null;
  const setting = row.configuration.settings[key];
  return setting === undefined || setting === null ? null : typeof setting === "number" ? setting : String(setting);
}

/** What is absent comes last, whichever way. */
function compareKeys(a: Key, b: Key, sign: number): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
  if (typeof a === "number" && typeof b === "number") return sign * (a - b);
  return sign * (String(a) < String(b) ? -1 : String(a) > String(b) ? 1 : 0);
}

/**
 * Builds the grid that a query asks for. Ranks are among the rows that fit it, on the same data.
 *
 * @param options.allPages Hold the rows of all pages, as exports do. @default {false}
 */
export function gridOf(model: Model, query: GridQuery, options: { readonly allPages?: boolean } = {}): Grid {
  const modalities = [...new Set(model.configurations.flatMap((configuration) => configuration.modalities))].sort();
  const measures = measuresFor(modalities);
  const named = new Set(model.configurations.flatMap(({ settings }) => Object.keys(settings)));
  const search = readSearch(query.q, measures, named);
  const fitting = model.configurations.filter((configuration) =>
    fits(configuration, query) && search.meets(configuration)
  );
  const results = resultsOf(fitting);
  const rows = fitting.map((configuration): GridRow => ({
    configuration,
    result: results.get(configuration.id) ?? null,
    values: {},
  }));
  const descending = query.sort.startsWith("-");
  const key = descending ? query.sort.slice(1) : query.sort;
  const keys = new Map(rows.map((row) => [row, sortKey(row, key, measures)]));
  rows.sort((a, b) =>
    compareKeys(keys.get(a)!, keys.get(b)!, descending ? -1 : 1) ||
    compareKeys(a.configuration.label, b.configuration.label, 1)
  );
  const ordered = query.group === "none" ? [{ title: null, rows }] : groupsOf(rows, query.group);
  const shown = query.columns === null
    ? measures.filter(({ usual }) => usual)
    : measures.filter(({ key }) => query.columns!.includes(key));
  const names = query.settings === "none"
    ? []
    : query.settings === "all"
    ? [...new Set(fitting.flatMap(({ settings }) => Object.keys(settings)))]
    : differing(fitting.map(({ settings }) => settings));
  const pages = Math.max(1, Math.ceil(rows.length / pageRows));
  const page = Math.min(query.page, pages);
  return {
    query: { ...query, page },
    groups: (options.allPages === true ? ordered : pageOf(ordered, page)).map(({ title, rows: own }) => ({
      title,
      rows: own.map((row) => ({
        ...row,
        values: Object.fromEntries(shown.map((measure) => [
          measure.key,
          measured(row.configuration.runs, measure),
        ])),
      })),
    })),
    total: rows.length,
    pages,
    measures,
    shown,
    settings: names.slice(0, maxSettings),
    notes: [...rankNotes(fitting, results), ...settingNotes(names), ...search.notes],
    // Of an empty folder nothing is known that a query could name.
    problems: model.configurations.length === 0
      ? []
      : [...search.problems, ...problemsOf(model, query, measures, named)],
  };
}

/** Names in a query that stand for nothing. */
function problemsOf(
  model: Model,
  query: GridQuery,
  measures: readonly Measure[],
  named: ReadonlySet<string>,
): Refusal[] {
  const problems: Refusal[] = [];
  const key = query.sort.replace(/^-/, "");
  const exists = sortKeys.includes(key) || measures.some((measure) => measure.key === key) || named.has(key);
  if (!exists) {
    problems.push(unknown(`sort by ${quoted(key)}`, "a column", key, measures, [...sortKeys, ...named]));
  }
  for (const column of query.columns ?? []) {
    if (measures.some((measure) => measure.key === column)) continue;
    problems.push(unknown(`show column ${quoted(column)}`, "a measure", column, measures, []));
  }
  const offered = { ...choicesOf(model), state: states };
  for (const name of ["dataset", "fusion", "method", "state"] as const) {
    for (const value of query[name]) {
      if (offered[name].includes(value)) continue;
      problems.push(
        new Refusal({
          what: `show ${name} ${quoted(value)}`,
          must: "there must be one",
          found: `there are ${listed(offered[name])}`,
          hint: didYouMean(value, offered[name]),
        }),
      );
    }
  }
  return problems;
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 60));
}

/** Columns beside measures and settings. */
const sortKeys: readonly string[] = ["name", "rank", "seeds"];
/** States of runs that one can filter by. */
const states: readonly string[] = ["finished", "running", "failed", "interrupted"];

function groupsOf(rows: readonly GridRow[], by: "dataset" | "fusion" | "method"): { title: string; rows: GridRow[] }[] {
  const groups = new Map<string, GridRow[]>();
  for (const row of rows) {
    const name = String(row.configuration.settings[by]);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [row]);
    else group.push(row);
  }
  return [...groups].map(([name, own]) => ({ title: `${by} ${name}`, rows: own }));
}

function pageOf(groups: readonly GridGroup[], page: number): GridGroup[] {
  const from = (page - 1) * pageRows;
  let at = 0;
  return groups.flatMap(({ title, rows }) => {
    const start = at;
    at += rows.length;
    const own = rows.slice(Math.max(0, from - start), Math.max(0, from + pageRows - start));
    return own.length === 0 ? [] : [{ title, rows: own }];
  });
}

function settingNotes(names: readonly string[]): string[] {
  return names.length <= maxSettings
    ? []
    : [`Only ${maxSettings} of ${names.length} settings are shown; filter rows to see those that differ among them.`];
}

/** What the ranks of the given rows rest on. */
function rankNotes(fitting: readonly Configuration[], results: ReadonlyMap<string, ConfigurationResult>): string[] {
  const notes: string[] = [];
  if (results.size === 0) {
    if (fitting.length > 0) {
      notes.push("None of the runs shown has finished: accuracies and ranks come with the first that does.");
    }
    return notes;
  }
  const finished = fitting.map(({ counts }) => counts.finished).filter((count) => count > 0);
  if (finished.some((count) => count > 1)) {
    notes.push("Mean ± half width of the 95 % confidence interval over finished seeds (Student's t).");
  }
  const single = finished.filter((count) => count === 1).length;
  if (single > 0) {
    notes.push(
      `${single} of ${finished.length} with results rest on one finished seed: they have no interval, and no test can ` +
        `tell them from others; ${leastSeeds} seeds and more can be tested.`,
    );
  }
  const groups = comparableGroups(fitting).filter((group) => group.filter(({ id }) => results.has(id)).length > 1);
  for (const group of groups) {
    const own = group.filter(({ id }) => results.has(id));
    const where = groups.length === 1
      ? ""
      : `${String(own[0].settings.dataset)} (${String(own[0].settings["dataset.fingerprint"]).slice(0, 8)}): `;
    const best = own.find(({ id }) => results.get(id)!.best);
    const tests = `paired t-tests over common seeds, Holm-corrected for ${own.length - 1} comparison${
      own.length === 2 ? "" : "s"
    }, 5 %`;
    if (best !== undefined) {
      notes.push(`${where}★ marks the best of ${own.length} shown: ${best.label} (${tests}).`);
    } else if (own.filter(({ counts }) => counts.finished >= leastSeeds).length < 2) {
      // All share a rank that no test stands behind.
      notes.push(`${where}No configuration is marked best: a test needs two with ${leastSeeds} common seeds at least.`);
    } else {
      const tied = own.filter(({ id }) => results.get(id)!.rank === 1).length;
      notes.push(`${where}No configuration is marked best: ${tied} of ${own.length} shown share rank 1 (${tests}).`);
    }
  }
  return notes;
}

/** The grid as a table for export. */
export function gridTable(grid: Grid): Table {
  return {
    title: "Results",
    columns: [
      { title: "Rank", align: "right" },
      { title: "Configuration", align: "left" },
      { title: "Seeds", align: "left", raw: ["seeds finished", "seeds", "running", "failed", "interrupted"] },
      ...grid.shown.map((measure) => ({
        title: hasSpread(measure) ? `${measureTitle(measure)}` : measureTitle(measure),
        align: "right" as const,
        raw: rawTitles(measure),
      })),
      ...grid.settings.map((name) => ({ title: name, align: "left" as const })),
    ],
    rows: grid.groups.flatMap(({ rows }) =>
      rows.map(({ configuration, result, values }) => {
        const { counts, runs, label, settings } = configuration;
        return [
          cell(result?.rank ?? null, rankText(result ?? undefined)),
          { text: label, raw: [label], strong: result?.best ?? false },
          {
            text: stateText(configuration),
            raw: [counts.finished, runs.length, counts.running, counts.failed, counts.interrupted],
          },
          ...grid.shown.map((measure) =>
            measuredCell(measure, values[measure.key], measure.key === "accuracy" && result?.best === true)
          ),
          ...grid.settings.map((name) => cell(settings[name] ?? null, settingText(settings[name]))),
        ];
      })
    ),
    notes: grid.notes,
  };
}
