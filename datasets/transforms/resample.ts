/**
 * Other sample rates, as torchaudio makes them.
 *
 * @module
 */

/** Zero crossings of the sinc on either side. */
const CROSSINGS = 6;
/** Share of the lower of the two half rates that passes. */
const ROLLOFF = 0.99;

function divisor(a: number, b: number): number {
  return b === 0 ? a : divisor(b, a % b);
}

/** One output sample's weights: of the inputs from `first` on, counted from the start of its block. */
interface Taps {
  readonly first: number;
  readonly weights: Float64Array;
}

/**
 * Makes a function that brings a signal from one rate to another: interpolation by a sinc under a Hann window of six zero
 * crossings, low-pass at 0.99 of the lower half rate; the numbers of `torchaudio.functional.resample`.
 *
 * @param from Samples a second, an integer.
 * @param to Samples a second, an integer.
 * @see Smith, "Digital Audio Resampling Home Page", 2002
 */
export function resampler(from: number, to: number): (signal: Float32Array) => Float32Array {
  if (from === to) return (signal) => signal;
  const common = divisor(from, to);
  const [old, now] = [from / common, to / common];
  const base = ROLLOFF * Math.min(old, now);
  const width = Math.ceil(CROSSINGS * old / base);
  // Output p of a block of `now` lies at p / now of the block's `old` inputs.
  const taps: Taps[] = Array.from({ length: now }, (_, p) => {
    const reach = CROSSINGS * old / base;
    const first = Math.max(-width, Math.ceil(p * old / now - reach));
    const last = Math.min(width + old - 1, Math.floor(p * old / now + reach));
    return {
      first,
      weights: Float64Array.from({ length: last - first + 1 }, (_, k) => {
        const t = base * ((first + k) / old - p / now);
        const window = Math.cos(Math.PI * t / CROSSINGS / 2) ** 2;
        const sinc = t === 0 ? 1 : Math.sin(Math.PI * t) / (Math.PI * t);
        return sinc * window * base / old;
      }),
    };
  });
  return (signal) => {
    const result = new Float32Array(Math.ceil(now * signal.length / old));
    for (let n = 0; n < result.length; n++) {
      const { first, weights } = taps[n % now];
      const start = Math.floor(n / now) * old + first;
      const [low, high] = [Math.max(0, -start), Math.min(weights.length, signal.length - start)];
      let sum = 0;
      for (let k = low; k < high; k++) sum += weights[k] * signal[start + k];
      result[n] = sum;
    }
    return result;
  };
}
