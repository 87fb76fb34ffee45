/**
 * Classification metrics on the host.
 *
 * @module
 */

/** Index of the largest logit of each row; the first of equals. */
export function argmaxRows(logits: Float32Array, classes: number): Int32Array {
  const result = new Int32Array(logits.length / classes);
  for (let i = 0; i < result.length; i++) {
    let best = 0;
    for (let c = 1; c < classes; c++) if (logits[i * classes + c] > logits[i * classes + best]) best = c;
    result[i] = best;
  }
  return result;
}

/** Softmax probability of each row's label, and the mean cross-entropy in nats. */
export function likelihood(
  logits: Float32Array,
  labels: Int32Array,
  classes: number,
): { readonly probabilities: Float32Array; readonly loss: number } {
  const probabilities = new Float32Array(labels.length);
  let loss = 0;
  for (let i = 0; i < labels.length; i++) {
    let max = -Infinity;
    for (let c = 0; c < classes; c++) max = Math.max(max, logits[i * classes + c]);
    let sum = 0;
    for (let c = 0; c < classes; c++) sum += Math.exp(logits[i * classes + c] - max);
    const log = logits[i * classes + labels[i]] - max - Math.log(sum);
    probabilities[i] = Math.exp(log);
    loss -= log;
  }
  return { probabilities, loss: loss / labels.length };
}

/** Counts [C, C], rows true class, columns predicted class, row-major. */
export function confusion(predicted: Int32Array, labels: Int32Array, classes: number): Int32Array {
  const counts = new Int32Array(classes * classes);
  for (let i = 0; i < labels.length; i++) counts[labels[i] * classes + predicted[i]]++;
  return counts;
}

/** Share of equal entries, 0..1. */
export function accuracy(predicted: Int32Array, labels: Int32Array): number {
  let hits = 0;
  for (let i = 0; i < labels.length; i++) if (predicted[i] === labels[i]) hits++;
  return hits / labels.length;
}

/** Recall of each class; 0 for a class that does not occur. */
export function recalls(counts: Int32Array, classes: number): number[] {
  return Array.from({ length: classes }, (_, c) => {
    let total = 0;
    for (let k = 0; k < classes; k++) total += counts[c * classes + k];
    return total === 0 ? 0 : counts[c * classes + c] / total;
  });
}

/** Mean over all C classes of 2PR / (P + R); 0 for a class where that is undefined, absent classes included. */
export function macroF1(counts: Int32Array, classes: number): number {
  let sum = 0;
  for (let c = 0; c < classes; c++) {
    let predicted = 0;
    let actual = 0;
    for (let k = 0; k < classes; k++) {
      predicted += counts[k * classes + c];
      actual += counts[c * classes + k];
    }
    if (predicted + actual > 0) sum += 2 * counts[c * classes + c] / (predicted + actual);
  }
  return sum / classes;
}
