/** What a number must not depend on: the features' unit, what all samples share, ties, the order of samples. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { Random } from "../../core/random.ts";
import { Refusal } from "../../core/refusal.ts";
import { use } from "../../core/options.ts";
import {
  gaussian,
  histogram,
  ksg,
  ksgInformation,
  mismatchedPairs,
  valuate,
  type ValuateOptions,
  type ValuationInputs,
} from "../../miv/mod.ts";
import { assertClose } from "../helpers/tensors.ts";

const [size, width, classes] = [24, 64, 2];

/** Two modalities; the fused feature is their sum. */
function inputs(change: (value: number) => number, wide = true): ValuationInputs {
  const draw = (name: string, count: number) => {
    const random = new Random(3).split(name);
    return Float64Array.from({ length: count }, () => random.normal());
  };
  const [a, b] = [draw("a", size * width), draw("b", size * width)];
  const fused = a.map((value, i) => value + 0.7 * b[i]);
  const made = (values: Float64Array) => {
    const changed = values.map(change);
    return wide ? changed : Float32Array.from(changed);
  };
  const logits = (name: string) => Float32Array.from(draw(name, size * classes));
  return {
    labels: Int32Array.from({ length: size }, (_, n) => n % classes),
    classes,
    width,
    logits: logits("all"),
    solo: { a: logits("solo a"), b: logits("solo b") },
    fused: made(fused),
    parts: { a: made(a), b: made(b) },
  };
}

const estimators = {
  gaussian: use(gaussian),
  soft: use(histogram, { binning: "soft" }),
  hard: use(histogram, { binning: "hard" }),
  ksg: use(ksg),
} as const;

for (const [name, estimator] of Object.entries(estimators)) {
  Deno.test(`valuate() by ${name} does not see the features' unit, from 1e-30 to 1e30`, async () => {
    const options: ValuateOptions = { estimator };
    const right = (await valuate(inputs((x) => x), options)).perSample;
    assert(right.nmi.reduce((sum, value) => sum + value, 0) / right.nmi.length > 0.02);
    for (const wide of [true, false]) {
      for (const scale of [1e-30, 1e-18, 1e-5, 1e-4, 1e5, 1e18, 1e30]) {
        const found = (await valuate(inputs((x) => x * scale, wide), options)).perSample;
        assertClose(found.nmi, right.nmi, 1e-4);
        assertClose(found.ncmi, right.ncmi, 1e-4);
      }
    }
  });

  Deno.test(`valuate() by ${name} subtracts what all samples share in double precision`, async () => {
    const right = (await valuate(inputs((x) => x), { estimator })).perSample;
    // 1e9 in float64 leaves 1e-7 of the values; as float32 nothing of them would be left.
    const found = (await valuate(inputs((x) => x + 1e9), { estimator })).perSample;
    assertClose(found.nmi, right.nmi, 1e-3);
    const free = (await valuate(inputs((x) => x + 1e9), { estimator, centring: "none" })).perSample;
    assertClose(free.nmi, (await valuate(inputs((x) => x), { estimator, centring: "none" })).perSample.nmi, 1e-3);
  });
}

Deno.test("ksgInformation() of independent values with ties is near 0: zeros of a ReLU, rounded numbers", () => {
  const draw = (seed: number, change: (x: number) => number) => {
    const random = new Random(seed);
    return Float64Array.from({ length: 400 }, () => change(random.normal()));
  };
  for (const change of [(x: number) => Math.max(0, x), Math.round, Math.sign]) {
    const [a, b, c] = [1, 2, 3].map((seed) => draw(seed, change));
    const { nmi, ncmi } = ksgInformation({ a, b }, c, 400);
    // 1 - exp(-2 I) of 0.1 nats is 0.18; ties gave above 0.9.
    for (const value of [...nmi, ...ncmi]) assert(value < 0.18, `${nmi} ${ncmi}`);
    assertEquals(ksgInformation({ a, b }, c, 400), { nmi, ncmi });
  }
  // What depends is still found: a sign and itself share ln 2 nats, 1 - exp(-2 ln 2) = 3/4.
  const sign = draw(1, Math.sign);
  assertClose(ksgInformation({ sign }, sign, 400).nmi, [0.75], 0.06);
});

Deno.test("mismatchedPairs() pairs every sample once in each role, never within a group, and repeats itself", () => {
  const groups = Array.from({ length: 60 }, (_, n) => `clip ${Math.floor(n / 5)}`);
  const pairs = mismatchedPairs(60, groups, 1000);
  assertEquals(pairs, mismatchedPairs(60, groups, 1000));
  for (const role of [0, 1] as const) {
    assertEquals(pairs.map((pair) => pair[role]).sort((a, b) => a - b), Array.from({ length: 60 }, (_, n) => n));
  }
  assert(pairs.every(([fused, part]) => groups[fused] !== groups[part]));
  // Not the order of rows: neighbours are as rare as by chance.
  assert(mismatchedPairs(600, undefined, 600).filter(([a, b]) => Math.abs(a - b) === 1).length < 12);
  assertEquals(mismatchedPairs(600, undefined, 100).length, 100);
  assertEquals(mismatchedPairs(2, undefined, 9).map(([a, b]) => a + b), [1, 1]);
  assertEquals([mismatchedPairs(1, undefined, 9), mismatchedPairs(4, ["a", "a", "a", "a"], 9)], [[], []]);
  const uneven = mismatchedPairs(5, ["a", "a", "a", "a", "b"], 9);
  assert(uneven.length > 0 && uneven.every(([a, b]) => (a === 4) !== (b === 4)));
});

Deno.test("valuate()'s floor does not take neighbouring frames of one clip for mismatched", async () => {
  // Frames of a clip are nearly alike, so that the next frame's parts tell as much as the frame's own.
  const base = inputs((x) => x);
  const clips = (values: Float64Array) =>
    values.map((_, i) => values[Math.floor(i / width / 4) * 4 * width + i % width] + 1e-3 * values[i]);
  const framed = {
    ...base,
    fused: clips(base.fused as Float64Array),
    parts: { a: clips(base.parts.a as Float64Array), b: clips(base.parts.b as Float64Array) },
  };
  const groups = Array.from({ length: size }, (_, n) => Math.floor(n / 4));
  const estimator = estimators.gaussian;
  const { perModality } = await valuate({ ...framed, groups }, { estimator });
  assert(perModality[0].nmi > 0.3 && perModality[0].nmiFloor! < 0.1, JSON.stringify(perModality[0]));
  assertEquals(
    (await valuate({ ...framed, groups: groups.map(() => 1) }, { estimator })).perModality[0].nmiFloor,
    null,
  );
  await assertRejects(() => valuate({ ...framed, groups: [1] }, { estimator }), Refusal, "there must be 24: found 1");
});
