import { assertEquals, assertNotEquals } from "@std/assert";
import type { Split } from "../../core/kinds/mod.ts";
import { fingerprintOf } from "../../datasets/fingerprint.ts";

const split = (groups: readonly string[]): Split => ({
  size: 3,
  labels: Int32Array.of(0, 1, 0),
  inputs: { audio: Float32Array.of(1, 2, 3) },
  groups,
});
const modalities = { audio: { shape: [1], dtype: "float32" as const, about: "three numbers" } };
const of = (groups: readonly string[], described?: typeof modalities) =>
  fingerprintOf({ train: split(groups), validation: split([]), test: split([]) }, described);

Deno.test("fingerprintOf tells who shares a group apart, not what groups are called", async () => {
  const none = await of(["a", "b", "c"], modalities);
  const pair = await of(["a", "a", "c"], modalities);
  assertNotEquals(pair, none);
  assertNotEquals(pair, await of(["a", "b", "a"], modalities));
  assertEquals(pair, await of(["clip 7", "clip 7", "clip 9"], modalities));
  assertEquals(none, await of(["0", "1", "2"], modalities));
});

Deno.test("fingerprintOf of data in the box, which stays as it is, does not count groups", async () => {
  assertEquals(await of(["a", "a", "c"]), await of(["a", "b", "c"]));
});
