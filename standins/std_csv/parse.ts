/**
 * Stand-in for `jsr:@std/csv/parse` over `csv-parse`.
 *
 * @module
 */
import { type CsvError, parse as parseRecords } from "npm:csv-parse@^7/sync";

/** Options of `parse`. */
export interface ParseOptions {
  /** Between values. @default {","} */
  separator?: string;
  /** Lines that start with this character are left out. */
  comment?: string;
  /** Whether leading white space of a value is removed. @default {false} */
  trimLeadingSpace?: boolean;
  /** Positive: each record has so many values; 0: as many as the first; negative or absent: any number. */
  fieldsPerRecord?: number;
  /** Whether the first line is left out, or names the columns where `columns` is not given. @default {false} */
  skipFirstRow?: boolean;
  /** Names of the columns; rows become objects. */
  columns?: readonly string[];
}

/** A row by column name. */
export type RecordWithColumn<C extends string> = C extends string
  ? string extends C ? Record<string, string | undefined> : Record<C, string>
  : never;

/** What `parse` returns: arrays, or objects where columns are named. */
export type ParseResult<T> = T extends { columns: readonly (infer C extends string)[] } ? RecordWithColumn<C>[]
  : T extends { skipFirstRow: true } ? Record<string, string | undefined>[]
  : T extends { skipFirstRow: boolean } ? (string[] | Record<string, string | undefined>)[]
  : string[][];

/** Reads CSV text into rows. @throws {SyntaxError} If quotes or numbers of values are wrong. */
export function parse(input: string): string[][];
/** Reads CSV text into rows. @throws {SyntaxError} If quotes or numbers of values are wrong. */
export function parse<const T extends ParseOptions>(input: string, options: T): ParseResult<T>;
export function parse(input: string, options: ParseOptions = {}): unknown {
  let rows: string[][];
  try {
    rows = parseRecords(input, {
      bom: true,
      delimiter: options.separator ?? ",",
      comment: options.comment ?? "",
      comment_no_infix: true,
      ltrim: options.trimLeadingSpace ?? false,
      record_delimiter: ["\r\n", "\n"],
      relax_column_count: true,
      skip_empty_lines: true,
    }) as string[][];
  } catch (error) {
    if ((error as CsvError).code?.startsWith("CSV_")) throw new SyntaxError((error as Error).message, { cause: error });
    throw error;
  }
  const wanted = options.fieldsPerRecord === 0 ? rows[0]?.length : options.fieldsPerRecord;
  if (wanted !== undefined && wanted > 0) {
    rows.forEach((row, i) => {
      if (row.length !== wanted) throw new SyntaxError(`record on line ${i + 1}: wrong number of fields`);
    });
  }
  if (!options.skipFirstRow && options.columns === undefined) return rows;
  const head = options.skipFirstRow ? rows.shift() : undefined;
  if (options.skipFirstRow && head === undefined) throw new TypeError("Headers must be defined");
  const columns = options.columns ?? head!;
  return rows.map((row, i) => {
    if (row.length !== columns.length) {
      const line = i + (options.skipFirstRow ? 1 : 0);
      throw new SyntaxError(
        `Syntax error on line ${line}: The record has ${row.length} fields, but the header has ${columns.length} fields`,
      );
    }
    return Object.fromEntries(columns.map((column, k) => [column, row[k]]));
  });
}
