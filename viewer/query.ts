/**
 * What a view shows is said by its URL alone: reading and writing it.
 *
 * @module
 */
import { Refusal } from "../core/refusal.ts";

/** What the grid shows. */
export interface GridQuery {
  /** Words and conditions that every row must meet. */
  readonly q: string;
  readonly dataset: readonly string[];
  readonly fusion: readonly string[];
  readonly method: readonly string[];
  /** Rows with a run in one of these states. */
  readonly state: readonly string[];
  /** Name of the experiment, `all` for all runs, or `null` for the one that was written last. */
  readonly experiment: string | null;
  /** Key of a column, with `-` before it for descending; `null` for the usual order. */
  readonly sort: string | null;
  readonly group: "none" | "dataset" | "fusion" | "method";
  /** `differing`: settings that are not the same in all rows; `all`; `none`. */
  readonly settings: "differing" | "all" | "none";
  /** Keys of chosen measures, or `null` for the usual ones. */
  readonly columns: readonly string[] | null;
  /** Configurations whose seeds are shown. */
  readonly open: readonly string[];
  /** Id or name of the configuration that others are compared with; `null` for the usual one. */
  readonly reference: string | null;
  /** From 1. */
  readonly page: number;
}

/** What the comparison shows. */
export interface CompareQuery {
  /** Configurations, by id. */
  readonly c: readonly string[];
  /** Single runs, by id. */
  readonly r: readonly string[];
  /** Measures drawn; one that ends with `*` stands for all that begin so. */
  readonly metric: readonly string[];
  /** Weight of the exponential moving average; 0 is none. */
  readonly smooth: number;
  readonly x: "epoch" | "samples";
  /** `log`: a logarithmic axis of values, where all are above 0. */
  readonly y: "linear" | "log";
  /** Ends of what is drawn, in the unit of `x`; `null`: all. */
  readonly from: number | null;
  readonly to: number | null;
  /** Experiment whose rows name the configurations; else their settings do. */
  readonly experiment: string | null;
  /** What the others are tested against: id of a configuration; else the first. */
  readonly reference: string | null;
}

/** What the page of samples shows. */
export interface SamplesQuery {
  /** Id of the run; `null`: the first that finished. */
  readonly run: string | null;
  readonly split: "test" | "validation";
  /** Index of the true class, of the predicted one; `null`: any. */
  readonly truth: number | null;
  readonly predicted: number | null;
  /** Readouts that are right, and that are wrong. */
  readonly right: readonly string[];
  readonly wrong: readonly string[];
  /** Id of a run that is one more readout. */
  readonly other: string | null;
  /** Only samples whose contributions were kept over all epochs. */
  readonly followed: boolean;
  /** Largest loss first, least first (`easy`), largest gap of contributions first, or by place. */
  readonly sort: "loss" | "easy" | "gap" | "place";
  /** From 1. */
  readonly page: number;
}

/** What the page of features shows. */
export interface FeaturesQuery {
  /** Ids of the two runs; `null`: the first that kept some. */
  readonly a: string | null;
  readonly b: string | null;
  /** `fused`, or a modality. */
  readonly of: string;
}

/** Rows of a page. */
export const pageRows = 100;
/** Things compared at most, the first that were chosen: more lines cannot be told apart. */
export const maxCompared = 12;
/** Values of one list in a URL. */
const maxValues = 200;
/** Characters of one value in a URL. */
const maxValueLength = 500;

/** Query of a bare address. */
export const plainGrid: GridQuery = {
  experiment: null,
  q: "",
  dataset: [],
  fusion: [],
  method: [],
  state: [],
  sort: null,
  group: "none",
  settings: "differing",
  columns: null,
  open: [],
  reference: null,
  page: 1,
};

/** Comparison of nothing yet. */
export const plainCompare: CompareQuery = {
  c: [],
  r: [],
  metric: ["validation.accuracy", "validation.accuracy:*", "gap"],
  smooth: 0,
  x: "epoch",
  y: "linear",
  from: null,
  to: null,
  experiment: null,
  reference: null,
};

/** Samples as they are shown first. */
export const plainSamples: SamplesQuery = {
  run: null,
  split: "test",
  truth: null,
  predicted: null,
  right: [],
  wrong: [],
  other: null,
  followed: false,
  sort: "loss",
  page: 1,
};

/** Features as they are shown first. */
export const plainFeatures: FeaturesQuery = { a: null, b: null, of: "fused" };

/** Sets of measures that are offered by name; "Fig." is of the paper of ARM (AAAI 2025). */
export const presets: readonly (readonly [name: string, metric: readonly string[]])[] = [
  ["accuracy by modality and gap", plainCompare.metric],
  ["Fig. 1: modalities beside the whole", ["validation.accuracy", "validation.accuracy:*"]],
  ["Fig. 3: gap", ["gap"]],
  ["Fig. 4: joint contribution", ["joint"]],
  ["Fig. 5: losses of ARM", ["loss.phiMI", "loss.phiCMI"]],
  ["Fig. 6: recall by class", ["recall:*"]],
  ["losses", ["loss.*", "validation.loss"]],
  ["contributions", ["phi:*", "joint", "gap"]],
  ["information", ["nmi:*", "gap"]],
  ["what methods report", ["method.*"]],
];

/** Whether measures that were asked for hold one. */
export function asksFor(metric: readonly string[], key: string): boolean {
  return metric.some((own) => own.endsWith("*") ? key.startsWith(own.slice(0, -1)) : own === key);
}

function listOf(params: URLSearchParams, name: string): string[] {
  const values = params.getAll(name).flatMap((value) => name === "q" ? [value] : value.split(",")).filter((value) =>
    value !== ""
  );
  if (values.length > maxValues) {
    throw invalid(name, `it must have at most ${maxValues} values`, String(values.length));
  }
  return [...new Set(values)].map((value) => bounded(name, value));
}

function bounded(name: string, value: string): string {
  if (value.length <= maxValueLength) return value;
  throw invalid(name, `it must have at most ${maxValueLength} characters`, String(value.length));
}

function invalid(name: string, must: string, found: string): Refusal {
  return new Refusal({ what: `use "${name}"`, must, found: `found ${found}` });
}

function choice<T extends string>(params: URLSearchParams, name: string, choices: readonly T[], usual: T): T {
  const value = params.get(name);
  if (value === null || value === "") return usual;
  const found = choices.find((candidate) => candidate === value);
  if (found === undefined) {
    throw invalid(name, `it must be one of ${choices.join(", ")}`, quoted(value));
  }
  return found;
}

function quoted(value: string): string {
  return JSON.stringify(value.slice(0, 40));
}

function numberOf(params: URLSearchParams, name: string, usual: number, least: number, most: number): number {
  const text = params.get(name);
  if (text === null || text === "") return usual;
  const value = Number(text);
  if (!(value >= least && value <= most)) {
    throw invalid(name, `it must be within ${least}..${most}`, quoted(text));
  }
  return value;
}

/** An end of what is drawn; `null` where there is none. */
function endOf(params: URLSearchParams, name: string): number | null {
  const text = params.get(name);
  return text === null || text === "" ? null : numberOf(params, name, 0, 0, 1e12);
}

/** A value that may be absent or empty. */
function textOf(params: URLSearchParams, name: string): string | null {
  const value = params.get(name);
  return value === null || value === "" ? null : bounded(name, value);
}

/** Reads a grid's query; what it does not know is left out. @throws {Refusal} If a value is not valid. */
export function parseGrid(params: URLSearchParams): GridQuery {
  const columns = params.has("columns") ? listOf(params, "columns") : null;
  return {
    experiment: textOf(params, "experiment"),
    q: bounded("q", params.get("q") ?? "").trim(),
    dataset: listOf(params, "dataset"),
    fusion: listOf(params, "fusion"),
    method: listOf(params, "method"),
    state: listOf(params, "state"),
    sort: textOf(params, "sort"),
    group: choice(params, "group", ["none", "dataset", "fusion", "method"], plainGrid.group),
    settings: choice(params, "settings", ["differing", "all", "none"], plainGrid.settings),
    columns,
    open: listOf(params, "open"),
    reference: textOf(params, "reference"),
    page: Math.floor(numberOf(params, "page", 1, 1, 1e6)),
  };
}

/** Reads a comparison's query. @throws {Refusal} If a value is not valid. */
export function parseCompare(params: URLSearchParams): CompareQuery {
  const metric = listOf(params, "metric");
  return {
    c: listOf(params, "c"),
    r: listOf(params, "r"),
    metric: metric.length === 0 ? plainCompare.metric : metric,
    smooth: numberOf(params, "smooth", 0, 0, 0.99),
    x: choice(params, "x", ["epoch", "samples"], plainCompare.x),
    y: choice(params, "y", ["linear", "log"], plainCompare.y),
    from: endOf(params, "from"),
    to: endOf(params, "to"),
    reference: textOf(params, "reference"),
    experiment: textOf(params, "experiment"),
  };
}

/** Reads what is asked of samples. @throws {Refusal} If a value is not valid. */
export function parseSamples(params: URLSearchParams): SamplesQuery {
  const index = (name: string) => {
    const value = endOf(params, name);
    return value === null ? null : Math.floor(value);
  };
  return {
    run: textOf(params, "run"),
    split: choice(params, "split", ["test", "validation"], plainSamples.split),
    truth: index("truth"),
    predicted: index("predicted"),
    right: listOf(params, "right"),
    wrong: listOf(params, "wrong"),
    other: textOf(params, "other"),
    followed: choice(params, "followed", ["true", "false"], "false") === "true",
    sort: choice(params, "sort", ["loss", "easy", "gap", "place"], plainSamples.sort),
    page: Math.floor(numberOf(params, "page", 1, 1, 1e6)),
  };
}

/** Reads what is asked of features. @throws {Refusal} If a value is not valid. */
export function parseFeatures(params: URLSearchParams): FeaturesQuery {
  return { a: textOf(params, "a"), b: textOf(params, "b"), of: textOf(params, "of") ?? plainFeatures.of };
}

/** A query as the text after `?`, without what is usual, always in the same order. */
export function searchOf<T extends GridQuery | CompareQuery | SamplesQuery | FeaturesQuery>(
  query: T,
  usual: T,
): string {
  const params = new URLSearchParams();
  for (const key of Object.keys(usual) as (keyof T & string)[]) {
    const value = query[key] as unknown;
    if (JSON.stringify(value) === JSON.stringify(usual[key])) continue;
    if (Array.isArray(value)) params.set(key, value.join(","));
    else params.set(key, String(value));
  }
  // Commas may stand in a query as they are, and a list is easier to read so.
  return params.toString().replaceAll("%2C", ",");
}

/** Address of a grid. */
export function gridUrl(query: GridQuery, changes: Partial<GridQuery> = {}, path: string = "/"): string {
  const search = searchOf({ ...query, ...changes }, plainGrid);
  return search === "" ? path : `${path}?${search}`;
}

/** Address of a comparison. */
export function compareUrl(
  query: CompareQuery,
  changes: Partial<CompareQuery> = {},
  path: string = "/compare",
): string {
  const search = searchOf({ ...query, ...changes }, plainCompare);
  return search === "" ? path : `${path}?${search}`;
}

/** Address of samples. */
export function samplesUrl(
  query: SamplesQuery,
  changes: Partial<SamplesQuery> = {},
  path: string = "/samples",
): string {
  const search = searchOf({ ...query, ...changes }, plainSamples);
  return search === "" ? path : `${path}?${search}`;
}

/** Address of features. */
export function featuresUrl(
  query: FeaturesQuery,
  changes: Partial<FeaturesQuery> = {},
  path: string = "/features",
): string {
  const search = searchOf({ ...query, ...changes }, plainFeatures);
  return search === "" ? path : `${path}?${search}`;
}
