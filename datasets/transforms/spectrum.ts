/**
 * Short-time power spectra in mel bands.
 *
 * @module
 */

/** Cosines and sines of -2 pi k / n for k below n / 2, by n: frames of a spectrogram share one length. */
const turns = new Map<number, { readonly cos: Float64Array; readonly sin: Float64Array }>();

function turnsOf(size: number): { readonly cos: Float64Array; readonly sin: Float64Array } {
  let own = turns.get(size);
  if (own === undefined) {
    const angles = Float64Array.from({ length: size / 2 }, (_, k) => -2 * Math.PI * k / size);
    own = { cos: angles.map(Math.cos), sin: angles.map(Math.sin) };
    turns.set(size, own);
  }
  return own;
}

/** In-place radix-2 fast Fourier transform (Cooley and Tukey, 1965); lengths are powers of two. */
export function fft(real: Float64Array, imaginary: Float64Array): void {
  const n = real.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; (j & bit) !== 0; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      [real[i], real[j]] = [real[j], real[i]];
      [imaginary[i], imaginary[j]] = [imaginary[j], imaginary[i]];
    }
  }
  for (let size = 2; size <= n; size *= 2) {
    const half = size / 2;
    const { cos, sin } = turnsOf(size);
    for (let k = 0; k < half; k++) {
      const [c, s] = [cos[k], sin[k]];
      for (let start = k; start < n; start += size) {
        const other = start + half;
        const re = real[other] * c - imaginary[other] * s;
        const im = real[other] * s + imaginary[other] * c;
        real[other] = real[start] - re;
        imaginary[other] = imaginary[start] - im;
        real[start] += re;
        imaginary[start] += im;
      }
    }
  }
}

const toMel = (hertz: number): number => 2595 * Math.log10(1 + hertz / 700);
const fromMel = (mel: number): number => 700 * (10 ** (mel / 2595) - 1);

/** What turns frames of a signal into mel powers. */
export interface MelOptions {
  /** Samples per second. */
  readonly rate: number;
  /** Samples per frame, a power of two. */
  readonly window: number;
  readonly bands: number;
  /** Lower end of the lowest band in Hz; the upper end of the highest is half the rate. */
  readonly lowest: number;
}

/**
 * Makes a function from one frame to its mel powers.
 *
 * Hann window, power spectrum divided by the window's energy (so white noise of variance s^2 has expectation s^2 in
 * every bin), triangular filters of height 1 in O'Shaughnessy's mel scale.
 *
 * @returns A function that writes `bands` powers of the frame starting at `from` into `into` at `at`.
 */
export function melPowers(
  { rate, window, bands, lowest }: MelOptions,
): (signal: Float64Array, from: number, into: Float32Array, at: number) => void {
  const hann = Float64Array.from({ length: window }, (_, i) => 0.5 - 0.5 * Math.cos(2 * Math.PI * i / window));
  const energy = hann.reduce((sum, value) => sum + value * value, 0);
  const low = toMel(lowest);
  const high = toMel(rate / 2);
  const edges = Array.from({ length: bands + 2 }, (_, i) => fromMel(low + (high - low) * i / (bands + 1)));
  const bins = window / 2 + 1;
  const filters = Array.from({ length: bands }, (_, band) =>
    Float64Array.from({ length: bins }, (_, bin) => {
      const hertz = bin * rate / window;
      const rising = (hertz - edges[band]) / (edges[band + 1] - edges[band]);
      const falling = (edges[band + 2] - hertz) / (edges[band + 2] - edges[band + 1]);
      return Math.max(0, Math.min(rising, falling));
    }));
  const real = new Float64Array(window);
  const imaginary = new Float64Array(window);
  return (signal, from, into, at) => {
    for (let i = 0; i < window; i++) real[i] = hann[i] * (signal[from + i] ?? 0);
    imaginary.fill(0);
    fft(real, imaginary);
    for (let band = 0; band < bands; band++) {
      const filter = filters[band];
      let power = 0;
      for (let bin = 0; bin < bins; bin++) {
        if (filter[bin] > 0) power += filter[bin] * (real[bin] ** 2 + imaginary[bin] ** 2);
      }
      into[at + band] = power / energy;
    }
  };
}
