import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { type AugmentationPlugin, type ModalityInfo, use } from "../../core/mod.ts";
import { Random } from "../../core/random.ts";
import { Refusal } from "../../core/refusal.ts";
import {
  Augmenter,
  builtinAugmentations,
  colourJitter,
  flip,
  mixup,
  randomCrop,
  specAugment,
  timeShift,
  tokenDropout,
} from "../../augment/mod.ts";
import { leadingShare } from "../../augment/mixup.ts";
import { stretched } from "../../augment/random_crop.ts";
import { assertClose } from "../helpers/tensors.ts";

const float = (...shape: number[]): ModalityInfo => ({ shape, dtype: "float32", about: "test" });
const infos = {
  image: float(6, 8, 3),
  audio: float(20, 10, 1),
  text: { shape: [30], dtype: "int32", vocabulary: 50, about: "test" } as ModalityInfo,
};
const sized = (info: ModalityInfo) => info.shape.reduce((product, extent) => product * extent, 1);
const random = new Random(0);
const drawn = (info: ModalityInfo) =>
  info.vocabulary === undefined
    ? Float32Array.from({ length: sized(info) }, () => random.normal())
    : Int32Array.from({ length: sized(info) }, () => 1 + random.integer(49));

/** Values after an augmentation alone. */
function applied(plugin: AugmentationPlugin, options: Record<string, unknown>, modality: keyof typeof infos, key = 0) {
  const values = drawn(infos[modality]);
  const before = values.slice();
  plugin.create({ modality, ...options }, infos[modality]).apply!(values, new Random(1).split(key));
  return { before, after: values };
}

Deno.test("every augmentation keeps the values finite and in range, and is a function of its stream", () => {
  for (const plugin of builtinAugmentations) {
    const name = Object.keys(infos).find((own) =>
      plugin.refuses(infos[own as "image"], { modality: own }) === null
    ) as keyof typeof infos;
    const own = plugin.create({ modality: name }, infos[name]);
    if (own.apply === undefined) continue;
    const values = drawn(infos[name]);
    const runs = [5, 5, 6].map((key) => {
      const copy = values.slice();
      own.apply!(copy, new Random(2).split(key));
      assert(copy.every(Number.isFinite));
      return copy;
    });
    assertEquals(runs[0], runs[1]);
  }
});

Deno.test("flip mirrors rows of pixels, twice is nothing; probability 0 does nothing", () => {
  const { before, after } = applied(flip, { p: 1 }, "image");
  assertEquals([...after.subarray(0, 3)], [...before.subarray(21, 24)]);
  const again = after.slice();
  flip.create({ modality: "image", p: 1 }, infos.image).apply!(again, new Random(0));
  assertEquals(again, before);
  const none = applied(flip, { p: 0 }, "image");
  assertEquals(none.after, none.before);
});

Deno.test("random-crop of the whole picture is the picture; of a slope it is a slope", () => {
  const values = drawn(infos.image) as Float32Array;
  const before = values.slice();
  stretched(values, [6, 8, 3], { top: 0, left: 0, height: 6, width: 8 });
  assertClose([...values], [...before], 1e-6);
  const slope = Float32Array.from({ length: 48 }, (_, i) => i % 8);
  stretched(slope, [6, 8, 1], { top: 1, left: 2, height: 3, width: 4 });
  // Pixel x of the result lies at 2 + (x + 0.5) / 2 - 0.5.
  assertClose([...slope.subarray(0, 8)], Array.from({ length: 8 }, (_, x) => 1.75 + x / 2), 1e-6);
});

Deno.test("colour-jitter alone in brightness adds one number; in saturation it keeps grey; strengths of 0 do nothing", () => {
  const bright = applied(colourJitter, { brightness: 1, contrast: 0, saturation: 0 }, "image");
  const added = [...bright.after].map((value, i) => value - bright.before[i]);
  assertClose(added, added.map(() => added[0]), 1e-5);
  assert(Math.abs(added[0]) > 1e-3);
  const coloured = applied(colourJitter, { brightness: 0, contrast: 0, saturation: 1 }, "image");
  const grey = (values: ArrayLike<number>, p: number) => values[3 * p] + values[3 * p + 1] + values[3 * p + 2];
  assertClose([grey(coloured.after, 7)], [grey(coloured.before, 7)], 1e-5);
  assertNotEquals(coloured.after, coloured.before);
  const none = applied(colourJitter, { brightness: 0, contrast: 0, saturation: 0 }, "image");
  assertClose([...none.after], [...none.before], 1e-6);
});

Deno.test("flip, random-crop and colour-jitter change all frames of a film alike", () => {
  const film = float(3, ...infos.image.shape);
  const picture = drawn(infos.image) as Float32Array;
  for (const plugin of [flip, randomCrop, colourJitter]) {
    const options = { modality: "image", ...plugin === flip ? { p: 1 } : {} };
    assertEquals(plugin.refuses(film, options), null);
    const frames = new Float32Array(3 * picture.length);
    for (let t = 0; t < 3; t++) frames.set(picture, t * picture.length);
    const alone = picture.slice();
    plugin.create(options, infos.image).apply!(alone, new Random(4));
    assertNotEquals(alone, picture);
    plugin.create(options, film).apply!(frames, new Random(4));
    for (let t = 0; t < 3; t++) {
      assertClose([...frames.subarray(t * picture.length, (t + 1) * picture.length)], [...alone], 1e-5);
    }
  }
  assertEquals(specAugment.refuses(film, { modality: "image" }), "it takes spectrograms [T, bands]");
});

Deno.test("flip of optical flow turns the movement across around, not that down", () => {
  // Two pixels of a row, across and down; no movement is 0.5 and 7.
  const info = { ...float(1, 2, 2), noMovement: [0.5, 7] };
  const values = Float32Array.of(2, 3, -1, 4);
  flip.create({ modality: "image", p: 1 }, info).apply!(values, new Random(0));
  assertEquals([...values], [2, 4, -1, 3]);
  flip.create({ modality: "image", p: 1 }, { ...info, shape: [1, 1, 2, 2] }).apply!(values, new Random(0));
  assertEquals([...values], [2, 3, -1, 4]);
});

Deno.test("spec-augment sets stretches to the mean and leaves the rest; time-shift turns frames around", () => {
  const { before, after } = applied(specAugment, { masks: 1 }, "audio", 3);
  const mean = [...before].reduce((sum, value) => sum + value, 0) / before.length;
  const changed = [...after.keys()].filter((i) => after[i] !== before[i]);
  assert(changed.length > 0 && changed.every((i) => Math.abs(after[i] - mean) < 1e-5));
  assert(changed.length <= 4 * 10 + 2 * 20);
  const shifted = applied(timeShift, { most: 0.2 }, "audio", 1);
  const by = Array.from({ length: 20 }, (_, k) => k).find((k) => shifted.after[k * 10] === shifted.before[0])!;
  assert(by <= 4 || by >= 16);
  const turned = Array.from({ length: 200 }, (_, i) => shifted.before[(i - by * 10 + 200) % 200]);
  assertEquals([...shifted.after], turned);
});

Deno.test("token-dropout makes about p of the tokens padding, never padding a token", () => {
  const { before, after } = applied(tokenDropout, { p: 0.5 }, "text");
  const gone = [...after.keys()].filter((i) => after[i] !== before[i]);
  assert(gone.length > 5 && gone.length < 25 && gone.every((i) => after[i] === 0));
});

Deno.test("mixup: shares are Beta(alpha + 1, alpha): mean (alpha + 1) / (2 alpha + 1); all modalities mix alike", () => {
  for (const alpha of [0.2, 1, 3]) {
    const stream = new Random(7);
    let sum = 0;
    for (let i = 0; i < 4000; i++) sum += leadingShare(alpha, stream);
    assertClose([sum / 4000], [(alpha + 1) / (2 * alpha + 1)], 0.015);
  }
  const augmenter = new Augmenter({ parts: [use(mixup, { modality: "", alpha: 1 })], seed: 3 }, infos, 100);
  assertEquals(augmenter.mixture("image", 2, 17), augmenter.mixture("audio", 2, 17));
  assertEquals(augmenter.mixture("text", 2, 17), null);
  assertNotEquals(augmenter.mixture("image", 2, 17), augmenter.mixture("image", 3, 17));
});

Deno.test("Augmenter: draws follow seed, epoch, sample and modality, whatever came before; misfits are refused", () => {
  const parts = [
    use(flip, { modality: "image", p: 0.5 }),
    use(randomCrop, { modality: "image", least: 0.3, stretch: 2 }),
  ];
  const values = drawn(infos.image) as Float32Array;
  const after = (seed: number, epoch: number, sample: number, before: number) => {
    const augmenter = new Augmenter({ parts, seed }, infos, 100);
    for (let i = 0; i < before; i++) augmenter.apply("image", values.slice(), epoch, i);
    const copy = values.slice();
    augmenter.apply("image", copy, epoch, sample);
    return [...copy];
  };
  assertEquals(after(1, 2, 3, 0), after(1, 2, 3, 5));
  for (const other of [after(2, 2, 3, 0), after(1, 3, 3, 0), after(1, 2, 4, 0)]) {
    assertNotEquals(other, after(1, 2, 3, 0));
  }
  const refused = (plugin: AugmentationPlugin, modality: string, says: string) =>
    assertThrows(
      () => new Augmenter({ parts: [use(plugin, { modality })], seed: 0 }, infos, 10),
      Refusal,
      says,
    );
  refused(flip, "", "it must be said which modality it is for: there are audio, image, text; write it as audio=flip");
  refused(flip, "video", 'its modality must be there: found "video"; there are audio, image, text');
  refused(tokenDropout, "audio", 'augment by "token-dropout" modality "audio": it takes token ids');
  refused(specAugment, "text", "it takes numbers, not ids");
});
