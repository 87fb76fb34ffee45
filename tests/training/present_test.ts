/** Samples that lack modalities in the dataset itself: masks from the data through training and evaluation. */
import { assert, assertEquals } from "@std/assert";
import type { Dataset, Split } from "../../core/kinds/mod.ts";
import { Random } from "../../core/random.ts";
import { onnxCpu } from "../../engines/mod.ts";
import { createLibrary } from "../../library.ts";
import { selectModalities } from "../../datasets/mod.ts";
import { createOptimizer } from "../../nn/optimizers.ts";
import { startRun } from "../../training/run.ts";
import { assertClose } from "../helpers/tensors.ts";
import { toyDataset, toyModel, toyTraining } from "../helpers/toy.ts";
import { trained } from "../helpers/train.ts";

const library = createLibrary();
const engine = await onnxCpu.create();

/** Every third sample lacks the first modality, every fifth the last; what stands there in their place is `fill`. */
async function lacking(m: number, fill: (random: Random) => number): Promise<Dataset> {
  const dataset = await toyDataset(m, { train: 40, validation: 20, test: 20 });
  const random = new Random(7);
  const modalities = Object.keys(dataset.modalities).sort();
  const change = (split: Split): Split => {
    const present = new Uint8Array(split.size * m).fill(1);
    for (let n = 0; n < split.size; n++) {
      const lost = n % 3 === 1 ? 0 : n % 5 === 2 ? m - 1 : null;
      if (lost === null) continue;
      present[n * m + lost] = 0;
      const [width] = dataset.modalities[modalities[lost]].shape;
      const values = split.inputs[modalities[lost]];
      for (let k = 0; k < width; k++) values[n * width + k] = fill(random);
    }
    return { ...split, present };
  };
  const { train, validation, test } = dataset.splits;
  return { ...dataset, splits: { train: change(train), validation: change(validation), test: change(test) } };
}

for (
  const [fusion, methods, m] of [
    ["concat", [], 2],
    ["concat", ["uni-ce"], 3],
    ["concat", ["arm"], 2],
    ["sum", ["ogm-ge"], 2],
    ["gated", ["arm"], 3],
    ["mmtm", [], 2],
    // Weights that prediction values anew, by centres that it remembers from training.
    ["concat", [["arm", { fwTest: "confidence", warmup: 0 }]], 2],
    ["sum", [["arm", { fwTest: "leaky", warmup: 0 }]], 3],
    ["concat", [["arm", { dfe: "crossed", fwTest: "confidence", warmup: 0 }]], 2],
    ["concat", [["arm", { fwTest: "dataset-mean", warmup: 0 }]], 3],
  ] satisfies readonly [string, (string | [string, Record<string, unknown>])[], number][]
) {
  const label = [fusion, ...methods.map((method) => JSON.stringify(method))].join(" ");
  Deno.test(`what stands in place of a missing modality changes nothing: ${label}, ${m} modalities`, async () => {
    const results = await Promise.all(
      [() => 0, (random: Random) => 3 * random.normal()].map(async (fill) => {
        const dataset = await lacking(m, fill);
        const kept = await trained(engine, toyModel(library, dataset, fusion, [...methods]), dataset, {
          training: { epochs: 2 },
        });
        const { summary, params, predictions } = kept.result;
        return JSON.stringify({ summary, params, predictions });
      }),
    );
    assertEquals(results[0], results[1]);
  });
}

Deno.test("a sample that lacks a modality is predicted as if the model had been told to leave it out", async () => {
  const dataset = await lacking(3, () => 0);
  const run = startRun({
    model: toyModel(library, dataset, "concat", []),
    dataset,
    engine,
    batchSize: 16,
    optimizer: createOptimizer("sgd", toyTraining),
    clipNorm: 0,
    learningRate: () => 0.05,
    random: new Random(0),
    epochs: 1,
    budget: Infinity,
  });
  try {
    await run.trainer.run([{ items: Int32Array.from({ length: 40 }, (_, n) => n), programs: ["main"] }], "test");
    const { test } = dataset.splits;
    const logits = await run.predictor.logits(test);
    const modalities = Object.keys(dataset.modalities).sort();
    for (let n = 0; n < test.size; n++) {
      const kept = modalities.filter((_, u) => test.present![n * 3 + u] === 1);
      const items = Int32Array.of(n);
      const alone = await run.predictor.logits(test, { kept, items });
      assertClose(logits.subarray(n * 3, n * 3 + 3), alone, 1e-6);
      // A subset cannot bring back what is not there.
      const asked = await run.predictor.logits(test, { kept: modalities, items });
      assertClose(asked, alone, 1e-6);
    }
    const whole = await run.predictor.logits({ ...test, present: undefined });
    assert(whole.some((value, k) => Math.abs(value - logits[k]) > 1e-3), "the mask does something");
  } finally {
    run.dispose();
  }
});

Deno.test("accuracy of a modality's own readout is that of the samples that have it", async () => {
  const dataset = await lacking(2, () => 0);
  const kept = await trained(engine, toyModel(library, dataset, "concat", []), dataset, { training: { epochs: 4 } });
  const { test } = kept.result.summary;
  const having = dataset.splits.test.present!.filter((_, k) => k % 2 === 0).reduce((sum, there) => sum + there, 0);
  // A share of the samples that have it: a multiple of one in so many.
  const right = test.perModality["audio"].accuracy * having;
  assertClose([right], [Math.round(right)], 1e-6);
});

Deno.test("selectModalities() keeps the masks of what is left", async () => {
  const dataset = await lacking(3, () => 0);
  const { splits } = selectModalities(dataset, ["text", "audio"]);
  const expected = dataset.splits.train.present!.filter((_, k) => k % 3 !== 1);
  assertEquals(splits.train.present, expected);
});
