import { join } from "node:path";
import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertNotEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { float32, type HostTensor, int32 } from "../../core/mod.ts";
import type { Dataset } from "../../core/kinds/mod.ts";
import { Random } from "../../core/random.ts";
import { Refusal } from "../../core/refusal.ts";
import { describe, files, findings, fingerprintOf, inspect, selectModalities } from "../../datasets/mod.ts";
import { dealt, joined } from "../../datasets/files/splits.ts";
import { encodeNpy } from "../../formats/mod.ts";
import { encodeSafetensors } from "../../formats/safetensors.ts";
import { inFolder } from "../helpers/cli.ts";
import { assertClose } from "../helpers/tensors.ts";

const N = 60;
const random = new Random(1);
const draw = (...shape: number[]) =>
  float32(Array.from({ length: shape.reduce((a, b) => a * b) }, () => random.normal()), shape);
const labels = int32(Array.from({ length: N }, (_, n) => n % 3), [N]);

/** Writes files into a folder: tensors as `.npy`, texts as they are. */
async function write(folder: string, content: Record<string, HostTensor | string | Uint8Array>): Promise<string> {
  const own = await Deno.makeTempDir({ dir: folder });
  for (const [name, value] of Object.entries(content)) {
    const path = join(own, name);
    await Deno.mkdir(join(path, ".."), { recursive: true });
    const bytes = typeof value === "string"
      ? new TextEncoder().encode(value)
      : value instanceof Uint8Array
      ? value
      : encodeNpy(value);
    await Deno.writeFile(path, bytes);
  }
  return own;
}

const load = (path: string): Promise<Dataset> => Promise.resolve(files.load({ path }));

/** A table of two modalities of two columns, class by row. */
function csv(rows: number, change: (cells: string[], n: number) => string[] = (cells) => cells): string {
  const drawn = new Random(2);
  const lines = Array.from({ length: rows }, (_, n) => {
    const values = Array.from({ length: 4 }, () => drawn.normal().toFixed(3));
    return change([["a", "b", "c"][n % 3], ...values], n).join(",");
  });
  return ["label,audio_0,audio_1,image_0,image_1", ...lines].join("\n") + "\n";
}

const sizes = ({ splits }: Dataset) => [splits.train.size, splits.validation.size, splits.test.size];

Deno.test("files: a folder of .npy, a .safetensors file and a table are read as what they are, by name, shape and type", async () => {
  await inFolder(async (folder) => {
    const arrays = {
      labels,
      audio: draw(N, 5),
      clip: draw(N, 6, 4),
      "clip.lengths": int32(Array.from({ length: N }, (_, n) => 1 + n % 6), [N]),
      picture: draw(N, 8, 8, 3),
      planes: draw(N, 2, 8, 9),
      words: int32(Array.from({ length: N * 4 }, (_, k) => 1 + k % 9), [N, 4]),
      age: draw(N),
    };
    const own = await write(folder, Object.fromEntries(Object.entries(arrays).map(([name, x]) => [`${name}.npy`, x])));
    const one = join(folder, "all.safetensors");
    await Deno.writeFile(one, Uint8Array.from(encodeSafetensors(arrays).flatMap((chunk) => [...chunk])));
    for (const path of [own, one]) {
      const { spec } = await describe(path);
      const kinds = Object.fromEntries(Object.entries(spec.modalities).map(([name, { kind }]) => [name, kind]));
      assertEquals(kinds, {
        age: "vector",
        audio: "vector",
        clip: "sequence",
        picture: "image",
        planes: "image",
        words: "tokens",
      });
      const { modalities, splits, classes } = await load(path);
      assertEquals(modalities["picture"].shape, [8, 8, 3]);
      assertEquals(modalities["planes"].shape, [8, 9, 2]);
      assertEquals(modalities["age"].shape, [1]);
      assertEquals(modalities["words"], { ...modalities["words"], shape: [4], dtype: "int32", vocabulary: 10 });
      assertEquals(classes, ["0", "1", "2"]);
      assertEquals(splits.train.size + splits.validation.size + splits.test.size, N);
    }
    const [a, b] = [await load(own), await load(one)];
    assertEquals(a.fingerprint, b.fingerprint);
    assertEquals(a.splits, b.splits);
  });
});

Deno.test("files: values are standardised by the training split alone, per coordinate, channel and frame", async () => {
  await inFolder(async (folder) => {
    const audio = draw(N, 3);
    const path = await write(folder, {
      "labels.npy": labels,
      "audio.npy": { ...audio, data: (audio.data as Float32Array).map((value, k) => 100 * (k % 3) + 10 * value) },
      "planes.npy": draw(N, 2, 5, 5),
      "constant.npy": float32(new Array(N).fill(7), [N]),
    });
    const { splits } = await load(path);
    const column = (k: number) => splits.train.inputs["audio"].filter((_, i) => i % 3 === k);
    for (const k of [0, 1, 2]) {
      const values = [...column(k)];
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      assertAlmostEquals(mean, 0, 1e-5);
      assertAlmostEquals(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length, 1, 1e-4);
    }
    assert([...splits.test.inputs["audio"]].every(Number.isFinite));
    assertEquals(new Set(splits.train.inputs["constant"]), new Set([0]));
    // Another test split leaves what training sees as it is: validation and test are not looked at.
    const { spec, kept } = await describe(path);
    await Deno.writeTextFile(
      kept,
      JSON.stringify({ ...spec, modalities: { planes: { ...spec.modalities["planes"], scale: "none" } } }),
    );
    const raw = await load(path);
    const first = raw.splits.train.inputs["planes"];
    assertNotEquals(first, splits.train.inputs["planes"]);
    assertEquals(raw.modalities["planes"].shape, [5, 5, 2]);
  });
});

Deno.test("files: [N, c, H, W] becomes [N, H, W, c]; sequences end at the end of the window and are 0 before", async () => {
  await inFolder(async (folder) => {
    // Value 100 channel + 10 row + column, so that each place is known.
    const planes = float32(
      Array.from({ length: N * 8 }, (_, k) => 100 * (Math.floor(k / 4) % 2) + 10 * (Math.floor(k / 2) % 2) + k % 2),
      [N, 2, 2, 2],
    );
    const clip = float32(Array.from({ length: N * 6 }, (_, k) => 1 + k % 6), [N, 3, 2]);
    const lengths = int32(Array.from({ length: N }, (_, n) => n % 4), [N]);
    const path = await write(folder, {
      "labels.npy": labels,
      "noise.npy": draw(N, 2),
      "planes.npy": planes,
      "clip.npy": clip,
      "clip_lengths.npy": lengths,
    });
    const { spec, kept } = await describe(path);
    const plain = Object.fromEntries(
      Object.entries(spec.modalities).map(([name, own]) => [name, { ...own, scale: "none", channels: "first" }]),
    );
    await Deno.writeTextFile(
      kept,
      JSON.stringify({ ...spec, modalities: plain, split: { shares: [1, 1, 1], seed: 3 } }),
    );
    const { splits, modalities } = await load(path);
    assertEquals([...splits.train.inputs["planes"].subarray(0, 8)], [0, 100, 1, 101, 10, 110, 11, 111]);
    assertEquals(Object.keys(modalities).sort(), ["clip", "noise", "planes"]);
    const seen = new Set<string>();
    for (const { inputs, size, present } of Object.values(splits)) {
      for (let n = 0; n < size; n++) {
        const row = inputs["clip"].subarray(n * 6, n * 6 + 6).join();
        seen.add(row);
        // A sequence of length 0 is a sample that lacks the modality.
        assertEquals(present![n * 3] === 0, row === "0,0,0,0,0,0");
      }
    }
    assertEquals([...seen].sort(), ["0,0,0,0,0,0", "0,0,0,0,1,2", "0,0,1,2,3,4", "1,2,3,4,5,6"]);
  });
});

Deno.test("files: empty cells and rows of NaN are modalities that a sample lacks, kept as masks", async () => {
  await inFolder(async (folder) => {
    const lost = csv(N, (cells, n) => n % 5 === 2 ? [...cells.slice(0, 3), "", "NA"] : cells);
    const path = join(await write(folder, { "t.csv": lost }), "t.csv");
    const { splits } = await load(path);
    const present = Object.values(splits).flatMap((split) => [...split.present!]);
    assertEquals(present.filter((there) => there === 0).length, 12);
    assert(present.filter((_, k) => k % 2 === 0).every((there) => there === 1), "audio is always there");
    const { train } = splits;
    for (let n = 0; n < train.size; n++) {
      const zero = train.inputs["image"].subarray(2 * n, 2 * n + 2).every((value) => value === 0);
      assertEquals(zero, train.present![2 * n + 1] === 0);
    }
    assertEquals((await load(join(await write(folder, { "t.csv": csv(N) }), "t.csv"))).splits.train.present, undefined);
  });
});

Deno.test("dealt() deals large groups first, so that small ones fill what is left to the sample", () => {
  const groups = Int32Array.from({ length: 60 }, (_, n) => Math.max(0, n - 19)); // one of 20, forty of one
  for (let seed = 0; seed < 10; seed++) {
    const split = dealt(new Int32Array(60), groups, [0.5, 0.25, 0.25], new Random(seed));
    assertEquals([0, 1, 2].map((own) => split.filter((k) => k === own).length), [30, 15, 15]);
    assertEquals([...split.subarray(0, 20)], new Array(20).fill(0));
  }
});

Deno.test("dealt() keeps groups together and classes in their shares; joined() puts groups that share a sample together", () => {
  const classes = Int32Array.from({ length: 100 }, (_, n) => n % 2);
  const alone = Int32Array.from({ length: 100 }, (_, n) => n);
  const split = dealt(classes, alone, [0.7, 0.1, 0.2], new Random(0));
  for (const label of [0, 1]) {
    const counts = [0, 0, 0];
    split.forEach((own, n) => classes[n] === label && counts[own]++);
    assertEquals(counts, [35, 5, 10]);
  }
  const groups = Int32Array.from({ length: 100 }, (_, n) => Math.floor(n / 4));
  const grouped = dealt(classes, groups, [0.7, 0.1, 0.2], new Random(0));
  for (let n = 0; n < 100; n++) assertEquals(grouped[n], grouped[4 * Math.floor(n / 4)]);
  assertEquals(grouped, dealt(classes, groups, [0.7, 0.1, 0.2], new Random(0)));
  assertNotEquals(grouped, dealt(classes, groups, [0.7, 0.1, 0.2], new Random(1)));
  // Of equals the first: training.
  assertEquals([...dealt(Int32Array.of(0), [0], [0.4, 0.4, 0.2], new Random(0))], [0]);
  // A rare class is trained on before it is tested.
  assertEquals([...dealt(Int32Array.of(0), [0], [0.7, 0.1, 0.2], new Random(0))], [0]);
  const together = joined([["a", "a", "b", "c"], ["x", "y", "y", "z"]]);
  assertEquals([together[0], together[1], together[2]], [together[0], together[0], together[0]]);
  assertNotEquals(together[3], together[0]);
});

Deno.test("files: copies of a sample stay in one split; a given split is taken, validation carved from training", async () => {
  await inFolder(async (folder) => {
    const half = draw(N / 2, 4).data as Float32Array;
    const path = await write(folder, {
      "label.npy": int32(Array.from({ length: N }, (_, n) => n % 30 % 3), [N]),
      "audio.npy": float32([...half, ...half], [N, 4]),
    });
    const found = (await findings(await load(path))).map(({ about }) => about);
    assertEquals(found, ["30 samples are copies of another in their own split"]);

    const split = Array.from({ length: N }, (_, n) => n < 40 ? "Train" : n < 50 ? "dev" : "TEST");
    const given = csv(N).split("\n").map((line, n) =>
      n === 0 ? `${line},split` : n > N ? line : `${line},${split[n - 1]}`
    );
    const whole = await load(join(await write(folder, { "t.csv": given.join("\n") }), "t.csv"));
    assertEquals(sizes(whole), [40, 10, 10]);
    const carved = given.map((line) => line.replace(/dev$/, "train"));
    const { dataset, notes } = await inspect(join(await write(folder, { "t.csv": carved.join("\n") }), "t.csv"));
    assertEquals(dataset.splits.test.size, 10);
    // An eighth of fifty, in equal shares of three classes of 17, 17 and 16.
    assertEquals(sizes(dataset), [44, 6, 10]);
    assertStringIncludes(notes.join(), "validation: an eighth of training by seed 0");
    assertEquals(dataset.splits.test.labels, whole.splits.test.labels);
  });
});

Deno.test("files: folders and files named by split, in any usual spelling", async () => {
  await inFolder(async (folder) => {
    const part = (size: number) => ({
      labels: int32(Array.from({ length: size }, (_, n) => n % 3), [size]),
      audio: draw(size, 4),
    });
    const parts = { train: part(30), val: part(9), test: part(12) };
    const folders = await write(
      folder,
      Object.fromEntries(
        Object.entries(parts).flatMap(([name, own]) =>
          Object.entries(own).map(([array, value]) => [`${name}/${array}.npy`, value])
        ),
      ),
    );
    const single = await write(
      folder,
      Object.fromEntries(
        Object.entries(parts).map(([name, own]) => [
          `${name}.safetensors`,
          Uint8Array.from(encodeSafetensors(own).flatMap((chunk) => [...chunk])),
        ]),
      ),
    );
    for (const path of [folders, single]) assertEquals(sizes(await load(path)), [30, 9, 12]);
    assertEquals((await load(folders)).fingerprint, (await load(single)).fingerprint);
    await Deno.remove(join(folders, "val"), { recursive: true });
    assertEquals(sizes(await load(folders)), [27, 3, 12]);
  });
});

Deno.test("files: the fingerprint follows the content, wherever it lies", async () => {
  await inFolder(async (folder) => {
    const text = csv(N);
    const [a, b] = [await write(folder, { "t.csv": text }), await write(folder, { "t.csv": text })];
    const first = await load(join(a, "t.csv"));
    assertEquals(first.fingerprint, (await load(join(b, "t.csv"))).fingerprint);
    const cell = text.split("\n")[5].split(",")[2];
    await Deno.writeTextFile(join(b, "t.csv"), text.replace(cell, "9.125"));
    assertNotEquals((await load(join(b, "t.csv"))).fingerprint, first.fingerprint);
    // A mask counts too: a value of 0 is not one that is missing.
    const zero = csv(N, (cells, n) => n === 4 ? [...cells.slice(0, 3), "0", "0"] : cells);
    const none = csv(N, (cells, n) => n === 4 ? [...cells.slice(0, 3), "", ""] : cells);
    const prints = await Promise.all([zero, none].map(async (own) => {
      const path = join(await write(folder, { "t.csv": own }), "t.csv");
      return (await load(path)).fingerprint;
    }));
    assertNotEquals(prints[0], prints[1]);
    const { splits, modalities } = await load(join(a, "t.csv"));
    const masked = { ...splits, train: { ...splits.train, present: new Uint8Array(2 * splits.train.size).fill(1) } };
    assertNotEquals(await fingerprintOf(masked), await fingerprintOf(splits));
    const turned = { ...modalities, audio: { ...modalities["audio"], shape: [1, 2] } };
    assertNotEquals(await fingerprintOf(splits, turned), await fingerprintOf(splits, modalities));
  });
});

Deno.test("files: dataset.json is written as guessed, and what it says is done", async () => {
  await inFolder(async (folder) => {
    const path = join(await write(folder, { "t.csv": csv(N) }), "t.csv");
    const { json, described } = await inspect(path);
    assert(described.guessed);
    await Deno.writeTextFile(described.kept, json);
    const again = await inspect(path);
    assert(!again.described.guessed);
    assertEquals(again.dataset.fingerprint, (await load(described.kept)).fingerprint);
    const spec = JSON.parse(json);
    assertEquals(spec.seen.shapes, { audio: "[2]", image: "[2]" });
    spec.classes = ["c", "b", "a"];
    spec.modalities = { left: { from: "t.csv#audio_1,image_0", kind: "vector" } };
    await Deno.writeTextFile(described.kept, JSON.stringify(spec));
    const edited = await load(path);
    assertEquals(Object.keys(edited.modalities), ["left"]);
    assertEquals(edited.classes, ["c", "b", "a"]);
    const counts = [0, 1, 2].map((c) => edited.splits.train.labels.filter((label) => label === c).length);
    assertEquals(counts, [14, 14, 14]);
  });
});

Deno.test("files: every wrong dataset.json is one sentence that says where", async () => {
  await inFolder(async (folder) => {
    const path = join(await write(folder, { "t.csv": csv(N) }), "t.csv");
    const { json, described: { kept } } = await inspect(path);
    const says = async (change: (spec: Record<string, unknown>) => unknown, text: string) => {
      const changed = change(JSON.parse(json));
      await Deno.writeTextFile(kept, typeof changed === "string" ? changed : JSON.stringify(changed));
      const error = await assertRejects(() => load(path), Refusal);
      assertStringIncludes(error.message, text);
      assertEquals(error.message.split("\n").length, 1);
    };
    const audio = (from: string) => (spec: Record<string, unknown>) => ({
      ...spec,
      modalities: { audio: { from, kind: "vector" } },
    });
    await Deno.writeFile(join(path, "..", "more.npy"), encodeNpy(draw(N + 1, 2)));
    await says(audio("more.npy"), "a row for each of the 60 labels: found 61; labels [60], audio [61, 2]");
    await says(() => "{", "must be JSON");
    await says((spec) => ({ ...spec, format: 2 }), "its format must be 1: found 2");
    await says((spec) => ({ ...spec, colour: 1 }), "schema");
    await says((spec) => ({ ...spec, classes: ["a"] }), '"classes" must keep to the schema');
    await says((spec) => ({ ...spec, classes: ["a", "a", "b"] }), 'different names: two are "a"');
    await says((spec) => ({ ...spec, modalities: {} }), "there must be a modality");
    await says((spec) => ({ ...spec, modalities: { "a+b": { from: "t.csv#audio_*", kind: "vector" } } }), '"a+b"');
    await says((spec) => ({ ...spec, classes: ["a", "b"] }), 'one of the 2 classes a, b: sample 2 has "c"');
    await says((spec) => ({ ...spec, classes: ["a", "b", "c", "d"] }), 'class "d" is in no sample');
    await says(audio("../x.npy"), "its path leads out of it");
    await says(audio("/etc/passwd"), "its path leads out of it");
    await says(audio("nope.npy"), "nothing is there");
    await says(audio("t.csv#nope_*"), "it must name columns: columns are label, audio_0");
    await says(audio("t.csv#nope"), 'read array "nope"');
    await says(audio("t.csv"), "it must name one array: the file holds label, audio_0");
    await says(audio("t.csv#audio_0,label"), 'its cells must be numbers or empty: row 1 holds "a"');
    await says(
      (spec) => ({ ...spec, modalities: { audio: { from: "t.csv#audio_*", kind: "image" } } }),
      "its shape must be [N, H, W, c]",
    );
    await says((spec) => ({ ...spec, split: { shares: [1, 0, 1], seed: 0 } }), '"split');
    await says(
      (spec) => ({ ...spec, split: { from: "t.csv#label", train: ["a"], validation: ["b"], test: ["c"] } }),
      'class "b" is only in validation',
    );
    await says(
      (spec) => ({ ...spec, split: { from: "t.csv#label", train: ["a", "b"], validation: [], test: [] } }),
      'each value must be one of a, b: sample 2 has "c"',
    );
    await says(
      (spec) => ({ ...spec, groups: "t.csv#label", split: { shares: [7, 1, 2], seed: 0 } }),
      "Cannot use dataset",
    );
  });
});

Deno.test("files: bad data is a precise sentence, never a silent drop", async () => {
  await inFolder(async (folder) => {
    const says = async (content: Record<string, HostTensor | string>, text: string, file = "") => {
      const own = await write(folder, content);
      const error = await assertRejects(() => load(join(own, file)), Refusal, undefined, text);
      assertStringIncludes(error.message, text);
      assertEquals(error.message.split("\n").length, 1);
      for (const word of ["undefined", "[object"]) assert(!error.message.includes(word), error.message);
    };
    const table = (text: string, expected: string) => says({ "t.csv": text }, expected, "t.csv");
    const audio = draw(N, 3);
    const with_ = (k: number, value: number) => ({ ...audio, data: (audio.data as Float32Array).with(k, value) });
    await says({}, "it must hold .npy, .npz");
    await says({ "notes.txt": "x" }, "it must hold .npy, .npz");
    await says({ "audio.npy": audio }, "must be named labels (or label, y, target, class): found audio [60, 3]");
    await says({ "labels.npy": labels }, "there must be a modality beside the labels: found labels [60]");
    await says(
      { "labels.npy": labels, "y.npy": labels, "a.npy": audio },
      "one array must be the labels: found labels.npy and y.npy",
    );
    await says(
      { "labels.npy": labels, "a.npy": draw(N - 1, 3) },
      'a row for each of the 60 labels: "a" has shape [59, 3]; found a [59, 3], labels [60]',
    );
    await says(
      { "labels.npy": labels, "a.npy": with_(16, NaN) },
      "sample 5 has NaN at position 1; a sample that lacks the modality has NaN in all",
    );
    await says({ "labels.npy": labels, "a.npy": with_(16, Infinity) }, "sample 5 has Infinity at position 1");
    await says({ "labels.npy": labels, "a.npy": draw(N, 3, 5, 9, 6) }, "its shape must be [N, d], [N, T, d]");
    await says({ "labels.npy": labels, "a.npy": draw(N, 9, 5, 9) }, "its shape must be [N, d], [N, T, d]");
    await says({ "labels.npy": draw(N), "a.npy": audio }, "they must be integers or texts: sample 0 has");
    await says(
      { "labels.npy": draw(N, 3), "a.npy": audio },
      "they must be a list, one value a sample: found shape [60, 3]; save array.argmax(1)",
    );
    await says(
      { "labels.npy": int32(new Array(N).fill(2), [N]), "a.npy": audio },
      'at least 2 classes, with several samples each: all 60 are "2"',
    );
    await says(
      { "labels.npy": int32(Array.from({ length: N }, (_, n) => n), [N]), "a.npy": audio },
      "60 samples have 60 different labels",
    );
    await says(
      { "labels.npy": int32([0, 1, 0, 1], [4]), "a.npy": draw(4, 2) },
      "every split must hold a sample: validation is empty, of 4 samples",
    );
    await says(
      { "labels.npy": labels, "a.npy": float32(new Array(3 * N).fill(NaN), [N, 3]) },
      "each must have a modality: sample 0 has none",
    );
    await says(
      { "labels.npy": labels, "b.npy": draw(N, 1), "a.npy": float32(new Array(3 * N).fill(NaN), [N, 3]) },
      'modality "a" as some sample must have it',
    );
    await says(
      { "labels.npy": labels, "words.npy": int32(new Array(2 * N).fill(-1), [N, 2]) },
      "ids must be integers >= 0",
    );
    await says(
      { "labels.npy": labels, "a.npy": draw(N, 4, 2), "a_lengths.npy": int32(new Array(N).fill(5), [N]) },
      "they must be 60 integers of 0..4: sample 0 has 5",
    );
    await says({ "labels.npy": labels, "a+b.npy": audio }, 'modality "a+b"');
    await table(csv(N, (cells, n) => n === 7 ? [cells[0], "x", ...cells.slice(2)] : cells), 'column "audio_0" of');
    await table(
      csv(N, (cells, n) => n === 7 ? [cells[0], "", ...cells.slice(2)] : cells),
      "sample 7 has NaN at position 0",
    );
    await table(
      csv(N, (cells, n) => n === 7 ? ["", ...cells.slice(1)] : cells),
      "every sample must have one: sample 7 has none",
    );
    await table(csv(N, (cells, n) => n === 7 ? cells.slice(1) : cells), "line 9 has 4");
    const more = (name: string, value: (n: number) => string) =>
      csv(N).split("\n").map((line, n) => n === 0 ? `${line},${name}` : n > N ? line : `${line},${value(n - 1)}`).join(
        "\n",
      );
    await table(more("id", (n) => String(n % 59)), 'each must stand for one sample: samples 0 and 59 are both "0"');
    await table(
      more("split", (n) => n < 40 ? "train" : n < 50 ? "later" : "test"),
      'train, validation or test: found "later", "test", "train"; write which',
    );
    await table(more("split", () => "train"), "it must name test samples");
    const split = (n: number) => n < 40 ? "train" : n < 50 ? "val" : "test";
    const grouped = more("split", split).split("\n").map((line, n) =>
      n === 0 ? `${line},group` : n > N ? line : `${line},g${(n - 1) % 7}`
    );
    await table(grouped.join("\n"), 'splits must share no group: group "g');
    const rare = more("split", split).split("\n").map((line, n) => n === 55 ? line.replace(/^./, "z") : line);
    await table(rare.join("\n"), 'training must hold every class: class "z" is only in test; leave it out');
  });
});

Deno.test("files: links out of the folder are refused, and so is no path at all", async () => {
  await inFolder(async (folder) => {
    const own = await write(folder, { "labels.npy": labels });
    await Deno.writeFile(join(folder, "secret.npy"), encodeNpy(draw(N, 2)));
    await Deno.symlink("../secret.npy", join(own, "secret.npy"));
    await assertRejects(() => load(own), Refusal, "it is a link out of it");
    await assertRejects(() => load(join(folder, "none")), Refusal, "nothing is there");
    await assertRejects(() => load(""), Refusal, "they must have a path: found none");
  });
});

Deno.test("findings() tells copies across splits, contradicting labels, rare classes and constant modalities", async () => {
  await inFolder(async (folder) => {
    const audio = draw(N, 4).data as Float32Array;
    audio.copyWithin(4 * 50, 0, 4); // sample 50 becomes a copy of sample 0, of another class
    const path = await write(folder, {
      "audio.npy": float32(audio, [N, 4]),
      "labels.npy": labels,
      "flat.npy": float32(new Array(N).fill(1), [N]),
    });
    await Deno.writeTextFile(
      join(path, "split.csv"),
      ["split", ...Array.from({ length: N }, (_, n) => n < 40 ? "train" : n < 48 ? "val" : "test")].join("\n"),
    );
    const found = await findings(await load(path));
    assertEquals(found.map(({ serious }) => serious), [true, false, true]);
    assertStringIncludes(found[0].about, "1 samples are copies of one in another split: train 0 = test 2");
    assertStringIncludes(found[1].about, "1 copies have another label than the first");
    assertStringIncludes(found[2].about, '"flat" has one value, 0, in all of train');
    // Longer than what is read at once, and constant in each half alone.
    const whole = selectModalities(await load(path), ["flat"]);
    const train = (second: number) => ({
      size: 512,
      groups: [],
      labels: Int32Array.from({ length: 512 }, (_, n) => n % 2),
      inputs: { flat: new Float32Array(512).fill(second, 256) },
    });
    const told = async (second: number) =>
      (await findings({ ...whole, splits: { ...whole.splits, train: train(second) } })).map(({ about }) => about)
        .filter((about) => about.includes("has one value"));
    assertEquals(await told(0), ['"flat" has one value, 0, in all of train']);
    assertEquals(await told(1), []);
    assertClose([sizes(await load(path))[0]], [40], 0);
  });
});

Deno.test("files: integer classes in numeric order, bytes of rank 3 as grey pictures, integers as ids where they are named so", async () => {
  await inFolder(async (folder) => {
    const many = int32(Array.from({ length: 120 }, (_, n) => n % 12), [120]);
    const bytes = new Uint8Array(128 + 120 * 12);
    const head = `{'descr': '|u1', 'fortran_order': False, 'shape': (120, 3, 4), }`;
    bytes.set([0x93, ...new TextEncoder().encode("NUMPY"), 1, 0, 118, 0]);
    bytes.set(new TextEncoder().encode(head.padEnd(117) + "\n"), 10);
    for (let k = 0; k < 120 * 12; k++) bytes[128 + k] = k * 7 % 256;
    const path = await write(folder, {
      "labels.npy": many,
      "scan.npy": bytes,
      "counts.npy": int32(Array.from({ length: 240 }, (_, k) => k % 11), [120, 2]),
      "series.npy": draw(120, 5),
      "series_lengths.npy": int32(Array.from({ length: 120 }, (_, n) => 1 + n % 5), [120]),
    });
    const { modalities, classes } = await load(path);
    assertEquals(classes, ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"]);
    assertEquals(modalities["scan"].shape, [3, 4, 1]);
    assertEquals(modalities["counts"].dtype, "float32");
    assertEquals(modalities["series"].shape, [5, 1]);
    const { spec } = await describe(path);
    const kinds = Object.fromEntries(Object.entries(spec.modalities).map(([name, { kind }]) => [name, kind]));
    assertEquals(kinds, { counts: "vector", scan: "image", series: "sequence" });
  });
});

Deno.test("files: every split's content is in the fingerprint; skipBroken leaves rows with infinities out, listed", async () => {
  await inFolder(async (folder) => {
    const given = (n: number) => n < 40 ? "train" : n < 50 ? "val" : "test";
    const text = csv(N).split("\n").map((line, n) =>
      n === 0 ? `${line},split` : n > N ? line : `${line},${given(n - 1)}`
    );
    const prints = new Set<string>();
    for (const changed of [0, 10, 45, 55]) {
      const own = text.map((line, n) => n === changed && n > 0 ? line.replace(/,[^,]*,/, ",8.5,") : line);
      prints.add((await load(join(await write(folder, { "t.csv": own.join("\n") }), "t.csv"))).fingerprint);
    }
    assertEquals(prints.size, 4);
    const broken = text.map((line, n) => n === 8 ? line.replace(/,[^,]*,/, ",1e999,") : line);
    const path = join(await write(folder, { "t.csv": broken.join("\n") }), "t.csv");
    await assertRejects(() => load(path), Refusal, "sample 7 has Infinity at position 0");
    const { dataset, notes } = await inspect(path, true);
    assertEquals(sizes(dataset), [39, 10, 10]);
    assertStringIncludes(notes.join(), '1 of 60 samples are broken and left out: sample 7 ("audio" has Infinity)');
  });
});

Deno.test("findings() tells a sample whose neighbours all have another label, in every modality", async () => {
  await inFolder(async (folder) => {
    const random = new Random(3);
    const rows = Array.from({ length: 80 }, (_, n) => {
      const near = () => (10 * (n % 2) + random.normal()).toFixed(3);
      // Sample 12 lies among the other class in both modalities, sample 33 in one.
      const [a, b] = n === 12 ? ["10.1", "9.9"] : n === 33 ? ["0.1", near()] : [near(), near()];
      return [n % 2, n < 60 ? "train" : n < 70 ? "val" : "test", a, a, b, b].join();
    });
    const path = join(folder, "t.csv");
    await Deno.writeTextFile(path, ["label,split,a_0,a_1,b_0,b_1", ...rows].join("\n"));
    const hints = (await findings(await load(path))).filter(({ about }) => about.includes("look like another class"));
    assertEquals(hints, [{
      serious: false,
      about:
        "1 of 60 samples of train look like another class in every modality of numbers: train 12 (0, beside 1); labels " +
        "may be wrong",
    }]);
  });
});
