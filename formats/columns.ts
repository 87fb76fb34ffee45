/**
 * Columns of any values as arrays.
 *
 * @module
 */
import { sizeOf } from "../core/program.ts";
import { Refusal } from "../core/refusal.ts";
import type { ForeignArray } from "./elements.ts";

/** Bytes that are text, or `null`. */
function textOfBytes(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** A value as text; dates as ISO 8601. */
function textOf(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return textOfBytes(value) ?? "";
  return typeof value === "object"
    ? JSON.stringify(value, (_, own) => typeof own === "bigint" ? Number(own) : own)
    : String(value);
}

/** What values are that are neither numbers nor texts. */
function oddOf(values: readonly unknown[]): "bytes" | "records" | undefined {
  if (values.some((value) => value instanceof Uint8Array && textOfBytes(value) === null)) return "bytes";
  const record = (value: unknown) =>
    typeof value === "object" && value !== null && !(value instanceof Date || value instanceof Uint8Array);
  return values.some(record) ? "records" : undefined;
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

/** Sizes of lists of lists, down to the numbers. */
function nestedShape(value: unknown): number[] {
  return isList(value) ? [value.length, ...nestedShape(value[0])] : [];
}

/**
 * Lists of numbers, or of lists, as an array; a row that is not there is NaN alone.
 *
 * @throws {Refusal} If lists differ in length or hold no numbers.
 */
function arrayOfLists(values: readonly unknown[], shape: readonly number[], what: string): ForeignArray {
  const width = sizeOf(shape);
  const data = new Float64Array(values.length * width).fill(NaN);
  const refuse = (must: string, found: string, hint?: string) =>
    new Refusal({ what: `read ${what}`, must, found, hint });
  let at = 0;
  const put = (value: unknown, n: number, [length, ...inner]: readonly number[]) => {
    if (length === undefined) {
      const number = numberOf(value);
      if (number === null) throw refuse("its lists must hold numbers", `row ${n} does not`);
      data[at++] = number;
      return;
    }
    if (!isList(value) || value.length !== length) {
      throw refuse(
        `its lists must have one length, ${length} as the first has`,
        `row ${n} has ${isList(value) ? value.length : "none"}`,
        "pad them to one length; null or no value is a row that is not there",
      );
    }
    for (let k = 0; k < length; k++) put(value[k], n, inner);
  };
  values.forEach((value, n) => {
    at = n * width;
    if (value !== null && value !== undefined) put(value, n, shape);
  });
  return { type: "float64", shape: [values.length, ...shape], data };
}

/**
 * Values of a column as an array: numbers (NaN where nothing is), texts ("" there), or an array of lists of one length,
 * which may hold lists.
 *
 * @throws {Refusal} If lists differ in length or hold no numbers.
 */
export function arrayOf(values: readonly unknown[], what: string): ForeignArray {
  const first = values.find((value) => value !== null && value !== undefined);
  if (isList(first)) return arrayOfLists(values, nestedShape(first), what);
  const numbers = values.map(numberOf);
  const shape = [values.length];
  const odd = oddOf(values);
  const exact = values.every((value) => typeof value !== "bigint" || Number.isSafeInteger(Number(value)));
  return first !== undefined && exact && numbers.every((number) => number !== null)
    ? { type: "float64", shape, data: Float64Array.from(numbers as number[]) }
    : { type: "text", shape, data: values.map(textOf), ...odd === undefined ? {} : { odd } };
}
