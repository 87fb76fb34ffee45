import { assert, assertAlmostEquals, assertEquals, assertFalse, assertThrows } from "@std/assert";
import { Refusal } from "../../core/refusal.ts";
import {
  againstBest,
  averageRanks,
  holm,
  interval,
  mean,
  pairedBySeed,
  pairedTTest,
  sampleStd,
  spearman,
  type Standing,
  tQuantile,
  tTwoSided,
} from "../../experiments/statistics.ts";
import golden from "../golden/statistics.json" with { type: "json" };

function assertRelative(actual: number, expected: number, tolerance: number, what: string): void {
  assertAlmostEquals(actual, expected, Math.abs(expected) * tolerance, what);
}

Deno.test("tTwoSided() equals mpmath's 40 digits to 1e-11, far into the tail and for one to 100,000 degrees of freedom", () => {
  assert(golden.twoSided.length > 90);
  for (const [t, df, p] of golden.twoSided) assertRelative(tTwoSided(t, df), p, 1e-11, `t ${t}, df ${df}`);
});

Deno.test("tTwoSided() equals the closed forms for 1 and 2 degrees of freedom", () => {
  for (const t of [0.1, 1, 3, 40]) {
    // Cauchy: 1 - (2 / pi) atan t; two degrees of freedom: 1 - t / sqrt(2 + t^2).
    assertAlmostEquals(tTwoSided(t, 1), 1 - 2 / Math.PI * Math.atan(t), 1e-14);
    assertAlmostEquals(tTwoSided(-t, 2), 1 - t / Math.sqrt(2 + t * t), 1e-14);
  }
  assertEquals([tTwoSided(0, 3), tTwoSided(Infinity, 3), tTwoSided(1e200, 3)], [1, 0, 0]);
});

Deno.test("tQuantile() equals SciPy's to 1e-10 and inverts tTwoSided()", () => {
  for (const [p, df, t] of golden.quantiles) assertRelative(tQuantile(p, df), t, 1e-10, `p ${p}, df ${df}`);
  for (const df of [1, 2, 7, 50]) assertAlmostEquals(tTwoSided(tQuantile(0.975, df), df), 0.05, 1e-13);
  assertEquals(tQuantile(0.5, 4), 0);
});

Deno.test("Student's t refuses what it cannot use", () => {
  assertThrows(() => tTwoSided(1, 0), Refusal, "found 0");
  assertThrows(() => tTwoSided(1, 1.5), Refusal, "found 1.5");
  assertThrows(() => tTwoSided(NaN, 2), Refusal, "found NaN");
  assertThrows(() => tQuantile(1, 2), Refusal, "found 1");
});

Deno.test("interval() equals SciPy's mean, sample deviation and 95 % interval", () => {
  for (const { values, ...expected } of golden.spread) {
    const found = interval(values);
    assertRelative(found.mean, expected.mean, 1e-13, "mean");
    assertRelative(found.std!, expected.std, 1e-12, "std");
    assertRelative(found.ci95!, expected.ci95, 1e-10, "ci95");
  }
});

Deno.test("interval() of one value has no deviation and no interval; equal values have none to speak of", () => {
  assertEquals(interval([0.4]), { mean: 0.4, std: null, ci95: null });
  assertEquals(sampleStd([0.1, 0.1, 0.1]), 0);
  assertEquals(interval([0.1, 0.1, 0.1]).ci95, 0);
  assertThrows(() => mean([]), Refusal, "at least 1");
  assertThrows(() => interval([1, NaN]), Refusal, "found NaN at index 1");
});

Deno.test("pairedTTest() equals SciPy's ttest_rel", () => {
  for (const { a, b, t, p, ci95 } of golden.paired) {
    const found = pairedTTest(a, b);
    assertRelative(found.t!, t, 1e-9, "t");
    assertRelative(found.p!, p, 1e-9, "p");
    assertRelative(found.ci95!, ci95, 1e-9, "ci95");
    assertEquals([found.n, found.degreesOfFreedom], [a.length, a.length - 1]);
    assertRelative(found.std, found.difference / found.t! * Math.sqrt(a.length), 1e-9, "std");
    assertRelative(pairedTTest(b, a).t!, -t, 1e-9, "t of the swapped pair");
  }
});

Deno.test("pairedTTest() of equal differences has no spread to test against, and supports nothing", () => {
  for (
    // The last are not equal in binary: .1 and a last bit more.
    const [a, b] of [[[2, 3, 4], [1, 2, 3]], [[2, 3, 4], [2, 3, 4]], [[0.4, 0.9, 0.7], [0.3, 0.8, 0.6]]]
  ) {
    const { std, t, p, ci95 } = pairedTTest(a, b);
    assertEquals([std, t, p, ci95], [0, null, null, null]);
  }
  assertAlmostEquals(pairedTTest([0.3, 0.9, 0.6], [0.2, 0.8, 0.5]).difference, 0.1, 1e-15);
  // One sample of 10,000 more or less is a spread.
  const { p } = pairedTTest([0.3001, 0.9, 0.6], [0.2, 0.8, 0.5]);
  assert(p !== null && p < 0.01);
  assertThrows(() => pairedTTest([1, 2], [1]), Refusal, "found 2 and 1");
  assertThrows(() => pairedTTest([1], [1]), Refusal, "at least 2");
});

Deno.test("holm() multiplies the sorted p values by m, m - 1, ... and never decreases", () => {
  // By hand: sorted 0.01, 0.02, 0.03, 0.04 times 4, 3, 2, 1 = 0.04, 0.06, 0.06, 0.04 -> running maximum.
  const found = holm([0.04, 0.01, 0.03, 0.02]);
  [0.06, 0.04, 0.06, 0.06].forEach((p, i) => assertAlmostEquals(found[i], p, 1e-15));
  assertEquals(holm([0.9, 0.8]), [1, 1]);
  assertEquals(holm([]), []);
  assertThrows(() => holm([1.1]), Refusal, "found 1.1");
});

Deno.test("pairedBySeed() uses the common seeds only", () => {
  assertEquals(pairedBySeed({ 0: 1, 1: 2, 2: 9 }, { 1: 1, 0: 0.5, 7: 3 })?.difference, 0.75);
  assertEquals(pairedBySeed({ 0: 1, 1: 2 }, { 1: 1, 2: 3 }), null);
});

const seeds = (values: readonly number[]) => Object.fromEntries(values.map((value, seed) => [seed, value]));

const tiedOf = (standings: Record<string, Standing>) =>
  Object.fromEntries(Object.entries(standings).map(([name, { tied }]) => [name, tied]));

Deno.test("againstBest() supports a best that is told apart from all others", () => {
  const found = againstBest({
    low: seeds([0.50, 0.52, 0.51, 0.53]),
    best: seeds([0.90, 0.91, 0.92, 0.93]),
    middle: seeds([0.70, 0.72, 0.71, 0.73]),
  });
  assertEquals(tiedOf(found), { best: "yes", middle: "no", low: "no" });
  assert(found.best.supported);
  assertFalse(found.middle.supported || found.low.supported);
  assertEquals([found.best.p, found.best.pHolm, found.best.n], [null, null, 4]);
  // Holm with two tests: the smaller p is doubled.
  const raw = [found.low.p!, found.middle.p!];
  assertAlmostEquals(Math.min(found.low.pHolm!, found.middle.pHolm!), 2 * Math.min(...raw), 1e-15);
});

Deno.test("againstBest() says which cannot be told from the best, and then supports none", () => {
  const found = againstBest({
    a: seeds([0.90, 0.80, 0.95, 0.85]),
    b: seeds([0.85, 0.84, 0.90, 0.86]),
    c: seeds([0.40, 0.31, 0.46, 0.36]),
    d: seeds([0.30, 0.21, 0.36, 0.26]),
  });
  assertEquals(tiedOf(found), { a: "yes", b: "yes", c: "no", d: "no" });
  assertFalse(Object.values(found).some(({ supported }) => supported));
});

Deno.test("againstBest() corrects for the number of tests: a lead that holds against one is no lead among twenty", () => {
  const a = seeds([0.80, 0.82, 0.81, 0.84]);
  const b = seeds([0.79, 0.80, 0.80, 0.82]);
  const alone = againstBest({ a, b });
  assert(alone.b.p! < 0.05 && alone.a.supported);
  const many: Record<string, Record<string, number>> = { a, b };
  for (let i = 0; i < 19; i++) many[`other${i}`] = b;
  const among = againstBest(many);
  assertEquals(among.b.p, alone.b.p);
  assertFalse(among.a.supported);
  assertEquals(new Set(Object.values(tiedOf(among))), new Set(["yes"]));
});

Deno.test("againstBest() tests nothing with two seeds, or with three equal differences, which look certain", () => {
  const two = againstBest({ a: seeds([0.75, 0.5]), b: seeds([0.5, 0.35]) });
  assertEquals([two.a.supported, two.a.tied, two.b.tied, two.b.p, two.b.pHolm], [
    false,
    "untested",
    "untested",
    null,
    null,
  ]);
  // 0.3 - 0.2 and 0.9 - 0.8 are not the same in binary: equal but for rounding.
  const equal = againstBest({ a: seeds([0.3, 0.9, 0.6]), b: seeds([0.2, 0.8, 0.5]) });
  assertEquals([equal.a.supported, equal.b.tied, equal.b.p], [false, "untested", null]);
  // One without a test keeps the best from being told apart from all.
  const mixed = againstBest({
    a: seeds([0.9, 0.91, 0.92]),
    b: seeds([0.5, 0.52, 0.51]),
    single: { 0: 0.1 },
  });
  assertEquals([tiedOf(mixed), mixed.a.supported], [{ a: "yes", b: "no", single: "untested" }, false]);
});

Deno.test("againstBest() supports nothing with one seed or without rivals", () => {
  const single = againstBest({ a: { 0: 0.9 }, b: { 0: 0.1 } });
  assertEquals(tiedOf(single), { a: "untested", b: "untested" });
  assertEquals([single.a.supported, single.b.p], [false, null]);
  assertEquals(againstBest({ a: seeds([1, 2, 3]) }).a, {
    mean: 2,
    std: 1,
    ci95: interval([1, 2, 3]).ci95,
    n: 3,
    tied: "yes",
    supported: false,
    p: null,
    pHolm: null,
  });
  assertEquals(againstBest({}), {});
  assertThrows(() => againstBest({ a: {} }), Refusal, 'standing of "a"');
});

Deno.test("spearman() equals SciPy's with ties", () => {
  for (const { x, y, rho } of golden.spearman) assertAlmostEquals(spearman(x, y)!, rho, 1e-14);
  assertEquals(averageRanks([3, 1, 3, 2]), [3.5, 1, 3.5, 2]);
  assertEquals(spearman([1, 2, 3], [5, 50, 500]), 1);
  assertEquals(spearman([1, 2, 3], [3, 2, 1]), -1);
  assertEquals(spearman([1, 1], [1, 2]), null);
  assertThrows(() => spearman([1, 2], [1]), Refusal, "found 2 and 1");
});
