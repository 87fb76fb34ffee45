/**
 * Arrays of a dataset's files by reference: opened once, read on demand, never from outside the folder.
 *
 * @module
 */
import { basename, isAbsolute, join, normalize, parse, relative, resolve } from "node:path";
import { sizeOf } from "../../core/program.ts";
import { Refusal } from "../../core/refusal.ts";
import {
  type ArrayFile,
  type ForeignArray,
  MAX_HELD_BYTES,
  type NumberData,
  openArrays,
  openCsv,
  openJsonl,
  openParquet,
} from "../../formats/mod.ts";
import { LINES } from "../../formats/jsonl.ts";
import { FOLDERS, openFolders } from "./folders.ts";

/** Files that are read, by the end of their names. */
export const DATA_FILE = /\.(npy|npz|safetensors|csv|tsv|tab|parquet|pq|jsonl|ndjson)$/i;
const TABLE = /\.(csv|tsv|tab)$/i;

/** Whether a file's columns are arrays. */
export function isTable(file: string): boolean {
  return file === FOLDERS || TABLE.test(file) || /\.(parquet|pq|jsonl|ndjson)$/i.test(file);
}

/** Opens a file of any format that is read. @throws {Refusal} If it is none, is damaged, or too large. */
export async function openData(path: string, most: number = MAX_HELD_BYTES): Promise<ArrayFile> {
  if (/\.json$/i.test(path)) {
    throw new Refusal({
      what: `read "${path}"`,
      must: "it must be a table of JSON lines",
      found: "it is JSON",
      hint: LINES,
    });
  }
  if (TABLE.test(path)) return await openCsv(path, most);
  if (/\.(jsonl|ndjson)$/i.test(path)) return await openJsonl(path, most);
  if (isTable(path)) return await openParquet(path, most);
  // An array that is too large for memory may be read by index: whoever reads it whole asks how large it is.
  return await openArrays(path, /\.npz$/i.test(path) ? most : Number.MAX_SAFE_INTEGER);
}

/** `file#array` taken apart. */
export interface Reference {
  readonly file: string;
  /** Absent for a file of one array. */
  readonly array?: string;
}

/** Takes a reference apart. */
export function parseReference(text: string): Reference {
  const at = text.indexOf("#");
  return at === -1 ? { file: text } : { file: text.slice(0, at), array: text.slice(at + 1) };
}

const numbered = /^(.*?)[\s._:-]?\[?(\d+)\]?$/;

/** A column's name without its number, and the number, if it has one: `audio_3`, `audio.3`, `audio[3]`, `audio3`. */
export function columnNumber(name: string): { stem: string; number: number } | null {
  const found = numbered.exec(name);
  return found === null ? null : { stem: found[1], number: Number(found[2]) };
}

/** Columns that a pattern names, in the order of their numbers, or as listed. */
export function columnsOf(file: ArrayFile, pattern: string): string[] {
  if (file.heads.has(pattern)) return [pattern];
  if (pattern.endsWith("*")) {
    const stem = pattern.slice(0, -1).replace(/[\s._:-]$/, "");
    return [...file.heads.keys()]
      .map((name) => ({ name, number: columnNumber(name) }))
      .filter(({ number }) => number !== null && number.stem === stem)
      .sort((a, b) => a.number!.number - b.number!.number)
      .map(({ name }) => name);
  }
  return pattern.split(",").map((name) => name.trim());
}

/** The files of a dataset. */
export class DataFiles {
  /** Folder that references and paths are relative to. */
  readonly root: string;
  readonly #open = new Map<string, Promise<ArrayFile>>();

  /** @param root Folder that references are relative to. */
  constructor(root: string) {
    this.root = root;
  }

  /** A file by its place in the folder. @throws {Refusal} If it lies outside of it, or cannot be read. */
  file(name: string): Promise<ArrayFile> {
    let file = this.#open.get(name);
    if (file === undefined) this.#open.set(name, file = this.#opened(name));
    return file;
  }

  async #opened(name: string): Promise<ArrayFile> {
    if (name === FOLDERS) return await openFolders(this.root);
    const refuse = (found: string) =>
      new Refusal({
        what: `read "${name}"`,
        must: "it must lie in the folder of the dataset",
        found,
        hint: "copy the file itself into it",
      });
    if (isAbsolute(name) || normalize(name).split(/[\\/]/)[0] === "..") throw refuse("its path leads out of it");
    const path = join(this.root, name);
    const file = await openData(path);
    const real = relative(await Deno.realPath(this.root), await Deno.realPath(path));
    if (real.split(/[\\/]/)[0] === ".." || isAbsolute(real)) {
      file.close();
      throw refuse("it is a link out of it");
    }
    return file;
  }

  /**
   * Reads the array of a reference; several columns of a table become the columns of a matrix.
   *
   * @throws {Refusal} If there is none, or it is damaged.
   */
  async read(reference: string): Promise<ForeignArray> {
    const { file: name, array } = parseReference(reference);
    const file = await this.file(name);
    if (array === undefined) {
      if (file.heads.size !== 1) {
        throw new Refusal({
          what: `read "${reference}"`,
          must: "it must name one array",
          found: `the file holds ${[...file.heads.keys()].join(", ") || "none"}`,
          hint: `write ${name}#<array>`,
        });
      }
      return await file.read([...file.heads.keys()][0]);
    }
    const columns = columnsOf(file, array);
    if (columns.length === 1 && columns[0] === array) return await file.read(array);
    if (columns.length === 0) {
      throw new Refusal({
        what: `read "${reference}"`,
        must: "it must name columns",
        found: `columns are ${[...file.heads.keys()].join(", ").slice(0, 500)}`,
      });
    }
    return stacked(await Promise.all(columns.map((column) => file.read(column))), columns, reference);
  }

  /** Bytes that the array of a reference takes in memory as 32-bit numbers. @throws {Refusal} If there is none. */
  async heldBytes(reference: string): Promise<number> {
    const { file: name, array } = parseReference(reference);
    if (name.includes("{split}")) return 0; // each folder's arrays are bounded by themselves
    const file = await this.file(name);
    const names = array === undefined ? [...file.heads.keys()].slice(0, 1) : columnsOf(file, array);
    return names.reduce((sum, own) => {
      const head = file.heads.get(own);
      return sum + (head === undefined ? 0 : 4 * sizeOf(head.shape));
    }, 0);
  }

  /** Reads rows of the array of a reference, or `null` where they do not lie one behind the other in its file. */
  async rowsOf(
    reference: string,
  ): Promise<{ readonly shape: readonly number[]; readonly rows: (from: number, to: number) => NumberData } | null> {
    const { file: name, array } = parseReference(reference);
    const file = await this.file(name);
    const own = array ?? (file.heads.size === 1 ? [...file.heads.keys()][0] : "");
    const head = file.heads.get(own);
    const rows = head === undefined ? null : file.rowsOf?.(own) ?? null;
    return rows === null ? null : { shape: head!.shape, rows };
  }

  /** Closes all files. */
  async close(): Promise<void> {
    for (const file of this.#open.values()) {
      await file.then((open) => open.close(), () => {
        // What could not be opened need not be closed; whoever asked for it was told.
      });
    }
    this.#open.clear();
  }
}

/** Columns side by side: [N] each to [N, columns]. @throws {Refusal} If one holds texts; the message says where. */
function stacked(arrays: readonly ForeignArray[], columns: readonly string[], reference: string): ForeignArray {
  const rows = arrays[0].shape[0];
  const data = new Float64Array(rows * columns.length);
  arrays.forEach((array, k) => {
    if (array.type === "text") {
      const row = array.data.findIndex((cell) => cell !== "" && Number.isNaN(Number(cell)));
      throw new Refusal({
        what: `read column "${columns[k]}" of "${reference}"`,
        must: "its cells must be numbers or empty",
        found: row === -1
          ? "all are empty or too long"
          : `row ${row + 1} holds ${JSON.stringify(array.data[row].slice(0, 40))}`,
        hint: row !== -1 && /^\s*[+-]?[\d.,' ]+\s*$/.test(array.data[row])
          ? "write numbers with a decimal point, and nothing between thousands"
          : "write plain numbers, and leave a cell empty (in JSON null) where nothing is",
      });
    }
    if (array.shape.length !== 1) {
      throw new Refusal({
        what: `read column "${columns[k]}" of "${reference}"`,
        must: "it must hold one number a row",
        found: `found shape [${array.shape.join(", ")}]`,
      });
    }
    for (let n = 0; n < rows; n++) data[n * columns.length + k] = array.data[n];
  });
  return { type: "float64", shape: [rows, columns.length], data };
}

/** A name made of a path: of the folder, or of the file without its ending. */
export function nameOf(path: string): string {
  return parse(basename(resolve(path))).name.replace(/[+,/:|\p{Cc}]/gu, "-").slice(0, 100) || "files";
}
