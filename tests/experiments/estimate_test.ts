import { assertEquals } from "@std/assert";
import { join } from "node:path";
import { estimateText } from "../../cli/progress.ts";
import { estimate } from "../../experiments/estimate.ts";
import type { GridCell } from "../../experiments/plan.ts";
import { createLibrary } from "../../library.ts";
import { runId } from "../../store/run_id.ts";
import { inFolder } from "../helpers/cli.ts";
import { configOf, type RunSpec, writeRun } from "../helpers/runs.ts";

const cell = (spec: RunSpec): GridCell => {
  const config = configOf(spec);
  return { index: 0, seed: config.seed, config, id: runId(config) } as unknown as GridCell;
};

Deno.test("estimate() takes the time of kept runs on the same data, encoders and fusion, by passes of the methods", () =>
  inFolder(async (folder) => {
    const runs = join(folder, "runs");
    writeRun(runs, { seed: 0 }); // 30 s
    const twice = { methods: [{ name: "mmpareto", options: {} }] }; // two backwards: five passes where others have three
    const cells = [
      cell({ seed: 0 }),
      cell({ seed: 1 }),
      cell({ seed: 1, epochs: 8 }),
      cell({ seed: 1, ...twice }),
    ];
    const options = { runs, library: createLibrary(), workers: 1, measure: false };
    const one = await estimate({ cells: cells.slice(0, 3), teachers: [] }, options);
    assertEquals(one, { left: 2, seconds: 30 + 60, basis: "1 kept run" });
    assertEquals((await estimate({ cells: cells.slice(0, 3), teachers: [] }, { ...options, workers: 2 })).seconds, 45);
    const other = await estimate({ cells: [cells[0], cells[3]], teachers: [] }, options);
    assertEquals(other.seconds, 50);
    // Of several the middle one: the last was made on a busy machine.
    for (const seed of [2, 60]) writeRun(runs, { seed });
    const three = [0, 2, 60].map((seed) => cell({ seed }));
    assertEquals((await estimate({ cells: [...three, cells[1]], teachers: [] }, options)).seconds, 32);
    // Nothing is known of another fusion, and a damaged run is still to be made.
    const unknown = await estimate({ cells: [cells[0], cell({ fusion: "sum" })], teachers: [] }, options);
    assertEquals([unknown.left, unknown.seconds], [1, null]);
    Deno.writeTextFileSync(join(runs, cells[0].id, "summary.json"), "{");
    assertEquals((await estimate({ cells: cells.slice(0, 1), teachers: [] }, options)).left, 1);
  }));

Deno.test("estimateText() says what is left, how long, and what it rests on", () => {
  assertEquals(
    estimateText({ left: 1, seconds: 75, basis: "2 kept runs" }),
    "1 run to make, about 1 min 15 s (from 2 kept runs).",
  );
  assertEquals(
    estimateText({ left: 3, seconds: null, basis: "nothing measured" }),
    "3 runs to make, a time that nothing tells yet (from nothing measured).",
  );
  assertEquals(estimateText({ left: 0, seconds: 0, basis: "" }), "All runs are kept: nothing is left to train.");
});
