import { assertAlmostEquals, assertEquals } from "@std/assert";
import { copiesFor, repeatedShare } from "../../baselines/mod.ts";
import { sampleContributions, withMaskedCopies } from "../../baselines/valuation.ts";
import type { Host } from "../../core/plugin.ts";
import { Random } from "../../core/random.ts";

// Which of (both, audio, video) predict rightly, contributions of audio and video, and the copies that follow.
const table: [string, [number, number], [number, number]][] = [
  ["111", [1, 1], [0, 0]],
  ["110", [1.5, 0.5], [0, 1]],
  ["101", [0.5, 1.5], [1, 0]],
  ["100", [1, 1], [0, 0]],
  ["011", [0, 0], [2, 2]],
  ["010", [0.5, -0.5], [1, 3]],
  ["001", [-0.5, 0.5], [3, 1]],
  ["000", [0, 0], [2, 2]],
];

Deno.test("sampleContributions() and copiesFor() equal the table of all cases of two modalities", async () => {
  const modalities = ["audio", "video"];
  const logits = (which: number) => Float32Array.from(table.flatMap(([bits]) => bits[which] === "1" ? [1, 0] : [0, 1]));
  const host = {
    modalities,
    classes: 2,
    random: new Random(0),
    labels: () => new Int32Array(8),
    logits: (_split: string, kept?: readonly string[]) =>
      Promise.resolve(logits(kept === undefined ? 0 : 1 + modalities.indexOf(kept[0]))),
  } as unknown as Host;
  const phi = await sampleContributions(host, Int32Array.from({ length: 8 }, (_, i) => i));
  assertEquals([...phi], table.flatMap(([_bits, own]) => own));
  assertEquals([...phi].map(copiesFor), table.flatMap(([_bits, _own, copies]) => copies));
});

Deno.test("repeatedShare() has the three curves of the released code", () => {
  assertAlmostEquals(repeatedShare(0.3, 1, "linear"), 0.2, 1e-12);
  assertAlmostEquals(repeatedShare(0.3, 2, "tanh"), Math.tanh(0.4), 1e-12);
  assertAlmostEquals(repeatedShare(0.3, 2, "power"), 2 * 0.2 ** 1.5, 1e-12);
  assertEquals(repeatedShare(9, 1, "linear"), 1);
});

Deno.test("withMaskedCopies() keeps all modalities of originals and one of copies, in the given order", () => {
  const { items, keep } = withMaskedCopies(
    Int32Array.from([7, 8]),
    [{ item: 8, keep: [0, 1] }],
    2,
    Int32Array.from([2, 0, 1]),
  );
  assertEquals([...items], [8, 7, 8]);
  assertEquals([...keep], [0, 1, 1, 1, 1, 1]);
});
