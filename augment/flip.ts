/**
 * Left and right exchanged.
 *
 * @module
 */
import { type AugmentationPlugin, defineAugmentation } from "../core/kinds/mod.ts";
import { modality, noPicture } from "./inputs.ts";

/** flip: mirrors pictures. */
export const flip: AugmentationPlugin = defineAugmentation<{ readonly modality: string; readonly p: number }>({
  name: "flip",
  about: "mirrors a picture, or all frames of a film, left and right; of optical flow the movement across turns around",
  source: "torchvision's RandomHorizontalFlip",
  tiny: { modality: "image" },
  options: {
    modality,
    p: {
      type: "number",
      default: 0.5,
      min: 0,
      max: 1,
      about: "probability",
      source: "torchvision's",
      tune: [0.25, 0.5],
    },
  },
  refuses: noPicture,
  create: ({ p }, { shape, noMovement }) => ({
    apply(values, random) {
      if (random.uniform() >= p) return;
      const [width, channels] = shape.slice(-2);
      // Rows of all frames of a film.
      for (let y = 0; y < values.length / (width * channels); y++) {
        for (let x = 0; x < width >> 1; x++) {
          for (let c = 0; c < channels; c++) {
            const a = (y * width + x) * channels + c;
            const b = (y * width + width - 1 - x) * channels + c;
            const kept = values[a];
            values[a] = values[b];
            values[b] = kept;
          }
        }
      }
      if (noMovement === undefined) return;
      for (let i = 0; i < values.length; i++) {
        const channel = i % channels;
        if (channel % 2 === 0) values[i] = 2 * noMovement[channel] - values[i];
      }
    },
  }),
});
