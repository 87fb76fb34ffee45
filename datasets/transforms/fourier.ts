/**
 * Discrete Fourier transforms of any length.
 *
 * @module
 */
import { fft } from "./spectrum.ts";

/** A transform in place. */
export type Transform = (real: Float64Array, imaginary: Float64Array) => void;

/** Largest prime factor that is transformed as such. */
const LARGEST_PRIME = 13;

/** Factors of a length, fours before all others; `null` if one is too large. */
function factorsOf(size: number): number[] | null {
  const factors: number[] = [];
  let rest = size;
  for (const factor of [4, 2, 3, 5, 7, 11, 13]) {
    while (rest % factor === 0) {
      factors.push(factor);
      rest /= factor;
    }
  }
  return rest === 1 && size > 1 ? factors : null;
}

/** One pass of Stockham's algorithm: transforms of `radix` values that lie `size / radix` apart, `stride` times. */
interface Pass {
  readonly radix: number;
  /** Length that is still to be transformed, and copies of it. */
  readonly size: number;
  readonly stride: number;
  /** exp(-2 pi i p j / size) at p radix + j. */
  readonly cosine: Float64Array;
  readonly sine: Float64Array;
}

function passesOf(size: number, factors: readonly number[]): Pass[] {
  let [left, stride] = [size, 1];
  return factors.map((radix) => {
    const count = left / radix;
    const angle = (k: number) => -2 * Math.PI * (Math.floor(k / radix) * (k % radix) % left) / left;
    const pass = {
      radix,
      size: left,
      stride,
      cosine: Float64Array.from({ length: count * radix }, (_, k) => Math.cos(angle(k))),
      sine: Float64Array.from({ length: count * radix }, (_, k) => Math.sin(angle(k))),
    };
    [left, stride] = [count, stride * radix];
    return pass;
  });
}

type Planes = readonly [real: Float64Array, imaginary: Float64Array];

function passOfFour({ size, stride, cosine, sine }: Pass, [xr, xi]: Planes, [yr, yi]: Planes): void {
  const count = size / 4;
  const apart = stride * count;
  for (let p = 0; p < count; p++) {
    const w = 4 * p;
    for (let q = 0; q < stride; q++) {
      const a = q + stride * p;
      const b = a + apart;
      const c = a + 2 * apart;
      const d = a + 3 * apart;
      const sumR = xr[a] + xr[c];
      const sumI = xi[a] + xi[c];
      const difR = xr[a] - xr[c];
      const difI = xi[a] - xi[c];
      const oddR = xr[b] + xr[d];
      const oddI = xi[b] + xi[d];
      // i times the difference of the odd ones.
      const turnR = xi[d] - xi[b];
      const turnI = xr[b] - xr[d];
      const to = q + stride * w;
      yr[to] = sumR + oddR;
      yi[to] = sumI + oddI;
      const r1 = difR - turnR;
      const i1 = difI - turnI;
      yr[to + stride] = r1 * cosine[w + 1] - i1 * sine[w + 1];
      yi[to + stride] = r1 * sine[w + 1] + i1 * cosine[w + 1];
      const r2 = sumR - oddR;
      const i2 = sumI - oddI;
      yr[to + 2 * stride] = r2 * cosine[w + 2] - i2 * sine[w + 2];
      yi[to + 2 * stride] = r2 * sine[w + 2] + i2 * cosine[w + 2];
      const r3 = difR + turnR;
      const i3 = difI + turnI;
      yr[to + 3 * stride] = r3 * cosine[w + 3] - i3 * sine[w + 3];
      yi[to + 3 * stride] = r3 * sine[w + 3] + i3 * cosine[w + 3];
    }
  }
}

function passOfTwo({ size, stride, cosine, sine }: Pass, [xr, xi]: Planes, [yr, yi]: Planes): void {
  const count = size / 2;
  for (let p = 0; p < count; p++) {
    const c = cosine[2 * p + 1];
    const s = sine[2 * p + 1];
    for (let q = 0; q < stride; q++) {
      const a = q + stride * p;
      const b = a + stride * count;
      const to = q + stride * 2 * p;
      const re = xr[a] - xr[b];
      const im = xi[a] - xi[b];
      yr[to] = xr[a] + xr[b];
      yi[to] = xi[a] + xi[b];
      yr[to + stride] = re * c - im * s;
      yi[to + stride] = re * s + im * c;
    }
  }
}

const [COS_1, SIN_1] = [Math.cos(2 * Math.PI / 5), Math.sin(2 * Math.PI / 5)];
const [COS_2, SIN_2] = [Math.cos(4 * Math.PI / 5), Math.sin(4 * Math.PI / 5)];

function passOfFive({ size, stride, cosine, sine }: Pass, [xr, xi]: Planes, [yr, yi]: Planes): void {
  const count = size / 5;
  const apart = stride * count;
  for (let p = 0; p < count; p++) {
    const w = 5 * p;
    const c1 = cosine[w + 1];
    const s1 = sine[w + 1];
    const c2 = cosine[w + 2];
    const s2 = sine[w + 2];
    const c3 = cosine[w + 3];
    const s3 = sine[w + 3];
    const c4 = cosine[w + 4];
    const s4 = sine[w + 4];
    for (let q = 0; q < stride; q++) {
      const a = q + stride * p;
      const b = a + apart;
      const c = b + apart;
      const d = c + apart;
      const e = d + apart;
      const sumR1 = xr[b] + xr[e];
      const sumI1 = xi[b] + xi[e];
      const sumR2 = xr[c] + xr[d];
      const sumI2 = xi[c] + xi[d];
      const difR1 = xr[b] - xr[e];
      const difI1 = xi[b] - xi[e];
      const difR2 = xr[c] - xr[d];
      const difI2 = xi[c] - xi[d];
      const evenR1 = xr[a] + COS_1 * sumR1 + COS_2 * sumR2;
      const evenI1 = xi[a] + COS_1 * sumI1 + COS_2 * sumI2;
      const evenR2 = xr[a] + COS_2 * sumR1 + COS_1 * sumR2;
      const evenI2 = xi[a] + COS_2 * sumI1 + COS_1 * sumI2;
      const oddR1 = SIN_1 * difI1 + SIN_2 * difI2;
      const oddI1 = SIN_1 * difR1 + SIN_2 * difR2;
      const oddR2 = SIN_2 * difI1 - SIN_1 * difI2;
      const oddI2 = SIN_2 * difR1 - SIN_1 * difR2;
      const to = q + stride * w;
      yr[to] = xr[a] + sumR1 + sumR2;
      yi[to] = xi[a] + sumI1 + sumI2;
      const r1 = evenR1 + oddR1;
      const i1 = evenI1 - oddI1;
      const r2 = evenR2 + oddR2;
      const i2 = evenI2 - oddI2;
      const r3 = evenR2 - oddR2;
      const i3 = evenI2 + oddI2;
      const r4 = evenR1 - oddR1;
      const i4 = evenI1 + oddI1;
      yr[to + stride] = r1 * c1 - i1 * s1;
      yi[to + stride] = r1 * s1 + i1 * c1;
      yr[to + 2 * stride] = r2 * c2 - i2 * s2;
      yi[to + 2 * stride] = r2 * s2 + i2 * c2;
      yr[to + 3 * stride] = r3 * c3 - i3 * s3;
      yi[to + 3 * stride] = r3 * s3 + i3 * c3;
      yr[to + 4 * stride] = r4 * c4 - i4 * s4;
      yi[to + 4 * stride] = r4 * s4 + i4 * c4;
    }
  }
}

/** For other odd primes: sums and differences of the values that mirror each other. */
function passOfOdd(): (pass: Pass, from: Planes, to: Planes) => void {
  const half = (LARGEST_PRIME - 1) / 2;
  const sumR = new Float64Array(half + 1);
  const sumI = new Float64Array(half + 1);
  const difR = new Float64Array(half + 1);
  const difI = new Float64Array(half + 1);
  const tables = new Map<number, readonly [Float64Array, Float64Array]>();
  return ({ radix, size, stride, cosine, sine }, [xr, xi], [yr, yi]) => {
    let table = tables.get(radix);
    if (table === undefined) {
      const turn = (k: number) => 2 * Math.PI * k / radix;
      table = [
        Float64Array.from({ length: radix }, (_, k) => Math.cos(turn(k))),
        Float64Array.from({ length: radix }, (_, k) => Math.sin(turn(k))),
      ];
      tables.set(radix, table);
    }
    const [cos, sin] = table;
    const count = size / radix;
    const pairs = (radix - 1) / 2;
    for (let p = 0; p < count; p++) {
      for (let q = 0; q < stride; q++) {
        const a = q + stride * p;
        let allR = xr[a];
        let allI = xi[a];
        for (let k = 1; k <= pairs; k++) {
          const b = a + stride * count * k;
          const c = a + stride * count * (radix - k);
          sumR[k] = xr[b] + xr[c];
          sumI[k] = xi[b] + xi[c];
          difR[k] = xr[b] - xr[c];
          difI[k] = xi[b] - xi[c];
          allR += sumR[k];
          allI += sumI[k];
        }
        const to = q + stride * radix * p;
        yr[to] = allR;
        yi[to] = allI;
        for (let j = 1; j <= pairs; j++) {
          let evenR = xr[a];
          let evenI = xi[a];
          let oddR = 0;
          let oddI = 0;
          for (let k = 1; k <= pairs; k++) {
            const at = j * k % radix;
            evenR += sumR[k] * cos[at];
            evenI += sumI[k] * cos[at];
            oddR += difI[k] * sin[at];
            oddI -= difR[k] * sin[at];
          }
          const first = radix * p + j;
          const second = radix * p + radix - j;
          const r1 = evenR + oddR;
          const i1 = evenI + oddI;
          const r2 = evenR - oddR;
          const i2 = evenI - oddI;
          yr[to + stride * j] = r1 * cosine[first] - i1 * sine[first];
          yi[to + stride * j] = r1 * sine[first] + i1 * cosine[first];
          yr[to + stride * (radix - j)] = r2 * cosine[second] - i2 * sine[second];
          yi[to + stride * (radix - j)] = r2 * sine[second] + i2 * cosine[second];
        }
      }
    }
  };
}

/**
 * A chirp turns a transform of any length into a convolution of power-of-two length.
 *
 * @see Bluestein, "A linear filtering approach to the computation of discrete Fourier transform", 1970
 */
function chirped(size: number): Transform {
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
  return (real, imaginary) => {
    re.fill(0);
    im.fill(0);
    for (let n = 0; n < size; n++) {
      re[n] = real[n] * cosine[n] - imaginary[n] * sine[n];
      im[n] = real[n] * sine[n] + imaginary[n] * cosine[n];
    }
    fft(re, im);
    // The product, conjugated: a second forward transform is then the inverse one, up to conjugation and a factor.
    for (let k = 0; k < long; k++) {
      const product = re[k] * chirpRe[k] - im[k] * chirpIm[k];
      [re[k], im[k]] = [product, -(re[k] * chirpIm[k] + im[k] * chirpRe[k])];
    }
    fft(re, im);
    for (let k = 0; k < size; k++) {
      const [r, i] = [re[k] / long, -im[k] / long];
      real[k] = r * cosine[k] - i * sine[k];
      imaginary[k] = r * sine[k] + i * cosine[k];
    }
  };
}

/**
 * Makes the transform of a length: sum over n of x[n] exp(-2 pi i k n / size).
 *
 * @see Stockham, "High-speed convolution and correlation", 1966, for lengths of small factors
 */
export function transformOf(size: number): Transform {
  if (size === 1) return () => {};
  const factors = factorsOf(size);
  if (factors === null) return chirped(size);
  const passes = passesOf(size, factors);
  const other: Planes = [new Float64Array(size), new Float64Array(size)];
  const odd = passOfOdd();
  return (real, imaginary) => {
    let [from, to]: Planes[] = [[real, imaginary], other];
    for (const pass of passes) {
      if (pass.radix === 4) passOfFour(pass, from, to);
      else if (pass.radix === 5) passOfFive(pass, from, to);
      else if (pass.radix === 2) passOfTwo(pass, from, to);
      else odd(pass, from, to);
      [from, to] = [to, from];
    }
    if (from[0] === real) return;
    real.set(from[0]);
    imaginary.set(from[1]);
  };
}
