/**
 * The table of a grid in a terminal, and what must be known to read it.
 *
 * @module
 */
import type { ConfigurationResult } from "./results.ts";
import { leastSeeds } from "./statistics.ts";
import { leastWidth, type TextTable, textTable, wrapText } from "./text_table.ts";
import { differenceText, pText, versusSentence } from "./versus.ts";

/** A count to three digits with k, M, G or T. */
export function shortCount(count: number): string {
  const units = ["", "k", "M", "G", "T", "P"];
  let unit = 0;
  while (unit < units.length - 1 && count >= 999.5) {
    count /= 1000;
    unit++;
  }
  if (unit === 0) return String(Math.round(count));
  return `${count.toFixed(count < 9.995 ? 2 : count < 99.95 ? 1 : 0)} ${units[unit]}`;
}

const percent = (value: number): string => (100 * value).toFixed(1);

/** A column; one that says the same in every row may be left out of the table and said once below it. */
interface Column {
  readonly title: string;
  /** Columns of larger numbers are left out first where a terminal is too narrow; without one a column stays. */
  readonly spare?: number;
  readonly foldable?: boolean;
  of(result: ConfigurationResult): string;
}

/** Columns for the modalities that there are. */
function columnsFor(results: readonly ConfigurationResult[]): Column[] {
  const modalities = [...new Set(results.flatMap(({ perModality }) => Object.keys(perModality)))].sort();
  const references = [...new Set(results.flatMap(({ versus }) => versus?.reference ?? []))];
  const versus: Column[] = references.length === 0 ? [] : [
    // Over several data sets there is one on each.
    {
      title: `points over ${references.length === 1 ? references[0] : "the reference"}`,
      of: ({ versus }) => versus === null ? "reference" : differenceText(versus),
    },
    { title: "p", of: ({ versus }) => versus?.pHolm == null ? "-" : pText(versus.pHolm) },
    { title: "verdict", of: ({ versus }) => versus?.verdict ?? "-" },
    { title: "tied with best", of: ({ tied }) => tied ?? "-" },
  ];
  return [
    {
      title: "configuration",
      of: ({ label, best, readsLabels }) => `${label}${best ? " *" : ""}${readsLabels ? " (READS TEST LABELS)" : ""}`,
    },
    {
      title: "test acc. %",
      of: ({ testAccuracy: { mean, ci95 } }) => `${percent(mean)}${ci95 === null ? "" : ` ± ${percent(ci95)}`}`,
    },
    ...versus,
    ...modalities.map((modality): Column => ({
      title: `${modality} readout %`,
      spare: 2,
      of({ perModality }) {
        const own = perModality[modality];
        return own === undefined ? "-" : `${percent(own.accuracy)} (${percent(own.ablateMean)})`;
      },
    })),
    {
      title: "gap",
      spare: 3,
      of: ({ perModality, contributionGap }) => Object.keys(perModality).length < 2 ? "-" : contributionGap.toFixed(3),
    },
    { title: "samples drawn", spare: 4, foldable: true, of: ({ samplesDrawn }) => String(Math.round(samplesDrawn)) },
    { title: "epochs", spare: 5, foldable: true, of: ({ epochs }) => epochs.toFixed(epochs % 1 === 0 ? 0 : 1) },
    { title: "s/run", spare: 6, of: ({ seconds }) => seconds.toFixed(1) },
    { title: "ms/step", spare: 8, of: ({ stepMs }) => stepMs.toFixed(1) },
    { title: "params", spare: 7, foldable: true, of: ({ parameters }) => String(parameters) },
    {
      title: "mult-adds",
      spare: 9,
      foldable: true,
      of: ({ multiplyAdds }) => multiplyAdds === null ? "-" : shortCount(multiplyAdds),
    },
  ];
}

/** Whether a column says the same in each of several rows. */
function folds({ foldable, of }: Column, results: readonly ConfigurationResult[]): boolean {
  return foldable === true && results.length > 1 && results.every((result) => of(result) === of(results[0]));
}

/** How a table is laid out. */
export interface TableOptions {
  /** Characters of a line at most: columns that matter less are left out. @default {Infinity} */
  readonly width?: number;
}

/** Columns as they are shown, those said once below the table, and those left out. */
interface Layout {
  readonly shown: readonly { readonly column: Column; readonly cells: readonly string[] }[];
  readonly folded: readonly Column[];
  readonly leftOut: readonly Column[];
}

function layoutOf(results: readonly ConfigurationResult[], { width = Infinity }: TableOptions): Layout {
  const columns = columnsFor(results);
  const folded = columns.filter((column) => folds(column, results));
  let shown = columns.filter((column) => !folded.includes(column)).map((column) => ({
    column,
    cells: results.map((result) => column.of(result)),
  }));
  const leftOut: Column[] = [];
  const total = () => leastWidth(textOf(shown));
  const spare = ({ column }: typeof shown[number]) => column.spare ?? 0;
  while (total() > width && shown.some((own) => spare(own) > 0)) {
    const least = shown.reduce((found, own) => spare(own) >= spare(found) ? own : found);
    leftOut.unshift(least.column);
    shown = shown.filter((own) => own !== least);
  }
  return { shown, folded, leftOut };
}

function textOf(shown: Layout["shown"]): TextTable {
  return {
    columns: shown.map(({ column: { title } }, i) => ({ title, align: i === 0 ? "left" : "right" })),
    rows: (shown[0]?.cells ?? []).map((_, row) => shown.map(({ cells }) => ({ text: cells[row] }))),
  };
}

/** The table of a grid, aligned, for a terminal. Mean ± half width of the 95 % confidence interval. */
export function resultTable(results: readonly ConfigurationResult[], options: TableOptions = {}): string {
  const { shown } = layoutOf(results, options);
  return textTable(textOf(shown), options.width);
}

/** What a reader must know to read the table. */
export function tableNotes(
  results: readonly ConfigurationResult[],
  budget: string,
  options: TableOptions = {},
): string {
  const readouts = new Set(
    results.flatMap(({ perModality }) => Object.values(perModality).map(({ readout }) => readout)),
  );
  const seeds = new Set(results.flatMap((result) => result.seeds)).size;
  const { folded, leftOut } = layoutOf(results, options);
  const answer = answerOf(results);
  return [
    ...(answer === null ? [] : [`${answer}.`, ""]),
    ...(folded.length === 0
      ? []
      : [`All rows: ${folded.map(({ title, of }) => `${title} ${of(results[0])}`).join(", ")}.`]),
    ...(leftOut.length === 0
      ? []
      : [`Left out for the width of this terminal: ${leftOut.map(({ title }) => title).join(", ")}; --json has all.`]),
    `Mean ± 95 % CI over ${seeds} seed${seeds === 1 ? "" : "s"} (Student's t). Budget: ${budget}. Selected on ` +
    "validation, test read once.",
    `Readout: accuracy of a modality's own readout (${
      [...readouts].join(", ")
    }), in brackets with the other modalities ` +
    "at their training means. mult-adds: one sample's forward pass.",
    ...(results.length < 2 ? [] : [testNote(results, seeds)]),
    ...apartNotes(results),
    ...machineNotes(results),
  ].flatMap((note) => wrapText(note, options.width ?? Infinity)).join("\n");
}

/**
 * The answer to the table's question in one sentence: the row with the best mean against the reference, or, where the
 * reference is the best, the next. Over several data sets that for each.
 */
export function answerOf(results: readonly ConfigurationResult[]): string | null {
  const compared = results.filter(({ versus, readsLabels }) => versus !== null && !readsLabels);
  const tested = compared.filter(({ versus }) => versus!.verdict !== "untested");
  const bests = [...Map.groupBy(tested.length > 0 ? tested : compared, ({ versus }) => versus!.reference).values()]
    .map((own) => own.reduce((best, row) => row.testAccuracy.mean > best.testAccuracy.mean ? row : best));
  return bests.length === 0 ? null : bests.map(({ label, versus }) => versusSentence(label, versus!)).join("; ");
}

/** What the tests are, and what they say of the best. */
function testNote(results: readonly ConfigurationResult[], seeds: number): string {
  if (seeds < leastSeeds) {
    return `Nothing is tested: a test needs at least ${leastSeeds} common seeds.`;
  }
  const tests = "p: paired t-tests over seeds, Holm-corrected, at 5 %; intervals of differences are not corrected.";
  if (results.some(({ best }) => best)) return `${tests} * told apart from every other.`;
  const tied = results.filter(({ tied }) => tied === "yes").map(({ label }) => label);
  return tied.length < 2 ? tests : `${tests} Not told apart from the best: ${tied.join(", ")}.`;
}

/** Whether rows were trained on machines of several kinds, and which on which. */
function machineNotes(results: readonly ConfigurationResult[]): string[] {
  const kinds = [...new Set(results.flatMap(({ machines }) => machines))].sort();
  if (kinds.length < 2) return [];
  const rows = kinds.map((kind) =>
    `${kind}: ${results.filter(({ machines }) => machines.includes(kind)).map(({ label }) => label).join(", ")}`
  );
  return [
    `Trained on machines of ${kinds.length} kinds, which round differently, so that equal seeds are not equal runs: ${
      rows.join(" | ")
    }.`,
  ];
}

/** Which rows are compared among themselves alone. */
function apartNotes(results: readonly ConfigurationResult[]): string[] {
  const groups = [...new Set(results.map(({ group }) => group))];
  if (groups.length < 2) return [];
  const sets = groups.map((group) => results.filter((result) => result.group === group).map(({ label }) => label));
  return [
    `Rows with other data, encoders or budgets are not ranked together: ${
      sets.map((labels) => labels.join(", ")).join(" | ")
    }.`,
  ];
}
