import { assertEquals, assertStringIncludes } from "@std/assert";
import { configurations, resultTable, tableNotes } from "../../experiments/mod.ts";
import type { CellOutcome } from "../../experiments/mod.ts";
import { shortCount } from "../../experiments/results.ts";

/** An outcome with what costs are made from. */
function outcome(
  seed: number,
  costs: { multiplyAdds?: number | null; trainingMultiplyAdds?: number | null },
  label = "x",
  accuracy = 0.5,
) {
  const split = { accuracy, macroF1: 0.5, perModality: {}, contributionGap: 0, jointContribution: 0 };
  const parts = { dataset: { name: "d" }, modalities: [], encoders: {}, fusion: { name: "concat" }, methods: [] };
  return {
    status: "finished",
    cell: { request: { label }, seed, id: `${label}${seed}`, config: parts },
    summary: { test: split, samplesDrawn: 1, epochs: 1, parameters: 7, ...costs },
    timing: { seconds: 1, stepMs: 4 + seed },
  } as unknown as CellOutcome;
}

Deno.test("configurations() pass costs on, training's as the mean over seeds; older runs have none", () => {
  const [result] = configurations([
    outcome(0, { multiplyAdds: 2000, trainingMultiplyAdds: 100 }),
    outcome(1, { multiplyAdds: 2000, trainingMultiplyAdds: 300 }),
  ]);
  assertEquals([result.multiplyAdds, result.trainingMultiplyAdds], [2000, 200]);
  assertEquals(result.stepMs, 4.5);
  const [head, , row] = resultTable([result]).split("\n");
  assertStringIncludes(head, "s/run  ms/step  params  mult-adds");
  assertStringIncludes(row, "1.0      4.5       7     2.00 k");
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

Deno.test("tableNotes() says what the tests say, and where there is nothing to test", () => {
  const notes = (a: number[], b: number[]) =>
    tableNotes(
      configurations([
        ...a.map((accuracy, seed) => outcome(seed, {}, "a", accuracy)),
        ...b.map((accuracy, seed) => outcome(seed, {}, "b", accuracy)),
      ]),
      "4 epochs",
    );
  assertStringIncludes(notes([0.9, 0.91, 0.92], [0.5, 0.52, 0.51]), "3 seeds; CI");
  assertStringIncludes(notes([0.9, 0.91, 0.92], [0.5, 0.52, 0.51]), "* best: paired t-tests");
  assertStringIncludes(notes([0.9, 0.5, 0.7], [0.6, 0.8, 0.65]), "do not tell a, b apart");
  assertStringIncludes(notes([0.9, 0.91], [0.5, 0.51]), "a test needs at least 3 common seeds");
  assertEquals(notes([0.9], []).includes("marked best"), false);
  assertStringIncludes(notes([0.9], []), "over 1 seed;");
});
