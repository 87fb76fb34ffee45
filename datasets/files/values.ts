/**
 * From arrays of any type and layout to the inputs of one modality.
 *
 * @module
 */
import type { ModalityInfo } from "../../core/kinds/mod.ts";
import { sizeOf } from "../../core/program.ts";
import { Refusal } from "../../core/refusal.ts";
import { type ForeignArray, narrowFloats } from "../../formats/mod.ts";
import { heldInfo } from "./holds.ts";
import type { MediaForm } from "./media.ts";
import type { FilesKind, FilesModality } from "./spec.ts";

/** One modality of all samples. */
export interface Values {
  readonly info: ModalityInfo;
  /** Row-major [N, ...shape]; 0 where a sample lacks it. */
  readonly data: Float32Array | Int32Array;
  /** Whether each sample has it [N]. */
  readonly present: Uint8Array;
  /** Frames that are there, of sequences with lengths [N]: they end at the last one of the window. */
  readonly lengths?: Int32Array;
  /** Samples a second, of recordings. */
  readonly rate?: number;
  /** Texts as they are written [N], of a modality of texts. */
  readonly texts?: readonly string[];
  /** How another text becomes values. */
  readonly read?: (text: string) => Int32Array;
  /** Where values are too many to be held: `data` is empty then. */
  readonly stream?: Stream;
}

/** Values that are read by index. */
export interface Stream {
  /** The values of a sample, before they are scaled. */
  read(sample: number): Float32Array | Promise<Float32Array>;
  /** A digest of each sample's values, 32 bytes one behind the other. */
  readonly digests: Uint8Array;
  /** The same for another thread. */
  readonly elsewhere: StreamPlace;
}

/** Where the values of a stream come from: plain data. */
export type StreamPlace =
  | { readonly array: ArrayPlace }
  | { readonly media: { readonly form: MediaForm; readonly names: readonly string[]; readonly root: string } };

/** An array whose rows are read by index. */
export interface ArrayPlace {
  readonly root: string;
  readonly reference: string;
}

const shapeText = (shape: readonly number[]) => `[${shape.join(", ")}]`;

/** A sample that cannot be used, and why. */
export interface Broken {
  readonly sample: number;
  readonly why: string;
}

/** What shapes each kind takes, for messages. */
const shapes: Readonly<Record<Exclude<FilesKind, "picture" | "sound" | "film" | "flow" | "text">, string>> = {
  vector: "[N] or [N, d]",
  sequence: "[N, T] or [N, T, d]",
  image: "[N, H, W, c], [N, c, H, W] (channels first) or [N, H, W] (channels none)",
  clip: "[N, T, H, W, c], [N, T, c, H, W] (channels first) or [N, T, H, W] (channels none)",
  tokens: "[N, T] integers",
};

/** Shape of one sample. @throws {Refusal} If the kind has no such shape. */
export function sampleShape(name: string, { kind, channels }: FilesModality, shape: readonly number[]): number[] {
  const [, ...rest] = shape;
  if (sizeOf(rest) === 0) {
    throw new Refusal({
      what: `use modality "${name}"`,
      must: "it must have values",
      found: `found ${shapeText(shape)}`,
    });
  }
  if (kind === "vector" && shape.length <= 2) return rest.length === 0 ? [1] : rest;
  if (kind === "sequence" && shape.length === 2) return [...rest, 1];
  if (kind === "sequence" && shape.length === 3) return rest;
  if (kind === "tokens" && shape.length === 2) return rest;
  if (kind === "image" && shape.length === 3 && channels === "none") return [...rest, 1];
  if (kind === "image" && shape.length === 4 && channels !== "none") {
    return channels === "first" ? [rest[1], rest[2], rest[0]] : rest;
  }
  if (kind === "clip" && shape.length === 4 && channels === "none") return [...rest, 1];
  if (kind === "clip" && shape.length === 5 && channels !== "none") {
    return channels === "first" ? [rest[0], rest[2], rest[3], rest[1]] : rest;
  }
  throw new Refusal({
    what: `use modality "${name}" as ${kind === "image" || kind === "clip" ? `${kind} (channels ${channels})` : kind}`,
    must: `its shape must be ${shapes[kind as keyof typeof shapes] ?? "one text a sample"}`,
    found: `found ${shapeText(shape)}`,
    hint: 'say another "kind" in dataset.json',
  });
}

/** [..., c, H, W] to [..., H, W, c]. */
function channelsLast(data: Float32Array, shape: readonly number[]): Float32Array {
  const [height, width, channels] = shape.slice(-3);
  const area = height * width;
  const moved = new Float32Array(data.length);
  for (let at = 0; at < data.length; at += area * channels) {
    for (let c = 0; c < channels; c++) {
      for (let p = 0; p < area; p++) moved[at + p * channels + c] = data[at + c * area + p];
    }
  }
  return moved;
}

/** Lengths of sequences. @throws {Refusal} If one is no whole number within the window. */
function lengthsOf(name: string, array: ForeignArray, size: number, window: number): Int32Array {
  const refuse = (found: string) =>
    new Refusal({
      what: `use the lengths of modality "${name}"`,
      must: `they must be ${size} integers of 0..${window}`,
      found,
    });
  if (array.type === "text" || array.shape.length !== 1 || array.shape[0] !== size) {
    throw refuse(`found ${array.type} of shape ${shapeText(array.shape)}`);
  }
  const bad = array.data.findIndex((value) => !Number.isInteger(value) || value < 0 || value > window);
  if (bad !== -1) throw refuse(`sample ${bad} has ${array.data[bad]}`);
  return Int32Array.from(array.data);
}

function checkRow(name: string, row: ArrayLike<number>, n: number): void {
  for (let k = 0; k < row.length; k++) {
    if (Number.isFinite(row[k])) continue;
    throw new Refusal({
      what: `use modality "${name}"`,
      must: "every value must be a finite number",
      found: `sample ${n} has ${row[k]} at position ${k}`,
      hint: "a sample that lacks the modality has NaN in all of its values; leave others out: --skip-broken",
    });
  }
}

/**
 * Looks at the values of a sample: NaN alone becomes 0, and means that it lacks the modality.
 *
 * @returns Whether it has the modality, 1 or 0.
 * @throws {Refusal} If a value is no finite number, unless `broken` takes the sample.
 */
export function lookedAt(name: string, row: Float32Array, n: number, broken: Broken[] | null): number {
  let first = 0;
  while (first < row.length && Number.isFinite(row[first])) first++;
  if (first === row.length) return 1;
  if (row.every(Number.isNaN)) {
    row.fill(0);
    return 0;
  }
  if (broken === null) checkRow(name, row, n);
  else broken.push({ sample: n, why: `"${name}" has ${row[first]}` });
  return 1;
}

/** Numbers of a modality; rows of NaN alone are samples that lack it. */
function floats(
  name: string,
  array: Exclude<ForeignArray, { type: "text" }>,
  width: number,
  broken: Broken[] | null,
): { data: Float32Array; present: Uint8Array } {
  const given = array.data instanceof Float64Array || array.data instanceof Float32Array
    ? narrowFloats(array.data, `modality "${name}"`)
    : Float32Array.from(array.data);
  const size = array.shape[0];
  const data = given.slice();
  const present = new Uint8Array(size).fill(1);
  for (let n = 0; n < size; n++) {
    const row = data.subarray(n * width, (n + 1) * width);
    present[n] = lookedAt(name, row, n, broken);
  }
  return { data, present };
}

/** Moves the frames that are there to the end of the window, where recurrent networks end, and clears the rest. */
function alignedToEnd(data: Float32Array, lengths: Int32Array, [window, width]: readonly number[]): void {
  lengths.forEach((length, n) => {
    const row = data.subarray(n * window * width, (n + 1) * window * width);
    row.copyWithin((window - length) * width, 0, length * width);
    row.fill(0, 0, (window - length) * width);
  });
}

function tokens(name: string, array: Exclude<ForeignArray, { type: "text" }>): Int32Array {
  const bad = array.data.findIndex((id) => !Number.isInteger(id) || id < 0 || id > 0x7fffffff);
  if (bad === -1) return Int32Array.from(array.data);
  const window = array.shape[1];
  throw new Refusal({
    what: `use modality "${name}" as tokens`,
    must: "ids must be integers >= 0, 0 for padding",
    found: `sample ${Math.floor(bad / window)} has ${array.data[bad]} at position ${bad % window}`,
    hint: "save features as floats: array.astype(numpy.float32)",
  });
}

/**
 * Turns an array into the inputs of a modality.
 *
 * @param lengths Lengths of sequences, if they are given.
 * @param broken Takes samples with values that are no numbers, which are refused without it.
 * @throws {Refusal} If its shape or a value does not fit its kind.
 */
export function valuesOf(
  name: string,
  spec: FilesModality,
  array: ForeignArray,
  lengths: ForeignArray | undefined,
  broken: Broken[] | null = null,
): Values {
  if (array.type === "text") {
    throw new Refusal({
      what: `use modality "${name}"`,
      must: "it must hold numbers",
      found: `found texts, the first ${JSON.stringify(array.data[0]?.slice(0, 40) ?? "")}`,
      hint: "turn texts into token ids or features first",
    });
  }
  const shape = sampleShape(name, spec, array.shape);
  const [size] = array.shape;
  const own = lengths === undefined ? undefined : lengthsOf(name, lengths, size, shape[0]);
  if (spec.kind === "tokens") {
    const data = tokens(name, array);
    const window = shape[0];
    own?.forEach((length, n) => data.fill(0, n * window + length, (n + 1) * window));
    const present = Uint8Array.from(
      { length: size },
      (_, n) => data.subarray(n * window, (n + 1) * window).some((id) => id !== 0) ? 1 : 0,
    );
    const vocabulary = data.reduce((most, id) => Math.max(most, id), 0) + 1;
    return {
      data,
      present,
      info: { shape, dtype: "int32", vocabulary, about: `token ids of ${spec.from}, 0 is padding` },
    };
  }
  const width = sizeOf(shape);
  if (own !== undefined) {
    const [window, columns] = shape;
    // What lies behind the end of a sequence is not looked at: a copy says that it is nothing.
    const data = Float64Array.from(array.data);
    own.forEach((length, n) => data.fill(length === 0 ? NaN : 0, (n * window + length) * columns, (n + 1) * width));
    array = { type: "float64", shape: array.shape, data };
  }
  const { data, present } = floats(name, array, width, broken);
  if (own !== undefined) alignedToEnd(data, own, shape);
  const about = own === undefined
    ? `${spec.kind} of ${spec.from}`
    : `${spec.kind} of ${spec.from}, moved to the end of the window, 0 before it`;
  return {
    data: (spec.kind === "image" || spec.kind === "clip") && spec.channels === "first"
      ? channelsLast(data, shape)
      : data,
    present,
    lengths: own,
    info: { shape, dtype: "float32", about, ...heldInfo(spec.holds, shape) },
  };
}

/** How an array is read by index: kind, shape and order of its values as in memory. */
export function streams(spec: FilesModality): boolean {
  const plain = spec.kind === "vector" || spec.kind === "sequence" ||
    ((spec.kind === "image" || spec.kind === "clip") && spec.channels !== "first");
  return plain && spec.lengths === undefined;
}
