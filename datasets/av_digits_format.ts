/**
 * What the builder and the loader of `av-digits` share: constants and the stored form.
 *
 * @module
 */
import type { StoredFile, StoredManifest } from "./embedded.ts";
import type { MelOptions } from "./transforms/spectrum.ts";

/** Samples per second of the stored spectrograms' signal. */
export const RATE = 11_025;
/** Length of the audio window in samples: 0.9 s. */
export const WINDOW_SAMPLES = Math.floor(0.9 * RATE);
/** Frames per spectrogram. */
export const FRAMES = 32;
/** Mel bands per frame. */
export const BANDS = 32;
/** Samples from one frame to the next, so that 32 frames of 512 fill the window. */
export const HOP = Math.floor((WINDOW_SAMPLES - 512) / (FRAMES - 1));
/** Mel front end: 512-point Hann frames, 32 bands from 60 Hz to half the rate. */
export const MEL: MelOptions = { rate: RATE, window: 512, bands: BANDS, lowest: 60 };
/** Height and width of an image. */
export const SIDE = 28;
/** Least power: what is below is silence. */
export const POWER_FLOOR = 1e-6;
/** Added before the logarithm: what is softer is heard as silence. */
export const LOG_FLOOR = 1e-3;
/** Natural logarithm of power at code 0 and per code step. */
export const CODE_LOW = Math.log(POWER_FLOOR);
/** Step of the 8-bit code; 255 steps reach e^(0.0812 * 255) above the floor, more than any stored power. */
export const CODE_STEP = 0.085;

/** Power of a mel cell to its 8-bit code. */
export function encodePower(power: number): number {
  const code = Math.round((Math.log(Math.max(power, POWER_FLOOR)) - CODE_LOW) / CODE_STEP);
  return Math.min(255, Math.max(0, code));
}

/** Powers of the 256 codes; code 0 is silence. */
export function decodeTable(): Float64Array {
  return Float64Array.from({ length: 256 }, (_, code) => code === 0 ? 0 : Math.exp(CODE_LOW + code * CODE_STEP));
}

/** One stored voice. */
export interface StoredVoice {
  /** eSpeak NG variant. */
  readonly variant: string;
  /** Variant without trailing digits, lower case: voices of one family share a split. */
  readonly family: string;
  readonly split: "train" | "validation" | "test";
}

/** `av_digits.manifest.json`. */
export interface AvDigitsManifest extends StoredManifest {
  readonly files: Readonly<Record<"images" | "audio", StoredFile>>;
  /** Images per class; image i of class c is at the sum of the counts before plus i. */
  readonly imagesPerClass: readonly number[];
  /** Voices in stored order. Utterance (voice, setting, digit) is at (voice * settings + setting) * 10 + digit. */
  readonly voices: readonly StoredVoice[];
  /** Rate (words per minute) and pitch (0..100) of each setting. */
  readonly settings: readonly (readonly [number, number])[];
  /** Mean power of each utterance over the window, in stored order. */
  readonly power: readonly number[];
}
