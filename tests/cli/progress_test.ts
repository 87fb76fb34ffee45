import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { duration, type ProgressOutput, ProgressView, rowsOf } from "../../cli/progress.ts";
import { planLines } from "../../cli/plan_table.ts";
import type { GridPlan } from "../../experiments/plan.ts";
import type { CellEvent } from "../../experiments/run_cell.ts";
import { configOf } from "../helpers/runs.ts";

/** A terminal that remembers what was written, and a clock that stands still. */
class Screen implements ProgressOutput {
  readonly terminal: boolean;
  text = "";
  width = 80;
  clock = 0;
  constructor(terminal = true) {
    this.terminal = terminal;
  }
  write(text: string): void {
    this.text += text;
  }
  columns(): number {
    return this.width;
  }
  now(): number {
    return this.clock;
  }
}

const config = configOf({});
const request = (label: string) => ({
  label,
  dataset: config.dataset,
  encoder: config.encoders,
  fusion: config.fusion,
  methods: [],
  training: {},
});
const cells = [0, 1, 2].map((seed) => ({ index: seed, request: request("row"), seed, config, id: String(seed) }));
const plan: GridPlan = {
  cells,
  teachers: [],
  taught: new Set(),
  lessons: new Map(),
  bytes: null,
  failed: [],
  unfit: [{ label: "odd", reason: "it does not fit" }],
  notes: ["my_fusion.ts changed since: training anew"],
  engine: "cpu",
};

const started: CellEvent = { type: "started", epochs: 4, samplesBudget: 1000, samplesDrawn: 0 };
const step = (samplesDrawn: number): CellEvent => ({ type: "step", epoch: 0, samplesDrawn });

Deno.test("the time left counts from the first step: programs are compiled before", () => {
  const screen = new Screen();
  const view = new ProgressView({ quiet: false }, screen);
  view.show({ type: "planned", plan, workers: 1, freeBytes: null });
  const tell = (at: number, event: CellEvent) => {
    screen.clock = at;
    view.show({ type: "cell", cell: cells[0], event });
  };
  tell(0, started);
  // Eight seconds of compiling, then 100 samples a second.
  tell(8000, step(10));
  assertStringIncludes(view.lines().join("\n"), "starting");
  assertStringIncludes(view.lines().join("\n"), "0/3 runs");
  assert(!view.lines().join("\n").includes("left"));
  tell(10_000, step(210));
  const [run, all] = view.lines();
  // (1000 - 210) / 100 = 7.9 s; two more runs of 1000 samples: 27.9 s.
  assertStringIncludes(run, "100 samples/s, 8 s left");
  assertEquals(all, "  0/3 runs, 100 samples/s in all, 28 s left");
  tell(10_000, { type: "epoch", epoch: 0, validationAccuracy: 0.5 });
  assertStringIncludes(view.lines()[0], "val 50.0 %");
  // With one that just started, it is taken for as fast.
  view.show({ type: "cell", cell: cells[1], event: started });
  assertStringIncludes(view.lines()[2], "200 samples/s in all, 14 s left");
});

Deno.test("the time left counts the workers that are still to start, and what runs took with their starts", () => {
  const screen = new Screen();
  const view = new ProgressView({ quiet: false }, screen);
  view.show({ type: "planned", plan, workers: 2, freeBytes: null });
  const tell = (at: number, cell: number, event: CellEvent) => {
    screen.clock = at;
    view.show({ type: "cell", cell: cells[cell], event });
  };
  tell(0, 0, started);
  tell(1000, 0, step(0));
  tell(3000, 0, step(200));
  // 100 samples a second, two at once: (800 + 2000) / 200 s; the second worker does not train yet.
  assertEquals(view.lines().at(-1), "  0/3 runs, 200 samples/s in all, 14 s left");
  tell(11_000, 0, step(1000));
  // It ends 20 s after it began: 50 samples a second with its start and its end, and 2000 are left for two at once.
  tell(20_000, 0, { type: "failed", message: "its end" });
  assertEquals(view.lines().at(-1), "  1/3 runs, 1 failed, 100 samples/s in all, 20 s left");
  // The next one is as slow as 100 in its 4 s: (1000 + 100) samples in (20 + 4) s for each, and 1900 of 2000 left.
  tell(20_000, 1, started);
  tell(21_000, 1, step(0));
  tell(25_000, 1, step(100));
  assertEquals(view.lines().at(-1), "  1/3 runs, 1 failed, 92 samples/s in all, 21 s left");
});

Deno.test("a terminal that became narrower is erased by the rows that its lines take now", () => {
  assertEquals(rowsOf([79, 10, 0], 80), 3);
  assertEquals(rowsOf([79, 10, 0], 40), 4);
  assertEquals(rowsOf([79, 79], 20), 8);
  assertEquals(rowsOf([80], 80), 1);
  const screen = new Screen();
  const view = new ProgressView({ quiet: false }, screen);
  view.show({ type: "planned", plan, workers: 1, freeBytes: null });
  screen.clock = 1000;
  view.show({ type: "cell", cell: cells[0], event: started });
  const drawn = view.lines().map((line) => Math.min(line.length, 79));
  screen.text = "";
  screen.width = 20;
  view.end();
  assertEquals(screen.text, `\x1b[${rowsOf(drawn, 20)}A\x1b[0J`);
  screen.text = "";
  view.end();
  assertEquals(screen.text, "");
});

Deno.test("what a grid takes on the disk is said before it begins, beside what is free", () => {
  const lines = (bytes: number | null, freeBytes: number | null) => {
    const screen = new Screen(false);
    new ProgressView({ quiet: false }, screen).show({
      type: "planned",
      plan: { ...plan, bytes },
      workers: 1,
      freeBytes,
    });
    return screen.text.split("\n").filter((line) => line.includes("disk"));
  };
  const GB = 1e9;
  assertEquals(lines(3 * GB, 50 * GB), ["  disk      about 3.00 GB when all runs are finished; 50.0 GB are free"]);
  assertEquals(lines(3 * GB, 2 * GB), [
    "  disk      about 3.00 GB when all runs are finished; 2.00 GB are free, WHICH IS TOO LITTLE",
  ]);
  assertEquals(lines(3 * GB, null), ["  disk      about 3.00 GB when all runs are finished"]);
  // Nobody asks for what is little, or for what was not counted.
  assertEquals([lines(GB / 100, 50 * GB), lines(null, 50 * GB)], [[], []]);
});

Deno.test("what is planned, left out, new, failed and kept is said; quiet says failures alone", () => {
  const lines = (quiet: boolean) => {
    const screen = new Screen(false);
    const view = new ProgressView({ quiet }, screen);
    view.show({ type: "planned", plan, workers: 2, freeBytes: null });
    view.show({ type: "cell", cell: cells[0], event: started });
    view.show({ type: "cell", cell: cells[1], event: { ...started, samplesDrawn: 64 } });
    view.show({ type: "cell", cell: cells[0], event: { type: "note", text: "the model is gone" } });
    view.show({ type: "cell", cell: cells[0], event: { type: "failed", message: "bad\u001b[2J\nnews" } });
    return screen.text;
  };
  const text = lines(false);
  assertStringIncludes(text, "3 runs (1 configuration x 3 seeds), 2 at once, engine cpu\n");
  assertStringIncludes(text, "  left out  odd: it does not fit\n");
  assertStringIncludes(text, "  note      my_fusion.ts changed since: training anew\n");
  assertStringIncludes(text, "  note      row, seed 0: the model is gone\n");
  assertEquals(text.match(/resumed.*/g), ["resumed   row, seed 1 at 64 samples"]);
  assertEquals(lines(true), "  FAILED    row, seed 0: bad\\u001b[2J news\n");
});

Deno.test("duration() speaks in seconds, minutes and hours", () => {
  assertEquals([0.4, 42, 59.6, 185, 3599, 4800, Infinity].map(duration), [
    "0 s",
    "42 s",
    "1 min 00 s",
    "3 min 05 s",
    "59 min 59 s",
    "1 h 20 min",
    "?",
  ]);
});

Deno.test("a plan names each configuration with its settings and what becomes of its runs", () => {
  const known = { label: "row", id: "x", checkpoint: null, reason: null };
  const lines = planLines(plan, [
    { ...known, seed: 0, state: "kept" },
    { ...known, seed: 1, state: "goes on", checkpoint: "epoch 2" },
    { ...known, seed: 2, state: "broken", reason: "it is damaged" },
  ], "/runs");
  assertEquals(lines[0], "Plan of 3 runs: 1 kept, 1 to go on, 1 broken");
  assertEquals(lines[1], "  row  seeds 0, 1, 2: 1 kept, 1 to go on, 1 broken");
  assertStringIncludes(lines[2], "av-digits; audio by cnn, image by cnn; concat; samples of 4 epochs, batches of 64");
  assertStringIncludes(lines.join("\n"), "Left out: odd: it does not fit");
  assertStringIncludes(lines.join("\n"), "  row, seed 2: it is damaged");
  assertStringIncludes(lines.join("\n"), "my_fusion.ts changed since: training anew");
  assertEquals(lines[lines.length - 1], "Engine: cpu. Runs: /runs. Nothing was run.");
});
