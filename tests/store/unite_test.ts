import { join } from "node:path";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { Refusal } from "../../core/refusal.ts";
import { configurationId, listExperiments, openRun, runNames, uniteRuns, writeExperiment } from "../../store/mod.ts";
import { armlab, inFolder } from "../helpers/cli.ts";
import { configOf, type RunSpec, writeRun } from "../helpers/runs.ts";

/** A folder of runs with an experiment of them. */
async function machine(folder: string, specs: readonly RunSpec[], label = "concat"): Promise<string[]> {
  await Deno.mkdir(folder, { recursive: true });
  const ids = specs.map((spec) => writeRun(folder, spec));
  await writeExperiment(folder, {
    format: 1,
    name: "grid",
    question: null,
    command: "deno task bench",
    rows: [{
      label,
      configuration: configurationId(configOf(specs[0])),
      runs: specs.map(({ seed = 0 }, i) => ({ seed, id: ids[i] })),
    }],
    reference: label,
    seeds: specs.map(({ seed = 0 }) => seed),
    budget: "equal",
    plugins: [],
    writtenAt: "2026-01-01T00:00:00.000Z",
  });
  return ids;
}

Deno.test("uniteRuns() copies what is new, keeps what is equal, takes the further one, unites seeds of a grid", () =>
  inFolder(async (folder) => {
    const [a, b, into] = ["a", "b", "into"].map((name) => join(folder, name));
    const first = await machine(a, [{ seed: 0 }, { seed: 1 }, { seed: 2, state: "interrupted", done: 1 }]);
    const second = await machine(b, [{ seed: 0 }, { seed: 2 }, { seed: 3, state: "interrupted", done: 2 }]);
    const united = await uniteRuns([a, b], into);
    assertEquals(new Set(united.copied), new Set([...first, ...second]));
    assertEquals(united.equal, [first[0]]);
    assertEquals(runNames(into), [...new Set([...first, ...second])].sort());
    assert(await openRun(into, first[2]).summary() !== null, "the finished one of two is taken");
    const [{ seeds, rows }] = listExperiments(into).experiments;
    assertEquals(seeds, [0, 1, 2, 3]);
    assertEquals(rows[0].runs.map(({ seed }) => seed), [0, 1, 2, 3]);
    // Once more changes nothing.
    const again = await uniteRuns([a, b], into);
    assertEquals(again.copied, []);
    assertEquals(await openRun(into, first[0]).config(), configOf({ seed: 0 }));
    assertEquals([...Deno.readDirSync(join(into, ".claims"))], []);
  }));

Deno.test("uniteRuns() refuses another result of one run, and another configuration under one label; nothing is written", () =>
  inFolder(async (folder) => {
    const [a, b, c, into] = ["a", "b", "c", "into"].map((name) => join(folder, name));
    const [id] = await machine(a, [{ seed: 0, accuracy: 0.8 }]);
    await machine(b, [{ seed: 0, accuracy: 0.9 }]);
    const error = await assertRejects(() => uniteRuns([a, b], into), Refusal);
    assertStringIncludes(error.message, `run ${id} has another metrics.jsonl in "${b}"`);
    assertStringIncludes(error.message, "different processors round differently: remove the run from one of them");
    assertEquals(runNames(into), []);
    // What the message says helps.
    await Deno.remove(join(b, id), { recursive: true });
    assertEquals((await uniteRuns([a, b], into)).copied, [id]);
    await machine(c, [{ seed: 0, fusion: "sum" }]);
    const label = await assertRejects(() => uniteRuns([c], into), Refusal);
    assertStringIncludes(label.message, '"concat" of experiment "grid" is another configuration in');
  }));

Deno.test("merge-runs says what it did, and what it needs", () =>
  inFolder(async (folder) => {
    const [a, into] = ["a", "into"].map((name) => join(folder, name));
    await machine(a, [{ seed: 0 }]);
    await Deno.mkdir(join(a, "foreign"));
    const done = await armlab("merge-runs", a, "--into", into);
    assertEquals(done.code, 0, done.err);
    assertStringIncludes(done.out, "1 run copied, 0 were there and are equal, 1 experiment.");
    assertStringIncludes(done.out, "left out  foreign: it must hold a config.json");
    const again = await armlab("merge", a, "--into", into);
    assertEquals(again.code, 0, again.err);
    assertStringIncludes(again.out, "0 runs copied, 1 was there and is equal, ");
    for (
      const [args, words] of [
        [[a], "--into is missing; write armlab merge-runs A B --into C"],
        [[a, "--into", a], "--into must be another folder"],
        [[join(folder, "none"), "--into", into], "it must be a folder of runs: it is none"],
      ] as const
    ) {
      const { code, err } = await armlab("merge-runs", ...args);
      assertEquals(code, 2);
      assertStringIncludes(err, words);
    }
  }));
