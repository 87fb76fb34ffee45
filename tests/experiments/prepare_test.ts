/** Media decoded once are the same inputs, wherever the decoding was stopped. */
import { join } from "node:path";
import sharp from "sharp";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { Random } from "../../core/random.ts";
import { Refusal } from "../../core/refusal.ts";
import { files } from "../../datasets/mod.ts";
import { prepareFiles } from "../../experiments/prepare.ts";
import { inFolder } from "../helpers/cli.ts";
import { encodeWav } from "../helpers/wav.ts";

/** Two classes of pictures and titles; some lack a recording. */
async function media(root: string): Promise<void> {
  const random = new Random(5);
  for (const [c, name] of ["a", 'b, with "quotes"'].entries()) {
    await Deno.mkdir(join(root, name), { recursive: true });
    for (let n = 0; n < 50; n++) {
      const background = { r: 100 * c + n, g: 3 * n, b: 90 };
      await sharp({ create: { width: 8, height: 8, channels: 3, background } }).png().toFile(
        join(root, name, `${n}.png`),
      );
      await Deno.writeTextFile(join(root, name, `${n}.txt`), `title ${n}, "of" ${c}`);
      if (n % 7 === 3) continue;
      const noise = Float32Array.from({ length: 200 }, () => 0.1 * random.normal());
      await Deno.writeFile(join(root, name, `${n}.wav`), encodeWav([noise], 2000));
    }
  }
}

const load = (path: string) => Promise.resolve(files.load({ path }));

Deno.test("prepareFiles(): inputs, masks, classes and splits are those of the media, however often it was stopped", async () => {
  await inFolder(async (folder) => {
    const [from, to] = [join(folder, "media"), join(folder, "arrays")];
    await media(from);
    const stop = new AbortController();
    const first = await prepareFiles(from, to, { signal: stop.signal, onProgress: () => stop.abort() });
    assertEquals([first.finished, first.samples, first.before], [false, 64, 0]);
    // What was being written when the power went: rows behind what is noted are written again.
    const second = await prepareFiles(from, to, { readers: 0 });
    assertEquals([second.finished, second.samples, second.before], [true, 100, 64]);
    const [media_, arrays] = [await load(from), await load(to)];
    assertEquals(arrays.classes, media_.classes);
    for (const name of ["train", "validation", "test"] as const) {
      const [a, b] = [media_.splits[name], arrays.splits[name]];
      assertEquals(b.labels, a.labels);
      assertEquals(b.present, a.present);
      for (const modality of ["audio", "image"]) assertEquals(b.inputs[modality], a.inputs[modality]);
    }
    assertEquals(arrays.modalities["text"].vocabulary, media_.modalities["text"].vocabulary);
    // Pictures are bytes: 64 x 64 x 3 of 100 samples, and a head.
    assert((await Deno.stat(join(to, "image.npy"))).size < 100 * 64 * 64 * 3 + 200);
    await assertRejects(
      () => prepareFiles(from, to),
      Refusal,
      "it must be a new folder, or one that this command began",
    );
  });
});

Deno.test("prepareFiles() refuses to go on with other data, and sequences with lengths", async () => {
  await inFolder(async (folder) => {
    const [from, to] = [join(folder, "media"), join(folder, "arrays")];
    await media(from);
    const stop = new AbortController();
    await prepareFiles(from, to, { signal: stop.signal, onProgress: () => stop.abort() });
    await Deno.copyFile(join(from, "a", "1.png"), join(from, "a", "2.png"));
    await assertRejects(
      () => prepareFiles(from, to),
      Refusal,
      "it was begun on other data; name another folder by --to",
    );
    assertEquals((await prepareFiles(from, join(folder, "other"))).finished, true);
    const { spec, kept } = { spec: { format: 1 }, kept: join(folder, "x.dataset.json") };
    const audio = { from: "x.npz#audio", kind: "sequence", lengths: "x.npz#audio_lengths" };
    const more = { name: "x", labels: "x.npz#labels", classes: ["0", "1"], split: { shares: [7, 1, 2], seed: 0 } };
    await Deno.writeTextFile(kept, JSON.stringify({ ...spec, ...more, modalities: { audio } }));
    await assertRejects(() => prepareFiles(kept, join(folder, "y")), Refusal, "it has lengths in x.npz#audio_lengths");
  });
});
