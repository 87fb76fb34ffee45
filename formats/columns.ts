/**
 * Columns of any values as arrays.
 *
 * @module
 */
import { Refusal } from "../core/refusal.ts";
import type { ForeignArray } from "./elements.ts";

/** A value as text; dates as ISO 8601. */
function textOf(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return new TextDecoder().decode(value);
  return String(value);
}

/** A number; NaN where nothing is; `null` for what is none. */
function numberOf(value: unknown): number | null {
  if (value === null || value === undefined) return NaN;
  if (typeof value === "number") return value;
  if (typeof value === "boolean") return Number(value);
  if (typeof value === "bigint") return Number(value);
  return null;
}

function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof Uint8Array));
}

/**
 * Values of a column as an array: numbers (NaN where nothing is), texts ("" there), or a matrix of lists of one length.
 *
 * @throws {Refusal} If lists differ in length or hold no numbers.
 */
export function arrayOf(values: readonly unknown[], what: string): ForeignArray {
  const first = values.find((value) => value !== null && value !== undefined);
  if (isList(first)) {
    const width = first.length;
    const data = new Float64Array(values.length * width).fill(NaN);
    values.forEach((value, n) => {
      if (value === null || value === undefined) return;
      if (!isList(value) || value.length !== width) {
        throw new Refusal({
          what: `read ${what}`,
          must: `its lists must have one length, ${width} as the first has`,
          found: `row ${n} has ${isList(value) ? value.length : "none"}`,
        });
      }
      for (let k = 0; k < width; k++) {
        const number = numberOf(value[k]);
        if (number === null) {
          throw new Refusal({ what: `read ${what}`, must: "its lists must hold numbers", found: `row ${n} does not` });
        }
        data[n * width + k] = number;
      }
    });
    return { type: "float64", shape: [values.length, width], data };
  }
  const numbers = values.map(numberOf);
  const shape = [values.length];
  const exact = values.every((value) => typeof value !== "bigint" || Number.isSafeInteger(Number(value)));
  return first !== undefined && exact && numbers.every((number) => number !== null)
    ? { type: "float64", shape, data: Float64Array.from(numbers as number[]) }
    : { type: "text", shape, data: values.map(textOf) };
}
