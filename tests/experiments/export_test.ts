/** Exported models give what the engine gives, at any batch size, and what Python's runtimes gave (golden/export.py). */
import "../../engines/onnx/runtime/no_telemetry.ts";
import * as ort from "onnxruntime-node";
import * as tf from "@tensorflow/tfjs";
import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import type { ModalityInfo } from "../../core/kinds/mod.ts";
import { float32, int32, type NamedHostTensors, type Program } from "../../core/program.ts";
import { Random } from "../../core/random.ts";
import { cpu } from "../../engines/mod.ts";
import { onnxModel } from "../../engines/onnx/export.ts";
import { exportOnnx, exportWeights, readFinishedRun } from "../../experiments/export_run.ts";
import { createLibrary } from "../../library.ts";
import { readSafetensors } from "../../store/tensors.ts";
import type { Model } from "../../training/model.ts";
import { predictProgram } from "../../training/programs/predict.ts";
import { layoutOf, mergedOf, startValues } from "../../training/state.ts";
import { armlab, inFolder, said } from "../helpers/cli.ts";
import { exportInputs, writeExportRun } from "../helpers/export_run.ts";
import { writeRun } from "../helpers/runs.ts";
import { assertClose, golden } from "../helpers/tensors.ts";
import { toyDataset, toyModel } from "../helpers/toy.ts";
import { Refusal } from "../../core/refusal.ts";

interface Golden {
  readonly names: readonly string[];
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  readonly cases: readonly {
    readonly batch: number;
    readonly rows: readonly number[];
    readonly onnxruntime: readonly (readonly number[])[];
    readonly torch: readonly (readonly number[])[];
  }[];
}

const sessionOf = (model: Uint8Array): Promise<ort.InferenceSession> =>
  ort.InferenceSession.create(model, { logSeverityLevel: 3, intraOpNumThreads: 1 });

async function outputsOf(
  session: ort.InferenceSession,
  inputs: NamedHostTensors,
): Promise<Record<string, Float32Array>> {
  const feeds = Object.fromEntries(
    Object.entries(inputs).map(([name, { data, shape }]) => [name, new ort.Tensor(data as Float32Array, [...shape])]),
  );
  const results = await session.run(feeds);
  return Object.fromEntries(
    Object.entries(results).map(([name, { data }]) => [name, data as Float32Array]),
  );
}

Deno.test("armlab export gives files whose logits Python's onnxruntime and PyTorch confirm to 1e-4", () =>
  inFolder(async (folder) => {
    const run = await writeExportRun(`${folder}/runs`);
    const { code, out, err } = await armlab(
      ...["export", run, "--to", `${folder}/model.onnx,${folder}/weights.safetensors`],
    );
    assertEquals(code, 0, err);
    assertStringIncludes(out, "audio [batch, 32, 32, 1], image [batch, 28, 28, 1], logits [batch, 10]");
    const expected = golden<Golden>("export");
    const model = await Deno.readFile(`${folder}/model.onnx`);
    const session = await sessionOf(model);
    for (const { batch, rows, ...values } of expected.cases) {
      const { logits, probabilities } = await outputsOf(
        session,
        exportInputs(batch, { audio: [32, 32, 1], image: [28, 28, 1] }),
      );
      assertEquals([logits.length, probabilities.length], [batch * 10, batch * 10]);
      rows.forEach((row, i) => {
        const own = logits.subarray(row * 10, row * 10 + 10);
        assertClose(own, values.onnxruntime[i], 1e-4);
        assertClose(own, values.torch[i], 1e-4);
        const sum = own.reduce((total, value) => total + Math.exp(value), 0);
        assertClose(probabilities.subarray(row * 10, row * 10 + 10), own.map((value) => Math.exp(value) / sum), 1e-5);
      });
    }
    await session.release();
    const weights = (await readSafetensors(`${folder}/weights.safetensors`))!;
    assertEquals(Object.keys(weights.tensors).sort(), [...expected.names].sort());
    for (const [name, { shape }] of Object.entries(weights.tensors)) assertEquals(shape, expected.shapes[name], name);
    assertEquals(weights.metadata["format"], "pt");
    const described = JSON.parse(await Deno.readTextFile(`${folder}/model.onnx.json`));
    assertEquals(described.classes.length, 10);
    assertStringIncludes(described.preprocessing, "audio: log mel spectrogram");
    assertEquals(described.inputs[0].shape, ["batch", 32, 32, 1]);
    const text = new TextDecoder("latin1").decode(model);
    for (const part of ["preprocessing", "log mel spectrogram", '["0","1","2"', run.slice(-16)]) {
      assertStringIncludes(text, part);
    }
    // No temporary file is left behind.
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), [
      "model.onnx",
      "model.onnx.json",
      "runs",
      "weights.safetensors",
    ]);
  }));

Deno.test("armlab export --encoder writes one encoder under its own names, which --weights and PyTorch take", () =>
  inFolder(async (folder) => {
    const run = await writeExportRun(`${folder}/runs`);
    const all = exportWeights(await readFinishedRun(run)).tensors;
    const file = `${folder}/image.safetensors`;
    const { code, out, err } = await armlab("export", run, "--encoder", "image", "--to", file);
    assertEquals(code, 0, err);
    assertStringIncludes(out, 'tensors of encoder "image"');
    const { tensors, metadata } = (await readSafetensors(file))!;
    const prefix = "encoder.image.";
    const expected = Object.keys(all).filter((name) => name.startsWith(prefix)).map((name) =>
      name.slice(prefix.length)
    );
    assertEquals(Object.keys(tensors).sort(), expected.sort());
    assert(expected.includes("block1.conv.weight") && expected.includes("block1.norm.running_var"), expected.join());
    for (const [name, { data, shape }] of Object.entries(tensors)) {
      assertEquals([[...shape], [...data]], [[...all[prefix + name].shape], [...all[prefix + name].data]], name);
    }
    assertEquals([metadata["format"], Object.keys(JSON.parse(metadata["encoders"]))], ["pt", ["image"]]);
    const unknown = await armlab("export", run, "--encoder", "text", "--to", file);
    assertEquals(unknown.code, 2);
    assertStringIncludes(unknown.err, 'it must be that of audio or image: asked for "text"');
    const whole = await armlab("export", run, "--encoder", "image", "--to", `${folder}/image.onnx`);
    assertEquals(whole.code, 2);
    assertStringIncludes(whole.err, "its name must end with .safetensors");
  }));

type Modalities = Parameters<typeof layoutOf>[1];

/** The exported form of a toy model, and what the eager engine gives for it. */
async function bothWays(model: Model, dataset: Modalities): Promise<void> {
  const engine = await cpu.create();
  const merged = mergedOf(model, dataset, engine);
  const layout = layoutOf(model, dataset, merged, engine, 4);
  const values = startValues(layout, new Random(2));
  const programOf = (batchSize: number): Program =>
    predictProgram({ model, modalities: dataset.modalities, merged, layout, batchSize }, null, false);
  const state = Object.fromEntries(Object.keys(programOf(4).state).map((name) => [name, values[name]]));
  const { modalities } = model.context;
  const exported = onnxModel({
    programOf,
    state,
    batchInput: `input:${modalities[0]}`,
    inputs: Object.fromEntries(modalities.map((name) => [`input:${name}`, { name, about: "" }])),
    outputs: { logits: { name: "logits", about: "" } },
    name: "toy",
    about: "",
    version: "0",
    metadata: {},
  });
  const shapes = Object.fromEntries(modalities.map((name) => [name, dataset.modalities[name].shape]));
  const session = await sessionOf(exported.bytes);
  for (const batch of [1, 3, 17]) {
    const inputs = { ...exportInputs(batch, shapes) };
    for (const name of modalities.filter((name) => dataset.modalities[name].dtype === "int32")) {
      const { data, shape } = inputs[name];
      inputs[name] = int32(Int32Array.from(data, (_, i) => i % 5), shape);
    }
    const program = programOf(batch);
    const compiled = await engine.compile(program);
    const controls = Object.fromEntries(
      Object.entries(program.inputs).filter(([name]) => name.startsWith("control:"))
        .map(([name, { shape }]) => [name, float32(new Float32Array(shape.reduce((a, b) => a * b, 1)), shape)]),
    );
    const fed = Object.fromEntries(modalities.map((name) => [`input:${name}`, inputs[name]]));
    const held = engine.createState(state);
    const { logits } = await compiled.run(held, { ...fed, ...controls });
    held.dispose();
    assertClose((await outputsOf(session, inputs)).logits, logits.data, 1e-4);
    compiled.dispose();
  }
  await session.release();
}

Deno.test("every fusion and every method exports for any batch size", async () => {
  const library = createLibrary();
  const exported: string[] = [];
  const refused: string[] = [];
  const attempt = async (name: string, dataset: Modalities, make: () => Model) => {
    try {
      await bothWays(make(), dataset);
      exported.push(name);
    } catch (error) {
      // Parts that do not fit toy encoders say so; an export that fails says something else.
      if (!(error instanceof RangeError || error instanceof Refusal) || error.message.includes("Cannot make")) {
        throw error;
      }
      refused.push(name);
    }
  };
  for (const m of [2, 3]) {
    const dataset = await toyDataset(m);
    for (const { name } of library.of("fusion").list()) {
      await attempt(`${name}/${m}`, dataset, () => toyModel(library, dataset, name, []));
    }
  }
  const dataset = await toyDataset(2);
  // Presets of arm that compare raw features want equal widths, which toy models do not have.
  const context = { modalities: Object.keys(dataset.modalities).sort(), classes: dataset.classes.length };
  for (const plugin of library.of("method").list().filter(({ name }) => !name.startsWith("arm-"))) {
    const fits = ["concat", "sum", "decision", "mmtm"].filter((fusion) => {
      const built = library.of("fusion").get(fusion).create({}, context);
      return (plugin.refuses?.(built, context, {}) ?? null) === null;
    });
    const before = exported.length;
    for (const fusion of fits) {
      if (exported.length === before) {
        await attempt(`${plugin.name} on ${fusion}`, dataset, () => toyModel(library, dataset, fusion, [plugin.name]));
      }
    }
    assert(exported.length > before, `${plugin.name} exports on none of ${fits.join(", ")}`);
  }
  assert(exported.length >= 20, `exported ${exported.join(", ")}`);
  assert(refused.length <= 4, `refused ${refused.join(", ")}`);
});

Deno.test("every encoder exports for any batch size", async () => {
  const library = createLibrary();
  const shapes: readonly ModalityInfo[] = [
    { shape: [16, 16, 2], dtype: "float32", about: "image" },
    { shape: [6], dtype: "int32", about: "tokens", vocabulary: 9 },
    { shape: [7], dtype: "float32", about: "vector" },
    { shape: [5, 4], dtype: "float32", about: "sequence" },
  ];
  for (const plugin of library.of("encoder").list()) {
    const options = plugin.tiny ?? {};
    const info = shapes.find((candidate) => plugin.refuses(candidate, options) === null);
    assert(info !== undefined, `no input fits encoder ${plugin.name}`);
    const context = { modalities: ["a", "b"], classes: 3 };
    const fusion = library.of("fusion").get("concat");
    const model: Model = {
      context,
      encoders: { a: plugin.create(options, info), b: plugin.create(options, info) },
      fusion: fusion.create(fusion.tiny ?? {}, context),
      methods: [],
    };
    await bothWays(model, { modalities: { a: info, b: info } });
  }
});

Deno.test("a prediction that looks at the whole batch cannot be exported", () => {
  const make = (apply: (x: tf.Tensor) => tf.Tensor) => () =>
    onnxModel({
      programOf: (batch) => ({
        name: "predict",
        state: {},
        inputs: { x: { shape: [batch, 3], dtype: "float32" }, control: { shape: [], dtype: "float32" } },
        apply: (_, { x }) => ({ state: {}, outputs: { logits: apply(x) } }),
      }),
      state: {},
      batchInput: "x",
      inputs: { x: { name: "x", about: "" } },
      outputs: { logits: { name: "logits", about: "" } },
      name: "m",
      about: "",
      version: "0",
      metadata: {},
    });
  assertThrows(make((x) => tf.mul(x, tf.scalar(x.shape[0]))), Refusal, "must not depend on the others");
  assertThrows(make((x) => tf.slice(x, [0, 0], [x.shape[0] % 7 + 1, 3])), Refusal, "must not depend on the others");
  assert(make((x) => tf.relu(x))().bytes.length > 0);
});

Deno.test("what cannot be exported is one clear error and leaves no file", () =>
  inFolder(async (folder) => {
    const run = await writeExportRun(`${folder}/runs`);
    const unfinished = writeRun(`${folder}/others`, { state: "interrupted" });
    const cases: [string[], string][] = [
      [["export"], "there must be one run folder"],
      [["export", run], "--to must name a file"],
      [["export", run, "--to", `${folder}/model.pt`], "its name must end with .onnx or .safetensors"],
      [["export", `${folder}/runs/0123456789abcdef`, "--to", `${folder}/m.onnx`], "it has no config.json"],
      [["export", `${folder}/nothing`, "--to", `${folder}/m.onnx`], "its id must be 16 hexadecimal digits"],
      [["export", `${folder}/others/${unfinished}`, "--to", `${folder}/m.onnx`], "it must be finished"],
      [
        ["export", run, "--to", `${run}/config.json/w.safetensors`],
        "it must be a folder: a file of that name is there",
      ],
      [["export", run, "--to", `${run}/config.json/m.onnx`], "it must be a folder: a file of that name is there"],
      [["export", run, "--too", "x"], "Cannot use option --too"],
    ];
    await Promise.all(cases.map(async ([args, message]) => {
      const { code, err } = await said(...args);
      assertEquals(code, 2, `${args.join(" ")}: ${err}`);
      assertStringIncludes(err, message);
      assert(!err.includes("    at "), err);
    }));
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), ["others", "runs"]);
    assertStringIncludes((await said("export", "--help")).out, "channels last");
    const finished = await readFinishedRun(run);
    const other = {
      ...finished,
      config: { ...finished.config, dataset: { ...finished.config.dataset, fingerprint: "0".repeat(64) } },
    };
    await assertRejects(() => exportOnnx(other, createLibrary()), Refusal, "must have fingerprint 0000");
    const lacking = { ...finished, model: { ...finished.model, params: {} } };
    await assertRejects(() => exportOnnx(lacking, createLibrary()), Refusal, "model.safetensors must hold");
    // The kernel [h, w, in, out] of the run is [out, in, h, w] in the file.
    const kernel = finished.model.params["encoder:audio/block2/conv/kernel"];
    const weight = exportWeights(finished).tensors["encoder.audio.block2.conv.weight"];
    assertEquals([kernel.shape, weight.shape], [[3, 3, 4, 6], [6, 4, 3, 3]]);
    assertEquals(weight.data[((5 * 4 + 2) * 3 + 1) * 3 + 2], kernel.data[((1 * 3 + 2) * 4 + 2) * 6 + 5]);
  }));
