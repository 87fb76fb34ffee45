import { assertEquals, assertThrows } from "@std/assert";
import { Random } from "../../core/random.ts";
import { histogram, multiplicities, withCopies } from "../../sampling/mod.ts";

const dsr = (joint: number[], k: number, m = 2) => [...multiplicities(joint, { mode: "dsr", slope: k, modalities: m })];

Deno.test("multiplicities() equals round(k phi - k m) with halves up, bounded by 0 and ceil(|k| m)", () => {
  // m = 2, k = -2: phi 0, .3, .5, 1 give 4, 3.4, 3, 2; below 0 the bound holds.
  assertEquals(dsr([0, 0.3, 0.5, 1, 2, -0.9], -2), [4, 3, 3, 2, 0, 4]);
  assertEquals(dsr([0.5], -3), [5]); // 4.5
  assertEquals(dsr([0.0975], -2), [4]);
  assertEquals(dsr([0, 3], -0.5, 3), [2, 0]); // 1.5
  assertThrows(() => dsr([0], 1), RangeError, "the slope k must be negative: found 1");
});

Deno.test("multiplicities() of the comparisons: random gives everybody the mean, inverse favours high contributions", () => {
  const joint = [0, 0.5, 1, 1];
  // dsr gives 4, 3, 2, 2: mean 2.75.
  assertEquals([...multiplicities(joint, { mode: "random", slope: -2, modalities: 2 })], [3, 3, 3, 3]);
  assertEquals([...multiplicities([...joint, -1], { mode: "inverse", slope: -2, modalities: 2 })], [0, 1, 2, 2, 0]);
  assertEquals([...multiplicities(joint, { mode: "off", slope: -2, modalities: 2 })], [0, 0, 0, 0]);
  // 4, 3, 2, 2 scaled to a mean of 1: 1.45, 1.09, .73, .73.
  assertEquals([...multiplicities(joint, { mode: "dsr", slope: -2, modalities: 2, match: 1 })], [1, 1, 1, 1]);
});

Deno.test("withCopies() holds every item once plus its copies, shuffled by the stream", () => {
  const items = Int32Array.from([0, 1, 2, 3]);
  const list = withCopies(items, [2, 0, 1, 0], new Random(1));
  assertEquals([...list].sort(), [0, 0, 0, 1, 2, 2, 3]);
  assertEquals([...withCopies(items, [2, 0, 1, 0], new Random(1))], [...list]);
  assertEquals([...withCopies(items, [0, 0, 0, 0], new Random(1))].sort(), [0, 1, 2, 3]);
  assertEquals(histogram([2, 0, 1, 0]), { "0": 2, "1": 1, "2": 1 });
});
