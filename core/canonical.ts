/**
 * JSON in one form only: equal values give equal bytes.
 *
 * @module
 */
import { Refusal } from "./refusal.ts";

/**
 * JSON with sorted keys: equal values give equal bytes.
 *
 * Stricter than `JSON.stringify`, which would change values without a word: keys whose value is `undefined` are left
 * out, everything else that JSON cannot hold is refused.
 *
 * @param indent Spaces per level; 0 writes one line. @default {0}
 * @throws {Refusal} If the value holds NaN, an infinity, a function or anything else that JSON cannot hold.
 */
export function canonicalJson(value: unknown, indent: number = 0): string {
  return JSON.stringify(sorted(value, "the value"), undefined, indent);
}

function sorted(value: unknown, where: string): unknown {
  if (value === null || typeof value === "boolean" || typeof value === "string") return value;
  if (typeof value === "number") {
    if (Number.isFinite(value)) return value;
    throw new Refusal({ what: `write ${where} as JSON`, must: "every number must be finite", found: `found ${value}` });
  }
  if (Array.isArray(value)) return value.map((entry, i) => sorted(entry, `${where}[${i}]`));
  if (typeof value === "object") {
    const prototype = Object.getPrototypeOf(value);
    if (prototype === Object.prototype || prototype === null) {
      const entries = Object.entries(value).filter(([_, entry]) => entry !== undefined);
      // Keys that look like integers come first in any object, in numeric order: the same order every time.
      entries.sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0);
      return Object.fromEntries(entries.map(([key, entry]) => [key, sorted(entry, `${where}.${key}`)]));
    }
  }
  const found = typeof value === "object" ? `a ${value!.constructor.name}` : typeof value;
  throw new Refusal({ what: `write ${where} as JSON`, must: "it must be plain data", found: `found ${found}` });
}
