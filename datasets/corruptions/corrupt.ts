/**
 * Corrupted and missing modalities: a view of any dataset, drawn from (seed, split, index, modality, corruption).
 *
 * @module
 */
import { byModality, modalitiesOf } from "../../core/modality.ts";
import type { Dataset, ModalityInfo, Split, SplitName } from "../../core/kinds/mod.ts";
import { sizeOf } from "../../core/program.ts";
import { Random } from "../../core/random.ts";
import { Refusal } from "../../core/refusal.ts";
import { didYouMean } from "../../core/suggest.ts";
import { chunksOf } from "../rows.ts";
import * as image from "./image.ts";
import type { Scale } from "./image.ts";
import * as sound from "./sound.ts";
import { dropFeatures, dropTokens, dropWords, mistype, swapTokens } from "./values.ts";

/** What a modality is to corruptions. */
export type Corruptible = "image" | "log-mel" | "waveform" | "tokens" | "features";

/** A corruption of one modality at one severity. */
export interface Corruption {
  readonly modality: string;
  /** A name of `corruptions`. */
  readonly name: string;
  readonly severity: number;
}

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

/** How a corruption is done to a modality: to its values, or to the texts that they are made of. */
type Way =
  | { readonly values: (place: CorruptedSample) => void }
  | { readonly texts: (text: string, severity: number, random: Random) => string };

/** Checks one corruption against a dataset. @throws {Refusal} If it lacks the modality, or that does not take it so. */
function checked(dataset: Dataset, { modality, name, severity }: Corruption): Way {
  const what = `corrupt "${modality}.${name}" of dataset "${dataset.name}"`;
  const all = modalitiesOf(dataset.modalities);
  if (!all.includes(modality)) {
    throw new Refusal({
      what,
      must: "the dataset must have the modality",
      found: `it has ${all.join(", ")}`,
      hint: didYouMean(modality, all),
    });
  }
  const info = dataset.modalities[modality];
  const read = Object.hasOwn(dataset.reads ?? {}, modality);
  const names = corruptionsOf(info, read);
  if (!names.includes(name)) {
    throw new Refusal({
      what,
      must: `it must be a corruption of ${corruptible(info)}`,
      found: `there are ${names.join(", ")}`,
      hint: didYouMean(name, names),
    });
  }
  const [least, most] = corruptions[name].range;
  if (!(severity >= least && severity <= most)) {
    throw new Refusal({
      what,
      must: `its severity must be ${least} to ${most} (${corruptions[name].about})`,
      found: `found ${severity}`,
    });
  }
  const values = corruptions[name].on[corruptible(info)];
  return values === undefined ? { texts: corruptions[name].texts! } : { values };
}

/** @throws {Refusal} If a text is to be changed after its values, which are read from it anew. */
function checkOrder(dataset: Dataset, steps: readonly (Corruption & { readonly way: Way })[]): void {
  steps.forEach(({ modality, name, way }, k) => {
    const before = steps.slice(0, k).find((other) => other.modality === modality && "values" in other.way);
    if ("values" in way || before === undefined) return;
    throw new Refusal({
      what: `corrupt "${modality}.${name}" of dataset "${dataset.name}"`,
      must: "what changes texts must stand before what changes their values",
      found: `it stands after "${modality}.${before.name}"`,
      hint: `write "${modality}.${name}" first`,
    });
  });
}

/** Mean, standard deviation and ends of a modality's values in a split, samples that lack it left out. */
export async function scaleOf(
  dataset: Dataset,
  modality: string,
  split: Split = dataset.splits.train,
): Promise<image.Scale> {
  const info = dataset.modalities[modality];
  const width = sizeOf(info.shape);
  const m = modalitiesOf(dataset.modalities);
  const u = m.indexOf(modality);
  let [count, mean, squares, least, most] = [0, 0, 0, Infinity, -Infinity];
  for await (const { from, values } of chunksOf(split, modality, info)) {
    for (let i = 0; i < values.length; i++) {
      if (split.present?.[(from + Math.floor(i / width)) * m.length + u] === 0) continue;
      const value = values[i];
      // Welford's running moments: one pass, and no loss where the mean is large.
      const before = value - mean;
      mean += before / ++count;
      squares += before * (value - mean);
      if (value < least) least = value;
      if (value > most) most = value;
    }
  }
  return count === 0 ? { mean: 0, std: 1, least: 0, most: 1 } : { mean, std: Math.sqrt(squares / count), least, most };
}

/** What is done to a dataset's splits. */
export interface CorruptOptions {
  /** In the order in which they are applied. @default none */
  readonly corrupt?: readonly Corruption[];
  /** By modality, the share of samples that lack it: each sample by its own chance. @default none */
  readonly drop?: Readonly<Record<string, number>>;
  /** Splits that are corrupted. */
  readonly splits: readonly SplitName[];
  readonly seed: number;
}

/**
 * A dataset whose samples are corrupted or lack modalities, in some of its splits; the given one is left as it is.
 *
 * A sample that would lose all it has keeps one of them, drawn with equal chances.
 *
 * @throws {Refusal} If a modality is not there or does not take the corruption, or a number is out of range.
 */
export async function corrupted(
  dataset: Dataset,
  { corrupt = [], drop = {}, splits, seed }: CorruptOptions,
): Promise<Dataset> {
  const steps: (Corruption & { way: Way; scale: image.Scale })[] = [];
  for (const one of corrupt) {
    steps.push({ ...one, way: checked(dataset, one), scale: await scaleOf(dataset, one.modality) });
  }
  checkOrder(dataset, steps);
  checkDrops(dataset, drop);
  const change = (name: SplitName): Split => {
    const split = dataset.splits[name];
    if (!splits.includes(name)) return split;
    const random = new Random(seed).split("corrupt", name);
    const inputs = { ...split.inputs };
    const rows = { ...split.rows };
    for (const modality of new Set(steps.map((step) => step.modality))) {
      const info = dataset.modalities[modality];
      const own = steps.filter((step) => step.modality === modality);
      const width = sizeOf(info.shape);
      const mistyped = (values: Float32Array | Int32Array, n: number) => {
        const given = split.texts?.[modality]?.[n] ?? "";
        const text = own.reduce(
          (text, { name: kind, severity, way }) =>
            "texts" in way ? way.texts(text, severity, random.split(n, modality, kind)) : text,
          given,
        );
        if (text !== given) values.set(dataset.reads![modality](text));
      };
      const apply = (values: Float32Array | Int32Array, n: number) => {
        mistyped(values, n);
        for (const { name: kind, severity, way, scale } of own) {
          if (!("values" in way)) continue;
          for (const frame of framesOf(values, info)) {
            way.values({ ...frame, scale, severity, random: random.split(n, modality, kind) });
          }
        }
      };
      if (Object.hasOwn(inputs, modality)) {
        const copy = inputs[modality].slice();
        for (let n = 0; n < split.size; n++) {
          if (hasModality(dataset, split, n, modality)) apply(copy.subarray(n * width, (n + 1) * width), n);
        }
        inputs[modality] = copy;
      } else {
        const source = rows[modality];
        rows[modality] = {
          width,
          async copy(sample, into, at) {
            await source.copy(sample, into, at);
            if (hasModality(dataset, split, sample, modality)) apply(into.subarray(at, at + width), sample);
          },
        };
      }
    }
    return dropped(dataset, { ...split, inputs, ...split.rows === undefined ? {} : { rows } }, drop, random);
  };
  // What a dataset shows of its samples it shows of them as they were.
  const { preview: _, ...rest } = dataset;
  return {
    ...rest,
    splits: { train: change("train"), validation: change("validation"), test: change("test") },
  };
}

/** A sample's own values; of a film [T, H, W, c] those of each frame, which are corrupted alike. */
function framesOf(
  values: Float32Array | Int32Array,
  info: ModalityInfo,
): Pick<CorruptedSample, "values" | "info">[] {
  const [frames, ...shape] = info.shape;
  if (corruptible(info) !== "image" || shape.length < 3) return [{ values, info }];
  const width = sizeOf(shape);
  const own = { ...info, shape };
  return Array.from({ length: frames }, (_, t) => ({
    values: values.subarray(t * width, (t + 1) * width),
    info: own,
  }));
}

function hasModality({ modalities }: Dataset, { present }: Split, n: number, modality: string): boolean {
  const all = modalitiesOf(modalities);
  return present === undefined || present[n * all.length + all.indexOf(modality)] === 1;
}

function checkDrops(dataset: Dataset, drop: Readonly<Record<string, number>>): void {
  const all = modalitiesOf(dataset.modalities);
  for (const [modality, share] of Object.entries(drop)) {
    const what = `drop "${modality}" of dataset "${dataset.name}"`;
    if (!all.includes(modality)) {
      throw new Refusal({
        what,
        must: "the dataset must have the modality",
        found: `it has ${all.join(", ")}`,
        hint: didYouMean(modality, all),
      });
    }
    if (!(share >= 0 && share <= 1)) {
      throw new Refusal({ what, must: "its share of samples must be 0 to 1", found: `found ${share}` });
    }
  }
}

/** A split some of whose samples lack modalities. */
function dropped(dataset: Dataset, split: Split, drop: Readonly<Record<string, number>>, random: Random): Split {
  if (Object.values(drop).every((share) => share === 0)) return split;
  const all = modalitiesOf(dataset.modalities);
  const present = new Uint8Array(split.size * all.length);
  for (let n = 0; n < split.size; n++) {
    const own = random.split(n, "drop");
    const had = all.filter((modality) => hasModality(dataset, split, n, modality));
    // A number each for all modalities: what one loses does not hang on another's share.
    const chances = new Map(all.map((modality) => [modality, own.uniform()]));
    const kept = had.filter((modality) =>
      chances.get(modality)! >= (Object.hasOwn(drop, modality) ? drop[modality] : 0)
    );
    const left = kept.length > 0 || had.length === 0 ? kept : [had[own.integer(had.length)]];
    for (const modality of left) present[n * all.length + all.indexOf(modality)] = 1;
  }
  const blank = (modality: string, n: number) => present[n * all.length + all.indexOf(modality)] === 0;
  const inputs = byModality(Object.keys(split.inputs), (modality) => {
    const values = split.inputs[modality].slice();
    const width = sizeOf(dataset.modalities[modality].shape);
    for (let n = 0; n < split.size; n++) if (blank(modality, n)) values.fill(0, n * width, (n + 1) * width);
    return values;
  });
  const rows = byModality(Object.keys(split.rows ?? {}), (modality) => ({
    width: split.rows![modality].width,
    async copy(sample: number, into: Float32Array | Int32Array, at: number) {
      if (blank(modality, sample)) into.fill(0, at, at + split.rows![modality].width);
      else await split.rows![modality].copy(sample, into, at);
    },
  }));
  return { ...split, inputs, ...split.rows === undefined ? {} : { rows }, present };
}
