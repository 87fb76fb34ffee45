/** Training on misaligned samples against NumPy, sample by sample, and what it does in training. */
import * as tf from "@tensorflow/tfjs";
import { assert, assertAlmostEquals, assertEquals, assertNotEquals } from "@std/assert";
import { labelShares, likeness, midas, misalignedLoss, weakWeights } from "../../baselines/mod.ts";
import type { TrainStep } from "../../core/kinds/mod.ts";
import { mapByModality } from "../../core/modality.ts";
import { onnxCpu } from "../../engines/mod.ts";
import { createLibrary } from "../../library.ts";
import { train } from "../../training/mod.ts";
import { assertClose, golden, values } from "../helpers/tensors.ts";
import { toyDataset, toyModel, toyTraining } from "../helpers/toy.ts";

interface Setting {
  readonly labels: number[];
  readonly orders: number[][];
  readonly weights: number[];
  readonly alpha: number[];
  readonly features: Record<string, number[][]>;
  readonly head: Record<string, number[][]>;
  readonly own: Record<string, number[][]>;
  readonly loss: number;
  readonly next: number[];
}

Deno.test("labelShares(): confidences .9 and .3 share a label .75 to .25; none at all does not divide by zero", () => {
  const of = (audio: number, image: number) =>
    mapByModality(labelShares({ audio: tf.tensor1d([audio]), image: tf.tensor1d([image]) }), (own) => values(own)[0]);
  assertClose(Object.values(of(0.9, 0.3)), [0.75, 0.25], 1e-6);
  assertEquals(of(0, 0), { audio: 0, image: 0 });
});

Deno.test("misalignedLoss(): cross-entropy with the soft label, its parts weighted", () => {
  const logits = tf.tensor2d([[Math.log(0.2), Math.log(0.3), Math.log(0.5)]]);
  const labels = { audio: tf.tensor1d([0], "int32"), image: tf.tensor1d([2], "int32") };
  const shares = { audio: tf.tensor1d([0.75]), image: tf.tensor1d([0.25]) };
  const of = (alpha: number[]) => values(misalignedLoss(logits, labels, shares, tf.tensor1d(alpha)))[0];
  assertAlmostEquals(of([1, 1]), -(0.75 * Math.log(0.2) + 0.25 * Math.log(0.5)), 1e-6);
  assertAlmostEquals(of([1, 3]), -(0.75 * Math.log(0.2) + 3 * 0.25 * Math.log(0.5)), 1e-6);
});

Deno.test("weakWeights(): the least sure modality's weight follows what the prediction neglects, and never falls below 1", () => {
  const of = (alpha: number[], shares: number[], fused: number[], eta = 0.05) =>
    values(weakWeights(tf.tensor1d(alpha), tf.tensor1d(shares), tf.tensor1d(fused), eta));
  // The paper's example: a share of .25 of which the prediction shows .10.
  assertClose(of([1, 1], [0.75, 0.25], [0.9, 0.1]), [1, 1.0075], 1e-6);
  assertClose(of([1, 1.2], [0.75, 0.25], [0.9, 0.1]), [1, 1.2075], 1e-6);
  assertClose(of([1, 1.001], [0.75, 0.25], [0.5, 0.5]), [1, 1], 1e-6);
  // Who was behind before weighs 1 again.
  assertClose(of([1.4, 1, 1], [0.5, 0.2, 0.3], [0.6, 0.1, 0.3]), [1, 1.005, 1], 1e-6);
});

Deno.test("likeness(): the cosine of what was replaced, over those of another class; a feature of zeros is like nothing", () => {
  const features = { audio: tf.tensor2d([[1, 0], [1, 1]]), image: tf.tensor2d([[0, 0], [0, 2]]) };
  const rows = { audio: tf.tensor1d([1, 0], "int32"), image: tf.tensor1d([1, 0], "int32") };
  const of = (audio: number[], image: number[]) =>
    values(likeness(features, rows, { audio: tf.tensor1d(audio), image: tf.tensor1d(image) }));
  assertClose(of([1, 1], [0, 0]), [Math.SQRT1_2, Math.SQRT1_2], 1e-6);
  assertClose(of([1, 1], [1, 1]), [Math.SQRT1_2 / 2, Math.SQRT1_2 / 2], 1e-6);
  assertEquals(of([0, 0], [0, 0]), [0, 0]);
});

const { settings } = golden<{ settings: Setting[] }>("midas");
for (const [index, found] of settings.entries()) {
  Deno.test(`midas: loss of a batch's misaligned samples and the weights after it, setting ${index}`, () => {
    const modalities = Object.keys(found.features);
    const [size, m] = [found.labels.length, modalities.length];
    const method = midas.create({ lambda: 2, eta: 0.5, warmup: 0, hard: true }, { modalities, classes: 3 });
    // The i-th largest number of a row of noise says which row the i-th takes.
    const noise = found.orders.map((order) => {
      const row = new Array<number>(size).fill(0);
      order.forEach((from, i) => row[from] = 1 - i / 8);
      return row;
    });
    const kept: Record<string, tf.Tensor> = {};
    const group = {
      random: () => tf.tensor2d(noise),
      buffer: (name: string) => name === "alpha" ? tf.tensor1d(found.alpha) : tf.scalar(3),
      update: (name: string, value: tf.Tensor) => kept[name] = value,
    };
    const memo = new Map<string, unknown>();
    const features = mapByModality(found.features, (own) => tf.tensor2d(own));
    const step = {
      modalities,
      keep: null,
      labels: tf.tensor1d(found.labels, "int32"),
      features: mapByModality(features, (pooled) => ({ pooled })),
      output: { own: mapByModality(found.own, (own) => tf.tensor2d(own)) },
      rearranged: (rows: Record<string, tf.Tensor1D>) => ({
        logits: tf.addN(
          modalities.map((name) => tf.matMul(tf.gather(features[name], rows[name]), tf.tensor2d(found.head[name]))),
        ),
      }),
      memo: <T>(key: string, make: () => T): T => {
        if (!memo.has(key)) memo.set(key, make());
        return memo.get(key) as T;
      },
      scope: {
        group: () => group,
        weights: () => tf.tensor1d(found.weights),
        control: (name: string) => tf.scalar(name === "epoch" ? 3 : 1),
      },
    };
    const { misaligned } = method.loss!(step as unknown as TrainStep);
    assertAlmostEquals(values(misaligned as tf.Tensor)[0], 2 * found.loss, 1e-5);
    const { stats } = method.emit!(step as unknown as TrainStep);
    assertClose(values(kept["alpha"]), found.next, 1e-5);
    assertEquals(Object.keys(stats!).length, m);
  });
}

const library = createLibrary();
const engine = await onnxCpu.create();
const three = await toyDataset(3);
const run = async (options: Record<string, unknown>, fusion = "concat", epochs = 3, name = "midas") => {
  const records: Record<string, unknown>[] = [];
  const { params, summary } = await train({
    model: toyModel(library, three, fusion, [[name, options]]),
    dataset: three,
    engine,
    training: { ...toyTraining, epochs, select: "last" },
    seed: 0,
    onEpoch: ({ methods }) => {
      records.push(methods[name] as Record<string, unknown>);
    },
  });
  return {
    params: Object.fromEntries(Object.entries(params).map(([full, { data }]) => [full, data])),
    summary,
    records,
  };
};

Deno.test("midas without misaligned samples is unimodal losses beside the task's; its warm-up trains no fused head", async () => {
  const off = await run({ lambda: 0, warmup: 0 });
  const plain = await run({ alpha: 0 }, "concat", 3, "mlb");
  assertEquals(off.params, plain.params);
  assertNotEquals((await run({ warmup: 0 })).params, plain.params);
  const [short, long] = [await run({ warmup: 9 }, "concat", 1), await run({ warmup: 9 }, "concat", 3)];
  // Weight decay alone moves it: all entries by one factor.
  const [before, after] = [short, long].map(({ params }) => params["head/kernel"]);
  const factor = after[0] / before[0];
  assertClose(after, before.map((value) => value * factor), 1e-6);
  assertNotEquals(long.params["head:audio/kernel"], short.params["head:audio/kernel"]);
});

Deno.test("midas makes predictions of three modalities better than chance on every kind of fusion, and weights rise past the warm-up alone", async () => {
  for (const fusion of ["concat", "film", "mmtm", "decision", "cross-attention"]) {
    const { summary, records } = await run({ warmup: 1, eta: 1 }, fusion, 5);
    assert(summary.test.accuracy > 0.5, `${fusion}: ${summary.test.accuracy}`);
    // Means over an epoch's steps.
    const weights = records.map((record) => Object.keys(three.modalities).map((u) => record[`alpha:${u}`]));
    assertEquals(weights[0], [1, 1, 1]);
    assert(weights.slice(1).flat().every((value) => Number(value) >= 1), JSON.stringify(weights));
    assert(weights.slice(1).flat().some((value) => Number(value) > 1), JSON.stringify(weights));
  }
});
