/**
 * Pictures, recordings and texts as the inputs of a modality.
 *
 * @module
 */
import { isAbsolute, join, normalize, relative } from "node:path";
import { Refusal } from "../../core/refusal.ts";
import { decodeWav, type WavRecording } from "../../formats/mod.ts";
import { fileSource } from "../../formats/source.ts";
import { framesOf, melSpectrogram } from "../transforms/log_mel.ts";
import type { FilesModality } from "./spec.ts";
import type { Broken, Values } from "./values.ts";

/** Endings of media files. */
export const PICTURE = /\.(jpe?g|png|webp|gif|tiff?|bmp|avif)$/i;
/** Endings of recordings that are read. */
export const SOUND = /\.wav$/i;

/** Largest file of one sample. */
const MAX_MEDIA_BYTES = 500_000_000;
/** Height and width that pictures are brought to. */
export const PICTURE_SIZE = 64;
/** Bands of a spectrogram; frames of 25 ms, one every 10 ms. */
export const BANDS = 64;
/** Longest sound that is taken, in seconds, where nothing else is said. */
export const MAX_SECONDS = 10;
/** Added to powers before the logarithm. */
const FLOOR = 1e-6;
/** Tokens of a text that are read. */
export const MAX_WORDS = 64;
/** Id of a word that training does not know; 0 is padding. */
const UNKNOWN = 1;

/** Inputs made of media, and those that could not be made. */
export interface MediaValues extends Values {
  readonly broken: readonly Broken[];
}

/** Reads a file of the dataset's folder. @throws {Refusal} If it lies outside of it, or cannot be read. */
async function bytesOf(root: string, name: string): Promise<Uint8Array<ArrayBuffer>> {
  const refuse = (found: string) =>
    new Refusal({ what: `read "${name}"`, must: "it must lie in the folder of the dataset", found });
  if (isAbsolute(name) || normalize(name).split(/[\\/]/)[0] === "..") throw refuse("its path leads out of it");
  const path = join(root, name);
  const source = await fileSource(path);
  try {
    const real = relative(await Deno.realPath(root), await Deno.realPath(path));
    if (real.split(/[\\/]/)[0] === ".." || isAbsolute(real)) throw refuse("it is a link out of it");
    if (source.size > MAX_MEDIA_BYTES) {
      throw new Refusal({
        what: `read "${name}"`,
        must: `it must have at most ${MAX_MEDIA_BYTES} bytes`,
        found: `found ${source.size}`,
      });
    }
    return await source.read(0, source.size);
  } finally {
    source.close();
  }
}

/** Reads each sample's file; what is broken is thrown, or gathered where that is asked for. */
async function each<T>(
  root: string,
  names: readonly string[],
  skip: boolean,
  make: (bytes: Uint8Array<ArrayBuffer>, name: string, n: number) => Promise<T> | T,
): Promise<{ made: (T | null)[]; broken: Broken[] }> {
  const made: (T | null)[] = new Array(names.length).fill(null);
  const broken: Broken[] = [];
  for (const [n, name] of names.entries()) {
    if (name === "") continue;
    try {
      made[n] = await make(await bytesOf(root, name), name, n);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (!skip) {
        throw error.hint === undefined
          ? error.with({ hint: "mend it, or leave broken ones out: --skip-broken" })
          : error;
      }
      broken.push({ sample: n, why: `${name}: ${error.reason}` });
    }
  }
  return { made, broken };
}

const presentOf = (made: readonly unknown[]) => Uint8Array.from(made, (value) => value === null ? 0 : 1);

/** Pictures, brought to one size (cut to its shape around the middle), red, green and blue in 0..255. */
async function pictures(
  name: string,
  { size = PICTURE_SIZE }: FilesModality,
  names: readonly string[],
  root: string,
  skip: boolean,
): Promise<MediaValues> {
  // Loaded here alone: it brings a library of the machine's own code.
  const { default: sharp } = await import("sharp");
  const width = size * size * 3;
  const { made, broken } = await each(root, names, skip, async (bytes, file) => {
    try {
      return await sharp(bytes, { failOn: "truncated" }).rotate().resize(size, size, { fit: "cover" })
        .toColourspace("srgb").flatten({ background: "white" }).removeAlpha().raw().toBuffer();
    } catch (cause) {
      const found = (cause instanceof Error ? cause.message : String(cause)).split("\n")[0].slice(0, 120);
      throw new Refusal({ what: `read "${file}"`, must: "it must be a whole picture", found }, { cause });
    }
  });
  const data = new Float32Array(names.length * width);
  made.forEach((pixels, n) => {
    if (pixels === null) return;
    // A grey picture may come as one channel.
    const channels = pixels.length / (size * size);
    for (let i = 0; i < width; i++) data[n * width + i] = pixels[channels === 3 ? i : Math.floor(i / 3)];
  });
  return {
    data,
    present: presentOf(made),
    broken,
    info: {
      shape: [size, size, 3],
      dtype: "float32",
      about: `pictures of ${name}, ${size} x ${size}, cut around the middle`,
    },
  };
}

/** Recordings as log-mel spectrograms [frames, bands, 1] of one length: cut off, or silence behind them. */
async function sounds(
  name: string,
  { seconds, bands = BANDS }: FilesModality,
  names: readonly string[],
  root: string,
  skip: boolean,
): Promise<MediaValues> {
  let first: { name: string; rate: number } | null = null;
  const { made, broken } = await each(root, names, skip, (bytes, file): WavRecording => {
    const recording = decodeWav(bytes, file);
    first ??= { name: file, rate: recording.rate };
    if (recording.rate !== first.rate) {
      throw new Refusal({
        what: `read "${file}"`,
        must: `it must have ${first.rate} samples a second, as "${first.name}"`,
        found: `found ${recording.rate}`,
        hint: `convert it: ffmpeg -i IN -ar ${first.rate} OUT.wav`,
      });
    }
    return recording;
  });
  const rate = (first as { rate: number } | null)?.rate ?? 16_000;
  const longest = made.reduce((most, recording) => Math.max(most, recording?.signal.length ?? 0), 1);
  const length = Math.max(1, Math.round(rate * (seconds ?? Math.min(MAX_SECONDS, longest / rate))));
  const options = { rate, fft: Math.round(0.025 * rate), hop: Math.max(1, Math.round(0.01 * rate)), bands };
  const mel = melSpectrogram(options);
  const frames = framesOf(length, options);
  const data = new Float32Array(names.length * frames * bands);
  const window = new Float32Array(length);
  made.forEach((recording, n) => {
    if (recording === null) return;
    window.fill(0);
    window.set(recording.signal.subarray(0, length));
    data.set(mel(window).map((power) => Math.log(power + FLOOR)), n * frames * bands);
  });
  const about = `log-mel spectrogram of ${name}: ${
    (length / rate).toFixed(2)
  } s at ${rate} Hz, frames of 25 ms every 10 ms`;
  return { data, present: presentOf(made), broken, info: { shape: [frames, bands, 1], dtype: "float32", about } };
}

/** Lower-case words and numbers of a text. */
export function wordsOf(text: string): string[] {
  return text.normalize("NFKC").toLowerCase().match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];
}

/** Texts as ids of their words, in the order of their first appearance; empty ones are missing. */
function texts(name: string, { words: most = MAX_WORDS }: FilesModality, given: readonly string[]): MediaValues {
  const ids = new Map<string, number>();
  const all = given.map((text) => wordsOf(text).slice(0, most));
  const window = all.reduce((longest, words) => Math.max(longest, words.length), 1);
  const data = new Int32Array(given.length * window);
  all.forEach((words, n) => {
    words.forEach((word, k) => {
      let id = ids.get(word);
      if (id === undefined) ids.set(word, id = ids.size + 2);
      data[n * window + k] = id;
    });
  });
  return {
    data,
    present: Uint8Array.from(all, (words) => words.length === 0 ? 0 : 1),
    broken: [],
    info: { shape: [window], dtype: "int32", vocabulary: ids.size + 2, about: `words of ${name}` },
  };
}

/** Words that training keeps. */
const MAX_VOCABULARY = 20_000;

/**
 * The same texts with ids for the words of training alone, the most frequent ones; others become 1.
 *
 * @param counts Whether a sample is in training.
 */
export function knownWords(
  { data, info }: Values,
  counts: (n: number) => boolean,
): Pick<Values, "data" | "info"> {
  const [window] = info.shape;
  const seen = new Float64Array(info.vocabulary!);
  data.forEach((id, k) => seen[id] += id >= 2 && counts(Math.floor(k / window)) ? 1 : 0);
  const kept = Array.from(seen.keys()).filter((id) => seen[id] > 0).sort((a, b) => seen[b] - seen[a] || a - b)
    .slice(0, MAX_VOCABULARY);
  const next = new Int32Array(info.vocabulary!).fill(UNKNOWN);
  next[0] = 0;
  kept.forEach((id, k) => next[id] = k + 2);
  const about = `${info.about}: ${kept.length} of training, 1 for others, 0 is padding`;
  return { data: Int32Array.from(data, (id) => next[id]), info: { ...info, vocabulary: kept.length + 2, about } };
}

/**
 * Turns files and texts into the inputs of a modality.
 *
 * @param given Paths within the folder, or the texts themselves; "" where a sample has none.
 * @param skip Whether broken files are gathered instead of refused.
 * @throws {Refusal} If a file is broken, lies outside the folder, or recordings differ in their rate.
 */
export function mediaOf(
  spec: FilesModality,
  given: readonly string[],
  root: string,
  skip: boolean,
): Promise<MediaValues> | MediaValues {
  if (spec.kind === "picture") return pictures(spec.from, spec, given, root, skip);
  if (spec.kind === "sound") return sounds(spec.from, spec, given, root, skip);
  return texts(spec.from, spec, given);
}
