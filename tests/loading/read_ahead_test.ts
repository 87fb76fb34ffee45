/** Media that are decoded by batch, in threads that run ahead: the same numbers as in memory, whoever reads them when. */
import { join } from "node:path";
import sharp from "sharp";
import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { keptRun } from "../../contracts/kept.ts";
import { use } from "../../core/mod.ts";
import type { Dataset } from "../../core/kinds/mod.ts";
import { Random } from "../../core/random.ts";
import { Refusal } from "../../core/refusal.ts";
import { flip, mixup, randomCrop, timeShift } from "../../augment/mod.ts";
import { ReadAhead } from "../../loading/read_ahead.ts";
import { describe, files } from "../../datasets/mod.ts";
import { onnxCpu } from "../../engines/mod.ts";
import { createLibrary } from "../../library.ts";
import type { TrainOptions } from "../../training/mod.ts";
import { inFolder } from "../helpers/cli.ts";
import { encodeWav } from "../helpers/wav.ts";
import { toyModel, toyTraining } from "../helpers/toy.ts";

/** Three classes of pictures, recordings that some lack, one of another rate, and a film of two frames. */
async function media(root: string): Promise<void> {
  const random = new Random(1);
  for (const [c, name] of ["a", "b", "c"].entries()) {
    for (let n = 0; n < 12; n++) {
      const folder = join(root, name, `${n}`);
      await Deno.mkdir(join(folder, "film"), { recursive: true });
      const background = { r: 80 * c, g: 10 * n, b: 100 };
      const picture = sharp({ create: { width: 9, height: 6, channels: 3, background } });
      await picture.clone().png().toFile(join(folder, "photo.png"));
      for (const k of [2, 10]) {
        const frame = sharp({ create: { width: 6, height: 6, channels: 3, background: { ...background, b: k } } });
        await frame.png().toFile(join(folder, "film", `${k}.png`));
      }
      if (n % 5 !== 2) {
        const noise = Float32Array.from({ length: 300 }, () => 0.1 * random.normal());
        await Deno.writeFile(join(folder, "voice.wav"), encodeWav([noise], n === 3 ? 4000 : 2000));
      }
    }
  }
}

/** The folder as a dataset of small inputs. */
async function described(root: string): Promise<void> {
  const { spec, kept } = await describe(root);
  const { audio, image, film } = spec.modalities;
  const modalities = {
    audio: { ...audio, bands: 8 },
    film: { ...film, size: 4, frames: 2 },
    image: { ...image, size: 6 },
  };
  await Deno.writeTextFile(kept, JSON.stringify({ ...spec, modalities }));
}

const load = (path: string, memory: number, readers = 1): Promise<Dataset> =>
  Promise.resolve(files.load({ path, memory, readers }));

Deno.test("media decoded by batch: values, masks, fingerprint and runs are those in memory, with any number of threads", async () => {
  await inFolder(async (folder) => {
    await media(folder);
    await described(folder);
    const library = createLibrary();
    const engine = await onnxCpu.create();
    const augment = [
      use(flip, { modality: "image", p: 0.5 }),
      use(randomCrop, { modality: "image", least: 0.5, stretch: 1.2 }),
      use(timeShift, { modality: "audio", most: 0.3 }),
      use(mixup, { modality: "", alpha: 0.5 }),
    ];
    const options = (dataset: Dataset): TrainOptions => ({
      model: toyModel(library, dataset, "concat", ["uni-ce"]),
      dataset,
      engine,
      seed: 3,
      training: { ...toyTraining, epochs: 2, batchSize: 5 },
    });
    const whole = await load(folder, 2048);
    assertEquals(Object.keys(whole.splits.train.inputs).sort(), ["audio", "film", "image"]);
    assertEquals(whole.modalities["film"].shape, [2, 4, 4, 3]);
    const results = new Map<string, string[]>();
    const sets = [whole, ...await Promise.all([0, 1, 2].map((readers) => load(folder, 0, readers)))];
    for (const dataset of sets) {
      assertEquals(dataset.fingerprint, whole.fingerprint);
      for (const [name, own] of [["plain", undefined], ["augmented", augment]] as const) {
        const { result: { summary, params } } = await keptRun({ ...options(dataset), ...own && { augment: own } });
        results.set(name, [...results.get(name) ?? [], JSON.stringify({ summary, params })]);
      }
    }
    for (const own of results.values()) assertEquals(new Set(own).size, 1);
    assertNotEquals(results.get("plain")![0], results.get("augmented")![0]);
    // Resumed from any step, with other threads.
    const { within } = await keptRun({ ...options(sets[2]), augment, checkpointEvery: { steps: 1 } });
    assert(within.length > 3);
    for (const [k, resume] of [within[1], within.at(-2)!].entries()) {
      const { result: { summary, params } } = await keptRun({ ...options(sets[3 - 3 * k]), augment, resume });
      assertEquals(JSON.stringify({ summary, params }), results.get("augmented")![0]);
    }
    await engine.dispose();
  });
});

Deno.test("ReadAhead: batches come as asked, in any order; what is given up tells nobody; a file that is gone is refused", async () => {
  await inFolder(async (folder) => {
    await media(folder);
    await described(folder);
    const dataset = await load(folder, 0, 2);
    const { splits: { train, test }, modalities } = dataset;
    const names = Object.keys(modalities).sort();
    const ahead = new ReadAhead(dataset, names, 4);
    try {
      const expected = async (split: typeof train, items: Int32Array) => {
        const row = new Float32Array(4 * 108);
        for (let i = 0; i < 4; i++) await split.rows!["image"].copy(items[Math.min(i, items.length - 1)], row, 108 * i);
        return row;
      };
      const batches = [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11], [3, 3, 0, 0]].map((items) => Int32Array.from(items));
      const want = (split: typeof train, items: Int32Array) => ({ split, items, epoch: null });
      ahead.announce(batches.map((items) => want(train, items)));
      ahead.announce([want(test, batches[0])]);
      for (const split of [train, test]) {
        for (const items of [batches[2], batches[0], Int32Array.of(1, 1, 1, 1)]) {
          if (items.some((item) => item >= split.size)) continue;
          const { arrays, release } = await ahead.take(want(split, items));
          assertEquals(arrays["image"], await expected(split, items));
          release();
        }
      }
      for (const name of ["a", "b", "c"]) await Deno.remove(join(folder, name), { recursive: true });
      await assertRejects(
        () => ahead.take(want(train, Int32Array.of(5))),
        Refusal,
        "as it must exist: nothing is there",
      );
    } finally {
      ahead.dispose();
    }
  });
});
