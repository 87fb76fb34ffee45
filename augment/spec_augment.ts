/**
 * Masks on spectrograms.
 *
 * @module
 */
import { type AugmentationPlugin, defineAugmentation } from "../core/kinds/mod.ts";
import type { Random } from "../core/random.ts";
import { modality, noTime } from "./inputs.ts";

interface Options {
  readonly modality: string;
  readonly masks: number;
  readonly time: number;
  readonly bands: number;
}

/** A stretch of 0 .. most of an axis, at a random place. */
function stretchOf(size: number, most: number, random: Random): readonly [from: number, to: number] {
  const length = random.integer(Math.floor(size * most) + 1);
  const from = random.integer(size - length + 1);
  return [from, from + length];
}

/** spec-augment: stretches of time and of bands at the sample's mean. */
export const specAugment: AugmentationPlugin = defineAugmentation<Options>({
  name: "spec-augment",
  about: "sets stretches of frames and of bands of a spectrogram to its mean",
  source: 'Park et al., "SpecAugment", Interspeech 2019, without time warping',
  tiny: { modality: "audio" },
  options: {
    modality,
    masks: {
      type: "integer",
      default: 2,
      min: 0,
      max: 100,
      about: "masks of either sort",
      source: "Park et al., LD",
      tune: [1, 2],
    },
    time: {
      type: "number",
      default: 0.2,
      min: 0,
      max: 1,
      about: "most frames of a mask, as a share",
      source: "Park et al., p of LD's upper bound",
      tune: [0.1, 0.2, 0.3],
    },
    bands: {
      type: "number",
      default: 0.25,
      min: 0,
      max: 1,
      about: "most bands of a mask, as a share",
      source: "Park et al., LD: 27 of 80 bands, rounded down",
      tune: [0.1, 0.25],
    },
  },
  refuses: (info) =>
    noTime(info) ?? (info.shape.length < 2 || info.shape.length > 3 ? "it takes spectrograms [T, bands]" : null),
  create: ({ masks, time, bands }, { shape: [frames, width, channels = 1] }) => ({
    apply(values, random) {
      let sum = 0;
      for (const value of values) sum += value;
      const mean = sum / values.length;
      const row = width * channels;
      for (let mask = 0; mask < masks; mask++) {
        const [from, to] = stretchOf(frames, time, random);
        values.fill(mean, from * row, to * row);
        const [low, high] = stretchOf(width, bands, random);
        for (let t = 0; t < frames; t++) values.fill(mean, t * row + low * channels, t * row + high * channels);
      }
    },
  }),
});
