/**
 * Metrics of a split from one evaluation pass.
 *
 * The pass sees no labels; they meet its outputs here, on the host.
 *
 * @module
 */
import { byModality } from "../core/modality.ts";
import type { Split } from "../core/kinds/mod.ts";
import type { Predictions, SplitMetrics, StepPoint, ValuationRecord } from "../core/record.ts";
import { contributionsOf } from "../miv/contributions.ts";
import { DivergenceError } from "./errors.ts";
import { followedIn, valuationOf } from "./followed.ts";
import { accuracy, argmaxRows, confusion, likelihood, macroF1, recalls } from "./metrics/classification.ts";
import { predictionsOf } from "./predictions.ts";
import type { DetailedPass, Predictor } from "./predictor.ts";

/** Measures a split. @throws {DivergenceError} If a prediction is no number. */
export async function measure(predictor: Predictor, split: Split, name?: Predictions["split"]): Promise<SplitMetrics> {
  return (await measureFollowing(predictor, split, name)).metrics;
}

/**
 * A pass over a split whose predictions are numbers, so that no table shows an accuracy of none.
 *
 * @throws {DivergenceError} If a logit is not finite; those of readouts count where a sample has the modality.
 */
async function predicted(
  predictor: Predictor,
  split: Split,
  name: Predictions["split"],
  curve: readonly StepPoint[] = [],
): Promise<DetailedPass> {
  const pass = await predictor.detail(split);
  const { state } = predictor;
  const { modalities, classes } = state.parts.model.context;
  const refuse = (what: string, logits: Float32Array, counts: (row: number) => boolean) => {
    const at = logits.findIndex((value, i) => !Number.isFinite(value) && counts(Math.floor(i / classes)));
    if (at >= 0) throw new DivergenceError(state.epoch, state.steps, `${name}/${what}`, logits[at], curve);
  };
  refuse("logits", pass.logits, () => true);
  modalities.forEach((modality, u) => {
    const has = (row: number) => split.present === undefined || split.present[row * modalities.length + u] === 1;
    refuse(`logits:${modality}`, pass.solo[modality], has);
  });
  return pass;
}

/** Accuracy alone, of whatever is predicted: what a curve that nothing depends on has of a split. */
export async function accuracyOn(predictor: Predictor, split: Split): Promise<number> {
  const { classes } = predictor.state.parts.model.context;
  return accuracy(argmaxRows((await predictor.detail(split)).logits, classes), split.labels);
}

/**
 * Measures a split, and its samples that are followed one by one.
 *
 * @param curve What is kept of the epoch's steps, for the error.
 * @throws {DivergenceError} If a prediction is no number.
 */
export async function measureFollowing(
  predictor: Predictor,
  split: Split,
  name: Predictions["split"] = "validation",
  curve?: readonly StepPoint[],
): Promise<{ readonly metrics: SplitMetrics; readonly followed: Omit<ValuationRecord, "epoch"> }> {
  const pass = await predicted(predictor, split, name, curve);
  const { modalities, classes } = predictor.state.parts.model.context;
  return {
    metrics: metricsOf(pass, split, modalities, classes, predictor.readout),
    followed: valuationOf(pass, split, followedIn(split.size), modalities, classes),
  };
}

/** Measures a split and says what was predicted for each of its samples. @throws {DivergenceError} If one is no number. */
export async function examine(
  predictor: Predictor,
  split: Split,
  name: Predictions["split"],
): Promise<{ readonly metrics: SplitMetrics; readonly predictions: Predictions }> {
  const pass = await predicted(predictor, split, name);
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
