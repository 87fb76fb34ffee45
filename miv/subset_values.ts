/**
 * What subsets of modalities give to the true class, and the Shapley values of that.
 *
 * @module
 */
import { type SavedFeatures, subsetName, type ValuationInputs } from "./saved.ts";
import { interactionIndex, shapleyValues } from "./shapley.ts";
import type { ShapleyResult } from "./valuate.ts";

/** Probability of the true class and whether it is the most likely one, [N] each. */
export function probabilities(
  logits: SavedFeatures,
  labels: Int32Array,
  classes: number,
): { p: Float32Array; right: Float32Array } {
  const p = new Float32Array(labels.length);
  const right = new Float32Array(labels.length);
  for (let n = 0; n < labels.length; n++) {
    const row = logits.subarray(n * classes, (n + 1) * classes);
    let best = 0;
    for (let c = 1; c < classes; c++) if (row[c] > row[best]) best = c;
    let sum = 0;
    for (let c = 0; c < classes; c++) sum += Math.exp(row[c] - row[best]);
    p[n] = Math.exp(row[labels[n]] - row[best]) / sum;
    right[n] = best === labels[n] ? 1 : 0;
  }
  return { p, right };
}

/** Both values of every subset by bit mask, or `null` if some subset is not known. */
export function subsetValues(
  { logits, labels, solo, subsets = {} }: ValuationInputs,
  modalities: readonly string[],
  classes: number,
): { p: Float32Array; right: Float32Array }[] | null {
  const m = modalities.length;
  const all = (1 << m) - 1;
  const values: { p: Float32Array; right: Float32Array }[] = [];
  for (let subset = 0; subset <= all; subset++) {
    const name = subsetName(subset, modalities);
    const given = Object.hasOwn(subsets, name)
      ? subsets[name]
      : subset === all
      ? logits
      : Object.hasOwn(solo, name)
      ? solo[name]
      : undefined;
    if (given !== undefined) values.push(probabilities(given, labels, classes));
    else if (subset === 0) values.push(frequencies(labels, classes));
    else return null;
  }
  return values;
}

/** What is known of a sample without any modality: the classes' frequencies; the most frequent one is guessed. */
function frequencies(labels: Int32Array, classes: number): { p: Float32Array; right: Float32Array } {
  const counts = new Float64Array(classes);
  for (const label of labels) counts[label]++;
  const most = counts.indexOf(Math.max(...counts));
  return {
    p: Float32Array.from(labels, (label) => counts[label] / labels.length),
    right: Float32Array.from(labels, (label) => label === most ? 1 : 0),
  };
}

/** Shapley values of one value of subsets, by sample and on average. */
export function shapleyOf(
  modalities: readonly string[],
  size: number,
  value: (subset: number) => Float32Array,
): ShapleyResult {
  const m = modalities.length;
  const values = new Float32Array(size * m);
  for (let n = 0; n < size; n++) values.set(shapleyValues(m, (subset) => value(subset)[n]), n * m);
  const mean = Array.from({ length: 1 << m }, (_, subset) => average(value(subset)));
  const of = (subset: number) => mean[subset];
  return {
    values,
    // Shapley values and interactions are linear in v, so those of the mean are the means.
    mean: shapleyValues(m, of),
    interaction: Array.from(
      { length: m },
      (_, i) => Array.from({ length: m }, (_, j) => i === j ? 0 : interactionIndex(m, i, j, of)),
    ),
    subsets: Object.fromEntries(mean.map((v, subset) => [subsetName(subset, modalities), v])),
  };
}

/** Their mean. */
export function average(values: ArrayLike<number>): number {
  let sum = 0;
  for (let n = 0; n < values.length; n++) sum += values[n];
  return sum / values.length;
}
