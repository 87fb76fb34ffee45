/** What is damaged or hostile in a runs folder: every error says how to mend it, and the remedy works. */
import { assert, assertEquals, assertInstanceOf, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { join } from "node:path";
import {
  appendLine,
  checkClaim,
  claimRun,
  inspectRun,
  isClaim,
  isRunId,
  joinRuns,
  liveContext,
  nobody,
  openIndex,
  openRun,
  prepareRuns,
  type RunFolder,
  runId,
  runNames,
  sourceId,
  StoreError,
  Watch,
  writeAtomic,
  writeSafetensors,
} from "../../store/mod.ts";
import { canonicalJson } from "../../core/canonical.ts";
import { Refusal } from "../../core/refusal.ts";
import { inFolder } from "../helpers/cli.ts";
import { configOf, epochOf, writeRun } from "../helpers/runs.ts";
import { until } from "../helpers/until.ts";

const config = configOf({});
const id = runId(config);
const tensor = { w: { data: Float32Array.from([1, 2]), shape: [2], dtype: "float32" as const } };

/** A run that was finished by the store itself. */
async function finished(runs: string): Promise<RunFolder> {
  const figures = join(runs, "figures");
  writeRun(figures, {});
  const [summary, timing] = [(await openRun(figures, id).summary())!, await openRun(figures, id).timing()];
  await Deno.remove(figures, { recursive: true });
  const folder = openRun(runs, id);
  await folder.create(config);
  for (const epoch of [0, 1, 2, 3]) await folder.appendEpoch(epochOf({}, epoch));
  await folder.finish(summary, timing, { params: tensor, buffers: {} });
  return folder;
}

Deno.test("a run's folder appears as a whole, with its configuration and where it stands", () =>
  inFolder(async (runs) => {
    const folder = openRun(runs, id);
    await using member = await joinRuns(runs);
    assert(isClaim(await claimRun(member, id, new Watch(runs))));
    const progress = {
      epoch: -1,
      epochs: 4,
      samplesDrawn: 0,
      samplesBudget: 0,
      samplesPerSecond: 0,
      validationAccuracy: null,
      pid: Deno.pid,
      updatedAt: new Date().toISOString(),
    };
    const seen = new Set<string>();
    let done = false;
    const watching = (async () => {
      while (!done) {
        const context = await liveContext(runs);
        for (const { name } of Deno.readDirSync(runs)) {
          if (/^[0-9a-f]{16}$/.test(name)) seen.add(inspectRun(runs, name, context).state);
        }
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
    })();
    await folder.create(config, progress);
    await until("a look at the run", () => seen.size > 0);
    done = true;
    await watching;
    assertEquals([...seen], ["running"]);
    assertEquals(JSON.parse(Deno.readTextFileSync(folder.file("progress"))), progress);
    const names = () => [...Deno.readDirSync(runs)].map(({ name }) => name).sort();
    assertEquals(names(), [".claims", ".members", id]);
    // What a kill left under the temporary name is in nobody's way.
    await Deno.remove(folder.path, { recursive: true });
    await Deno.mkdir(join(runs, `.${id}.tmp`, "deeper"), { recursive: true });
    await folder.create(config);
    assertEquals((await folder.config())?.seed, config.seed);
    assertEquals(names(), [".claims", ".members", id]);
  }));

Deno.test("a run whose runs folder is gone is not made anew somewhere", () =>
  inFolder(async (runs) => {
    const gone = join(runs, "gone");
    await assertRejects(() => openRun(gone, id).create(config), StoreError, "nothing is there");
    await assertRejects(() =>
      openRun(gone, id).fail({
        message: "x",
        epoch: null,
        step: null,
        term: null,
        checkpointEpoch: null,
        command: "",
        at: "",
      }), StoreError);
    assertEquals([...Deno.readDirSync(runs)], []);
  }));

/** Damages a file and says what reading it then says. */
async function damaged(path: string, read: () => Promise<unknown>, text = ""): Promise<StoreError> {
  await Deno.writeTextFile(path, text);
  const error = await read().then(() => null, (thrown) => thrown);
  assertInstanceOf(error, StoreError);
  assertEquals(error.code, "corrupt");
  return error;
}

Deno.test("every damaged file of a run says how to mend it, and removing it does", () =>
  inFolder(async (runs) => {
    const folder = await finished(runs);
    const summary = await damaged(folder.file("summary"), () => folder.summary());
    assertStringIncludes(summary.message, "remove it and run the same bench again, which trains the run anew");
    await Deno.remove(folder.file("summary"));
    assertEquals(await folder.summary(), null);

    const model = await damaged(folder.file("model"), () => folder.model(), "damaged");
    assertStringIncludes(model.message, "remove it and run the same bench again, which trains the run anew");
    assert(await folder.hasModel());
    await Deno.remove(folder.file("model"));
    assertEquals(await folder.model(), null);
    assert(!await folder.hasModel());

    const timing = await damaged(folder.file("timing"), () => folder.timing());
    assertStringIncludes(timing.message, "remove summary.json beside it and run the same bench again");

    const kept = await damaged(folder.file("config"), () => folder.create(config), "{");
    assertStringIncludes(kept.message, "remove it and run the same bench again, which writes it anew");
    assertEquals(inspectRun(runs, id, nobody).state, "broken");
    await Deno.remove(folder.file("config"));
    await folder.create(config);
    assertEquals(runId((await folder.config())!), id);

    await folder.saveCheckpoint(tensor, { checkpoint: { epochs: 2 } });
    const whole = await Deno.readFile(folder.file("checkpoint"));
    const checkpoint = await damaged(folder.file("checkpoint"), () => folder.loadCheckpoint(), "damaged");
    assertStringIncludes(checkpoint.message, "or remove it to start anew");
    await Deno.remove(folder.file("checkpoint"));
    assertEquals(await folder.loadCheckpoint(), null);

    await Deno.writeFile(folder.file("checkpoint"), whole);
    const metrics = await damaged(folder.file("metrics"), () => folder.truncateEpochs(2), "{}\n{}\n");
    assertStringIncludes(metrics.message, "remove checkpoint.safetensors beside it to start anew");
    await Deno.remove(folder.file("checkpoint"));
    await folder.truncateEpochs(0);
    assertEquals(await folder.epochs(), []);
  }));

Deno.test("a checkpoint, a summary and a model of another run are refused", () =>
  inFolder(async (runs) => {
    const folder = await finished(runs);
    const other = configOf({ seed: 5 });
    const another = openRun(runs, runId(other));
    await another.create(other);
    for (const kind of ["summary", "model"] as const) await Deno.copyFile(folder.file(kind), another.file(kind));
    await assertRejects(() => another.summary(), StoreError, `must be of run ${another.id}: found one of run "${id}"`);
    await assertRejects(() => another.model(), StoreError, `must be of run ${another.id}`);
    assertEquals(inspectRun(runs, another.id, nobody).state, "broken");
    await folder.saveCheckpoint(tensor, {});
    await Deno.copyFile(folder.file("checkpoint"), another.file("checkpoint"));
    await assertRejects(() => another.loadCheckpoint(), StoreError, `must be of run ${another.id}`);
    // A configuration in the folder of another run.
    await Deno.copyFile(folder.file("config"), another.file("config"));
    await assertRejects(() => another.create(other), StoreError, "move the folder away");
    await Deno.rename(another.path, join(runs, "away"));
    await another.create(other);
    assertEquals((await another.config())?.seed, 5);
  }));

Deno.test("finish() writes the summary last, and leaves nothing that a finished run does not keep", () =>
  inFolder(async (runs) => {
    const folder = await finished(runs);
    const times = ["model", "timing", "summary"] as const;
    const written = times.map((kind) => Deno.statSync(folder.file(kind)).mtime!.getTime());
    assert(written[0] <= written[1] && written[1] <= written[2]);
    // A kill between the summary and the rest.
    await folder.saveCheckpoint(tensor, {});
    await Deno.writeTextFile(folder.file("failure"), "{}");
    await Deno.writeTextFile(folder.file("progress"), "{}");
    await folder.tidy();
    const names = [...Deno.readDirSync(folder.path)].map(({ name }) => name).sort();
    assertEquals(names, ["config.json", "metrics.jsonl", "model.safetensors", "summary.json", "timing.json"]);
    await folder.reopen();
    assertEquals(await folder.summary(), null);
  }));

Deno.test("a summary cannot be written before the timing: a full disk between the two leaves an unfinished run", () =>
  inFolder(async (runs) => {
    const folder = await finished(runs);
    const [summary, timing] = [(await folder.summary())!, await folder.timing()];
    await folder.reopen();
    // A folder of that name stands in the way of the timing.
    await Deno.mkdir(join(folder.file("timing"), "in the way"), { recursive: true });
    await assertRejects(() => folder.finish(summary, timing, { params: tensor, buffers: {} }), StoreError);
    assertEquals(await folder.summary(), null);
  }));

Deno.test("fail() says nothing beside a summary", () =>
  inFolder(async (runs) => {
    const folder = await finished(runs);
    const failure = {
      message: "x",
      epoch: 0,
      step: null,
      term: null,
      checkpointEpoch: null,
      command: "",
      at: new Date().toISOString(),
    };
    await folder.fail(failure);
    assert(![...Deno.readDirSync(folder.path)].some(({ name }) => name === "failure.json"));
    await folder.reopen();
    await folder.fail(failure);
    assertEquals(inspectRun(runs, id, nobody).state, "failed");
    await folder.forgetFailure();
    assertEquals(inspectRun(runs, id, nobody).state, "interrupted");
  }));

Deno.test("a run of an older version is shown as such, by the name that it was given then", () =>
  inFolder(async (runs) => {
    const old = { ...config, format: 1 as const, plugins: ["file:///somewhere/plugin.ts"] };
    const name = runId(old);
    assert(name !== id);
    // Format 1 counted the places of plugins, format 2 does not.
    assert(runId({ ...old, plugins: [] }) !== name);
    assertEquals(runId({ ...config, plugins: ["file:///elsewhere.ts"] }), id);
    assert(runId({ ...config, code: { "fusion own": "abc" } }) !== id);
    assertEquals(sourceId({ ...config, code: { "fusion own": "abc" } }), sourceId(config));
    assertEquals(
      sourceId({ ...config, dataset: { ...config.dataset, fingerprint: "other" } }),
      sourceId(config),
    );
    assert(sourceId({ ...config, seed: 9 }) !== sourceId(config));
    Deno.mkdirSync(join(runs, name));
    Deno.writeTextFileSync(join(runs, name, "config.json"), canonicalJson(old));
    const report = inspectRun(runs, name, nobody);
    assertEquals([report.state, report.older, report.config?.format], ["interrupted", true, 1]);
    writeRun(runs, {});
    assertEquals(inspectRun(runs, id, nobody).older, false);
    using index = openIndex(runs);
    await index.refresh();
    assertEquals(Object.fromEntries(index.runs().map((row) => [row.id, row.older])), { [name]: 1, [id]: 0 });
  }));

// ------------------------------------------------------------------------------------------------------- hostile folders

async function fifo(path: string): Promise<void> {
  const { code } = await new Deno.Command("mkfifo", { args: [path] }).output();
  assertEquals(code, 0);
}

Deno.test({
  name: "pipes and links in the place of files are neither opened nor written",
  ignore: Deno.build.os === "windows",
  fn: () =>
    inFolder(async (runs) => {
      const folder = openRun(runs, id);
      await folder.create(config);
      const victim = join(runs, "victim.txt");
      await Deno.writeTextFile(victim, "untouched");
      const odd = async (make: (path: string) => Promise<void>, found: string) => {
        await make(join(runs, ".members"));
        await assertRejects(() => joinRuns(runs), StoreError, "it must be a folder: it is none; move it away");
        await Deno.remove(join(runs, ".members"));
        for (const kind of ["metrics", "log"] as const) {
          const path = folder.file(kind);
          await make(path);
          const write = kind === "metrics" ? folder.appendEpoch(epochOf({}, 0)) : folder.log("a line");
          await assertRejects(() => write, StoreError, `found ${found}`);
          await Deno.remove(path);
        }
        // Where a temporary file is written, what lies there is removed and not followed.
        await make(join(folder.path, ".progress.json.tmp"));
        await writeAtomic(folder.file("progress"), "{}");
        assertEquals(Deno.readTextFileSync(folder.file("progress")), "{}");
        assertEquals(Deno.readTextFileSync(victim), "untouched");
      };
      await odd((path) => Deno.symlink(victim, path), "a symbolic link");
      await odd(fifo, "a special file");
      await fifo(join(runs, "target"));
      await assertRejects(() => writeAtomic(join(runs, "target"), "x"), StoreError, "found a special file");
      await assertRejects(() => appendLine(join(runs, "target"), "x"), StoreError);
    }),
});

Deno.test("names and files of any size are bounded", () =>
  inFolder(async (runs) => {
    const long = configOf({ fusion: "x".repeat(201) });
    const name = runId(long);
    await Deno.mkdir(join(runs, name));
    await Deno.writeTextFile(join(runs, name, "config.json"), canonicalJson(long));
    const report = inspectRun(runs, name, nobody);
    assertEquals(report.state, "broken");
    assert(report.reason!.length < 1000);
    await Deno.writeTextFile(join(runs, name, "config.json"), " ".repeat(5 * 1024 * 1024));
    assertStringIncludes(inspectRun(runs, name, nobody).reason!, "must hold at most");
  }));

Deno.test("checkClaim() notices that the runs folder was removed or made anew", () =>
  inFolder(async (folder) => {
    const runs = join(folder, "runs");
    await using member = await joinRuns(runs);
    const claim = await claimRun(member, id, new Watch(runs));
    assert(isClaim(claim));
    checkClaim(claim);
    await Deno.remove(runs, { recursive: true });
    assertThrows(() => checkClaim(claim), StoreError, "it is not; somebody removed the runs folder");
    await assertRejects(() => claimRun(member, id, new Watch(runs)), StoreError, "somebody removed the runs folder");
    await using other = await joinRuns(runs);
    const anew = await claimRun(other, id, new Watch(runs));
    assert(isClaim(anew));
    assertThrows(() => checkClaim(claim), StoreError, "it is not; somebody removed the runs folder");
    checkClaim(anew);
  }));

Deno.test("prepareRuns() of several processes at once gives no false error and leaves nothing", () =>
  inFolder(async (folder) => {
    const runs = join(folder, "runs");
    await Promise.all(Array.from({ length: 40 }, () => prepareRuns(runs)));
    assertEquals([...Deno.readDirSync(runs)], []);
  }));

Deno.test("writeAtomic() flushes before it renames, and leaves the old content where it fails", () =>
  inFolder(async (folder) => {
    const path = join(folder, "file");
    await writeAtomic(path, "old");
    const calls: string[] = [];
    const [open, rename] = [Deno.open, Deno.rename];
    Deno.open = async (...args) => {
      const file = await open(...args);
      const [sync, write] = [file.sync.bind(file), file.write.bind(file)];
      file.sync = () => (calls.push(`sync ${String(args[0]).slice(folder.length)}`), sync());
      file.write = (bytes) => (calls.push("write"), write(bytes));
      return file;
    };
    Deno.rename = (from, to) => (calls.push("rename"), rename(from, to));
    try {
      await writeAtomic(path, "new");
      assertEquals(calls, ["write", "sync /.file.tmp", "rename", "sync "]);
      Deno.rename = () => Promise.reject(new Deno.errors.PermissionDenied("no"));
      await assertRejects(() => writeAtomic(path, "never"));
    } finally {
      [Deno.open, Deno.rename] = [open, rename];
    }
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["file"]);
    assertEquals(await Deno.readTextFile(path), "new");
  }));

Deno.test("appendLine() flushes its line", () =>
  inFolder(async (folder) => {
    const calls: string[] = [];
    const open = Deno.open;
    Deno.open = async (...args) => {
      const file = await open(...args);
      const sync = file.sync.bind(file);
      file.sync = () => (calls.push("sync"), sync());
      return file;
    };
    try {
      await appendLine(join(folder, "lines"), "a");
      await appendLine(join(folder, "lines"), "b");
    } finally {
      Deno.open = open;
    }
    assertEquals(await Deno.readTextFile(join(folder, "lines")), "a\nb\n");
    assertEquals(calls, ["sync", "sync"]);
  }));

Deno.test("a line has no line end; a run's name is 16 hexadecimal digits", () =>
  inFolder(async (folder) => {
    const refusal = await appendLine(join(folder, "lines"), "a\nb").catch((error) => error);
    assertStringIncludes(refusal.message, "a line must hold no line end");
    assert(isRunId("0123456789abcdef"));
    for (const text of ["0123456789abcdeg", "0123456789ABCDEF", "0123456789abcde", "0123456789abcdef0"]) {
      assert(!isRunId(text));
    }
    assertThrows(() => openRun(folder, "x".repeat(16)), Refusal, "its id must be 16 hexadecimal digits");
  }));

Deno.test("records of another epoch and models that do not list their buffers are damaged", () =>
  inFolder(async (runs) => {
    const folder = await finished(runs);
    await Deno.writeTextFile(folder.file("metrics"), `${canonicalJson(epochOf({}, 3))}\n`);
    await assertRejects(() => folder.epochs(), StoreError, "it must be of epoch 0: found 3");
    await folder.truncateEpochs(0);
    assertEquals([...Deno.readDirSync(folder.path)].some(({ name }) => name === "metrics.jsonl"), false);
    await writeSafetensors(folder.file("model"), tensor, { format: "1", run: id });
    await assertRejects(() => folder.model(), StoreError, "it must be of run");
  }));

Deno.test("a folder whose name is not that of its configuration is broken; hidden folders are no runs", () =>
  inFolder(async (runs) => {
    writeRun(runs, {});
    await Deno.mkdir(join(runs, ".hidden"));
    assertEquals(runNames(runs), [id]);
    const other = "0123456789abcdef";
    await Deno.rename(join(runs, id), join(runs, other));
    const report = inspectRun(runs, other, nobody);
    assertEquals(report.state, "broken");
    assertStringIncludes(report.reason!, `its name must be the id of its config.json, ${id}`);
  }));

Deno.test("the index takes in what changed in a finished run, and forgets what is gone", () =>
  inFolder(async (runs) => {
    writeRun(runs, {});
    writeRun(runs, { seed: 1 });
    using index = openIndex(runs);
    await index.refresh();
    assertEquals(index.runs().length, 2);
    const path = join(runs, id, "summary.json");
    const summary = JSON.parse(await Deno.readTextFile(path));
    await Deno.writeTextFile(path, JSON.stringify({ ...summary, parameters: 7 }));
    await index.refresh();
    assertEquals(index.run(id)?.parameters, 7);
    await Deno.remove(join(runs, id), { recursive: true });
    assertEquals((await index.refresh()).removed, 1);
    assertEquals(index.runs().map(({ seed }) => seed), [1]);
  }));
