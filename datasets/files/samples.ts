/**
 * From files and what `dataset.json` says of them to samples with a split each.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { sizeOf } from "../../core/program.ts";
import { Random } from "../../core/random.ts";
import { Refusal } from "../../core/refusal.ts";
import { type ForeignArray, MAX_HELD_BYTES } from "../../formats/mod.ts";
import { bytesText } from "../../formats/arrays.ts";
import { checkIds, givenSplit, indicesOf, textsOf } from "./labels.ts";
import type { DataFiles } from "./refs.ts";
import type { FilesSpec } from "./spec.ts";
import { mediaOf } from "./media.ts";
import { dealt, joined, splitNames } from "./splits.ts";
import { streamedMedia } from "./streamed_media.ts";
import { tokenizedTexts } from "./tokenized.ts";
import { digestAt, streamedValues } from "./streamed_arrays.ts";
import { type Broken, streams, type Values, valuesOf } from "./values.ts";

/** All samples of a dataset, before they are split. */
export interface Samples {
  readonly size: number;
  readonly labels: Int32Array;
  readonly values: Readonly<Record<string, Values>>;
  /** Index of the split of each sample; 3 for those that are left out. */
  readonly split: Uint8Array;
  /** Given names, or `row <n>`. */
  readonly groups: readonly string[];
  /** Given names, or `row <n>`. */
  readonly ids: readonly string[];
  /** SHA-256 of each sample's values in all modalities. */
  readonly hashes: readonly string[];
  /** Samples that are left out as they are broken. */
  readonly broken: readonly Broken[];
  /** What was decided here. */
  readonly notes: readonly string[];
}

const SHARES = [0.7, 0.1, 0.2] as const;
/** Split of samples that are left out. */
export const DROPPED = 3;

/** Kinds whose references lead to media, or are texts. */
const mediaKinds: ReadonlySet<string> = new Set(["picture", "sound", "film", "flow", "text"]);

/** Arrays of all folders of a given split, one behind the other. */
function concatenated(arrays: readonly ForeignArray[], reference: string): ForeignArray {
  if (arrays.length === 1) return arrays[0];
  const [first] = arrays;
  const row = first.shape.slice(1);
  const odd = arrays.find(({ shape, type }) =>
    shape.slice(1).join() !== row.join() || (type === "text") !== (first.type === "text")
  );
  if (odd !== undefined) {
    throw new Refusal({
      what: `read "${reference}"`,
      must: "it must have one shape and type in every split",
      found: arrays.map(({ shape, type }) => `${type} [${shape.join(", ")}]`).join(" and "),
    });
  }
  const shape = [arrays.reduce((sum, { shape }) => sum + shape[0], 0), ...row];
  if (first.type === "text") {
    return { type: "text", shape, data: arrays.flatMap(({ data }) => data as readonly string[]) };
  }
  const data = new Float64Array(sizeOf(shape));
  let at = 0;
  for (const array of arrays) {
    data.set(array.data as Float64Array, at);
    at += array.data.length;
  }
  // Whole numbers stay whole: 32-bit integers and floats fit into 64-bit floats.
  return { type: "float64", shape, data };
}

/** Reads a reference, of every folder of a given split. */
async function readAll(files: DataFiles, spec: FilesSpec, reference: string): Promise<ForeignArray[]> {
  if (!("folders" in spec.split)) return [await files.read(reference)];
  const arrays: ForeignArray[] = [];
  for (const name of splitNames) {
    const folder = spec.split.folders[name];
    if (folder !== undefined) arrays.push(await files.read(reference.replaceAll("{split}", folder)));
  }
  return arrays;
}

/** What a reference leads to, of all folders of a given split together. */
async function whole(files: DataFiles, spec: FilesSpec, reference: string): Promise<ForeignArray> {
  return concatenated(await readAll(files, spec, reference), reference);
}

const shapeText = (shape: readonly number[]) => `[${shape.join(", ")}]`;

/** How samples are read. */
export interface ReadOptions {
  /** Leaves out samples with broken files or values, counted and listed, in place of refusing them. @default {false} */
  readonly skip?: boolean;
  /** Whether media are decoded by batch whatever their size. @default {"if they fit"} */
  readonly decode?: "if they fit" | "by batch";
  /** Most bytes that arrays may take in memory. @default {MAX_HELD_BYTES} */
  readonly most?: number;
}

/**
 * Modalities that are read by index.
 *
 * @throws {Refusal} If the others still take more memory than they may.
 */
async function streamedOf(
  files: DataFiles,
  spec: FilesSpec,
  most: number,
): Promise<{ streamed: Set<string>; left: number }> {
  const sizes = await Promise.all(
    Object.entries(spec.modalities).map(async ([name, own]) => ({
      name,
      // What media take is known once they are decoded; texts are held.
      bytes: mediaKinds.has(own.kind) ? 0 : await files.heldBytes(own.from),
      able: streams(own) && !("folders" in spec.split) && await files.rowsOf(own.from) !== null,
    })),
  );
  let sum = sizes.reduce((sum, { bytes }) => sum + bytes, 0);
  const streamed = new Set<string>();
  for (const { name, bytes } of sizes.filter(({ able }) => able).sort((a, b) => b.bytes - a.bytes)) {
    if (sum <= most) break;
    streamed.add(name);
    sum -= bytes;
  }
  if (sum <= most) return { streamed, left: most - sum };
  const largest = sizes.filter(({ name }) => !streamed.has(name)).reduce((a, b) => b.bytes > a.bytes ? b : a);
  throw new Refusal({
    what: `use dataset "${spec.name}"`,
    must: `what is not read by index must take at most ${bytesText(most)} of memory`,
    found: `it takes ${bytesText(sum)}, of which "${largest.name}" ${bytesText(largest.bytes)}`,
    hint: "save large modalities as .npy or .safetensors, row by row",
  });
}

/**
 * Reads everything; arrays that take more memory together than they may are read by index, the largest first.
 *
 * @throws {Refusal} If anything else does not fit; the message says which sample or array.
 */
export async function readSamples(
  files: DataFiles,
  spec: FilesSpec,
  options: ReadOptions = {},
): Promise<Samples> {
  const labels = indicesOf(textsOf(await whole(files, spec, spec.labels), "labels"), spec.classes);
  const size = labels.length;
  const { values, broken, gone, decided } = await readValues(files, spec, size, options);
  checkSomething(values, size, broken, gone, options.skip ?? false);
  const dropped = new Set(broken.map(({ sample }) => sample));
  const listed = async (reference: string | undefined, what: string): Promise<string[] | null> => {
    if (reference === undefined) return null;
    const texts = textsOf(await whole(files, spec, reference), what);
    if (texts.length === size) return texts;
    throw new Refusal({
      what: `use ${what}`,
      must: `there must be ${size}, one a label`,
      found: `found ${texts.length}`,
    });
  };
  const ids = await listed(spec.ids, "ids");
  if (ids !== null) checkIds(ids);
  const given = await listed(spec.groups, "groups");
  const names = given?.map((name, n) => name === "" ? `row ${n}` : name) ?? null;
  const rows = Array.from({ length: size }, (_, n) => `row ${n}`);
  const hashes = hashesOf(values, size);
  const { split, notes } = await splitOfSamples(files, spec, labels, names ?? rows, hashes);
  // In no split: whatever is gathered leaves them out.
  for (const sample of dropped) split[sample] = DROPPED;
  if (dropped.size > 0) {
    const listing = broken.slice(0, 10).map(({ sample, why }) => `sample ${sample} (${why})`).join("; ");
    notes.push(
      `${dropped.size} of ${size} samples are broken and left out: ${listing}${broken.length > 10 ? "; ..." : ""}`,
    );
  }
  notes.push(...decided);
  return { size, labels, values, groups: names ?? rows, ids: ids ?? rows, hashes, split, broken, notes };
}

/** The values of every modality, what is broken in them, and what was decided about media. @param size Labels. */
async function readValues(
  files: DataFiles,
  spec: FilesSpec,
  size: number,
  { skip = false, decode = "if they fit", most = MAX_HELD_BYTES }: ReadOptions,
): Promise<{ values: Record<string, Values>; broken: Broken[]; gone: Map<number, string>; decided: string[] }> {
  const values: Record<string, Values> = {};
  const found: string[] = [`labels [${size}]`];
  const broken: Broken[] = [];
  const plan = await streamedOf(files, spec, most);
  const { streamed } = plan;
  let { left } = plan;
  const decided: string[] = [];
  const gone = new Map<number, string>();
  /** Whether decoded media of so many bytes are held. */
  const held = (bytes: number) => {
    if (decode === "by batch" || bytes > left) return false;
    left -= bytes;
    return true;
  };
  const checkRows = (name: string, shape: readonly number[]) => {
    found.push(`${name} ${shapeText(shape)}`);
    if (shape[0] === size) return;
    throw new Refusal({
      what: `use modality "${name}"`,
      must: `it must have a row for each of the ${size} labels`,
      found: `found ${shape[0] ?? "a single number"}; ${found.join(", ")}`,
    });
  };
  for (const [name, own] of Object.entries(spec.modalities)) {
    if (streamed.has(name)) {
      const { shape, rows } = (await files.rowsOf(own.from))!;
      checkRows(name, shape);
      const place = { root: files.root, reference: own.from };
      values[name] = await streamedValues(name, own, { shape, rows, place }, skip ? broken : null);
      continue;
    }
    const array = await whole(files, spec, own.from);
    checkRows(name, array.shape);
    if (mediaKinds.has(own.kind)) {
      const given = textsOf(array, `modality "${name}"`);
      const media: Awaited<ReturnType<typeof mediaOf>> = own.tokenizer === undefined
        ? await mediaOf(own, given, files.root, skip, held)
        : await tokenizedTexts(own, given, files.root);
      values[name] = media.undecoded === undefined ? media : await streamedMedia(media, media.undecoded);
      broken.push(...media.broken);
      for (const [n, file] of media.gone ?? []) gone.set(n, file);
      decided.push(...media.notes ?? []);
      continue;
    }
    const lengths = own.lengths === undefined ? undefined : await whole(files, spec, own.lengths);
    values[name] = valuesOf(name, own, array, lengths, skip ? broken : null);
  }
  return { values, broken, gone, decided };
}

/**
 * Looks whether every sample and modality has something.
 *
 * @param broken Takes samples without anything, if these are left out.
 * @param gone Files that are named and not there, by sample.
 * @throws {Refusal} If a sample has no modality at all and is not left out, or a modality no sample.
 */
function checkSomething(
  values: Readonly<Record<string, Values>>,
  size: number,
  broken: Broken[],
  gone: ReadonlyMap<number, string>,
  skip: boolean,
): void {
  const all = Object.entries(values);
  const dropped = new Set(broken.map(({ sample }) => sample));
  for (let n = 0; n < size; n++) {
    if (dropped.has(n) || all.some(([_, { present }]) => present[n] === 1)) continue;
    const file = gone.get(n);
    const why = file === undefined ? "" : `: "${file}" is not there`;
    if (!skip) {
      throw new Refusal({
        what: "use the samples",
        must: "each must have a modality",
        found: `sample ${n} has none${why}`,
        hint: "leave such samples out: --skip-broken",
      });
    }
    broken.push({ sample: n, why: `it has no modality${why}` });
    dropped.add(n);
  }
  const absent = all.find(([_, { present }]) => present.every((there) => there === 0));
  if (absent !== undefined) {
    const found = broken.length === 0
      ? "none has"
      : `none has, and ${dropped.size} of ${size} are broken, the first as ${broken[0].why}`;
    throw new Refusal({ what: `use modality "${absent[0]}"`, must: "some sample must have it", found });
  }
}

/** A digest of every sample's values: equal ones are copies of one sample. */
function hashesOf(values: Readonly<Record<string, Values>>, size: number): string[] {
  const all = Object.keys(values).sort().map((name) => values[name]);
  return Array.from({ length: size }, (_, n) => {
    const hash = createHash("sha256");
    for (const { info, data, present, stream } of all) {
      const width = sizeOf(info.shape);
      if (stream !== undefined) {
        hash.update(Uint8Array.of(present[n])).update(digestAt(stream, n));
        continue;
      }
      const row = data.subarray(n * width, (n + 1) * width);
      hash.update(Uint8Array.of(present[n])).update(new Uint8Array(row.buffer, row.byteOffset, row.byteLength));
    }
    return hash.digest("base64");
  });
}

/** The split as given, or made: by groups, copies of a sample in one group, classes in equal shares. */
async function splitOfSamples(
  files: DataFiles,
  spec: FilesSpec,
  labels: Int32Array,
  groups: readonly string[],
  hashes: readonly string[],
): Promise<{ split: Uint8Array; notes: string[] }> {
  const seed = "shares" in spec.split ? spec.split.seed : 0;
  const random = new Random(seed).split("files", "split");
  const together = joined([groups, hashes]);
  if ("shares" in spec.split) {
    const { shares } = spec.split;
    const split = dealt(labels, together, shares, random);
    return {
      split,
      notes: [`split ${shares.join(" : ")} by seed ${seed}, classes in equal shares, groups and copies together`],
    };
  }
  let split: Uint8Array;
  if ("from" in spec.split) {
    const values = textsOf(await whole(files, spec, spec.split.from), "the split");
    split = givenSplit(values, spec.split);
  } else {
    const { folders } = spec.split;
    const sizes = (await readAll(files, spec, spec.labels)).map(({ shape }) => shape[0]);
    const present = splitNames.flatMap((name, k) => folders[name] === undefined ? [] : [k]);
    split = Uint8Array.from(present.flatMap((k, i) => new Array<number>(sizes[i]).fill(k)));
  }
  if (split.includes(1)) return { split, notes: [] };
  // Selection needs samples that are neither trained on nor tested.
  const own = Int32Array.from(split.keys()).filter((n) => split[n] === 0);
  const [train, validation] = SHARES;
  const dealtOut = dealt(own.map((n) => labels[n]), own.map((n) => together[n]), [train, validation], random);
  own.forEach((n, i) => split[n] = dealtOut[i]);
  return { split, notes: [`validation: an eighth of training by seed ${seed}, by the same rule; test is as given`] };
}
