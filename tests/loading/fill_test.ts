/** A batch's values: which sample where, changed and mixed by which streams, and what padding holds. */
import { assertEquals } from "@std/assert";
import type { Augmenter } from "../../augment/augmenter.ts";
import { fill, type Source } from "../../loading/fill.ts";
import { readElsewhere } from "../../loading/read_ahead.ts";
import type { Dataset } from "../../core/kinds/mod.ts";

/** Sample n is [n, n + .5]; sample 3 is not there. */
const source = (late: boolean): Source => ({
  width: 2,
  copy(sample, into, at) {
    const write = () => into.set([sample, sample + 0.5], at);
    return late ? Promise.resolve().then(() => new Promise((soon) => setTimeout(soon, 1))).then(write) : write();
  },
  has: (sample) => sample !== 3,
});

/** Adds 100 epochs and 1000 samples; mixes a sample with the one before it at a quarter. */
const augmenter = (mixes: boolean) =>
  ({
    mixes,
    apply(_modality: string, values: Float32Array, epoch: number, sample: number) {
      for (let k = 0; k < values.length; k++) values[k] += 100 * epoch + 1000 * sample;
    },
    mixture: (_modality: string, epoch: number, sample: number) =>
      sample === 0 ? null : { partner: sample - 1, share: 0.25 * epoch },
  }) as unknown as Augmenter;

for (const late of [false, true]) {
  Deno.test(`fill() writes samples in the order asked, ${late ? "once they have come" : "at once"}, and repeats the first behind them`, async () => {
    const into = new Float32Array(10).fill(-1);
    await fill("image", source(late), Int32Array.of(4, 3, 1), into);
    assertEquals([...into], [4, 4.5, 3, 3.5, 1, 1.5, 4, 4.5, 4, 4.5]);
  });

  Deno.test(`fill() augments what is there by epoch and sample (${late})`, async () => {
    const into = new Float32Array(8);
    const drawing = { augmenter: augmenter(false), epoch: 2 };
    await fill("image", source(late), Int32Array.of(4, 3, 0), into, drawing);
    assertEquals([...into], [4204, 4204.5, 3, 3.5, 200, 200.5, 4204, 4204.5]);
  });
}

Deno.test("fill() mixes with an augmented partner, where both are there", async () => {
  const into = new Float32Array(8);
  const drawing = { augmenter: augmenter(true), epoch: 1 };
  await fill("image", source(true), Int32Array.of(2, 3, 4, 0), into, drawing);
  // 2: a quarter of 2102 and three of sample 1's 1101; 3 is not there; the partner of 4 is not there; 0 is not mixed.
  const mixed = 0.25 * 2102 + 0.75 * 1101;
  assertEquals([...into], [mixed, mixed + 0.5, 3, 3.5, 4104, 4104.5, 100, 100.5]);
});

Deno.test("readElsewhere(): rows that a thread can open, and no others", () => {
  const rows = { width: 1, copy() {} };
  const train = { rows: { a: rows, b: { ...rows, elsewhere: { module: "x", given: null } } } };
  const dataset = { splits: { train } } as unknown as Dataset;
  assertEquals(readElsewhere(dataset, ["a", "b", "constructor"]), ["b"]);
});
