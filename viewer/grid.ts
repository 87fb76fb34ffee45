/**
 * The grid: configurations filtered, ranked, sorted and grouped as a query says.
 *
 * @module
 */
import { Refusal } from "../core/refusal.ts";
import { didYouMean } from "../core/suggest.ts";
import type { ConfigurationResult } from "../experiments/results.ts";
import type { Experiment } from "../core/record.ts";
import { answerOf } from "../experiments/table.ts";
import { type Configuration, type Model, resultsIn } from "./configurations.ts";
import { configurationsOf, everything, experimentOf } from "./experiment.ts";
import { gridNotes } from "./grid_notes.ts";
import { type Measure, type Measured, measured, measuresFor } from "./measures.ts";
import { type GridQuery, pageRows } from "./query.ts";
import { listed, readSearch, unknown } from "./search.ts";
import { differing, type Setting } from "./settings.ts";

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
  /** Key of the column by which rows are sorted, `-` before it: descending. */
  readonly sort: string;
  /** Whose rows are shown; `null` for all runs. */
  readonly experiment: Experiment | null;
  /** What others are compared with; `null` where nothing suits. */
  readonly reference: Configuration | null;
  /** The answer in one sentence: the best row against the reference; `null` where there is nothing to compare. */
  readonly answer: string | null;
  readonly groups: readonly GridGroup[];
  /** Rows that fit the query, on this page and others. */
  readonly total: number;
  readonly pages: number;
  /** All measures that may be chosen. */
  readonly measures: readonly Measure[];
  readonly shown: readonly Measure[];
  /** Names of the settings that are shown. */
  readonly settings: readonly string[];
  /** Settings that are the same in all rows, in words. */
  readonly constant: readonly (readonly [string, Setting])[];
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
/** Measures shown at most: a model of a hundred modalities has as many readouts. */
const maxColumns = 60;

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

function sortKey(row: GridRow, key: string, measures: readonly Measure[], place: number): Key {
  if (key === "name") return row.configuration.label;
  if (key === "planned") return place;
  if (key === "tied") return row.result?.tied ?? null;
  if (key === "difference") return row.result?.versus?.difference ?? null;
  if (key === "verdict") return row.result?.versus?.verdict ?? null;
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

/** Rows sorted as asked: as planned in an experiment, else by accuracy. */
function sorted(rows: readonly GridRow[], sort: string, measures: readonly Measure[]): GridRow[] {
  const descending = sort.startsWith("-");
  const key = descending ? sort.slice(1) : sort;
  const keys = new Map(rows.map((row, place) => [row, sortKey(row, key, measures, place)]));
  return [...rows].sort((a, b) =>
    compareKeys(keys.get(a)!, keys.get(b)!, descending ? -1 : 1) ||
    (key === "planned" ? 0 : compareKeys(a.configuration.label, b.configuration.label, 1))
  );
}

/**
 * What others are compared with: the configuration that the query names, by id or name; else the experiment's reference;
 * else plain training of most modalities, of several that of most finished seeds, then the first by name.
 */
export function referenceOf(
  query: Pick<GridQuery, "reference">,
  experiment: Experiment | null,
  all: readonly Configuration[],
): Configuration | null {
  const named = (name: string) => all.find(({ id, label }) => id === name || label === name) ?? null;
  if (query.reference !== null) return named(query.reference);
  if (experiment !== null) return named(experiment.reference);
  const plain = all.filter(({ settings, counts }) => settings.method === "none" && counts.finished > 0);
  return plain.sort((a, b) =>
    b.modalities.length - a.modalities.length || b.counts.finished - a.counts.finished ||
    (a.label < b.label ? -1 : 1)
  )[0] ?? null;
}

/** Results of the rows shown: the best is among them, the reference need not be. */
function comparedOf(
  model: Model,
  experiment: string | null,
  fitting: readonly Configuration[],
  reference: Configuration | null,
): Map<string, ConfigurationResult> {
  const results = resultsIn(model, experiment, fitting, reference?.id ?? null);
  if (reference === null || fitting.includes(reference)) return results;
  const beside = resultsIn(model, experiment, [...fitting, reference], reference.id);
  return new Map([...results].map(([id, result]) => [id, { ...result, versus: beside.get(id)!.versus }]));
}

/** Settings of which all configurations have one value, where there are several. */
function constantOf(configurations: readonly Configuration[]): [string, Setting][] {
  const known = configurations.filter(({ runs }) => runs.length > 0).map(({ settings }) => settings);
  const different = new Set(differing(known));
  const values = new Map(known.flatMap((settings) => Object.entries(settings)));
  return [...values].filter(([name]) => !different.has(name));
}

/**
 * Builds the grid that a query asks for. Rows are compared among those that fit it, with the same data, encoders and budget.
 *
 * @param options.allPages Hold the rows of all pages, as exports do. @default {false}
 */
export function gridOf(model: Model, query: GridQuery, options: { readonly allPages?: boolean } = {}): Grid {
  const experiment = experimentOf(model, query.experiment);
  const all = experiment === null ? model.configurations : givenOf(configurationsOf(model, experiment), experiment);
  const measures = measuresFor([...new Set(all.flatMap(({ modalities }) => modalities))].sort());
  const names = new Set(all.flatMap(({ settings }) => Object.keys(settings)));
  const search = readSearch(query.q, measures, names);
  const fitting = all.filter((configuration) => fits(configuration, query) && search.meets(configuration));
  const reference = referenceOf(query, experiment, all);
  const results = comparedOf(model, experiment?.name ?? null, fitting, reference);
  const bare = fitting.map((configuration): GridRow => ({
    configuration,
    result: results.get(configuration.id) ?? null,
    values: {},
  }));
  const sort = query.sort ?? (experiment === null ? "-accuracy" : "planned");
  const rows = sorted(bare, sort, measures);
  const shown =
    (query.columns === null
      ? measures.filter(({ usual }) => usual)
      : measures.filter(({ key }) => query.columns!.includes(key))).slice(0, maxColumns);
  const settings = query.settings === "none"
    ? []
    : query.settings === "all"
    ? [...new Set(fitting.flatMap(({ settings }) => Object.keys(settings)))]
    : differing(fitting.map(({ settings }) => settings));
  const pages = Math.max(1, Math.ceil(rows.length / pageRows));
  const page = Math.min(query.page, pages);
  const ordered = query.group === "none" ? [{ title: null, rows }] : groupsOf(rows, query.group);
  const compared = fitting.flatMap(({ id }) => results.get(id) ?? []);
  return {
    query: { ...query, page },
    sort,
    experiment,
    reference,
    answer: answerOf(compared),
    groups: (options.allPages === true ? ordered : pageOf(ordered, page)).map(({ title, rows: own }) => ({
      title,
      rows: own.map((row) => ({
        ...row,
        values: Object.fromEntries(shown.map((measure) => [measure.key, measured(row.configuration.runs, measure)])),
      })),
    })),
    total: rows.length,
    pages,
    measures,
    shown,
    settings: settings.slice(0, maxSettings),
    constant: constantOf(fitting),
    notes: [
      ...gridNotes(fitting, compared),
      ...settingNotes(settings),
      ...search.notes,
      ...outsideNotes(model, experiment),
      ...trialNotes(experiment),
    ],
    // Of an empty folder nothing is known that a query could name.
    problems: model.configurations.length === 0
      ? []
      : [...search.problems, ...problemsOf(model, all, query, measures, names)],
  };
}

/** Configurations that are no trials: the best of many trials by test would be an answer that nobody may give. */
function givenOf(configurations: readonly Configuration[], { tuning }: Experiment): readonly Configuration[] {
  if (tuning === undefined) return configurations;
  const given = new Set(tuning.rows.map(({ label }) => label));
  return configurations.filter(({ label }) => given.has(label));
}

/** Where the trials of a tuning are. */
function trialNotes(experiment: Experiment | null): string[] {
  const trials = experiment?.tuning?.rows.reduce((sum, row) => sum + row.trials.length, 0) ?? 0;
  if (trials === 0) return [];
  return [
    `${trials} trial${
      trials === 1 ? " is" : "s are"
    } no rows here: each study chooses among its own on validation, and ` +
    "the tuned rows stand beside these on the page of the tuning.",
  ];
}

/** How many configurations no row of the experiment shows. */
function outsideNotes(model: Model, experiment: Experiment | null): string[] {
  if (experiment === null) return [];
  const inside = new Set(experiment.rows.map(({ configuration }) => configuration));
  const outside = model.configurations.filter(({ id }) => !inside.has(id)).length;
  if (outside === 0) return [];
  return [
    `${outside} more configuration${outside === 1 ? " is" : "s are"} in this folder: choose all runs to see them.`,
  ];
}

/** Names in a query that stand for nothing. */
function problemsOf(
  model: Model,
  all: readonly Configuration[],
  query: GridQuery,
  measures: readonly Measure[],
  named: ReadonlySet<string>,
): Refusal[] {
  const problems: Refusal[] = [];
  const key = (query.sort ?? "name").replace(/^-/, "");
  const exists = sortKeys.includes(key) || measures.some((measure) => measure.key === key) || named.has(key);
  if (!exists) {
    problems.push(unknown(`sort by ${quoted(key)}`, "a column", key, measures, [...sortKeys, ...named]));
  }
  const asked = query.experiment;
  if (asked !== null && asked !== everything && !model.experiments.some(({ name }) => name === asked)) {
    problems.push(none("experiment", asked, [...model.experiments.map(({ name }) => name), everything]));
  }
  if (query.reference !== null && !all.some(({ id, label }) => id === query.reference || label === query.reference)) {
    problems.push(none("reference", query.reference, all.map(({ label }) => label)));
  }
  for (const column of query.columns ?? []) {
    if (measures.some((measure) => measure.key === column)) continue;
    problems.push(unknown(`show column ${quoted(column)}`, "a measure", column, measures, []));
  }
  const offered = { ...choicesOf(model), state: states };
  for (const name of ["dataset", "fusion", "method", "state"] as const) {
    for (const value of query[name]) {
      if (!offered[name].includes(value)) problems.push(none(name, value, offered[name]));
    }
  }
  return problems;
}

/** That nothing of a kind has a name, with the names that there are. */
function none(kind: string, name: string, names: readonly string[]): Refusal {
  return new Refusal({
    what: `show ${kind} ${quoted(name)}`,
    must: "there must be one",
    found: `there are ${listed(names)}`,
    hint: didYouMean(name, names),
  });
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 60));
}

/** Columns beside measures and settings. */
const sortKeys: readonly string[] = ["planned", "name", "tied", "seeds", "difference", "verdict"];
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
