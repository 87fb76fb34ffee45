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
  about: "mirrors a picture, left and right",
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
  create: ({ p }, { shape: [height, width, channels] }) => ({
    apply(values, random) {
      if (random.uniform() >= p) return;
      for (let y = 0; y < height; y++) {
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
    },
  }),
});
