/**
 * Checks that more than one room needs, with one wording.
 *
 * @module
 */
import { Refusal } from "./refusal.ts";

/** The position of the first NaN or infinity, or -1. */
export function firstNonFinite(values: ArrayLike<number>): number {
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) return i;
  }
  return -1;
}

/** Checks values. @throws {Refusal} If one is NaN or infinite; the message says where. */
export function checkFinite(what: string, values: ArrayLike<number>): void {
  const index = firstNonFinite(values);
  if (index !== -1) {
    throw new Refusal({
      what: `use ${what}`,
      must: "every value must be finite",
      found: `found ${values[index]} at index ${index}`,
    });
  }
}
