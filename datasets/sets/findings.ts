/**
 * How what somebody has of a set compares with its official numbers, and what is wrong with it.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { SetSample, SplitName } from "../../core/kinds/mod.ts";
import type { Refusal } from "../../core/refusal.ts";
import { twoFolders } from "../files/films.ts";
import { bytesOfFile } from "../files/media_files.ts";
import { splitNames } from "../files/splits.ts";
import { decodeSamples } from "./decode.ts";
import { formsOf, notInside } from "./forms.ts";
import type { DataTable, Finding } from "../views.ts";
import { lacking, type ListedSet } from "./listing.ts";

/** Samples by class and split, beside the official numbers. */
export interface SetCounts {
  /** A row for each class, and one for all. */
  readonly table: DataTable;
  /** Classes whose numbers differ: "train: bowling 598 of 607". */
  readonly differing: readonly string[];
}

/** Splits that samples have; `null` for those without. */
const splitsOf = (samples: readonly Pick<SetSample, "split">[]): (SplitName | null)[] =>
  [...splitNames, null].filter((split) => samples.some((own) => own.split === split));

/**
 * Counts samples.
 *
 * @param samples Those that count: all that are listed, or those that can be used.
 */
export function countsOf(
  { classes, official }: Pick<ListedSet, "classes" | "official">,
  samples: readonly Pick<SetSample, "label" | "split">[],
): SetCounts {
  const splits = splitsOf(samples);
  const differing: string[] = [];
  const cell = (split: SplitName | null, label: string | null, wanted: number | undefined) => {
    const found = samples.filter((own) => own.split === split && (label === null || own.label === label)).length;
    if (wanted === undefined || wanted === found) return String(found);
    differing.push(`${split}: ${label ?? "all"} ${found} of ${wanted}`);
    return `${found} of ${wanted}`;
  };
  const own = (split: SplitName | null) => split === null ? undefined : official?.splits[split];
  // What differs in all is told first.
  const all = ["all", ...splits.map((split) => cell(split, null, own(split)?.samples))];
  const each = classes.map((label, c) => [
    label,
    ...splits.map((split) => cell(split, label, own(split)?.classes?.[c])),
  ]);
  return {
    table: { columns: ["class", ...splits.map((split) => split ?? "samples")], rows: [...each, all] },
    differing,
  };
}

const some = (texts: readonly string[]) => texts.slice(0, 5).join(", ") + (texts.length > 5 ? ", ..." : "");

/** A sample that cannot be read, and why. */
export interface BrokenSample {
  readonly id: string;
  readonly why: string;
}

/**
 * What is wrong, or differs from the official numbers.
 *
 * @param silent Modalities of samples whose files hold nothing of them, by id.
 */
export function setFindings(
  listed: ListedSet,
  broken: readonly BrokenSample[],
  copies: readonly string[],
  silent: ReadonlyMap<string, readonly string[]> = new Map(),
): Finding[] {
  const { samples, repeated, unlisted, official } = listed;
  const missing = samples.filter((sample) => lacking(sample).length > 0);
  const usable = samples.filter((sample) => lacking(sample).length === 0 && !silent.has(sample.id));
  const { differing } = countsOf(listed, usable);
  const found: Finding[] = [];
  const tell = (serious: boolean, about: string) => found.push({ serious, about });
  for (const { id, why } of broken) tell(true, `sample ${id} cannot be read: ${why}`);
  if (repeated.length > 0) tell(true, `${repeated.length} ids are listed more than once: ${some(repeated)}`);
  if (copies.length > 0) tell(true, `${copies.length} samples have the files of another: ${some(copies)}`);
  if (missing.length > 0) {
    const each = missing.map((sample) => `${sample.id} (${lacking(sample).join(", ")})`);
    tell(false, `${missing.length} of ${samples.length} samples lack files: ${some(each)}`);
  }
  if (silent.size > 0) {
    const each = [...silent].map(([id, modalities]) => `${id} (${modalities.join(", ")})`);
    tell(false, `${silent.size} samples have a film without sound: ${some(each)}`);
  }
  if (unlisted.length > 0) tell(false, `${unlisted.length} files are of no sample: ${some(unlisted)}`);
  if (differing.length > 0) tell(false, differingText(official!, differing));
  return found;
}

/** Numbers that differ, in words. */
export const differingText = (
  { name, about }: { readonly name: string; readonly about: string },
  differing: readonly string[],
): string => `${differing.length} numbers differ from ${name}'s (${about}): ${some(differing)}`;

/** A file that stands for a modality of a sample: itself, or the first of a folder. */
async function standing(root: string, path: string): Promise<string> {
  const [name] = twoFolders(path) ?? [path];
  if (!(await Deno.stat(join(root, name))).isDirectory) return name;
  const inside: string[] = [];
  for await (const own of Deno.readDir(join(root, name))) if (own.isFile) inside.push(own.name);
  return inside.length === 0 ? "" : `${name}/${inside.sort()[0]}`;
}

/**
 * Samples whose files are, byte for byte, those of another: "b = a". Of a folder of frames the first is looked at; bytes
 * are read where sizes are equal.
 */
export async function copiesIn({ root, samples, modalities }: ListedSet): Promise<string[]> {
  const names = Object.keys(modalities).filter((modality) => !["text", "sequence"].includes(modalities[modality].kind));
  const sizes = new Map<string, { id: string; files: string[] }[]>();
  for (const { id, files } of samples) {
    const own: string[] = [];
    const lengths: number[] = [];
    for (const name of names) {
      if (files[name] === "") continue;
      const file = await standing(root, files[name]);
      if (file === "") continue;
      own.push(file);
      lengths.push((await Deno.stat(join(root, file))).size);
    }
    if (own.length === 0) continue;
    const key = lengths.join();
    sizes.set(key, [...sizes.get(key) ?? [], { id, files: own }]);
  }
  const copies: string[] = [];
  for (const same of sizes.values()) {
    if (same.length < 2) continue;
    const first = new Map<string, string>();
    for (const { id, files } of same) {
      const hash = createHash("sha256");
      for (const file of files) hash.update(await bytesOfFile(root, file));
      const digest = hash.digest("hex");
      const other = first.get(digest);
      if (other === undefined) first.set(digest, id);
      else copies.push(`${id} = ${other}`);
    }
  }
  return copies;
}

/** How a set is looked at. */
export interface VerifyOptions {
  /** Threads that decode; 0 decodes in this one. */
  readonly readers: number;
  /** Is told how many samples of how many were decoded. */
  readonly onProgress?: (done: number, all: number) => void;
}

/**
 * Decodes every sample, and compares: what is wrong with a set as somebody has it.
 *
 * @throws {Refusal} If it holds arrays none of which can be read.
 */
export async function verifySet(listed: ListedSet, { readers, onProgress }: VerifyOptions): Promise<Finding[]> {
  const { samples, root, modalities } = listed;
  const files = samples.map((sample) => sample.files);
  const forms = await formsOf(modalities, root, (name) => files.map((own) => own[name]).filter(Boolean));
  const broken: BrokenSample[] = [];
  const silent = new Map<string, readonly string[]>();
  let n = 0;
  for await (const decoded of decodeSamples(root, forms, files, { readers })) {
    const { id, files: own } = samples[n];
    if ("broken" in decoded) broken.push({ id, why: brokenText(decoded.broken) });
    else {
      const without = notInside(own, forms, decoded.arrays);
      if (without.length > 0) silent.set(id, without);
    }
    n++;
    onProgress?.(n, samples.length);
  }
  return setFindings(listed, broken, await copiesIn(listed), silent);
}

/** Which file is broken, and why. */
export function brokenText({ what, reason }: Refusal): string {
  return `${what.replace(/^read /, "")}: ${reason}`;
}
