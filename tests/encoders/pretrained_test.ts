/** Weights of torchvision's, timm's and Hugging Face's names for encoders of ours. */
import { assert, assertAlmostEquals, assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { EncoderPlugin, ModalityInfo } from "../../core/kinds/mod.ts";
import { float32, type NamedHostTensors } from "../../core/program.ts";
import { Refusal } from "../../core/refusal.ts";
import { bert, mlp, resnet18, vit } from "../../encoders/mod.ts";
import { identity } from "../../encoders/identity.ts";
import { digestOf, readWeights, startFrom, StartValues } from "../../experiments/pretrained.ts";
import { adaptWeights, matchWeights, reportText, torchName, toTorch } from "../../nn/mod.ts";
import { cpu } from "../../engines/mod.ts";
import { writeSafetensors } from "../../store/tensors.ts";
import { inFolder } from "../helpers/cli.ts";
import { hostNoise, startOf } from "../helpers/encoder.ts";
import { assertClose } from "../helpers/tensors.ts";

const image = (side: number, channels: number): ModalityInfo => ({
  shape: [side, side, channels],
  dtype: "float32",
  about: "an image",
});
const text = (length: number): ModalityInfo => ({ shape: [length], dtype: "int32", vocabulary: 11, about: "ids" });

/** An encoder's own start as a file of PyTorch's names would hold it. */
async function foreign(plugin: EncoderPlugin, options: Record<string, unknown>, info: ModalityInfo, prefix = "") {
  const engine = await cpu.create();
  const input = info.dtype === "int32"
    ? { data: new Int32Array(info.shape[0]), shape: [1, ...info.shape], dtype: "int32" as const }
    : hostNoise([1, ...info.shape]);
  const { params, buffers } = startOf(engine, plugin.create(options, info), input);
  await engine.dispose();
  const own = Object.fromEntries(
    Object.entries({ ...params, ...buffers }).map(([name, value]) => [name.slice("encoder:x/".length), value]),
  );
  const named = toTorch(own);
  return {
    own,
    file: Object.fromEntries(Object.entries(named).map(([name, value]) => [prefix + name, value])) as NamedHostTensors,
  };
}

Deno.test("torchvision's names of a ResNet-18 are those of ours, its head and counters are not used", async () => {
  await inFolder(async (folder) => {
    const { own, file } = await foreign(resnet18, { width: 4 }, image(32, 3));
    // As in torchvision's file.
    for (const name of ["conv1.weight", "bn1.running_var", "layer2.0.downsample.0.weight", "layer4.1.bn2.bias"]) {
      assert(name in file, name);
    }
    const path = `${folder}/resnet18.safetensors`;
    await writeSafetensors(path, {
      ...file,
      "fc.weight": float32(new Float32Array(8), [2, 4]),
      "bn1.num_batches_tracked": { data: Int32Array.of(5), shape: [], dtype: "int32" },
    });
    const encoder = resnet18.create({ width: 4 }, image(32, 3));
    const { values, report } = await readWeights(path, "image", encoder, image(32, 3));
    assertEquals(Object.keys(values).length, Object.keys(own).length);
    for (const [name, value] of Object.entries(own)) assertEquals(values[`encoder:image/${name}`], value);
    assertEquals(report.missing, []);
    assertEquals(report.reshaped, []);
    assertEquals(report.unexpected, ["bn1.num_batches_tracked", "fc.weight"]);
    const said = reportText(report);
    assert(said.startsWith(`${Object.keys(own).length} tensors matched`), said);
    assert(said.includes("not used: bn1.num_batches_tracked, fc.weight"), said);

    // One channel: the mean over three, three times as strong, so that a grey image gives what its colours gave.
    const grey = await readWeights(path, "image", resnet18.create({ width: 4 }, image(32, 1)), image(32, 1));
    const [three, one] = [values["encoder:image/conv1/kernel"], grey.values["encoder:image/conv1/kernel"]];
    assertEquals(one.shape, [7, 7, 1, 4]);
    for (let k = 0; k < one.data.length; k++) {
      const [place, out] = [Math.floor(k / 4), k % 4];
      const sum = [0, 1, 2].reduce((total, c) => total + three.data[(place * 3 + c) * 4 + out], 0);
      assertAlmostEquals(one.data[k], sum, 1e-6);
    }
    assertEquals(grey.report.reshaped.map(({ name }) => name), ["conv1/kernel"]);
    // Five channels: each the mean, three fifths as strong.
    const five = await readWeights(path, "image", resnet18.create({ width: 4 }, image(32, 5)), image(32, 5));
    const many = five.values["encoder:image/conv1/kernel"].data;
    assertAlmostEquals([0, 1, 2, 3, 4].reduce((total, c) => total + many[c * 4], 0), one.data[0], 1e-6);
    assertAlmostEquals(many[0], many[4], 1e-7);
  });
});

Deno.test("timm's positions are sampled for another grid of patches, the class token's stays", async () => {
  const options = { patch: 4, width: 4, depth: 1, heads: 2 };
  const { file } = await foreign(vit, options, image(8, 3));
  // A plane over the 2 x 2 grid: 0, 1; 10, 11 in every coordinate, the class token at 99.
  const plane = float32(Float32Array.of(...[99, 0, 1, 10, 11].flatMap((value) => new Array<number>(4).fill(value))), [
    1,
    5,
    4,
  ]);
  const asked = { "pos_embed": [1, 1 + 4 * 4, 4] };
  const { values, reshaped } = adaptWeights(
    asked,
    { pos_embed: "pos_embed" },
    { ...file, pos_embed: plane },
    [4, 4],
    "x",
  );
  const rows = [0, 0.25, 0.75, 1]; // centres of four cells between those of two
  assertClose(
    values["pos_embed"].data,
    [99, ...rows.flatMap((y) => rows.map((x) => 10 * y + x))].flatMap((value) => new Array<number>(4).fill(value)),
  );
  assertEquals(reshaped, [{ name: "pos_embed", how: "positions of 2 x 2 patches to 4 x 4, bilinear" }]);
  // The same grid is left as it is.
  const same = adaptWeights({ pos_embed: [1, 5, 4] }, { pos_embed: "pos_embed" }, { pos_embed: plane }, [2, 2], "x");
  assertEquals([...same.values["pos_embed"].data], [...plane.data]);
});

Deno.test("Hugging Face's names are found behind a prefix and under older ones; longer tables of positions are cut off", async () => {
  await inFolder(async (folder) => {
    const options = { width: 4, depth: 1, heads: 2, hidden: 6, positions: 9 };
    const { own, file } = await foreign(bert, options, text(5), "bert.");
    assert("bert.encoder.layer.0.attention.self.query.weight" in file);
    const older = Object.fromEntries(
      Object.entries(file).map(([name, value]) => [
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"),
        value,
      ]),
    );
    const { ["bert.pooler.dense.bias"]: _, ...rest } = older;
    const path = `${folder}/bert.safetensors`;
    await writeSafetensors(path, { ...rest, "cls.predictions.bias": float32(new Float32Array(3), [3]) });
    const shorter = { ...options, positions: 0 };
    const { values, report } = await readWeights(path, "text", bert.create(shorter, text(5)), text(5));
    assertEquals(report.prefix, "bert.");
    assertEquals(report.missing, ["pooler/dense/bias"]);
    assertEquals(report.unexpected, ["cls.predictions.bias"]);
    assertEquals(report.reshaped, [{
      name: "embeddings/position_embeddings/table",
      how: "the first 5 of 9 positions",
    }]);
    const table = own["embeddings/position_embeddings/table"];
    assertEquals([...values["encoder:text/embeddings/position_embeddings/table"].data], [...table.data.slice(0, 20)]);
    const norm = "embeddings/LayerNorm/scale";
    assertEquals(values[`encoder:text/${norm}`], own[norm]);
  });
});

Deno.test("weights of another architecture, shape or vocabulary, and weights that are no numbers, are one refusal each", async () => {
  await inFolder(async (folder) => {
    const { file } = await foreign(resnet18, { width: 4 }, image(32, 3));
    const path = `${folder}/resnet18.safetensors`;
    await writeSafetensors(path, file);
    const flat: ModalityInfo = { shape: [6], dtype: "float32", about: "a vector" };
    await assertRejects(
      () => readWeights(path, "audio", mlp.create({}, flat), flat),
      Refusal,
      'Cannot start the encoder of "audio" from',
    );
    const wide = resnet18.create({ width: 8 }, image(32, 3));
    const error = await assertRejects(() => readWeights(path, "image", wide, image(32, 3)), Refusal);
    assert(error.message.includes("must be [8]: it is [4]; set the encoder's width"), error.message);
    await assertRejects(
      () => readWeights(path, "image", identity.create({}, flat), flat),
      Refusal,
      "the encoder must have parameters: it has none",
    );
    const broken = { ...file, "bn1.weight": float32(Float32Array.of(1, NaN, 1, 1), [4]) };
    await writeSafetensors(path, broken);
    const narrow = resnet18.create({ width: 4 }, image(32, 3));
    await assertRejects(
      () => readWeights(path, "image", narrow, image(32, 3)),
      Refusal,
      'value 1 of "bn1.weight" is NaN',
    );
    await Deno.writeFile(path, (await Deno.readFile(path)).slice(0, 400));
    await assertRejects(() => readWeights(path, "image", narrow, image(32, 3)), Refusal, path);
  });
  assertThrows(
    () =>
      adaptWeights(
        { "w/table": [5, 2] },
        { "w/table": "word_embeddings.weight" },
        {
          "word_embeddings.weight": float32(new Float32Array(14), [7, 2]),
        },
        null,
        "x",
      ),
    Refusal,
    "must be [5, 2]: it is [7, 2]; set the encoder's vocabulary to 7",
  );
});

Deno.test("a hostile file of weights is one sentence that names it: a header beyond the file, tensors over each other, no end", async () => {
  await inFolder(async (folder) => {
    const flat: ModalityInfo = { shape: [2], dtype: "float32", about: "a vector" };
    const encoder = mlp.create({ hidden: [1], width: 1 }, flat);
    const entry = (from: number, to: number) => ({ dtype: "F32", shape: [1], data_offsets: [from, to] });
    const file = (header: unknown, length: number, data: number) => {
      const text = new TextEncoder().encode(JSON.stringify(header));
      const bytes = new Uint8Array(8 + text.length + data);
      new DataView(bytes.buffer).setBigUint64(0, BigInt(length === 0 ? text.length : length), true);
      bytes.set(text, 8);
      return bytes;
    };
    const cases: [string, Uint8Array, string][] = [
      ["beyond", file({}, 4096, 0), "it must hold 4104 bytes: found 10"],
      ["endless", file({}, 2 ** 52, 0), "its header must hold at most 100000000 bytes"],
      ["over", file({ "out.weight": entry(0, 4), "out.bias": entry(2, 6) }, 0, 6), "must fill the 4 bytes from 4 on"],
      ["outside", file({ "out.weight": entry(0, 4), "out.bias": entry(4, 8) }, 0, 4), ""],
      [
        "negative",
        file({ "out.weight": { dtype: "F32", shape: [-1], data_offsets: [0, 4] } }, 0, 4),
        "must have a dtype",
      ],
      ["cut", new Uint8Array(5), ""],
      ["empty", new Uint8Array(), ""],
    ];
    for (const [name, bytes, words] of cases) {
      const path = `${folder}/${name}.safetensors`;
      await Deno.writeFile(path, bytes);
      for (const read of [() => readWeights(path, "x", encoder, flat), () => digestOf(path)]) {
        const { message } = await assertRejects(read, Refusal);
        assert(message.includes(path) && message.includes(words) && !message.includes("\n"), message);
      }
    }
  });
});

Deno.test("matchWeights() takes the prefix behind which most are found, and refuses less than half", () => {
  const asked = { "a/kernel": [1], "b/kernel": [1], "c/kernel": [1], "d/kernel": [1] };
  const theirs = ["model.a.weight", "model.b.weight", "model.c.weight", "a.weight", "head.weight"];
  const found = matchWeights(asked, theirs, "x");
  assertEquals(found.prefix, "model.");
  assertEquals(found.matched, ["a/kernel", "b/kernel", "c/kernel"]);
  assertEquals(found.missing, ["d/kernel"]);
  assertEquals(found.unexpected, ["a.weight", "head.weight"]);
  assertThrows(
    () => matchWeights(asked, ["a.weight", "z"], "x"),
    Refusal,
    "at least half of the encoder's 4 tensors must be among them: 1 are; it asks for a.weight, b.weight, c.weight",
  );
  assertEquals(torchName("a/kernel"), "a.weight");
});

Deno.test("a file that changed since the run was asked for is refused", async () => {
  await inFolder(async (folder) => {
    const { file } = await foreign(resnet18, { width: 4 }, image(32, 3));
    const path = `${folder}/w.safetensors`;
    await writeSafetensors(path, file);
    const digest = await digestOf(path);
    const dataset = { modalities: { image: image(32, 3) } };
    const encoders = { image: resnet18.create({ width: 4 }, image(32, 3)) };
    const reports: string[] = [];
    const start = await startFrom({ image: { path, digest } }, encoders, dataset, (_, report) => {
      reports.push(reportText(report));
    });
    assertEquals(Object.keys(start).length, Object.keys(file).length);
    assertEquals(reports.length, 1);
    assert(/^\d+ tensors matched$/.test(reports[0]), reports[0]);
    // Runs that follow each other share what was read; another width reads anew.
    const values = new StartValues();
    const told: string[] = [];
    const of = (width: number) =>
      values.of(
        {
          weights: { image: { path, digest } },
          encoders: { image: { name: "resnet18", options: { width } } },
        } as never,
        { image: resnet18.create({ width }, image(32, 3)) },
        dataset,
        (modality) => void told.push(modality),
      );
    const [once, again] = [await of(4), await of(4)];
    assert(once === again);
    assertEquals(once, start);
    assertEquals(told, ["image", "image"]);
    await assertRejects(() => of(8), Refusal, "set the encoder's width");
    await writeSafetensors(path, { ...file, extra: float32(new Float32Array(1), [1]) });
    await assertRejects(
      () => startFrom({ image: { path, digest } }, encoders, dataset),
      Refusal,
      "put the old file back",
    );
  });
});
