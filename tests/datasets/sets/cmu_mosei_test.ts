/** CMU-MOSEI as aligned features: arrays of each split. */
import { join } from "node:path";
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { float32, int32 } from "../../../core/program.ts";
import { Random } from "../../../core/random.ts";
import { Refusal } from "../../../core/refusal.ts";
import { cmuMosei, files, listSet, roundedEven, sentimentOf } from "../../../datasets/mod.ts";
import { prepareSet } from "../../../experiments/prepare_set.ts";
import { encodeNpy } from "../../../formats/mod.ts";
import { part } from "../../../experiments/mod.ts";
import { inFolder } from "../../helpers/cli.ts";
import { trainsOn } from "../../helpers/set_runs.ts";
import { data, put } from "../../helpers/sets.ts";
import { stored } from "../../helpers/zip.ts";

/** Scores that training has; the others have the first of them. */
const SCORES = [-3, -2.5, -1.5, -1, -1 / 3, 0, 0.5, 1, 1.5, 2, 2.5, 3.5];
const SHAPES = { audio: [4, 3], text: [4, 5], vision: [4, 2] } as const;

/** Texts as NumPy saves them (`<U3`), which no encoder here writes. */
function npyTexts(texts: readonly string[]): Uint8Array {
  const width = Math.max(...texts.map(({ length }) => length));
  const head = `{'descr': '<U${width}', 'fortran_order': False, 'shape': (${texts.length},), }`;
  const padded = head.padEnd(117) + "\n";
  const bytes = new Uint8Array(128 + 4 * width * texts.length);
  bytes.set(
    [0x93, ...new TextEncoder().encode("NUMPY"), 1, 0, 118, 0, ...new TextEncoder().encode(padded)].slice(0, 128),
  );
  const view = new DataView(bytes.buffer);
  texts.forEach((text, n) => {
    for (let k = 0; k < text.length; k++) view.setUint32(128 + 4 * (n * width + k), text.charCodeAt(k), true);
  });
  return bytes;
}

/** Arrays of a split. */
function arraysOf(size: number, seed: number): Record<string, Uint8Array> {
  const random = new Random(seed);
  const arrays: Record<string, Uint8Array> = {};
  for (const [name, [window, width]] of Object.entries(SHAPES)) {
    const values = Float32Array.from({ length: size * window * width }, () => random.normal());
    arrays[name] = encodeNpy(float32(values, [size, window, width]));
  }
  const scores = Float32Array.from({ length: size }, (_, n) => SCORES[n % SCORES.length]);
  arrays.labels = encodeNpy(float32(scores, [size, 1, 1]));
  return arrays;
}

async function written(root: string): Promise<void> {
  for (const [k, [split, size]] of Object.entries({ train: 24, valid: 12, test: 12 }).entries()) {
    for (const [name, bytes] of Object.entries(arraysOf(size, k))) await put(join(root, split, `${name}.npy`), bytes);
    await put(
      join(root, split, "id.npy"),
      npyTexts(
        Array.from({ length: size }, (_, n) => `${split.slice(0, 2)}${n >> 1}${split === "valid" ? `$_$${n}` : ""}`),
      ),
    );
  }
}

Deno.test("roundedEven() and sentimentOf() are Acc-7's and Acc-2's classes; zeros as is asked", () => {
  assertEquals([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 0.49, 2.51].map(roundedEven).map((own) => own + 0), [
    -2,
    -2,
    0,
    0,
    2,
    2,
    0,
    3,
  ]);
  const seven = SCORES.map((score) => sentimentOf(score, { classes: "7", zero: "non-negative" }));
  assertEquals(seven, ["-3", "-2", "-2", "-1", "0", "0", "0", "1", "2", "2", "2", "3"]);
  const two = (zero: "non-negative" | "left out") =>
    [-1 / 3, 0, 0.5].map((own) => sentimentOf(own, { classes: "2", zero }));
  assertEquals(two("non-negative"), ["negative", "non-negative", "non-negative"]);
  assertEquals(two("left out"), ["negative", null, "positive"]);
});

Deno.test("cmu-mosei: samples of each split, videos as groups; seven classes in their order, zeros left out where asked", async () => {
  await inFolder(async (folder) => {
    await put(join(folder, "mosei_senti_data.pkl"), Uint8Array.of(0x80, 4));
    await assertRejects(
      () => listSet(cmuMosei, folder),
      Refusal,
      "a .pkl is unpacked by the lines in docs/datasets.md",
    );
    // What these lines write.
    await written(folder);
    const { samples, classes, notes, official } = await listSet(cmuMosei, folder);
    assertEquals([samples.length, classes, official?.name], [48, ["negative", "non-negative"], "MulT"]);
    assertEquals(samples[3], {
      id: "train 3",
      label: "negative",
      split: "train",
      group: "tr1",
      files: { audio: "train/audio.npy#3", text: "train/text.npy#3", vision: "train/vision.npy#3" },
    });
    assertEquals(samples[27].group, "va1");
    assertEquals(notes, ["4 scores are outside of [-3, 3], and taken as its ends"]);
    const seven = await listSet(cmuMosei, folder, { classes: "7" });
    assertEquals(seven.classes, ["-3", "-2", "-1", "0", "1", "2", "3"]);
    const without = await listSet(cmuMosei, folder, { zero: "left out" });
    assertEquals([without.samples.length, without.classes, without.official], [44, ["negative", "positive"], null]);
    assertEquals(without.notes[0], "4 samples with a score of 0 are left out");
  });
});

Deno.test("cmu-mosei: rows are those of the arrays; with lengths they end at the window's end, and length 0 is a gap; infinities of audio are 0", async () => {
  await inFolder(async (folder) => {
    const [from, to] = [join(folder, "from"), join(folder, "to")];
    await written(from);
    const audio = Float32Array.from({ length: 24 * 12 }, (_, i) => i);
    audio[12] = -Infinity;
    await put(join(from, "train", "audio.npy"), encodeNpy(float32(audio, [24, 4, 3])));
    const lengths = Int32Array.from({ length: 24 }, (_, n) => n === 2 ? 3 : n === 5 ? 0 : 4);
    await put(join(from, "train", "audio_lengths.npy"), encodeNpy(int32(lengths, [24])));
    await prepareSet(await listSet(cmuMosei, from), to, { readers: 0, incomplete: true });
    const { modalities, splits: { train } } = await files.load({ path: to });
    assertEquals(Object.values(modalities).map(({ shape }) => shape), Object.values(SHAPES).map((shape) => [...shape]));
    const row = (n: number) => [...train.inputs.audio.subarray(12 * n, 12 * n + 12)];
    assertEquals(row(0), [...audio.subarray(0, 12)]);
    assertEquals(row(1), [0, ...audio.subarray(13, 24)]);
    assertEquals(row(2), [0, 0, 0, ...audio.subarray(24, 33)]);
    assertEquals([...train.present!.subarray(15, 18)], [0, 1, 1]);
  });
});

Deno.test("cmu-mosei: one .npz for each split; arrays that do not fit are refused", async () => {
  await inFolder(async (folder) => {
    for (const [k, split] of ["train", "test"].entries()) {
      const arrays = arraysOf(24, k);
      const named = Object.fromEntries(Object.entries(arrays).map(([name, bytes]) => [`${name}.npy`, bytes]));
      await put(join(folder, `${split}.npz`), stored(named));
    }
    const { samples } = await listSet(cmuMosei, folder);
    assertEquals(samples[0].files.text, "train.npz#text#0");
    await prepareSet(await listSet(cmuMosei, folder), join(folder, "to"), { readers: 0 });
    assertEquals((await files.load({ path: join(folder, "to") })).splits.test.size, 24);

    await written(folder);
    const at = (name: string) => join(folder, "train", `${name}.npy`);
    const refused = async (name: string, bytes: Uint8Array, text: string) => {
      const kept = await Deno.readFile(at(name)).catch(() => null);
      await put(at(name), bytes);
      const { message } = await assertRejects(() => listSet(cmuMosei, folder), Refusal);
      assertStringIncludes(message, text);
      if (kept === null) await Deno.remove(at(name));
      else await put(at(name), kept);
    };
    const floats = (size: number, shape: number[]) => encodeNpy(float32(new Float32Array(size), shape));
    await refused(
      "vision",
      floats(23 * 8, [23, 4, 2]),
      "of the 24 samples that train/labels.npy has: found [23, 4, 2]",
    );
    await refused("vision", floats(24, [24, 1]), "its shape must be [N, T, d]");
    await refused("labels", encodeNpy(float32(new Float32Array(24).fill(NaN), [24])), "sample 0 has NaN");
    await refused("labels", floats(48, [24, 2]), "it must hold a number a sample: found shape [24, 2]");
    await refused(
      "text_lengths",
      encodeNpy(int32(new Int32Array(24).fill(5), [24])),
      "24 integers of 0..4: sample 0 has 5",
    );
    await refused("id", npyTexts(["a", "b"]), "it must name the video of each of the 24 samples: found shape [2]");
    await Deno.remove(at("audio"));
    const { message } = await assertRejects(() => listSet(cmuMosei, folder), Refusal);
    assertStringIncludes(message, "as it must hold train/audio.npy");
  });
});

Deno.test("armlab data cmu-mosei: verify tells what is wrong, prepare what it leaves out, bench trains on three modalities", async () => {
  await inFolder(async (folder) => {
    const [from, to] = [join(folder, "from"), join(folder, "cmu-mosei")];
    await written(from);
    const vision = new Float32Array(12 * 8);
    vision[9] = NaN;
    await put(join(from, "test", "vision.npy"), encodeNpy(float32(vision, [12, 4, 2])));
    const given = ["cmu-mosei", "--from", from, "--readers", "0", "--set", "cmu-mosei.classes=7"];
    const verify = await data("verify", ...given);
    assertEquals(verify.code, 1);
    assertStringIncludes(verify.out, "Problem: sample test 1 cannot be read: ");
    assertStringIncludes(verify.out, "every value must be a finite number: it has NaN at position 1");
    assertStringIncludes(verify.out, "numbers differ from MulT's");
    const prepared = await data("prepare", ...given, "--to", to, "--skip-broken");
    assertEquals(prepared.code, 0, prepared.out);
    assertStringIncludes(prepared.out, "CMU-MOSEI: 47 samples written to");
    await trainsOn(to, folder, part("gru", { width: 8 }));
  });
});
