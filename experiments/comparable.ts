/**
 * Which configurations may be ranked together: those with the same data, encoders and budget.
 *
 * @module
 */
import type { RunConfig } from "../core/record.ts";
import { canonicalJson } from "../core/canonical.ts";

/** What of a configuration decides with which others it is compared. */
export type Setting = Pick<RunConfig, "dataset" | "modalities" | "encoders" | "training">;

/** A setting as texts that can be compared. */
interface Key {
  readonly data: string;
  readonly budget: string;
  readonly encoders: ReadonlyMap<string, string>;
}

function keyOf({ dataset, modalities, encoders, training }: Setting): Key {
  return {
    data: canonicalJson(dataset),
    budget: `${training.budget} ${training.epochs}`,
    encoders: new Map(modalities.map((modality) => [modality, canonicalJson(encoders[modality])])),
  };
}

function apart(a: Key, b: Key): string | null {
  if (a.data !== b.data) return "on other data";
  if (a.budget !== b.budget) return "with another budget";
  for (const [modality, encoder] of a.encoders) {
    if ((b.encoders.get(modality) ?? encoder) !== encoder) return "with other encoders";
  }
  return null;
}

/**
 * Why two configurations are not ranked together, in words that follow their names; `null` if they are.
 *
 * Encoders must be the same where both use a modality: a unimodal model is compared with what it is a part of.
 */
export function whyApart(a: Setting, b: Setting): string | null {
  return apart(keyOf(a), keyOf(b));
}

/** The same for many that are held against one. */
export function apartFrom(reference: Setting): (own: Setting) => string | null {
  const key = keyOf(reference);
  return (own) => apart(keyOf(own), key);
}

/** Rows by sets that are ranked together, in the order of their first rows; each row is in one. */
export function comparableGroups<T>(rows: readonly T[], settingOf: (row: T) => Setting): T[][] {
  const keyed = rows.map((row, place) => ({ row, place, key: keyOf(settingOf(row)) }));
  const groups: (typeof keyed)[] = [];
  // Models of all modalities first: those of fewer join them.
  for (const own of [...keyed].sort((a, b) => b.key.encoders.size - a.key.encoders.size)) {
    const group = groups.find((others) => others.every(({ key }) => apart(key, own.key) === null));
    if (group === undefined) groups.push([own]);
    else group.push(own);
  }
  for (const group of groups) group.sort((a, b) => a.place - b.place);
  return groups.sort(([a], [b]) => a.place - b.place).map((group) => group.map(({ row }) => row));
}
