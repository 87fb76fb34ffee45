/**
 * Measured beside printed: what of a paper's table comes out in order and in sign.
 *
 * @module
 */
import type { CellRequest, GridProfile, Printed, PrintedColumn } from "../core/kinds/mod.ts";
import type { FinishedRun } from "./results.ts";
import { type BySeed, type Interval, interval } from "./statistics.ts";
import { type Versus, versusReference } from "./versus.ts";

/** Whether a difference from the reference has the printed sign; open where the test does not tell. */
export type SignVerdict = "agrees" | "disagrees" | "open";

/** A subject in a column. */
export interface ReproducedRow {
  readonly subject: string;
  /** Percent; `null` where the paper has no such row. */
  readonly printed: number | null;
  /** Points over the reference, as printed. */
  readonly printedDifference: number | null;
  /** Shares; `null` without a finished run. */
  readonly measured: Interval | null;
  /** The measured difference; `null` of the reference itself. */
  readonly versus: Versus | null;
  /** `null` where one of the two is missing. */
  readonly sign: SignVerdict | null;
}

/** A column of a table, measured beside printed. */
export interface ReproducedColumn {
  /** As printed. */
  readonly data: string;
  readonly modality: string | null;
  /** What it was measured on. */
  readonly measuredOn: string;
  readonly reference: string;
  readonly rows: readonly ReproducedRow[];
  /** Pairs of printed rows whose measured means stand in the printed order, of all that are measured, and equal in neither. */
  readonly order: { readonly agree: number; readonly pairs: number };
}

/** What a column is measured on: the cells' name of the data, and the modality there. */
interface Place {
  readonly data: string;
  readonly modality: string | null;
}

/** Where a column is measured in a profile; `null` if nothing stands for it. */
function placeOf({ data, modality, standsFor }: PrintedColumn, profile: GridProfile): Place | null {
  const found = Object.entries(profile.standsFor).find(([, printed]) => printed === data)?.[0];
  if (found === undefined) return null;
  if (modality === undefined) return { data: found, modality: null };
  const own = standsFor?.[found];
  return own === undefined ? null : { data: found, modality: own };
}

/** What a cell is in its profile. */
function subjectOf({ label, across }: Pick<CellRequest, "label" | "across">, profile: GridProfile) {
  return across ?? { subject: label, data: Object.keys(profile.standsFor)[0] };
}

/**
 * Puts the runs of a profile beside the printed table.
 *
 * @param finished Runs by the labels of the profile's cells.
 * @returns A column for each printed one that something stands for; where nothing is printed, one for each data set.
 */
export function reproduced(
  printed: Printed,
  profile: GridProfile,
  finished: readonly FinishedRun[],
): ReproducedColumn[] {
  const known = printed.columns.length > 0
    ? printed.columns
    : Object.values(profile.standsFor).map((data): PrintedColumn => ({ data, values: {} }));
  return known.flatMap((column) => {
    const place = placeOf(column, profile);
    if (place === null) return [];
    const subjects = profile.cells.map((cell) => ({ label: cell.label, ...subjectOf(cell, profile) }))
      .filter(({ data }) => data === place.data);
    return [columnOf(printed.reference, column, place, subjects, finished)];
  });
}

/** What of a printed table nothing in a profile stands for. */
export interface Uncovered {
  /** Columns: the data, with the modality where it is of one. */
  readonly columns: readonly string[];
  /** Rows, by the data that they are not measured on. */
  readonly rows: readonly { readonly measuredOn: string; readonly subjects: readonly string[] }[];
}

/** Columns that nothing stands for in a profile, and printed rows that have no configuration on what does. */
export function uncovered(printed: Printed, profile: GridProfile): Uncovered {
  const rows = new Map<string, Set<string>>();
  const columns: string[] = [];
  for (const column of printed.columns) {
    const place = placeOf(column, profile);
    if (place === null) {
      columns.push(column.modality === undefined ? column.data : `${column.data} ${column.modality}`);
      continue;
    }
    const known = new Set(
      profile.cells.map((cell) => subjectOf(cell, profile)).filter(({ data }) => data === place.data)
        .map(({ subject }) => subject),
    );
    const lacking = Object.keys(column.values).filter((subject) => !known.has(subject));
    for (const subject of lacking) rows.set(place.data, (rows.get(place.data) ?? new Set()).add(subject));
  }
  return { columns, rows: [...rows].map(([measuredOn, subjects]) => ({ measuredOn, subjects: [...subjects] })) };
}

function columnOf(
  reference: string,
  column: PrintedColumn,
  { data, modality }: Place,
  subjects: readonly { readonly label: string; readonly subject: string }[],
  finished: readonly FinishedRun[],
): ReproducedColumn {
  const measured = new Map(subjects.map(({ label, subject }) => {
    const runs = finished.filter((run) => run.label === label);
    const values: BySeed = Object.fromEntries(runs.map(({ seed, summary: { test } }) => [
      seed,
      modality === null ? test.accuracy : test.perModality[modality].accuracy,
    ]));
    return [subject, values];
  }));
  const values = measured.get(reference) ?? {};
  const others = subjects.filter(({ subject }) => subject !== reference);
  const versus = versusReference(
    { label: reference, values },
    others.map(({ subject }) => ({ label: subject, values: measured.get(subject)!, apart: null })),
  );
  // What is printed and has no cell on this data stands in the table all the same.
  const names = new Set([...subjects.map(({ subject }) => subject), ...Object.keys(column.values)]);
  const rows = [...names].map((subject): ReproducedRow => {
    const own = column.values[subject] ?? null;
    const base = column.values[reference] ?? null;
    const printedDifference = own === null || base === null || subject === reference ? null : own - base;
    const tested = versus[others.findIndex((other) => other.subject === subject)] ?? null;
    const found = Object.values(measured.get(subject) ?? {});
    return {
      subject,
      printed: own,
      printedDifference,
      measured: found.length === 0 ? null : interval(found),
      versus: tested,
      sign: printedDifference === null || tested === null || tested.difference === null
        ? null
        : signOf(printedDifference, tested),
    };
  });
  return {
    data: column.data,
    modality: column.modality ?? null,
    measuredOn: modality === null ? data : `${data}, ${modality}`,
    reference,
    rows,
    order: orderOf(rows),
  };
}

function signOf(printed: number, { verdict }: Versus): SignVerdict {
  if (verdict !== "better" && verdict !== "worse") return "open";
  return (verdict === "better") === (printed > 0) ? "agrees" : "disagrees";
}

function orderOf(rows: readonly ReproducedRow[]): ReproducedColumn["order"] {
  const both = rows.filter(({ printed, measured }) => printed !== null && measured !== null);
  let [agree, pairs] = [0, 0];
  both.forEach((a, i) => {
    for (const b of both.slice(i + 1)) {
      const printed = Math.sign(a.printed! - b.printed!);
      const measured = Math.sign(a.measured!.mean - b.measured!.mean);
      if (printed === 0 || measured === 0) continue;
      pairs++;
      if (measured === printed) agree++;
    }
  });
  return { agree, pairs };
}

/** One sentence on a column: what agrees in sign and in order. */
export function reproducedSentence(column: ReproducedColumn): string {
  const where = `${column.data}${column.modality === null ? "" : ` ${column.modality}`} (${column.measuredOn})`;
  const signs = column.rows.flatMap(({ sign }) => sign ?? []);
  if (signs.length === 0) return `${where}: nothing printed to compare with`;
  const count = (wanted: SignVerdict) => signs.filter((sign) => sign === wanted).length;
  const { agree, pairs } = column.order;
  return `${where}: of ${signs.length} printed difference${signs.length === 1 ? "" : "s"} to ${column.reference}, ` +
    `${count("agrees")} shown with the printed sign, ${count("disagrees")} with the other, ${
      count("open")
    } not shown; ` +
    (pairs === 0
      ? "no pair to order"
      : `${agree} of ${pairs} pairs in the printed order (${Math.round(100 * agree / pairs)} %; by chance 50 %)`);
}
