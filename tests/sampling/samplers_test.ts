/** What samplers plan, by hand, for two and three modalities. */
import { assert, assertAlmostEquals, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import type { Segment } from "../../core/kinds/mod.ts";
import { Random } from "../../core/random.ts";
import { Refusal } from "../../core/refusal.ts";
import {
  balancedItems,
  builtinSamplers,
  classBalanced,
  contributionGaps,
  copiesFor,
  dsr,
  dsrCopies,
  gapDifference,
  inverseSampler,
  keptOfCopy,
  maskedCopies,
  maskedCounts,
  maskedShare,
  nestedCopies,
  planWithCopies,
  randomSampler,
  repeatedShare,
  uniformSampler,
  withCopies,
  withMaskedCopies,
} from "../../sampling/mod.ts";

const three = { modalities: ["audio", "image", "text"], classes: 3 };
const items = (length: number, from = 0) => Int32Array.from({ length }, (_, n) => from + n);
const sorted = (list: ArrayLike<number>) => Array.from(list).sort((a, b) => a - b);
/** How often each item is planned with which flags: `{ "7 100": 2 }`. */
function planned(plan: readonly Segment[], m: number): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { items, keep } of plan) {
    items.forEach((item, n) => {
      const key = `${item} ${keep!.subarray(n * m, (n + 1) * m).join("")}`;
      counts[key] = (counts[key] ?? 0) + 1;
    });
  }
  return counts;
}

Deno.test("planWithCopies() repeats within each segment, keeps what segments say, and draws an order for each", () => {
  const base: Segment[] = [
    { programs: ["a"], items: items(20), epochs: 2 },
    { programs: ["b"], items: items(10, 10) },
  ];
  const plan = planWithCopies(base, new Int32Array(20).fill(1), new Random(1));
  assertEquals(plan.map(({ programs, epochs }) => [programs, epochs]), [[["a"], 2], [["b"], undefined]]);
  base.forEach(({ items: own }, index) => {
    assertEquals(sorted(plan[index].items), sorted([...own, ...own]));
    // By a stream of its own, whatever the others drew.
    assertEquals(plan[index].items, withCopies(own, new Int32Array(20).fill(1), new Random(1).split(index)));
  });
  assertNotEquals([...plan[0].items], sorted(plan[0].items));
  assertNotEquals([...withCopies(items(20), new Int32Array(20), new Random(1))], [...items(20)]);
  const masked = [{ programs: ["a"], items: items(2), keep: Uint8Array.of(1, 0, 1, 1) }];
  assertThrows(
    () => planWithCopies(masked, [0, 0], new Random(1)),
    Refusal,
    "put the method that re-samples before it",
  );
  const plain = [{ programs: ["a"], items: items(2) }];
  assertEquals(planWithCopies(plain, [0, 0], new Random(1)).length, 1);
  const { create } = classBalanced;
  const inputs = { labels: items(2), random: new Random(1) };
  assertThrows(() => create({}, three).plan(masked, inputs), Refusal, "put the method that draws before it");
});

Deno.test("dsr, random and inverse plan by their formulas at three modalities, and match scales the mean", () => {
  // m = 3, k = -2: joint 0, 1.5, 3 give 6, 3, 0 copies; inverse 0, 3, 6; all alike 3.
  const joint = Float32Array.of(0, 1.5, 3);
  const base = [{ programs: ["main"], items: items(3) }];
  const counts = (plugin: typeof dsr, options: object) => {
    const [{ items: own }] = plugin.create({ ...options }, three).plan(base, {
      ...{ labels: items(3), random: new Random(2), joint },
    });
    return [0, 1, 2].map((item) => own.filter((other) => other === item).length - 1);
  };
  assertEquals(counts(dsr, {}), [6, 3, 0]);
  assertEquals(counts(dsr, { match: 1 }), [2, 1, 0]);
  assertEquals(counts(randomSampler, {}), [3, 3, 3]);
  assertEquals(counts(inverseSampler, { k: -2 }), [0, 3, 6]);
  // ceil(1.1 * 3) = 4 is the most, though 3.3 rounds to 3 and a contribution below 0 asks for more.
  joint[0] = -9;
  assertEquals(counts(dsr, { k: -1.1 }), [4, 2, 0]);
  assertThrows(() => dsr.create({ k: 0 }, three), Refusal, "<= -0.01: found 0");
  assertThrows(() => dsrCopies([0], 0, 2), Refusal, "must be negative");
  assertEquals([...dsrCopies([3, 2], -2, 2)], [0, 0]);
  assertEquals(uniformSampler.create({}, three).plan(base, { labels: items(3), random: new Random(1) }), base);
  assertEquals(uniformSampler.idle, true);
  assertEquals(builtinSamplers.map(({ name }) => name), [
    ...["class-balanced", "dsr", "inverse", "masked-copies", "masked-share", "random", "uniform"],
  ]);
});

Deno.test("balancedItems() draws classes alike, and within a class every sample once a round, in orders of the stream", () => {
  // Of 12 draws 4 a class: class 0 has 8 samples, class 1 two (each twice), class 2 two.
  const labels = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 2];
  const drawn = balancedItems(items(12), labels, new Random(3));
  const of = (label: number, from: Int32Array = drawn) => [...from].filter((item) => labels[item] === label);
  assertEquals([0, 1, 2].map((label) => of(label).length), [4, 4, 4]);
  assertEquals(new Set(of(0)).size, 4);
  assertEquals([sorted(of(1)), sorted(of(2))], [[8, 8, 9, 9], [10, 10, 11, 11]]);
  assertNotEquals([...drawn], sorted(drawn));
  // Which of a large class are drawn, and which class has the odd draw, depends on the stream.
  const streams = Array.from({ length: 20 }, (_, seed) => new Random(seed));
  const sets = streams.map((random) => sorted(of(0, balancedItems(items(12), labels, random))).join());
  assert(new Set(sets).size > 10);
  const odd = streams.map((random) => {
    const all = balancedItems(items(4), [0, 0, 1, 2], random);
    return [0, 1, 2].find((label) => all.filter((item) => [0, 0, 1, 2][item] === label).length === 2)!;
  });
  assertEquals(sorted([...new Set(odd)]), [0, 1, 2]);
  // What is drawn in turn from the classes is shuffled.
  const turns = balancedItems(items(30), items(30).map((n) => n % 3), new Random(1));
  assert(turns.some((item, n) => item % 3 !== turns[n % 3] % 3));
  const plan = classBalanced.create({}, three).plan(
    [{ programs: ["a"], items: items(12) }, { programs: ["b"], items: items(12) }],
    { labels: Int32Array.from(labels), random: new Random(3) },
  );
  for (const k of [0, 1]) assertEquals(plan[k].items, balancedItems(items(12), labels, new Random(3).split(k)));
});

Deno.test("masked-copies repeats a sample with one modality, by thresholds, wherever it lies in the valuation", () => {
  assertEquals([0.95, 0.9, 0.89, 0.4, 0, -0.1, -1].map((value) => copiesFor(value)), [0, 0, 1, 2, 2, 3, 3]);
  const valued = { items: Int32Array.of(5, 2), contributions: [0.9, 0.5, 0.2, 1, 1, -1] };
  const plan = (options = {}) =>
    maskedCopies.create(options, three).plan([{ programs: ["main"], items: Int32Array.of(2, 5, 2) }], {
      ...{ labels: items(6), random: new Random(1), valued },
    });
  assertEquals(planned(plan(), 3), { "2 111": 2, "5 111": 1, "2 001": 3, "5 010": 1, "5 001": 2 });
  assertEquals(planned(plan({ thresholds: [0.3, 0.1, 0] }), 3), { "2 111": 2, "5 111": 1, "2 001": 3, "5 001": 1 });
  assertEquals(maskedCounts(plan(), three.modalities), { audio: 0, image: 1, text: 5 });
  assertEquals(maskedCounts([{ programs: [], items: items(2) }], three.modalities), {});
  const firsts = Array.from({ length: 12 }, (_, seed) => {
    const [{ items: own }] = maskedCopies.create({}, three).plan([{ programs: ["main"], items: Int32Array.of(2, 5) }], {
      ...{ labels: items(6), random: new Random(seed), valued },
    });
    return own.join();
  });
  assert(new Set(firsts).size > 3);
  for (const thresholds of [[1, 2, 3], [3, 2], [3, 1, 2]]) {
    assertThrows(() => maskedCopies.create({ thresholds }, three), Refusal, "they must be three falling numbers");
  }
  const order = Int32Array.of(2, 0, 1);
  assertEquals(withMaskedCopies(Int32Array.of(7, 8), [{ item: 9, keep: [0, 1] }], 2, order), {
    items: Int32Array.of(9, 7, 8),
    keep: Uint8Array.of(0, 1, 1, 1, 1, 1),
  });
});

Deno.test("masked-share: gaps, shares and drawn modalities by hand", () => {
  // Two samples of three modalities: means .5, .2 and .8.
  const gaps = contributionGaps([0.6, 0.3, 1, 0.4, 0.1, 0.6], 3);
  [0.5, 0.8, 0.2].forEach((gap, u) => assertAlmostEquals(gaps[u], gap, 1e-12));
  // (.3 + .3 + .6) / 3.
  assertAlmostEquals(gapDifference(gaps), 0.4, 1e-12);
  assertEquals(gapDifference([0.3]), 0);
  // Of four there are six pairs, here three of 1.
  assertEquals(gapDifference([0, 0, 0, 1]), 0.5);
  assertAlmostEquals(repeatedShare(0.6, 0.5, "linear"), 0.2, 1e-12);
  assertAlmostEquals(repeatedShare(0.6, 0.5, "tanh"), Math.tanh(0.2), 1e-12);
  assertAlmostEquals(repeatedShare(0.6, 0.5, "power"), 0.5 * 0.4 ** 1.5, 1e-12);
  assertEquals(repeatedShare(3, 2, "linear"), 1);
  // Above the least, gaps .5, .8, .2 are .3, .6, 0: a third of the draws keeps the first, two thirds the second.
  assertEquals([0, 0.33, 0.34, 0.99].map((draw) => keptOfCopy([0.5, 0.8, 0.2], draw).join("")), [
    ...["100", "100", "010", "010"],
  ]);
  assertEquals(nestedCopies([0.5, 0.8, 0.2]), [[1, 1, 0], [0, 1, 0], [1, 1, 1]]);
});

Deno.test("masked-share repeats floor(p N) samples in the first segment, and masks the others with everything", () => {
  const base = [{ programs: ["a"], items: items(12) }, { programs: ["b"], items: items(4) }];
  const inputs = (random = new Random(4)) => ({
    ...{ labels: items(12), random },
    valued: { items: items(1), contributions: [0.5, 0.2, 0.8] },
  });
  // p = 2/3 * .4 * 2 = .5333: six of twelve; tanh(.5333) is .488, five.
  const plan = maskedShare.create({ alpha: 2 }, three).plan(base, inputs());
  const counts = maskedCounts(plan, three.modalities);
  assertEquals(counts.audio + counts.image, 6);
  assertEquals([counts.text, plan[0].items.length, plan[0].keep!.length], [0, 18, 54]);
  assertEquals([[...plan[1].items], [...plan[1].keep!]], [[0, 1, 2, 3], new Array(12).fill(1)]);
  assertEquals(maskedShare.create({ alpha: 2, curve: "tanh" }, three).plan(base, inputs())[0].items.length, 17);
  const nested = maskedShare.create({ alpha: 2, many: "nested" }, three).plan(base, inputs());
  assertEquals(nested[0].items.length, 12 + 3 * 6);
  assertEquals(maskedCounts(nested, three.modalities), { audio: 6, image: 12, text: 0 });
  assertEquals(maskedShare.create({ alpha: 0 }, three).plan(base, inputs()), base);
});
