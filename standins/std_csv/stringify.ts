/**
 * Stand-in for `jsr:@std/csv/stringify` over `csv-stringify`.
 *
 * @module
 */
import { stringify as stringifyRecords } from "npm:csv-stringify@^6/sync";

/** Where a column's value is found and what its header says. */
export interface ColumnDetails {
  /** @default the last accessor */
  header?: string;
  prop: string | number | readonly (string | number)[];
}

/** A column. */
export type Column = ColumnDetails | string | number | readonly (string | number)[];

/** A row: an object or an array. */
export type DataItem = Readonly<Record<string, unknown>> | readonly unknown[];

/** Options of `stringify`. */
export interface StringifyOptions {
  /** Whether there is a line of headers. @default {true} */
  headers?: boolean;
  /** Between values. @default {","} */
  separator?: string;
  /** What becomes a column; needed where rows are objects. */
  columns?: readonly Column[];
  /** Whether the text starts with a byte-order mark, for spreadsheets. @default {false} */
  bom?: boolean;
}

/** The error of `stringify`. */
export class StringifyError extends Error {
  override readonly name = "StringifyError";
}

function details(column: Column): { header: string; path: readonly (string | number)[] } {
  const named = typeof column === "object" && "prop" in column ? column : { prop: column };
  const path = typeof named.prop === "object" ? named.prop : [named.prop];
  return { header: (named as ColumnDetails).header ?? String(path[path.length - 1]), path };
}

function valueAt(item: DataItem, path: readonly (string | number)[]): unknown {
  let value: unknown = item;
  for (const key of path) {
    if (typeof value !== "object" || value === null) continue;
    if (Array.isArray(value) && typeof key !== "number") {
      throw new StringifyError('Property accessor is not of type "number"');
    }
    value = (value as Record<string | number, unknown>)[key];
  }
  return value;
}

function cell(value: unknown): string {
  if (value === undefined || value === null) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/**
 * Writes rows as CSV with CRLF line ends.
 *
 * @throws {StringifyError} If the separator is not usable or an object comes without `columns`.
 */
export function stringify(data: readonly DataItem[], options: StringifyOptions = {}): string {
  const { headers = true, separator = ",", bom = false } = options;
  if (separator.includes('"') || separator.includes("\r\n")) {
    throw new StringifyError("Separator cannot include a quotation mark or a line end");
  }
  const columns = (options.columns ?? []).map(details);
  const rows = data.map((item) => {
    if (columns.length > 0) return columns.map(({ path }) => cell(valueAt(item, path)));
    if (!Array.isArray(item)) throw new StringifyError("No property accessor function was provided for object");
    return item.map(cell);
  });
  if (headers) rows.unshift(columns.map(({ header }) => header));
  // Node's writer leaves values with a bare "\n" unquoted where the record delimiter is CRLF, so it is told to quote.
  return stringifyRecords(rows, {
    bom,
    delimiter: separator,
    record_delimiter: "windows",
    quoted_match: /[\n\r]/,
  });
}
