import { assert, assertAlmostEquals, assertEquals, assertNotEquals, assertRejects, assertThrows } from "@std/assert";
import type { Dataset } from "../../core/kinds/mod.ts";
import type { AvDigitsManifest } from "../../datasets/av_digits_format.ts";
import { decodeTable, encodePower } from "../../datasets/av_digits_format.ts";
import { type AvDigitsMlManifest, DIGIT_LANGUAGES, speakersOf } from "../../datasets/av_digits_ml_format.ts";
import { avDigits, avDigitsMl, checkDataset, selectModalities } from "../../datasets/mod.ts";
import { Refusal } from "../../core/refusal.ts";
import { melPowers } from "../../datasets/transforms/spectrum.ts";
import { gunzip } from "../helpers/stored.ts";

const mini = await avDigits.load({ size: "mini" });
const manifest = JSON.parse(
  await Deno.readTextFile(new URL("../../datasets/data/av_digits.manifest.json", import.meta.url)),
) as AvDigitsManifest;

Deno.test("av-digits has the stated sizes, shapes and classes", async () => {
  assertEquals([mini.splits.train.size, mini.splits.validation.size, mini.splits.test.size], [1000, 200, 500]);
  assertEquals(mini.modalities.image.shape, [28, 28, 1]);
  assertEquals(mini.modalities.audio.shape, [32, 32, 1]);
  const full = await avDigits.load({});
  assertEquals([full.splits.train.size, full.splits.validation.size, full.splits.test.size], [6995, 1001, 2004]);
  assertEquals(new Set(full.splits.test.labels).size, 10);
});

Deno.test("av-digits: 93 voices of 67 families, split 68/8/17, no family in two splits", () => {
  assertEquals(manifest.voices.length, 93);
  assertEquals(new Set(manifest.voices.map(({ family }) => family)).size, 67);
  const count = (split: string) => manifest.voices.filter((voice) => voice.split === split).length;
  assertEquals([count("train"), count("validation"), count("test")], [68, 8, 17]);
  const splitsOf = new Map<string, Set<string>>();
  for (const { family, split } of manifest.voices) splitsOf.set(family, (splitsOf.get(family) ?? new Set()).add(split));
  for (const splits of splitsOf.values()) assertEquals(splits.size, 1);
  assertEquals(manifest.imagesPerClass, [1001, 1127, 991, 1032, 980, 863, 1014, 1070, 944, 978]);
});

Deno.test("av-digits: equal options give equal data, other dials other data; training split is standardised", async () => {
  assertEquals((await avDigits.load({ size: "mini" })).fingerprint, mini.fingerprint);
  for (const options of [{ snr: -10 }, { occlusion: 0 }, { imageNoise: 0 }, { seed: 1 }, { clean: true }]) {
    assertNotEquals((await avDigits.load({ size: "mini", ...options })).fingerprint, mini.fingerprint);
  }
  for (const values of Object.values(mini.splits.train.inputs)) {
    const mean = (values as Float32Array).reduce((sum, value) => sum + value, 0) / values.length;
    assertAlmostEquals(mean, 0, 1e-3);
  }
});

Deno.test("av-digits: the dials act on their modality alone", async () => {
  const louder = await avDigits.load({ size: "mini", snr: 20 });
  assertEquals(louder.splits.test.inputs.image, mini.splits.test.inputs.image);
  assertEquals(louder.splits.test.labels, mini.splits.test.labels);
  assertNotEquals(louder.splits.test.inputs.audio[0], mini.splits.test.inputs.audio[0]);
  await assertRejects(
    async () => await avDigits.load({ occlusion: 2 }),
    Refusal,
    "must be a number >= 0 and <= 1: found 2",
  );
});

Deno.test("av-digits-ml: 93 voices in four of eight languages each; every split has every digit in every language", () => {
  const speakers = speakersOf(93, 4);
  assertEquals(speakers.length, 372);
  // Every second language of every voice, so half the voices, 46 or 47, in each language.
  for (const [language] of DIGIT_LANGUAGES.entries()) {
    const own = speakers.filter((speaker) => speaker.language === language);
    assertEquals(own.length, 47 - language % 2);
    assertEquals(new Set(own.map(({ voice }) => manifest.voices[voice].split)).size, 3);
    assertEquals(new Set(own.map(({ setting }) => setting)).size, 4);
  }
});

Deno.test("av-digits-ml: the images and labels of av-digits, other speech; a language alone is a dial", async () => {
  const all = await avDigitsMl.load({ size: "mini", clean: true });
  const sizes = ({ splits }: Dataset) => [splits.train.size, splits.validation.size, splits.test.size];
  assertEquals(sizes(all), [1000, 200, 500]);
  assertEquals(all.modalities.audio.shape, [32, 32, 1]);
  const families = new Map(manifest.voices.map(({ family, split }) => [family, split]));
  for (const name of ["train", "validation", "test"] as const) {
    assert(all.splits[name].groups.every((family) => families.get(family) === name));
  }
  const polish = await avDigitsMl.load({ size: "mini", clean: true, language: "pl" });
  assertEquals(polish.splits.test.labels, all.splits.test.labels);
  assertEquals(polish.splits.test.inputs.image, all.splits.test.inputs.image);
  // All samples of a class are one word by few voices: fewer different sounds than in eight languages.
  const sounds = ({ splits: { train: { inputs: { audio } } } }: Dataset) =>
    new Set(Array.from({ length: 1000 }, (_, n) => audio.slice(1024 * n, 1024 * (n + 1)).join())).size;
  assert(sounds(polish) < 341 && sounds(all) > 700, `${sounds(polish)} and ${sounds(all)}`);
});

Deno.test("melPowers() of white noise of variance 1 is the filters' width; of a sine it peaks in its band", () => {
  const mel = melPowers({ rate: 11025, window: 512, bands: 32, lowest: 60 });
  const powers = new Float32Array(32);
  const sine = Float64Array.from({ length: 512 }, (_, i) => Math.sin(2 * Math.PI * 1000 * i / 11025));
  mel(sine, 0, powers, 0);
  const peak = powers.indexOf(Math.max(...powers));
  // Band centres are equally spaced in mel from 60 Hz to 5512.5 Hz; 1000 Hz lies at mel 999.99.
  const toMel = (hertz: number) => 2595 * Math.log10(1 + hertz / 700);
  const place = (toMel(1000) - toMel(60)) / (toMel(5512.5) - toMel(60)) * 33 - 1;
  assert(Math.abs(peak - place) <= 1, `${peak} is not near ${place}`);
  // Hann window: energy 192; a sine of amplitude 1 has |X|^2 = (256/2)^2 at its bin, so 85 after division.
  const total = powers.reduce((sum, value) => sum + value, 0);
  assert(total > 60 && total < 200, `${total}`);
});

Deno.test("the 8-bit power code is exact to half a step between its ends", () => {
  const table = decodeTable();
  assertEquals(encodePower(0), 0);
  assertEquals(table[0], 0);
  for (const power of [1e-5, 1e-3, 0.5, 7, 100]) {
    assertAlmostEquals(Math.log(table[encodePower(power)]), Math.log(power), 0.0426);
  }
});

/** What a dataset does cannot be copied, and is not checked. */
const { preview: _, ...plain } = mini;
const broken = (change: (dataset: Dataset) => Dataset) => () => checkDataset(change(structuredClone(plain) as Dataset));

Deno.test("checkDataset() names split, modality, sample and position of what is wrong", () => {
  checkDataset(mini);
  assertThrows(
    broken((dataset) => {
      dataset.splits.test.inputs.audio[3 * 1024 + 5] = Number.NaN;
      return dataset;
    }),
    Refusal,
    'Cannot use split "test" of dataset "av-digits" as every value must be finite: "audio" of sample 3 has NaN at position 5',
  );
  assertThrows(
    broken((dataset) => {
      dataset.splits.train.labels[7] = 10;
      return dataset;
    }),
    Refusal,
    "labels must be 0..9: sample 7 has 10",
  );
  assertThrows(
    broken((dataset) => ({
      ...dataset,
      splits: {
        ...dataset.splits,
        test: { ...dataset.splits.test, groups: dataset.splits.train.groups.slice(0, 500) },
      },
    })),
    Refusal,
    "splits must share no group",
  );
  assertThrows(
    broken((dataset) => ({
      ...dataset,
      splits: { ...dataset.splits, validation: { ...dataset.splits.validation, size: 0 } },
    })),
    Refusal,
    "it is empty",
  );
  assertThrows(
    broken((dataset) => ({
      ...dataset,
      modalities: { ...dataset.modalities, audio: { ...dataset.modalities.audio, shape: [31] } },
    })),
    Refusal,
    '"audio" must have 1000 x 31 values',
  );
});

Deno.test("selectModalities() keeps what is asked for and refuses what is not there", () => {
  const one = selectModalities(mini, ["image"]);
  assertEquals(Object.keys(one.splits.test.inputs), ["image"]);
  assertEquals(one.fingerprint, mini.fingerprint);
  assertEquals(selectModalities(mini, ["image", "audio"]), mini);
  assertThrows(
    () => selectModalities(mini, ["video"]),
    Refusal,
    'modality "video" of dataset "av-digits" as the dataset must have it: it has audio, image',
  );
  assertThrows(() => selectModalities(mini, []), Refusal, "there must be one: found none");
});

Deno.test("a stored file that was changed is an error that says expected and found hash", async () => {
  const copy = await Deno.makeTempDir();
  try {
    for (const folder of ["datasets", "datasets/data", "datasets/transforms", "core", "core/kinds"]) {
      const from = new URL(`../../${folder}/`, import.meta.url);
      await Deno.mkdir(`${copy}/${folder}`, { recursive: true });
      for await (const entry of Deno.readDir(from)) {
        if (entry.isFile) await Deno.copyFile(new URL(entry.name, from), `${copy}/${folder}/${entry.name}`);
      }
    }
    const path = `${copy}/datasets/data/av_digits_audio.u8.gz`;
    const bytes = await Deno.readFile(path);
    bytes[1000] ^= 1;
    await Deno.writeFile(path, bytes);
    const code = `const { avDigits } = await import("file://${copy}/datasets/av_digits.ts");
      try { await avDigits.load({ size: "mini" }); } catch (error) { console.log(error.name, error.message); }`;
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", "--config", new URL("../../deno.json", import.meta.url).pathname, code],
    }).output();
    const text = new TextDecoder().decode(stdout);
    assert(text.includes(`Refusal Cannot load dataset "av-digits"`), text);
    assert(text.includes(`must have SHA-256 ${manifest.files.audio.stored}: found`), text);
  } finally {
    await Deno.remove(copy, { recursive: true });
  }
});

Deno.test({
  name: "the builder makes the stored bytes of a slice again",
  // Needs the synthesiser (GPL-3), which nothing else downloads.
  ignore: Deno.env.get("ARMLAB_BUILD_TESTS") !== "1",
  async fn() {
    const builder = await import("../../tools/build_av_digits.ts");
    const audio = await gunzip("av_digits_audio.u8.gz");
    for (const voice of [0, 40, 92]) {
      const { variant } = manifest.voices[voice];
      const spoken = await builder.utterances(variant, manifest.settings[1]);
      spoken.forEach((signal, digit) => {
        const at = (voice * 4 + 1) * 10 + digit;
        const { codes, power } = builder.stored(signal, builder.placement(variant, 1, digit));
        assertEquals(codes, audio.slice(at * 1024, (at + 1) * 1024));
        assertAlmostEquals(power, manifest.power[at], 1e-5 * power);
      });
    }
    assertEquals((await builder.images()).pixels, await gunzip("av_digits_images.u8.gz"));
  },
});

Deno.test({
  name: "the builder of av-digits-ml makes the stored bytes of a slice again",
  // Needs the synthesiser (GPL-3), which nothing else downloads.
  ignore: Deno.env.get("ARMLAB_BUILD_TESTS") !== "1",
  async fn() {
    const builder = await import("../../tools/build_av_digits_ml.ts");
    const audio = await gunzip("av_digits_ml_audio.u8.gz");
    const speakers = speakersOf(manifest.voices.length, manifest.settings.length);
    // One voice of each language.
    for (const [language, name] of DIGIT_LANGUAGES.entries()) {
      const n = speakers.findIndex((speaker) => speaker.language === language && speaker.voice >= 5 * language);
      const { voice, setting } = speakers[n];
      const { codes } = await builder.digitsOf(manifest.voices[voice].variant, name, manifest.settings[setting]);
      codes.forEach((own, digit) =>
        assertEquals(own, audio.slice((n * 10 + digit) * 1024, (n * 10 + digit + 1) * 1024))
      );
    }
    const { voices, settings } = JSON.parse(
      await Deno.readTextFile(new URL("../../datasets/data/av_digits_ml.manifest.json", import.meta.url)),
    ) as AvDigitsMlManifest;
    assertEquals([voices, settings], [manifest.voices, manifest.settings]);
  },
});
