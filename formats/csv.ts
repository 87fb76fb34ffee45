/**
 * Tables as text: comma- or tab-separated values, a column an array.
 *
 * @see https://www.rfc-editor.org/rfc/rfc4180
 * @module
 */
import { Refusal } from "../core/refusal.ts";
import { type ArrayFile, type ArrayHead, bytesText, checkHeld, headOf, MAX_HELD_BYTES } from "./arrays.ts";
import type { ForeignArray } from "./elements.ts";
import { type ByteSource, fileSource } from "./source.ts";

/** Largest file of text that is read: longer texts do not fit into one string. */
const MAX_TEXT_BYTES = 400_000_000;
/** Cells that say that nothing is there, as pandas and R write them. */
const absent: ReadonlySet<string> = new Set(
  ["", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "-NaN", "-nan", "null", "NULL", "None", "<NA>"],
);

/** A table's cells, column by column. */
export interface TextTable {
  readonly columns: ReadonlyMap<string, readonly string[]>;
  readonly rows: number;
  /** Whether its first line names the columns; without names they are `0`, `1`, .... */
  readonly header: boolean;
}

/** Makes refusals of a file. */
export type Refuser = (must: string, found: string, hint?: string) => Refusal;

/** Makes refusals of a file. */
export const refuser = (path: string): Refuser => (must, found, hint) =>
  new Refusal({ what: `read "${path}"`, must, found, hint });

/** @throws {Refusal} If a file has more bytes than a text may have. */
export function checkLength(bytes: number, path: string): void {
  if (bytes <= MAX_TEXT_BYTES) return;
  throw refuser(path)(
    `a table of text must hold at most ${bytesText(MAX_TEXT_BYTES)}`,
    `found ${bytesText(bytes)}`,
    "save it as Parquet, or arrays by numpy.savez",
  );
}

/** Text of a file: UTF-8, or what its byte-order mark says. */
export function decoded(bytes: Uint8Array, refuse: Refuser): string {
  const mark = bytes[0] === 0xff && bytes[1] === 0xfe
    ? "utf-16le"
    : bytes[0] === 0xfe && bytes[1] === 0xff
    ? "utf-16be"
    : "utf-8";
  try {
    // The decoder takes the mark away.
    return new TextDecoder(mark, { fatal: true }).decode(bytes);
  } catch {
    let line = 1;
    const decoder = new TextDecoder("utf-8", { fatal: true });
    for (let from = 0; from < bytes.length; line++) {
      const end = bytes.indexOf(10, from);
      try {
        decoder.decode(bytes.subarray(from, end === -1 ? bytes.length : end));
      } catch {
        break;
      }
      from = end === -1 ? bytes.length : end + 1;
    }
    throw refuse("its text must be UTF-8", `line ${line} is not`, "save it as UTF-8");
  }
}

/** The separator that the first line uses most. */
function separatorOf(line: string): string {
  const bare = line.replace(/"[^"]*"/g, "");
  const counts = [",", "\t", ";", "|"].map((separator): [string, number] => [separator, bare.split(separator).length]);
  return counts.reduce((best, next) => next[1] > best[1] ? next : best)[0];
}

/** Rows of cells, with the line at which each begins. */
function rowsOf(text: string, separator: string, refuse: Refuser): { cells: string[]; line: number }[] {
  const rows: { cells: string[]; line: number }[] = [];
  if (!text.includes('"')) {
    text.split(/\r\n|\n|\r/).forEach((line, k) => {
      if (line !== "") rows.push({ cells: line.split(separator), line: k + 1 });
    });
    return rows;
  }
  let cells: string[] = [];
  let cell = "";
  let quoted = false;
  let [line, begun] = [1, 1];
  const endRow = () => {
    if (cells.length > 0 || cell !== "") rows.push({ cells: [...cells, cell], line: begun });
    [cells, cell] = [[], ""];
  };
  for (let k = 0; k < text.length; k++) {
    const letter = text[k];
    if (letter === "\n" || (letter === "\r" && text[k + 1] !== "\n")) line++;
    if (quoted) {
      if (letter !== '"') cell += letter;
      else if (text[k + 1] === '"') cell += text[++k];
      else quoted = false;
    } else if (letter === '"' && cell === "") quoted = true;
    else if (letter === separator) {
      cells.push(cell);
      cell = "";
    } else if (letter === "\n" || letter === "\r") {
      if (letter === "\r" && text[k + 1] === "\n") continue;
      endRow();
      begun = line;
    } else cell += letter;
  }
  if (quoted) throw refuse("every quoted cell must end", `that of line ${begun} does not`);
  endRow();
  return rows;
}

/**
 * Rows of a list without a line of names: cells between the separator that its first line uses most, or spaces.
 *
 * @param path For messages.
 * @throws {Refusal} If a quoted cell does not end.
 */
export function rowsOfText(text: string, path: string): { readonly cells: string[]; readonly line: number }[] {
  const first = /^[^\r\n]*/.exec(text)![0];
  const rows = rowsOf(text, /[,\t;]/.test(first) ? separatorOf(first) : " ", refuser(path));
  return rows.map(({ cells, line }) => ({ cells: cells.map((cell) => cell.trim()), line }));
}

const isNumber = (cell: string) => cell.trim() !== "" && !Number.isNaN(Number(cell));

/**
 * Reads a table.
 *
 * @param path For messages.
 * @throws {Refusal} If it is no text, a row has more or fewer cells than the first, or two columns have one name.
 */
export function parseTable(bytes: Uint8Array, path: string): TextTable {
  const refuse = refuser(path);
  checkLength(bytes.length, path);
  const text = decoded(bytes, refuse);
  if (text.includes("\0")) throw refuse("it must be a table of text", "it holds zero bytes", "save it as UTF-8");
  const end = /[\r\n]/.exec(text)?.index ?? text.length;
  const rows = rowsOf(text, separatorOf(text.slice(0, end)), refuse);
  if (rows.length === 0) throw refuse("it must hold a table", "it is empty", "save or copy it again");
  const width = rows[0].cells.length;
  const ragged = rows.find(({ cells }) => cells.length !== width);
  if (ragged !== undefined) {
    throw refuse(
      `every row must have ${width} cells, as the first has`,
      `line ${ragged.line} has ${ragged.cells.length}`,
      width === 1
        ? "take away what stands before the line of names"
        : "put cells that hold a separator between quotes, and write one that is empty as nothing between two separators",
    );
  }
  const header = !rows[0].cells.every(isNumber);
  const names = header ? rows[0].cells.map((name) => name.trim()) : rows[0].cells.map((_, k) => String(k));
  const twice = names.find((name, k) => names.indexOf(name) !== k);
  if (twice !== undefined) {
    throw refuse("its columns must have different names", `two are ${JSON.stringify(twice)}`, "rename one");
  }
  const body = header ? rows.slice(1) : rows;
  if (body.length === 0) throw refuse("it must hold rows", "it has a line of names alone", "save or copy it again");
  return {
    columns: new Map(names.map((name, k) => [name, body.map(({ cells }) => cells[k])])),
    rows: body.length,
    header,
  };
}

/** A column as numbers with NaN where nothing is, or as texts with "" there, if a cell is no number. */
export function columnOf(cells: readonly string[]): ForeignArray {
  const shape = [cells.length];
  const filled = cells.map((cell) => absent.has(cell.trim()) ? "" : cell.trim());
  const numeric = filled.some((cell) => cell !== "") && filled.every((cell) => cell === "" || isNumber(cell)) &&
    // Digits beyond double precision are names, not numbers.
    filled.every((cell) => !/^[+-]?\d{16,}$/.test(cell) || Number.isSafeInteger(Number(cell)));
  return numeric
    ? { type: "float64", shape, data: Float64Array.from(filled, (cell) => cell === "" ? NaN : Number(cell)) }
    : { type: "text", shape, data: filled };
}

/** Opens a table: its columns are arrays of one value a row. @throws {Refusal} As `parseTable`; if it is too large. */
export async function openCsv(
  path: string,
  most: number = MAX_HELD_BYTES,
): Promise<ArrayFile & { readonly header: boolean }> {
  const source: ByteSource = await fileSource(path);
  let table: TextTable;
  try {
    checkLength(source.size, path);
    table = parseTable(await source.read(0, source.size), path);
  } finally {
    source.close();
  }
  const columns = new Map([...table.columns].map(([name, cells]) => [name, columnOf(cells)]));
  const heads = new Map<string, ArrayHead>();
  for (const [name, { shape, type }] of columns) {
    heads.set(name, { name, shape, type, held: 8 * table.rows, what: `column "${name}" of "${path}"` });
  }
  checkHeld(path, heads.values(), most);
  return {
    path,
    heads,
    header: table.header,
    // deno-lint-ignore require-await
    read: async (name) => {
      headOf(path, heads, name);
      return columns.get(name)!;
    },
    close: () => {},
  };
}
