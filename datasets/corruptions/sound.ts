/**
 * Corruptions of one sound in place: a waveform [T], or mel powers [T, bands].
 *
 * @module
 */
import type { Random } from "../../core/random.ts";

const meanOf = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** White noise on a waveform at a ratio of its mean power to the noise's, in dB. Silence stays. */
export function waveNoise(wave: Float64Array, decibels: number, random: Random): void {
  const power = meanOf(wave.map((value) => value ** 2));
  const deviation = Math.sqrt(power / 10 ** (decibels / 10));
  for (let i = 0; i < wave.length; i++) wave[i] += deviation * random.normal();
}

/**
 * Noise of equal expected power in every mel band, at a ratio of the sound's mean power to the noise's, in dB.
 *
 * The power of Gaussian noise in a band is a sum of squares; here that of two (exponential), the least that a narrow
 * band has. Powers add up but for the cross term, whose expectation is 0 and which is left out.
 */
export function powerNoise(powers: Float64Array, decibels: number, random: Random): void {
  const noise = meanOf(powers) / 10 ** (decibels / 10);
  for (let i = 0; i < powers.length; i++) powers[i] -= noise * Math.log(1 - random.uniform());
}

/** Clips a waveform at a share of its own peak. */
export function waveClip(wave: Float64Array, share: number): void {
  const limit = share * wave.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  for (let i = 0; i < wave.length; i++) wave[i] = Math.min(limit, Math.max(-limit, wave[i]));
}

/** Limits powers to the square of a share of the loudest cell's: saturation without the overtones that clipping adds. */
export function powerClip(powers: Float64Array, share: number): void {
  const limit = share ** 2 * powers.reduce((most, value) => Math.max(most, value), 0);
  for (let i = 0; i < powers.length; i++) powers[i] = Math.min(limit, powers[i]);
}

/**
 * Reverberation of a waveform: an echo of decaying noise that is 60 dB down after so many samples, as loud in sum as the
 * sound itself (Polack's model of a diffuse room).
 */
export function waveReverb(wave: Float64Array, samples: number, random: Random): void {
  if (samples === 0) return;
  const length = Math.min(wave.length, Math.ceil(samples));
  const echo = Float64Array.from({ length }, (_, k) => random.normal() * 10 ** (-3 * k / samples));
  const energy = Math.sqrt(echo.reduce((sum, value) => sum + value ** 2, 0));
  const source = wave.slice();
  for (let t = 0; t < wave.length; t++) {
    let sum = 0;
    for (let k = 1; k < length && k <= t; k++) sum += echo[k] * source[t - k];
    wave[t] += sum / energy;
  }
}

/** Reverberation of mel powers: every frame goes on in the following ones, 60 dB down after so many frames. */
export function powerReverb(powers: Float64Array, bands: number, frames: number): void {
  if (frames === 0) return;
  const decay = 10 ** (-6 / frames);
  for (let i = bands; i < powers.length; i++) powers[i] += decay * powers[i - bands];
}
