/**
 * The ways to corrupt a sample, what each does to which sort of modality, and how strong it is tried.
 *
 * @module
 */
import type { ModalityInfo } from "../../core/kinds/mod.ts";
import type { Random } from "../../core/random.ts";
import * as image from "./image.ts";
import type { Scale } from "./image.ts";
import * as sound from "./sound.ts";
import { dropFeatures, dropTokens, dropWords, mistype, swapTokens } from "./values.ts";

/** What a modality is to corruptions. */
export type Corruptible = "image" | "log-mel" | "waveform" | "tokens" | "features";

/** One sample that is to be corrupted, in place. */
export interface CorruptedSample {
  readonly values: Float32Array | Int32Array;
  readonly info: ModalityInfo;
  readonly scale: Scale;
  readonly severity: number;
  readonly random: Random;
}

/** A way to corrupt. */
export interface CorruptionKind {
  /** What it does and what its severity counts. */
  readonly about: string;
  /** Severities that it takes, both ends included. */
  readonly range: readonly [number, number];
  /** From none to strong: what a curve is drawn over. The first changes nothing, or next to it. */
  readonly severities: readonly number[];
  /** How it is done, by what the modality is. */
  readonly on: Partial<Readonly<Record<Corruptible, (place: CorruptedSample) => void>>>;
  /** How it is done to a text, which is then read anew, where the dataset keeps texts and `on` has no other way. */
  readonly texts?: (text: string, severity: number, random: Random) => string;
}

const floats = ({ values }: CorruptedSample) => values as Float32Array;
const shapeOf = ({ info }: CorruptedSample): image.Shape => [info.shape[0], info.shape[1], info.shape[2]];

/** Mel powers of a sample, changed, and put back as its standardised logarithms. */
function inPowers(place: CorruptedSample, change: (powers: Float64Array) => void): void {
  const { mean, std, floor } = place.info.logPower!;
  const values = floats(place);
  const powers = Float64Array.from(values, (value) => Math.max(0, Math.exp(value * std + mean) - floor));
  change(powers);
  for (let i = 0; i < values.length; i++) values[i] = (Math.log(powers[i] + floor) - mean) / std;
}

/** A waveform without its standardisation's offset. */
function inWave(place: CorruptedSample, change: (wave: Float64Array) => void): void {
  const values = floats(place);
  const wave = Float64Array.from(values, (value) => value - place.scale.mean);
  change(wave);
  for (let i = 0; i < values.length; i++) values[i] = wave[i] + place.scale.mean;
}

const noise = (place: CorruptedSample) => image.addNoise(floats(place), place.severity * place.scale.std, place.random);
const flat = (place: CorruptedSample) => dropFeatures(floats(place), place.severity, place.scale.mean, place.random);

/** Every corruption by its name. */
export const corruptions: Readonly<Record<string, CorruptionKind>> = {
  noise: {
    about: "Gaussian noise; its standard deviation in units of the training split's",
    range: [0, 1000],
    severities: [0, 0.5, 1, 2, 4],
    on: { image: noise, features: noise, waveform: noise, "log-mel": noise },
  },
  impulse: {
    about: "share of pixels that become the least or the greatest value of the training split",
    range: [0, 1],
    severities: [0, 0.05, 0.1, 0.2, 0.4],
    on: { image: (p) => image.impulses(floats(p), shapeOf(p), p.severity, p.scale, p.random) },
  },
  blur: {
    about: "Gaussian blur; its standard deviation in pixels",
    range: [0, 1000],
    severities: [0, 0.5, 1, 2, 4],
    on: { image: (p) => image.blur(floats(p), shapeOf(p), p.severity) },
  },
  motion: {
    about: "blur of a movement along rows, in pixels (an odd number)",
    range: [1, 10_001],
    severities: [1, 3, 5, 9, 15],
    on: { image: (p) => image.motionBlur(floats(p), shapeOf(p), p.severity) },
  },
  occlusion: {
    about: "one square of the training split's mean; its side as a share of the picture's",
    range: [0, 1],
    severities: [0, 0.25, 0.5, 0.75, 1],
    on: { image: (p) => image.occlude(floats(p), shapeOf(p), p.severity, p.scale, p.random) },
  },
  contrast: {
    about: "what is left of the differences from the picture's mean, 1 is all",
    range: [0, 1],
    severities: [1, 0.5, 0.25, 0.1, 0],
    on: { image: (p) => image.contrast(floats(p), p.severity) },
  },
  brightness: {
    about: "added to every value, in standard deviations of the training split",
    range: [-1000, 1000],
    severities: [0, 0.5, 1, 2, 4],
    on: { image: (p) => image.brighten(floats(p), p.severity * p.scale.std) },
  },
  pixelate: {
    about: "side of the blocks that become their means, in pixels",
    range: [1, 10_000],
    severities: [1, 2, 4, 7, 14],
    on: { image: (p) => image.pixelate(floats(p), shapeOf(p), Math.round(p.severity)) },
  },
  jpeg: {
    about: "the loss of JPEG at a quality of 100 (least) to 1",
    range: [1, 100],
    severities: [100, 50, 20, 10, 5],
    on: { image: (p) => image.compress(floats(p), shapeOf(p), p.severity, p.scale) },
  },
  snr: {
    about: "white noise at a signal-to-noise ratio in dB; of log mels in the power domain, as much in every band",
    range: [-200, 200],
    severities: [40, 20, 10, 0, -10],
    on: {
      "log-mel": (p) => inPowers(p, (powers) => sound.powerNoise(powers, p.severity, p.random)),
      waveform: (p) => inWave(p, (wave) => sound.waveNoise(wave, p.severity, p.random)),
    },
  },
  clip: {
    about: "largest value as a share of the sound's own peak, 1 is all; of log mels the powers are limited",
    range: [0, 1],
    severities: [1, 0.5, 0.2, 0.1, 0.05],
    on: {
      "log-mel": (p) => inPowers(p, (powers) => sound.powerClip(powers, p.severity)),
      waveform: (p) => inWave(p, (wave) => sound.waveClip(wave, p.severity)),
    },
  },
  reverb: {
    about: "reverberation: frames (log mels) or samples (waveforms) until it is 60 dB down",
    range: [0, 1_000_000],
    severities: [0, 4, 8, 16, 32],
    on: {
      "log-mel": (p) => inPowers(p, (powers) => sound.powerReverb(powers, p.info.shape[1], p.severity)),
      waveform: (p) => inWave(p, (wave) => sound.waveReverb(wave, p.severity, p.random)),
    },
  },
  typos: {
    about: "share of tokens that become another id: what a mistyped word is to a vocabulary",
    range: [0, 1],
    severities: [0, 0.1, 0.25, 0.5, 0.75],
    on: { tokens: (p) => swapTokens(p.values as Int32Array, p.severity, p.info.vocabulary!, p.random) },
  },
  "letter-typos": {
    about: "share of a text's letters that are left out, doubled, swapped with the next or replaced; it is read anew",
    range: [0, 1],
    severities: [0, 0.05, 0.1, 0.2, 0.4],
    on: {},
    texts: mistype,
  },
  "word-drop": {
    about: "share of tokens or words that are left out",
    range: [0, 1],
    severities: [0, 0.1, 0.25, 0.5, 0.75],
    on: { tokens: (p) => dropTokens(p.values as Int32Array, p.severity, p.random) },
    texts: dropWords,
  },
  "feature-drop": {
    about: "share of values that become the training split's mean",
    range: [0, 1],
    severities: [0, 0.1, 0.25, 0.5, 0.75],
    on: { features: flat, "log-mel": flat, image: flat },
  },
};

/** What a modality is to corruptions: told by its shape, its type and what its dataset says of it. */
export function corruptible({ shape, dtype, vocabulary, logPower, waveform }: ModalityInfo): Corruptible {
  if (dtype === "int32" && vocabulary !== undefined) return "tokens";
  if (logPower !== undefined) return "log-mel";
  if (waveform === true) return "waveform";
  return shape.length === 3 || shape.length === 4 ? "image" : "features";
}

/** Names of the corruptions that a modality takes. @param texts Whether its dataset keeps its texts. */
export function corruptionsOf(info: ModalityInfo, texts = false): string[] {
  const what = corruptible(info);
  return Object.entries(corruptions).filter(([, kind]) =>
    kind.on[what] !== undefined || (texts && kind.texts !== undefined)
  ).map(([name]) => name);
}
