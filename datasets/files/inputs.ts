/**
 * The values of a modality as inputs of splits: scaled, in memory or read by index.
 *
 * @module
 */
import type { Rows } from "../../core/kinds/mod.ts";
import { sizeOf } from "../../core/program.ts";
import { digestOfRows } from "../fingerprint.ts";
import { digestOf, kept } from "./kept.ts";
import { digestAt } from "./streamed_arrays.ts";
import type { Stream, StreamPlace, Values } from "./values.ts";

/** Samples that are read ahead of the one that is looked at. */
const AHEAD = 8;

/** The values of some samples, one after another, in their order. */
async function eachRow(
  { data, info, stream }: Values,
  items: readonly number[],
  look: (row: Float32Array | Int32Array, sample: number) => void,
): Promise<void> {
  if (stream === undefined) {
    const width = sizeOf(info.shape);
    for (const n of items) look(data.subarray(n * width, (n + 1) * width), n);
    return;
  }
  const first = items.length === 0 ? null : stream.read(items[0]);
  if (!(first instanceof Promise)) {
    // Rows of arrays are there at once.
    items.forEach((n, i) => look(i === 0 ? first! : stream.read(n) as Float32Array, n));
    return;
  }
  const waiting: (Float32Array | Promise<Float32Array>)[] = [first];
  for (let i = 0; i < items.length; i++) {
    while (waiting.length < AHEAD && i + waiting.length < items.length) {
      const next = stream.read(items[i + waiting.length]);
      // Whoever waits for it is told.
      if (next instanceof Promise) next.catch(() => {});
      waiting.push(next);
    }
    look(await waiting.shift()!, items[i]);
  }
}

/**
 * How the values of a modality are scaled, as plain data: per last axis, subtract `mean`, multiply by `factor`. What is not
 * there stays 0.
 */
export interface Scaling {
  readonly mean: Float64Array;
  readonly factor: Float64Array;
}

/** Value of the first frame that is there, of sequences that end at the end of the window. */
const startOf = ({ info: { shape }, lengths }: Pick<Values, "info" | "lengths">, n: number): number => {
  if (lengths === undefined) return 0;
  const axis = shape[shape.length - 1];
  return (sizeOf(shape) / axis - lengths[n]) * axis;
};

/** Scales the values of a sample in place, from one of them on. */
export function scaled(row: Float32Array | Int32Array, from: number, { mean, factor }: Scaling): void {
  const axis = mean.length;
  for (let at = from; at < row.length; at += axis) {
    for (let k = 0; k < axis; k++) row[at + k] = (row[at + k] - mean[k]) * factor[k];
  }
}

/**
 * Mean 0 and deviation 1 over the rows that count, per last axis: coordinate of a vector or frame, channel of an image.
 * Values that are not there stay 0; a coordinate that never changes becomes 0.
 *
 * @param counts Whether a sample counts: it is in training.
 */
export async function standardising(values: Values, counts: (n: number) => boolean): Promise<Scaling> {
  const { info: { shape }, present, stream } = values;
  const used = Array.from(present, (there, n) => there === 1 && counts(n) ? n : -1).filter((n) => n !== -1);
  const axis = shape[shape.length - 1];
  if (stream === undefined || !("array" in stream.elsewhere)) return await momentsOf(values, used);
  const bytes = await kept(
    { scaling: shape, samples: digestOf(used.map((n) => digestAt(stream, n))) },
    async () => bytesOfScaling(await momentsOf(values, used)),
  );
  const numbers = new Float64Array(bytes.buffer);
  return { mean: numbers.subarray(0, axis), factor: numbers.subarray(axis) };
}

const bytesOfScaling = ({ mean, factor }: Scaling): Uint8Array<ArrayBuffer> =>
  new Uint8Array(Float64Array.of(...mean, ...factor).buffer);

/** Two passes over some samples: their mean, then how far they are from it. */
async function momentsOf(values: Values, used: readonly number[]): Promise<Scaling> {
  const { info } = values;
  const width = sizeOf(info.shape);
  const axis = info.shape[info.shape.length - 1];
  const sum = new Float64Array(axis);
  const squares = new Float64Array(axis);
  let count = 0;
  await eachRow(values, used, (own, n) => {
    const from = startOf(values, n);
    for (let at = from; at < width; at += axis) for (let k = 0; k < axis; k++) sum[k] += own[at + k];
    count += (width - from) / axis;
  });
  const mean = sum.map((value) => value / Math.max(1, count));
  await eachRow(values, used, (own, n) => {
    for (let at = startOf(values, n); at < width; at += axis) {
      for (let k = 0; k < axis; k++) squares[k] += (own[at + k] - mean[k]) ** 2;
    }
  });
  return { mean, factor: squares.map((value) => value > 0 ? 1 / Math.sqrt(value / count) : 0) };
}

/** Values of some samples, scaled: in memory, or read by index. */
export function inputsOf(
  values: Values,
  scaling: Scaling | null,
  items: readonly number[],
): { readonly array: Float32Array | Int32Array } | { readonly rows: Rows } {
  const { data, info, present, stream } = values;
  const width = sizeOf(info.shape);
  if (stream !== undefined) return { rows: streamedRows(values, stream, scaling, Int32Array.from(items)) };
  const array = data instanceof Int32Array
    ? new Int32Array(items.length * width)
    : new Float32Array(items.length * width);
  items.forEach((n, i) => {
    const own = array.subarray(i * width, (i + 1) * width);
    own.set(data.subarray(n * width, (n + 1) * width));
    if (scaling !== null && present[n] === 1) scaled(own, startOf(values, n), scaling);
  });
  return { array };
}

/** Where rows of a split come from, for another thread. */
export interface RowsPlace {
  readonly width: number;
  readonly place: StreamPlace;
  readonly scaling: Scaling | null;
  /** Sample of the whole of each of the split. */
  readonly places: Int32Array;
  /** Whether each sample of the whole is there. */
  readonly present: Uint8Array;
}

/** The module that reads rows of these places in another thread. */
const READER = new URL("./rows_reader.ts", import.meta.url).href;

function streamedRows({ info, present }: Values, stream: Stream, scaling: Scaling | null, places: Int32Array): Rows {
  const width = sizeOf(info.shape);
  const given: RowsPlace = { width, place: stream.elsewhere, scaling, places, present };
  const rows: Rows = {
    width,
    copy: rowsOfPlace(given, (n) => stream.read(n)),
    elsewhere: { module: READER, given },
  };
  let digest: Promise<string> | null = null;
  return { ...rows, digest: () => digest ??= digestOfPlace(given, stream, () => digestOfRows(rows, places.length)) };
}

/** The digest of a split's rows, which follows from those of its samples and how they are scaled. */
async function digestOfPlace(
  { width, place, scaling, places, present }: RowsPlace,
  stream: Stream,
  made: () => Promise<string>,
): Promise<string> {
  if (!("array" in place)) return await made();
  const bytes = await kept({
    digest: width,
    scaling: scaling === null ? null : digestOf([bytesOfScaling(scaling)]),
    samples: digestOf([...places].flatMap((n) => [present.subarray(n, n + 1), digestAt(stream, n)])),
  }, async () => new TextEncoder().encode(await made()));
  return new TextDecoder().decode(bytes);
}

/** Makes the function that copies a sample's values to a place of an array. */
export function rowsOfPlace(
  { width, scaling, places, present }: RowsPlace,
  read: (sample: number) => Float32Array | Promise<Float32Array>,
): Rows["copy"] {
  const put = (own: Float32Array, into: Float32Array | Int32Array, at: number) => {
    if (scaling !== null) scaled(own, 0, scaling);
    into.set(own, at);
  };
  return (sample, into, at) => {
    const n = places[sample];
    if (present[n] === 0) {
      into.fill(0, at, at + width);
      return undefined;
    }
    const own = read(n);
    return own instanceof Promise ? own.then((values) => put(values, into, at)) : put(own, into, at);
  };
}
