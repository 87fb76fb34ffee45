/**
 * Brightness, contrast and saturation.
 *
 * @module
 */
import { type AugmentationPlugin, defineAugmentation } from "../core/kinds/mod.ts";
import type { NumberOption } from "../core/options.ts";
import { modality, noPicture } from "./inputs.ts";

interface Options {
  readonly modality: string;
  readonly brightness: number;
  readonly contrast: number;
  readonly saturation: number;
}

const strength = (about: string): NumberOption => ({
  type: "number",
  default: 0.4,
  min: 0,
  max: 1,
  about,
  source: "He et al., ResNet: the usual strengths of ImageNet's augmentation",
  tune: [0.2, 0.4, 0.8],
});

/** colour-jitter: in units of the picture itself, so that it means the same however values are scaled. */
export const colourJitter: AugmentationPlugin = defineAugmentation<Options>({
  name: "colour-jitter",
  about: "brightness, contrast and saturation of a picture, or of a film as a whole, each drawn anew",
  formula:
    "x <- grey + s (x - grey), x <- mean + k (x - mean), x <- x + b deviation; s, k ~ U(1 -+ strength), b ~ U(-+)",
  source: "torchvision's ColorJitter, in units of the picture's own mean and deviation",
  tiny: { modality: "image" },
  options: {
    modality,
    brightness: strength("most that is added, in deviations of the picture"),
    contrast: strength("most that the distance from the picture's mean changes, as a share"),
    saturation: strength("most that the distance of colours from grey changes, as a share"),
  },
  refuses: noPicture,
  create: ({ brightness, contrast, saturation }, { shape }) => ({
    apply(values, random) {
      const drawn = (most: number) => most * (2 * random.uniform() - 1);
      const [b, k, s] = [drawn(brightness), 1 + drawn(contrast), 1 + drawn(saturation)];
      const channels = shape[shape.length - 1];
      let [sum, squares] = [0, 0];
      for (let at = 0; at < values.length; at += channels) {
        let grey = 0;
        for (let c = 0; c < channels; c++) grey += values[at + c];
        grey /= channels;
        for (let c = 0; c < channels; c++) {
          const value = grey + s * (values[at + c] - grey);
          values[at + c] = value;
          sum += value;
          squares += value * value;
        }
      }
      const mean = sum / values.length;
      const shift = mean + b * Math.sqrt(Math.max(0, squares / values.length - mean * mean));
      for (let i = 0; i < values.length; i++) values[i] = shift + k * (values[i] - mean);
    },
  }),
});
