/**
 * Mel spectrograms as librosa and torchaudio make them, in double precision.
 *
 * @module
 */
import { fft } from "./spectrum.ts";

/** How a spectrogram is made. */
export interface MelSpectrogramOptions {
  /** Samples per second. */
  readonly rate: number;
  /** Samples of a frame, any number. */
  readonly fft: number;
  /** Samples from one frame to the next. */
  readonly hop: number;
  readonly bands: number;
  /** Lower end of the lowest band in Hz. @default {0} */
  readonly low?: number;
  /** Upper end of the highest band in Hz. @default half the rate */
  readonly high?: number;
  /** librosa's default is `"slaney"`, torchaudio's `"htk"`. @default {"slaney"} */
  readonly scale?: "slaney" | "htk";
  /** `"slaney"`: each band's filter has area 2 / width; `"none"`: height 1. @default {"slaney"} */
  readonly norm?: "slaney" | "none";
  /** What lies before and behind the signal: silence (librosa) or its mirror image (torchaudio). @default {"constant"} */
  readonly pad?: "constant" | "reflect";
}

/** Hz to mel and back. */
const scales = {
  htk: {
    to: (hertz: number) => 2595 * Math.log10(1 + hertz / 700),
    from: (mel: number) => 700 * (10 ** (mel / 2595) - 1),
  },
  // Linear below 1 kHz, logarithmic above: Slaney, Auditory Toolbox, 1998.
  slaney: {
    to: (hertz: number) => hertz < 1000 ? 3 * hertz / 200 : 15 + 27 * Math.log(hertz / 1000) / Math.log(6.4),
    from: (mel: number) => mel < 15 ? 200 * mel / 3 : 1000 * Math.exp(Math.log(6.4) * (mel - 15) / 27),
  },
} as const;

/** Triangular filters, `bands` rows of fft / 2 + 1 weights. */
export function melFilters(options: MelSpectrogramOptions): Float64Array[] {
  const { rate, fft: size, bands, low = 0, high = rate / 2, scale = "slaney", norm = "slaney" } = options;
  const { to, from } = scales[scale];
  const edges = Array.from({ length: bands + 2 }, (_, i) => from(to(low) + (to(high) - to(low)) * i / (bands + 1)));
  const bins = Math.floor(size / 2) + 1;
  return Array.from({ length: bands }, (_, band) => {
    const height = norm === "slaney" ? 2 / (edges[band + 2] - edges[band]) : 1;
    return Float64Array.from({ length: bins }, (_, bin) => {
      const hertz = bin * rate / size;
      const rising = (hertz - edges[band]) / (edges[band + 1] - edges[band]);
      const falling = (edges[band + 2] - hertz) / (edges[band + 2] - edges[band + 1]);
      return height * Math.max(0, Math.min(rising, falling));
    });
  });
}

/**
 * Power spectrum of real frames of any length: a chirp turns the transform into a convolution of power-of-two length.
 *
 * @see Bluestein, "A linear filtering approach to the computation of discrete Fourier transform", 1970
 */
function powerSpectrum(size: number): (frame: Float64Array, into: Float64Array) => void {
  const long = 2 ** Math.ceil(Math.log2(2 * size));
  // n^2 taken modulo 2 size keeps the angle exact for long frames.
  const angle = (n: number) => -Math.PI * (n * n % (2 * size)) / size;
  const cosine = Float64Array.from({ length: size }, (_, n) => Math.cos(angle(n)));
  const sine = Float64Array.from({ length: size }, (_, n) => Math.sin(angle(n)));
  const [chirpRe, chirpIm] = [new Float64Array(long), new Float64Array(long)];
  for (let n = 0; n < size; n++) {
    for (const at of n === 0 ? [0] : [n, long - n]) [chirpRe[at], chirpIm[at]] = [cosine[n], -sine[n]];
  }
  fft(chirpRe, chirpIm);
  const [re, im] = [new Float64Array(long), new Float64Array(long)];
  return (frame, into) => {
    re.fill(0);
    im.fill(0);
    for (let n = 0; n < size; n++) [re[n], im[n]] = [frame[n] * cosine[n], frame[n] * sine[n]];
    fft(re, im);
    // The product, conjugated: a second forward transform is then the inverse one, up to conjugation and a factor.
    for (let k = 0; k < long; k++) {
      const real = re[k] * chirpRe[k] - im[k] * chirpIm[k];
      [re[k], im[k]] = [real, -(re[k] * chirpIm[k] + im[k] * chirpRe[k])];
    }
    fft(re, im);
    // The last factor has length 1 and does not change the power.
    for (let k = 0; k < into.length; k++) into[k] = (re[k] ** 2 + im[k] ** 2) / long ** 2;
  };
}

/** Index of a sample beyond an end, mirrored there; the end itself is not repeated. */
function mirrored(at: number, size: number): number {
  if (size === 1) return 0;
  const period = 2 * (size - 1);
  const place = ((at % period) + period) % period;
  return place < size ? place : period - place;
}

/** Number of frames of a signal: one at every hop, the first centred on its start. */
export function framesOf(size: number, { fft, hop }: Pick<MelSpectrogramOptions, "fft" | "hop">): number {
  return 1 + Math.floor((size - fft % 2) / hop);
}

/**
 * Makes a function from a signal to its mel powers [frames, bands], row-major.
 *
 * Periodic Hann window over the whole frame, frames centred on every hop, power spectrum, triangular mel filters: the
 * transpose of `librosa.feature.melspectrogram`, and with `scale: "htk", norm: "none", pad: "reflect"` that of
 * `torchaudio.transforms.MelSpectrogram`.
 */
export function melSpectrogram(options: MelSpectrogramOptions): (signal: Float32Array) => Float32Array {
  const { fft: size, hop, bands, pad = "constant" } = options;
  const hann = Float64Array.from({ length: size }, (_, n) => 0.5 - 0.5 * Math.cos(2 * Math.PI * n / size));
  const filters = melFilters(options);
  const bounds = filters.map((filter) => [filter.findIndex((w) => w > 0), filter.findLastIndex((w) => w > 0)]);
  const spectrum = powerSpectrum(size);
  const frame = new Float64Array(size);
  const power = new Float64Array(Math.floor(size / 2) + 1);
  const before = Math.floor(size / 2);
  return (signal) => {
    const count = framesOf(signal.length, options);
    const result = new Float32Array(count * bands);
    for (let t = 0; t < count; t++) {
      for (let n = 0; n < size; n++) {
        const at = t * hop + n - before;
        const value = at >= 0 && at < signal.length
          ? signal[at]
          : pad === "reflect"
          ? signal[mirrored(at, signal.length)]
          : 0;
        frame[n] = hann[n] * value;
      }
      spectrum(frame, power);
      for (let band = 0; band < bands; band++) {
        const [from, to] = bounds[band];
        let sum = 0;
        // A band narrower than a bin has no weight at all.
        for (let bin = Math.max(0, from); bin <= to; bin++) sum += filters[band][bin] * power[bin];
        result[t * bands + band] = sum;
      }
    }
    return result;
  };
}
