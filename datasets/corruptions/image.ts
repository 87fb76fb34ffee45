/**
 * Corruptions of one picture [H, W, C], in place. Values may have any scale: severities are in units of the training
 * split (`Scale`), in pixels or in shares.
 *
 * After Hendrycks and Dietterich, "Benchmarking Neural Network Robustness to Common Corruptions and Perturbations", ICLR
 * 2019, without its weather; their severities 1..5 are for pictures of 224 pixels and are not taken over.
 *
 * @module
 */
import type { Random } from "../../core/random.ts";

/** Values of a picture. */
export type Values = Float32Array;

/** What a modality's values are like in the training split. */
export interface Scale {
  readonly mean: number;
  readonly std: number;
  readonly least: number;
  readonly most: number;
}

/** Height, width and channels. */
export type Shape = readonly [number, number, number];

/** Gaussian noise of a standard deviation. */
export function addNoise(values: Values, deviation: number, random: Random): void {
  for (let i = 0; i < values.length; i++) values[i] += deviation * random.normal();
}

/** A share of pixels becomes the least or the greatest value, all channels alike. */
export function impulses(values: Values, [, , channels]: Shape, share: number, scale: Scale, random: Random): void {
  for (let at = 0; at < values.length; at += channels) {
    if (random.uniform() >= share) continue;
    values.fill(random.uniform() < 0.5 ? scale.least : scale.most, at, at + channels);
  }
}

/** Weights of a Gaussian of a standard deviation in pixels, cut at three of them; they sum to 1. */
export function gaussianKernel(deviation: number): Float64Array {
  const radius = Math.max(1, Math.ceil(3 * deviation));
  const kernel = Float64Array.from(
    { length: 2 * radius + 1 },
    (_, i) => Math.exp(-(((i - radius) / deviation) ** 2) / 2),
  );
  const sum = kernel.reduce((total, weight) => total + weight, 0);
  return kernel.map((weight) => weight / sum);
}

/** Convolution along rows or columns; beyond an edge its own value goes on. */
function convolve(values: Values, [height, width, channels]: Shape, kernel: Float64Array, axis: 0 | 1): void {
  const radius = (kernel.length - 1) / 2;
  const source = values.slice();
  const [length, lines] = axis === 0 ? [height, width] : [width, height];
  const [step, next] = axis === 0 ? [width * channels, channels] : [channels, width * channels];
  for (let line = 0; line < lines; line++) {
    for (let place = 0; place < length; place++) {
      for (let channel = 0; channel < channels; channel++) {
        let sum = 0;
        for (let k = 0; k < kernel.length; k++) {
          const from = Math.min(length - 1, Math.max(0, place + k - radius));
          sum += kernel[k] * source[line * next + from * step + channel];
        }
        values[line * next + place * step + channel] = sum;
      }
    }
  }
}

/** Gaussian blur of a standard deviation in pixels. */
export function blur(values: Values, shape: Shape, deviation: number): void {
  if (deviation === 0) return;
  const kernel = gaussianKernel(deviation);
  convolve(values, shape, kernel, 0);
  convolve(values, shape, kernel, 1);
}

/** Blur of a movement along rows: the mean of so many pixels, an odd number. */
export function motionBlur(values: Values, shape: Shape, pixels: number): void {
  const length = 2 * Math.floor(pixels / 2) + 1;
  convolve(values, shape, new Float64Array(length).fill(1 / length), 1);
}

/** One square at a random place becomes the training mean; its side is a share of the picture's shorter one. */
export function occlude(
  values: Values,
  [height, width, channels]: Shape,
  share: number,
  scale: Scale,
  random: Random,
): void {
  const side = Math.round(Math.min(height, width) * share);
  const [top, left] = [random.integer(height - side + 1), random.integer(width - side + 1)];
  for (let row = top; row < top + side; row++) {
    values.fill(scale.mean, (row * width + left) * channels, (row * width + left + side) * channels);
  }
}

/** Differences from the picture's own mean, times a factor. */
export function contrast(values: Values, factor: number): void {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  for (let i = 0; i < values.length; i++) values[i] = mean + factor * (values[i] - mean);
}

/** A number added to every value. */
export function brighten(values: Values, amount: number): void {
  for (let i = 0; i < values.length; i++) values[i] += amount;
}

/** Blocks of so many pixels a side become their means; those at the edges are smaller. */
export function pixelate(values: Values, [height, width, channels]: Shape, side: number): void {
  for (let top = 0; top < height; top += side) {
    for (let left = 0; left < width; left += side) {
      const [bottom, right] = [Math.min(height, top + side), Math.min(width, left + side)];
      for (let channel = 0; channel < channels; channel++) {
        let sum = 0;
        for (let y = top; y < bottom; y++) {
          for (let x = left; x < right; x++) sum += values[(y * width + x) * channels + channel];
        }
        const mean = sum / ((bottom - top) * (right - left));
        for (let y = top; y < bottom; y++) {
          for (let x = left; x < right; x++) values[(y * width + x) * channels + channel] = mean;
        }
      }
    }
  }
}

/** Quantisation of luminance in the JPEG standard (ITU T.81, table K.1), row by row. */
const LUMINANCE = [
  [16, 11, 10, 16, 24, 40, 51, 61],
  [12, 12, 14, 19, 26, 58, 60, 55],
  [14, 13, 16, 24, 40, 57, 69, 56],
  [14, 17, 22, 29, 51, 87, 80, 62],
  [18, 22, 37, 56, 68, 109, 103, 77],
  [24, 35, 55, 64, 81, 104, 113, 92],
  [49, 64, 78, 87, 103, 121, 120, 101],
  [72, 92, 95, 98, 112, 100, 103, 99],
];
/** Orthonormal cosines: row u, place x. */
const COSINES = Array.from(
  { length: 8 },
  (_, u) =>
    Array.from({ length: 8 }, (_, x) => Math.sqrt((u === 0 ? 1 : 2) / 8) * Math.cos((2 * x + 1) * u * Math.PI / 16)),
);

/** Steps of a quality 1..100, as libjpeg scales the table. */
export function quantisation(quality: number): number[][] {
  const scale = quality < 50 ? 5000 / quality : 200 - 2 * quality;
  return LUMINANCE.map((row) => row.map((step) => Math.min(255, Math.max(1, Math.floor((scale * step + 50) / 100)))));
}

/**
 * The loss of JPEG: every channel in blocks of 8×8, its cosine transform rounded to the luminance table's steps. The
 * training split's least and greatest values stand for 0 and 255; colours are not transformed and not
 * subsampled, and nothing is cut off at those ends.
 */
export function compress(
  values: Values,
  [height, width, channels]: Shape,
  quality: number,
  { least, most }: Scale,
): void {
  const steps = quantisation(quality);
  const unit = (most - least) / 255;
  for (let channel = 0; channel < channels; channel++) {
    for (let top = 0; top < height; top += 8) {
      for (let left = 0; left < width; left += 8) {
        const at = (y: number, x: number) =>
          (Math.min(height - 1, top + y) * width + Math.min(width - 1, left + x)) * channels + channel;
        const block = COSINES.map((_, y) => COSINES.map((_, x) => (values[at(y, x)] - least) / unit - 128));
        const coefficients = transformed(block, COSINES).map((row, v) =>
          row.map((value, u) => steps[v][u] * Math.round(value / steps[v][u]))
        );
        const restored = transformed(coefficients, transposed(COSINES));
        for (let y = 0; y < Math.min(8, height - top); y++) {
          for (let x = 0; x < Math.min(8, width - left); x++) {
            values[at(y, x)] = least + unit * (restored[y][x] + 128);
          }
        }
      }
    }
  }
}

const transposed = (matrix: number[][]) => matrix.map((_, k) => matrix.map((row) => row[k]));

/** M B Mᵀ. */
function transformed(block: number[][], matrix: number[][]): number[][] {
  const product = (a: number[][], b: number[][]) =>
    a.map((row) => row.map((_, k) => row.reduce((sum, value, j) => sum + value * b[j][k], 0)));
  return product(product(matrix, block), transposed(matrix));
}
