/**
 * Names of runs: the same configuration always has the same name, whatever order its keys were written in.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { RunConfig } from "../core/record.ts";
import { Refusal } from "../core/refusal.ts";

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

function shortHash(value: unknown): string {
  return createHash("sha256").update(canonicalJson(value)).digest("hex").slice(0, 16);
}

/** What of a configuration says what is run: all but where its code was. Format 1 counted the places of plugins. */
function essence(config: RunConfig): Partial<RunConfig> {
  const { git: _, ...rest } = config;
  if (config.format === 1) return rest;
  const { plugins: __, ...kept } = rest;
  return kept;
}

/**
 * The name of a run: the first 16 hexadecimal digits of the SHA-256 of its configuration's canonical JSON, without
 * `git` and `plugins`, which say where the code was and not what was run.
 *
 * @throws {Refusal} If the configuration holds what JSON cannot hold.
 */
export function runId(config: RunConfig): string {
  return shortHash(essence(config));
}

/** What runs share that differ in nothing but what their parts and their data were made of. */
export function sourceId(config: RunConfig): string {
  const { code: _, dataset: { fingerprint: __, ...dataset }, ...rest } = essence(config) as RunConfig;
  return shortHash({ ...rest, dataset });
}

/**
 * The name of a configuration: like `runId`, without the seed; the seeds of one configuration share it.
 *
 * @throws {Refusal} If the configuration holds what JSON cannot hold.
 */
export function configurationId(config: RunConfig): string {
  const { seed: _, ...rest } = essence(config);
  return shortHash(rest);
}

/** Whether a text has the form of a run's name. */
export function isRunId(text: string): boolean {
  return /^[0-9a-f]{16}$/.test(text);
}
