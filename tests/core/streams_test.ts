/** Streams equal those of golden/random_streams.py, so that no edit changes what every run draws. */
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { Random } from "../../core/random.ts";

Deno.test("Random: keys, words, uniform numbers, normals and integers are those of the reference", () => {
  const streams: [Random, number[], number[]][] = [
    [new Random(0), [1947474976, 1850261252], [2105293178, 2583632994, 1787762305, 3655067017]],
    [new Random(7).split("epoch", 3), [1815603240, 1835669030], [3347009403, 3517581415, 920450448, 2238295583]],
    [new Random(-1).split("noise"), [-1658467698, 1837445791], [3815664286, 3850900561, 1056403083, 3074401751]],
  ];
  for (const [random, key, words] of streams) {
    assertEquals([...random.key()], key);
    assertEquals(words.map(() => random.uint32()), words);
  }
  assertEquals(new Random(7).split("u").uniform(), 0.8608445538400905);
  const normal = new Random(7).split("n");
  assertAlmostEquals(normal.normal(), 1.4710620002807602, 1e-14);
  assertAlmostEquals(normal.normal(), 0.6527626329235968, 1e-14);
  // 2^32 holds 3e9 once: words above are drawn again, not folded onto the smaller numbers.
  const large = new Random(7).split("i");
  assertEquals(Array.from({ length: 6 }, () => large.integer(3_000_000_000)), [
    ...[469006746, 2661669759, 2552554110, 1528093292, 1249034692, 773122989],
  ]);
  const small = new Random(7).split("i");
  assertEquals(Array.from({ length: 8 }, () => small.integer(10)), [8, 6, 9, 0, 2, 3, 2, 9]);
});

Deno.test("Random.shuffle() leaves what it is given as it is, and keeps its type", () => {
  const items = Int32Array.from({ length: 30 }, (_, n) => n);
  const shuffled = new Random(1).shuffle(items);
  assert(items.every((item, n) => item === n) && shuffled instanceof Int32Array);
  assertEquals(shuffled.toSorted(), items);
  const names = ["a", "b", "c"];
  assertEquals(new Random(1).shuffle(names).toSorted(), names);
});
