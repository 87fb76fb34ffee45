/**
 * What may be claimed from a few seeds: means with confidence intervals, paired tests, ties with the best.
 *
 * @module
 */
import { Refusal } from "../core/refusal.ts";

/** Mean and spread of a configuration over its seeds. */
export interface Interval {
  readonly mean: number;
  /** Sample standard deviation (n - 1 below the line); `null` for one value. */
  readonly std: number | null;
  /** Half width of the 95 % confidence interval of the mean by Student's t; `null` for one value. */
  readonly ci95: number | null;
}

/** Outcome of a paired t-test. */
export interface PairedTest {
  /** Number of pairs. */
  readonly n: number;
  /** Mean of a - b. */
  readonly difference: number;
  /** Sample standard deviation of the differences; 0 where all are equal. */
  readonly std: number;
  /** Student's t; `null` where all differences are equal: there is no spread to test against. */
  readonly t: number | null;
  /** n - 1. */
  readonly degreesOfFreedom: number;
  /** Two-sided p; `null` as `t` is. */
  readonly p: number | null;
  /** Half width of the 95 % confidence interval of the difference; `null` as `t` is. */
  readonly ci95: number | null;
}

/** Values by seed. */
export type BySeed = Readonly<Record<number, number>>;

/** Where a configuration stands beside the best. */
export interface Standing extends Interval {
  /** Number of values. */
  readonly n: number;
  /**
   * Whether the test cannot tell it from the best; the best is tied with itself. `"untested"` where no test was possible, of
   * the best where none was with any other.
   */
  readonly tied: "yes" | "no" | "untested";
  /** Whether this has the best mean and is told apart from every other configuration. */
  readonly supported: boolean;
  /** Two-sided p of the paired test against the best; `null` for the best itself or where no test was possible. */
  readonly p: number | null;
  /** The same after Holm's correction over all tests against the best. */
  readonly pHolm: number | null;
}

function checkValues(what: string, values: readonly number[], least: number): void {
  if (values.length < least) {
    const must = `there must be at least ${least} value${least === 1 ? "" : "s"}`;
    throw new Refusal({ what: `compute ${what}`, must, found: `found ${values.length}` });
  }
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad !== -1) {
    const found = `found ${values[bad]} at index ${bad}`;
    throw new Refusal({ what: `compute ${what}`, must: "every value must be finite", found });
  }
}

/** Arithmetic mean. @throws {Refusal} If there is no value or one is not finite. */
export function mean(values: readonly number[]): number {
  checkValues("a mean", values, 1);
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * Sample standard deviation, with n - 1 below the line.
 *
 * @returns `null` for a single value, whose spread is unknown.
 * @throws {Refusal} If there is no value or one is not finite.
 */
export function sampleStd(values: readonly number[]): number | null {
  const center = mean(values);
  // A mean of equal values can differ from them by rounding; their spread is 0 all the same.
  if (values.length > 1 && values.every((value) => value === values[0])) return 0;
  if (values.length === 1) return null;
  const squares = values.reduce((sum, value) => sum + (value - center) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1));
}

/** Mean, sample standard deviation and 95 % half width. @throws {Refusal} If there is no value or one is not finite. */
export function interval(values: readonly number[]): Interval {
  const std = sampleStd(values);
  const n = values.length;
  return { mean: mean(values), std, ci95: std === null ? null : tQuantile(0.975, n - 1) * std / Math.sqrt(n) };
}

// ------------------------------------------------------------------------------------------ Student's t distribution
//
// Written here as no well-kept library fits: @stdlib's t distribution is exact but installs over 200 packages (27 MB),
// jstat's continued fraction stops at 3e-7. With whole degrees of freedom, all that we need, no gamma function is left.

function checkDegrees(degreesOfFreedom: number): void {
  if (!Number.isInteger(degreesOfFreedom) || degreesOfFreedom < 1 || degreesOfFreedom > 1e6) {
    throw new Refusal({
      what: "use Student's t",
      must: "its degrees of freedom must be an integer in 1..1000000",
      found: `found ${degreesOfFreedom}`,
    });
  }
}

/** Gamma((k + 1) / 2) / Gamma(k / 2), by r(k + 2) = r(k) (k + 1) / k from r(1) = 1 / sqrt(pi), r(2) = sqrt(pi) / 2. */
function gammaRatio(k: number): number {
  let ratio = k % 2 === 1 ? 1 / Math.sqrt(Math.PI) : Math.sqrt(Math.PI) / 2;
  for (let i = k % 2 === 1 ? 1 : 2; i < k; i += 2) ratio *= (i + 1) / i;
  return ratio;
}

/** The continued fraction of the incomplete beta function I_x(a, b) (DLMF 8.17.22), by Lentz's method. */
function betaFraction(x: number, a: number, b: number): number {
  const tiny = 1e-300;
  const away = (value: number) => Math.abs(value) < tiny ? tiny : value;
  let c = 1;
  let d = 1 / away(1 - (a + b) * x / (a + 1));
  let result = d;
  for (let m = 1; m <= 100_000; m++) {
    const even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away(1 + even * d);
    c = away(1 + even / c);
    result *= d * c;
    const odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away(1 + odd * d);
    c = away(1 + odd / c);
    const step = d * c;
    result *= step;
    if (Math.abs(step - 1) < 1e-16) return result;
  }
  throw new Error(`Student's t: its continued fraction did not converge at x = ${x}, a = ${a}`);
}

/**
 * P(|T| >= |t|) for Student's t: I_x(k / 2, 1 / 2) at x = k / (k + t^2), with k degrees of freedom.
 *
 * Keeps its relative accuracy (about 1e-12) far into the tail.
 *
 * @throws {Refusal} If `t` is NaN or `degreesOfFreedom` is not an integer in 1..10^6.
 */
export function tTwoSided(t: number, degreesOfFreedom: number): number {
  checkDegrees(degreesOfFreedom);
  if (Number.isNaN(t)) throw new Refusal({ what: "use Student's t", must: "t must be a number", found: "found NaN" });
  if (t === 0) return 1;
  if (!Number.isFinite(t * t)) return 0;
  const k = degreesOfFreedom;
  const x = k / (k + t * t);
  const y = t * t / (k + t * t);
  // x^(k/2) y^(1/2) / B(k/2, 1/2); log1p keeps the power exact for many degrees of freedom.
  const front = Math.exp(-0.5 * k * Math.log1p(t * t / k)) * Math.sqrt(y) * gammaRatio(k) / Math.sqrt(Math.PI);
  // The fraction converges fast below the mean of the beta distribution; above it, the mirrored one does.
  if (x < (k / 2 + 1) / (k / 2 + 2.5)) return front * betaFraction(x, k / 2, 0.5) / (k / 2);
  return 1 - front * betaFraction(y, 0.5, k / 2) / 0.5;
}

/**
 * The t with P(T <= t) = p.
 *
 * @throws {Refusal} If `p` is not within (0, 1) or `degreesOfFreedom` is not an integer in 1..10^6.
 */
export function tQuantile(p: number, degreesOfFreedom: number): number {
  const key = `${p} ${degreesOfFreedom}`;
  const known = quantiles.get(key);
  if (known !== undefined) return known;
  const found = invert(p, degreesOfFreedom);
  // A table of thousands of intervals asks for a few.
  if (quantiles.size < mostQuantiles) quantiles.set(key, found);
  return found;
}

const quantiles = new Map<string, number>();
const mostQuantiles = 4096;

function invert(p: number, degreesOfFreedom: number): number {
  checkDegrees(degreesOfFreedom);
  if (!(p > 0 && p < 1)) {
    throw new Refusal({ what: "invert Student's t", must: "p must be in (0, 1)", found: `found ${p}` });
  }
  if (p === 0.5) return 0;
  const tail = 2 * Math.min(p, 1 - p);
  let high = 1;
  while (tTwoSided(high, degreesOfFreedom) > tail) high *= 2;
  let low = high === 1 ? 0 : high / 2;
  // Bisection down to neighbouring doubles; P is monotone, and this is no hot path.
  for (;;) {
    const middle = (low + high) / 2;
    if (middle <= low || middle >= high) break;
    if (tTwoSided(middle, degreesOfFreedom) > tail) low = middle;
    else high = middle;
  }
  return p < 0.5 ? -high : high;
}

// -------------------------------------------------------------------------------------------------------------- tests

/**
 * Paired t-test of a against b, two-sided.
 *
 * Differences that are all equal but for rounding leave no spread to test against, and support nothing: accuracies are
 * multiples of one over the size of the test split, so that a few differences can well be equal by chance.
 *
 * @param a One value per pair.
 * @param b The other value of each pair, in the same order.
 * @throws {Refusal} If the lengths differ, there are fewer than 2 pairs or a value is not finite.
 */
export function pairedTTest(a: readonly number[], b: readonly number[]): PairedTest {
  if (a.length !== b.length) {
    const found = `found ${a.length} and ${b.length}`;
    throw new Refusal({ what: "run a paired test", must: "both sides must have as many values", found });
  }
  checkValues("a paired test", a, 2);
  checkValues("a paired test", b, 2);
  const n = a.length;
  const { mean: difference, std, ci95 } = interval(a.map((value, i) => value - b[i]));
  const rounding = 1e-12 * Math.max(...a.map(Math.abs), ...b.map(Math.abs));
  const degreesOfFreedom = n - 1;
  if (std! <= rounding) return { n, difference, std: 0, t: null, degreesOfFreedom, p: null, ci95: null };
  const t = difference / (std! / Math.sqrt(n));
  return { n, difference, std: std!, t, degreesOfFreedom, p: tTwoSided(t, n - 1), ci95 };
}

/**
 * Holm's step-down correction of p values.
 *
 * With p sorted, p'_(i) = max over j <= i of min(1, (m - j + 1) p_(j)).
 *
 * @returns Corrected values in the order given.
 * @throws {Refusal} If a value is not within [0, 1].
 * @see Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian Journal of Statistics 1979
 */
export function holm(pValues: readonly number[]): number[] {
  const bad = pValues.find((p) => !(p >= 0 && p <= 1));
  if (bad !== undefined) {
    throw new Refusal({ what: "correct p values", must: "each must be in [0, 1]", found: `found ${bad}` });
  }
  const order = pValues.map((_, i) => i).sort((i, j) => pValues[i] - pValues[j]);
  const corrected = new Array<number>(pValues.length);
  let largest = 0;
  order.forEach((index, position) => {
    largest = Math.max(largest, Math.min(1, (pValues.length - position) * pValues[index]));
    corrected[index] = largest;
  });
  return corrected;
}

/** The paired test over the seeds that both have; `null` with fewer than 2. @throws {Refusal} If a value is not finite. */
export function pairedBySeed(a: BySeed, b: BySeed): PairedTest | null {
  const seeds = Object.keys(a).map(Number).filter((seed) => Object.hasOwn(b, seed)).sort((x, y) => x - y);
  if (seeds.length < 2) return null;
  return pairedTTest(seeds.map((seed) => a[seed]), seeds.map((seed) => b[seed]));
}

/** Fewest common seeds for a test to count: two differences are too few to know their spread. */
export const leastSeeds = 3;

/**
 * Which configurations cannot be told from the one with the best mean over seeds.
 *
 * Every other is tested against the best over their common seeds (paired, two-sided; at least `leastSeeds` of them, with
 * differences that are not all equal), and the p values are corrected by Holm over all others: those without a test count
 * with p = 1. The best is `supported` only if every other has a test and all of them are below `alpha`.
 *
 * @param samples Values by seed, by configuration; larger is better.
 * @param alpha Level of the tests. @default {0.05}
 * @returns One entry per configuration, by name.
 * @throws {Refusal} If a configuration has no value or one is not finite.
 */
export function againstBest(
  samples: Readonly<Record<string, BySeed>>,
  alpha: number = 0.05,
): Record<string, Standing> {
  const rows = Object.keys(samples).sort().map((name) => {
    const values = Object.values(samples[name]);
    checkValues(`the standing of "${name}"`, values, 1);
    return { name, n: values.length, ...interval(values) };
  }).sort((a, b) => b.mean - a.mean);
  if (rows.length === 0) return {};
  const [best, ...others] = rows;
  const tests = others.map(({ name }) => {
    const test = pairedBySeed(samples[best.name], samples[name]);
    return test === null || test.n < leastSeeds ? null : test.p;
  });
  const corrected = holm(tests.map((p) => p ?? 1));
  const tied = tests.map((p, i) =>
    p === null ? "untested" as const : corrected[i] < alpha ? "no" as const : "yes" as const
  );
  const entry = ({ name, ...row }: typeof rows[number], standing: Omit<Standing, "n" | keyof Interval>) =>
    [name, { ...row, ...standing }] as const;
  return Object.fromEntries([
    entry(best, {
      tied: others.length > 0 && tied.every((one) => one === "untested") ? "untested" : "yes",
      supported: others.length > 0 && tied.every((one) => one === "no"),
      p: null,
      pHolm: null,
    }),
    ...others.map((row, i) =>
      entry(row, {
        tied: tied[i],
        supported: false,
        p: tests[i],
        pHolm: tests[i] === null ? null : corrected[i],
      })
    ),
  ]);
}

// -------------------------------------------------------------------------------------------------------- correlation

/** Ranks from 1, where equal values share the mean of their ranks. */
export function averageRanks(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((i, j) => values[i] - values[j]);
  const ranks = new Array<number>(values.length);
  for (let start = 0; start < order.length;) {
    let end = start;
    while (end < order.length && values[order[end]] === values[order[start]]) end++;
    for (let i = start; i < end; i++) ranks[order[i]] = (start + 1 + end) / 2;
    start = end;
  }
  return ranks;
}

/**
 * Spearman's rank correlation: Pearson's of the ranks, ties sharing their mean rank.
 *
 * @returns In [-1, 1]; `null` if a side is constant, where it is not defined.
 * @throws {Refusal} If the lengths differ, there are fewer than 2 pairs or a value is not finite.
 */
export function spearman(x: readonly number[], y: readonly number[]): number | null {
  if (x.length !== y.length) {
    const found = `found ${x.length} and ${y.length}`;
    throw new Refusal({ what: "correlate", must: "both sides must have as many values", found });
  }
  checkValues("a correlation", x, 2);
  checkValues("a correlation", y, 2);
  const center = (x.length + 1) / 2;
  const a = averageRanks(x).map((rank) => rank - center);
  const b = averageRanks(y).map((rank) => rank - center);
  const dot = (u: readonly number[], v: readonly number[]) => u.reduce((sum, value, i) => sum + value * v[i], 0);
  const scale = Math.sqrt(dot(a, a) * dot(b, b));
  return scale === 0 ? null : Math.max(-1, Math.min(1, dot(a, b) / scale));
}
