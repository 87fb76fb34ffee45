/** Methods within a step at neutral values, on real and on three modalities, and what composes with what. */
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import type { Dataset, Method } from "../../core/kinds/mod.ts";
import { mapByModality } from "../../core/modality.ts";
import { avDigits } from "../../datasets/mod.ts";
import { onnxCpu } from "../../engines/mod.ts";
import { createLibrary } from "../../library.ts";
import { incompatibility, train } from "../../training/mod.ts";
import { assertClose } from "../helpers/tensors.ts";
import { toyDataset, toyModel, toyTraining } from "../helpers/toy.ts";
import { trained as trainedWith } from "../helpers/train.ts";

const library = createLibrary();
const engine = await onnxCpu.create();
const three = await toyDataset(3);
const mini = await avDigits.load({ size: "mini" });
type Chosen = [string, Record<string, unknown>];
const run = (
  fusion: string,
  methods: Chosen[],
  options: Record<string, unknown> = {},
  dataset: Dataset = three,
  epochs = 2,
  widthOf?: (u: number) => number,
) =>
  train({
    model: toyModel(library, dataset, fusion, methods, options, widthOf),
    dataset,
    engine,
    training: { ...toyTraining, epochs, select: "last" },
    seed: 0,
  });

/** The paper's Eqs. 9 and 10 compare features with the fused one, which concatenation makes 128 wide. */
const FUSED_WIDE = ["arm-literal", "arm-official"];

/** The released code's crossed ratios are of two modalities. */
const OF_TWO = ["arm-official"];

/** Training on real digits: encoders that have room for ten classes, and what their fusion or method needs. */
const digits = (fusion: string, [name, options]: Chosen) => {
  const hidden = fusion === "mmtm" ? [64, 64, 64] : [64];
  const width = FUSED_WIDE.includes(name) ? 128 : 32;
  const context = { modalities: ["audio", "image"], classes: 10 };
  const model = {
    context,
    encoders: mapByModality(
      mini.modalities,
      (info) => library.of("encoder").get("mlp").create({ hidden, width }, info),
    ),
    fusion: library.of("fusion").get(fusion).create({}, context),
    methods: [library.of("method").get(name).create(options, context)],
  };
  return train({
    model,
    dataset: mini,
    engine,
    training: { ...toyTraining, epochs: 5, batchSize: 32, learningRate: 0.01, select: "last" },
    seed: 0,
  });
};

/** A method, what it acts on, options under which it does nothing, and such under which it does. */
const neutral: [string, string, Record<string, unknown>, Record<string, unknown>, "bits" | "rounding"][] = [
  ["agm", "film", { alpha: 0 }, {}, "bits"],
  ["agm", "concat", { start: 9, end: 9 }, {}, "bits"],
  ["mslr", "centralnet", { init: [1, 1, 1] }, { init: [0.5, 1, 2] }, "bits"],
  ["mslr", "concat", { init: [0.5, 1, 2], start: 9 }, { init: [0.5, 1, 2] }, "bits"],
  ["opm", "gated", { share: 0, warmup: 0 }, { share: 1, warmup: 0 }, "bits"],
  ["opm", "concat", { warmup: 9 }, { share: 1, warmup: 0 }, "bits"],
  ["pmr", "concat", { alpha: 0, entropy: 0 }, {}, "bits"],
  ["pmr", "mmtm", { start: 9, end: 9 }, {}, "bits"],
];
for (const [name, fusion, idle, active, how] of neutral) {
  Deno.test(`${name} with ${JSON.stringify(idle)} equals plain ${fusion} to the ${how}, and otherwise does not`, async () => {
    const plain = await run(fusion, []);
    const still = await run(fusion, [[name, idle]]);
    for (const [full, { data }] of Object.entries(plain.params)) {
      if (how === "bits") assertEquals(still.params[full].data, data, full);
      else assertClose(still.params[full].data, data, 1e-4);
    }
    const moved = await run(fusion, [[name, active]]);
    assert(
      Object.entries(plain.params).some(([full, { data }]) => moved.params[full].data.some((x, i) => x !== data[i])),
    );
  });
}

Deno.test("qmf with equal weights and no ranking is late fusion trained by the average and every head", async () => {
  const both = await run("decision", [], { loss: "both" });
  const equal = await run("decision", [["qmf", { lambda: 0, confidence: "equal" }]]);
  for (const [full, { data }] of Object.entries(both.params)) assertClose(equal.params[full].data, data, 1e-4);
  const weighted = await run("decision", [["qmf", {}]]);
  assertNotEquals(weighted.params["head:audio/kernel"].data, both.params["head:audio/kernel"].data);
});

Deno.test("mbsd without what is between modalities, and amco in its first epoch, train what uni-ce does", async () => {
  const readouts = await run("concat", [["uni-ce", {}]], {}, three, 1);
  const apart = await run("concat", [["mbsd", { weight: 0 }]], {}, three, 1);
  const unmasked = await run("concat", [["amco", {}]], {}, three, 1);
  for (const [full, { data }] of Object.entries(readouts.params)) {
    assertClose(apart.params[full].data, data, 1e-5);
    // The extra map starts as the identity, and learns.
    if (full.startsWith("encoder:")) assertClose(unmasked.params[full].data, data, 0.02);
  }
});

Deno.test("mlb of strength 0, arl before its warm-up and amid without its bounds train what uni-ce does", async () => {
  const readouts = await run("sum", [["uni-ce", {}]]);
  const same: Chosen[] = [["mlb", { alpha: 0 }], ["arl", { warmup: 9 }], ["amid", { nce: 0, conditional: 0 }]];
  const others: Chosen[] = [["mlb", {}], ["arl", { warmup: 0 }], ["amid", {}]];
  for (const [k, chosen] of same.entries()) {
    const still = await run("sum", [chosen]);
    const moved = await run("sum", [others[k]]);
    for (const [full, { data }] of Object.entries(readouts.params)) {
      assertClose(still.params[full].data, data, 1e-4);
      if (full.startsWith("encoder:")) assertNotEquals(moved.params[full].data, data);
    }
  }
});

Deno.test("dgl without unimodal losses and cggm of factor 0 leave encoders where they began; the head learns", async () => {
  const start: Record<string, Float32Array> = {};
  const watch: Method = {
    name: "watch",
    beforeEpoch: async (host) => void (host.epoch === 0 && Object.assign(start, await host.params(["*"]))),
  };
  for (const chosen of [["dgl", { alpha: 0 }], ["cggm", { rho: 0 }]] as Chosen[]) {
    const { params } = await train({
      model: toyModel(library, three, "concat", [chosen, watch]),
      dataset: three,
      engine,
      training: { ...toyTraining, epochs: 1, weightDecay: 0, select: "last" },
      seed: 0,
    });
    for (const [full, { data }] of Object.entries(params)) {
      if (full.startsWith("encoder:")) assertEquals(data, start[full], full);
      if (full === "head/kernel") assertNotEquals(data, start[full]);
    }
  }
});

Deno.test("mslr under Adam: a factor on gradients does nothing, one on updates does", async () => {
  const adam = async (options: Record<string, unknown>) =>
    (await train({
      model: toyModel(library, three, "concat", [["mslr", { init: [0.5, 1, 2], ...options }]]),
      dataset: three,
      engine,
      training: { ...toyTraining, epochs: 1, optimizer: "adamw", learningRate: 0.001, clipNorm: 0, select: "last" },
      seed: 0,
    })).params;
  const [plain, gradient, update] = [
    await adam({ init: [1, 1, 1] }),
    await adam({ on: "gradient" }),
    await adam({ on: "update" }),
  ];
  const largest = (params: typeof plain) =>
    Math.max(
      ...Object.entries(plain).flatMap(([full, { data }]) =>
        [...data].map((value, i) => Math.abs(value - params[full].data[i]))
      ),
    );
  assert(
    largest(gradient) < 1e-3 && largest(gradient) < largest(update) / 2,
    `${largest(gradient)}, ${largest(update)}`,
  );
});

Deno.test("mslr by accuracy goes on from a checkpoint bit for bit, its memory of accuracies included", async () => {
  const model = () => toyModel(library, three, "concat", [["mslr", { schedule: "accuracy", memory: 2 }]]);
  const training = { epochs: 7, budget: "epochs" as const, learningRate: 0.01 };
  const whole = await trainedWith(engine, model(), three, { training });
  const factors = whole.records.map(({ methods }) => methods["mslr"]["factor"] as Record<string, number>);
  assert(factors.some(({ audio }) => audio !== 1), JSON.stringify(factors));
  const rest = await trainedWith(engine, model(), three, { training, resume: whole.checkpoints[3] });
  assertEquals(JSON.stringify(rest.records), JSON.stringify(whole.records.slice(4)));
  for (const [full, { data }] of Object.entries(whole.result.params)) assertEquals(rest.result.params[full].data, data);
});

Deno.test("cml without hinges trains the mean over nested subsets, and its confidences follow the hinges", async () => {
  const loose = await run("concat", [["cml", { lambda: 0 }]]);
  const strict = await run("concat", [["cml", { lambda: 5 }]]);
  const plain = await run("concat", []);
  assertNotEquals(loose.params["head/kernel"].data, plain.params["head/kernel"].data);
  assertNotEquals(strict.params["head/kernel"].data, loose.params["head/kernel"].data);
});

const trained: [string, string, Record<string, unknown>][] = [
  ["agm", "concat", {}],
  ["amco", "concat", {}],
  ["amid", "concat", {}],
  ["arl", "concat", { warmup: 1 }],
  ["cggm", "concat", {}],
  ["cml", "concat", {}],
  ["dgl", "concat", {}],
  ["mbsd", "concat", {}],
  ["mlb", "concat", {}],
  ["mmcosine", "concat", {}],
  ["mslr", "concat", {}],
  ["mla", "decision", {}],
  ["mmpareto", "concat", {}],
  ["opm", "concat", { warmup: 1 }],
  ["pdf", "decision", {}],
  ["pmr", "concat", {}],
  ["qmf", "decision", {}],
  ["arm", "concat", { sampler: { name: "dsr", start: 1 } }],
  ["arm-bmml", "concat", {}],
  ["arm-dfe", "concat", {}],
  ["arm-dsr", "concat", {}],
  ["arm-literal", "concat", {}],
  ["arm-official", "concat", {}],
  ["greedy", "mmtm", { start: 0 }],
  ["mcr", "concat", { permutations: 4 }],
  ["midas", "concat", { warmup: 1 }],
  ["modality-valuation", "concat", { warmup: 1 }],
  ["ogm", "concat", {}],
  ["ogm-ge", "concat", {}],
  ["sample-valuation", "concat", { warmup: 1 }],
  ["uni-ce", "concat", {}],
];

Deno.test("every method is trained on av-digits and on three modalities, here or among the nested ones", () => {
  const nested = "data-remixing g-blending g2d info-reg lfm re-learning recon-boost umt unimodal-ensemble".split(" ");
  // `recipe` is what the arm methods are made of; `none` is no method.
  const others = ["none", "recipe"];
  const names = library.of("method").list().map(({ name }) => name);
  assertEquals(names.toSorted(), [...trained.map(([name]) => name), ...nested, ...others].toSorted());
});

for (const [name, fusion, options] of trained) {
  Deno.test(`${name} trains on av-digits and on three modalities, above chance`, async () => {
    const found = await digits(fusion, [name, options]);
    // Chance is 0.1, of 500 samples.
    assert(found.summary.test.accuracy > 0.15, `av-digits: ${found.summary.test.accuracy}`);
    const dataset = OF_TWO.includes(name) ? await toyDataset(2) : three;
    const blobs = await run(
      fusion,
      [[name, options]],
      {},
      dataset,
      4,
      FUSED_WIDE.includes(name) ? () => 128 : undefined,
    );
    assert(blobs.summary.test.accuracy > 0.6, `blobs: ${blobs.summary.test.accuracy}`);
  });
}

Deno.test("what cannot be put on one model is refused with the reason", () => {
  const context = { modalities: ["audio", "image"], classes: 3 };
  const why = (...names: string[]) =>
    incompatibility(names.map((name) => library.of("method").get(name).create({}, context)))?.message ?? "";
  const refused: [string[], string][] = [
    [["mla", "ogm"], 'as "mla" trains one modality at a time and "ogm" acts on the losses or gradients of all at once'],
    [["uni-ce", "mla"], "both train every modality's readout"],
    [["mla", "qmf"], "replace the task's loss"],
    [["agm", "mmcosine"], "both make the fused logits anew"],
    [["amco", "mbsd"], "both train every modality's readout"],
    [["dgl", "mlb"], "both train every modality's readout"],
    [["ogm", "dgl"], "write dgl+ogm"],
    [["pdf", "qmf"], "replace the task's loss"],
    [["mslr", "mla"], '"mslr" acts on the losses or gradients of all at once'],
    [["cml", "qmf"], "replace the task's loss"],
    [["agm", "qmf"], "both make the fused logits anew"],
    [["ogm", "mmpareto"], "write mmpareto+ogm"],
    [["uni-ce", "mmpareto"], "both train every modality's readout"],
  ];
  for (const [names, reason] of refused) assert(why(...names).includes(reason), `${names.join("+")}: ${why(...names)}`);
  for (
    const names of [["mmpareto", "ogm"], ["agm", "uni-ce"], ["cml", "mmcosine"], ["mslr", "mlb"], ["opm", "pdf"], [
      "mbsd",
      "agm",
    ], [
      "opm",
      "pmr",
      "ogm-ge",
    ], ["sample-valuation", "mla"]]
  ) {
    assertEquals(why(...names), "", names.join("+"));
  }
});

Deno.test("mcr, amid and mla train where rows by rows or features by features are more than a program may carry", async () => {
  // 3 x 64 features, 160 rows, a head of 160 columns: 65,536 bytes are 128 by 128.
  for (
    const [name, fusion, options] of [["mcr", "concat", { permutations: 1 }], ["amid", "concat", {}], [
      "mla",
      "decision",
      {},
    ]] as const
  ) {
    const dataset = await toyDataset(3);
    const { summary } = await train({
      model: toyModel(library, dataset, fusion, [[name, options]], {}, () => 160),
      dataset,
      engine,
      training: { ...toyTraining, epochs: 1, batchSize: 160, select: "last" },
      seed: 0,
    });
    assert(Number.isFinite(summary.test.loss), name);
  }
});
