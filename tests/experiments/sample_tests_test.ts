import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { Random } from "../../core/random.ts";
import type { Predictions } from "../../core/record.ts";
import { Refusal } from "../../core/refusal.ts";
import { calibrationOf, confidenceOf, confusionOf, rightOf } from "../../experiments/calibration.ts";
import { bootstrap, mcNemar, type SeedPair, seedPairs } from "../../experiments/sample_tests.ts";

/** So many samples that only the first, only the second, both and none have right. */
const answers = (first: number, second: number, both: number, none: number) => {
  const of = (...counts: [number, boolean][]) => counts.flatMap(([count, right]) => Array<boolean>(count).fill(right));
  return [
    of([first, true], [second, false], [both, true], [none, false]),
    of([first, false], [second, true], [both, true], [none, false]),
  ] as const;
};

Deno.test("mcNemar() is the exact binomial test on the samples of which one alone is right", () => {
  // By hand: 2 (C(6, 0) + C(6, 1)) / 2^6 = 14 / 64.
  const { onlyFirst, onlySecond, p } = mcNemar(...answers(5, 1, 50, 7));
  assertEquals([onlyFirst, onlySecond], [5, 1]);
  assertAlmostEquals(p, 14 / 64, 1e-14);
  assertAlmostEquals(mcNemar(...answers(1, 5, 0, 0)).p, 14 / 64, 1e-14);
  assertAlmostEquals(mcNemar(...answers(10, 0, 3, 3)).p, 2 / 1024, 1e-15);
  assertEquals(mcNemar(...answers(0, 0, 10, 10)).p, 1);
  assertEquals(mcNemar(...answers(4, 4, 10, 10)).p, 1);
  assertThrows(() => mcNemar([true], []), Refusal, "found 1 and 0");
});

Deno.test("mcNemar() of many disagreements goes on smoothly where the normal distribution takes over", () => {
  const exact = mcNemar(...answers(530, 470, 0, 0)).p;
  const normal = mcNemar(...answers(531, 470, 0, 0)).p;
  // (|b - c| - 1) / sqrt(b + c) = 59 / 31.6: p .0621; exact .062.
  assertAlmostEquals(exact, 0.062, 1e-3);
  assertAlmostEquals(normal, 0.0579, 1e-3);
});

function pair(seed: number, difference: (i: number) => number, size: number, groupOf = (i: number) => i): SeedPair {
  const all = Array.from({ length: size }, (_, i) => difference(i));
  return {
    seed,
    first: all.map((own) => own > 0),
    second: all.map((own) => own < 0),
    groups: Int32Array.from({ length: size }, (_, i) => groupOf(i)),
  };
}

Deno.test("bootstrap() of one seed is the normal interval of a mean over samples, and equal streams give equal ones", () => {
  // A fifth of 2,000 samples is right by the first alone, a tenth by the second: mean .1, variance .3 - .01.
  const own = pair(0, (i) => i % 10 < 2 ? 1 : i % 10 === 2 ? -1 : 0, 2000);
  const found = bootstrap([own], new Random(1), 4000)!;
  assertAlmostEquals(found.difference, 0.1, 1e-12);
  const half = 1.96 * Math.sqrt(0.29 / 2000);
  assertAlmostEquals(found.low, 0.1 - half, 0.1 * half);
  assertAlmostEquals(found.high, 0.1 + half, 0.1 * half);
  assertEquals(bootstrap([own], new Random(1), 4000), found);
  assertEquals(bootstrap([], new Random(1)), null);
});

Deno.test("bootstrap() draws groups whole: with ten alike in each the interval is sqrt(10) times as wide", () => {
  const alike = pair(0, (i) => Math.floor(i / 10) % 2 === 0 ? 1 : 0, 2000, (i) => Math.floor(i / 10));
  const found = bootstrap([alike], new Random(1), 4000)!;
  const half = 1.96 * Math.sqrt(0.25 / 200);
  assertAlmostEquals(found.difference, 0.5, 1e-12);
  assertAlmostEquals((found.high - found.low) / 2, half, 0.1 * half);
});

Deno.test("bootstrap() counts that seeds differ: two that disagree leave all between them open", () => {
  const found = bootstrap([pair(0, () => 1, 100), pair(1, () => 0, 100)], new Random(1))!;
  // Both draws the first with probability 1/4, both the second with 1/4.
  assertEquals([found.difference, found.low, found.high], [0.5, 0, 1]);
  assertThrows(() => bootstrap([pair(0, () => 1, 3), pair(1, () => 1, 4)], new Random(1)), Refusal, "same samples");
});

const predictions = (labels: number[], predicted: number[], ids = labels.map((_, i) => i)): Predictions => ({
  split: "test",
  ids: Int32Array.from(ids),
  groups: Int32Array.from(ids),
  labels: Int32Array.from(labels),
  predicted: Int32Array.from(predicted),
  confidence: new Float32Array(labels.length),
  fused: null,
  solo: null,
  phi: {},
});

Deno.test("seedPairs() pairs what has the same seed and the same samples", () => {
  const a = predictions([0, 1, 1], [0, 0, 1]);
  const b = predictions([0, 1, 1], [0, 1, 0]);
  const other = predictions([0, 1, 0], [0, 1, 0]);
  const moved = predictions([0, 1, 1], [0, 1, 0], [1, 0, 2]);
  const pairs = seedPairs(new Map([[0, a], [1, a], [2, a], [3, a]]), new Map([[0, b], [1, other], [2, moved]]));
  assertEquals(pairs.map(({ seed, first, second }) => [seed, first, second]), [[0, [true, false, true], [
    true,
    true,
    false,
  ]]]);
});

Deno.test("confusionOf() counts rows by true and columns by predicted class", () => {
  const own = predictions([0, 0, 0, 1, 2], [0, 1, 1, 2, 2]);
  assertEquals(confusionOf(own, 3), [[1, 2, 0], [0, 0, 1], [0, 0, 1]]);
  assertEquals(rightOf(own), [true, false, false, false, true]);
  assertThrows(() => confusionOf(own, 2), Refusal, "classes must be within 0..1: found 2 at sample 3");
  assertThrows(() => confusionOf(predictions([-1], [0]), 2), Refusal, "found -1 at sample 0");
});

Deno.test("calibrationOf() is Guo's expected calibration error, by hand", () => {
  // Two bins: (0, .5] holds .4 and .5, both wrong: |0 - .45|; (.5, 1] holds .6, .8, 1, two right: |2/3 - .8|.
  const { ece, bins } = calibrationOf([0.4, 0.5, 0.6, 0.8, 1], [false, false, true, true, false], 2);
  assertAlmostEquals(ece, 2 / 5 * 0.45 + 3 / 5 * (0.8 - 2 / 3), 1e-12);
  assertEquals(bins.map(({ count }) => count), [2, 3]);
  assertAlmostEquals(bins[1].confidence, 0.8, 1e-12);
  assertAlmostEquals(bins[1].accuracy, 2 / 3, 1e-12);
  // As sure as right.
  assertAlmostEquals(calibrationOf(Array(10).fill(0.7), Array.from({ length: 10 }, (_, i) => i < 7)).ece, 0, 1e-12);
  assertEquals(calibrationOf([], []), { ece: 0, bins: [] });
  assertEquals(calibrationOf([0, 1], [false, true], 4).bins.map(({ confidence }) => confidence), [0, 1]);
});

Deno.test("confidenceOf() takes the largest probability of each row, and whether it is the label's", () => {
  const { confidence, right } = confidenceOf(Float32Array.of(0.25, 0.75, 0.5, 0.5, 1, 0), Int32Array.of(1, 1, 0));
  assertEquals([...confidence], [0.75, 0.5, 1]);
  assertEquals(right, [true, false, true]);
  assert(confidence instanceof Float32Array);
});
