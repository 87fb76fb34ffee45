import { assertAlmostEquals, assertEquals } from "@std/assert";
import { FOLLOWED, followedIn, valuationOf } from "../../training/followed.ts";

Deno.test("followedIn() gives the same ascending places in every run, each once, of all sizes", () => {
  for (const size of [3, 64, 200, 1001]) {
    const ids = followedIn(size);
    assertEquals(ids, followedIn(size));
    assertEquals(ids.length, Math.min(size, FOLLOWED));
    assertEquals([...ids], [...new Set(ids)].sort((a, b) => a - b));
    assertEquals([...ids].every((id) => id >= 0 && id < size), true);
  }
});

Deno.test("valuationOf() is Eq. 11 of the followed samples, with the probabilities of their true classes", () => {
  // Two samples of two classes; the second is followed. Equal logits: 1/2; ln 3 against 0: 3/4.
  const ln3 = Math.log(3);
  const found = valuationOf(
    {
      logits: Float32Array.of(9, 0, 0, ln3),
      solo: { audio: Float32Array.of(9, 0, 0, 0), image: Float32Array.of(9, 0, ln3, 0) },
      nmi: Float32Array.of(9, 9, 0.5, 0.25),
      ncmi: Float32Array.of(9, 9, 9, 9, 0, 0.125, 0.0625, 0),
    },
    { labels: Int32Array.of(0, 1) },
    Int32Array.of(1),
    ["audio", "image"],
    2,
  );
  assertEquals(found.ids, [1]);
  assertAlmostEquals(found.fused[0], 0.75, 1e-6);
  assertAlmostEquals(found.solo.audio[0], 0.5, 1e-6);
  assertAlmostEquals(found.solo.image[0], 0.25, 1e-6);
  // phi_i = p_y I_i + p_j (I_j - NC_ij), by hand.
  assertAlmostEquals(found.phi.audio[0], 0.75 * 0.5 + 0.25 * (0.25 - 0.125), 1e-6);
  assertAlmostEquals(found.phi.image[0], 0.75 * 0.25 + 0.5 * (0.5 - 0.0625), 1e-6);
});
