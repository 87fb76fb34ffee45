/** Features of frozen encoders that are made before training: the run is the same, bit for bit. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { byModality } from "../../core/modality.ts";
import type { EncoderPlugin, Fusion, Method, ModalityInfo } from "../../core/kinds/mod.ts";
import { Random } from "../../core/random.ts";
import type { NamedHostTensors } from "../../core/program.ts";
import { contextOf, toyDataset } from "../../contracts/toy.ts";
import { bert, resnet18, vit } from "../../encoders/mod.ts";
import { onnxCpu } from "../../engines/mod.ts";
import { createLibrary } from "../../library.ts";
import { InterruptedError, type Model, readyEncoder, readyModalities, withFeatures } from "../../training/mod.ts";
import { trained } from "../helpers/train.ts";

const engine = await onnxCpu.create();
const library = createLibrary();
const names = ["image", "text"];
const infos: Record<string, ModalityInfo> = {
  image: { shape: [16, 16, 3], dtype: "float32", about: "an image" },
  text: { shape: [6], dtype: "int32", vocabulary: 10, about: "ids" },
};
const context = contextOf(names);
const dataset = toyDataset(infos, 3, 41);
const seed = 4;

const part = <K extends "fusion" | "method">(kind: K, name: string, options: Record<string, unknown> = {}) => {
  const { plugin, options: own } = library.bind(kind, { name, options });
  return plugin.create(own, context) as K extends "fusion" ? Fusion : Method;
};

/** A model with frozen encoders. */
function modelOf(
  image: [EncoderPlugin, Record<string, unknown>],
  fusion: Fusion,
  methods: readonly Method[] = [],
  frozen: readonly string[] = ["encoder:*"],
): Model {
  const text = bert.create({ width: 8, depth: 2, heads: 2, hidden: 12, dropout: 0.3 }, infos.text);
  return {
    context,
    encoders: { image: image[0].create(image[1], infos.image), text },
    fusion,
    methods,
    frozen,
  };
}

async function prepared(model: Model) {
  const random = new Random(seed).split("init");
  const ready = await Promise.all(
    readyModalities(model).map(async (modality) => {
      const encoder = readyEncoder(model, modality, infos[modality], engine, random)!;
      return { encoder, rows: await encoder.rows({ dataset, engine, batchSize: 16 }) };
    }),
  );
  return { ready, ...withFeatures(model, dataset, ready) };
}

const tiny: [EncoderPlugin, Record<string, unknown>] = [vit, { width: 8, depth: 2, heads: 2, patch: 8 }];
const small: [EncoderPlugin, Record<string, unknown>] = [resnet18, { width: 2, smallInput: true }];

const cases: Record<string, () => Model> = {
  "concat on resnet18 and bert": () => modelOf(small, part("fusion", "concat", { width: 6 })),
  "arm on vit and bert": () => modelOf(tiny, part("fusion", "concat", { width: 6 }), [part("method", "arm")]),
  "agm, which asks for inputs of zeros": () =>
    modelOf(tiny, part("fusion", "sum"), [part("method", "agm")], ["encoder:image"]),
  "transfusion over tokens": () => modelOf(tiny, part("fusion", "transfusion", { width: 8, heads: 2, depth: 1 })),
  "mbt over the last map": () => modelOf(small, part("fusion", "mbt", { width: 8, heads: 2 })),
  "re-learning, which sets encoders back": () =>
    modelOf(tiny, part("fusion", "concat", { width: 6 }), [part("method", "re-learning", { every: 1 })]),
};

for (const [name, make] of Object.entries(cases)) {
  Deno.test(`features made before training give the same run, bit for bit: ${name}`, async () => {
    const model = make();
    const { model: light, dataset: rows, whole } = await prepared(model);
    const training = { epochs: 2, batchSize: 16 };
    const every = await trained(engine, model, dataset, { training, seed });
    const once = await trained(engine, light, rows, { training, seed, whole });
    assertEquals(once.records, every.records);
    assertEquals(once.result.summary, every.result.summary);
    assertEquals(once.result.predictions, every.result.predictions);
    const sorted = (tensors: NamedHostTensors) => Object.entries(tensors).sort(([a], [b]) => a < b ? -1 : 1);
    assertEquals(sorted(once.result.params), sorted(every.result.params));
    assertEquals(sorted(once.result.buffers), sorted(every.result.buffers));
    // Nothing of frozen encoders is carried along.
    const encoders = (tensors: NamedHostTensors) =>
      Object.keys(tensors).filter((key) => key.startsWith("param:encoder:")).map((key) => key.split("/")[0]);
    const left = new Set(encoders(once.checkpoints[0].tensors));
    assertEquals(
      [...left].sort(),
      names.filter((m) => !readyModalities(model).includes(m)).map((m) => `param:encoder:${m}`),
    );
    assert(encoders(every.checkpoints[0].tensors).length > 10);
  });
}

Deno.test("features are not made before training where something changes inputs, or maps and layers within encoders", () => {
  const plain = modelOf(tiny, part("fusion", "concat", { width: 6 }));
  assertEquals(readyModalities(plain), ["image", "text"]);
  assertEquals(readyModalities({ ...plain, frozen: ["encoder:text", "head"] }), ["text"]);
  assertEquals(readyModalities({ ...plain, frozen: undefined }), []);
  const noisy: Method = { name: "noise", input: (inputs) => inputs };
  assertEquals(readyModalities({ ...plain, methods: [noisy] }), []);
  const copies: Method = { name: "copies", declares: { copies: { old: ["encoder:text"] } } };
  assertEquals(readyModalities({ ...plain, methods: [copies] }), ["image"]);
  const ready = (fusion: string, options: Record<string, unknown> = {}) =>
    readyModalities({ ...plain, fusion: part("fusion", fusion, options) });
  assertEquals(ready("mmtm"), []);
  assertEquals(ready("pmf", { layers: "encoder", fused: 1 }), []);
  assertEquals(ready("pmf"), ["image", "text"]);
});

Deno.test("making features stops at the signal, between two batches", async () => {
  const model = modelOf(tiny, part("fusion", "concat", { width: 6 }));
  const encoder = readyEncoder(model, "image", infos.image, engine, new Random(0))!;
  const stop = new AbortController();
  stop.abort();
  await assertRejects(
    () => encoder.rows({ dataset, engine, batchSize: 16, signal: stop.signal }),
    InterruptedError,
    'Stopped while features of "image" were made',
  );
  const { fields, width } = encoder;
  assertEquals([fields, width], [[{ name: "pooled", shape: [8] }], 8]);
  assertEquals(
    byModality(
      names,
      (m) =>
        readyEncoder({ ...model, fusion: part("fusion", "transfusion") }, m, infos[m], engine, new Random(0))!.width,
    ),
    { image: 8 + 5 * 8, text: 8 + 6 * 8 + 6 },
  );
});
