/**
 * Spectrograms as librosa and torchaudio make them, in double precision.
 *
 * @module
 */
import { transformOf } from "./fourier.ts";

/** How the frames of a spectrogram are cut. */
export interface SpectrogramOptions {
  /** Samples of a frame, any number. */
  readonly fft: number;
  /** Samples from one frame to the next. */
  readonly hop: number;
  /** What lies before and behind the signal: silence (librosa) or its mirror image (torchaudio). @default {"constant"} */
  readonly pad?: "constant" | "reflect";
}

/** How a mel spectrogram is made. */
export interface MelSpectrogramOptions extends SpectrogramOptions {
  /** Samples per second. */
  readonly rate: number;
  readonly bands: number;
  /** Lower end of the lowest band in Hz. @default {0} */
  readonly low?: number;
  /** Upper end of the highest band in Hz. @default half the rate */
  readonly high?: number;
  /** librosa's default is `"slaney"`, torchaudio's `"htk"`. @default {"slaney"} */
  readonly scale?: "slaney" | "htk";
  /** `"slaney"`: each band's filter has area 2 / width; `"none"`: height 1. @default {"slaney"} */
  readonly norm?: "slaney" | "none";
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

/** Bins of a spectrum. */
export function binsOf({ fft }: Pick<SpectrogramOptions, "fft">): number {
  return Math.floor(fft / 2) + 1;
}

/**
 * Makes a function that calls back with the power spectrum of each frame; the array is used again.
 *
 * Periodic Hann window over the whole frame, frames centred on every hop. Two frames go through one transform, as the real
 * and the imaginary part of it.
 */
function powers(
  options: SpectrogramOptions,
): (signal: Float32Array, each: (frame: number, power: Float64Array) => void) => void {
  const { fft: size, hop, pad = "constant" } = options;
  const hann = Float64Array.from({ length: size }, (_, n) => 0.5 - 0.5 * Math.cos(2 * Math.PI * n / size));
  const transform = transformOf(size);
  const [re, im] = [new Float64Array(size), new Float64Array(size)];
  const power = new Float64Array(binsOf(options));
  const before = Math.floor(size / 2);
  const cut = (signal: Float32Array, t: number, into: Float64Array) => {
    const from = t * hop - before;
    if (from >= 0 && from + size <= signal.length) {
      for (let n = 0; n < size; n++) into[n] = hann[n] * signal[from + n];
      return;
    }
    for (let n = 0; n < size; n++) {
      const at = from + n;
      const there = at >= 0 && at < signal.length;
      const value = there ? signal[at] : pad === "reflect" ? signal[mirrored(at, signal.length)] : 0;
      into[n] = hann[n] * value;
    }
  };
  return (signal, each) => {
    const count = framesOf(signal.length, options);
    for (let t = 0; t < count; t += 2) {
      cut(signal, t, re);
      if (t + 1 < count) cut(signal, t + 1, im);
      else im.fill(0);
      transform(re, im);
      // A real frame's spectrum is that of both, made even; the other's, made odd.
      for (const second of t + 1 < count ? [0, 1] : [0]) {
        for (let k = 0; k < power.length; k++) {
          const mirror = k === 0 ? 0 : size - k;
          const sign = second === 0 ? 1 : -1;
          const a = (re[k] + sign * re[mirror]) / 2;
          const b = (im[k] - sign * im[mirror]) / 2;
          power[k] = a * a + b * b;
        }
        each(t + second, power);
      }
    }
  };
}

/**
 * Makes a function from a signal to its powers [frames, fft / 2 + 1], row-major: the transpose of the squared magnitude of
 * `librosa.stft`, and with `pad: "reflect"` that of `torchaudio.transforms.Spectrogram`.
 */
export function spectrogram(options: SpectrogramOptions): (signal: Float32Array) => Float32Array {
  const frames = powers(options);
  const bins = binsOf(options);
  return (signal) => {
    const result = new Float32Array(framesOf(signal.length, options) * bins);
    frames(signal, (t, power) => result.set(power, t * bins));
    return result;
  };
}

/**
 * Makes a function from a signal to its mel powers [frames, bands], row-major.
 *
 * Power spectra through triangular mel filters: the transpose of `librosa.feature.melspectrogram`, and with `scale: "htk",
 * norm: "none", pad: "reflect"` that of `torchaudio.transforms.MelSpectrogram`.
 */
export function melSpectrogram(options: MelSpectrogramOptions): (signal: Float32Array) => Float32Array {
  const { bands } = options;
  const frames = powers(options);
  // A band narrower than a bin has no weight at all.
  const filters = melFilters(options).map((filter) => {
    const from = filter.findIndex((w) => w > 0);
    return from === -1
      ? { from: 0, weights: new Float64Array(0) }
      : { from, weights: filter.slice(from, filter.findLastIndex((w) => w > 0) + 1) };
  });
  return (signal) => {
    const result = new Float32Array(framesOf(signal.length, options) * bands);
    frames(signal, (t, power) => {
      for (let band = 0; band < bands; band++) {
        const { from, weights } = filters[band];
        let sum = 0;
        for (let k = 0; k < weights.length; k++) sum += weights[k] * power[from + k];
        result[t * bands + band] = sum;
      }
    });
    return result;
  };
}
