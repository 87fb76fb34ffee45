import fc from "../helpers/properties.ts";
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { Random } from "../../core/random.ts";
import {
  interactionIndex,
  joiningOrders,
  membersOf,
  orderedContributions,
  shapleyValues,
  subsetsOf,
} from "../../miv/mod.ts";
import { assertClose } from "../helpers/tensors.ts";

// v({}) .1, {1} .5, {2} .3, {3} .2, {12} .6, {13} .55, {23} .4, {123} .7; bit u - 1 stands for modality u.
const v = (subset: number) => [0.1, 0.5, 0.3, 0.6, 0.2, 0.55, 0.4, 0.7][subset];

Deno.test("shapleyValues() and interactionIndex() equal the hand-computed example", () => {
  const phi = shapleyValues(3, v);
  assertClose(phi, [0.341667, 0.166667, 0.091667], 1e-5);
  assertAlmostEquals(phi.reduce((sum, value) => sum + value, 0), 0.6, 1e-12);
  assertAlmostEquals(interactionIndex(3, 0, 1, v), -0.075, 1e-12);
  // Two modalities: v(12) - v(1) - v(2) + v({}).
  assertAlmostEquals(interactionIndex(2, 0, 1, (s) => [0, 1, 2, 5][s]), 2, 1e-12);
});

Deno.test("the mean over all joining orders is the Shapley value; many random orders come near it", () => {
  for (const m of [1, 2, 3, 4]) {
    const orders = joiningOrders(m, 1, new Random(1));
    assertEquals(orders.length, [1, 2, 6, 24][m - 1]);
    const value = (subset: number) => subset === 0 ? 0 : Math.sin(3 * subset);
    assertClose(orderedContributions(m, orders, value), shapleyValues(m, value), 1e-9);
    assertEquals(subsetsOf(orders), Array.from({ length: (1 << m) - 1 }, (_, i) => i + 1));
  }
  const value = (subset: number) => subset === 0 ? 0 : Math.sin(3 * subset);
  const sampled = orderedContributions(5, joiningOrders(5, 4000, new Random(1)), value);
  assertClose(sampled, shapleyValues(5, value), 0.08);
  assertEquals(membersOf(5, ["a", "b", "c"]), ["a", "c"]);
});

Deno.test("Shapley values: efficiency, symmetry and the null player", () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 16, maxLength: 16 }), (values) => {
      const phi = shapleyValues(4, (s) => values[s]);
      assertAlmostEquals(phi.reduce((sum, value) => sum + value, 0), values[15] - values[0], 1e-9);
      // A modality that changes nothing gets nothing.
      assert(Math.abs(shapleyValues(4, (s) => values[s & 7])[3]) < 1e-12);
      // Two that are interchangeable get the same.
      const swapped = (s: number) => (s & 12) | (s & 1) << 1 | (s & 2) >> 1;
      const symmetric = shapleyValues(4, (s) => values[s] + values[swapped(s)]);
      assertAlmostEquals(symmetric[0], symmetric[1], 1e-9);
    }),
  );
});
