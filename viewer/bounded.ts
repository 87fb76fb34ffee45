/**
 * What is kept of texts and lists that anybody may have written: no page becomes large by one name.
 *
 * @module
 */
import { createHash } from "node:crypto";

/** Characters of a text at most, in all but what is for people to read. */
const maxText = 160;
/** Characters of messages, commands and reasons. */
const maxProse = 4000;
/** Entries of a list or a record at most. */
const maxEntries = 2000;
/** Levels of lists and records within each other. */
const maxDepth = 12;

const prose: ReadonlySet<string> = new Set(["reason", "message", "command", "question", "budget"]);

/** A text cut to a length; what is left of two different texts stays different. */
export function boundedText(text: string, most: number = maxText): string {
  if (text.length <= most) return text;
  const digest = createHash("sha256").update(text).digest("hex").slice(0, 8);
  return `${text.slice(0, most)}… (${text.length} characters, ${digest})`;
}

/**
 * A plain value in which every text, list and record is bounded, names of entries included.
 *
 * @param entries Of a list or a record at most. @default {2000}
 */
export function bounded<T>(value: T, entries: number = maxEntries): T {
  return cut(value, maxText, entries, 0) as T;
}

function cut(value: unknown, most: number, length: number, depth: number): unknown {
  if (typeof value === "string") return boundedText(value, most);
  if (value === null || typeof value !== "object") return value;
  if (depth === maxDepth) return Array.isArray(value) ? [] : {};
  if (Array.isArray(value)) {
    return (value.length > length ? value.slice(0, length) : value).map((entry) => cut(entry, most, length, depth + 1));
  }
  const entries = Object.entries(value);
  const kept = (entries.length > length ? entries.slice(0, length) : entries).map(([name, entry]) =>
    [boundedText(name), cut(entry, prose.has(name) ? maxProse : most, length, depth + 1)] as const
  );
  // As data, whatever the names are: "__proto__" too.
  const result: Record<string, unknown> = {};
  for (const [name, entry] of kept) {
    Object.defineProperty(result, name, { value: entry, enumerable: true, writable: true, configurable: true });
  }
  return result;
}
