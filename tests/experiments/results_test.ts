import { assertEquals, assertStringIncludes } from "@std/assert";
import { configurations, resultTable } from "../../experiments/mod.ts";
import type { CellOutcome } from "../../experiments/mod.ts";
import { shortCount } from "../../experiments/results.ts";

/** An outcome with what costs are made from. */
function outcome(seed: number, costs: { multiplyAdds?: number | null; trainingMultiplyAdds?: number | null }) {
  const split = { accuracy: 0.5, macroF1: 0.5, perModality: {}, contributionGap: 0, jointContribution: 0 };
  const parts = { dataset: { name: "d" }, modalities: [], encoders: {}, fusion: { name: "concat" }, methods: [] };
  return {
    status: "finished",
    cell: { request: { label: "x" }, seed, id: `run${seed}`, config: parts },
    summary: { test: split, samplesDrawn: 1, epochs: 1, parameters: 7, ...costs },
    timing: { seconds: 1 },
  } as unknown as CellOutcome;
}

Deno.test("configurations() pass costs on, training's as the mean over seeds; older runs have none", () => {
  const [result] = configurations([
    outcome(0, { multiplyAdds: 2000, trainingMultiplyAdds: 100 }),
    outcome(1, { multiplyAdds: 2000, trainingMultiplyAdds: 300 }),
  ]);
  assertEquals([result.multiplyAdds, result.trainingMultiplyAdds], [2000, 200]);
  assertStringIncludes(resultTable([result]), "2.00 k");
  for (const old of [{}, { multiplyAdds: null, trainingMultiplyAdds: null }]) {
    const [unknown] = configurations([outcome(0, old)]);
    assertEquals([unknown.multiplyAdds, unknown.trainingMultiplyAdds], [null, null]);
  }
});

Deno.test("shortCount() keeps three digits", () => {
  const cases: [number, string][] = [
    [0, "0"],
    [999, "999"],
    [999.6, "1.00 k"],
    [1234, "1.23 k"],
    [99_960, "100 k"],
    [1_814_073_344, "1.81 G"],
    [11_176_512, "11.2 M"],
    [2e15, "2.00 P"],
  ];
  for (const [count, text] of cases) assertEquals(shortCount(count), text);
});
