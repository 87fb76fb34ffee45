/**
 * Tables of JSON objects, one a line: a key an array.
 *
 * @module
 */
import { Refusal } from "../core/refusal.ts";
import { type ArrayFile, type ArrayHead, checkHeld, headOf, MAX_HELD_BYTES } from "./arrays.ts";
import { arrayOf } from "./columns.ts";
import type { ForeignArray } from "./elements.ts";
import { checkLength, decoded, refuser } from "./csv.ts";
import { fileSource } from "./source.ts";

/** How a list of objects becomes a table of lines. */
export const LINES = 'write one object a line, as pandas does by to_json(FILE, orient="records", lines=True)';

/** Opens a table of JSON lines. @throws {Refusal} If a line is no JSON object, or it is too large. */
export async function openJsonl(path: string, most: number = MAX_HELD_BYTES): Promise<ArrayFile> {
  const refuse = refuser(path);
  const source = await fileSource(path);
  let text: string;
  try {
    checkLength(source.size, path);
    text = decoded(await source.read(0, source.size), refuse);
  } finally {
    source.close();
  }
  const rows: Map<string, unknown>[] = [];
  const names = new Set<string>();
  text.split(/\r?\n/).forEach((line, k) => {
    if (line.trim() === "") return;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch (cause) {
      throw new Refusal({
        what: `read "${path}"`,
        must: "every line must be JSON",
        found: `line ${k + 1} is not`,
        hint: "mend it, or take it away",
      }, { cause });
    }
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw refuse("every line must be a JSON object", `line ${k + 1} is none`, LINES);
    }
    const row = new Map(Object.entries(value));
    for (const name of row.keys()) names.add(name);
    rows.push(row);
  });
  if (rows.length === 0) throw refuse("it must hold a table", "it is empty");
  const columns = new Map<string, ForeignArray>();
  const heads = new Map<string, ArrayHead>();
  for (const name of names) {
    const what = `column "${name}" of "${path}"`;
    const array = arrayOf(rows.map((row) => row.get(name) ?? null), what);
    columns.set(name, array);
    heads.set(name, { name, shape: array.shape, type: array.type, held: 8 * array.data.length, what });
  }
  checkHeld(path, heads.values(), most);
  return {
    path,
    heads,
    // deno-lint-ignore require-await
    read: async (name) => {
      headOf(path, heads, name);
      return columns.get(name)!;
    },
    close: () => {},
  };
}
