/**
 * Pairs of a written and a spoken digit: how they are drawn, corrupted and shown, whoever spoke.
 *
 * @module
 */
import type { Dataset, Split, SplitName } from "../core/kinds/mod.ts";
import type { SpecsFor } from "../core/options.ts";
import { Random } from "../core/random.ts";
import { BANDS, decodeTable, FRAMES, LOG_FLOOR, MEL, SIDE, type StoredVoice } from "./av_digits_format.ts";
import { checkDataset } from "./check.ts";
import { standardise } from "./embedded.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { melPowers } from "./transforms/spectrum.ts";

/** Options of digits: how many, and how they are corrupted. */
export interface DigitOptions {
  readonly size: "full" | "mini";
  readonly occlusion: number;
  readonly imageNoise: number;
  readonly snr: number;
  readonly clean: boolean;
  readonly seed: number;
}

/** Images and utterances that pairs are drawn from. */
export interface Digits {
  readonly name: string;
  /** Pixels [images, 28, 28] in class order, and the number of each class. */
  readonly images: Uint8Array;
  readonly imagesPerClass: readonly number[];
  /** Codes [utterances, 32, 32] of mel powers, and each utterance's mean power over the window. */
  readonly audio: Uint8Array;
  readonly power: ArrayLike<number>;
  /** Utterances of a split and class, in order. */
  utterances(split: SplitName, digit: number): readonly number[];
  voiceOf(utterance: number): StoredVoice;
  readonly notices: readonly string[];
}

/** Samples of the small version. */
const MINI: Readonly<Record<SplitName, number>> = { train: 1000, validation: 200, test: 500 };
/** Where a class's images are cut: 70, 10 and 20 %. */
const IMAGE_CUTS = [0.7, 0.8] as const;
/** Frames of white noise that noise is drawn from. */
const NOISE_FRAMES = 4096;

/** Images of a split by class. */
function imagesOf({ imagesPerClass }: Digits, split: SplitName): number[][] {
  const part = ["train", "validation", "test"].indexOf(split);
  let base = 0;
  return imagesPerClass.map((count) => {
    const cuts = [0, ...IMAGE_CUTS.map((share) => Math.floor(share * count)), count];
    const own = Array.from({ length: cuts[part + 1] - cuts[part] }, (_, i) => base + cuts[part] + i);
    base += count;
    return own;
  });
}

/** Pairs of one split: each image once, with an utterance of its class drawn with replacement; shuffled. */
function pairs(digits: Digits, split: SplitName, random: Random): [number, number, number][] {
  const list = imagesOf(digits, split).flatMap((own, digit) => {
    const utterances = digits.utterances(split, digit);
    return own.map((image): [number, number, number] => [
      image,
      utterances[random.integer(utterances.length)],
      digit,
    ]);
  });
  return random.split("order").shuffle(list);
}

/** Mel powers [NOISE_FRAMES, BANDS] of white noise of variance 1. */
function noiseBank(): Float32Array {
  const random = new Random(0).split("av-digits", "noise");
  const mel = melPowers(MEL);
  const bank = new Float32Array(NOISE_FRAMES * BANDS);
  const frame = new Float64Array(MEL.window);
  for (let i = 0; i < NOISE_FRAMES; i++) {
    for (let k = 0; k < frame.length; k++) frame[k] = random.normal();
    mel(frame, 0, bank, i * BANDS);
  }
  return bank;
}

interface Raw {
  readonly labels: Int32Array;
  readonly groups: string[];
  readonly inputs: Record<"audio" | "image", Float32Array>;
}

function render(digits: Digits, split: SplitName, bank: Float32Array, options: DigitOptions): Raw {
  const { images, audio, power } = digits;
  const random = new Random(options.seed).split(digits.name, split);
  const all = pairs(digits, split, random.split("pairs"));
  const list = options.size === "full" ? all : all.slice(0, MINI[split]);
  const pixels = SIDE * SIDE;
  const cells = FRAMES * BANDS;
  const inputs = { image: new Float32Array(list.length * pixels), audio: new Float32Array(list.length * cells) };
  const powers = decodeTable();
  const side = Math.floor(SIDE * options.occlusion);
  list.forEach(([image, utterance], n) => {
    const draw = random.split("corruption", n);
    const picture = inputs.image.subarray(n * pixels, (n + 1) * pixels);
    for (let i = 0; i < pixels; i++) picture[i] = images[image * pixels + i] / 255;
    const sound = inputs.audio.subarray(n * cells, (n + 1) * cells);
    if (options.clean) {
      for (let i = 0; i < cells; i++) sound[i] = Math.log(powers[audio[utterance * cells + i]] + LOG_FLOOR);
      return;
    }
    const [top, left] = [draw.integer(SIDE - side + 1), draw.integer(SIDE - side + 1)];
    for (let row = top; row < top + side; row++) picture.fill(0, row * SIDE + left, row * SIDE + left + side);
    if (options.imageNoise > 0) { for (let i = 0; i < pixels; i++) picture[i] += options.imageNoise * draw.normal(); }
    // Powers add up but for the cross term of signal and noise, whose expectation is 0 and which is left out.
    const variance = power[utterance] / 10 ** (options.snr / 10);
    for (let frame = 0; frame < FRAMES; frame++) {
      const noise = draw.integer(NOISE_FRAMES) * BANDS;
      for (let band = 0; band < BANDS; band++) {
        const i = frame * BANDS + band;
        sound[i] = Math.log(powers[audio[utterance * cells + i]] + variance * bank[noise + band] + LOG_FLOOR);
      }
    }
  });
  return {
    labels: Int32Array.from(list, ([_image, _utterance, digit]) => digit),
    // Images need no group of their own: splits hold different ones, each once.
    groups: list.map(([_image, utterance]) => digits.voiceOf(utterance).family),
    inputs,
  };
}

/** The dataset of pairs of a source. Corruption is drawn from (seed, split, index). */
export async function digitsDataset(source: Digits, options: DigitOptions): Promise<Dataset> {
  const bank = noiseBank();
  const raw = {
    train: render(source, "train", bank, options),
    validation: render(source, "validation", bank, options),
    test: render(source, "test", bank, options),
  };
  // One affine map per modality, from the training split, for all splits.
  const scale = standardise(raw, ["audio", "image"]);
  const finish = ({ labels, groups, inputs }: Raw): Split => ({ size: labels.length, labels, groups, inputs });
  const splits = { train: finish(raw.train), validation: finish(raw.validation), test: finish(raw.test) };
  const dataset: Dataset = {
    name: source.name,
    modalities: {
      audio: {
        shape: [FRAMES, BANDS, 1],
        dtype: "float32",
        about: "log mel spectrogram, 32 frames of 46 ms, standardised",
        logPower: { ...scale.audio, floor: LOG_FLOOR },
      },
      image: { shape: [SIDE, SIDE, 1], dtype: "float32", about: "handwritten digit, standardised" },
    },
    classes: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
    splits,
    fingerprint: await fingerprintOf(splits),
    notices: source.notices,
    preview(name, sample) {
      const { inputs } = splits[name];
      const own = (modality: "audio" | "image", width: number) =>
        inputs[modality].slice(sample * width, (sample + 1) * width) as Float32Array;
      const { mean, std } = scale.image;
      // Noise goes beyond black and white; a picture does not.
      const pixels = Uint8Array.from(
        own("image", SIDE * SIDE),
        (value) => Math.round(255 * Math.min(1, Math.max(0, value * std + mean))),
      );
      return {
        audio: [{ kind: "spectrogram", frames: FRAMES, bands: BANDS, values: own("audio", FRAMES * BANDS) }],
        image: [{ kind: "image", width: SIDE, height: SIDE, channels: 1, values: pixels }],
      };
    },
  };
  checkDataset(dataset);
  return dataset;
}

/** Specs of `DigitOptions`. */
export const digitOptions: SpecsFor<DigitOptions> = {
  size: {
    type: "choice",
    choices: ["full", "mini"],
    default: "full",
    about: "all pairs, or 1000/200/500",
    source: "all that is embedded",
  },
  occlusion: {
    type: "number",
    default: 0.5,
    min: 0,
    max: 1,
    about: "side of one black square, as a share of the image's",
    source: "chosen here so that audio dominates, see docs/datasets.md",
  },
  imageNoise: {
    type: "number",
    default: 0.6,
    min: 0,
    about: "standard deviation of Gaussian noise on pixels in 0..1",
    source: "chosen here so that audio dominates, see docs/datasets.md",
  },
  snr: {
    type: "number",
    default: 0,
    min: -60,
    max: 60,
    about: "signal-to-noise ratio of white noise on the audio, in dB",
    source: "chosen here so that audio dominates, see docs/datasets.md",
  },
  clean: {
    type: "boolean",
    default: false,
    about: "no corruption at all",
    source: "chosen here: corrupted, see docs/datasets.md",
  },
  seed: {
    type: "integer",
    default: 0,
    min: 0,
    about: "seed of pairing and corruption; runs with other seeds share the data",
    source: "any",
  },
};
