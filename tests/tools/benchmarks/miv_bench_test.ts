import { assert, assertEquals } from "@std/assert";
import { batchRow, stepRow } from "../../../tools/benchmarks/miv_bench.ts";
import { selectEngine } from "../../../engines/mod.ts";

Deno.test("the cost benchmark's rows: a step with a method beside it, a batch without Python", async () => {
  const { engine } = await selectEngine("onnx:cpu", { threads: 1 });
  try {
    const step = await stepRow(engine, "bare twice", { channels: [4], width: 8 }, { name: "nothing" }, 2);
    assert(step.stepMs! > 0 && Number.isFinite(step.share!));
    assertEquals([step.case, step.officialMs, step.speedup], ["bare twice", null, null]);
    const batch = await batchRow(engine, "gaussian", 2, null);
    assert(batch.valuationMs > 0);
    // The released arithmetic needs Python with NumPy; without it the row says so by null.
    assertEquals([batch.stepMs, batch.officialMs, batch.speedup], [null, null, null]);
  } finally {
    await engine.dispose();
  }
});
