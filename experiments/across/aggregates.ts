/**
 * Aggregates over several data sets that outliers do not move, with intervals: interquartile mean, probability of
 * improvement, performance profile.
 *
 * @see Agarwal et al., "Deep Reinforcement Learning at the Edge of the Statistical Precipice", NeurIPS 2021
 * @module
 */
import { Random } from "../../core/random.ts";
import { Refusal } from "../../core/refusal.ts";

/** Scores of one subject: for each data set, one for each of its runs. */
export type Scores = readonly (readonly number[])[];

/** An estimate with its 95 % interval. */
export interface BootstrapEstimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** How intervals are drawn. */
export interface BootstrapOptions {
  /** @default {2000} */
  readonly resamples?: number;
  /** @default a fixed one */
  readonly random?: Random;
}

function checkScores(scores: Scores): void {
  const empty = scores.findIndex((runs) => runs.length === 0);
  if (scores.length > 0 && empty === -1) return;
  throw new Refusal({
    what: "aggregate over data sets",
    must: "there must be a run on each of at least one",
    found: scores.length === 0 ? "there is no data set" : `there is none on number ${empty + 1}`,
  });
}

/** Mean of the middle half of values: a quarter, rounded down, is left out at each end. */
export function interquartileMean(values: readonly number[]): number {
  checkScores([values]);
  const sorted = [...values].sort((a, b) => a - b);
  const cut = Math.floor(sorted.length / 4);
  const kept = sorted.slice(cut, sorted.length - cut);
  return kept.reduce((sum, value) => sum + value, 0) / kept.length;
}

/**
 * Chance that a run of a is better than one of b, of equal ones half: mean over data sets of Mann and Whitney's U by the
 * number of pairs.
 *
 * @throws {Refusal} If they have not the same number of data sets.
 */
export function improvement(a: Scores, b: Scores): number {
  checkScores(a);
  checkScores(b);
  if (a.length !== b.length) {
    throw new Refusal({
      what: "compare over data sets",
      must: "both sides must have the same ones",
      found: `found ${a.length} and ${b.length}`,
    });
  }
  const chances = a.map((runs, set) => {
    const wins = runs.reduce(
      (sum, x) => sum + b[set].reduce((own, y) => own + (x > y ? 1 : x === y ? 0.5 : 0), 0),
      0,
    );
    return wins / (runs.length * b[set].length);
  });
  return chances.reduce((sum, value) => sum + value, 0) / chances.length;
}

/** Share of runs above a score, mean over data sets. */
export function shareAbove(scores: Scores, threshold: number): number {
  checkScores(scores);
  const shares = scores.map((runs) => runs.filter((score) => score > threshold).length / runs.length);
  return shares.reduce((sum, share) => sum + share, 0) / shares.length;
}

/** The q-quantile of sorted values, between neighbours on a line. */
function quantile(sorted: readonly number[], q: number): number {
  const at = q * (sorted.length - 1);
  const low = Math.floor(at);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (at - low) * (sorted[high] - sorted[low]);
}

/**
 * Percentile intervals of statistics by a stratified bootstrap: runs are drawn with replacement within each data set, of
 * each subject by itself.
 *
 * @param subjects Scores of one subject or several, which the statistics get in the same form.
 * @param statistic One value or several.
 */
export function stratifiedBootstrap(
  subjects: readonly Scores[],
  statistic: (subjects: readonly Scores[]) => readonly number[],
  { resamples = 2000, random = new Random(0, "stratified bootstrap") }: BootstrapOptions = {},
): BootstrapEstimate[] {
  for (const scores of subjects) checkScores(scores);
  const draws = Array.from({ length: resamples }, () =>
    statistic(
      subjects.map((scores) => scores.map((runs) => runs.map(() => runs[random.integer(runs.length)]))),
    ));
  return statistic(subjects).map((value, i) => {
    const sorted = draws.map((draw) => draw[i]).sort((a, b) => a - b);
    return { value, low: quantile(sorted, 0.025), high: quantile(sorted, 0.975) };
  });
}
