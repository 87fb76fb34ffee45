import { Refusal } from "../../../core/refusal.ts";
import { assert, assertAlmostEquals, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { allowed, costTable, type MethodCost, methodCosts } from "../../../tools/benchmarks/methods_bench.ts";
import { selectEngine } from "../../../engines/mod.ts";
import { createLibrary } from "../../../library.ts";

const library = createLibrary();
const effort = { rounds: 2, epochs: 1, samples: 64 };

Deno.test("bench:methods measures steps and epochs beside what they should cost", async () => {
  const dataset = await library.of("dataset").get("av-digits").load({ size: "mini" });
  const { engine } = await selectEngine("onnx:cpu", { threads: 1 });
  try {
    const costs = await methodCosts(library, engine, dataset, effort, ["mmtm", "sample-valuation"]);
    assertEquals(costs.map(({ name, kind, fusion }) => [name, kind, fusion]), [
      ["concat", "fusion", "concat"],
      ["mmtm", "fusion", "mmtm"],
      ["sample-valuation", "method", "concat"],
    ]);
    for (const { stepMs, relative, epochMs, epochRelative } of costs) {
      for (const found of [stepMs, relative, epochMs, epochRelative]) assert(found > 0 && Number.isFinite(found));
    }
    const [concat, mmtm, valuation] = costs;
    assertEquals([concat.relative, concat.theoretical, concat.epochTheoretical, concat.drawn], [1, 1, 1, 1]);
    // No layer of the fused width, and small gates: fewer multiply-adds than concatenation.
    assert(mmtm.theoretical > 0.9 && mmtm.theoretical < 1);
    // Past the warm-up: what is repeated is drawn, and three masked passes are forwards, a third of a step each.
    assert(valuation.drawn > 1);
    assertAlmostEquals(valuation.epochTheoretical, valuation.drawn + 1, 1e-9);
    assertEquals(valuation.theoretical, 1);
    await assertRejects(
      () => methodCosts(library, engine, dataset, effort, ["mmtn"]),
      Refusal,
      'Cannot time "mmtn": names are concat, ',
    );
  } finally {
    await engine.dispose();
  }
});

Deno.test("a cost may lie 1.5 times above its theory on the grids' CNNs, 1.3 times on ones four times as wide", () => {
  assertEquals([allowed([8, 16, 32]), allowed([32, 64, 128])], [1.5, 1.3]);
});

Deno.test("the table marks what costs more than its limit allows", () => {
  const row = (name: string, relative: number): MethodCost => ({
    name,
    kind: "method",
    fusion: "concat",
    stepMs: 1,
    relative,
    theoretical: 2,
    epochMs: 1,
    epochRelative: 1,
    epochTheoretical: 1,
    drawn: 1,
  });
  const [, within, above] = costTable([row("within", 2.59), row("above", 2.61)], 1.3).split("\n");
  assertStringIncludes(within, "2.59  ");
  assertEquals(within.includes("!"), false);
  assertStringIncludes(above, "2.61 !");
});
