import { canonicalJson } from "../../core/mod.ts";
import { join } from "node:path";
import { assert, assertEquals, assertInstanceOf, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import type { EpochRecord, RunConfig, RunSummary, RunTiming, SplitMetrics } from "../../core/record.ts";
import { Refusal } from "../../core/refusal.ts";
import {
  appendLine,
  configurationId,
  inspectEpochs,
  inspectRun,
  isKept,
  isRunId,
  keptOf,
  listRuns,
  liveContext,
  nobody,
  openIndex,
  openRun,
  prepareRuns,
  runId,
  StoreError,
  storeErrorOf,
  writeAtomic,
} from "../../store/mod.ts";
import { epochOfLine } from "../../store/run_records.ts";

const config = (seed: number, fusion = "concat"): RunConfig => ({
  format: 2,
  dataset: { name: "toy", options: {}, fingerprint: "f".repeat(64) },
  modalities: ["audio", "image"],
  encoders: { audio: { name: "mlp", options: {} }, image: { name: "mlp", options: {} } },
  fusion: { name: fusion, options: { width: 8 } },
  methods: [],
  training: {
    budget: "samples",
    epochs: 2,
    batchSize: 4,
    optimizer: "sgd",
    learningRate: 0.1,
    momentum: 0,
    weightDecay: 0,
    schedule: "constant",
    stepAt: 0.7,
    clipNorm: 0,
    select: "best",
  },
  seed,
  engine: { name: "cpu", version: "x", threads: 1 },
  version: "0",
  plugins: [],
});

const metrics: SplitMetrics = {
  size: 10,
  loss: 1,
  accuracy: 0.5,
  macroF1: 0.4,
  perModality: {
    audio: { accuracy: 0.4, readout: "split", ablateMean: 0.4, nmi: 0.1, probability: 0.3, phi: 0.1 },
    image: { accuracy: 0.3, readout: "split", ablateMean: 0.3, nmi: 0.1, probability: 0.3, phi: 0.1 },
  },
  contributionGap: 0.1,
  jointContribution: 0.1,
  recall: [0.5, 0.5],
};
const epoch = (number: number): EpochRecord => ({
  epoch: number,
  steps: 3,
  samplesDrawn: 10,
  learningRate: 0.1,
  loss: { joint: 1, total: 1 },
  clipped: 0,
  trainAccuracy: 0.5,
  validation: metrics,
  methods: {},
});
const summary = (id: string, seed: number): RunSummary => ({
  format: 1,
  id,
  seed,
  selectedOn: "validation",
  selectedEpoch: 1,
  epochs: 2,
  steps: 6,
  samplesDrawn: 20,
  validation: metrics,
  test: metrics,
  parameters: 100,
  parametersByGroup: { head: 100 },
});
const timing: RunTiming = {
  seconds: 1,
  trainSeconds: 1,
  evaluationSeconds: 0,
  compileSeconds: 0,
  stepMs: 1,
  startedAt: "2026-01-01T00:00:00.000Z",
  finishedAt: "2026-01-01T00:00:01.000Z",
  device: "CPU",
  deno: "2",
};

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const tensors = {
  b: { data: Float32Array.from([1, 2, 3]), shape: [3], dtype: "float32" as const },
  a: { data: Int32Array.from([5]), shape: [], dtype: "int32" as const },
};

Deno.test("runId() ignores the commit and the order of keys; configurationId() ignores the seed", () => {
  const one = config(1);
  assert(isRunId(runId(one)));
  assertEquals(runId({ ...one, git: "abc" }), runId(one));
  assertEquals(runId(JSON.parse(canonicalJson(one))), runId(one));
  assert(runId(config(2)) !== runId(one));
  assertEquals(configurationId(config(2)), configurationId(one));
  assert(configurationId(config(1, "sum")) !== configurationId(one));
});

Deno.test("runId() ignores where data lies, and nothing else of it", () => {
  const at = (path: string, seed: number, fingerprint = "f".repeat(64)): RunConfig => ({
    ...config(1),
    dataset: { name: "files", options: { path, seed }, fingerprint, places: ["path"] },
  });
  assertEquals(runId(at("/b", 0)), runId(at("/a", 0)));
  assertEquals(configurationId(at("/b", 0)), configurationId(at("/a", 0)));
  assert(runId(at("/a", 1)) !== runId(at("/a", 0)));
  assert(runId(at("/a", 0, "0".repeat(64))) !== runId(at("/a", 0)));
  const { places: _, ...unsaid } = at("/b", 0).dataset;
  assert(
    runId({ ...at("/b", 0), dataset: unsaid }) !==
      runId({ ...at("/a", 0), dataset: { ...unsaid, options: { path: "/a", seed: 0 } } }),
  );
});

Deno.test("a run folder keeps, truncates and finishes", () =>
  inFolder(async (runs) => {
    await prepareRuns(runs);
    const id = runId(config(0));
    const folder = openRun(runs, id);
    await folder.create(config(0));
    await folder.create(config(0));
    for (const number of [0, 1, 2]) await folder.appendEpoch(epoch(number));
    await Deno.writeTextFile(folder.file("metrics"), '{"epoch": 3, "cut', { append: true });
    assertEquals((await folder.epochs()).length, 3);
    await folder.truncateEpochs(2);
    assertEquals((await folder.epochs()).map((record) => record.epoch), [0, 1]);
    await assertRejects(
      () => folder.truncateEpochs(5),
      StoreError,
      "must hold the 5 epochs of its checkpoint: found 2",
    );
    await folder.saveCheckpoint(tensors, { epochs: 2 });
    const loaded = (await folder.loadCheckpoint<{ epochs: number }>())!;
    assertEquals(loaded.state, { epochs: 2 });
    assertEquals([...loaded.tensors.b.data], [1, 2, 3]);
    assertEquals(await folder.summary(), null);
    await folder.finish(summary(id, 0), timing, { params: { b: tensors.b }, buffers: { a: tensors.a } });
    assertEquals((await folder.summary())?.id, id);
    assertEquals(await folder.loadCheckpoint(), null);
    assertEquals(Object.keys((await folder.model())!.buffers), ["a"]);
  }));

Deno.test("records of a million epochs are 11,170 lines: all of the first, then ever fewer, by their number alone", () => {
  assertEquals(keptOf(1_000_000), 11_170);
  let kept = 0;
  for (let number = 0; number < 20_000; number++) {
    if (number % 777 === 0) assertEquals(keptOf(number), kept);
    if (isKept(number)) assertEquals(epochOfLine(kept++), number);
  }
  assert(isKept(2047) && isKept(2048) && !isKept(2049) && isKept(4094) && !isKept(4098) && isKept(4100));
  return inFolder(async (runs) => {
    const folder = openRun(runs, runId(config(0)));
    await folder.create(config(0));
    const lines = Array.from({ length: 5000 }, (_, number) => number).filter(isKept).map((number) =>
      `${canonicalJson(epoch(number))}\n`
    );
    await Deno.writeTextFile(folder.file("metrics"), lines.join(""));
    assertEquals((await folder.epochs()).length, keptOf(5000));
    const { total, records, reason } = inspectEpochs(runs, folder.id);
    assertEquals([total, records[1].epoch, records.at(-2)!.epoch, records.at(-1)!.epoch], [4997, 4, 4992, 4996]);
    assertStringIncludes(reason!, "every 4th");
    await folder.truncateEpochs(3001);
    for (const number of [3001, 3002, 3003]) await folder.appendEpoch(epoch(number));
    assertEquals((await folder.epochs()).slice(-2).map((record) => record.epoch), [3000, 3002]);
    assertEquals(inspectRun(runs, folder.id, nobody).epochs, 3003);
    await folder.writeProgress({
      ...{ epoch: 3003, epochs: 5000, samplesDrawn: 1, samplesBudget: 2, samplesPerSecond: 1 },
      ...{ validationAccuracy: 0.5, pid: 1, updatedAt: "2026-01-01T00:00:00.000Z" },
    });
    assertEquals(inspectRun(runs, folder.id, nobody).epochs, 3004);
    await assertRejects(() => folder.truncateEpochs(3100), StoreError, "the 3100 epochs of its checkpoint: found 3003");
    // All of them, as older versions kept.
    const all = Array.from({ length: 5000 }, (_, number) => `${canonicalJson(epoch(number))}\n`);
    await Deno.writeTextFile(folder.file("metrics"), all.join(""));
    assertEquals(inspectEpochs(runs, folder.id).records.slice(-2).map((record) => record.epoch), [4996, 4999]);
  });
});

Deno.test("a truncated checkpoint is an error that names it and how to mend it; nothing is removed", () =>
  inFolder(async (runs) => {
    const id = runId(config(0));
    const folder = openRun(runs, id);
    await folder.create(config(0));
    await folder.saveCheckpoint(tensors, {});
    const path = folder.file("checkpoint");
    const { size } = await Deno.stat(path);
    await Deno.truncate(path, size - 3);
    const error = await assertRejects(
      () => folder.loadCheckpoint(),
      StoreError,
      `as it must hold ${size} bytes: found ${size - 3}`,
    );
    assertStringIncludes((error as Error).message, "remove");
    assertEquals((await Deno.stat(path)).size, size - 3);
  }));

Deno.test("listRuns() reports broken folders with their reason and goes on", () =>
  inFolder(async (runs) => {
    const id = runId(config(0));
    await openRun(runs, id).create(config(0));
    await Deno.mkdir(join(runs, "empty"));
    await Deno.mkdir(join(runs, "0123456789abcdef"));
    await Deno.writeTextFile(join(runs, "0123456789abcdef", "config.json"), "{");
    await Deno.writeTextFile(join(runs, "a file"), "");
    const reports = await listRuns(runs);
    const states = Object.fromEntries(reports.map((report) => [report.id, report.state]));
    assertEquals(states[id], "interrupted");
    assertEquals(states["empty"], "broken");
    assertEquals(states["0123456789abcdef"], "broken");
    for (const { state, reason } of reports) assertEquals(state === "broken", reason !== null);
  }));

Deno.test("writes that cannot be done are one clear error and leave no temporary file", () =>
  inFolder(async (folder) => {
    const file = join(folder, "file");
    await writeAtomic(file, "first");
    await assertRejects(() => prepareRuns(file), StoreError, "Cannot");
    await assertRejects(
      () => writeAtomic(join(file, "inside"), "x"),
      StoreError,
      "every part of its path must be a folder",
    );
    await assertRejects(() => appendLine(join(folder, "none", "x"), "x"), StoreError);
    await assertRejects(() => appendLine("/dev/full", "x"), StoreError, "must be a regular file: found a special file");
    const full = await Deno.writeTextFile("/dev/full", "x").catch((thrown) => thrown);
    const error = storeErrorOf(full, "write", "/dev/full");
    assertInstanceOf(error, StoreError);
    assertEquals(
      error.message,
      'Cannot write "/dev/full" as the disk must have room: no space is left; free some, or choose another folder',
    );
    assertEquals(error.code, "no-space");
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["file"]);
    assertEquals(await Deno.readTextFile(file), "first");
  }));

Deno.test("the index follows the folders, leaves nothing in them, sorts and filters", () =>
  inFolder(async (runs) => {
    for (const seed of [0, 1]) {
      for (const fusion of ["concat", "sum"]) {
        const own = config(seed, fusion);
        const folder = openRun(runs, runId(own));
        await folder.create(own);
        await folder.appendEpoch(epoch(0));
        if (seed === 0) await folder.finish(summary(runId(own), seed), timing, { params: {}, buffers: {} });
      }
    }
    await Deno.mkdir(join(runs, "foreign"));
    using kept = openIndex(runs);
    const list = async () => {
      const refreshed = await kept.refresh();
      return { refreshed, runs: kept.runs(), configurations: kept.configurations() };
    };
    const first = await list();
    assertEquals(first.refreshed.total, 5);
    assertEquals(first.configurations.map((row) => row.runs.map(({ seed }) => seed)), [[0, 1], [0, 1]]);
    assertEquals(first.runs.map(({ state }) => state).sort(), [
      "broken",
      "finished",
      "finished",
      "interrupted",
      "interrupted",
    ]);
    assertEquals((await list()).runs, first.runs);
    assertEquals([...Deno.readDirSync(runs)].filter(({ isFile }) => isFile), []);
    {
      const index = kept;
      assertEquals(index.runs({ fusion: "sum", state: ["finished", "failed"] }).length, 1);
      assertEquals(index.runs({}, { by: "testAccuracy", descending: true })[0].state, "finished");
      assertThrows(() => index.runs({}, { by: "x; drop table runs" as "id" }), Refusal, "Cannot sort runs by");
      const [own] = index.runs({ state: "finished" });
      assertEquals(index.run(own.id)?.summary?.test.accuracy, 0.5);
      assertEquals(index.run("nope"), null);
    }
    await Deno.remove(join(runs, first.runs.find(({ seed }) => seed === 1)!.id), { recursive: true });
    assertEquals((await list()).refreshed.removed, 1);
    assertEquals(inspectRun(runs, "gone", await liveContext(runs)).state, "broken");
  }));
