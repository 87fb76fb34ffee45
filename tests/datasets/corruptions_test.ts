import { assert, assertAlmostEquals, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import type { Dataset, Split } from "../../core/kinds/mod.ts";
import { Random } from "../../core/random.ts";
import { Refusal } from "../../core/refusal.ts";
import { corrupted as part, corruptionsFrom, dropsFrom } from "../../datasets/corrupted.ts";
import { corrupted, corruptions, corruptionsOf, scaleOf } from "../../datasets/corruptions/corrupt.ts";
import {
  blur,
  compress,
  contrast,
  gaussianKernel,
  impulses,
  motionBlur,
  occlude,
  pixelate,
  quantisation,
} from "../../datasets/corruptions/image.ts";
import {
  powerClip,
  powerNoise,
  powerReverb,
  waveClip,
  waveNoise,
  waveReverb,
} from "../../datasets/corruptions/sound.ts";
import { dropFeatures, dropTokens, dropWords, mistype, swapTokens } from "../../datasets/corruptions/values.ts";

const random = (name = "test") => new Random(0).split(name);
const close = (found: Float32Array | Float64Array, wanted: readonly number[], tolerance = 1e-5) => {
  assertEquals(found.length, wanted.length);
  wanted.forEach((value, i) => assertAlmostEquals(found[i], value, tolerance));
};
const scale = { mean: 7, std: 2, least: 0, most: 255 };

Deno.test("blur() of a point is the product of two Gaussians, of a constant the constant", () => {
  const kernel = gaussianKernel(1);
  assertEquals(kernel.length, 7);
  // exp(-x²/2) at 0..3 over their sum 1 + 2 (0.606531 + 0.135335 + 0.011109) = 2.505950.
  close(kernel, [0.004433, 0.054006, 0.242036, 0.399050, 0.242036, 0.054006, 0.004433], 1e-6);
  const point = new Float32Array(81);
  point[40] = 1;
  blur(point, [9, 9, 1], 1);
  for (let y = 0; y < 9; y++) {
    for (let x = 0; x < 9; x++) {
      assertAlmostEquals(point[9 * y + x], (kernel[y - 1] ?? 0) * (kernel[x - 1] ?? 0), 1e-6);
    }
  }
  const flat = new Float32Array(24).fill(3);
  blur(flat, [2, 4, 3], 2);
  close(flat, new Array(24).fill(3));
});

Deno.test("motionBlur() is the mean along a row, edges going on", () => {
  const row = Float32Array.of(0, 3, 6, 0);
  motionBlur(row, [1, 4, 1], 3);
  close(row, [1, 3, 3, 2]);
});

Deno.test("pixelate(), contrast() and occlude() by hand", () => {
  const picture = Float32Array.of(0, 2, 5, 4, 6, 7, 8, 10, 9); // 3×3
  pixelate(picture, [3, 3, 1], 2);
  close(picture, [3, 3, 6, 3, 3, 6, 9, 9, 9]);
  const values = Float32Array.of(1, 3, 5, 7);
  contrast(values, 0.5);
  close(values, [2.5, 3.5, 4.5, 5.5]);
  const square = new Float32Array(32).fill(1); // 4×4×2
  occlude(square, [4, 4, 2], 0.5, scale, random());
  const changed = [...square.keys()].filter((i) => square[i] === 7);
  assertEquals(changed.length, 8);
  // A square of 2×2 pixels: rows and columns next to each other.
  const places = new Set(changed.map((i) => Math.floor(i / 2)));
  const [first] = places;
  assertEquals([...places], [first, first + 1, first + 4, first + 5]);
});

Deno.test("impulses() sets whole pixels to an end of the scale, as many as its share says", () => {
  const values = new Float32Array(2 * 40_000).fill(9);
  impulses(values, [200, 200, 2], 0.3, scale, random());
  let count = 0;
  for (let i = 0; i < values.length; i += 2) {
    assertEquals(values[i], values[i + 1]);
    assert([0, 9, 255].includes(values[i]));
    if (values[i] !== 9) count++;
  }
  // Binomial: 12,000 of 40,000, standard deviation 92.
  assert(Math.abs(count - 12_000) < 400, `${count}`);
});

Deno.test("compress() rounds the mean of a flat block to its step over 8, and keeps what quality 100 keeps", () => {
  assertEquals(quantisation(50)[0].slice(0, 4), [16, 11, 10, 16]);
  assertEquals(quantisation(10)[0].slice(0, 3), [80, 55, 50]);
  assertEquals(new Set(quantisation(100).flat()), new Set([1]));
  // (100 - 128) × 8 = -224 is rounded to a multiple of 80: -240, which is 98.
  const flat = new Float32Array(64).fill(100);
  compress(flat, [8, 8, 1], 10, scale);
  close(flat, new Array(64).fill(98), 1e-3);
  const picture = Float32Array.from({ length: 10 * 9 * 3 }, (_, i) => 40 + (i * 37) % 160);
  const before = picture.slice();
  compress(picture, [10, 9, 3], 100, scale);
  picture.forEach((value, i) => assert(Math.abs(value - before[i]) < 4, `${i}: ${before[i]} became ${value}`));
  assertNotEquals(picture, before);
});

Deno.test("waveNoise() and powerNoise() have the power that the ratio says", () => {
  const wave = Float64Array.from({ length: 50_000 }, (_, t) => Math.sin(t));
  const noisy = wave.slice();
  waveNoise(noisy, -10, random());
  const power = noisy.reduce((sum, value, t) => sum + (value - wave[t]) ** 2, 0) / wave.length;
  assertAlmostEquals(power, 5, 0.15); // the sine's power is 1/2, ten times that is 5
  const cells = new Float64Array(50_000).fill(2);
  powerNoise(cells, 3, random());
  const added = cells.map((value) => value - 2);
  const mean = added.reduce((sum, value) => sum + value, 0) / added.length;
  assertAlmostEquals(mean, 2 / 10 ** 0.3, 0.03);
  assert(added.every((value) => value >= 0));
  // Exponential: the mean square is twice the square of the mean.
  assertAlmostEquals(added.reduce((sum, value) => sum + value ** 2, 0) / added.length / mean ** 2, 2, 0.1);
});

Deno.test("clipping and reverberation by hand", () => {
  const wave = Float64Array.of(0.2, -1, 0.6);
  waveClip(wave, 0.5);
  assertEquals([...wave], [0.2, -0.5, 0.5]);
  const powers = Float64Array.of(1, 16, 4);
  powerClip(powers, 0.5);
  assertEquals([...powers], [1, 4, 4]);
  // Two bands, three frames, 60 dB in three frames: a factor of 1/100 each.
  const frames = Float64Array.of(100, 0, 0, 1, 0, 0);
  powerReverb(frames, 2, 3);
  close(frames, [100, 0, 1, 1, 0.01, 0.01], 1e-9);
  const click = new Float64Array(400);
  click[0] = 1;
  waveReverb(click, 200, random());
  assertEquals(click[0], 1);
  assertEquals([...click.subarray(200)], new Array(200).fill(0));
  const energy = click.subarray(1).reduce((sum, value) => sum + value ** 2, 0);
  assert(energy > 0.8 && energy <= 1, `${energy}`);
});

Deno.test("tokens and features: none at 0, all at 1, padding stays", () => {
  const ids = () => Int32Array.of(5, 3, 9, 0, 0);
  const drop = ids();
  dropTokens(drop, 1, random());
  assertEquals([...drop], [0, 0, 0, 0, 0]);
  const same = ids();
  dropTokens(same, 0, random());
  swapTokens(same, 0, 10, random());
  assertEquals(same, ids());
  const swapped = ids();
  swapTokens(swapped, 1, 10, random());
  swapped.forEach((id, i) => i < 3 ? assert(id !== ids()[i] && id >= 1 && id < 10) : assertEquals(id, 0));
  const kept = Int32Array.from({ length: 1000 }, (_, i) => i + 1);
  dropTokens(kept, 0.5, random());
  const left = kept.filter((id) => id !== 0);
  assert(left.length > 420 && left.length < 580, `${left.length}`);
  assertEquals(left, left.slice().sort());
  const features = Float32Array.of(1, 2, 3);
  dropFeatures(features, 1, -4, random());
  assertEquals([...features], [-4, -4, -4]);
  assertEquals(mistype("red apple", 0, random()), "red apple");
  const typed = mistype("red apple", 1, random());
  assert(typed !== "red apple" && typed.includes(" "), typed);
});

/** Images of 4×4, log mels of 3×2, ids and features, of 40 samples a split. */
function toy(): Dataset {
  const split = (name: string): Split => {
    const own = random(name);
    const drawn = (length: number) => Float32Array.from({ length }, () => own.normal());
    return {
      size: 40,
      labels: Int32Array.from({ length: 40 }, (_, n) => n % 2),
      groups: Array.from({ length: 40 }, (_, n) => `${name} ${n}`),
      inputs: {
        audio: drawn(40 * 6),
        image: drawn(40 * 16),
        text: Int32Array.from({ length: 40 * 5 }, () => 1 + own.integer(8)),
        wide: drawn(40 * 3),
      },
    };
  };
  return {
    name: "toy",
    modalities: {
      audio: { shape: [3, 2, 1], dtype: "float32", about: "", logPower: { mean: 1, std: 2, floor: 1e-3 } },
      image: { shape: [4, 4, 1], dtype: "float32", about: "" },
      text: { shape: [5], dtype: "int32", vocabulary: 9, about: "" },
      wide: { shape: [3], dtype: "float32", about: "" },
    },
    classes: ["a", "b"],
    splits: { train: split("train"), validation: split("validation"), test: split("test") },
    fingerprint: "",
    notices: [],
  };
}

Deno.test("corrupted(): only the named splits and modalities change, the same every time, and by the seed", async () => {
  const data = toy();
  const options = { corrupt: corruptionsFrom("image.noise=1, audio.snr=-5 text.typos=0.5"), seed: 3 };
  const one = await corrupted(data, { ...options, splits: ["test"] });
  assertEquals(one.splits.train, data.splits.train);
  assertEquals(one.splits.test.inputs.wide, data.splits.test.inputs.wide);
  for (const name of ["audio", "image", "text"]) {
    assertNotEquals(one.splits.test.inputs[name], data.splits.test.inputs[name]);
    assertEquals(data.splits.test.inputs[name], toy().splits.test.inputs[name]);
  }
  assertEquals((await corrupted(data, { ...options, splits: ["test"] })).splits, one.splits);
  assertNotEquals((await corrupted(data, { ...options, seed: 4, splits: ["test"] })).splits.test, one.splits.test);
  // What one modality gets does not hang on what else is corrupted.
  const alone = await corrupted(data, { ...options, corrupt: corruptionsFrom("audio.snr=-5"), splits: ["test"] });
  assertEquals(alone.splits.test.inputs.audio, one.splits.test.inputs.audio);
});

Deno.test("corrupted(): frames of a film are corrupted alike, each as a picture is", async () => {
  const data = toy();
  const twice = (values: Float32Array | Int32Array) =>
    Float32Array.from({ length: 2 * values.length }, (_, i) => values[16 * Math.floor(i / 32) + i % 16]);
  const filmed = (split: Dataset["splits"]["test"]) => ({
    ...split,
    inputs: { ...split.inputs, image: twice(split.inputs.image) },
  });
  const { train, validation, test } = data.splits;
  const film: Dataset = {
    ...data,
    modalities: { ...data.modalities, image: { ...data.modalities.image, shape: [2, 4, 4, 1] } },
    splits: { train: filmed(train), validation: filmed(validation), test: filmed(test) },
  };
  for (const text of ["blur=1", "noise=1", "occlusion=0.5", "jpeg=20", "contrast=0.5", "feature-drop=0.5"]) {
    const options = { corrupt: corruptionsFrom(`image.${text}`), splits: ["test" as const], seed: 2 };
    const wanted = twice((await corrupted(data, options)).splits.test.inputs.image);
    const found = (await corrupted(film, options)).splits.test.inputs.image;
    assertNotEquals(wanted, filmed(test).inputs.image, text);
    // The scale of all frames is that of one up to rounding.
    wanted.forEach((value, i) => assertAlmostEquals(found[i], value, 1e-4, text));
  }
});

Deno.test("corrupted(): rows that are read by index get what rows in memory get", async () => {
  const data = toy();
  const { image, ...inputs } = data.splits.test.inputs;
  const rows = {
    image: {
      width: 16,
      copy: (n: number, into: Float32Array | Int32Array, at: number) =>
        into.set(image.subarray(16 * n, 16 * n + 16), at),
    },
  };
  const streamed: Dataset = { ...data, splits: { ...data.splits, test: { ...data.splits.test, inputs, rows } } };
  const options = {
    corrupt: corruptionsFrom("image.noise=1 image.blur=1"),
    drop: { image: 0.5 },
    splits: ["test" as const],
    seed: 0,
  };
  const [wanted, found] = [
    (await corrupted(data, options)).splits.test,
    (await corrupted(streamed, options)).splits.test,
  ];
  assertEquals(found.present, wanted.present);
  const values = new Float32Array(40 * 16);
  for (let n = 0; n < 40; n++) await found.rows!.image.copy(n, values, 16 * n);
  assertEquals(values, wanted.inputs.image);
});

Deno.test("corrupted(): noise is in units of the training split's standard deviation", async () => {
  const data = toy();
  for (const values of [data.splits.train.inputs.wide, data.splits.test.inputs.wide]) {
    values.forEach((v, i) => values[i] = 10 * v + 5);
  }
  const { std } = await scaleOf(data, "wide");
  const options = { corrupt: corruptionsFrom("wide.noise=2"), splits: ["test" as const], seed: 0 };
  const noisy = (await corrupted(data, options)).splits.test.inputs.wide;
  const added = Array.from(noisy, (value, i) => (value - data.splits.test.inputs.wide[i]) / std);
  const mean = added.reduce((sum, value) => sum + value, 0) / added.length;
  const deviation = Math.sqrt(added.reduce((sum, value) => sum + (value - mean) ** 2, 0) / added.length);
  assert(deviation > 1.6 && deviation < 2.4, `${deviation}`);
});

Deno.test("corrupted(): a dropped modality is marked and zero; no sample loses all", async () => {
  const data = toy();
  const drops = async (drop: Record<string, number>) =>
    (await corrupted(data, { drop, splits: ["test"], seed: 0 })).splits.test;
  const all = await drops({ audio: 1, image: 1, text: 1, wide: 1 });
  for (let n = 0; n < 40; n++) assertEquals([...all.present!.subarray(4 * n, 4 * n + 4)].reduce((a, b) => a + b), 1);
  const half = await drops({ audio: 0.5 });
  let lost = 0;
  for (let n = 0; n < 40; n++) {
    assertEquals([...half.present!.subarray(4 * n + 1, 4 * n + 4)], [1, 1, 1]);
    if (half.present![4 * n] === 1) continue;
    lost++;
    assertEquals([...half.inputs.audio.subarray(6 * n, 6 * n + 6)], new Array(6).fill(0));
  }
  assert(lost > 8 && lost < 32, `${lost}`);
  // Whoever lacks it at a half lacks it at more.
  const more = await drops({ audio: 0.75 });
  for (let n = 0; n < 40; n++) assert(more.present![4 * n] <= half.present![4 * n]);
  assertEquals(await drops({ audio: 0 }), data.splits.test);
});

Deno.test("every corruption changes nothing, or next to it, at its first severity and something at its last", async () => {
  const data = toy();
  for (const [modality, info] of Object.entries(data.modalities)) {
    for (const name of corruptionsOf(info)) {
      const at = async (severity: number) =>
        (await corrupted(data, { corrupt: [{ modality, name, severity }], splits: ["test"], seed: 0 })).splits.test
          .inputs[modality];
      const { severities } = corruptions[name];
      const change = (values: Float32Array | Int32Array) =>
        Math.max(...Array.from(values, (value, i) => Math.abs(value - data.splits.test.inputs[modality][i])));
      // 40 dB and JPEG's rounding at quality 100 are the exceptions to "nothing".
      assert(
        change(await at(severities[0])) < (name === "snr" ? 1 : 0.05),
        `${modality}.${name}: ${change(await at(severities[0]))}`,
      );
      assert(change(await at(severities.at(-1)!)) > 0.05, `${modality}.${name}`);
    }
  }
});

/** The toy with texts of its tokens, two letters a token; reading gives their count of letters. */
function withTexts(): Dataset {
  const data = toy();
  const texts = { text: Array.from({ length: 40 }, (_, n) => `ab cd ef gh ${n}`) };
  const width = data.modalities.text.shape[0];
  return {
    ...data,
    splits: { ...data.splits, test: { ...data.splits.test, texts } },
    reads: { text: (text) => new Int32Array(width).fill(text.length) },
  };
}

Deno.test("corrupted(): letters are mistyped and words left out in the text, which is then read anew", async () => {
  const data = withTexts();
  const values = async (text: string) =>
    (await corrupted(data, { corrupt: corruptionsFrom(text), splits: ["test"], seed: 0 })).splits.test.inputs.text;
  assertEquals(await values("text.letter-typos=0"), data.splits.test.inputs.text);
  const width = data.modalities.text.shape[0];
  // Every letter is left out, doubled, swapped with its neighbour or replaced: lengths change but for unlucky ones.
  const typed = await values("text.letter-typos=1");
  const draws = new Random(0).split("corrupt", "test");
  for (let n = 0; n < 40; n++) {
    const wanted = mistype(`ab cd ef gh ${n}`, 1, draws.split(n, "text", "letter-typos"));
    if (wanted !== `ab cd ef gh ${n}`) assertEquals(typed[n * width], wanted.length);
  }
  await assertRejects(
    () => values("text.word-drop=0.5 text.letter-typos=0.1"),
    Refusal,
    'it stands after "text.word-drop"; write "text.letter-typos" first',
  );
  await values("text.letter-typos=0.1 text.word-drop=0.5");
  assertEquals(corruptionsOf(data.modalities.text).includes("letter-typos"), false);
  assertEquals(corruptionsOf(data.modalities.text, true).includes("letter-typos"), true);
});

Deno.test("dropWords() leaves out about its share of the words and none at 0", () => {
  const text = Array.from({ length: 400 }, (_, n) => `w${n}`).join(" ");
  assertEquals(dropWords(text, 0, new Random(0)), text);
  assertEquals(dropWords(text, 1, new Random(0)), "");
  const kept = dropWords(text, 0.25, new Random(0)).split(" ").length;
  // Binomial: 300 of 400 with a standard deviation of 8.7.
  assert(Math.abs(kept - 300) < 40, `${kept}`);
});

Deno.test("corrupted() refuses what is not there, and says what is", async () => {
  const with_ = (text: string, drop = "") => async () =>
    await corrupted(toy(), { corrupt: corruptionsFrom(text), drop: dropsFrom(drop), splits: ["test"], seed: 0 });
  await assertRejects(
    with_("video.blur=1"),
    Refusal,
    "the dataset must have the modality: it has audio, image, text, wide",
  );
  await assertRejects(
    with_("image.snr=1"),
    Refusal,
    "it must be a corruption of image: there are noise, impulse, blur",
  );
  await assertRejects(with_("image.blr=1"), Refusal, 'did you mean "blur"');
  await assertRejects(with_("image.occlusion=1.5"), Refusal, "its severity must be 0 to 1");
  await assertRejects(with_("image=3"), Refusal, "write it as audio.snr=-5");
  await assertRejects(with_("image.blur="), Refusal, "write it as audio.snr=-5");
  await assertRejects(with_("image.blur=many"), Refusal, "write it as audio.snr=-5");
  await assertRejects(with_("", "audio=2"), Refusal, "its share of samples must be 0 to 1: found 2");
  await assertRejects(with_("", "sound=0.2"), Refusal, "the dataset must have the modality");
  await assertRejects(with_("", "audio=0.2,audio=0.3"), Refusal, "a modality must have one share");
});

Deno.test("dataset corrupted: av-digits with sound lost in training alone, by name and options", async () => {
  const loaded = await part.load({
    of: { name: "av-digits", options: { size: "mini" } },
    at: "train",
    drop: "audio=0.7",
  });
  const { train, validation, test } = loaded.splits;
  assertEquals(test.present, undefined);
  const lost = (present: Uint8Array) => present.filter((flag, i) => i % 2 === 0 && flag === 0).length;
  // Binomial: 700 of 1,000 with a standard deviation of 14.5, 140 of 200 with 6.5.
  assert(Math.abs(lost(train.present!) - 700) < 60, `${lost(train.present!)}`);
  assert(Math.abs(lost(validation.present!) - 140) < 26, `${lost(validation.present!)}`);
});
