import { join } from "node:path";
import { existsSync } from "node:fs";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Random } from "../../core/random.ts";
import { readFeatures } from "../../store/features.ts";
import { readPredictions } from "../../store/predictions.ts";
import { armlab, ended, inFolder, start } from "../helpers/cli.ts";

const small = [
  "--set",
  "dataset.size=mini",
  "--encoder",
  "mlp",
  "--compare",
  "none,arm",
  "--seeds",
  "1",
  "--epochs",
  "4",
];

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

/** Waits until a run has kept a checkpoint. */
async function checkpoint(runs: string): Promise<void> {
  for (let i = 0; i < 3000; i++) {
    try {
      for (const { name } of Deno.readDirSync(runs)) {
        try {
          await Deno.stat(join(runs, name, "checkpoint.safetensors"));
          return;
        } catch (error) {
          if (!(error instanceof Deno.errors.NotFound) && !(error instanceof Deno.errors.NotADirectory)) throw error;
        }
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("no checkpoint after a minute");
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

const long = [...small.slice(0, -1), "24"];

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

const exits = { SIGKILL: 137, SIGTERM: 75, SIGUSR1: 75, SIGINT: 130 } as const;
for (const signal of ["SIGKILL", "SIGTERM", "SIGINT"] as const) {
  Deno.test(`bench killed by ${signal} and started again ends with the same bytes as one that was not`, () =>
    inFolder(async (killed) => {
      const child = start("bench", ...long, "--runs", killed);
      await checkpoint(killed);
      child.kill(signal);
      const stopped = await ended(child);
      assertEquals(stopped.code, exits[signal], stopped.err);
      if (signal !== "SIGKILL") assertStringIncludes(stopped.err, "Run the same command again to continue");
      assert(finished(killed).length < 2, "the kill came too late to show anything");
      const rest = await armlab("bench", ...long, "--runs", killed);
      assertEquals(rest.code, 0, rest.err);
      assertStringIncludes(rest.err, "resumed");
      assertEquals(await results(killed), await whole());
    }));
}

Deno.test("bench killed again and again in the middle of epochs loses at most its interval, and ends with the same bytes", () =>
  inFolder(async (killed) => {
    const often = [...long, "--checkpoint-every", "3", "--workers", "1", "--runs", killed];
    const random = new Random(5);
    let logs = "";
    for (let kill = 0; kill < 4 && finished(killed).length < 2; kill++) {
      const child = start("bench", ...often);
      if (kill === 0) await checkpoint(killed);
      // Starting takes a second or more; what follows is somewhere in the training.
      await new Promise((resolve) => setTimeout(resolve, kill === 0 ? 0 : 1500 + 1000 * random.uniform()));
      child.kill("SIGKILL");
      await ended(child);
    }
    const rest = await armlab("bench", ...often);
    assertEquals(rest.code, 0, rest.err);
    for (const name of finished(killed)) logs += await Deno.readTextFile(join(killed, name, "log.txt"));
    assertMatch(logs, /resumed from its checkpoint \(in epoch \d+, after step \d+\)/);
    assertEquals(await results(killed), await whole());
  }));

Deno.test("after SIGUSR1, checkpoints with a flipped bit or a lost end fail their cell alone, and the remedy works", () =>
  inFolder(async (runs) => {
    const child = start("bench", ...long, "--workers", "1", "--runs", runs);
    await checkpoint(runs);
    child.kill("SIGUSR1");
    const stopped = await ended(child);
    assertEquals(stopped.code, exits.SIGUSR1, stopped.err);
    assertStringIncludes(stopped.err, "Run the same command again to continue");
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
    // Longer than the other process takes to start on any machine.
    const child = start("bench", ...small.slice(0, -1), "5000", "--runs", runs);
    await checkpoint(runs);
    const same = ["bench", ...small.slice(0, -1), "5000", "--runs", runs, "--only", "concat#0"];
    const other = await armlab(...same, "--shard", "1/1");
    assertEquals(other.code, 0, other.err);
    assertStringIncludes(other.err, `elsewhere concat, seed 0: trained by process ${child.pid} on ${Deno.hostname()}`);
    assertStringIncludes(other.out, "Shard 1 of 1, 1 of 1 cells: 1 elsewhere.");
    child.kill("SIGINT");
    assertEquals((await ended(child)).code, 130);
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
