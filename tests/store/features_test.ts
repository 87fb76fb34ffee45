import { assertEquals, assertRejects } from "@std/assert";
import { join } from "node:path";
import type { PooledFeatures, ValuationRecord } from "../../core/record.ts";
import { openRun, readFeatures, StoreError, writeFeatures } from "../../store/mod.ts";
import { inFolder } from "../helpers/cli.ts";

const run = "0123456789abcdef";
const features: PooledFeatures = {
  labels: Int32Array.of(1, 0),
  fused: Float32Array.of(1, 2, 3, 4, 5, 6),
  pooled: { audio: Float32Array.of(0.5, -0.5), image: Float32Array.of(1, 2, 3, 4) },
};

Deno.test("writeFeatures() and readFeatures() keep features bit for bit; a file of another run is refused", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "features-test.safetensors");
    assertEquals(await readFeatures(path, run), null);
    await writeFeatures(path, run, features);
    assertEquals(await readFeatures(path, run), features);
    await assertRejects(() => readFeatures(path, "f".repeat(16)), StoreError, "it must be of run ffff");
    await Deno.writeFile(path, (await Deno.readFile(path)).slice(0, 60));
    await assertRejects(() => readFeatures(path, run), StoreError);
  });
});

Deno.test("RunFolder.truncateEpochs() drops the valuation of later epochs, and bears that of a version that kept none", async () => {
  await inFolder(async (folder) => {
    const own = openRun(folder, run);
    await Deno.mkdir(own.path);
    const record = (epoch: number): ValuationRecord => ({
      epoch,
      ids: [3],
      phi: { audio: [0.1] },
      fused: [0.5],
      solo: { audio: [0.25] },
    });
    await own.truncateEpochs(0);
    // An older version trained epochs 0 and 1.
    for (const epoch of [2, 3, 4]) await own.appendValuation(record(epoch));
    await Deno.writeTextFile(own.file("metrics"), "");
    await assertRejects(() => own.truncateEpochs(4), StoreError, "metrics.jsonl");
    const kept = (await Deno.readTextFile(own.file("valuation"))).trim().split("\n").map((line) => JSON.parse(line));
    assertEquals(kept, [record(2), record(3)]);
    await own.truncateEpochs(0);
    assertEquals([...Deno.readDirSync(own.path)].map(({ name }) => name), []);
    await Deno.writeTextFile(own.file("valuation"), '{"epoch":-1}\n');
    await assertRejects(() => own.truncateEpochs(1), StoreError, "remove it");
  });
});
