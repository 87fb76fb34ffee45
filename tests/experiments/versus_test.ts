import { assertAlmostEquals, assertEquals } from "@std/assert";
import { seedsNeeded } from "../../experiments/power.ts";
import { pairedTTest } from "../../experiments/statistics.ts";
import {
  differenceText,
  pointsText,
  pText,
  type Sample,
  type Versus,
  versusReference,
  versusSentence,
} from "../../experiments/versus.ts";

const seeds = (values: readonly number[]) => Object.fromEntries(values.map((value, seed) => [seed, value]));
const sample = (label: string, values: readonly number[], apart: string | null = null): Sample => ({
  label,
  values: seeds(values),
  apart,
});
const reference = sample("concat", [0.90, 0.91, 0.93]);

Deno.test("versusReference() is this minus the reference over common seeds, with the test's p and interval", () => {
  const [better, worse] = versusReference(reference, [
    sample("up", [0.95, 0.959, 0.981]),
    sample("down", [0.80, 0.812, 0.829]),
  ]);
  const up = pairedTTest([0.95, 0.959, 0.981], [0.90, 0.91, 0.93]);
  assertEquals([better.n, better.difference, better.ci95, better.p], [3, up.difference, up.ci95, up.p]);
  assertAlmostEquals(better.difference!, 0.05, 1e-12);
  assertAlmostEquals(worse.difference!, -0.0996666666666, 1e-9);
  assertEquals([better.verdict, worse.verdict], ["better", "worse"]);
  assertEquals([better.reference, better.seedsNeeded], ["concat", null]);
});

Deno.test("versusReference() corrects by Holm over the rows that have a test, and no others", () => {
  const rows = [
    sample("a", [0.95, 0.959, 0.981]),
    sample("b", [0.91, 0.90, 0.97]),
    sample("one seed", [0.99]),
    sample("other data", [0.99, 0.98, 0.97], "trained on other data"),
    sample("shifted", [0.92, 0.93, 0.95]),
  ];
  const [a, b, one, other, shifted] = versusReference(reference, rows);
  assertAlmostEquals(a.pHolm!, 2 * a.p!, 1e-15);
  assertEquals(b.pHolm, Math.max(b.p!, a.pHolm!));
  assertEquals([one.verdict, one.reason, one.p, one.n], ["untested", "1 common seed, a test needs 3", null, 1]);
  assertAlmostEquals(one.difference!, 0.09, 1e-12);
  assertEquals([other.verdict, other.reason, other.pHolm], ["untested", "trained on other data", null]);
  assertEquals([shifted.verdict, shifted.ci95, shifted.p], ["untested", null, null]);
  assertEquals(shifted.reason, "all 3 differences are equal, and without a spread nothing can be tested");
});

Deno.test("versusReference() says how many seeds would show what is not shown, at 5 % over the comparisons", () => {
  const rows = [sample("a", [0.91, 0.90, 0.97]), sample("b", [0.95, 0.959, 0.981])];
  const [a, b] = versusReference(reference, rows);
  assertEquals([a.verdict, b.verdict], ["not told apart", "better"]);
  const { difference, std } = pairedTTest([0.91, 0.90, 0.97], [0.90, 0.91, 0.93]);
  assertEquals(a.seedsNeeded, seedsNeeded(difference / std, 0.025));
  assertEquals(b.seedsNeeded, null);
});

Deno.test("versusReference() judges by the corrected p: what holds alone does not hold among many", () => {
  const own = sample("a", [0.92, 0.922, 0.951]);
  const [alone] = versusReference(reference, [own]);
  assertEquals([alone.p! < 0.05, alone.verdict], [true, "better"]);
  const others = Array.from({ length: 30 }, (_, i) => sample(`o${i}`, [0.91, 0.90, 0.97]));
  const [among] = versusReference(reference, [own, ...others]);
  assertEquals([among.p, among.pHolm! > 0.05, among.verdict], [alone.p, true, "not told apart"]);
});

Deno.test("versusReference() pairs by seed, whatever their order, and knows none in common", () => {
  const [row] = versusReference({ label: "r", values: { 3: 0.5, 1: 0.2, 2: 0.3 } }, [
    { label: "x", values: { 2: 0.4, 3: 0.7, 1: 0.2, 9: 0 }, apart: null },
  ]);
  assertEquals(row.n, 3);
  assertAlmostEquals(row.difference!, 0.1, 1e-12);
  const [none] = versusReference(reference, [{ label: "x", values: { 7: 1 }, apart: null }]);
  assertEquals([none.n, none.difference, none.verdict], [0, null, "untested"]);
});

const shown: Versus = {
  reference: "concat",
  n: 3,
  difference: 0.027,
  ci95: 0.032,
  p: 0.07,
  pHolm: 0.21,
  verdict: "not told apart",
  reason: null,
  seedsNeeded: 9,
};

Deno.test("versusSentence() answers in one sentence", () => {
  assertEquals(
    versusSentence("arm", shown),
    "arm: +2.7 ± 3.2 points over concat, p .21: not shown with 3 seeds; about 9 would show it",
  );
  assertEquals(
    versusSentence("arm", { ...shown, seedsNeeded: null }),
    "arm: +2.7 ± 3.2 points over concat, p .21: not shown with 3 seeds; more than 1000 would be needed",
  );
  // More than there are, as there are not enough.
  assertEquals(versusSentence("arm", { ...shown, seedsNeeded: 3 }).slice(-21), "about 4 would show it");
  const better: Versus = { ...shown, pHolm: 0.004, verdict: "better", seedsNeeded: null };
  assertEquals(versusSentence("arm", better), "arm: +2.7 ± 3.2 points over concat, p .004: better, shown with 3 seeds");
  const worse: Versus = { ...better, difference: -0.027, pHolm: 0.00001, verdict: "worse" };
  assertEquals(versusSentence("x", worse), "x: −2.7 ± 3.2 points over concat, p < .0001: worse, shown with 3 seeds");
  const equal: Versus = {
    ...shown,
    ci95: null,
    pHolm: null,
    verdict: "untested",
    reason: "all 3 differences are equal",
  };
  assertEquals(versusSentence("x", equal), "x: +2.7 points over concat: untested (all 3 differences are equal)");
  const none: Versus = { ...equal, n: 0, difference: null, reason: "0 common seeds, a test needs 3" };
  assertEquals(versusSentence("x", none), "x: not tested against concat (0 common seeds, a test needs 3)");
});

Deno.test("pText(), pointsText() and differenceText() write what people write", () => {
  assertEquals([0.21, 1, 0.995, 0.0312, 0.0041, 0.00012, 0.00009].map(pText), [
    ".21",
    "1.00",
    "0.99".slice(1),
    ".03",
    ".004",
    ".0001",
    "< .0001",
  ]);
  // "p .05" would leave open whether it is shown.
  assertEquals([0.0546, 0.0512, 0.0497, 0.0456, 0.04996, 0.05].map(pText), [
    ".055",
    ".051",
    ".0497",
    ".046",
    ".04996",
    ".05",
  ]);
  assertEquals([0.027, -0.001, -0.0001, 0].map((value) => pointsText(value)), ["+2.7", "−0.1", "+0.0", "+0.0"]);
  assertEquals(pointsText(-0.01234, 2), "−1.23");
  assertEquals(differenceText(shown), "+2.7 ± 3.2");
  assertEquals(differenceText({ difference: 0.01, ci95: null }), "+1.0");
  assertEquals(differenceText({ difference: null, ci95: null }), "–");
});
