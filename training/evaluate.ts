/**
 * Metrics of a split from one evaluation pass.
 *
 * The pass sees no labels; they meet its outputs here, on the host.
 *
 * @module
 */
import { byModality } from "../core/modality.ts";
import type { Split } from "../core/kinds/mod.ts";
import type { Predictions, SplitMetrics, ValuationRecord } from "../core/record.ts";
import { contributionsOf } from "../miv/contributions.ts";
import { followedIn, valuationOf } from "./followed.ts";
import { accuracy, argmaxRows, confusion, likelihood, macroF1, recalls } from "./metrics/classification.ts";
import { predictionsOf } from "./predictions.ts";
import type { DetailedPass, Predictor } from "./predictor.ts";

/** Measures a split. */
export async function measure(predictor: Predictor, split: Split): Promise<SplitMetrics> {
  return (await measureFollowing(predictor, split)).metrics;
}

/** Measures a split, and its samples that are followed one by one. */
export async function measureFollowing(
  predictor: Predictor,
  split: Split,
): Promise<{ readonly metrics: SplitMetrics; readonly followed: Omit<ValuationRecord, "epoch"> }> {
  const pass = await predictor.detail(split);
  const { modalities, classes } = predictor.state.parts.model.context;
  return {
    metrics: metricsOf(pass, split, modalities, classes, predictor.readout),
    followed: valuationOf(pass, split, followedIn(split.size), modalities, classes),
  };
}

/** Measures a split and says what was predicted for each of its samples. */
export async function examine(
  predictor: Predictor,
  split: Split,
  name: Predictions["split"],
): Promise<{ readonly metrics: SplitMetrics; readonly predictions: Predictions }> {
  const pass = await predictor.detail(split);
  const { modalities, classes } = predictor.state.parts.model.context;
  return {
    metrics: metricsOf(pass, split, modalities, classes, predictor.readout),
    predictions: predictionsOf(pass, split, name, modalities, classes),
  };
}

/**
 * Metrics of a pass.
 *
 * Contributions use the raw range (ARM Eqs. 11, 12) with hard histograms, features unweighted, parts centred by the
 * split's own mean; they are a measurement and do not enter any prediction.
 *
 * @param readout How the fusion defines a modality's own readout.
 */
export function metricsOf(
  pass: DetailedPass,
  split: Split,
  modalities: readonly string[],
  classes: number,
  readout: string,
): SplitMetrics {
  const { labels, size } = split;
  const m = modalities.length;
  const predicted = argmaxRows(pass.logits, classes);
  const joint = likelihood(pass.logits, labels, classes);
  const own = modalities.map((modality) => likelihood(pass.solo[modality], labels, classes).probabilities);
  const { phi, mean } = contributionsOf({
    nmi: pass.nmi,
    ncmi: pass.ncmi,
    jointProbability: joint.probabilities,
    soloProbability: own,
    modalities: m,
  });
  let gap = 0;
  for (let i = 0; i < size; i++) {
    for (let u = 0; u < m; u++) for (let v = u + 1; v < m; v++) gap += Math.abs(phi[i * m + u] - phi[i * m + v]);
  }
  // What a modality's own readout is worth is measured on the samples that have it.
  const having = <A extends Int32Array | Float32Array>(values: A, u: number): A =>
    split.present === undefined ? values : values.filter((_, i) => split.present![i * m + u] === 1) as A;
  const pairs = m * (m - 1) / 2;
  const counts = confusion(predicted, labels, classes);
  return {
    size,
    loss: joint.loss,
    accuracy: accuracy(predicted, labels),
    macroF1: macroF1(counts, classes),
    perModality: byModality(modalities, (modality, u) => ({
      accuracy: accuracy(having(argmaxRows(pass.solo[modality], classes), u), having(labels, u)),
      readout,
      ablateMean: accuracy(having(argmaxRows(pass.ablateMean[modality], classes), u), having(labels, u)),
      nmi: columnMean(pass.nmi, m, u),
      probability: meanOf(having(own[u], u)),
      phi: columnMean(phi, m, u),
    })),
    contributionGap: pairs === 0 ? 0 : gap / (size * pairs),
    jointContribution: mean.reduce((sum, value) => sum + value, 0) / size,
    recall: recalls(counts, classes),
  };
}

function meanOf(values: Float32Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function columnMean(values: Float32Array, width: number, column: number): number {
  let sum = 0;
  for (let i = column; i < values.length; i += width) sum += values[i];
  return sum / (values.length / width);
}
