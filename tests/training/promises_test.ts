/** What the harness promises of every run, by value and with three modalities. */
import * as tf from "@tensorflow/tfjs";
import { assert, assertAlmostEquals, assertEquals, assertNotEquals } from "@std/assert";
import type { Dataset, Method, Segment } from "../../core/kinds/mod.ts";
import { float32 } from "../../core/program.ts";
import { Random } from "../../core/random.ts";
import { onnxCpu } from "../../engines/mod.ts";
import { createLibrary } from "../../library.ts";
import { createOptimizer } from "../../nn/optimizers.ts";
import {
  accuracy,
  argmaxRows,
  Batches,
  gatherRows,
  keepRows,
  likelihood,
  measure,
  predictWith,
  RunState,
  scatterRows,
  startRun,
  StepCurve,
  train,
} from "../../training/mod.ts";
import { assertClose } from "../helpers/tensors.ts";
import { toyDataset, toyModel, toyTraining } from "../helpers/toy.ts";
import { type Kept, trained } from "../helpers/train.ts";

const library = createLibrary();
const engine = await onnxCpu.create();
const three = await toyDataset(3);
const modalities = ["audio", "image", "text"];
const N = 75;

function run(methods: readonly Method[], more: Parameters<typeof trained>[3] = {}, dataset = three): Promise<Kept> {
  return trained(engine, toyModel(library, dataset, "concat", methods), dataset, more);
}

// ----------------------------------------------------------------------------------------------------------- selection

/** Labels of one split are those of the next class: what is learnt makes it worse. */
function misled(split: "validation" | "test"): Dataset {
  const { labels } = three.splits[split];
  const wrong = labels.map((label) => (label + 1) % 3);
  return { ...three, splits: { ...three.splits, [split]: { ...three.splits[split], labels: wrong } } };
}

const accuracies = ({ records }: Kept) => records.map(({ validation }) => validation.accuracy);
const firstBest = (values: readonly number[]) => values.indexOf(Math.max(...values));

/** Misled validation: the first epoch is its best, the last its worst. One run for all tests that look at it. */
const early = await run([], { training: { epochs: 4, learningRate: 0.02 } }, misled("validation"));

Deno.test("the selected epoch is the first best of validation, not of test and not the last", async () => {
  const found = accuracies(early);
  assert(Math.max(...found) > found.at(-1)!, `${found}`);
  assertEquals(early.result.summary.selectedEpoch, firstBest(found));
  assertEquals(early.result.summary.selectedOn, "validation");
  assertEquals(early.result.summary.validation, early.records[firstBest(found)].validation);
  // Every record is of the validation split.
  assert(early.records.every(({ validation: { size } }) => size === three.splits.validation.size));
  // With misled test labels test is best first; validation still decides.
  const late = await run([], { training: { epochs: 4, learningRate: 0.02 } }, misled("test"));
  assertEquals(late.result.summary.selectedEpoch, firstBest(accuracies(late)));
  assert(late.result.summary.selectedEpoch > 0);
});

Deno.test("what is tested are the selected epoch's parameters and buffers, on the test split", async () => {
  const { selectedEpoch, test } = early.result.summary;
  const { tensors } = early.checkpoints[selectedEpoch];
  const last = early.checkpoints.at(-1)!.tensors;
  for (const [full, { data }] of Object.entries(early.result.params)) {
    assertEquals(data, tensors[`param:${full}`].data, full);
    assertNotEquals(data, last[`param:${full}`].data, full);
  }
  for (const [full, { data }] of Object.entries(early.result.buffers)) {
    assertEquals(data, tensors[`buffer:${full}`].data, full);
  }
  const dataset = misled("validation");
  const model = toyModel(library, dataset, "concat", []);
  const { predictor, dispose } = predictWith(
    RunState.ofModel({ model, dataset, engine, batchSize: toyTraining.batchSize }, tensors, "test"),
  );
  assertEquals(JSON.stringify(await measure(predictor, dataset.splits.test)), JSON.stringify(test));
  assertEquals(test.size, three.splits.test.size);
  dispose();
});

Deno.test("the best epoch survives a restart behind it; ties keep the earlier epoch; select=last takes the last", async () => {
  const dataset = misled("validation");
  const training = { epochs: 4, learningRate: 0.02 };
  const rest = await run([], { training, resume: early.checkpoints[2] }, dataset);
  assert(early.result.summary.selectedEpoch < 2);
  assertEquals(JSON.stringify(rest.result.summary), JSON.stringify(early.result.summary));
  for (const [full, { data }] of Object.entries(early.result.params)) assertEquals(rest.result.params[full].data, data);
  const still = await run([], { training: { epochs: 3, learningRate: 0 } });
  assertEquals(new Set(accuracies(still)).size, 1);
  assertEquals(still.result.summary.selectedEpoch, 0);
  const last = await run([], { training: { ...training, select: "last" } }, dataset);
  assertEquals([last.result.summary.selectedEpoch, last.result.summary.selectedOn], [3, "none"]);
  assertEquals(last.result.summary.validation, last.records[3].validation);
});

// ---------------------------------------------------------------------------------------------------- order and noise

Deno.test("every epoch draws every sample once, in an order of its own that follows from seed and epoch", async () => {
  const orders: number[][] = [];
  const looks: Method = {
    name: "looks",
    plan: (_host, base) => {
      assertEquals(base.length, 1);
      orders.push([...base[0].items]);
      return base;
    },
  };
  await run([looks], { training: { epochs: 3 }, seed: 7 });
  orders.forEach((order, epoch) => {
    assertEquals([...order].sort((a, b) => a - b), Array.from({ length: N }, (_, i) => i));
    assertEquals(order, [...new Random(7).split("order", epoch).permutation(N)]);
  });
  assertEquals(new Set(orders.map((order) => order.join())).size, 3);
});

Deno.test("noise is drawn anew at every step, epoch, program, repetition and nested training, and by seed", async () => {
  const drawn: number[] = [];
  const noisy = (): Method => ({
    name: "noisy",
    declares: { programs: [{ name: "other" }] },
    emit: (step) => ({ stats: { draw: step.scope.group("aux:noisy").random("uniform", []) as tf.Scalar } }),
    afterStep: (stats) => void drawn.push(stats["noisy/draw"]),
    async beforeEpoch(host) {
      await host.train([{ programs: ["main", "other"], items: Int32Array.of(0, 1), epochs: 2 }]);
    },
  });
  await run([noisy()], { training: { epochs: 2, budget: "epochs" } });
  const count = 2 * (4 + Math.ceil(N / 16));
  assertEquals(drawn.length, count);
  assertEquals(new Set(drawn).size, count);
  const first = [...drawn];
  await run([noisy()], { training: { epochs: 2, budget: "epochs" } });
  assertEquals(drawn.slice(count), first);
  await run([noisy()], { training: { epochs: 2, budget: "epochs" }, seed: 1 });
  assertEquals(new Set([...first, ...drawn.slice(2 * count)]).size, 2 * count);
});

// --------------------------------------------------------------------------------------------- masks, tables, features

Deno.test("keep masks and table rows reach their own samples in every batch", async () => {
  const flagsOf = (item: number) => [item % 2, item % 3 === 0 ? 0 : 1, 1];
  const masks: Method = {
    name: "masks",
    declares: { keep: true, columns: { seen: { width: 3, init: -1 }, count: { width: 1, init: 5 } } },
    plan: (_host, base) =>
      base.map((segment) => ({ ...segment, keep: Uint8Array.from([...segment.items].flatMap(flagsOf)) })),
    emit: (step) => ({
      rows: {
        seen: tf.concat(modalities.map((name) => step.keep![name]), 1) as tf.Tensor2D,
        count: tf.add(step.rows("count"), 1) as tf.Tensor2D,
      },
    }),
    afterEpoch(host) {
      const [seen, count] = [host.table("seen"), host.table("count")];
      for (let item = 0; item < N; item++) {
        assertEquals([...seen.subarray(item * 3, item * 3 + 3)], flagsOf(item), `sample ${item}`);
        assertEquals(count[item], 6 + host.epoch, `sample ${item}`);
      }
    },
  };
  await run([masks], { training: { epochs: 2 } });
});

Deno.test("means of features are those of the epoch's samples that have the modality, finished and begun anew", async () => {
  const found: Record<string, Float32Array>[] = [];
  const half: Method = {
    name: "half",
    declares: { keep: true },
    // Only even samples have their audio.
    plan: (_host, base) =>
      base.map((segment) => ({
        ...segment,
        keep: Uint8Array.from([...segment.items].flatMap((item) => [item % 2 === 0 ? 1 : 0, 1, 1])),
      })),
    async afterEpoch(host) {
      found.push(await host.buffers(["harness"]));
      const { pooled } = await host.pass("train");
      // Nothing learns, so that features are the same all the time.
      const mean = (values: Float32Array, counts: (item: number) => boolean) => {
        const width = values.length / N;
        const chosen = Array.from({ length: N }, (_, item) => item).filter(counts);
        return Array.from(
          { length: width },
          (_, k) => chosen.reduce((sum, item) => sum + values[item * width + k], 0) / chosen.length,
        );
      };
      const own = found.at(-1)!;
      assertClose(own["harness/mean/audio"], mean(pooled.audio, (item) => item % 2 === 0), 1e-5);
      assertClose(own["harness/mean/text"], mean(pooled.text, () => true), 1e-5);
      assert(own["harness/sum/audio"].every((value) => value === 0));
      assertEquals([...own["harness/count/audio"]], [0]);
    },
  };
  await run([half], { training: { epochs: 2, learningRate: 0, weightDecay: 0 } });
  assertEquals(found.length, 2);
  assert(found[0]["harness/mean/image"].some((value) => value !== 0));
});

Deno.test("an epoch in which a modality is dropped everywhere keeps its last mean", async () => {
  const means: Float32Array[] = [];
  const late: Method = {
    name: "late",
    declares: { keep: true },
    plan: (host, base) =>
      base.map((segment) => ({
        ...segment,
        keep: Uint8Array.from({ length: 3 * segment.items.length }, (_, i) => i % 3 === 0 ? 1 - host.epoch : 1),
      })),
    afterEpoch: async (host) => void means.push((await host.buffers(["harness"]))["harness/mean/audio"]),
  };
  await run([late], { training: { epochs: 2 } });
  assertEquals(means[1], means[0]);
});

Deno.test("batches are padded with their first sample at weight 0; rows come from and go to their samples", async () => {
  const batches = new Batches(three, ["audio"], 4);
  const items = Int32Array.of(7, 3, 7);
  const { train: split } = three.splits;
  const { data, shape } = (await batches.inputs(split, items))["input:audio"];
  const row = (item: number) => [...(split.inputs.audio as Float32Array).subarray(item * 5, item * 5 + 5)];
  assertEquals(shape, [4, 5]);
  assertEquals([...data], [...row(7), ...row(3), ...row(7), ...row(7)]);
  const { labels, weights } = batches.targets(split, items);
  assertEquals([...labels.data], [7, 3, 7, 7].map((item) => split.labels[item]));
  assertEquals([...weights.data], [1, 1, 1, 0]);
  const table = Float32Array.from({ length: 20 }, (_, i) => i);
  assertEquals([...gatherRows(table, 2, items, 4).data], [14, 15, 6, 7, 14, 15, 14, 15]);
  scatterRows(table, 2, items, float32([-1, -2, -3, -4, -5, -6, -7, -8], [4, 2]));
  // Of a repeated sample the last row stays, and padding writes nothing.
  assertEquals([...table.subarray(14, 16)], [-5, -6]);
  assertEquals([...table.subarray(6, 8)], [-3, -4]);
  assertEquals(table[0], 0);
  const flags = Uint8Array.of(1, 0, 0, 1, 0, 0);
  assertEquals([...keepRows(flags, 1, 2, 3, 2).data], [0, 1, 0, 0, 1, 1]);
  assertEquals([...keepRows(undefined, 1, 2, 3, 2).data], [1, 1, 1, 1, 1, 1]);
});

// ------------------------------------------------------------------------------------------------- schedule and totals

Deno.test("the learning rate follows the share of the budget, or of the epochs; the last step of an epoch is recorded", async () => {
  const cosine = (progress: number) => 0.05 * (1 + Math.cos(Math.PI * progress)) / 2;
  const rates = async (budget: "samples" | "epochs") =>
    (await run([], { training: { epochs: 3, budget, schedule: "cosine" } })).records
      .map(({ learningRate }) => learningRate);
  for (const [epoch, rate] of (await rates("samples")).entries()) {
    // The last batch of 16 begins after 64 of 75 samples.
    assertAlmostEquals(rate, cosine((epoch * N + 64) / (3 * N)), 1e-7);
  }
  for (const [epoch, rate] of (await rates("epochs")).entries()) {
    assertAlmostEquals(rate, cosine((epoch + 64 / N) / 3), 1e-7);
  }
  const { records } = await run([], { training: { epochs: 3, schedule: "step", stepAt: 0.5 } });
  assertEquals(records.map(({ learningRate }) => Number(learningRate.toFixed(6))), [0.05, 0.005, 0.005]);
});

Deno.test("a budget ends in the middle of an epoch and of a batch, and nothing more is drawn", async () => {
  const twice: Method = {
    name: "twice",
    plan: (_host, base) => base.map((segment): Segment => ({ ...segment, epochs: 2 })),
  };
  const drawn: number[] = [];
  const { summary } = await train({
    model: toyModel(library, three, "concat", [twice]),
    dataset: three,
    engine,
    training: { ...toyTraining, epochs: 3 },
    seed: 0,
    onStep: ({ samplesDrawn, samplesBudget }) => {
      drawn.push(samplesDrawn);
      assertEquals(samplesBudget, 3 * N);
    },
  });
  // 225 samples: an epoch of 150, one of 75.
  assertEquals([summary.samplesDrawn, summary.epochs], [225, 2]);
  assertEquals(drawn.slice(0, 6), [16, 32, 48, 64, 75, 91]);
  assertEquals(summary.steps, 15);
});

Deno.test("the last batch holds as many samples as are left, nested training counted", async () => {
  const nested: Method = {
    name: "nested",
    async beforeEpoch(host) {
      if (host.epoch === 0) await host.train([{ programs: ["main"], items: Int32Array.of(1, 2, 3, 4, 5) }]);
    },
  };
  const { summary } = (await run([nested], { training: { epochs: 2 } })).result;
  // 150 samples: 5, an epoch of 75, and 70 of the next, whose last batch has 6 of its 11.
  assertEquals([summary.samplesDrawn, summary.epochs, summary.steps], [150, 2, 1 + 5 + 5]);
});

Deno.test("an epoch's record holds means over its steps, accuracy over its samples, and what methods emit", async () => {
  const seen: Record<string, number>[] = [];
  const looks: Method = {
    name: "looks",
    emit: (step) => ({ stats: { logit: tf.mean(step.output.logits) as tf.Scalar } }),
    afterStep: (stats) => void seen.push({ ...stats }),
    report: () => ({ fixed: 3, counts: { a: 1 } }),
  };
  const { records: [record] } = await run([looks], { training: { epochs: 1 } });
  const mean = (name: string) => seen.reduce((sum, stats) => sum + stats[name], 0) / seen.length;
  assertEquals(seen.length, 5);
  assertAlmostEquals(record.loss.joint, mean("loss/joint"), 1e-9);
  assertAlmostEquals(record.loss.total, mean("loss/total"), 1e-9);
  assertAlmostEquals(record.clipped, mean("clipped"), 1e-9);
  assertAlmostEquals(record.trainAccuracy, seen.reduce((sum, stats) => sum + stats["correct"], 0) / N, 1e-9);
  assertEquals(Object.keys(record.methods), ["looks"]);
  assertAlmostEquals(record.methods.looks.logit as number, mean("looks/logit"), 1e-9);
  assertEquals([record.methods.looks.fixed, record.methods.looks.counts], [3, { a: 1 }]);
  assertEquals([record.epoch, record.steps, record.samplesDrawn], [0, 5, N]);
});

Deno.test("clipNorm scales gradients that are larger, 0 leaves them; weight decay and momentum act", async () => {
  const moved = async (training: Parameters<typeof trained>[3] extends infer M ? Record<string, unknown> : never) => {
    const { result, records } = await run([], { training: { epochs: 1, select: "last", ...training } as never });
    return { params: result.params, clipped: records[0].clipped };
  };
  const plain = await moved({ clipNorm: 0 });
  assertEquals(plain.clipped, 0);
  const clipped = await moved({ clipNorm: 1e-3 });
  assertEquals(clipped.clipped, 1);
  const differs = (one: Kept["result"]["params"], two: Kept["result"]["params"]) =>
    Object.keys(one).some((full) => one[full].data.some((value, i) => value !== two[full].data[i]));
  assert(differs(plain.params, clipped.params));
  assert(differs(plain.params, (await moved({ clipNorm: 0, weightDecay: 0.1 })).params));
  assert(differs(plain.params, (await moved({ clipNorm: 0, momentum: 0 })).params));
  assert(differs(plain.params, (await moved({ clipNorm: 0, optimizer: "adamw" })).params));
  assert(differs(plain.params, (await moved({ clipNorm: 0, batchSize: 8 })).params));
});

// ------------------------------------------------------------------------------------------------------------ programs

/** A run whose steps are asked for one by one. */
function started(methods: readonly Method[], more: { clipNorm?: number; momentum?: number } = {}) {
  return startRun({
    model: toyModel(library, three, "concat", methods),
    dataset: three,
    engine,
    optimizer: createOptimizer("sgd", { momentum: more.momentum ?? 0.9 }),
    batchSize: 16,
    clipNorm: more.clipNorm ?? 0,
    learningRate: () => 0.1,
    random: new Random(0),
    epochs: 4,
    budget: Infinity,
  });
}
const items = (count: number, from = 0) => Int32Array.from({ length: count }, (_, i) => from + i);

Deno.test("resetOptimizer clears slots and counts of its groups alone, at the segment's start", async () => {
  const own = started([]);
  await own.trainer.run([{ programs: ["main"], items: items(48) }], "a");
  const before = await own.state.device.read();
  await own.trainer.run([{ programs: ["main"], items: items(0), resetOptimizer: ["head", "encoder:te*"] }], "b");
  const after = await own.state.device.read();
  for (const [name, { data }] of Object.entries(after)) {
    const cleared = /^slot:momentum\/(head|encoder:text)\//.test(name) || /^updates:(head|encoder:text)$/.test(name);
    if (cleared) assert(data.every((value) => value === 0), name);
    else assertEquals(data, before[name].data, name);
  }
  assertEquals(before["updates:head"].data[0], 3);
  assert(before["slot:momentum/head/bias"].data.some((value) => value !== 0));
  own.dispose();
});

Deno.test("a program trains its groups by its terms; others keep parameters, slots and counts", async () => {
  const method: Method = {
    name: "two",
    declares: { programs: [{ name: "text", train: ["encoder:text"], lossKeys: ["push"] }] },
    loss: (step) => ({ push: tf.sum(tf.square(step.features.text.pooled), 1) }),
  };
  const own = started([method]);
  const before = await own.state.device.read();
  const totals = await own.trainer.run([{ programs: ["text"], items: items(32) }], "a");
  const after = await own.state.device.read();
  for (const [name, { data }] of Object.entries(after)) {
    if (!/^(param|slot|updates):/.test(name)) continue;
    const text = name.includes("encoder:text");
    assertEquals(data.some((value, i) => value !== before[name].data[i]), text, name);
  }
  assertEquals(after["updates:encoder:text"].data[0], 2);
  assertEquals(Object.keys(totals.sums).filter((name) => name.startsWith("loss/")).sort(), ["loss/push", "loss/total"]);
  assertEquals([totals.steps, totals.samples, totals.rows], [2, 32, 32]);
  own.dispose();
});

Deno.test("two programs on one batch are two steps on the same rows, and drawn once", async () => {
  const method: Method = { name: "twice", declares: { programs: [{ name: "again" }] } };
  const own = started([method]);
  const totals = await own.trainer.run([{ programs: ["main", "again"], items: items(20), epochs: 2 }], "a");
  assertEquals([totals.steps, totals.samples, totals.rows], [8, 40, 80]);
  assertEquals([own.state.steps, own.state.samplesDrawn], [8, 40]);
  own.dispose();
});

Deno.test("passes: chosen samples in their order, subsets of modalities, and losses and accuracies of them", async () => {
  const own = started([]);
  await own.trainer.run([{ programs: ["main"], items: items(64) }], "a");
  const { validation } = three.splits;
  const all = await own.host.logits("validation");
  const some = await own.host.logits("validation", undefined, Int32Array.of(9, 2, 25));
  [9, 2, 25].forEach((item, n) =>
    assertClose(some.subarray(3 * n, 3 * n + 3), all.subarray(3 * item, 3 * item + 3), 1e-6)
  );
  assertEquals(await own.host.evaluate("validation"), {
    loss: likelihood(all, validation.labels, 3).loss,
    accuracy: accuracy(argmaxRows(all, 3), validation.labels),
  });
  const audio = await own.host.logits("validation", ["audio"]);
  assertNotEquals([...audio], [...all]);
  assertEquals([...await own.host.logits("validation", ["text", "audio"])], [
    ...await own.host.logits("validation", ["audio", "text"]),
  ]);
  const pass = await own.host.pass("train");
  assertEquals([pass.logits.length, pass.pooled.image.length, pass.solo.text.length], [3 * N, 9 * N, 3 * N]);
  const readouts = modalities.map((name) => pass.solo[name][0]).reduce((a, b) => a + b);
  assertAlmostEquals(readouts, pass.logits[0], 1e-5); // concat's readouts sum to the logits
  own.dispose();
});

Deno.test("nested training gives the mean of each loss term over its steps", async () => {
  const own = started([{
    name: "x",
    loss: (step) => ({ two: tf.mul(tf.ones([16]), tf.add(2, tf.mul(0, step.weights))) }),
  }]);
  const losses = await own.host.train([{ programs: ["main"], items: items(40) }]);
  assertAlmostEquals(losses.two, 2, 1e-6);
  assertAlmostEquals(losses.total, losses.joint + losses.two, 1e-5);
  own.dispose();
});

Deno.test("StepCurve keeps at most 256 points, evenly, with the last; what is not finite is null", () => {
  const curve = new StepCurve();
  assertEquals(curve.points, []);
  for (let step = 0; step < 1000; step++) curve.add(step, step / 2, step === 3 ? undefined : step);
  const points = curve.points;
  assert(points.length <= 256 && points.length > 120, `${points.length}`);
  assertEquals(points[0], { step: 0, loss: 0, gradientNorm: 0 });
  assertEquals(points.at(-1), { step: 999, loss: 499.5, gradientNorm: 999 });
  const gaps = new Set(points.slice(1, -1).map(({ step }, i) => step - points[i].step));
  assertEquals(gaps.size, 1);
  curve.clear();
  curve.add(0, NaN, Infinity);
  assertEquals(curve.points, [{ step: 0, loss: null, gradientNorm: null }]);
});
