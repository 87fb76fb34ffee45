import { use } from "../../core/options.ts";
import { Refusal } from "../../core/refusal.ts";
import { dsr, maskedCopies, maskedShare, type MaskedShareOptions } from "../../sampling/mod.ts";
import { copiesFor, keptOfCopy, nestedCopies, repeatedShare, withMaskedCopies } from "../../sampling/mod.ts";
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import fc from "../helpers/properties.ts";
import { modalityValuation, sampleValuation } from "../../baselines/mod.ts";
import { sampleContributions } from "../../baselines/valuation.ts";
import type { Host, Segment } from "../../core/kinds/mod.ts";
import { Random } from "../../core/random.ts";
import { orderedContributions, shapleyValues } from "../../miv/mod.ts";
import { joiningOrders } from "../../miv/shapley.ts";
import { assertClose } from "../helpers/tensors.ts";

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
  assertEquals([...phi].map((own) => copiesFor(own)), table.flatMap(([_bits, _own, copies]) => copies));
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

/** A host whose predictions from a subset of modalities are right or wrong as told. */
function hostOf(m: number, epoch: number, right: (item: number, kept: readonly string[]) => boolean, n = 12): Host {
  const modalities = ["audio", "image", "text", "video"].slice(0, m);
  return {
    epoch,
    modalities,
    classes: 2,
    random: new Random(3).split("methods", epoch),
    labels: () => new Int32Array(n),
    logits: (_split: string, kept: readonly string[] = modalities, items: Int32Array = new Int32Array(0)) =>
      Promise.resolve(Float32Array.from([...items].flatMap((item) => right(item, kept) ? [1, 0] : [0, 1]))),
  } as unknown as Host;
}

const base = (n = 12): readonly Segment[] => [{ programs: ["main"], items: new Random(1).permutation(n) }];

Deno.test("a modality that alone decides everything gets no copies", async () => {
  // Audio is right by itself and with others; the others are wrong without it.
  for (const m of [2, 3]) {
    const host = hostOf(m, 5, (_item, kept) => kept.includes("audio"));
    for (const plugin of [sampleValuation, modalityValuation]) {
      const method = plugin.create({}, { modalities: host.modalities, classes: 2 });
      const [{ items, keep }] = await method.plan!(host, base());
      let copies = 0;
      for (let i = 0; i < items.length; i++) {
        const flags = keep!.subarray(i * m, (i + 1) * m);
        if (flags.every((flag) => flag === 1)) continue;
        copies++;
        assertEquals(flags[0], 0, `${plugin.name}, ${m} modalities`);
      }
      assert(copies > 0);
    }
  }
});

Deno.test("modalities that contribute alike get no copies of modality-valuation", async () => {
  const host = hostOf(3, 9, (_item, kept) => kept.length > 0);
  const method = modalityValuation.create({}, { modalities: host.modalities, classes: 2 });
  const plan = base();
  assertEquals(await method.plan!(host, plan), plan);
});

Deno.test("plans before the warm-up are those that came; later ones hold every sample whole and copies of some of it", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 2, max: 4 }),
      fc.array(fc.boolean(), { minLength: 12 * 16, maxLength: 12 * 16 }),
      fc.constantFrom<MaskedShareOptions["many"]>("proportional", "nested"),
      async (m, bits, many) => {
        const of = (kept: readonly string[]) => kept.reduce((sum, name) => sum + (1 << "aitv".indexOf(name[0])), 0);
        const host = (epoch: number) => hostOf(m, epoch, (item, kept) => bits[item * 16 + of(kept)]);
        const context = { modalities: host(0).modalities, classes: 2 };
        for (
          const method of [
            sampleValuation.create({}, context),
            modalityValuation.create({ sampler: use(maskedShare, { many }) }, context),
          ]
        ) {
          const given = base();
          assertEquals(await method.plan!(host(4), given), given);
          const [{ items, keep }] = await method.plan!(host(5), given);
          const flags = keep ?? new Uint8Array(items.length * m).fill(1);
          assertEquals(flags.length, items.length * m);
          const whole = new Set<number>();
          items.forEach((item, i) => {
            const own = flags.subarray(i * m, (i + 1) * m);
            assert(own.some((flag) => flag === 1), "a copy of nothing");
            if (own.every((flag) => flag === 1)) whole.add(item);
          });
          assertEquals(whole.size, 12);
          // Equal hosts give equal plans.
          const again = await method.plan!(host(5), given);
          assertEquals(again[0].items, items);
          assertEquals(again[0].keep, keep);
        }
      },
    ),
    { numRuns: 40 },
  );
});

Deno.test("copies keep one modality of positive share; nested ones keep those behind", () => {
  const gaps = fc.array(fc.double({ min: -1, max: 2, noNaN: true }), { minLength: 2, maxLength: 5 });
  fc.assert(fc.property(gaps, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (given, draw) => {
    const least = Math.min(...given);
    fc.pre(Math.max(...given) > least);
    const kept = keptOfCopy(given, draw);
    assertEquals(kept.reduce((sum, flag) => sum + flag, 0), 1);
    assert(given[kept.indexOf(1)] > least);
    nestedCopies(given).forEach((keep, u) => keep.forEach((flag, v) => assertEquals(flag === 1, given[v] >= given[u])));
  }));
});

Deno.test("contributions from sampled orders: efficient in every sample, unbiased over many", () => {
  fc.assert(fc.property(
    fc.integer({ min: 5, max: 6 }),
    fc.integer({ min: 1, max: 40 }),
    fc.integer(),
    (m, count, seed) => {
      const value = (subset: number) => subset === 0 ? 0 : Math.sin(3 * subset);
      const phi = orderedContributions(m, joiningOrders(m, count, new Random(seed)), value);
      assertAlmostEquals(phi.reduce((sum, own) => sum + own, 0), value((1 << m) - 1), 1e-9);
    },
  ));
  const additive = (subset: number) => [1, 2, 3, 4, 5].reduce((sum, own, u) => sum + own * (subset >> u & 1), 0);
  // Where each modality adds the same to any subset, one order is enough.
  assertClose(orderedContributions(5, joiningOrders(5, 1, new Random(2)), additive), shapleyValues(5, additive), 1e-9);
});

Deno.test("sample-valuation refuses thresholds that do not fall", () => {
  const fusion = {} as Parameters<NonNullable<typeof sampleValuation.refuses>>[0];
  const context = { modalities: ["a", "b"], classes: 2 };
  const sampler = use(maskedCopies, { thresholds: [0.4, 0.9, 0] });
  assertThrows(
    () => sampleValuation.create({ sampler }, context),
    Refusal,
    "they must be three falling numbers: found 0.4, 0.9, 0",
  );
  assertEquals(
    sampleValuation.refuses!(fusion, context, { sampler: use(dsr) }),
    'sampler "dsr" needs the joint contribution of every sample, which this method does not measure',
  );
  assertEquals(
    sampleValuation.refuses!(fusion, { ...context, modalities: ["a"] }, {}),
    "it compares modalities and needs at least two",
  );
});
