/** All kinds of encoders in one model, through the harness. */
import { Refusal } from "../../core/refusal.ts";
import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Dataset, ModalityInfo, Split } from "../../core/kinds/mod.ts";
import { type Engine, sizeOf } from "../../core/program.ts";
import { Random } from "../../core/random.ts";
import { checkDataset, fingerprintOf } from "../../datasets/mod.ts";
import { cpu, onnxCpu } from "../../engines/mod.ts";
import { createLibrary } from "../../library.ts";
import { type Model, train } from "../../training/mod.ts";
import { assertClose } from "../helpers/tensors.ts";
import { toyTraining } from "../helpers/toy.ts";

const library = createLibrary();
const modalities: Record<string, ModalityInfo> = {
  audio: { shape: [9, 4], dtype: "float32", about: "sequence" },
  clip: { shape: [2, 8, 8, 1], dtype: "float32", about: "two frames" },
  image: { shape: [12, 8, 2], dtype: "float32", about: "image of two channels" },
  text: { shape: [6], dtype: "int32", vocabulary: 12, about: "token ids" },
};
const parts: Record<string, [string, Record<string, unknown>]> = {
  audio: ["gru", { width: 6 }],
  clip: ["vit", { width: 8, heads: 2, depth: 2, dropout: 0.1 }],
  image: ["resnet18", { width: 2, smallInput: true, zeroInitResidual: true }],
  text: ["bert", { width: 8, hidden: 16, depth: 1 }],
};

/** Two classes that show in the mean of numbers, and in which ids come first. */
async function dataset(): Promise<Dataset> {
  const make = (name: string, size: number): Split => {
    const random = new Random(3).split(name);
    const labels = Int32Array.from({ length: size }, (_, n) => n % 2);
    const inputs = Object.fromEntries(
      Object.entries(modalities).map(([modality, { shape, dtype }]) => {
        const row = sizeOf(shape);
        if (dtype === "float32") {
          const value = (i: number) => random.normal() + (labels[Math.floor(i / row)] === 1 ? 1 : -1);
          return [modality, Float32Array.from({ length: size * row }, (_, i) => value(i))];
        }
        const id = (i: number) => i % row > 3 ? 0 : 1 + random.integer(5) + 5 * labels[Math.floor(i / row)];
        return [modality, Int32Array.from({ length: size * row }, (_, i) => id(i))];
      }),
    );
    return { size, labels, inputs, groups: Array.from({ length: size }, (_, n) => `${name} ${n}`) };
  };
  const splits = { train: make("train", 45), validation: make("validation", 20), test: make("test", 40) };
  const data: Dataset = {
    name: "mixed",
    modalities,
    classes: ["0", "1"],
    splits,
    fingerprint: await fingerprintOf(splits),
    notices: [],
  };
  checkDataset(data);
  return data;
}

function model(fusion: string, options: Record<string, unknown>): Model {
  const context = { modalities: Object.keys(modalities), classes: 2 };
  return {
    context,
    encoders: Object.fromEntries(
      Object.entries(parts).map(([modality, [name, own]]) => [
        modality,
        library.of("encoder").get(name).create(own, modalities[modality]),
      ]),
    ),
    fusion: library.of("fusion").get(fusion).create(options, context),
    methods: [],
  };
}

for (
  const [fusion, options] of [["mmtm", { stages: 1, loss: "both" }], ["centralnet", { stages: 1, width: 8 }]] as const
) {
  Deno.test(`gru, vit, resnet18 and bert learn under ${fusion}${fusion === "mmtm" ? ", traced as op by op" : ""}`, async () => {
    const data = await dataset();
    const run = async (engine: Engine, epochs: number) => {
      const losses: number[] = [];
      const { summary } = await train({
        model: model(fusion, options),
        dataset: data,
        engine,
        training: { ...toyTraining, epochs, optimizer: "adamw", learningRate: 0.01 },
        seed: 0,
        onEpoch: (record) => void losses.push(record.loss["total"]),
      });
      return { losses, summary };
    };
    const compiled = await onnxCpu.create();
    const { losses, summary } = await run(compiled, 6);
    assert(losses[5] < 0.7 * losses[0], `loss went from ${losses[0]} to ${losses[5]}`);
    assert(summary.test.accuracy > 0.9, `accuracy is ${summary.test.accuracy}`);
    for (const [modality, { accuracy }] of Object.entries(summary.test.perModality)) {
      assert(accuracy > 0.7, `accuracy of ${modality} alone is ${accuracy}`);
    }
    assertEquals(Object.keys(summary.multiplyAddsByPart!).length, 5);
    if (fusion === "centralnet") return; // one comparison of engines is enough for the encoders
    // The last batch of an epoch holds 13 of 16 rows.
    const eager = await run(await cpu.create(), 1);
    assertClose((await run(compiled, 1)).losses, eager.losses, 1e-3);
  });
}

Deno.test("checkDataset() names token ids that the vocabulary does not hold", async () => {
  const data = await dataset();
  data.splits.validation.inputs.text[6 * 4 + 2] = 12;
  assertThrows(
    () => checkDataset(data),
    Refusal,
    'Cannot use split "validation" of dataset "mixed" as ids of "text" must be 0..11: sample 4 has 12 at position 2',
  );
});
