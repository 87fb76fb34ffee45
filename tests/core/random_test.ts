import { Refusal } from "../../core/refusal.ts";
import { assert, assertAlmostEquals, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { Random } from "../../core/random.ts";

Deno.test("Random.split() depends on seed and path alone, not on what was drawn", () => {
  const a = new Random(7);
  const b = new Random(7);
  for (let i = 0; i < 100; i++) b.uint32();
  assertEquals(a.split("epoch", 3).uint32(), b.split("epoch", 3).uint32());
  assertEquals(a.split("epoch").split(3).path, a.split("epoch", 3).path);
  assertEquals(a.split("epoch", 3).key(), b.split("epoch", 3).key());
});

Deno.test("Random streams differ by seed and by path", () => {
  const draws = new Set<number>();
  for (let seed = 0; seed < 50; seed++) {
    for (const path of ["a", "b", "a/b", "ab"]) draws.add(new Random(seed).split(path).uint32());
  }
  assertEquals(draws.size, 200);
  const keys = new Set(Array.from({ length: 500 }, (_, i) => new Random(1).split("noise", i).key().join()));
  assertEquals(keys.size, 500);
});

Deno.test("Random.uniform() and normal() have the moments of their distributions", () => {
  const random = new Random(1);
  const n = 200_000;
  let [u1, u2, z1, z2, z4] = [0, 0, 0, 0, 0];
  for (let i = 0; i < n; i++) {
    const u = random.uniform();
    assert(u >= 0 && u < 1);
    u1 += u / n;
    u2 += u * u / n;
    const z = random.normal();
    z1 += z / n;
    z2 += z * z / n;
    z4 += z ** 4 / n;
  }
  // Five standard errors each: sqrt(1/12/n) = 6.5e-4, sqrt(4/45/n) = 6.7e-4, 1/sqrt(n) = 2.2e-3, sqrt(2/n), sqrt(96/n).
  assertAlmostEquals(u1, 1 / 2, 3.3e-3);
  assertAlmostEquals(u2, 1 / 3, 3.4e-3);
  assertAlmostEquals(z1, 0, 1.2e-2);
  assertAlmostEquals(z2, 1, 1.6e-2);
  assertAlmostEquals(z4, 3, 0.11);
});

Deno.test("Random.permutation() holds every index once and reaches all orders", () => {
  const orders = new Map<string, number>();
  const random = new Random(3);
  for (let i = 0; i < 6000; i++) {
    const order = random.permutation(3);
    assertEquals([...order].sort(), [0, 1, 2]);
    orders.set(order.join(), (orders.get(order.join()) ?? 0) + 1);
  }
  assertEquals(orders.size, 6);
  // Binomial(6000, 1/6): mean 1000, standard deviation 28.9.
  for (const count of orders.values()) assertAlmostEquals(count, 1000, 145);
});

Deno.test("Random.integer() is unbiased at its ends and refuses what is no count", () => {
  const random = new Random(5);
  const seen = new Set(Array.from({ length: 200 }, () => random.integer(3)));
  assertEquals([...seen].sort(), [0, 1, 2]);
  assertEquals(random.integer(1), 0);
  assertThrows(() => random.integer(0), Refusal, "n must be in 1..2^32");
  assertThrows(() => new Random(0.5), Refusal, "a seed must be an integer");
  assertNotEquals(new Random(-1).uint32(), new Random(1).uint32());
});
