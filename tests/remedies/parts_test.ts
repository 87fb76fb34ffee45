/** Remedies for parts and their options: what is advised is done, and nothing is refused. */
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { type OptionSpecs, resolveOptions } from "../../core/options.ts";
import { checkWorkers, parseCards } from "../../cli/cards.ts";
import { type Flags, parseFlags } from "../../cli/command.ts";
import { loadKept, loadPlugins } from "../../cli/plugins.ts";
import { pretrainedOf } from "../../cli/requests.ts";
import { checkMemory } from "../../experiments/memory.ts";
import { prepareRuns, writeAtomic } from "../../store/mod.ts";
import { readBytes } from "../../store/files.ts";
import { inFolder } from "../helpers/cli.ts";
import { noisyViews } from "../../examples/noisy_views.ts";
import { mlp } from "../../encoders/mlp.ts";
import { part, resolveConfig } from "../../experiments/mod.ts";
import { checkOption } from "../../experiments/slurm.ts";
import { searchSpace } from "../../experiments/tuning/space.ts";
import type { CellRequest, TrainStep } from "../../core/kinds/mod.ts";
import { createLibrary } from "../../library.ts";
import { tracedEstimator } from "../../miv/estimators/information.ts";
import { adaptWeights, matchWeights } from "../../nn/pretrained.ts";
import { gelu } from "../../nn/activations.ts";
import { pngOf } from "../../viewer/render.ts";
import { record, stopGradient } from "../../tensor/autodiff.ts";
import { train } from "../../training/mod.ts";
import { onnxCpu } from "../../engines/mod.ts";
import { tried } from "../helpers/remedies.ts";
import { toyDataset, toyModel, toyTraining } from "../helpers/toy.ts";

const library = createLibrary();
const dataset = await toyDataset(2);
const three = await toyDataset(3);
const context = { modalities: ["audio", "image"], classes: 3 };
const engine = await onnxCpu.create();
const about = { seed: 0, engine: { name: "cpu", version: "x", threads: 1 }, version: "0", plugins: [] };
const request = (given: Partial<CellRequest>): CellRequest => ({
  label: "x",
  dataset: part("synthetic"),
  encoder: part("mlp"),
  fusion: part("concat"),
  methods: [],
  training: {},
  ...given,
});
const configured = (given: Partial<CellRequest>, of = dataset) => resolveConfig(request(given), library, of, about);
const trained = (
  fusion: string,
  methods: (string | [string, Record<string, unknown>])[],
  options = {},
  epochs = 1,
) =>
  train({
    model: toyModel(library, dataset, fusion, methods, options),
    dataset,
    engine,
    training: { ...toyTraining, epochs },
    seed: 0,
  });

const readoutsBy = (name: string) => {
  const { plugin, options } = library.bind("loss", part("readouts", { criterion: { name } }));
  return plugin.create(options, context);
};

/** MMTM curated by `greedy`; the second encoder's stages are so wide, the first one's 9 to 7. */
const slipped = (runningGate: string, width: number) => {
  const model = toyModel(library, dataset, "mmtm", [["greedy", { runningGate }]], { loss: "separate" });
  const image = mlp.create({ hidden: [width, width - 1, width - 2], width: 9 }, dataset.modalities.image);
  const training = { ...toyTraining, epochs: 1 };
  return train({ model: { ...model, encoders: { ...model.encoders, image } }, dataset, engine, training, seed: 0 });
};

Deno.test("what is said of fusions, encoders, methods and losses is mended by what it says", () =>
  tried([
    {
      hint: "set a larger training.epochs",
      wrong: () => trained("concat", ["g-blending"], {}, 1),
      right: () => trained("concat", ["g-blending"], {}, 8),
    },
    {
      hint: "take mmtm with loss=separate",
      wrong: () => library.of("method").get("greedy").create({}, context).taskLoss!({}, { output: {} } as TrainStep), // a fusion of somebody's with gates alone
      right: () => trained("mmtm", ["greedy"], { loss: "separate" }),
    },
    {
      hint: "encoders that fit are mlp with --set encoder.hidden=256,256,256",
      wrong: () => configured({ fusion: part("mmtm"), methods: [part("greedy")] }),
      right: () =>
        configured({
          fusion: part("mmtm", { loss: "separate" }),
          methods: [part("greedy")],
          encoder: part("mlp", { hidden: [256, 256, 256] }),
        }),
    },
    {
      hint: "take runningGate=own, or encoders of one width",
      wrong: () => slipped("first", 5),
      right: async () => [await slipped("own", 5), await slipped("first", 9)],
    },
    {
      hint: "for more take lmf, or the variant gated or bidirectional",
      wrong: () => configured({ fusion: part("gated", { variant: "bilinear-gated" }) }, three),
      right: () =>
        [part("lmf"), part("gated"), part("gated", { variant: "bidirectional" })].map((fusion) =>
          configured({ fusion }, three)
        ),
    },
    {
      hint: "for others take lmf",
      wrong: () => configured({ fusion: part("multiplicative") }, three),
      right: () => configured({ fusion: part("lmf") }, three),
    },
    {
      hint: "name one, as --encoder image=mlp, or one for all others, as --encoder mlp",
      wrong: () => configured({ encoder: { audio: part("mlp") } }),
      right: () => [{ audio: part("mlp"), image: part("mlp") }, part("mlp")].map((encoder) => configured({ encoder })),
    },
    {
      hint: "leave training.loss out, or take another fusion or another value of its option loss",
      wrong: () => configured({ fusion: part("decision", { loss: "separate" }), training: { loss: part("focal") } }),
      right: () =>
        [
          { fusion: part("decision", { loss: "separate" }) },
          { training: { loss: part("focal") } },
          { fusion: part("decision", { loss: "joint" }), training: { loss: part("focal") } },
        ].map((given) => configured(given)),
    },
    {
      hint: "leave training.loss out",
      wrong: () =>
        configured({
          fusion: part("mmtm", { loss: "joint" }),
          encoder: part("mlp", { hidden: [4, 4, 4] }),
          methods: [part("greedy")],
          training: { loss: part("focal") },
        }),
      right: () =>
        configured({
          fusion: part("mmtm", { loss: "joint" }),
          encoder: part("mlp", { hidden: [4, 4, 4] }),
          methods: [part("greedy")],
        }),
    },
    {
      hint: "take cross-entropy or focal",
      wrong: () => readoutsBy("contribution-gap"),
      right: () => ["cross-entropy", "focal"].map(readoutsBy),
    },
  ]));

Deno.test("what is said of estimators, options, weights and derivatives is mended by what it says", async () => {
  await tf.setBackend("cpu");
  const estimator = (name: string, options: Record<string, unknown>) =>
    tracedEstimator(library.bind("estimator", { name, options }), 8);
  const host = library.of("estimator").list().find((plugin) =>
    plugin.create({}, { coordinates: 8 }).information === undefined
  )!;
  const tensor = (...data: number[]) => ({
    data: Float32Array.from(data),
    shape: [data.length],
    dtype: "float32" as const,
  });
  const asked = { "a/bias": [2], "b/bias": [2] };
  const adapted = (value: number) =>
    adaptWeights(asked, { "a/bias": "a.bias" }, { "a.bias": tensor(value, 1) }, null, "start");
  const spec = { of: { type: "part", kind: "loss", default: library.bind("loss", part("focal")), about: "" } } as const;
  const x = tf.scalar(2);
  const twice = (f: (z: tf.Tensor) => tf.Tensor) =>
    tf.tidy(() => {
      const pass = record(() => tf.grad((z) => f(z))(x));
      pass.gradients(pass.value as tf.Scalar, [x]);
      pass.dispose();
    });
  // Nothing says how a turned picture is differentiated.
  const turned = (cut: (picture: tf.Tensor4D) => tf.Tensor4D) =>
    tf.tidy(() => {
      const at = tf.ones([1, 2, 2, 1]) as tf.Tensor4D;
      const pass = record(() => tf.sum(tf.add(at, cut(tf.image.rotateWithOffset(at, 1)))) as tf.Scalar);
      pass.gradients(pass.value, [at]);
      pass.dispose();
    });
  const svg = (side: number) => `<svg xmlns="http://www.w3.org/2000/svg" width="${side}" height="${side}"/>`;
  const inner = (f: () => tf.Tensor) => tf.tidy(() => record(() => tf.sum(f())).dispose());
  await tried([
    {
      hint: 'take binning "hard" or edges "standard"',
      wrong: () =>
        library.of("estimator").get("histogram").create({ binning: "soft", edges: "range" }, { coordinates: 8 }),
      right: () =>
        [{ binning: "hard", edges: "range" }, { binning: "soft", edges: "standard" }].map((options) =>
          library.of("estimator").get("histogram").create(options, { coordinates: 8 })
        ),
    },
    {
      hint: "or another estimator here",
      wrong: () => estimator(host.name, {}),
      right: () => estimator("histogram", {}),
    },
    {
      hint: "build the part by library.bind(kind, { name, options })",
      wrong: () => resolveOptions("x", spec, { of: { name: "cross-entropy" } }),
      right: () => resolveOptions("x", spec, { of: library.bind("loss", part("cross-entropy")) }),
    },
    {
      hint: "another architecture, or under other names",
      wrong: () => matchWeights(asked, ["c.bias"], "start"),
      right: () => matchWeights(asked, ["a.bias", "b.bias"], "start"),
    },
    { hint: "take another", wrong: () => adapted(NaN), right: () => adapted(0) },
    {
      hint: "take the inner derivative by tf.grad or tf.grads",
      wrong: () => inner(() => record(() => tf.square(x)).value),
      right: () => inner(() => tf.grad((z) => tf.square(z))(x)),
    },
    {
      hint: "cut it off by stopGradient, or compute it in another way",
      wrong: () => turned((picture) => picture),
      right: () => turned(stopGradient),
    },
    {
      hint: "use SVG, or show fewer rows and columns",
      wrong: () => pngOf(svg(20_000)),
      right: () => pngOf(svg(20)),
    },
    {
      hint: "write that function by tfjs's operations",
      wrong: () => twice(gelu),
      right: () => twice((z) => tf.mul(z, tf.sigmoid(z))),
    },
  ]);
});

Deno.test("what is said of flags, plugins, memory and places in a file system is mended by what it says", () =>
  inFolder(async (folder) => {
    const pretrained = (weights: string) =>
      pretrainedOf({ list: { weights: [weights], freeze: [], rate: [] } } as unknown as Flags);
    const flags = (...args: string[]) => parseFlags("status", { runs: { type: "text", about: "" } }, args);
    const fusion = `import { defineFusion } from "${new URL("../../mod.ts", import.meta.url)}";
      export const mine = defineFusion({ name: "mine", about: "", options: {}, create: () => ({}) });`;
    const [waiting, moved] = [join(folder, "waiting.ts"), join(folder, "moved.ts")];
    await Deno.writeTextFile(waiting, `await new Promise((wake) => setTimeout(wake, 600));\n${fusion}`);
    await Deno.writeTextFile(moved, fusion);
    const kept = { plugins: ["file:///gone/mine.ts"], code: { "fusion mine": "0" } };
    const footprint = { parameters: 1000, kept: 1_000_000 };
    const memory = (batchSize: number, available: number) =>
      checkMemory(configured({ training: { batchSize } }), footprint, dataset, available);
    const bytes = 2 ** 30;
    let advised = 0;
    const file = join(folder, "file");
    await Deno.writeTextFile(file, "");
    const loop = join(folder, "loop");
    await Deno.symlink(loop, loop);
    await tried([
      {
        hint: "write it as image=resnet18.safetensors",
        wrong: () => pretrained("resnet18.safetensors"),
        right: () => pretrained("image=resnet18.safetensors"),
      },
      {
        hint: "write --runs=--odd if that is one",
        wrong: () => flags("--runs", "--odd"),
        right: () => flags("--runs=--odd"),
      },
      {
        hint: "look for an await at its top level that does not end",
        wrong: () => loadPlugins(createLibrary(), [`file://${waiting}`], 300),
        right: async () => {
          await loadPlugins(createLibrary(), [`file://${moved}`], 60_000);
          await import(`file://${waiting}`); // this one ends after all, so that no test waits for it
        },
      },
      {
        hint: "if it was moved, say where to with --plugin",
        wrong: () => loadKept(createLibrary(), kept, []),
        right: async () => {
          const own = createLibrary();
          await loadPlugins(own, [`file://${moved}`]);
          await loadKept(own, kept, [`file://${moved}`]);
        },
      },
      {
        hint: "take smaller widths, or --set training.batchSize=",
        wrong: () => {
          try {
            memory(512, bytes);
          } catch (error) {
            advised = Number(/batchSize=(\d+)/.exec((error as Error).message)?.[1]);
            throw error;
          }
        },
        right: () => memory(advised, bytes),
      },
      {
        hint: "choose another path",
        wrong: () => writeAtomic(join(file, "x"), "x"),
        right: () => writeAtomic(join(folder, "x"), "x"),
      },
      {
        hint: "choose a shorter path",
        wrong: () => writeAtomic(join(folder, "x".repeat(300)), "x"),
        right: () => writeAtomic(join(folder, "x".repeat(30)), "x"),
      },
      {
        hint: "remove them",
        wrong: () => readBytes(join(loop, "x"), 10),
        right: async () => (await Deno.remove(loop), await readBytes(join(loop, "x"), 10)),
      },
      {
        hint: "move it away, or choose another path",
        wrong: () => prepareRuns(file),
        right: async () => (await Deno.remove(file), await prepareRuns(file)),
      },
    ]);
  }));

Deno.test("what is said of cards, jobs, tuning and examples is mended by what it says", () => {
  const engineOf = (name: string) => library.of("engine").get(name);
  const tuned = (methods: string[], fixed: string[]) =>
    searchSpace(request({ methods: methods.map((name) => part(name)) }), library, fixed);
  // Of those with parts, the parts' options would be set too.
  const plain = library.of("method").list().filter(({ options }) =>
    Object.values(options).every(({ type }) => type !== "part" && type !== "parts")
  );
  const all = [...plain, ...plain, ...plain];
  const defaults = (specs: OptionSpecs) =>
    Object.fromEntries(
      Object.entries(specs).flatMap(([name, { type, default: own }]) =>
        type === "part" || type === "parts" ? [] : [[name, own]]
      ),
    );
  return tried([
    {
      hint: "take --engine onnx:cuda, onnx:webgpu or tfjs-node-gpu",
      wrong: () => parseCards(["0"], engineOf("onnx:cpu")),
      right: () => ["onnx:cuda", "onnx:webgpu", "tfjs-node-gpu"].map((name) => parseCards(["0"], engineOf(name))),
    },
    {
      hint: "write 0,1 for the first two",
      wrong: () => parseCards(["first"], engineOf("onnx:cuda")),
      right: () => parseCards(["0", "1"], engineOf("onnx:cuda")),
    },
    {
      hint: "leave --devices out, and start a --shard wherever a process sees another card; or take --engine onnx:cuda",
      wrong: () => parseCards(["1"], engineOf("onnx:webgpu")),
      right: () => [parseCards([], engineOf("onnx:webgpu")), parseCards(["1"], engineOf("onnx:cuda"))],
    },
    {
      hint: "--devices 0,1 trains with a process for each card",
      wrong: () => checkWorkers(2, engineOf("onnx:cuda")),
      right: () => parseCards(["0", "1"], engineOf("onnx:cuda")),
    },
    {
      hint: "write partition=gpu, gpus=1 or time=01:00:00",
      wrong: () => checkOption("-p gpu"),
      right: () => ["partition=gpu", "gpus=1", "time=01:00:00"].map(checkOption),
    },
    {
      hint: "leave --set out for what is to be tuned",
      wrong: () => tuned([], ["training.learningRate"]),
      right: () => tuned([], []),
    },
    {
      hint: "set some of them with --set",
      wrong: () => tuned(all.map(({ name }) => name), []),
      right: () =>
        searchSpace(
          request({ methods: all.map(({ name, options }) => part(name, defaults(options))) }),
          library,
          [],
        ),
    },
    {
      hint: "--set dataset.noise=2,4,6",
      wrong: () => noisyViews.load({ noise: [2, 4] }),
      right: () => noisyViews.load({ noise: [2, 4, 6] }),
    },
  ]);
});
