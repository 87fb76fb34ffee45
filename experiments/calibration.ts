/**
 * What predictions that were kept say without training again: confusion and calibration.
 *
 * @module
 */
import type { Predictions } from "../core/record.ts";
import { Refusal } from "../core/refusal.ts";

/** Counts [C, C], rows true class, columns predicted class. */
export type Confusion = readonly (readonly number[])[];

/**
 * Counts of true and predicted classes.
 *
 * @param classes Number of classes C.
 * @throws {Refusal} If a class is not within 0..C-1.
 */
export function confusionOf(
  { labels, predicted }: Pick<Predictions, "labels" | "predicted">,
  classes: number,
): Confusion {
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  labels.forEach((label, i) => {
    const bad = [label, predicted[i]].find((one) => !(one >= 0 && one < classes));
    if (bad !== undefined) {
      throw new Refusal({
        what: "count predictions",
        must: `classes must be within 0..${classes - 1}`,
        found: `found ${bad} at sample ${i}`,
      });
    }
    counts[label][predicted[i]]++;
  });
  return counts;
}

/** Samples of like confidence. */
export interface CalibrationBin {
  readonly count: number;
  /** Mean confidence. */
  readonly confidence: number;
  /** Share of right predictions. */
  readonly accuracy: number;
}

/** How far confidence can be believed. */
export interface Calibration {
  /** Expected calibration error: mean over samples of |accuracy - confidence| of their bins. */
  readonly ece: number;
  /** Bins that hold samples, by confidence. */
  readonly bins: readonly CalibrationBin[];
}

/**
 * Calibration by bins of equal width.
 *
 * @param confidence Probability of the predicted class [N].
 * @param right Whether each prediction is right [N].
 * @param bins Number of bins. @default {15}
 * @see Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, Eq. 3
 */
export function calibrationOf(
  confidence: ArrayLike<number>,
  right: readonly boolean[],
  bins: number = 15,
): Calibration {
  const sums = Array.from({ length: bins }, () => ({ count: 0, confidence: 0, right: 0 }));
  right.forEach((hit, i) => {
    // (low, high], as the source has it; 0 belongs to the first.
    const bin = sums[Math.max(0, Math.min(bins, Math.ceil(confidence[i] * bins)) - 1)];
    bin.count++;
    bin.confidence += confidence[i];
    bin.right += Number(hit);
  });
  const full = sums.filter(({ count }) => count > 0).map((bin) => ({
    count: bin.count,
    confidence: bin.confidence / bin.count,
    accuracy: bin.right / bin.count,
  }));
  const n = right.length;
  return {
    ece: n === 0 ? 0 : full.reduce((sum, bin) => sum + bin.count / n * Math.abs(bin.accuracy - bin.confidence), 0),
    bins: full,
  };
}

/** Largest probability of each row, and whether it is the label's, for probabilities [N, C]. */
export function confidenceOf(
  probabilities: Float32Array,
  labels: Int32Array,
): { readonly confidence: Float32Array; readonly right: boolean[] } {
  const classes = probabilities.length / labels.length;
  const confidence = new Float32Array(labels.length);
  const right = Array.from(labels, (label, i) => {
    let best = 0;
    for (let c = 1; c < classes; c++) if (probabilities[i * classes + c] > probabilities[i * classes + best]) best = c;
    confidence[i] = probabilities[i * classes + best];
    return best === label;
  });
  return { confidence, right };
}

/** Whether each prediction is right. */
export function rightOf({ labels, predicted }: Pick<Predictions, "labels" | "predicted">): boolean[] {
  return Array.from(labels, (label, i) => label === predicted[i]);
}
