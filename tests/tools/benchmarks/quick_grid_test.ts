import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  gridCells,
  gridNotes,
  gridRow,
  type OurRun,
  timeGrid,
  type TorchRun,
} from "../../../tools/benchmarks/quick_grid.ts";
import { modulesMissing } from "../../../tools/benchmarks/side.ts";
import { HEADER, lineOf } from "../../../tools/benchmarks/rows.ts";
import { quick } from "../../../experiments/grids/mod.ts";

/** One cell, one epoch, a tenth of the data. */
const part = { only: "arm#0", settings: ["training.epochs=1", "dataset.size=mini"] };

const our = (wallMs: number, peakMiB: number | null): OurRun => ({
  wallMs,
  processorMs: 2 * wallMs,
  peakMiB,
  compileMs: wallMs / 10,
  accuracies: { concat: [0.9, 0.8], arm: [1, 0.9] },
});
const torch = (wallMs: number): TorchRun => ({
  wallMs,
  processorMs: wallMs,
  peakMiB: 400,
  importMs: 1000,
  version: "2",
  accuracies: { concat: [0.9, 0.82], arm: [0.8, 0.9] },
});

Deno.test("the row of the quick grid is made of medians over turns of ratios", () => {
  const row = gridRow(
    [our(3000, 100), our(1000, 200), our(2000, 300)],
    [torch(4000), torch(4000), torch(10000)],
    "wall",
  );
  assertEquals([row.step, row.threads, row.oursMs, row.torchMs], ["quick-grid", 2, 2000, 4000]);
  // 0.75, 0.25, 0.2 and 0.25, 0.5, 0.75.
  assertEquals([row.timeRatio, row.memoryRatio], [0.25, 0.5]);
  assertEquals([row.compileMs, row.nodes, row.turns, row.cells], [200, null, 3, 4]);
  assertEquals(row.torchMsWithoutImport, 3000);
  assertAlmostEquals(row.accuracy["concat"].ours, 0.85);
  assertAlmostEquals(row.accuracy["concat"].torch!, 0.86);
  // Processor time: 6000 / 4000, 2000 / 4000, 4000 / 10000.
  assertEquals(
    gridRow([our(3000, null), our(1000, 1), our(2000, 1)], [torch(4000), torch(4000), torch(10000)], "cpu")
      .timeRatio,
    0.5,
  );
  assertEquals(lineOf(row).length, HEADER.length);
  const notes = gridNotes(row, "wall").join("\n");
  assertStringIncludes(notes, "without importing torch 3000 ms, time ratio 0.67");
  assertStringIncludes(notes, "concat 85.00 / 86.00, arm 95.00 / 85.00");
});

Deno.test("what a system does not tell is not made up", () => {
  const { timeRatio, memoryRatio } = gridRow([our(1000, null)], [torch(4000)], "wall");
  assertEquals([timeRatio, memoryRatio], [0.25, null]);
  assertThrows(
    () => gridRow([{ ...our(1000, null), processorMs: null }], null, "cpu"),
    RangeError,
    "Cannot time the quick grid by processor time",
  );
});

Deno.test("lineOf names the peers of a row with their times", () => {
  const row = { ...gridRow([our(1000, 1)], null, "wall"), peers: [{ name: "jax-js", ms: 4000, ratio: 0.25 }] };
  assertEquals(lineOf(row).slice(HEADER.length), "  0.25 x jax-js's 4000.00 ms");
});

Deno.test("the cells of the row are those of the quick grid, seeds outside", async () => {
  const cells = await gridCells();
  assertEquals(cells.length, quick.cells.length * quick.seeds.length);
  assertEquals(cells.map(({ label }) => label).slice(0, 7), quick.cells.map(({ label }) => label));
  assertEquals(cells.map(({ config }) => config.seed).filter((seed) => seed === 2).length, quick.cells.length);
  // The third seed is none of the first two.
  assertEquals(await gridCells({ seeds: 2, only: "arm#2" }), []);
  await assertRejects(() => timeGrid({ python: null, clock: "wall", turns: 1, part: { only: "no#0" } }), RangeError);
});

Deno.test("one cell of the quick grid, ours alone and beside PyTorch", async () => {
  assertStringIncludes((await modulesMissing("no-such-python", ["torch"]))!, "no-such-python");
  // Any Python with torch and numpy.
  const python = Deno.env.get("ARMLAB_TEST_PYTHON") ?? "python3";
  const missing = await modulesMissing(python, ["torch", "numpy"]);
  if (missing !== null) console.log(`skipped: PyTorch's side of the quick grid, as torch is missing: ${missing}`);
  const said: string[] = [];
  const row = await timeGrid({
    python: missing === null ? python : null,
    clock: "wall",
    turns: 1,
    part,
    say: (line) => said.push(line),
  });
  assertEquals(Object.keys(row.accuracy), ["arm"]);
  assert(row.oursMs > row.compileMs && row.compileMs > 0);
  assert(row.accuracy["arm"].ours > 0 && row.accuracy["arm"].ours <= 1);
  assertEquals(said[0], "quick-grid, turn 1 of 1: ours, 1 cells");
  assertEquals(
    [said.length, row.timeRatio !== null, row.accuracy["arm"].torch !== null],
    missing === null ? [2, true, true] : [1, false, false],
  );
});
