/**
 * Dynamic sample re-sampling (ARM, AAAI 2025, Eq. 18) and its two comparisons.
 *
 * @module
 */
import type { Random } from "../core/random.ts";

/**
 * `"dsr"`: low joint contribution is repeated more (Eq. 18). `"inverse"`: high contribution is repeated more.
 * `"random"`: the mean frequency of `"dsr"` for every sample. `"off"`: no copies.
 */
export type ResamplingMode = "dsr" | "random" | "inverse" | "off";

/** Options of `multiplicities`. */
export interface ResamplingOptions {
  readonly mode: ResamplingMode;
  /** Slope k < 0. */
  readonly slope: number;
  /** Number of modalities m. */
  readonly modalities: number;
  /** Copies per sample on average; 0 keeps what the formula gives. @default {0} */
  readonly match?: number;
}

/** Rounds half up; the paper does not say how it rounds. */
function round(value: number): number {
  return Math.floor(value + 0.5);
}

/**
 * Extra copies s(X) of each sample: round(k phi(X) - k m), at least 0, at most ceil(|k| m).
 *
 * @param joint Raw phi^CMI(X) of each sample, [N].
 * @throws {RangeError} If the slope is not negative.
 */
export function multiplicities(joint: ArrayLike<number>, options: ResamplingOptions): Int32Array {
  const { mode, slope, modalities: m, match = 0 } = options;
  if (!(slope < 0)) throw new RangeError(`Cannot re-sample as the slope k must be negative: found ${slope}`);
  const size = joint.length;
  if (mode === "off") return new Int32Array(size);
  const most = Math.ceil(-slope * m);
  const bounded = (value: number) => Math.min(most, Math.max(0, round(value)));
  const dsr = Array.from({ length: size }, (_, n) => bounded(slope * joint[n] - slope * m));
  let copies: number[];
  switch (mode) {
    case "dsr":
      copies = dsr;
      break;
    case "random": {
      const mean = dsr.reduce((sum, count) => sum + count, 0) / Math.max(1, size);
      copies = dsr.map(() => round(mean));
      break;
    }
    case "inverse":
      copies = Array.from({ length: size }, (_, n) => bounded(-slope * Math.max(joint[n], 0)));
      break;
  }
  if (match > 0) {
    const mean = copies.reduce((sum, count) => sum + count, 0) / Math.max(1, size);
    if (mean > 0) copies = copies.map((count) => round(match * count / mean));
  }
  return Int32Array.from(copies);
}

/** Every index once plus its copies, shuffled. */
export function withCopies(items: Int32Array, copies: ArrayLike<number>, random: Random): Int32Array {
  let length = 0;
  for (const item of items) length += 1 + copies[item];
  const list = new Int32Array(length);
  let at = 0;
  for (const item of items) for (let copy = 0; copy <= copies[item]; copy++) list[at++] = item;
  return random.shuffle(list);
}

/** How many samples have each number of copies. */
export function histogram(copies: ArrayLike<number>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (let n = 0; n < copies.length; n++) counts[String(copies[n])] = (counts[String(copies[n])] ?? 0) + 1;
  return counts;
}
