/**
 * What is kept of an evaluation pass, sample by sample.
 *
 * @module
 */
import type { Split } from "../core/kinds/mod.ts";
import { byModality } from "../core/modality.ts";
import type { Predictions } from "../core/record.ts";
import { contributionsOf } from "../miv/contributions.ts";
import { argmaxRows, likelihood } from "./metrics/classification.ts";
import type { DetailedPass } from "./predictor.ts";

/** Probabilities kept of a split at most, over all readouts: 64 MiB. */
const maxProbabilities = 2 ** 24;

/**
 * Predictions of a pass: classes, probabilities and raw contributions of each sample.
 *
 * @param name Which split it is.
 * @param classes Number of classes C.
 */
export function predictionsOf(
  pass: DetailedPass,
  split: Split,
  name: Predictions["split"],
  modalities: readonly string[],
  classes: number,
): Predictions {
  const { labels, size } = split;
  const predicted = argmaxRows(pass.logits, classes);
  const { phi } = contributionsOf({
    nmi: pass.nmi,
    ncmi: pass.ncmi,
    jointProbability: likelihood(pass.logits, labels, classes).probabilities,
    soloProbability: modalities.map((modality) => likelihood(pass.solo[modality], labels, classes).probabilities),
    modalities: modalities.length,
  });
  const kept = size * classes * (modalities.length + 1) <= maxProbabilities;
  return {
    split: name,
    ids: Int32Array.from({ length: size }, (_, i) => i),
    groups: numbered(split.groups),
    labels,
    predicted,
    confidence: likelihood(pass.logits, predicted, classes).probabilities,
    fused: kept ? softmaxRows(pass.logits, classes) : null,
    solo: kept ? byModality(modalities, (modality) => softmaxRows(pass.solo[modality], classes)) : null,
    phi: byModality(
      modalities,
      (_, u) => Float32Array.from({ length: size }, (_, i) => phi[i * modalities.length + u]),
    ),
  };
}

/** Softmax of each row. */
export function softmaxRows(logits: Float32Array, classes: number): Float32Array {
  const result = new Float32Array(logits.length);
  for (let start = 0; start < logits.length; start += classes) {
    let max = -Infinity;
    for (let c = start; c < start + classes; c++) max = Math.max(max, logits[c]);
    let sum = 0;
    for (let c = start; c < start + classes; c++) sum += Math.exp(logits[c] - max);
    for (let c = start; c < start + classes; c++) result[c] = Math.exp(logits[c] - max) / sum;
  }
  return result;
}

/** Equal texts as equal numbers, in the order in which they first appear. */
function numbered(texts: readonly string[]): Int32Array {
  const numbers = new Map<string, number>();
  return Int32Array.from(texts, (text) => {
    const known = numbers.get(text);
    if (known !== undefined) return known;
    numbers.set(text, numbers.size);
    return numbers.size - 1;
  });
}
