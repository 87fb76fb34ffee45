import { assert, assertEquals, assertThrows } from "@std/assert";
import { join } from "node:path";
import { part } from "../../experiments/config.ts";
import { planGrid } from "../../experiments/plan.ts";
import { type CellEvent, CellRunner } from "../../experiments/run_cell.ts";
import { selectedBy, selectionRules } from "../../experiments/selection_rules.ts";
import { createLibrary } from "../../library.ts";
import { StoreError } from "../../store/files.ts";
import { openRun } from "../../store/run_folder.ts";
import { testCurve, truncateTestCurve } from "../../store/test_curve.ts";
import { selectionTable } from "../../viewer/selection_table.ts";
import { inFolder } from "../helpers/cli.ts";

Deno.test("selectedBy(): best on validation, the last, and the best on test; the first of equal ones", () => {
  assertEquals(selectedBy([0.5, 0.8, 0.8], [0.6, 0.7, 0.9]), { validation: 0.7, last: 0.9, oracle: 0.9 });
  assertEquals(selectedBy([0.9, 0.8], [0.3, 0.2]), { validation: 0.3, last: 0.2, oracle: 0.3 });
});

Deno.test("--keep test-curve: a curve without gaps beside the same bytes; what had none is trained anew; nothing chooses by it", () =>
  inFolder(async (folder) => {
    const library = createLibrary();
    const cell = {
      label: "concat",
      dataset: part("av-digits", { size: "mini" }),
      encoder: part("mlp", { width: 16 }),
      fusion: part("concat", { width: 16 }),
      methods: [],
      training: { epochs: 3 },
    };
    const runs = join(folder, "runs");
    await Deno.mkdir(runs);
    const { cells: [{ config, id }] } = await planGrid({ cells: [cell], seeds: [0], runs, library });
    const runner = new CellRunner(library, runs);
    const events: CellEvent[] = [];
    const run = (keepTestCurve: boolean, signal?: AbortSignal) => {
      events.length = 0;
      return runner.run(config, { command: "", keepTestCurve, signal, onEvent: (event) => events.push(event) });
    };
    const kept = openRun(runs, id);
    const bytes = () =>
      Promise.all(["summary", "metrics", "model"].map((kind) => Deno.readFile(kept.file(kind as "model"))));
    try {
      await run(false);
      assertEquals(testCurve(kept), []);
      const plain = await bytes();
      await run(true);
      assert(events.some((event) => event.type === "note" && event.text.includes("no test curve yet")));
      const curve = testCurve(kept);
      assertEquals(curve.length, 3);
      assertEquals(await bytes(), plain); // what was trained and chosen is the same
      const summary = (await kept.summary())!;
      assertEquals(curve[summary.selectedEpoch], summary.test.accuracy);
      await run(true);
      assertEquals(events.map((event) => event.type === "finished" && event.reused), [true]);

      // Stopped in its second epoch and gone on with, it ends with the same curve.
      await kept.reopen();
      const stop = new AbortController();
      await runner.run(config, {
        command: "",
        keepTestCurve: true,
        signal: stop.signal,
        onEvent: (event) => event.type === "epoch" && stop.abort(),
      });
      assertEquals(testCurve(kept).length, 1);
      await run(true);
      assertEquals([testCurve(kept), await bytes()], [curve, plain]);

      const timing = await kept.timing();
      const [result] = await selectionRules(runs, [{ label: "concat", id, seed: 0, config, summary, timing }]);
      assertEquals(result.validation.mean, summary.test.accuracy);
      assertEquals([result.last.mean, result.oracle.mean], [curve[2], Math.max(...curve)]);
      assertEquals(selectionTable([result]).rows[0][0].text, "concat");

      await truncateTestCurve(kept, 2);
      assertEquals(testCurve(kept), curve.slice(0, 2));
      Deno.writeTextFileSync(kept.file("test-curve"), '{"epoch":1,"accuracy":0.5}\n');
      assertThrows(() => testCurve(kept), StoreError, "must be the test accuracy of epoch 0");
    } finally {
      await runner.dispose();
    }
  }));
