import { assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import type { Dataset, Split } from "../../core/kinds/mod.ts";
import { Refusal } from "../../core/refusal.ts";
import { avDigits, brightness, previewOf, selectModalities } from "../../datasets/mod.ts";

const split: Split = {
  size: 2,
  labels: Int32Array.of(0, 1),
  inputs: { picture: Float32Array.of(0, 1, 2, 4, -1, -1, -1, -1), words: Int32Array.of(3, 1, 0, 2, 2, 2) },
  rows: { numbers: { width: 2, copy: (sample, into, at) => into.set([10 * sample, 10 * sample + 1], at) } },
  groups: ["a", "b"],
  // Modalities in sorted order: the second sample has no words.
  present: Uint8Array.of(1, 1, 1, 1, 1, 0),
};
const dataset: Dataset = {
  name: "own",
  modalities: {
    numbers: { shape: [2], dtype: "float32", about: "two numbers" },
    picture: { shape: [2, 2, 1], dtype: "float32", about: "four pixels" },
    words: { shape: [3], dtype: "int32", vocabulary: 4, about: "three words" },
  },
  classes: ["no", "yes"],
  splits: { train: split, validation: split, test: split },
  fingerprint: "",
  notices: [],
};

Deno.test("previewOf() shows what is trained on: pictures from their least to their largest, other values as they are", async () => {
  assertEquals(await previewOf(dataset, "test", 0), {
    numbers: [{ kind: "values", shape: [2], values: Float32Array.of(0, 1) }],
    // 0, 1, 2, 4 of 0..4: 0, 255 / 4, 255 / 2, 255.
    picture: [{ kind: "image", width: 2, height: 2, channels: 1, values: Uint8Array.of(0, 64, 128, 255) }],
    words: [{ kind: "values", shape: [3], values: Int32Array.of(3, 1, 0) }],
  });
  const second = await previewOf(dataset, "test", 1);
  assertEquals(Object.keys(second), ["numbers", "picture"]);
  assertEquals(second.numbers, [{ kind: "values", shape: [2], values: Float32Array.of(10, 11) }]);
  assertEquals(brightness([-1, -1]), Uint8Array.of(0, 0));
});

Deno.test("previewOf() takes what a dataset shows of a modality, and the values of others", async () => {
  const shown: Dataset = {
    ...dataset,
    preview: (name, sample) => ({ words: [{ kind: "text", text: `${name} ${sample}` }] }),
  };
  const found = await previewOf(shown, "validation", 0);
  assertEquals(found.words, [{ kind: "text", text: "validation 0" }]);
  assertEquals(found.numbers[0].kind, "values");
  assertEquals(Object.keys(await previewOf(selectModalities(shown, ["numbers"]), "test", 0)), ["numbers"]);
});

Deno.test("previewOf() refuses a sample that the split has not", async () => {
  for (const sample of [2, -1, 0.5]) {
    await assertRejects(() => previewOf(dataset, "train", sample), Refusal, "it has 2");
  }
});

Deno.test("previewOf() shows values that are logarithms of power as a spectrogram", async () => {
  const logPower = { mean: 0, std: 1, floor: 1e-6 };
  const picture = { ...dataset.modalities.picture, logPower };
  const heard = { ...dataset, modalities: { ...dataset.modalities, picture } };
  assertEquals((await previewOf(heard, "test", 0)).picture, [
    { kind: "spectrogram", frames: 2, bands: 2, values: Float32Array.of(0, 1, 2, 4) },
  ]);
});

Deno.test("av-digits previews the pixels in 0..255 and the spectrogram that is trained on", async () => {
  const options = { size: "mini", occlusion: 0, imageNoise: 0 };
  const digits = await avDigits.load(options);
  const { audio: [audio], image: [image] } = await previewOf(digits, "test", 3);
  if (image.kind !== "image" || audio.kind !== "spectrogram") throw new Error("other kinds");
  assertEquals([image.width, image.height, image.channels, audio.frames, audio.bands], [28, 28, 1, 32, 32]);
  assertEquals(audio.values, digits.splits.test.inputs.audio.slice(3 * 1024, 4 * 1024) as Float32Array);
  // Without noise the corner is black and ink is there; both are one affine map of what is trained on.
  assertEquals(image.values[0], 0);
  const brightest = image.values.indexOf(Math.max(...image.values));
  const trained = digits.splits.test.inputs.image.subarray(3 * 784, 4 * 784);
  assertAlmostEquals(Math.max(...trained), trained[brightest], 1e-6);
});
