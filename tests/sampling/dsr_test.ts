import { assertEquals, assertThrows } from "@std/assert";
import { Refusal } from "../../core/refusal.ts";
import { Random } from "../../core/random.ts";
import { copyCounts, dsrCopies, inverseCopies, matched, randomCopies, withCopies } from "../../sampling/mod.ts";

const copies = (joint: number[], k: number, m = 2) => [...dsrCopies(joint, k, m)];

Deno.test("dsrCopies() equals round(k phi - k m) with halves up, bounded by 0 and ceil(|k| m)", () => {
  // m = 2, k = -2: phi 0, .3, .5, 1 give 4, 3.4, 3, 2; below 0 the bound holds.
  assertEquals(copies([0, 0.3, 0.5, 1, 2, -0.9], -2), [4, 3, 3, 2, 0, 4]);
  assertEquals(copies([0.5], -3), [5]); // 4.5
  assertEquals(copies([0.0975], -2), [4]);
  assertEquals(copies([0, 3], -0.5, 3), [2, 0]); // 1.5
  assertThrows(() => dsrCopies([0], 1, 2), Refusal, "the slope k must be negative: found 1");
});

Deno.test("the comparisons of dsr: random gives everybody the mean, inverse favours high contributions", () => {
  const joint = [0, 0.5, 1, 1];
  // dsr gives 4, 3, 2, 2: mean 2.75.
  assertEquals([...randomCopies(joint, -2, 2)], [3, 3, 3, 3]);
  assertEquals([...inverseCopies([...joint, -1], -2, 2)], [0, 1, 2, 2, 0]);
  // 4, 3, 2, 2 scaled to a mean of 1: 1.45, 1.09, .73, .73.
  assertEquals([...matched(dsrCopies(joint, -2, 2), 1)], [1, 1, 1, 1]);
  assertEquals([...matched(dsrCopies(joint, -2, 2), 0)], [4, 3, 2, 2]);
});

Deno.test("withCopies() holds every item once plus its copies, shuffled by the stream", () => {
  const items = Int32Array.from([0, 1, 2, 3]);
  const list = withCopies(items, [2, 0, 1, 0], new Random(1));
  assertEquals([...list].sort(), [0, 0, 0, 1, 2, 2, 3]);
  assertEquals([...withCopies(items, [2, 0, 1, 0], new Random(1))], [...list]);
  assertEquals([...withCopies(items, [0, 0, 0, 0], new Random(1))].sort(), [0, 1, 2, 3]);
  assertEquals(copyCounts([2, 0, 1, 0]), { "0": 2, "1": 1, "2": 1 });
});
