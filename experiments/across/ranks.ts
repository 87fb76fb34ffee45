/**
 * Mean ranks over data sets, Friedman's test and Nemenyi's critical difference.
 *
 * @see Demšar, "Statistical Comparisons of Classifiers over Multiple Data Sets", JMLR 7 (2006)
 * @module
 */
import { Refusal } from "../../core/refusal.ts";
import { normalProbability } from "../power.ts";
import { averageRanks } from "../statistics.ts";

/** Subjects by their ranks over data sets. */
export interface Ranking {
  /** Mean rank of each subject, in the order given; 1 is the best, equal scores share theirs. */
  readonly ranks: readonly number[];
  readonly subjects: number;
  readonly dataSets: number;
  /** Friedman's chi-square, corrected for ties; `null` where every data set ties all. */
  readonly chiSquare: number | null;
  /** Of Friedman's test, chi-square with k - 1 degrees of freedom. */
  readonly p: number | null;
  /** Two subjects are told apart at 5 % if their mean ranks differ by at least this. */
  readonly criticalDifference: number;
  /** Largest sets of subjects that are not told apart, as places in the order given, by rank; of two and more. */
  readonly cliques: readonly (readonly number[])[];
}

/** P(chi-square >= x) with k degrees of freedom: a finite sum for whole k. */
export function chiSquareTail(x: number, k: number): number {
  if (x <= 0) return 1;
  const half = x / 2;
  let term = k % 2 === 0 ? Math.exp(-half) : Math.sqrt(2 * x / Math.PI) * Math.exp(-half);
  let sum = k % 2 === 0 ? 0 : 2 * normalProbability(-Math.sqrt(x));
  for (let j = k % 2 === 0 ? 1 : 1.5; j <= k / 2; j++) {
    sum += term;
    term *= half / j;
  }
  return Math.min(1, sum);
}

/** Steps of the sum: where both ends vanish it converges as fast as the function is smooth; the error is below 1e-9. */
const STEPS = 160;

/** P(range of k standard normal values <= q) = k integral phi(z) (Phi(z) - Phi(z - q))^(k - 1) dz. */
function rangeProbability(q: number, k: number): number {
  const [low, high] = [-9, 9 + q];
  const width = (high - low) / STEPS;
  let sum = 0;
  for (let i = 0; i <= STEPS; i++) {
    const z = low + i * width;
    const density = Math.exp(-z * z / 2) / Math.sqrt(2 * Math.PI);
    const inside = Math.max(0, normalProbability(z) - normalProbability(z - q));
    sum += density * inside ** (k - 1);
  }
  return k * sum * width;
}

/** The q that the range of k standard normal values exceeds with a chance of `alpha`, by bisection. */
export function studentizedRange(alpha: number, k: number): number {
  const key = `${alpha} ${k}`;
  const known = ranges.get(key) ?? invertRange(alpha, k);
  ranges.set(key, known);
  return known;
}

const ranges = new Map<string, number>();

function invertRange(alpha: number, k: number): number {
  let [low, high] = [0, 20];
  for (let i = 0; i < 44; i++) {
    const middle = (low + high) / 2;
    if (rangeProbability(middle, k) < 1 - alpha) low = middle;
    else high = middle;
  }
  return high;
}

/**
 * Nemenyi's critical difference of mean ranks: q_alpha sqrt(k (k + 1) / (6 N)), where q_alpha is the studentized range's by
 * the root of 2.
 *
 * @param k Subjects, at least 2.
 * @param n Data sets.
 */
export function criticalDifference(k: number, n: number, alpha: number = 0.05): number {
  return studentizedRange(alpha, k) / Math.SQRT2 * Math.sqrt(k * (k + 1) / (6 * n));
}

/**
 * Ranks subjects on each data set and tests whether they differ.
 *
 * @param scores Of each subject on each data set, larger is better: the mean of its runs.
 * @throws {Refusal} If there are fewer than two subjects or data sets, or a score is missing.
 */
export function ranking(scores: readonly (readonly number[])[]): Ranking {
  const [k, n] = [scores.length, scores[0]?.length ?? 0];
  if (k < 2 || n < 2 || scores.some((own) => own.length !== n)) {
    throw new Refusal({
      what: "rank over data sets",
      must: "there must be at least two subjects with a score on each of at least two data sets",
      found: `found ${k} and ${n}`,
    });
  }
  // Means of the same accuracies in another order differ by rounding, and are ties all the same.
  const bySet = Array.from(
    { length: n },
    (_, set) => averageRanks(scores.map((own) => -Number(own[set].toPrecision(12)))),
  );
  const ranks = scores.map((_, i) => bySet.reduce((sum, own) => sum + own[i], 0) / n);
  // Conover's form, which takes ties into account: (k - 1) sum of squared deviations of rank sums by the ranks' variance.
  const spread = bySet.flat().reduce((sum, rank) => sum + (rank - (k + 1) / 2) ** 2, 0);
  const between = ranks.reduce((sum, rank) => sum + (n * (rank - (k + 1) / 2)) ** 2, 0);
  const chiSquare = spread === 0 ? null : (k - 1) * between / spread;
  const difference = criticalDifference(k, n);
  return {
    ranks,
    subjects: k,
    dataSets: n,
    chiSquare,
    p: chiSquare === null ? null : chiSquareTail(chiSquare, k - 1),
    criticalDifference: difference,
    cliques: cliquesOf(ranks, difference),
  };
}

/** Largest runs of subjects in the order of their ranks whose ends differ by less than the critical difference. */
function cliquesOf(ranks: readonly number[], difference: number): number[][] {
  const order = ranks.map((_, i) => i).sort((a, b) => ranks[a] - ranks[b]);
  const cliques: number[][] = [];
  let reached = 0;
  for (let start = 0; start < order.length; start++) {
    let end = start;
    while (end + 1 < order.length && ranks[order[end + 1]] - ranks[order[start]] < difference) end++;
    if (end > start && end >= reached + (cliques.length === 0 ? 0 : 1)) {
      cliques.push(order.slice(start, end + 1));
      reached = end;
    }
  }
  return cliques;
}
