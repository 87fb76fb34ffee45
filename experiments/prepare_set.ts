/**
 * A published set, as people have it on disk, decoded once into the folder of arrays that everything here reads: parallel,
 * bounded in memory, gone on with where it was stopped.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { mapByModality } from "../core/modality.ts";
import type { SetSample } from "../core/kinds/mod.ts";
import { sizeOf } from "../core/program.ts";
import { Refusal } from "../core/refusal.ts";
import {
  absentOf,
  brokenText,
  countsOf,
  decodeSamples,
  type FilesModality,
  type FilesSpec,
  formsOf,
  lacking,
  type ListedSet,
  notInside,
  type SampleArrays,
  type SetForm,
} from "../datasets/mod.ts";
import { holdsOf } from "../datasets/files/media.ts";
import { npyHeader } from "../formats/npy.ts";
import { makeFolder, writeAtomic } from "../store/files.ts";
import { tableLine, writeBytes } from "./row_files.ts";

/** How a set is prepared. */
export interface PrepareSetOptions {
  /** Leaves samples with broken files out, counted and listed, in place of refusing them. @default {false} */
  readonly skip?: boolean;
  /** Keeps samples that lack a modality, with a mask; else they are left out, counted and listed. @default {false} */
  readonly incomplete?: boolean;
  /** Threads that decode; 0 decodes in this one. @default {1} */
  readonly readers?: number;
  /** Stops between two batches; the next call goes on. */
  readonly signal?: AbortSignal;
  /** Is told how many samples of how many have been looked at. */
  readonly onProgress?: (done: number, all: number) => void;
}

/** What came of a set; `report.json` holds it too. */
export interface PreparedSet {
  readonly finished: boolean;
  /** Samples that are written. */
  readonly samples: number;
  /** Samples that an earlier call had looked at. */
  readonly before: number;
  readonly broken: readonly { readonly id: string; readonly why: string }[];
  /** Samples that are left out as files of them are not there, with those modalities. */
  readonly missing: readonly { readonly id: string; readonly modalities: readonly string[] }[];
  /** Samples that are left out as their film has no sound, with the modalities that are made of it. */
  readonly silent: readonly { readonly id: string; readonly modalities: readonly string[] }[];
  /** Numbers that differ from the official ones. */
  readonly differing: readonly string[];
}

/** Samples between two notes of how far it has come. */
const BATCH = 32;
/** How far a call has come; gone once all is written. */
const PROGRESS = "prepare.json";

/** A sample that is left out, once it was looked at: why it is broken, or what its files hold nothing of. */
interface Left {
  readonly at: number;
  readonly why?: string;
  readonly lacks?: readonly string[];
}

/** How far a call has come. */
interface Progress {
  readonly key: string;
  /** Samples that were looked at. */
  readonly done: number;
  readonly left: readonly Left[];
}

/** An array that is written row by row. */
interface Target {
  readonly modality: string;
  readonly form: SetForm;
  readonly type: "|u1" | "<f4";
  readonly width: number;
  readonly file: string;
}

function targetsOf(forms: Readonly<Record<string, SetForm>>, samples: readonly SetSample[]): Target[] {
  return Object.entries(forms).map(([modality, form]) => {
    // NaN says that a sample lacks it, which bytes cannot.
    const type = form.bytes && samples.every(({ files }) => files[modality] !== "") ? "|u1" : "<f4";
    const width = sizeOf(form.shape) * (type === "|u1" ? 1 : 4);
    return { modality, form, type, width, file: `${modality}.npy` };
  });
}

/** The head of a target with so many rows. Numbers of rows that are possible give heads of one length. */
const headOf = ({ type, form }: Target, rows: number) => npyHeader(type, [rows, ...form.shape]);

function bytesOfRow({ modality, form, type }: Target, arrays: SampleArrays): Uint8Array {
  const own = arrays[modality] ?? absentOf(form);
  if (type === "|u1") return own as Uint8Array;
  const values = own instanceof Uint8Array ? Float32Array.from(own) : own;
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** What an earlier call wrote; nothing in a new folder. @throws {Refusal} If the folder holds anything else. */
async function begun(to: string, key: string): Promise<Progress> {
  await makeFolder(to);
  const entries: string[] = [];
  for await (const { name } of Deno.readDir(to)) entries.push(name);
  if (entries.length === 0) return { key, done: 0, left: [] };
  const refuse = (found: string) =>
    new Refusal({
      what: `write into "${to}"`,
      must: "it must be a new folder, or one that this command began on the same files",
      found,
      hint: "name another folder by --to",
    });
  if (!entries.includes(PROGRESS)) throw refuse(`it holds ${entries.sort().slice(0, 5).join(", ")}`);
  const kept = JSON.parse(await Deno.readTextFile(join(to, PROGRESS))) as Progress;
  if (kept.key !== key) throw refuse("it was begun on other files, or with other options");
  return kept;
}

/** Kinds of arrays by the axes of a sample. */
const KINDS = ["vector", "vector", "sequence", "image", "clip"] as const;

/** What an array says of the media that it was made of. An array of a file each is a spectrogram if it is [T, bands]. */
function heldBy(form: SetForm): Pick<FilesModality, "holds"> {
  if (form.kind === "array" && form.shape.length === 3 && form.shape[2] === 1) return { holds: "spectrogram" };
  const holds = form.kind === "media" ? holdsOf(form.form) : null;
  return holds === null ? {} : { holds };
}

/** The `dataset.json` of what is written. */
function specOf(
  { set, modalities }: ListedSet,
  classes: readonly string[],
  samples: readonly SetSample[],
  targets: readonly Target[],
): FilesSpec {
  const made = samples.every(({ split }) => split === null);
  return {
    format: 1,
    name: set.name,
    labels: "samples.csv#label",
    classes,
    modalities: mapByModality(modalities, (own, name): FilesModality => {
      const target = targets.find(({ modality }) => modality === name);
      if (target === undefined) {
        const words = own.words === undefined ? {} : { words: own.words };
        return { from: `samples.csv#${name}`, kind: "text", scale: "none", channels: "last", ...words };
      }
      return {
        from: target.file,
        kind: KINDS[target.form.shape.length],
        scale: own.scale ?? "standard",
        channels: "last",
        ...heldBy(target.form),
      };
    }),
    ...samples.every(({ group }) => group === "") ? {} : { groups: "samples.csv#group" },
    ids: "samples.csv#id",
    split: made
      ? { shares: [0.7, 0.1, 0.2], seed: 0 }
      : { from: "samples.csv#split", train: ["train"], validation: ["validation"], test: ["test"] },
  };
}

function tableOf({ modalities }: ListedSet, samples: readonly SetSample[]): string {
  const texts = Object.keys(modalities).filter((name) => modalities[name].kind === "text");
  const rows = samples.map(({ id, label, split, group, files }) => [
    label,
    split ?? "",
    id,
    group,
    ...texts.map((name) => files[name]),
  ]);
  return [["label", "split", "id", "group", ...texts], ...rows].map(tableLine).join("\n") + "\n";
}

/** What decides every byte that is written. */
function keyOf({ set, classes, modalities }: ListedSet, samples: readonly SetSample[], incomplete: boolean): string {
  const hash = createHash("sha256").update(JSON.stringify([set.name, classes, modalities, incomplete]));
  for (const sample of samples) hash.update(JSON.stringify(sample));
  return hash.digest("hex");
}

/** Whether a sample's files can be read. */
async function decodable(
  root: string,
  forms: Readonly<Record<string, SetForm>>,
  { files }: SetSample,
): Promise<boolean> {
  for await (const decoded of decodeSamples(root, forms, [files], { readers: 0 })) return "arrays" in decoded;
  return false;
}

/**
 * Goes back to the first sample that an earlier call found broken and that can be read now; where none may be left out,
 * to the first of them.
 */
async function lookedAgain(
  start: Progress,
  readable: (at: number) => Promise<boolean>,
  skip: boolean,
): Promise<Progress> {
  for (const [k, { at, why }] of start.left.entries()) {
    if (why === undefined || (skip && !await readable(at))) continue;
    return { ...start, done: at, left: start.left.slice(0, k) };
  }
  return start;
}

/**
 * Decodes a set into a folder of arrays, `dataset.json` and `report.json`.
 *
 * @param listed What somebody has of it.
 * @param to A new folder, or one that an earlier call began on the same files. What that call found broken is looked at
 *   again.
 * @throws {Refusal} If a file is broken, unless `skip`; if nothing is left, or the folder holds something else.
 */
export async function prepareSet(listed: ListedSet, to: string, options: PrepareSetOptions = {}): Promise<PreparedSet> {
  const { skip = false, incomplete = false, readers = 1, signal, onProgress } = options;
  const { root, modalities } = listed;
  const nothing = ({ files }: SetSample) => Object.values(files).every((file) => file === "");
  const whole = (sample: SetSample) => incomplete ? !nothing(sample) : lacking(sample).length === 0;
  const samples = listed.samples.filter(whole);
  const missing = listed.samples.filter((sample) => !whole(sample))
    .map((sample) => ({ id: sample.id, modalities: lacking(sample) }));
  if (samples.length === 0) {
    throw new Refusal({
      what: `prepare ${listed.set.title}`,
      must: "a sample must have its files",
      found: `all ${missing.length} lack some: ${missing[0].id} lacks ${missing[0].modalities.join(", ")}`,
    });
  }
  const forms = await formsOf(modalities, root, (name) => samples.map(({ files }) => files[name]).filter(Boolean));
  const targets = targetsOf(forms, samples);
  const key = keyOf(listed, samples, incomplete);
  const start = await lookedAgain(await begun(to, key), (at) => decodable(root, forms, samples[at]), skip);
  const left = [...start.left];
  let done = start.done;
  const note = () => writeAtomic(join(to, PROGRESS), JSON.stringify({ key, done, left } satisfies Progress));
  await note();
  let rows: SampleArrays[] = [];
  const flush = async () => {
    const at = done - left.length;
    for (const target of targets) {
      const head = headOf(target, samples.length);
      const parts = rows.map((own, k) => ({
        at: head.length + (at - rows.length + k) * target.width,
        bytes: bytesOfRow(target, own),
      }));
      await writeBytes(join(to, target.file), [...at === rows.length ? [{ at: 0, bytes: head }] : [], ...parts]);
    }
    rows = [];
    await note();
    onProgress?.(done, samples.length);
  };
  const rest = samples.slice(done).map(({ files }) => files);
  for await (const decoded of decodeSamples(root, forms, rest, { readers })) {
    if ("broken" in decoded) {
      if (!skip) {
        throw decoded.broken.with({
          hint: `${decoded.broken.hint ?? "mend it"}, or leave broken ones out: --skip-broken`,
        });
      }
      left.push({ at: done, why: brokenText(decoded.broken) });
    } else {
      const files = rest[done - start.done];
      const lacks = notInside(files, forms, decoded.arrays);
      const something = Object.values(files).filter((file) => file !== "").length > lacks.length;
      const kept = lacks.length === 0 || (incomplete && something);
      if (kept) rows.push(decoded.arrays);
      else left.push({ at: done, lacks });
    }
    done++;
    if (done % BATCH !== 0 && done < samples.length) continue;
    await flush();
    if (signal?.aborted && done < samples.length) break;
  }
  const out = new Set(left.map(({ at }) => at));
  const used = samples.slice(0, done).filter((_, n) => !out.has(n));
  const { differing } = countsOf(listed, used);
  const result: PreparedSet = {
    finished: done === samples.length,
    samples: used.length,
    before: start.done,
    broken: left.flatMap(({ at, why }) => why === undefined ? [] : [{ id: samples[at].id, why }]),
    missing,
    silent: left.flatMap(({ at, lacks }) => lacks === undefined ? [] : [{ id: samples[at].id, modalities: lacks }]),
    differing,
  };
  if (result.finished) await finish(listed, to, targets, used, result);
  return result;
}

/** Writes what makes the folder a dataset. @throws {Refusal} If no sample is left. */
async function finish(
  listed: ListedSet,
  to: string,
  targets: readonly Target[],
  used: readonly SetSample[],
  { broken, missing, silent, differing }: PreparedSet,
): Promise<void> {
  if (used.length === 0) {
    throw new Refusal({
      what: `prepare ${listed.set.title}`,
      must: "a sample must be whole",
      found: "all are broken or without sound",
    });
  }
  for (const target of targets) {
    const head = headOf(target, used.length);
    const path = join(to, target.file);
    await writeBytes(path, [{ at: 0, bytes: head }]);
    await Deno.truncate(path, head.length + used.length * target.width);
  }
  const { set, official, notes } = listed;
  // Somebody may have a part of a set: a class without a sample cannot be trained on.
  const classes = listed.classes.filter((name) => used.some(({ label }) => label === name));
  const report = {
    set: set.name,
    licence: set.licence,
    official: official?.name ?? null,
    samples: used.length,
    classesWithoutSamples: listed.classes.filter((name) => !classes.includes(name)),
    differing,
    missing,
    silent,
    broken,
    repeated: listed.repeated,
    unlisted: listed.unlisted,
    notes,
  };
  await writeAtomic(join(to, "samples.csv"), tableOf(listed, used));
  await writeAtomic(join(to, "report.json"), JSON.stringify(report, null, 2) + "\n");
  await writeAtomic(join(to, "dataset.json"), JSON.stringify(specOf(listed, classes, used, targets), null, 2) + "\n");
  await Deno.remove(join(to, PROGRESS));
}
