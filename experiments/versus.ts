/**
 * Differences to a reference: by how much, how sure, and how many seeds would tell.
 *
 * @module
 */
import { type BySeed, holm, leastSeeds, mean, pairedBySeed, type PairedTest } from "./statistics.ts";
import { mostSeeds, seedsNeeded } from "./power.ts";

/** What a test says of a configuration beside the reference. */
export type ComparisonVerdict = "better" | "worse" | "not told apart" | "untested";

/** The difference of a configuration from the reference. */
export interface Versus {
  /** Label of the reference. */
  readonly reference: string;
  /** Common seeds. */
  readonly n: number;
  /** Mean over common seeds of this minus the reference, as a share; `null` without any. */
  readonly difference: number | null;
  /** Half width of its 95 % confidence interval, not corrected; `null` without a spread to take it from. */
  readonly ci95: number | null;
  /** Of the two-sided paired t-test; `null` where none was possible. */
  readonly p: number | null;
  /** Corrected by Holm over all rows with a test. */
  readonly pHolm: number | null;
  readonly verdict: ComparisonVerdict;
  /** Why it is untested, in words; else `null`. */
  readonly reason: string | null;
  /**
   * Seeds with which a difference as large and as variable would be shown with a chance of 80 %, at 5 % over the number of
   * comparisons; `null` where it is shown, untested, or more than a thousand would be needed.
   */
  readonly seedsNeeded: number | null;
}

/** Values of one configuration. */
export interface Sample {
  readonly label: string;
  readonly values: BySeed;
  /** Why it may not be compared with the reference; `null` if it may. */
  readonly apart: string | null;
}

/** Level of all tests. */
export const level = 0.05;

function commonSeeds(a: BySeed, b: BySeed): number[] {
  return Object.keys(a).map(Number).filter((seed) => Object.hasOwn(b, seed));
}

/** Why a test cannot be relied on; `null` if it can. */
function untestable(n: number, test: PairedTest | null): string | null {
  if (test === null || n < leastSeeds) return `${n} common seed${n === 1 ? "" : "s"}, a test needs ${leastSeeds}`;
  if (test.p === null) return `all ${n} differences are equal, and without a spread nothing can be tested`;
  return null;
}

/**
 * Tests samples against a reference, paired over common seeds and Holm-corrected over all that have a test.
 *
 * @returns One entry per sample, in their order.
 */
export function versusReference(reference: Pick<Sample, "label" | "values">, samples: readonly Sample[]): Versus[] {
  const found = samples.map(({ values, apart }) => {
    const seeds = commonSeeds(values, reference.values);
    const n = seeds.length;
    const difference = n === 0 ? null : mean(seeds.map((seed) => values[seed] - reference.values[seed]));
    const test = pairedBySeed(values, reference.values);
    return { n, difference, test, reason: apart ?? untestable(n, test) };
  });
  const tested = found.filter(({ reason }) => reason === null);
  const corrected = holm(tested.map(({ test }) => test!.p!));
  return found.map((row): Versus => {
    const { n, difference, test, reason } = row;
    const known = { reference: reference.label, n, difference };
    if (reason !== null) {
      const ci95 = n < leastSeeds ? null : test?.ci95 ?? null;
      return { ...known, ci95, p: null, pHolm: null, verdict: "untested", reason, seedsNeeded: null };
    }
    const { p, ci95, std } = test!;
    const pHolm = corrected[tested.indexOf(row)];
    const shown = pHolm < level;
    return {
      ...known,
      ci95,
      p,
      pHolm,
      verdict: !shown ? "not told apart" : difference! > 0 ? "better" : "worse",
      reason: null,
      seedsNeeded: shown ? null : seedsNeeded(difference! / std, level / tested.length),
    };
  });
}

/** A p value as sentences and tables write it: ".21", ".004", "< .0001"; near the level, on which side of it it is: ".0496". */
export function pText(p: number): string {
  if (p < 1e-4) return "< .0001";
  let digits = p < 0.001 ? 4 : p < 0.01 ? 3 : 2;
  while (digits < 6 && Number(p.toFixed(digits)) === level && p !== level) digits++;
  const text = p.toFixed(digits);
  return text.startsWith("0") ? text.slice(1) : text;
}

/** A difference of shares in points, with its sign: "+2.7", "−0.1". */
export function pointsText(difference: number, digits: number = 1): string {
  const text = (100 * Math.abs(difference)).toFixed(digits);
  return `${difference < 0 && Number(text) !== 0 ? "−" : "+"}${text}`;
}

/** "+2.7 ± 3.2"; without an interval the difference alone. */
export function differenceText({ difference, ci95 }: Pick<Versus, "difference" | "ci95">): string {
  if (difference === null) return "–";
  return ci95 === null ? pointsText(difference) : `${pointsText(difference)} ± ${(100 * ci95).toFixed(1)}`;
}

/**
 * One sentence: "arm: +2.7 ± 3.2 points over concat, p .21: not shown with 3 seeds; about 9 would show it".
 *
 * @param label Of the configuration.
 */
export function versusSentence(label: string, versus: Versus): string {
  const { reference, n, difference, pHolm, verdict, reason } = versus;
  if (difference === null || reason !== null && n < 2) return `${label}: not tested against ${reference} (${reason})`;
  const start = `${label}: ${differenceText(versus)} points over ${reference}`;
  if (verdict === "untested") return `${start}: untested (${reason})`;
  const p = pText(pHolm!);
  const tested = `${start}, p ${p}`;
  if (verdict === "better") return `${tested}: better, shown with ${n} seeds`;
  if (verdict === "worse") return `${tested}: worse, shown with ${n} seeds`;
  const needed = versus.seedsNeeded;
  return `${tested}: not shown with ${n} seeds; ${
    needed === null ? `more than ${mostSeeds} would be needed` : `about ${Math.max(needed, n + 1)} would show it`
  }`;
}
