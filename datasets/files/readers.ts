/**
 * One sample's picture or recording as values.
 *
 * @module
 */
import type sharpOf from "sharp";
import { Refusal } from "../../core/refusal.ts";
import { decodeSound, decodeWav, type WavRecording } from "../../formats/mod.ts";
import { isSound } from "../../formats/sound.ts";
import { binsOf, framesOf, melSpectrogram, spectrogram } from "../transforms/log_mel.ts";
import { resampler } from "../transforms/resample.ts";
import { bytesOfFile, FILM, fromFfmpeg, placeOf, WHOLE_OR_NOTHING } from "./media_files.ts";
import type { FilesModality } from "./spec.ts";

/** Height and width that pictures are brought to. */
export const PICTURE_SIZE = 64;
/** Bands of a spectrogram; frames of 25 ms, one every 10 ms. */
export const BANDS = 64;
/** Longest sound that is taken, in seconds, where nothing else is said. */
export const MAX_SECONDS = 10;
/** Added to powers before the natural logarithm. */
export const FLOOR = 1e-6;

type Sharp = typeof sharpOf;
let library: Promise<Sharp> | null = null;

/** Loaded where a picture is read: it brings a library of the machine's own code. */
function sharp(): Promise<Sharp> {
  return library ??= import("sharp").then((module) => module.default);
}

/**
 * A picture [size, size, 3], cut to its shape around the middle, red, green and blue in 0..255.
 *
 * @param file For messages.
 * @throws {Refusal} If it is none, or is cut off.
 */
export async function decodedPicture(bytes: Uint8Array, file: string, size: number): Promise<Uint8Array> {
  const open = await sharp();
  const made = () =>
    open(bytes, { failOn: "truncated" }).rotate().resize(size, size, { fit: "cover" }).toColourspace("srgb");
  let pixels: Uint8Array;
  let channels: number;
  try {
    ({ data: pixels, info: { channels } } = await made().raw().toBuffer({ resolveWithObject: true }));
    // Few pictures can be seen through; the others are spared the pass over their pixels.
    if (channels === 2 || channels === 4) {
      pixels = await made().flatten({ background: "white" }).removeAlpha().raw().toBuffer();
      channels = pixels.length / (size * size);
    }
  } catch (cause) {
    const found = (cause instanceof Error ? cause.message : String(cause)).split("\n")[0].slice(0, 120);
    throw new Refusal({ what: `read "${file}"`, must: "it must be a whole picture", found }, { cause });
  }
  if (channels === 3) return pixels;
  // A grey picture may come as one channel.
  return Uint8Array.from({ length: 3 * size * size }, (_, i) => pixels[Math.floor(i / 3)]);
}

/** A picture's values [size, size, 3]. @throws {Refusal} If it is none, or is cut off. */
export async function pictureValues(root: string, name: string, size: number): Promise<Float32Array> {
  return new Float32Array(await decodedPicture(await bytesOfFile(root, name), name, size));
}

/**
 * A sample's recording; `null` of a film without sound.
 *
 * @throws {Refusal} If it is none, is cut off, or holds no sound.
 */
export async function soundOf(root: string, name: string): Promise<WavRecording | null> {
  const bytes = await bytesOfFile(root, name);
  if (bytes.length === 0 && !/\.wav$/i.test(name)) {
    throw new Refusal({ what: `read "${name}"`, must: "it must hold sound", found: "it is empty" });
  }
  if (bytes.length === 0 || isSound(bytes)) return await decodeSound(bytes, name);
  const path = await placeOf(root, name);
  const args = [...WHOLE_OR_NOTHING, "-i", `file:${path}`, "-vn", "-f", "wav", "-c:a", "pcm_f32le", "pipe:1"];
  const wav = await fromFfmpeg(args, name);
  if (wav !== null) return decodeWav(wav, name, { unfinished: true });
  if (FILM.test(name)) return null;
  throw new Refusal({ what: `read "${name}"`, must: "it must hold sound", found: "it has none" });
}

/** How recordings become values. */
export interface SoundForm {
  readonly kind: "sound";
  readonly front: "log-mel" | "stft" | "waveform";
  readonly rate: number;
  /** Samples at that rate. */
  readonly length: number;
  readonly bands: number;
}

/**
 * The form of a modality of recordings: the rate that is said, else the commonest of them, the lower of equals; the length
 * that is said, else that of the longest, at most 10 s.
 */
export function soundForm(
  { rate: asked, seconds, bands = BANDS, front = "log-mel", from }: FilesModality,
  found: readonly { readonly rate: number; readonly size: number }[],
): { form: SoundForm; note: string | null } {
  const counts = new Map<number, number>();
  for (const { rate } of found) counts.set(rate, (counts.get(rate) ?? 0) + 1);
  const common = [...counts].sort(([a, m], [b, n]) => n - m || a - b)[0]?.[0] ?? 16_000;
  const rate = asked ?? common;
  const longest = found.reduce((most, own) => Math.max(most, Math.ceil(own.size * rate / own.rate)), 1);
  const length = Math.max(1, Math.round(rate * (seconds ?? Math.min(MAX_SECONDS, longest / rate))));
  const others = found.filter((own) => own.rate !== rate).length;
  const note = others === 0
    ? null
    : `${others} of ${found.length} recordings of "${from}" are brought to ${rate} samples a second` +
      (asked === undefined ? ", the commonest rate" : "");
  return { form: { kind: "sound", front, rate, length, bands }, note };
}

/** Makes values of recordings. */
export interface SoundMaker {
  readonly shape: number[];
  about(name: string): string;
  values(recording: WavRecording): Float32Array;
}

/** What a front end makes of a window of samples. */
function frontOf({ front, rate, length, bands }: SoundForm): {
  shape: number[];
  about: string;
  make(window: Float32Array): Float32Array;
} {
  if (front === "waveform") return { shape: [length, 1], about: "waveform", make: (window) => window.slice() };
  const cut = { fft: Math.round(0.025 * rate), hop: Math.max(1, Math.round(0.01 * rate)) };
  const frames = framesOf(length, cut);
  const logarithms = (values: Float32Array) => values.map((power) => Math.log(power + FLOOR));
  if (front === "stft") {
    const powers = spectrogram(cut);
    return {
      shape: [frames, binsOf(cut), 1],
      about: "log power spectrogram",
      make: (window) => logarithms(powers(window)),
    };
  }
  const mel = melSpectrogram({ rate, ...cut, bands });
  return { shape: [frames, bands, 1], about: "log-mel spectrogram", make: (window) => logarithms(mel(window)) };
}

/** Makes values of one form: cut off, or with silence behind them. */
export function soundMaker(form: SoundForm): SoundMaker {
  const { rate, length } = form;
  const { shape, about, make } = frontOf(form);
  const window = new Float32Array(length);
  const resamplers = new Map<number, (signal: Float32Array) => Float32Array>();
  return {
    shape,
    about: (name) =>
      `${about} of ${name}: ${(length / rate).toFixed(2)} s at ${rate} Hz` +
      (form.front === "waveform" ? "" : ", frames of 25 ms every 10 ms"),
    values(recording) {
      let resample = resamplers.get(recording.rate);
      if (resample === undefined) resamplers.set(recording.rate, resample = resampler(recording.rate, rate));
      window.fill(0);
      window.set(resample(recording.signal).subarray(0, length));
      return make(window);
    },
  };
}
