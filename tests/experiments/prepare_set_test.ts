/** Sets are decoded into the same bytes, wherever the decoding was stopped and however many threads decode. */
import { join } from "node:path";
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { defineSet, type SetSample } from "../../core/mod.ts";
import { Refusal } from "../../core/refusal.ts";
import { files, listSet, preparedFindings, verifySet } from "../../datasets/mod.ts";
import { prepareSet, type PrepareSetOptions } from "../../experiments/prepare_set.ts";
import { createLibrary } from "../../library.ts";
import { inFolder } from "../helpers/cli.ts";
import { jpeg, put, tone } from "../helpers/sets.ts";

/** Pictures and recordings of one folder, named by class and number. */
const little = defineSet<Record<string, never>>({
  name: "little",
  title: "Little",
  about: "a test's",
  source: "a test",
  licence: "none",
  layout: ["media/a_0.jpg and media/a_0.wav"],
  classes: ["a", "b", "c"],
  modalities: {
    audio: { kind: "sound", rate: 8000, seconds: 0.05, bands: 4 },
    image: { kind: "picture", size: 4 },
  },
  official: {
    all: { about: "a test", splits: { train: { samples: 64, classes: [32, 32, 0] }, test: { samples: 16 } } },
  },
  options: {},
  async list(folder) {
    const names = await folder.media("media");
    const samples = [...names.keys()].filter((name) => name.endsWith(".jpg")).map((name): SetSample => {
      const id = name.slice(0, -4);
      const audio = names.has(`${id}.wav`) ? `media/${id}.wav` : "";
      const split = Number(id.slice(2)) < 32 ? "train" : "test";
      return { id, label: id[0], split, group: "", files: { audio, image: `media/${name}` } };
    });
    return { samples, official: "all" };
  },
});

/** Two classes of 40 samples. */
async function written(root: string): Promise<void> {
  for (const [c, name] of ["a", "b"].entries()) {
    for (let n = 0; n < 40; n++) {
      await jpeg(join(root, "media", `${name}_${n}.jpg`), 100 * c + n, 4);
      await tone(join(root, "media", `${name}_${n}.wav`), 500 + 900 * c + 20 * n, 400, 8000);
    }
  }
}

/** All that a folder holds, by name. */
async function bytesOf(folder: string): Promise<Record<string, Uint8Array>> {
  const entries = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
  return Object.fromEntries(
    await Promise.all(entries.map(async (name) => [name, await Deno.readFile(join(folder, name))])),
  );
}

const prepared = async (from: string, to: string, options?: PrepareSetOptions) =>
  await prepareSet(await listSet(little, from), to, options);

Deno.test("prepareSet(): the same bytes, stopped and gone on with, killed before its note, in threads or in none", async () => {
  await inFolder(async (folder) => {
    const from = join(folder, "from");
    await written(from);
    // What is broken shifts the rows behind it.
    await put(join(from, "media", "a_3.jpg"), "broken");
    const at = (name: string) => join(folder, name);
    const whole = await prepared(from, at("whole"), { readers: 2, skip: true });
    assertEquals([whole.finished, whole.samples, whole.before], [true, 79, 0]);
    const step = async (stopped: boolean) => {
      const stop = new AbortController();
      const onProgress = () => stopped && stop.abort();
      return await prepared(from, at("parts"), { readers: 0, skip: true, signal: stop.signal, onProgress });
    };
    const first = await step(true);
    assertEquals([first.finished, first.samples], [false, 31]);
    const note = await Deno.readFile(join(at("parts"), "prepare.json"));
    const second = await step(true);
    assertEquals([second.finished, second.samples, second.before], [false, 63, 32]);
    // Killed after the rows and before the note: they are written again.
    await Deno.writeFile(join(at("parts"), "prepare.json"), note);
    const third = await step(false);
    assertEquals([third.finished, third.samples, third.before], [true, 79, 32]);
    const last = await bytesOf(at("parts"));
    assertEquals(Object.keys(last), ["audio.npy", "dataset.json", "image.npy", "report.json", "samples.csv"]);
    assertEquals(last, await bytesOf(at("whole")));
    const report = JSON.parse(await Deno.readTextFile(join(at("whole"), "report.json")));
    assertEquals(report.broken.map(({ id }: { id: string }) => id), ["a_3"]);
    assertEquals(report.differing, ["train: all 63 of 64", "train: a 31 of 32"]);
    assertEquals(report.classesWithoutSamples, ["c"]);
  });
});

Deno.test("prepareSet(): samples that lack a modality are left out and listed, or kept with a mask", async () => {
  await inFolder(async (folder) => {
    const from = join(folder, "from");
    await written(from);
    for (const id of ["a_1", "b_35"]) await Deno.remove(join(from, "media", `${id}.wav`));
    const without = await prepared(from, join(folder, "without"));
    assertEquals([without.samples, without.missing.map(({ id }) => id)], [78, ["a_1", "b_35"]]);
    const kept = await prepared(from, join(folder, "kept"), { incomplete: true });
    assertEquals([kept.samples, kept.missing], [80, []]);
    const { splits, modalities } = await files.load({ path: join(folder, "kept") });
    assertEquals(Object.keys(modalities), ["audio", "image"]);
    assertEquals([...splits.test.present!].filter((there) => there === 0).length, 1);
    assertEquals(splits.test.size, 16);
  });
});

Deno.test("prepareSet() refuses links out of the folder, other folders and other options; a copy is found", async () => {
  await inFolder(async (folder) => {
    const [from, to] = [join(folder, "from"), join(folder, "to")];
    await written(from);
    const says = async (text: string) => {
      const { message } = await assertRejects(() => prepared(from, to), Refusal);
      assertStringIncludes(message, text);
    };
    const stop = new AbortController();
    await prepared(from, to, { signal: stop.signal, onProgress: () => stop.abort() });
    await assertRejects(
      async () => await prepareSet(await listSet(little, from, {}, { image: { size: 2 } }), to),
      Refusal,
      "it was begun on other files, or with other options; name another folder by --to",
    );
    await Deno.remove(to, { recursive: true });
    await put(join(to, "mine.txt"), "x");
    await says("it must be a new folder, or one that this command began on the same files: it holds mine.txt");
    await Deno.remove(to, { recursive: true });
    await jpeg(join(folder, "outside.jpg"), 1);
    await Deno.remove(join(from, "media", "a_2.jpg"));
    await Deno.symlink(join(folder, "outside.jpg"), join(from, "media", "a_2.jpg"));
    await says('Cannot read "media/a_2.jpg" as it must lie in the folder of the dataset: it is a link out of it');
    await Deno.remove(join(from, "media", "a_2.jpg"));
    for (const end of ["jpg", "wav"]) {
      await Deno.copyFile(join(from, "media", `b_7.${end}`), join(from, "media", `a_2.${end}`));
    }
    const found = await verifySet(await listSet(little, from), { readers: 0 });
    assertEquals(found, [{ serious: true, about: "1 samples have the files of another: b_7 = a_2" }]);
  });
});

Deno.test("prepareSet(): what an earlier call found broken is looked at again, and taken in once it is mended", async () => {
  await inFolder(async (folder) => {
    const from = join(folder, "from");
    await written(from);
    const [mended, other] = [join(from, "media", "a_11.jpg"), join(from, "media", "a_20.jpg")];
    const whole = await Deno.readFile(mended);
    await put(mended, "broken");
    await put(other, "broken");
    const parts = join(folder, "parts");
    const stop = AbortSignal.abort();
    await assertRejects(() => prepared(from, parts), Refusal, "leave broken ones out: --skip-broken");
    // The command of the refusal's remedy goes on in the folder that the refused one began.
    const first = await prepared(from, parts, { skip: true, signal: stop });
    assertEquals([first.finished, first.samples, first.broken.map(({ id }) => id)], [false, 30, ["a_11", "a_20"]]);
    await put(mended, whole);
    const second = await prepared(from, parts, { skip: true });
    assertEquals([second.finished, second.samples, second.broken.map(({ id }) => id)], [true, 79, ["a_20"]]);
    await prepared(from, join(folder, "once"), { skip: true });
    assertEquals(await bytesOf(parts), await bytesOf(join(folder, "once")));
    // Where none may be left out, those that were are refused.
    const strict = join(folder, "strict");
    await prepared(from, strict, { skip: true, signal: stop });
    await assertRejects(() => prepared(from, strict), Refusal, "a_20.jpg");
  });
});

Deno.test("preparedFindings(): a prepared folder is compared with the numbers of its set", async () => {
  await inFolder(async (folder) => {
    const [from, to] = [join(folder, "from"), join(folder, "to")];
    await written(from);
    await put(join(from, "media", "a_11.jpg"), "broken");
    await Deno.remove(join(from, "media", "b_7.wav"));
    await prepared(from, to, { skip: true });
    const sets = createLibrary().of("set").add(little);
    assertEquals(await preparedFindings(to, sets), [
      { serious: false, about: "1 samples were left out as they lacked files" },
      { serious: false, about: "1 samples were left out as they were broken" },
      {
        serious: false,
        about: "3 numbers differ from all's (a test): train: all 62 of 64, train: a 31 of 32, train: b 31 of 32",
      },
    ]);
    const unknown = (await preparedFindings(to, createLibrary().of("set"))).at(-1)!.about;
    assertEquals(unknown, 'its numbers are not compared: no set "little" with them is registered');
    assertEquals(await preparedFindings(from, sets), []);
    await put(join(to, "report.json"), "{");
    await assertRejects(() => preparedFindings(to, sets), Refusal, "what data prepare writes: it is no JSON");
  });
});
