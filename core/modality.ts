/**
 * Modalities travel by name and in sorted order, never by position.
 *
 * @module
 */
import { Refusal } from "./refusal.ts";

/** One value per modality, keyed by the modality's name. */
export type ByModality<T> = Readonly<Record<string, T>>;

/**
 * The names of a record's modalities in the one order that the whole project uses (sorted by code unit).
 *
 * @param values A record by modality.
 * @returns Sorted names.
 */
export function modalitiesOf(values: ByModality<unknown>): string[] {
  return Object.keys(values).sort();
}

/**
 * The value of one modality.
 *
 * @throws {Refusal} If the record lacks it; the message lists what the record has.
 */
export function at<T>(values: ByModality<T>, modality: string): T {
  if (!Object.hasOwn(values, modality)) {
    throw new Refusal({
      what: `find modality "${modality}"`,
      found: `the record has ${modalitiesOf(values).join(", ") || "none"}`,
    });
  }
  return values[modality];
}

/** Applies a function to every modality, in sorted order. */
export function mapByModality<T, U>(
  values: ByModality<T>,
  apply: (value: T, modality: string, index: number) => U,
): Record<string, U> {
  const result: Record<string, U> = {};
  modalitiesOf(values).forEach((modality, index) => {
    result[modality] = apply(values[modality], modality, index);
  });
  return result;
}

/** Builds a record from sorted names. */
export function byModality<T>(
  modalities: readonly string[],
  make: (modality: string, index: number) => T,
): Record<string, T> {
  const result: Record<string, T> = {};
  [...modalities].sort().forEach((modality, index) => {
    result[modality] = make(modality, index);
  });
  return result;
}

/** The values in sorted order of their modality. */
export function valuesOf<T>(values: ByModality<T>): T[] {
  return modalitiesOf(values).map((modality) => values[modality]);
}

/** What names must not hold, as names of subsets, tensors and columns are put together with these. */
const separators = /[+,/:|\p{Cc}]/u;

/**
 * Checks a name that comes from outside.
 *
 * @param where Where it was found, for the message.
 * @throws {Refusal} If it is empty, holds what joins names, or is one that every JavaScript object answers to.
 */
export function checkModalityName(name: string, where: string): void {
  const refuse = (must: string, hint: string) => {
    throw new Refusal({
      what: `use modality ${JSON.stringify(name)} of ${where}`,
      must,
      found: `found ${JSON.stringify(name)}`,
      hint,
    });
  };
  if (name === "" || name.length > 100) refuse("its name must have 1 to 100 characters", "rename it");
  if (separators.test(name)) refuse("its name must hold none of + , / : | and no control character", "rename it");
  if (name === "none" || name in {}) {
    refuse("its name must not be reserved (none, constructor, __proto__, ...)", "rename it");
  }
}
