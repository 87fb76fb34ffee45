/**
 * Tests over samples, from predictions that were kept: McNemar's for each seed, and a bootstrap over samples and seeds.
 *
 * @module
 */
import type { Random } from "../core/random.ts";
import type { Predictions } from "../core/record.ts";
import { Refusal } from "../core/refusal.ts";
import { rightOf } from "./calibration.ts";
import { normalProbability } from "./power.ts";

/** McNemar's test of two classifiers on the same samples. */
export interface McNemar {
  /** Samples that the first alone has right. */
  readonly onlyFirst: number;
  /** Samples that the second alone has right. */
  readonly onlySecond: number;
  /** Two-sided p that both are equally likely; 1 where they disagree about none. */
  readonly p: number;
}

/** Disagreements up to which the binomial distribution is summed; above, the normal one is as near as p is read. */
const mostExact = 1000;

/**
 * McNemar's test: of the samples that exactly one has right, either should have half. Exact, by the binomial distribution;
 * with the normal one and a continuity correction above a thousand such samples.
 *
 * @param first Whether each prediction is right.
 * @param second The same of the other classifier, on the same samples.
 * @throws {Refusal} If the lengths differ.
 */
export function mcNemar(first: readonly boolean[], second: readonly boolean[]): McNemar {
  if (first.length !== second.length) {
    const found = `found ${first.length} and ${second.length}`;
    throw new Refusal({ what: "run McNemar's test", must: "both sides must have as many samples", found });
  }
  const onlyFirst = first.filter((right, i) => right && !second[i]).length;
  const onlySecond = second.filter((right, i) => right && !first[i]).length;
  const n = onlyFirst + onlySecond;
  const least = Math.min(onlyFirst, onlySecond);
  if (n > mostExact) {
    const z = (Math.abs(onlyFirst - onlySecond) - 1) / Math.sqrt(n);
    return { onlyFirst, onlySecond, p: Math.min(1, 2 * normalProbability(-Math.max(0, z))) };
  }
  // Sum of the binomial coefficients up to the smaller count, times 2 / 2^n.
  let log = -n * Math.LN2;
  let tail = 0;
  for (let k = 0; k <= least; k++) {
    tail += Math.exp(log);
    log += Math.log((n - k) / (k + 1));
  }
  return { onlyFirst, onlySecond, p: Math.min(1, 2 * tail) };
}

/** Right and wrong of two configurations with one seed, on the same samples. */
export interface SeedPair {
  readonly seed: number;
  readonly first: readonly boolean[];
  readonly second: readonly boolean[];
  /** Group of each sample: samples of one group are drawn together. */
  readonly groups: ArrayLike<number>;
}

/** What the bootstrap says. */
export interface Bootstrap {
  /** Mean difference of accuracy over seeds and samples. */
  readonly difference: number;
  /** Ends of the 95 % interval, percentiles. */
  readonly low: number;
  readonly high: number;
  readonly draws: number;
}

/** Draws of the bootstrap. */
const usualDraws = 2000;

/**
 * Bootstrap of the difference of accuracies over seeds and samples: in each draw the seeds are drawn with replacement, and
 * the groups of samples, which all seeds share. Unlike a test over seeds it counts that the test split is a sample, too.
 *
 * @param pairs Right and wrong by seed; all on the same samples.
 * @param random Of the draws: equal streams give equal intervals.
 * @returns `null` without a pair.
 * @throws {Refusal} If the seeds have different samples.
 * @see Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapters 8 and 13
 */
export function bootstrap(
  pairs: readonly SeedPair[],
  random: Random,
  draws: number = usualDraws,
): Bootstrap | null {
  if (pairs.length === 0) return null;
  const size = pairs[0].first.length;
  if (pairs.some(({ first, second }) => first.length !== size || second.length !== size)) {
    throw new Refusal({
      what: "draw samples",
      must: "all seeds must have the same samples",
      found: "their numbers differ",
    });
  }
  const groups = grouped(pairs[0].groups, size);
  // Sums of differences by seed and group: a draw adds these, and not single samples.
  const sums = pairs.map(({ first, second }) =>
    groups.map((members) => members.reduce((sum, i) => sum + Number(first[i]) - Number(second[i]), 0))
  );
  const sizes = groups.map(({ length }) => length);
  const found = new Float64Array(draws);
  for (let draw = 0; draw < draws; draw++) {
    const times = new Int32Array(pairs.length);
    for (let s = 0; s < pairs.length; s++) times[random.integer(pairs.length)]++;
    let total = 0;
    let samples = 0;
    for (let g = 0; g < groups.length; g++) {
      const group = random.integer(groups.length);
      for (let s = 0; s < pairs.length; s++) total += times[s] * sums[s][group];
      samples += sizes[group];
    }
    found[draw] = total / (samples * pairs.length);
  }
  found.sort();
  const all = sums.flat().reduce((sum, one) => sum + one, 0);
  return {
    difference: all / (size * pairs.length),
    low: percentile(found, 0.025),
    high: percentile(found, 0.975),
    draws,
  };
}

/** Places of the samples of each group. */
function grouped(groups: ArrayLike<number>, size: number): number[][] {
  const places = new Map<number, number[]>();
  for (let i = 0; i < size; i++) {
    const own = places.get(groups[i]);
    if (own === undefined) places.set(groups[i], [i]);
    else own.push(i);
  }
  return [...places.values()];
}

/** Value below which a share of sorted values lies, linear in between. */
function percentile(sorted: Float64Array, share: number): number {
  const at = share * (sorted.length - 1);
  const low = Math.floor(at);
  return sorted[low] + (at - low) * (sorted[Math.min(low + 1, sorted.length - 1)] - sorted[low]);
}

/** Pairs the predictions of two configurations by seed; those of other samples are left out. */
export function seedPairs(
  first: ReadonlyMap<number, Predictions>,
  second: ReadonlyMap<number, Predictions>,
): SeedPair[] {
  const same = (a: ArrayLike<number>, b: ArrayLike<number>) =>
    a.length === b.length && Array.prototype.every.call(a, (value: number, i: number) => value === b[i]);
  return [...first].flatMap(([seed, a]) => {
    const b = second.get(seed);
    if (b === undefined || !same(a.ids, b.ids) || !same(a.labels, b.labels)) return [];
    return [{ seed, first: rightOf(a), second: rightOf(b), groups: a.groups }];
  });
}
