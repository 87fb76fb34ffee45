/** Methods with teachers, stages and nested training on real digits and on three modalities, teachers trained before them. */
import { assert } from "@std/assert";
import { byModality } from "../../core/modality.ts";
import type { Dataset, PassResult } from "../../core/kinds/mod.ts";
import * as names from "../../core/names.ts";
import { avDigits, selectModalities } from "../../datasets/mod.ts";
import { onnxCpu } from "../../engines/mod.ts";
import { createLibrary } from "../../library.ts";
import { type Model, teacherPass, type Teachers, train } from "../../training/mod.ts";
import { toyDataset, toyTraining } from "../helpers/toy.ts";

const library = createLibrary();
const engine = await onnxCpu.create();

/** A model of small perceptrons on some modalities of a dataset. */
function modelOf(dataset: Dataset, fusion: string, methods: readonly [string, Record<string, unknown>][]): Model {
  const context = { modalities: Object.keys(dataset.modalities).sort(), classes: dataset.classes.length };
  return {
    context,
    encoders: byModality(
      context.modalities,
      (modality) => library.of("encoder").get("mlp").create({ hidden: [64], width: 32 }, dataset.modalities[modality]),
    ),
    fusion: library.of("fusion").get(fusion).create({}, context),
    methods: methods.map(([name, options]) => library.of("method").get(name).create(options, context)),
  };
}

interface Setting {
  readonly dataset: Dataset;
  readonly training: typeof toyTraining;
  /** Share of right answers that a method must exceed; chance is far below. */
  readonly least: number;
}
const digits: Setting = {
  dataset: await avDigits.load({ size: "mini" }),
  training: { ...toyTraining, epochs: 6, batchSize: 32, learningRate: 0.01 },
  least: 0.25,
};
const blobs: Setting = { dataset: await toyDataset(3), training: { ...toyTraining, epochs: 6 }, least: 0.5 };

/** Teachers of one modality each, trained once. */
async function teachersOf({ dataset, training }: Setting): Promise<Teachers> {
  const passes: Record<string, PassResult> = {};
  for (const modality of Object.keys(dataset.modalities)) {
    const own = selectModalities(dataset, [modality]);
    const model = modelOf(own, "concat", []);
    const { params, buffers } = await train({ model, dataset: own, engine, training, seed: 0 });
    const values = { ...names.param.over(params), ...names.buffer.over(buffers) };
    passes[modality] = await teacherPass(
      { model, dataset: own, engine, batchSize: training.batchSize, values },
      "train",
    );
  }
  return (name) => Promise.resolve(passes[name]);
}
const settings = await Promise.all([digits, blobs].map(async (own) => ({ ...own, teachers: await teachersOf(own) })));

const methods: [string, string, Record<string, unknown>][] = [
  ["data-remixing", "concat", { warmup: 2 }],
  ["g-blending", "concat", {}],
  ["g2d", "concat", { end: 3 }],
  ["info-reg", "concat", {}],
  ["lfm", "concat", { schedule: "stretched" }],
  ["lfm", "sum", { schedule: "learned", share: 0.5, rate: 1 }],
  ["re-learning", "concat", { every: 2 }],
  ["recon-boost", "concat", { boost: 1, rectify: 1 }],
  ["umt", "concat", { weight: 1 }],
  ["unimodal-ensemble", "decision", {}],
];
for (const [name, fusion, options] of methods) {
  Deno.test(`${name} trains on av-digits and on three modalities, above chance; ${JSON.stringify(options)}`, async () => {
    for (const { dataset, training, least, teachers } of settings) {
      const model = modelOf(dataset, fusion, [[name, options]]);
      const { summary } = await train({ model, dataset, engine, training, seed: 0, teachers });
      assert(summary.test.accuracy > least, `${dataset.name}: ${summary.test.accuracy}`);
      assert(summary.samplesDrawn === training.epochs * dataset.splits.train.size);
    }
  });
}
