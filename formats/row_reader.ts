/**
 * Rows of an array that lie one behind the other in a file.
 *
 * @module
 */
import { Refusal } from "../core/refusal.ts";
import { bytesOf, type NumberData, numbersFrom, type NumberType } from "./elements.ts";
import type { ByteSource } from "./source.ts";

/** Where rows lie. */
export interface RowPlace {
  readonly type: NumberType;
  /** Whether the most significant byte comes first. */
  readonly big: boolean;
  /** Byte of the first row. */
  readonly start: number;
  /** Values of a row. */
  readonly width: number;
  /** For messages. */
  readonly what: string;
}

/** Makes a function that reads rows `from` to `to`. It throws a `Refusal` if a value cannot be held. */
export function rowReader(
  source: ByteSource,
  { type, big, start, width, what }: RowPlace,
): (from: number, to: number) => NumberData {
  const bytes = bytesOf(type) * width;
  return (from, to) => {
    try {
      return numbersFrom(type, source.readNow(start + from * bytes, start + to * bytes), big);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new Refusal({ what: `read rows ${from} to ${to} of ${what}`, must: error.message }, { cause: error });
    }
  };
}
