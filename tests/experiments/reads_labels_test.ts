import { assert, assertEquals } from "@std/assert";
import type { SplitMetrics } from "../../core/record.ts";
import { type CellOutcome, configurations, resultTable } from "../../experiments/mod.ts";

/** A finished run of the given accuracy with only what the table reads. */
function finished(label: string, seed: number, accuracy: number, readsLabels: boolean): CellOutcome {
  const test = { accuracy, macroF1: accuracy, perModality: {}, contributionGap: 0, jointContribution: 0 } as unknown;
  return {
    status: "finished",
    cell: {
      index: 0,
      request: { label },
      seed,
      id: `${label}-${seed}`,
      config: {
        dataset: { name: "toy", options: {} },
        fusion: { name: "concat" },
        methods: [],
        modalities: [],
        encoders: {},
        training: { budget: "samples", epochs: 1 },
        engine: { name: "e", version: "1", threads: 1 },
      },
    },
    summary: {
      test: test as SplitMetrics,
      samplesDrawn: 1,
      epochs: 1,
      parameters: 1,
      ...(readsLabels ? { readsLabels: true } : {}),
    },
    timing: { seconds: 1, stepMs: 1 },
  } as unknown as CellOutcome;
}

Deno.test("what reads test labels is marked and compared with none, however good it looks", () => {
  const outcomes = [0, 1, 2, 3].flatMap((seed) => [
    finished("cheat", seed, 0.99 + seed / 1e4, true),
    finished("good", seed, 0.9 + seed / 1e4, false),
    finished("bad", seed, 0.5 + seed / 2e4, false),
  ]);
  const [cheat, good, bad] = configurations(outcomes);
  assertEquals([cheat.readsLabels, cheat.tied, cheat.best], [true, null, false]);
  assertEquals([good.readsLabels, good.tied, good.best], [false, "yes", true]);
  assertEquals(bad.tied, "no");
  assertEquals([good.versus?.verdict, good.versus?.reason], [
    "untested",
    "one of them reads the labels of what it predicts",
  ]);
  const table = resultTable([cheat, good, bad]).split("\n");
  assert(table[2].startsWith("cheat (READS TEST LABELS)"));
  assert(table[3].startsWith("good *"));
});
