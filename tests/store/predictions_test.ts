import { join } from "node:path";
import { assertEquals, assertRejects } from "@std/assert";
import type { Predictions } from "../../core/record.ts";
import { writeSafetensors } from "../../store/tensors.ts";
import { readPredictions, StoreError, writePredictions } from "../../store/mod.ts";
import { inFolder } from "../helpers/cli.ts";

const run = "0123456789abcdef";
/** Two samples, three classes, three modalities of which one has a name with a colon. */
const predictions: Predictions = {
  split: "test",
  ids: Int32Array.of(0, 1),
  groups: Int32Array.of(0, 0),
  labels: Int32Array.of(2, 1),
  predicted: Int32Array.of(2, 0),
  confidence: Float32Array.of(0.5, 0.75),
  fused: Float32Array.of(0.25, 0.25, 0.5, 0.75, 0.125, 0.125),
  solo: {
    "a:b": Float32Array.of(1, 0, 0, 0, 1, 0),
    image: Float32Array.of(0, 1, 0, 0, 0, 1),
    text: Float32Array.of(0, 0, 1, 1, 0, 0),
  },
  phi: { "a:b": Float32Array.of(0.1, 0.2), image: Float32Array.of(0.3, 0.4), text: Float32Array.of(0.5, 0.6) },
};

Deno.test("predictions are read as they were written, with and without probabilities", () =>
  inFolder(async (folder) => {
    const path = join(folder, "p.safetensors");
    assertEquals(await readPredictions(path, run, "test"), null);
    await writePredictions(path, run, predictions);
    assertEquals(await readPredictions(path, run, "test"), predictions);
    const bare = { ...predictions, fused: null, solo: null };
    await writePredictions(path, run, bare);
    assertEquals(await readPredictions(path, run, "test"), bare);
  }));

Deno.test("predictions of another run, another split or another number of samples are refused", () =>
  inFolder(async (folder) => {
    const path = join(folder, "p.safetensors");
    await writePredictions(path, run, predictions);
    await assertRejects(() => readPredictions(path, "f".repeat(16), "test"), StoreError, "test split of run ffff");
    await assertRejects(() => readPredictions(path, run, "validation"), StoreError, "must hold the validation split");
    const metadata = { format: "1", run, split: "test", modalities: "[]" };
    await writeSafetensors(path, {}, metadata);
    await assertRejects(() => readPredictions(path, run, "test"), StoreError, "labels of at least one sample");
    const label = { dtype: "int32" as const, shape: [2], data: Int32Array.of(0, 1) };
    await writeSafetensors(path, { label, id: { ...label, shape: [2, 2], data: new Int32Array(4) } }, metadata);
    await assertRejects(() => readPredictions(path, run, "test"), StoreError, 'must hold "id" of 2 samples');
    await writePredictions(path, run, { ...predictions, solo: { image: Float32Array.of(1, 0, 0, 0, 1, 0) } });
    await assertRejects(() => readPredictions(path, run, "test"), StoreError, 'must hold "solo:a:b" of 2 samples');
  }));
