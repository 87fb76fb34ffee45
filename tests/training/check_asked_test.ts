/** A script that calls `train` itself is told what a command line would have told it. */
import { assert, assertRejects } from "@std/assert";
import { Refusal } from "../../core/refusal.ts";
import { selectEngine } from "../../engines/mod.ts";
import { createLibrary } from "../../library.ts";
import { train, type TrainOptions } from "../../training/mod.ts";
import { toyDataset, toyModel, toyTraining } from "../helpers/toy.ts";

const dataset = await toyDataset(2);
const model = toyModel(createLibrary(), dataset, "concat", []);
const { engine } = await selectEngine("cpu");
const asked = { model, dataset, engine, training: { ...toyTraining, epochs: 1 }, seed: 0 };

Deno.test("train() refuses what does not belong together, and numbers and words out of range, before it builds anything", async () => {
  const { context } = model;
  const { train: whole } = dataset.splits;
  const refused = async (change: Partial<TrainOptions>, found: string) =>
    assert((await assertRejects(() => train({ ...asked, ...change }), Refusal)).message.includes(found), found);
  const training = (change: object) => ({ training: { ...asked.training, ...change } });
  await refused(training({ learningRate: -1 }), "train with learningRate as it must be a number >= 0: found -1");
  await refused(training({ learningRate: NaN }), "found NaN");
  await refused(training({ batchSize: 0 }), "train with batchSize as it must be a whole number >= 1: found 0");
  await refused(training({ epochs: 1.5 }), "found 1.5");
  await refused(training({ epochs: Infinity }), "found Infinity");
  await refused(training({ momentum: 2 }), "it must be a number 0 to 1: found 2");
  await refused(training({ clipNorm: undefined }), "found undefined");
  await refused(training({ optimizer: "rmsprop" }), 'optimizer "rmsprop" as it must be one of sgd, adamw');
  const other = (change: object) => ({ model: { ...model, context: { ...context, ...change } } });
  await refused(other({ modalities: ["image", "audio"] }), "modalities must be sorted: found image, audio");
  await refused(
    other({ modalities: ["audio", "video"] }),
    'the dataset must have modality "video": found audio, image',
  );
  await refused(other({ classes: 2 }), "the model must have its 3 classes: found 2");
  const { image: _, ...encoders } = model.encoders;
  await refused({ model: { ...model, encoders } }, 'encoders must have modality "image": found audio');
  const cut = (change: object) => ({
    dataset: { ...dataset, splits: { ...dataset.splits, train: { ...whole, ...change } } },
  });
  const audio = whole.inputs.audio.subarray(1);
  await refused(
    cut({ inputs: { ...whole.inputs, audio } }),
    `"audio" of split "train" must have ${audio.length + 1} values`,
  );
  await refused(cut({ inputs: {} }), "found 0");
  await refused(cut({ labels: whole.labels.subarray(1) }), `must have ${whole.size} labels: found ${whole.size - 1}`);
});
