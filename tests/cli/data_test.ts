import { join } from "node:path";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { float32, int32 } from "../../core/mod.ts";
import { Random } from "../../core/random.ts";
import { encodeNpy } from "../../formats/mod.ts";
import { encoderFor } from "../../cli/data_source.ts";
import { createLibrary } from "../../library.ts";
import { armlab, inFolder, said } from "../helpers/cli.ts";

const example = new URL("../../datasets/data/example.csv", import.meta.url).pathname;

/** A copy of the example, so that its dataset.json is written beside the copy. */
async function copied(folder: string): Promise<string> {
  const path = join(folder, "example.csv");
  await Deno.copyFile(example, path);
  return path;
}

const bench = (path: string, runs: string, ...more: string[]) =>
  armlab(
    ...["bench", "--data", path, "--runs", runs, "--seeds", "1", "--epochs", "1", "--workers", "1", "--engine", "cpu"],
    ...more,
  );

Deno.test("bench --data: from a table to a compared table in one command; dataset.json is kept, changed data trains anew", async () => {
  await inFolder(async (folder) => {
    const path = await copied(folder);
    const runs = join(folder, "runs");
    const first = await bench(path, runs, "--compare", "none,uni-ce");
    assertEquals(first.code, 0, first.err);
    for (
      const text of [
        "audio   vector [3]  example.csv#audio*",
        "8 of 96 samples lack it",
        "labels  4 classes   example.csv#label   ant, bee, cat, dog",
        "train 72, validation 8, test 16",
        "Note: split 0.7 : 0.1 : 0.2 by seed 0, classes in equal shares, groups and copies together.",
        "Encoders by what fits: audio mlp, image mlp",
        "Guessed, and written to",
        "concat uni-ce",
      ]
    ) assertStringIncludes(first.out, text);
    const kept = join(folder, "example.dataset.json");
    assertEquals(JSON.parse(await Deno.readTextFile(kept)).format, 1);
    const again = await bench(path, runs, "--compare", "none,uni-ce");
    assertStringIncludes(again.out, `As ${kept} says.`);
    assertStringIncludes(again.out + again.err, "kept from an earlier run");
    // The same data elsewhere is the same run.
    const moved = join(folder, "moved.csv");
    await Deno.copyFile(path, moved);
    const elsewhere = await bench(moved, runs, "--compare", "none,uni-ce");
    assertStringIncludes(elsewhere.out + elsewhere.err, "kept from an earlier run");
    const text = await Deno.readTextFile(path);
    await Deno.writeTextFile(path, text.replace("s0,ant", "s0,dog"));
    const changed = await bench(path, runs, "--compare", "none,uni-ce");
    assertEquals(changed.code, 0, changed.err);
    assert(!(changed.out + changed.err).includes("kept from an earlier run"), changed.out);
  });
});

Deno.test("bench --data --json puts out the results alone; --impute reaches the fusion; --config repeats it", async () => {
  await inFolder(async (folder) => {
    const path = await copied(folder);
    const runs = join(folder, "runs");
    const { code, out, err } = await bench(path, runs, "--impute", "mean", "--json", "--encoder", "mlp");
    assertEquals(code, 0, err);
    assertEquals(JSON.parse(out).label, "concat");
    assertStringIncludes(err, "Data: ");
    const [id] = [...Deno.readDirSync(runs)].map(({ name }) => name).filter((name) => /^[0-9a-f]{16}$/.test(name));
    const config = JSON.parse(await Deno.readTextFile(join(runs, id, "config.json")));
    assertEquals(config.fusion.options.keepFill, "mean");
    assertEquals(config.dataset.options, { path, memory: 2048, readers: 2, skipBroken: false, tokenizers: "" });
    const repeated = await armlab(
      "bench",
      "--config",
      join(runs, id, "config.json"),
      "--runs",
      join(folder, "other"),
      "--engine",
      "cpu",
    );
    assertEquals(repeated.code, 0, repeated.err);
    assertEquals(
      await Deno.readTextFile(join(folder, "other", id, "summary.json")),
      await Deno.readTextFile(join(runs, id, "summary.json")),
    );
  });
});

Deno.test("bench --data refuses in one line: another dataset beside it, nothing there, what is no data", async () => {
  await inFolder(async (folder) => {
    const path = await copied(folder);
    const says = async (text: string, ...args: string[]) => {
      const { code, err } = await said("bench", ...args);
      assertEquals(code, 2, err);
      assertStringIncludes(err, text);
    };
    await says("there must be one dataset: --dataset synthetic is given too", "--data", path, "--dataset", "synthetic");
    await says("nothing is there", "--data", join(folder, "none"));
    await says("one of zero, mean", "--data", path, "--impute", "median");
    await Deno.writeTextFile(join(folder, "notes.csv"), "a,b\n1,2\n");
    await says("must be named labels", "--data", join(folder, "notes.csv"));
  });
});

Deno.test("every kind of input gets an encoder that takes it", () => {
  const library = createLibrary();
  const about = "x";
  const cases = [
    [{ shape: [7], dtype: "float32", about }, "mlp"],
    [{ shape: [5, 7], dtype: "float32", about }, "gru"],
    [{ shape: [8, 8, 3], dtype: "float32", about }, "cnn"],
    [{ shape: [6], dtype: "int32", vocabulary: 9, about }, "bert"],
  ] as const;
  for (const [info, name] of cases) {
    assertEquals(encoderFor(info).name, name);
    assertEquals(library.of("encoder").get(name).refuses(info, {}), null);
  }
});

Deno.test("armlab data info and verify: counts by class and split, what is missing, copies across splits", async () => {
  await inFolder(async (folder) => {
    const path = await copied(folder);
    const info = await said("data", "info", path);
    assertEquals(info.code, 0, info.err);
    for (
      const text of [
        "example: 4 classes",
        "image     [3]    float32  6 (8.3 %)",
        "train            72      36",
        "ant       18",
      ]
    ) {
      assertStringIncludes(info.out, text);
    }
    assertStringIncludes((await said("data", "verify", path)).out, "no copies across splits");
    const random = new Random(0);
    const draw = () => float32(Array.from({ length: 120 }, () => random.normal()), [60, 2]);
    const [a, labels] = [draw(), int32(Array.from({ length: 60 }, (_, n) => n % 2), [60])];
    (a.data as Float32Array).copyWithin(100, 0, 2);
    const own = join(folder, "own");
    await Deno.mkdir(own);
    await Deno.writeFile(join(own, "a.npy"), encodeNpy(a));
    await Deno.writeFile(join(own, "labels.npy"), encodeNpy(labels));
    await Deno.writeTextFile(
      join(own, "split.csv"),
      ["split", ...Array.from({ length: 60 }, (_, n) => n < 30 ? "train" : n < 45 ? "val" : "test")].join("\n"),
    );
    const verify = await said("data", "verify", own);
    assertEquals(verify.code, 1);
    assertStringIncludes(verify.out, "Problem: 1 samples are copies of one in another split: train 0 = test 5");
    const json = JSON.parse((await said("data", "verify", own, "--json")).out);
    assertEquals(json.findings[0].serious, true);
    const shown = await said("data", "preview", path, "--to", join(folder, "shown"), "--per-class", "2");
    assertEquals(shown.code, 0, shown.err);
    assertEquals((await Deno.readFile(join(folder, "shown", "preview.png"))).subarray(1, 4), Uint8Array.of(80, 78, 71));
    const page = await Deno.readTextFile(join(folder, "shown", "preview.html"));
    assert(!/(src|href)="(?!data:)/.test(page), "the page needs another file");
    assertEquals([...page.matchAll(/<section>/g)].length, 4);
    // Everything that cannot be read, not the first alone.
    const broken = draw();
    for (const n of [7, 9]) (broken.data as Float32Array)[2 * n] = Infinity;
    await Deno.writeFile(join(own, "a.npy"), encodeNpy(broken));
    const unread = await said("data", "verify", own);
    assertEquals(unread.code, 1, unread.err);
    for (const n of [7, 9]) {
      assertStringIncludes(unread.out, `Problem: sample row ${n} cannot be read: "a" has Infinity`);
    }
    // Registered datasets by name, with their options.
    const named = await said("data", "info", "synthetic", "--set", "dataset.samples=40", "--json");
    assertEquals(JSON.parse(named.out).splits.rows, [["train", 40, 40], ["validation", 10, 10], ["test", 20, 20]]);
    assertStringIncludes((await said("data", "look", path)).err, "it must be info, verify, preview or prepare");
    assertStringIncludes(
      (await said("data", "info", path, "--set", "dataset.seed=1")).err,
      "it is for registered datasets",
    );
    assertStringIncludes((await said("data", "info", join(folder, "none"))).err, "nothing is there");
    assertEquals((await said("data", "info")).code, 2);
  });
});
