import { join } from "node:path";
import sharp from "sharp";
import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertNotEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { Random } from "../../core/random.ts";
import { Refusal } from "../../core/refusal.ts";
import { melFilters, melSpectrogram, type MelSpectrogramOptions } from "../../datasets/transforms/log_mel.ts";
import { corruptedView, corruptionsFrom, describe, files, inspect } from "../../datasets/mod.ts";
import { soundForm, soundMaker } from "../../datasets/files/readers.ts";
import { knownWords, textValues, wordsOf } from "../../datasets/files/texts.ts";
import type { FilesKind, FilesModality } from "../../datasets/files/spec.ts";
import { inFolder } from "../helpers/cli.ts";
import { assertClose, golden } from "../helpers/tensors.ts";
import { encodeWav } from "../helpers/wav.ts";

const reference = golden<{
  signal: number[];
  cases: { of: string; options: MelSpectrogramOptions; power: number[] }[];
}>("log_mel");

for (const { of, options, power } of reference.cases) {
  Deno.test(`melSpectrogram() equals ${of}'s for frames of ${options.fft} samples to 1e-4, log-mel too`, () => {
    const found = [...melSpectrogram(options)(Float32Array.from(reference.signal))];
    assertEquals(found.length, power.length);
    assertClose(found, power, 1e-4 * Math.max(...power));
    const log = (values: readonly number[]) => values.map((value) => Math.log(value + 1e-6));
    assertClose(log(found), log(power), 1e-4);
  });
}

const modality = (kind: FilesKind): FilesModality => ({ from: "x", kind, scale: "none", channels: "none" });

Deno.test("soundMaker() takes logarithms of powers above their floor, and silence behind what is short", () => {
  for (const front of ["log-mel", "stft"] as const) {
    const maker = soundMaker({ kind: "sound", front, rate: 8000, length: 800, bands: 4 });
    const values = (signal: Float32Array) => [...maker.values({ rate: 8000, channels: 1, signal })];
    const tone = Float32Array.from({ length: 800 }, (_, n) => Math.sin(n));
    assert(Math.max(...values(tone)) > 0 && Math.min(...values(tone)) >= Math.log(1e-6) - 1e-4);
    // After the tone, which is not left behind.
    const silence = values(new Float32Array(80));
    assertEquals(silence.length, maker.shape[0] * maker.shape[1]);
    assertClose(silence, silence.map(() => Math.log(1e-6)), 1e-4);
  }
});

Deno.test("soundForm() takes the commonest rate, the lower of equals, and the longest recording in seconds", () => {
  const of = (...rates: number[]) => soundForm(modality("sound"), rates.map((rate) => ({ rate, size: 4000 }))).form;
  assertEquals([of(8000, 16000, 8000).rate, of(16000, 8000, 16000).rate, of(16000, 8000).rate], [8000, 16000, 8000]);
  assertEquals(of(8000, 16000, 8000).length, 4000); // half a second at 8000
});

Deno.test("knownWords() numbers the words of training by frequency, others as 1, and leaves padding at 0", () => {
  const values = textValues(modality("text"), ["a b b", "c", "b"]); // rows of three
  const known = knownWords(values, (n) => n !== 1);
  assertEquals([...known.data], [3, 2, 2, 1, 0, 0, 2, 0, 0]);
  assertEquals(known.info.vocabulary, 4);
  assertEquals([...known.read!("C a")], [1, 3, 0]);
});

Deno.test("melFilters() reach from the lowest to the highest frequency, below and above 1 kHz", () => {
  for (const scale of ["slaney", "htk"] as const) {
    for (const [low, high] of [[0, 800], [0, 1500], [1200, 3000]]) {
      const filters = melFilters({ rate: 8000, fft: 800, hop: 80, bands: 6, low, high, scale }); // 10 Hz a bin
      const heard = Array.from({ length: 401 }, (_, bin) => bin).filter((bin) =>
        filters.some((own) => own[bin] > 1e-12)
      );
      assertEquals([heard[0] * 10, heard[heard.length - 1] * 10], [low + 10, high - 10]);
    }
  }
});

Deno.test("melFilters(): of area 2 / width each in Slaney's norm, of height 1 in none", () => {
  const options = { rate: 16000, fft: 4000, hop: 1, bands: 5 };
  for (const filter of melFilters(options)) assertClose([filter.reduce((sum, w) => sum + w, 0) * 4], [1], 1e-2);
  for (const filter of melFilters({ ...options, norm: "none" })) assertClose([Math.max(...filter)], [1], 0.05);
});

/** A picture of one colour. */
async function picture(
  path: string,
  colour: { r: number; g: number; b: number },
  width = 9,
  height = 6,
): Promise<void> {
  await sharp({ create: { width, height, channels: 3, background: colour } }).toFile(path);
}

/** A recording of noise. */
async function sound(path: string, size: number, random: Random, rate = 8000): Promise<void> {
  const noise = Float32Array.from({ length: size }, () => 0.09 * random.normal());
  await Deno.writeFile(path, encodeWav([noise], rate));
}

const colours = { cat: { r: 200, g: 0, b: 0 }, dog: { r: 0, g: 200, b: 0 }, owl: { r: 0, g: 0, b: 200 } };

/** Folders of classes, twelve samples each: a picture, a text, and mostly a recording. */
async function media(root: string, nested = false): Promise<void> {
  const random = new Random(1);
  for (const [name, colour] of Object.entries(colours)) {
    for (let n = 0; n < 12; n++) {
      const folder = nested ? join(root, name, String(n)) : join(root, name);
      await Deno.mkdir(folder, { recursive: true });
      const at = (kind: string) => join(folder, nested ? kind : `${n}.${kind.split(".")[1]}`);
      await picture(at("photo.png"), { ...colour, r: colour.r + n });
      if (n % 5 !== 2) await sound(at("voice.wav"), 400 + 40 * n, random);
      await Deno.writeTextFile(at("note.txt"), `The ${name}, No. ${n}!`);
    }
  }
}

const load = (path: string, skipBroken = false) => Promise.resolve(files.load({ path, skipBroken }));

Deno.test("files: folders of classes with pictures, recordings and texts become a dataset; what is missing is masked", async () => {
  await inFolder(async (folder) => {
    const flat = join(folder, "flat");
    await media(flat);
    const { spec } = await describe(flat);
    const kinds = Object.fromEntries(Object.entries(spec.modalities).map(([name, { kind }]) => [name, kind]));
    assertEquals(kinds, { audio: "sound", image: "picture", text: "text" });
    const { modalities, splits, classes } = await load(flat);
    assertEquals(classes, ["cat", "dog", "owl"]);
    assertEquals(modalities["image"].shape, [64, 64, 3]);
    // The longest has 840 samples: 1 + 840 / 80 frames.
    assertEquals(modalities["audio"].shape, [11, 64, 1]);
    assertEquals(modalities["text"].dtype, "int32");
    const all = Object.values(splits);
    const absent = all.flatMap(({ present }) => [...present!]).filter((there) => there === 0).length;
    assertEquals(absent, 6); // 2 and 7 of each class
    // Words that training does not know are 1.
    const texts = [...splits.test.inputs["text"], ...splits.validation.inputs["text"]];
    assert(Math.max(...texts, ...splits.train.inputs["text"]) < modalities["text"].vocabulary!);
    assert(!splits.train.inputs["text"].includes(1));
    const nested = join(folder, "nested");
    await media(nested, true);
    // Alphabetic order of 0, 1, 10, 11, 2, ... is the same for files and folders.
    assertEquals((await load(nested)).fingerprint, (await load(flat)).fingerprint);
  });
});

Deno.test("files: recordings of one's own take noise in dB, their texts typos", async () => {
  await inFolder(async (folder) => {
    await media(folder);
    const { spec, kept } = await describe(folder);
    const { audio, text } = spec.modalities;
    const given = async (own: typeof audio) => {
      await Deno.writeTextFile(kept, JSON.stringify({ ...spec, modalities: { text, audio: own } }));
      return await load(folder);
    };
    const plain = await given(audio);
    // Log mels are standardised: their raw logarithms are those without.
    await Deno.writeTextFile(
      kept,
      JSON.stringify({ ...spec, modalities: { text, audio: { ...audio, scale: "none" } } }),
    );
    const { splits: raw, modalities: { audio: { logPower: none } } } = await load(folder);
    assertEquals(none, { mean: 0, std: 1, floor: 1e-6 });
    const { mean, std } = plain.modalities["audio"].logPower!;
    plain.splits.test.inputs["audio"].forEach((value, i) => {
      const sample = Math.floor(i / (11 * 64));
      if (plain.splits.test.present![2 * sample] === 0) return;
      assertAlmostEquals(value * std + mean, raw.test.inputs["audio"][i], 1e-4);
    });
    const corrupt = corruptionsFrom("audio.snr=200 text.letter-typos=0");
    const same = await corruptedView(plain, { corrupt, splits: ["test"], seed: 0 });
    assertEquals(same.splits.test.inputs["text"], plain.splits.test.inputs["text"]);
    // 200 dB below the sound is nothing beside it.
    assertClose([...same.splits.test.inputs["audio"]], [...plain.splits.test.inputs["audio"]], 1e-3);
    const harder = corruptionsFrom("audio.snr=-20 audio.reverb=3 text.letter-typos=1");
    const noisy = (await corruptedView(plain, { corrupt: harder, splits: ["test"], seed: 0 })).splits.test.inputs;
    // No word of three letters and more is left as training knows it.
    assert(noisy["text"].filter((id) => id === 1).length > plain.splits.test.size);
    assertNotEquals(noisy["audio"], plain.splits.test.inputs["audio"]);
    const wave = await given({ ...audio, front: "waveform" });
    assertEquals(wave.modalities["audio"].waveform, true);
    await corruptedView(wave, { corrupt: corruptionsFrom("audio.clip=0.5"), splits: ["test"], seed: 0 });
  });
});

Deno.test("files: a word that only test has is unknown to training", async () => {
  await inFolder(async (folder) => {
    const rows = Array.from(
      { length: 40 },
      (_, n) => `${"ab"[n % 2]},${n < 30 ? "train" : "test"},word ${n < 30 ? "old" : "new"} ${n}`,
    );
    const path = join(folder, "t.csv");
    await Deno.writeTextFile(path, ["label,split,title", ...rows].join("\n"));
    const { splits, modalities } = await load(path);
    const row = ({ inputs }: { inputs: Record<string, ArrayLike<number>> }) => [inputs["title"][0], inputs["title"][1]];
    assertEquals(row(splits.train), [2, 3]);
    assertEquals(row(splits.test), [2, 1]);
    // word, old and the numbers of training: an eighth of thirty validates.
    assertEquals(modalities["title"].vocabulary, 2 + 2 + splits.train.size);
  });
});

Deno.test("files: pictures are cut around the middle, in red, green and blue, whatever they are stored as", async () => {
  await inFolder(async (folder) => {
    for (const [k, name] of ["a", "b"].entries()) {
      await Deno.mkdir(join(folder, name));
      for (let n = 0; n < 20; n++) {
        await picture(join(folder, name, `${n}.jpg`), { r: 60 * k + n, g: 100, b: 10 }, 8, 4);
      }
    }
    const { spec, kept } = await describe(folder);
    const image = { ...spec.modalities["image"], scale: "none", size: 3 };
    await Deno.writeTextFile(kept, JSON.stringify({ ...spec, modalities: { image } }));
    const { splits, modalities } = await load(folder);
    assertEquals(modalities["image"].shape, [3, 3, 3]);
    const { inputs, labels } = splits.train;
    for (let n = 0; n < splits.train.size; n++) {
      const [r, g, b] = inputs["image"].subarray(27 * n, 27 * n + 3);
      assert(Math.abs(g - 100) < 4 && Math.abs(b - 10) < 4, `${r} ${g} ${b}`);
      assertEquals(r > 40, labels[n] === 1);
    }
  });
});

Deno.test("files: folders of splits with folders of classes; a manifest of paths and titles, as CSV or JSON lines", async () => {
  await inFolder(async (folder) => {
    const random = new Random(0);
    for (const [split, count] of [["train", 8], ["val", 2], ["test", 4]] as const) {
      for (const name of ["a", "b"]) {
        const own = join(folder, "sets", split, name);
        await Deno.mkdir(own, { recursive: true });
        for (let n = 0; n < count; n++) await sound(join(own, `${n}.wav`), 300, random);
      }
    }
    const { splits } = await load(join(folder, "sets"));
    assertEquals([splits.train.size, splits.validation.size, splits.test.size], [16, 4, 8]);
    const rows = Array.from({ length: 40 }, (_, n) => ({
      sound_path: `sets/train/${n % 2 === 0 ? "a" : "b"}/${n % 8}.wav`,
      title: n % 10 === 3 ? "" : `number ${n} of ${n % 2}`,
      label: n % 2 === 0 ? "even" : "odd",
    }));
    const csv = ["sound_path,title,label", ...rows.map((row) => Object.values(row).join(","))].join("\n");
    await Deno.writeTextFile(join(folder, "list.csv"), csv);
    await Deno.writeTextFile(join(folder, "list.jsonl"), rows.map((row) => JSON.stringify(row)).join("\n"));
    const [one, two] = [await load(join(folder, "list.csv")), await load(join(folder, "list.jsonl"))];
    assertEquals(Object.keys(one.modalities), ["sound", "title"]);
    assertEquals(one.fingerprint, two.fingerprint);
  });
});

Deno.test("files: broken media is a precise sentence, or with skipBroken counted, listed and left out", async () => {
  await inFolder(async (folder) => {
    await media(folder);
    const says = async (text: string, mend: () => Promise<void>) => {
      const error = await assertRejects(() => load(folder), Refusal);
      assertStringIncludes(error.message, text);
      assertEquals(error.message.split("\n").length, 1);
      const { dataset, notes } = await inspect(folder, true);
      const sizes = Object.values(dataset.splits).map(({ size }) => size);
      assertEquals(sizes.reduce((sum, size) => sum + size, 0), 35);
      assertStringIncludes(notes.join(), "1 of 36 samples are broken and left out: sample");
      await mend();
    };
    const photo = await Deno.readFile(join(folder, "cat", "3.png"));
    const restore = () => Deno.writeFile(join(folder, "cat", "3.png"), photo);
    await Deno.writeFile(join(folder, "cat", "3.png"), photo.subarray(0, 60));
    await says('Cannot read "cat/3.png" as it must be a whole picture', restore);
    await Deno.writeFile(join(folder, "cat", "3.png"), new Uint8Array(0));
    await says('Cannot read "cat/3.png"', restore);
    const voice = await Deno.readFile(join(folder, "dog", "4.wav"));
    const restored = () => Deno.writeFile(join(folder, "dog", "4.wav"), voice);
    await sound(join(folder, "dog", "4.wav"), 0, new Random(0));
    await says("it must hold sound: it has length 0", restored);
    await Deno.writeFile(join(folder, "dog", "4.wav"), voice.subarray(0, 90));
    await says("its sound is cut off", restored);
    await Deno.writeTextFile(join(folder, "cat", "3.jpg"), "x");
    const twice = await assertRejects(() => load(folder), Refusal);
    assertStringIncludes(twice.message, 'it must have one file of image: found "cat/3.jpg" and "cat/3.png"');
    await Deno.remove(join(folder, "cat", "3.jpg"));
    const list = (path: string) =>
      [
        "label,image",
        ...Array.from({ length: 20 }, (_, n) => {
          const label = ["cat", "dog"][n % 2];
          return `${label},${n === 5 ? path : `${label}/${n >> 1}.png`}`;
        }),
      ].join("\n");
    for (const path of ["../x.png", "/etc/x.png"]) {
      await Deno.writeTextFile(join(folder, "list.csv"), list(path));
      await assertRejects(() => load(join(folder, "list.csv")), Refusal, "its path leads out of it");
    }
    await Deno.writeTextFile(join(folder, "list.csv"), list("cat/none.png"));
    await assertRejects(
      () => load(join(folder, "list.csv")),
      Refusal,
      'Cannot use the samples as each must have a modality: sample 5 has none: "cat/none.png" is not there; ' +
        "leave such samples out: --skip-broken",
    );
    const { dataset, notes, broken } = await inspect(join(folder, "list.csv"), true);
    assertEquals(Object.values(dataset.splits).reduce((sum, { size }) => sum + size, 0), 19);
    assertEquals(broken.map(({ why }) => why), ['it has no modality: "cat/none.png" is not there']);
    assertStringIncludes(notes.join(), "1 of 20 samples are broken and left out: sample 5 (it has no modality");
  });
});

Deno.test("wordsOf() takes words and numbers of any script, in lower case", () => {
  assertEquals(wordsOf("The CAT's naïve ﬁsh, №42 — 鳥!"), ["the", "cat", "s", "naïve", "fish", "no42", "鳥"]);
});
