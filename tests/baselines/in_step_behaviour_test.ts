/** Methods within a step at neutral values, on real and on three modalities, and what composes with what. */
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import type { Dataset } from "../../core/kinds/mod.ts";
import { mapByModality } from "../../core/modality.ts";
import { avDigits } from "../../datasets/mod.ts";
import { onnxCpu } from "../../engines/mod.ts";
import { createLibrary } from "../../library.ts";
import { incompatibility, train } from "../../training/mod.ts";
import { assertClose } from "../helpers/tensors.ts";
import { toyDataset, toyModel, toyTraining } from "../helpers/toy.ts";

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
) =>
  train({
    model: toyModel(library, dataset, fusion, methods, options),
    dataset,
    engine,
    training: { ...toyTraining, epochs, select: "last" },
    seed: 0,
  });

/** Training on real digits: encoders that have room for ten classes. */
const digits = (fusion: string, [name, options]: Chosen) => {
  const context = { modalities: ["audio", "image"], classes: 10 };
  const model = {
    context,
    encoders: mapByModality(
      mini.modalities,
      (info) => library.of("encoder").get("mlp").create({ hidden: [64], width: 32 }, info),
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
  ["cml", "concat", {}],
  ["mbsd", "concat", {}],
  ["mmcosine", "concat", {}],
  ["mla", "decision", {}],
  ["mmpareto", "concat", {}],
  ["opm", "concat", { warmup: 1 }],
  ["pmr", "concat", {}],
  ["qmf", "decision", {}],
];
for (const [name, fusion, options] of trained) {
  Deno.test(`${name} trains on av-digits and on three modalities, above chance`, async () => {
    const found = await digits(fusion, [name, options]);
    assert(found.summary.test.accuracy > 0.25, `av-digits: ${found.summary.test.accuracy}`);
    const blobs = await run(fusion, [[name, options]], {}, three, 4);
    assert(blobs.summary.test.accuracy > 0.6, `blobs: ${blobs.summary.test.accuracy}`);
  });
}

Deno.test("what cannot be put on one model is refused with the reason", () => {
  const context = { modalities: ["audio", "image"], classes: 3 };
  const why = (...names: string[]) =>
    incompatibility(names.map((name) => library.of("method").get(name).create({}, context))) ?? "";
  const refused: [string[], string][] = [
    [["mla", "ogm"], 'as "mla" trains one modality at a time and "ogm" acts on the losses or gradients of all at once'],
    [["uni-ce", "mla"], "both train every modality's readout"],
    [["mla", "qmf"], "replace the task's loss"],
    [["agm", "mmcosine"], "both make the fused logits anew"],
    [["amco", "mbsd"], "both train every modality's readout"],
    [["cml", "qmf"], "replace the task's loss"],
    [["agm", "qmf"], "both make the fused logits anew"],
    [["ogm", "mmpareto"], "write mmpareto+ogm"],
    [["uni-ce", "mmpareto"], "both train every modality's readout"],
  ];
  for (const [names, reason] of refused) assert(why(...names).includes(reason), `${names.join("+")}: ${why(...names)}`);
  for (
    const names of [["mmpareto", "ogm"], ["agm", "uni-ce"], ["cml", "mmcosine"], ["mbsd", "agm"], [
      "opm",
      "pmr",
      "ogm-ge",
    ], ["sample-valuation", "mla"]]
  ) {
    assertEquals(why(...names), "", names.join("+"));
  }
});
