/**
 * A random part of a picture, brought to its size.
 *
 * @module
 */
import { type AugmentationPlugin, defineAugmentation } from "../core/kinds/mod.ts";
import { modality, noPicture } from "./inputs.ts";

interface Options {
  readonly modality: string;
  readonly least: number;
  readonly stretch: number;
}

/** A box in pixels. */
interface Box {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

/** Brings a box of a picture [H, W, c] to the whole of it, between pixels linearly. */
export function stretched(values: Float32Array | Int32Array, shape: readonly number[], box: Box): void {
  const [height, width, channels] = shape;
  const old = values.slice();
  for (let y = 0; y < height; y++) {
    const fromY = Math.min(height - 1, Math.max(0, box.top + (y + 0.5) * box.height / height - 0.5));
    const y0 = Math.floor(fromY);
    const y1 = Math.min(height - 1, y0 + 1);
    const v = fromY - y0;
    for (let x = 0; x < width; x++) {
      const fromX = Math.min(width - 1, Math.max(0, box.left + (x + 0.5) * box.width / width - 0.5));
      const x0 = Math.floor(fromX);
      const x1 = Math.min(width - 1, x0 + 1);
      const u = fromX - x0;
      for (let c = 0; c < channels; c++) {
        const at = (row: number, column: number) => old[(row * width + column) * channels + c];
        const above = (1 - u) * at(y0, x0) + u * at(y0, x1);
        const below = (1 - u) * at(y1, x0) + u * at(y1, x1);
        values[(y * width + x) * channels + c] = (1 - v) * above + v * below;
      }
    }
  }
}

/** random-crop: random resized crop. */
export const randomCrop: AugmentationPlugin = defineAugmentation<Options>({
  name: "random-crop",
  about: "a random box of a picture, or of all frames of a film, brought to its size",
  formula: "area ~ U(least, 1), ratio of sides e^U(-log stretch, log stretch), place uniform",
  source: 'Szegedy et al., "Going Deeper with Convolutions", CVPR 2015, section 6',
  tiny: { modality: "image" },
  options: {
    modality,
    least: {
      type: "number",
      default: 0.5,
      min: 0.01,
      max: 1,
      about: "least share of the area",
      source: "chosen here: 0.08 in torchvision is for pictures of a thousand classes",
      tune: [0.3, 0.5, 0.8],
    },
    stretch: {
      type: "number",
      default: 4 / 3,
      min: 1,
      max: 10,
      about: "most that one side is stretched against the other",
      source: "torchvision's RandomResizedCrop",
      tune: [1, 1.15, 4 / 3],
    },
  },
  refuses: noPicture,
  create: ({ least, stretch }, { shape }) => ({
    apply(values, random) {
      const picture = shape.slice(-3);
      const [height, width, channels] = picture;
      const area = least + (1 - least) * random.uniform();
      const ratio = Math.exp((2 * random.uniform() - 1) * Math.log(stretch));
      const box = {
        height: Math.min(height, height * Math.sqrt(area / ratio)),
        width: Math.min(width, width * Math.sqrt(area * ratio)),
      };
      const top = random.uniform() * (height - box.height);
      const left = random.uniform() * (width - box.width);
      // The same part of all frames of a film.
      const own = height * width * channels;
      for (let at = 0; at < values.length; at += own) {
        stretched(values.subarray(at, at + own), picture, { ...box, top, left });
      }
    },
  }),
});
