import { join } from "node:path";
import { existsSync } from "node:fs";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { readFeatures } from "../../store/features.ts";
import { readPredictions } from "../../store/predictions.ts";
import { armlab, heard, inFolder, startWith } from "../helpers/cli.ts";
import { until } from "../helpers/until.ts";

const one = ["--set", "dataset.size=mini", "--encoder", "mlp", "--seeds", "1"];
const small = [...one, "--compare", "none,arm", "--epochs", "4"];

/** Contents of all result files by path, without wall-clock files. */
async function results(runs: string): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const { name, isDirectory } of Deno.readDirSync(runs)) {
    if (!isDirectory || name === "experiments" || name.startsWith(".")) continue;
    for (
      const file of [
        "config.json",
        "metrics.jsonl",
        "valuation.jsonl",
        "summary.json",
        "model.safetensors",
        "predictions-validation.safetensors",
        "predictions-test.safetensors",
      ]
    ) {
      const bytes = await Deno.readFile(join(runs, name, file));
      files[`${name}/${file}`] = [...new Uint8Array(await crypto.subtle.digest("SHA-256", bytes))].join();
    }
  }
  return files;
}

Deno.test("bench trains, prints a table and JSON, reuses finished runs; equal seeds give equal bytes", () =>
  inFolder(async (folder) => {
    const [one, two] = [join(folder, "one"), join(folder, "two")];
    const first = await armlab("bench", ...small, "--runs", one);
    assertEquals(first.code, 0, first.err);
    assertStringIncludes(first.out, "test acc. %");
    assertStringIncludes(
      first.out,
      "Budget: equal samples drawn, 4 x the training set. Selected on validation, test read once.",
    );
    const again = await armlab("bench", ...small, "--runs", one, "--json");
    const lines = again.out.trim().split("\n").map((line) => JSON.parse(line));
    assertEquals(lines.map(({ method }) => method), ["none", "arm"]);
    for (const line of lines) {
      for (
        const key of [
          "dataset",
          "fusion",
          "method",
          "encoders",
          "seeds",
          "testAccuracy",
          "perModality",
          "contributionGap",
          "samplesDrawn",
          "seconds",
          "runs",
        ]
      ) {
        assert(key in line, key);
      }
      assertEquals(line.samplesDrawn, 4000);
      assertEquals(Object.keys(line.testAccuracy).sort(), ["ci95", "mean", "std"]);
    }
    assertEquals(lines.map(({ versus }) => versus?.reference ?? null), [null, "concat"]);
    assertEquals(lines[1].versus.verdict, "untested"); // one seed
    // What was asked is kept, before the first run and once for each name.
    const kept = JSON.parse(
      await Deno.readTextFile(join(one, "experiments", "av-digits-concat-arm-dataset.size=mini-epochs=4.json")),
    );
    assertEquals(kept.rows.map(({ label, runs }: { label: string; runs: { id: string }[] }) => [label, runs[0].id]), [
      ["concat", lines[0].runs[0]],
      ["concat arm", lines[1].runs[0]],
    ]);
    assertEquals([kept.reference, kept.question, kept.seeds], ["concat", null, [0]]);
    const named = await armlab(
      "bench",
      ...small,
      "--runs",
      one,
      "--name",
      "mine",
      "--reference",
      "concat arm",
      "--json",
    );
    const [first_] = named.out.trim().split("\n").map((line) => JSON.parse(line));
    assertEquals(first_.versus.reference, "concat arm");
    assertEquals(JSON.parse(await Deno.readTextFile(join(one, "experiments", "mine.json"))).reference, "concat arm");
    const wrong = await armlab("bench", ...small, "--runs", one, "--reference", "concta");
    assertEquals(wrong.code, 2);
    assertStringIncludes(wrong.err, 'Cannot compare with "concta" as it must be the label of a row');
    // Features of finished runs are kept without training them again.
    const reused = await armlab("bench", ...small, "--runs", one, "--keep", "features");
    assertStringIncludes(reused.err, "kept from an earlier run");
    for (const { runs: [id] } of lines) {
      const features = (await readFeatures(join(one, id, "features-test.safetensors"), id))!;
      const predictions = (await readPredictions(join(one, id, "predictions-test.safetensors"), id, "test"))!;
      assertEquals(features.labels, predictions.labels);
      assertEquals(Object.keys(features.pooled), ["audio", "image"]);
      assert(new Set(features.fused).size > features.labels.length);
    }
    const odd = await armlab("bench", ...small, "--runs", one, "--keep", "everything");
    assertEquals(odd.code, 2);
    assertStringIncludes(odd.err, "--keep");
    assertEquals((await armlab("bench", ...small, "--runs", two)).code, 0);
    assertEquals(await results(two), await results(one));
  }));

const helper = new URL("../helpers/held.ts", import.meta.url).pathname;

/** Twelve epochs of two rows, whose training waits where a test says so. */
const long = [...one, "--compare", "held,arm+held", "--plugin", helper, "--epochs", "12"];

/** A bench that waits at a place: with it, so that the test meets it there; what releases it. */
async function heldAt(folder: string, place: string, ...args: string[]) {
  const file = join(folder, "hold");
  await Deno.writeTextFile(file, place);
  const child = startWith({ ARMLAB_TEST_HOLD: file, TMPDIR: folder }, "bench", ...args);
  const bench = heard(child);
  await until(`${place} of a bench`, () => existsSync(`${file}.reached`), child);
  const release = async () => {
    await Deno.remove(file);
    await Deno.remove(`${file}.reached`);
  };
  return { child, bench, release };
}

/** Results of `long` by a bench that nobody stops: one for all tests that stop it. */
let undisturbed: Promise<Record<string, string>> | null = null;
function whole(): Promise<Record<string, string>> {
  undisturbed ??= (async () => {
    let found: Record<string, string> = {};
    await inFolder(async (folder) => {
      assertEquals((await armlab("bench", ...long, "--runs", folder)).code, 0);
      found = await results(folder);
    });
    return found;
  })();
  return undisturbed;
}

/** Folders of runs that are finished. */
function finished(runs: string): string[] {
  return [...Deno.readDirSync(runs)].filter(({ isDirectory, name }) => {
    if (!isDirectory) return false;
    return [...Deno.readDirSync(join(runs, name))].some((file) => file.name === "summary.json");
  }).map(({ name }) => name);
}

const exits = { SIGKILL: 137, SIGTERM: 75, SIGUSR2: 75, SIGINT: 130 } as const;

/** Has a bench stopped by a signal as its second epoch begins. */
async function stopped(folder: string, signal: keyof typeof exits, ...args: string[]): Promise<void> {
  const { child, bench, release } = await heldAt(folder, "epoch 1", ...args);
  child.kill(signal);
  // Who hears the signal goes on once it has: nothing else waits for it.
  if (signal !== "SIGKILL") {
    await until("a word on the signal", () => bench.err.includes("Stopping at the next step"), child);
    await release();
  }
  const { code, err } = await bench.ended;
  assertEquals(code, exits[signal], err);
  if (signal === "SIGKILL") await release();
  else assertStringIncludes(err, "Run the same command again to continue");
}

for (const signal of ["SIGKILL", "SIGTERM", "SIGINT"] as const) {
  Deno.test(`bench killed by ${signal} and started again ends with the same bytes as one that was not`, () =>
    inFolder(async (folder) => {
      const runs = join(folder, "runs");
      await stopped(folder, signal, ...long, "--runs", runs);
      assertEquals(finished(runs), []);
      const rest = await armlab("bench", ...long, "--runs", runs);
      assertEquals(rest.code, 0, rest.err);
      assertStringIncludes(rest.err, "resumed");
      assertEquals(await results(runs), await whole());
    }));
}

Deno.test("bench killed again and again in the middle of epochs loses at most its interval, and ends with the same bytes", () =>
  inFolder(async (folder) => {
    const runs = join(folder, "runs");
    const often = [...long, "--checkpoint-every", "3", "--workers", "1", "--runs", runs];
    /** Steps that each process makes before it is killed: in epochs 1 and 3 of the first row and 3 of the second. */
    const kills = [5, 33, 200];
    for (const steps of kills) {
      const { child, bench, release } = await heldAt(folder, `step ${steps}`, ...often);
      child.kill("SIGKILL");
      assertEquals((await bench.ended).code, exits.SIGKILL);
      await release();
    }
    const rest = await armlab("bench", ...often);
    assertEquals(rest.code, 0, rest.err);
    const logs = await Promise.all(finished(runs).map((name) => Deno.readTextFile(join(runs, name, "log.txt"))));
    const [[last], [first, second]] = logs.map((log) =>
      [...log.matchAll(/resumed from its checkpoint \(in epoch \d+, after step (\d+)\)/g)].map(([, step]) =>
        Number(step)
      )
    ).sort((a, b) => a.length - b.length);
    // Where each was killed, in steps of its row of 192, and where the next took it up.
    const [took, killedAt] = [[first, second, last], [kills[0], first + kills[1], kills[2] - (192 - second)]];
    took.forEach((step, i) =>
      assert(step > 0 && step <= killedAt[i] && killedAt[i] - step <= 3, `${took} ${killedAt}`)
    );
    assertEquals(await results(runs), await whole());
  }));

Deno.test("after SIGUSR2, checkpoints with a flipped bit or a lost end fail their cell alone, and the remedy works", () =>
  inFolder(async (folder) => {
    const runs = join(folder, "runs");
    await stopped(folder, "SIGUSR2", ...long, "--workers", "1", "--runs", runs);
    const path = [...Deno.readDirSync(runs)].filter(({ isDirectory }) => isDirectory)
      .map(({ name }) => join(runs, name, "checkpoint.safetensors")).find((file) => existsSync(file))!;
    const intact = await Deno.readFile(path);
    const bytes = intact.slice();
    bytes[bytes.length - 1000] ^= 4;
    await Deno.writeFile(path, bytes);
    const flipped = await armlab("bench", ...long, "--runs", runs);
    assertEquals(flipped.code, 1);
    assertStringIncludes(flipped.err, "its bytes must have the digest");
    assertStringIncludes(flipped.err, "or remove it to start anew");
    assertEquals(finished(runs).length, 1);
    const { length: size } = intact;
    await Deno.writeFile(path, intact.subarray(0, size - 5));
    const { code, err } = await armlab("bench", ...long, "--runs", runs);
    assertEquals(code, 1);
    assertStringIncludes(err, `as it must hold ${size} bytes: found ${size - 5}`);
    assertEquals((await Deno.stat(path)).size, size - 5);
    await Deno.remove(path);
    assertEquals((await armlab("bench", ...long, "--runs", runs)).code, 0);
    assertEquals(await results(runs), await whole());
  }));

Deno.test("a failing cell is listed with its cause and a command that repeats it; the others go on", () =>
  inFolder(async (folder) => {
    const plugin = join(folder, "poison.ts");
    await Deno.writeTextFile(
      plugin,
      `import * as tf from "@tensorflow/tfjs";
       import { defineMethod } from ${JSON.stringify(new URL("../../mod.ts", import.meta.url).href)};
       export const poison = defineMethod({
         name: "poison", about: "diverges in its second epoch", options: {},
         create: () => ({ name: "poison", loss: (step) => ({ bad: tf.log(tf.sub(1, step.scope.control("epoch"))) }) }),
       });`,
    );
    const args = [...small, "--method", "poison", "--plugin", plugin, "--runs", join(folder, "runs")];
    const { code, out, err } = await armlab("bench", ...args);
    assertEquals(code, 1, err);
    assertStringIncludes(err, 'every loss term must be finite: "loss/bad" is -Infinity in epoch 2, step 16');
    assertStringIncludes(err, "[last good checkpoint: epoch 1]");
    assertStringIncludes(err, '--only "concat poison#0"');
    assertStringIncludes(out, "concat arm");
    const failure = [...Deno.readDirSync(join(folder, "runs"))].map(({ name }) => {
      try {
        return JSON.parse(Deno.readTextFileSync(join(folder, "runs", name, "failure.json")));
      } catch {
        return null;
      }
    }).find((value) => value !== null);
    assertEquals([failure.epoch, failure.term, failure.checkpointEpoch], [1, "loss/bad", 0]);
  }));

Deno.test("a second process on the same runs folder leaves cells to who trains them, and says who does", () =>
  inFolder(async (folder) => {
    const runs = join(folder, "runs");
    const { child, bench, release } = await heldAt(folder, "epoch 1", ...long, "--runs", runs);
    const other = await armlab("bench", ...long, "--runs", runs, "--only", "concat held#0", "--shard", "1/1");
    assertEquals(other.code, 0, other.err);
    const where = `process ${child.pid} on ${Deno.hostname()}`;
    assertStringIncludes(other.err, `elsewhere concat held, seed 0: trained by ${where}`);
    assertStringIncludes(other.out, "Shard 1 of 1, 1 of 1 cells: 1 elsewhere.");
    child.kill("SIGKILL");
    assertEquals((await bench.ended).code, exits.SIGKILL);
    await release();
  }));

Deno.test("a plugin of one file takes part by one option", () =>
  inFolder(async (folder) => {
    const plugin = new URL("../../examples/weighted_sum.ts", import.meta.url).pathname;
    const { code, out, err } = await armlab(
      "bench",
      ...small,
      "--fusion",
      "weighted-sum",
      "--method",
      "uni-ce",
      "--plugin",
      plugin,
      "--runs",
      join(folder, "runs"),
      "--json",
    );
    assertEquals(code, 0, err);
    assertEquals(out.trim().split("\n").map((line) => JSON.parse(line).fusion), [
      "weighted-sum",
      "weighted-sum",
      "weighted-sum",
    ]);
    assertStringIncludes((await armlab("describe", "weighted-sum", "--plugin", plugin)).out, "learned weight");
  }));
