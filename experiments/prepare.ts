/**
 * Somebody's media decoded once, into arrays that are read by index: parallel, bounded in memory, gone on with where it
 * was stopped.
 *
 * The folder that it writes is a dataset like any other: an array `.npy` per modality, `samples.csv` with labels, splits,
 * groups, ids and texts, and `dataset.json`. It holds the same inputs, bit for bit.
 *
 * @module
 */
import { join } from "node:path";
import { mapByModality, modalitiesOf } from "../core/modality.ts";
import type { Dataset, ModalityInfo, SplitName } from "../core/kinds/mod.ts";
import { sizeOf } from "../core/program.ts";
import { Refusal } from "../core/refusal.ts";
import { describe, type FilesModality, type FilesSpec, type Samples, samplesOf } from "../datasets/mod.ts";
import { datasetOf } from "../datasets/files/build.ts";
import { npyHeader } from "../formats/npy.ts";
import { ReadAhead, readElsewhere } from "../loading/read_ahead.ts";
import { writeAtomic } from "../store/files.ts";
import { tableLine, writeBytes } from "./row_files.ts";

/** How a dataset is prepared. */
export interface PrepareOptions {
  /** Leaves broken samples out. @default {false} */
  readonly skip?: boolean;
  /** Threads that decode. @default {1} */
  readonly readers?: number;
  /** Stops between two batches; the next call goes on. */
  readonly signal?: AbortSignal;
  /** Is told how many samples of how many are written. */
  readonly onProgress?: (done: number, all: number) => void;
}

/** What was prepared. */
export interface Prepared {
  readonly samples: number;
  /** Samples that an earlier call had written. */
  readonly before: number;
  /** Whether all are written. */
  readonly finished: boolean;
  readonly notes: readonly string[];
}

/** Samples that are decoded together. */
const BATCH = 64;
const splitNames: readonly SplitName[] = ["train", "validation", "test"];
/** How far a call has come; gone once all is written. */
const PROGRESS = "prepare.json";

/** An array that is written row by row. */
interface Target {
  readonly modality: string;
  readonly info: ModalityInfo;
  readonly type: "|u1" | "<i4" | "<f4";
  readonly file: string;
  readonly head: Uint8Array;
}

/** How a modality is described once it is an array. */
function preparedModality(own: FilesModality, { shape, vocabulary }: ModalityInfo, file: string): FilesModality {
  const kind = vocabulary !== undefined
    ? "tokens"
    : shape.length === 4
    ? "clip"
    : shape.length === 3
    ? "image"
    : shape.length === 2
    ? "sequence"
    : "vector";
  const holds = own.holds ?? (own.kind === "sound" ? own.front ?? "log-mel" : own.kind === "flow" ? "flow" : undefined);
  return { from: file, kind, scale: own.scale, channels: "last", ...holds === undefined ? {} : { holds } };
}

/** Whether the values of a modality are bytes: pictures are, where no sample lacks them. */
function areBytes({ kind }: FilesModality, present: Uint8Array): boolean {
  return (kind === "picture" || kind === "film" || kind === "flow") && !present.includes(0);
}

/** The samples in the order in which they are written: training, validation, test. */
function placesOf({ split }: Samples): Int32Array[] {
  return splitNames.map((_, k) => Int32Array.from(split.keys()).filter((n) => split[n] === k));
}

/** The table of what is no array. */
function tableOf(spec: FilesSpec, samples: Samples): string {
  const texts = Object.entries(samples.values).filter(([_, { texts }]) => texts !== undefined);
  const lines = [tableLine(["label", "split", "id", "group", ...texts.map(([name]) => name)])];
  placesOf(samples).forEach((places, k) => {
    for (const n of places) {
      const written = texts.map(([_, { texts }]) => texts![n]);
      lines.push(
        tableLine([spec.classes[samples.labels[n]], splitNames[k], samples.ids[n], samples.groups[n], ...written]),
      );
    }
  });
  return lines.join("\n") + "\n";
}

/** The `dataset.json` of what is written. */
function specOf(spec: FilesSpec, targets: readonly Target[]): FilesSpec {
  const modalities = mapByModality(spec.modalities, (own, name): FilesModality => {
    const target = targets.find(({ modality }) => modality === name);
    if (target === undefined) return { ...own, from: `samples.csv#${name}` };
    return preparedModality(own, target.info, target.file);
  });
  return {
    format: 1,
    name: spec.name,
    labels: "samples.csv#label",
    classes: spec.classes,
    modalities,
    ...spec.groups === undefined ? {} : { groups: "samples.csv#group" },
    ids: "samples.csv#id",
    split: { from: "samples.csv#split", train: ["train"], validation: ["validation"], test: ["test"] },
  };
}

/** Samples that are written, if the folder holds the beginning of the same. @throws {Refusal} If it holds anything else. */
async function begun(to: string, fingerprint: string): Promise<number> {
  const entries: string[] = [];
  try {
    for await (const { name } of Deno.readDir(to)) entries.push(name);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    await Deno.mkdir(to, { recursive: true });
  }
  if (entries.length === 0) return 0;
  const refuse = (found: string) =>
    new Refusal({
      what: `write into "${to}"`,
      must: "it must be a new folder, or one that this command began on the same data",
      found,
      hint: "name another folder by --to",
    });
  if (!entries.includes(PROGRESS)) throw refuse(`it holds ${entries.sort().slice(0, 5).join(", ")}`);
  const kept = JSON.parse(await Deno.readTextFile(join(to, PROGRESS))) as { fingerprint: string; done: number };
  if (kept.fingerprint !== fingerprint) throw refuse("it was begun on other data");
  return kept.done;
}

/** Writes rows of a batch to their place in a file. */
async function writeRows(to: string, target: Target, values: Float32Array | Int32Array, at: number): Promise<void> {
  const bytes = target.type === "|u1" ? Uint8Array.from(values) : new Uint8Array(values.slice().buffer);
  const width = sizeOf(target.info.shape) * (target.type === "|u1" ? 1 : 4);
  const head = at === 0 ? [{ at: 0, bytes: target.head }] : [];
  await writeBytes(join(to, target.file), [...head, { at: target.head.length + at * width, bytes }]);
}

/** A batch's rows of a modality; NaN where a sample lacks it. */
async function rowsOf(
  dataset: Dataset,
  name: SplitName,
  items: Int32Array,
  { modality, info }: Target,
  ahead: Readonly<Record<string, Float32Array | Int32Array>>,
): Promise<Float32Array | Int32Array> {
  const split = dataset.splits[name];
  const width = sizeOf(info.shape);
  const values = info.dtype === "int32" ? new Int32Array(items.length * width) : new Float32Array(items.length * width);
  if (Object.hasOwn(ahead, modality)) values.set(ahead[modality].subarray(0, values.length) as Float32Array);
  else if (Object.hasOwn(split.inputs, modality)) {
    values.set(split.inputs[modality].subarray(items[0] * width, items[0] * width + values.length) as Float32Array);
  } else for (const [i, item] of items.entries()) await split.rows![modality].copy(item, values, i * width);
  const names = modalitiesOf(dataset.modalities);
  const u = names.indexOf(modality);
  items.forEach((item, i) => {
    const lacks = split.present !== undefined && split.present[item * names.length + u] === 0;
    if (lacks && info.dtype === "float32") values.fill(NaN, i * width, (i + 1) * width);
  });
  return values;
}

/**
 * Decodes somebody's media into a folder of arrays.
 *
 * @param path The data, as for `bench --data`.
 * @param to A new folder, or one that an earlier call began.
 * @throws {Refusal} If the data cannot be read, holds sequences with lengths, or the folder holds something else.
 */
export async function prepareFiles(path: string, to: string, options: PrepareOptions = {}): Promise<Prepared> {
  const { skip = false, readers = 1, signal, onProgress } = options;
  const described = await describe(path);
  const { spec } = described;
  const lengthy = Object.entries(spec.modalities).find(([_, { lengths }]) => lengths !== undefined);
  if (lengthy !== undefined) {
    throw new Refusal({
      what: `prepare modality "${lengthy[0]}"`,
      must: "it must be media, or an array without lengths",
      found: `it has lengths in ${lengthy[1].lengths}`,
      hint: "it is an array already: keep it as it is",
    });
  }
  const plain = { ...spec, modalities: mapByModality(spec.modalities, (own) => ({ ...own, scale: "none" as const })) };
  const samples = await samplesOf({ ...described, spec: plain }, { skip, decode: "by batch" });
  const dataset = await datasetOf(plain, samples, readers);
  const names = modalitiesOf(dataset.modalities);
  const size = samples.split.filter((k) => k < splitNames.length).length;
  const targets = names.filter((name) => samples.values[name].texts === undefined).map((modality): Target => {
    const info = dataset.modalities[modality];
    const bytes = areBytes(spec.modalities[modality], samples.values[modality].present);
    const type = bytes ? "|u1" : info.dtype === "int32" ? "<i4" : "<f4";
    return { modality, info, type, file: `${modality}.npy`, head: npyHeader(type, [size, ...info.shape]) };
  });
  const before = await begun(to, dataset.fingerprint);
  const progress = (done: number) =>
    writeAtomic(join(to, PROGRESS), JSON.stringify({ fingerprint: dataset.fingerprint, done }));
  await progress(before);
  const ahead = new ReadAhead(dataset, names, BATCH);
  let [start, done] = [0, before];
  try {
    for (const name of splitNames) {
      const split = dataset.splits[name];
      const batches: Int32Array[] = [];
      for (let from = Math.max(0, before - start); from < split.size; from += BATCH) {
        batches.push(Int32Array.from({ length: Math.min(BATCH, split.size - from) }, (_, i) => from + i));
      }
      start += split.size;
      for (const [k, items] of batches.entries()) {
        if (signal?.aborted) return { samples: done, before, finished: false, notes: samples.notes };
        const wanted = batches.slice(k, k + 16).map((own) => ({ split, items: own, epoch: null }));
        ahead.announce(wanted);
        const elsewhere = ahead.running && readElsewhere(dataset, names).length > 0;
        const taken = elsewhere ? await ahead.take(wanted[0]) : null;
        for (const target of targets) {
          await writeRows(to, target, await rowsOf(dataset, name, items, target, taken?.arrays ?? {}), done);
        }
        taken?.release();
        done += items.length;
        await progress(done);
        onProgress?.(done, size);
      }
    }
  } finally {
    ahead.dispose();
  }
  await writeAtomic(join(to, "samples.csv"), tableOf(spec, samples));
  await writeAtomic(join(to, "dataset.json"), JSON.stringify(specOf(spec, targets), null, 2) + "\n");
  await Deno.remove(join(to, PROGRESS));
  return { samples: done, before, finished: true, notes: samples.notes };
}
