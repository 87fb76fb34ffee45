/**
 * Named arrays of a file or folder: what they are first, their values on demand.
 *
 * @module
 */
import { Refusal } from "../core/refusal.ts";
import type { ForeignArray, NumberData, NumberType } from "./elements.ts";

/** What is known of an array before its values are read. */
export interface ArrayHead {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: NumberType | "text";
  /** Bytes of its values in memory. */
  readonly held: number;
  /** For messages: `"labels" of "features.npz"`. */
  readonly what: string;
}

/** Named arrays, open for reading. */
export interface ArrayFile {
  /** As given. */
  readonly path: string;
  /** By name. */
  readonly heads: ReadonlyMap<string, ArrayHead>;
  /** Reads one. @throws {Refusal} If it is damaged, or there is none of that name. */
  read(name: string): Promise<ForeignArray>;
  /**
   * Reads some rows of one at once, where they lie one behind the other in the file: [rows, ...]. Absent where they do not.
   *
   * @throws {Refusal} If a value is damaged.
   */
  rowsOf?(name: string): ((from: number, to: number) => NumberData) | null;
  /** Closes what is open. */
  close(): void;
}

/** Most bytes that arrays may take together in memory: 2 GiB. */
export const MAX_HELD_BYTES = 2 ** 31;

/** A number of bytes for people. */
export function bytesText(bytes: number): string {
  const units = ["bytes", "KB", "MB", "GB", "TB", "PB"];
  let unit = 0;
  let value = bytes;
  for (; value >= 1000 && unit < units.length - 1; unit++) value /= 1000;
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** Refuses more than memory should take, before any of it is read. @throws {Refusal} */
export function checkHeld(path: string, heads: Iterable<ArrayHead>, most: number): void {
  const all = [...heads];
  const sum = all.reduce((sum, { held }) => sum + held, 0);
  if (sum <= most) return;
  const largest = all.reduce((a, b) => b.held > a.held ? b : a);
  throw new Refusal({
    what: `read "${path}"`,
    must: `its arrays must take at most ${bytesText(most)} of memory`,
    found: `they take ${bytesText(sum)}, of which "${largest.name}" [${largest.shape.join(", ")}] ` +
      bytesText(largest.held),
    hint: "save fewer rows, or float32 in place of float64",
  });
}

/** The array of a name. @throws {Refusal} If there is none. */
export function headOf(path: string, heads: ReadonlyMap<string, ArrayHead>, name: string): ArrayHead {
  const head = heads.get(name);
  if (head !== undefined) return head;
  throw new Refusal({
    what: `read array "${name}" of "${path}"`,
    must: "there must be one of that name",
    found: `found ${[...heads.keys()].sort().join(", ") || "none"}`,
  });
}
