/**
 * Labels, groups, ids and given splits: arrays of one value a sample.
 *
 * @module
 */
import type { SplitName } from "../../core/kinds/mod.ts";
import { Refusal } from "../../core/refusal.ts";
import type { ForeignArray } from "../../formats/mod.ts";
import { splitNames } from "./splits.ts";

/**
 * One text a sample: integers as their digits, texts as they are, "" where nothing is.
 *
 * @param what For messages: `labels`.
 * @throws {Refusal} If it is no list, or holds fractions.
 */
export function textsOf(array: ForeignArray, what: string): string[] {
  const refuse = (must: string, found: string, hint?: string) =>
    new Refusal({ what: `use ${what}`, must, found, hint });
  const column = array.shape.length === 2 && array.shape[1] === 1;
  if (array.shape.length !== 1 && !column) {
    const onehot = array.shape.length === 2 && what === "labels" ? "save array.argmax(1)" : undefined;
    throw refuse("they must be a list, one value a sample", `found shape [${array.shape.join(", ")}]`, onehot);
  }
  if (array.type === "text") return [...array.data];
  const { data } = array;
  const fraction = data.findIndex((value) => !Number.isInteger(value) && !Number.isNaN(value));
  if (fraction !== -1) {
    throw refuse("they must be integers or texts", `sample ${fraction} has ${data[fraction]}`);
  }
  return Array.from<number, string>(data, (value) => Number.isNaN(value) ? "" : String(value));
}

/** Names of classes: integers in numeric order, texts in alphabetic order. @throws {Refusal} If they are no classes. */
export function classesOf(labels: readonly string[]): string[] {
  checkFilled(labels, "labels");
  const names = [...new Set(labels)];
  const numeric = names.every((name) => /^-?\d+$/.test(name));
  names.sort(numeric ? (a, b) => Number(a) - Number(b) : undefined);
  const refuse = (found: string, hint: string) =>
    new Refusal({
      what: "use labels",
      must: "there must be at least 2 classes, with several samples each",
      found,
      hint,
    });
  if (names.length < 2) throw refuse(`all ${labels.length} are ${JSON.stringify(names[0])}`, "name other labels");
  if (names.length > labels.length / 2 && labels.length > 10) {
    throw refuse(
      `${labels.length} samples have ${names.length} different labels`,
      "are these ids, or numbers to predict?",
    );
  }
  return names;
}

/** @throws {Refusal} If a sample has none. */
export function checkFilled(texts: readonly string[], what: string): void {
  const empty = texts.indexOf("");
  if (empty === -1) return;
  const count = texts.filter((text) => text === "").length;
  throw new Refusal({
    what: `use ${what}`,
    must: "every sample must have one",
    found: `sample ${empty} has none${count > 1 ? `, and ${count - 1} more` : ""}`,
    hint: "leave such rows out",
  });
}

/** Class indices. @throws {Refusal} If a label is none of the classes. */
export function indicesOf(labels: readonly string[], classes: readonly string[]): Int32Array {
  checkFilled(labels, "labels");
  const index = new Map(classes.map((name, c) => [name, c]));
  // Names in place of indices: 0 .. C-1 stand for them, unless names are numbers themselves.
  const named = !classes.some((name) => /^-?\d+$/.test(name));
  return Int32Array.from(labels, (label, n) => {
    const found = index.get(label);
    if (found !== undefined) return found;
    if (named && /^\d+$/.test(label) && Number(label) < classes.length) return Number(label);
    throw new Refusal({
      what: "use labels",
      must: `each must be one of the ${classes.length} classes ${short(classes)}`,
      found: `sample ${n} has ${JSON.stringify(label.slice(0, 40))}`,
    });
  });
}

function short(names: readonly string[]): string {
  return names.slice(0, 10).join(", ") + (names.length > 10 ? ", ..." : "");
}

const spellings: Readonly<Record<SplitName, readonly string[]>> = {
  train: ["train", "training", "trn", "tr"],
  validation: ["validation", "valid", "val", "dev", "development"],
  test: ["test", "testing", "tst", "te"],
};

/** The split that a name stands for. */
export function splitOf(name: string): SplitName | null {
  const plain = name.trim().toLowerCase();
  return splitNames.find((split) => spellings[split].includes(plain)) ?? null;
}

/** What each split is called in a column. @throws {Refusal} If a value stands for none, or training or test is missing. */
export function splitValues(values: readonly string[]): Record<SplitName, string[]> {
  checkFilled(values, "the split");
  const found: Record<SplitName, string[]> = { train: [], validation: [], test: [] };
  for (const value of [...new Set(values)].sort()) {
    const split = splitOf(value);
    if (split === null) {
      throw new Refusal({
        what: "use the split",
        must: "each value must be train, validation or test",
        found: `found ${short([...new Set(values)].sort().map((other) => JSON.stringify(other)))}`,
        hint: "write which is which into dataset.json",
      });
    }
    found[split].push(value);
  }
  for (const split of ["train", "test"] as const) {
    if (found[split].length > 0) continue;
    throw new Refusal({
      what: "use the split",
      must: `it must name ${split} samples`,
      found: `found ${short([...new Set(values)].sort())}`,
    });
  }
  return found;
}

/** Index of the split of each sample. @throws {Refusal} If a value is in no list. */
export function givenSplit(
  values: readonly string[],
  names: Readonly<Record<SplitName, readonly string[]>>,
): Uint8Array {
  const index = new Map(splitNames.flatMap((split, k) => names[split].map((name) => [name, k])));
  return Uint8Array.from(values, (value, n) => {
    const found = index.get(value);
    if (found !== undefined) return found;
    throw new Refusal({
      what: "use the split",
      must: `each value must be one of ${short([...index.keys()])}`,
      found: `sample ${n} has ${JSON.stringify(value)}`,
    });
  });
}

/** @throws {Refusal} If two samples have one id. */
export function checkIds(ids: readonly string[]): void {
  checkFilled(ids, "ids");
  const first = new Map<string, number>();
  ids.forEach((id, n) => {
    const other = first.get(id);
    if (other !== undefined) {
      throw new Refusal({
        what: "use ids",
        must: "each must stand for one sample",
        found: `samples ${other} and ${n} are both ${JSON.stringify(id.slice(0, 40))}`,
        hint: "rename one, or leave ids out",
      });
    }
    first.set(id, n);
  });
}
