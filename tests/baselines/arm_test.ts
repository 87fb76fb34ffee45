/** ARM in the harness: tables, options, presets, fusions. The formulas have tests beside their functions. */
import * as tf from "@tensorflow/tfjs";
import { Refusal } from "../../core/refusal.ts";
import { assert, assertAlmostEquals, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { record } from "../../tensor/autodiff.ts";
import { use } from "../../core/options.ts";
import type { Dataset, Method, Split } from "../../core/kinds/mod.ts";
import { crossedWeights } from "../../baselines/mod.ts";
import { binnedWeights } from "../../baselines/arm/report.ts";
import { estimatorFloor, type Valuation, valuedBy } from "../../baselines/arm/valuation.ts";
import type { LossPlugin, TrainStep } from "../../core/kinds/mod.ts";
import { contributionGap, minimumInformation } from "../../losses/mod.ts";
import { onnxCpu } from "../../engines/mod.ts";
import { part } from "../../experiments/config.ts";
import { createLibrary } from "../../library.ts";
import { dsr, dsrCopies, uniformSampler } from "../../sampling/mod.ts";
import type { Checkpoint } from "../../training/mod.ts";
import { assertClose, values } from "../helpers/tensors.ts";
import { toyDataset, toyModel } from "../helpers/toy.ts";
import { type Kept, trained } from "../helpers/train.ts";

const library = createLibrary();
const engine = await onnxCpu.create();
const two = await toyDataset(2);
const OFF = { dfe: "off", lambda1: 0, lambda2: 0, sampler: use(uniformSampler), readoutWeight: 0 };

/** ARM (or a preset) on concatenation with equal widths, so that every view fits. */
const armModel = (options: Record<string, unknown>, preset = "arm", fusion = "concat", fusionWidth = 12) =>
  toyModel(library, two, fusion, [[preset, options]], fusion === "concat" ? { width: fusionWidth } : {}, () => 12);

const table = (checkpoint: Checkpoint, column: string) => checkpoint.tensors[`table:${column}`].data as Float32Array;
const params = ({ result }: Kept) =>
  Object.fromEntries(Object.entries(result.params).map(([k, { data }]) => [k, data]));

// ------------------------------------------------------------------------------------------------- tables and epochs

Deno.test("DFE: weights measured in one epoch act in the next, not before the warm-up ends, and sum to m", async () => {
  const { checkpoints } = await trained(engine, armModel({ ...OFF, dfe: "ratio", warmup: 2 }), two);
  assertEquals(checkpoints.length, 4);
  assert(table(checkpoints[0], "arm/fw").every((weight) => weight === 1));
  assert(table(checkpoints[1], "arm/fw").every((weight) => weight === 1));
  for (const epoch of [2, 3]) {
    assertEquals(table(checkpoints[epoch], "arm/fw"), table(checkpoints[epoch - 1], "arm/fw-next"));
  }
  const last = table(checkpoints[3], "arm/fw-next");
  for (let n = 0; n < last.length; n += 2) assertAlmostEquals(last[n] + last[n + 1], 2, 1e-5);
  assert(last.some((weight) => Math.abs(weight - 1) > 1e-3));
});

Deno.test("DSR: the last epoch's table decides the copies of the next, which are never copied again", async () => {
  const training = { budget: "epochs" as const, epochs: 3 };
  const { checkpoints, records } = await trained(engine, armModel({ ...OFF, sampler: use(dsr), warmup: 1 }), two, {
    training,
  });
  let drawn = 75;
  assertEquals(records[0].samplesDrawn, drawn);
  assertEquals(records[0].methods.arm["copies"], { "0": 75 });
  for (const epoch of [1, 2]) {
    const copies = dsrCopies(table(checkpoints[epoch - 1], "arm/phi"), -2, 2);
    drawn += 75 + copies.reduce((sum, count) => sum + count, 0);
    assertEquals(records[epoch].samplesDrawn, drawn);
    const counts: Record<string, number> = {};
    for (const count of copies) counts[count] = (counts[count] ?? 0) + 1;
    assertEquals(records[epoch].methods.arm["copies"], counts);
    assertAlmostEquals(
      records[epoch].methods.arm["copies:mean"] as number,
      copies.reduce((sum, count) => sum + count, 0) / 75,
      1e-9,
    );
  }
});

Deno.test("padded rows write nothing: uncentred tables do not depend on how batches are cut", async () => {
  const options = { ...OFF, sampler: use(dsr), warmup: 99, center: "none" };
  const training = { epochs: 1, learningRate: 0, weightDecay: 0 };
  const whole = await trained(engine, armModel(options), two, { training: { ...training, batchSize: 75 } });
  // 75 = 4 x 16 + 11: the last batch has five rows of padding.
  const cut = await trained(engine, armModel(options), two, { training: { ...training, batchSize: 16 } });
  for (const column of ["arm/phi", "arm/measured"]) {
    assertClose([...table(cut.checkpoints[0], column)], [...table(whole.checkpoints[0], column)], 1e-5);
  }
});

Deno.test("a batch of one sample is not valued: its rows stay as they were", async () => {
  // 75 = 2 x 37 + 1.
  const training = { epochs: 1, batchSize: 37 };
  const { checkpoints } = await trained(engine, armModel({ ...OFF, dfe: "ratio" }), two, { training });
  const measured = table(checkpoints[0], "arm/measured");
  const width = measured.length / 75;
  const blank = Array.from({ length: 75 }, (_, n) => n)
    .filter((n) => measured.slice(n * width, (n + 1) * width).every((value) => value === 0));
  assertEquals(blank.length, 1);
  assertEquals([...table(checkpoints[0], "arm/fw-next").slice(2 * blank[0], 2 * blank[0] + 2)], [1, 1]);
});

Deno.test("samples that lack a modality write nothing", async () => {
  const drops: Method = {
    name: "drops",
    declares: { keep: true },
    plan: (host, base) =>
      base.map((segment) => ({
        ...segment,
        keep: Uint8Array.from({ length: 2 * segment.items.length }, (_, i) => host.epoch > 0 && i % 2 === 0 ? 0 : 1),
      })),
  };
  const methods: Parameters<typeof toyModel>[3] = [["arm", { ...OFF, dfe: "ratio", warmup: 99 }], drops];
  const { checkpoints } = await trained(engine, toyModel(library, two, "concat", methods), two);
  assert(table(checkpoints[0], "arm/measured").every((value) => value !== 0));
  assertEquals(table(checkpoints[1], "arm/measured"), table(checkpoints[0], "arm/measured"));
});

/** What one epoch of valuation logs as its floor, on data of three modalities and these groups. */
async function floorOf(data: Dataset, groups: (n: number) => string): Promise<number[]> {
  const { train } = data.splits;
  const grouped = { ...train, groups: Array.from({ length: train.size }, (_, n) => groups(n)) };
  const model = toyModel(library, data, "concat", [["arm", { ...OFF, dfe: "ratio", warmup: 99, center: "none" }]]);
  const { records } = await trained(engine, model, { ...data, splits: { ...data.splits, train: grouped } }, {
    training: { epochs: 1, learningRate: 0 },
  });
  const { arm } = records[0].methods;
  return [arm["floor:nmi"], arm["floor:ncmi"], arm["nmi:audio"]] as number[];
}

Deno.test("ARM's floor takes no pair of one group for mismatched, in training too", async () => {
  const three = await toyDataset(3);
  const { train } = three.splits;
  // Three clips of 25 frames that are all alike: a frame's neighbour of its own clip is no mismatched sample.
  const clip = (values: Float32Array | Int32Array) => {
    const width = values.length / train.size;
    return Float32Array.from(values, (_, i) => values[Math.floor(i / width / 25) * width + i % width]);
  };
  const inputs = Object.fromEntries(Object.entries(train.inputs).map(([name, values]) => [name, clip(values)]));
  const clips = { ...three, splits: { ...three.splits, train: { ...train, inputs } } };
  const apart = await floorOf(clips, (n) => `clip ${Math.floor(n / 25)}`);
  const frames = await floorOf(clips, (n) => `frame ${n}`);
  // A third of the pairs are of one clip and show what the matched ones do.
  assert(apart[0] < frames[0] - 0.02 && apart[1] < frames[1], `${apart} ${frames}`);
  assertEquals(apart[2], frames[2]);
  assertEquals((await floorOf(clips, () => "one")).slice(0, 2), [0, 0]);
  tf.tidy(() => {
    // By hand, m = 3: the pair of one group does not count, nor does that with padding.
    const floor = {
      nmi: tf.tensor2d([[0.1, 0.2, 0.6], [9, 9, 9], [0.3, 0.3, 0.3], [9, 9, 9]]),
      ncmi: tf.tensor3d([1, 9, 3, 9].map((value) => [[0, value, value], [value, 0, value], [value, value, 0]])),
      mi: tf.zeros([4, 3]) as tf.Tensor2D,
      cmi: tf.zeros([4, 3, 3]) as tf.Tensor3D,
    };
    const valuation = { floor, apart: tf.tensor1d([1, 0, 1, 1]) } as unknown as Valuation;
    const { nmi, ncmi } = estimatorFloor(valuation, tf.tensor1d([1, 1, 1, 1, 0]));
    assertClose([...values(nmi), ...values(ncmi)], [0.3, 2], 1e-6);
  });
});

// --------------------------------------------------------------------------------------------------------- losses

const value = () => ({
  p: tf.tensor1d([0.6]),
  solo: tf.tensor2d([[0.5, 0.2]]),
  nmi: tf.tensor2d([[0.3, 0.1]]),
  ncmi: tf.tensor3d([[[0, 0.2], [0.35, 0]]]),
});
/** A loss of a hand-made valuation. */
const lossOf = (loss: LossPlugin, options: Record<string, unknown>, given = value()) => {
  const context = { modalities: ["audio", "image"], classes: 2, valuation: () => valuedBy(given, "other") };
  return Object.values(loss.create(options, context).terms({} as TrainStep))[0];
};

Deno.test("ARM's losses equal the hand-computed ones of the default preset", () => {
  tf.tidy(() => {
    const losses = [lossOf(minimumInformation, {}), lossOf(contributionGap, {})];
    assertClose(losses.flatMap(values), [0.940544, 0.113895], 1e-5);
    const raw = [lossOf(minimumInformation, { minimum: "min" }), lossOf(contributionGap, { range: "raw" })];
    assertClose(raw.flatMap(values), [0.94, 1.282051], 1e-5);
  });
});

function gradientsOf(options: Record<string, unknown>): Record<string, number[]> {
  return tf.tidy(() => {
    const given = value();
    const pass = record(() => tf.sum(lossOf(contributionGap, options, given)));
    const names = ["p", "solo", "nmi", "ncmi"] as const;
    const found = pass.gradients(pass.value, names.map((name) => given[name]));
    pass.dispose();
    return Object.fromEntries(
      names.map((name, i) => [name, found[i] === null ? new Array(given[name].size).fill(0) : values(found[i]!)]),
    );
  });
}

Deno.test("L_phiCMI moves probabilities only if asked, and asymmetric only the weak modality by its own information", () => {
  const plain = gradientsOf({});
  assertEquals([plain.p, plain.solo], [[0], [0, 0]]);
  assert(plain.nmi.every((g) => g !== 0) && plain.ncmi[1] !== 0 && plain.ncmi[2] !== 0);
  const through = gradientsOf({ probGradient: true });
  assert(through.solo.every((g) => g !== 0));
  const asymmetric = gradientsOf({ asymmetric: true });
  // phi_2 = .035 is below the mean: only I_2 moves, and upwards.
  assertEquals([asymmetric.nmi[0], ...asymmetric.ncmi], [0, 0, 0, 0, 0]);
  assert(asymmetric.nmi[1] < 0);
  // The values are those of Eq. 11 whatever has a gradient.
  tf.tidy(() => {
    for (const asymmetric of [false, true]) {
      const phi = valuedBy(value(), "other").contributions({ probabilities: false, asymmetric });
      assertClose(values(phi), [0.16, 0.035], 1e-6);
    }
  });
});

Deno.test("weights of the loss terms are fed: lossFrom switches them on", async () => {
  const options = { ...OFF, lambda1: 0.1, lambda2: 1, lossFrom: 2 };
  const { records } = await trained(engine, armModel(options), two);
  for (const { epoch, loss, methods: { arm } } of records) {
    const on = epoch >= 2 ? 1 : 0;
    assertAlmostEquals(loss.phiMI, on * 0.1 * (arm["L:phiMI"] as number), 1e-6);
    assertAlmostEquals(loss.phiCMI, on * (arm["L:phiCMI"] as number), 1e-6);
  }
});

// ------------------------------------------------------------------------------------------------ options and presets

Deno.test("the log holds means, percentiles, the floor and histograms under their documented names", async () => {
  const { records } = await trained(engine, armModel({}), two);
  const report = records.at(-1)!.methods.arm;
  const scalars = ["p", "phi", "p:audio", "nmi:image", "phi:audio", "ncmi:image|audio"];
  for (const name of scalars) {
    const [low, mid, high] = [5, 50, 95].map((q) => report[`${name}:p${q}`] as number);
    assert(low <= mid && mid <= high, name);
    assert(Number.isFinite(report[name]), name);
  }
  for (const name of ["negative", "cosine", "floor:nmi", "floor:ncmi", "L:phiMI", "L:phiCMI", "copies:mean"]) {
    assert(Number.isFinite(report[name]), name);
  }
  assert(report["floor:nmi"] as number >= 0 && report["floor:nmi"] as number <= 1);
  for (const name of ["fw:audio", "fw:image", "copies"]) {
    const counts = Object.values(report[name] as Record<string, number>);
    assertEquals(counts.reduce((sum, count) => sum + count, 0), 75, name);
  }
});

Deno.test("binnedWeights() counts steps of 0.1 and bounds what the raw range leaves unbounded", () => {
  assertEquals(binnedWeights([1, 1.05, 0.99, 0.1 + 0.2, 1e6, -1e6]), {
    "1.0": 2,
    "0.9": 1,
    "0.3": 1,
    "10.0": 1,
    "-10.0": 1,
  });
});

for (
  const [what, options] of [
    ["view raw", { view: "raw" }],
    ["batch granularity", { granularity: "batch", gradient: "none" }],
    ["the Gaussian estimator", { estimator: "gaussian" }],
    ["auxiliary readouts", { readout: "auxiliary", gap: part("contribution-gap", { probGradient: true }) }],
    ["the exact minimum, clamped, asymmetric", {
      minimum: part("minimum-information", { minimum: "min" }),
      range: "clamp",
      gap: part("contribution-gap", { range: "clamp", asymmetric: true }),
    }],
    ["dataset means at test", { fwTest: "dataset-mean", warmup: 1 }],
    ["confidence at test", { fwTest: "confidence", warmup: 1 }],
  ] as [string, Record<string, unknown>][]
) {
  Deno.test(`ARM with ${what} trains and resumes bit for bit`, async () => {
    const model = () => armModel({ warmup: 1, ...options });
    const whole = await trained(engine, model(), two);
    const rest = await trained(engine, model(), two, { resume: whole.checkpoints[0] });
    assertEquals(rest.records, whole.records.slice(1));
    assertEquals(params(rest), params(whole));
    const plain = await trained(engine, armModel({ warmup: 1 }), two);
    assertNotEquals(JSON.stringify(whole.records), JSON.stringify(plain.records));
    assertEquals(whole.result.summary.readsLabels, undefined);
  });
}

Deno.test("dataset-mean keeps the mean of the table that acted with the parameters that are tested", async () => {
  const training = { select: "last" as const };
  const options = { ...OFF, dfe: "ratio", warmup: 1, fwTest: "dataset-mean" };
  const { result, checkpoints } = await trained(engine, armModel(options), two, { training });
  const weights = table(checkpoints[3], "arm/fw");
  const means = [0, 1].map((u) => weights.filter((_, i) => i % 2 === u).reduce((sum, w) => sum + w, 0) / 75);
  assertClose([...result.buffers["aux:arm/fusion-weights"].data], means, 1e-6);
});

Deno.test("weights valued in prediction depend on neither labels nor the batch", async () => {
  const training = { select: "last" as const };
  const options = { ...OFF, dfe: "ratio", warmup: 1, fwTest: "confidence" };
  const test = two.splits.test;
  const cut = (size: number): Dataset => ({ ...two, splits: { ...two.splits, test: { ...test, size } as Split } });
  const { recall, accuracy } = (await trained(engine, armModel(options), two, { training })).result.summary.test;
  // The first 20 rows with another company in their last batch: right predictions among them can only be fewer.
  const some = (await trained(engine, armModel(options), cut(20), { training })).result.summary.test;
  const relabelled: Dataset = {
    ...two,
    splits: { ...two.splits, test: { ...test, labels: test.labels.map((label) => (label + 1) % 3) } },
  };
  const other = (await trained(engine, armModel(options), relabelled, { training })).result.summary.test;
  assert(Math.round(some.accuracy * 20) <= Math.round(accuracy * 45));
  // Labels moved by one class: what was right is wrong, and so no more than 1 - accuracy can be right.
  assert(other.accuracy <= 1 - accuracy + 1e-9);
  assertEquals(recall.length, 3);
});

Deno.test("arm-official uses labels in prediction, says so, and no other preset does", async () => {
  const official = await trained(engine, armModel({}, "arm-official"), two);
  assertEquals(official.result.summary.readsLabels, true);
  const honest = await trained(engine, armModel({ fwTest: "one" }, "arm-official"), two);
  assertEquals(honest.result.summary.readsLabels, undefined);
  // Training is the same; what differs is what prediction is told.
  const last = { training: { select: "last" as const } };
  const a = await trained(engine, armModel({}, "arm-official"), two, last);
  const b = await trained(engine, armModel({ fwTest: "one" }, "arm-official"), two, last);
  assertEquals(params(a), params(b));
  assertNotEquals(a.result.summary.test.loss, b.result.summary.test.loss);
  for (const name of ["arm", "arm-literal", "arm-dfe", "arm-bmml", "arm-dsr"]) {
    assert(
      library.of("method").get(name).create({}, { modalities: ["a", "b"], classes: 2 }).declares?.reads === undefined,
    );
  }
});

Deno.test("arm-official trains at features of 1e5 and of 1e-5: every number of its log and its parameters is finite", async () => {
  for (const scale of [1e5, 1e-5]) {
    // Layers without a bias that matters pass the scale on to the features.
    const scaled = Object.fromEntries(
      Object.entries(two.splits).map(([name, split]) => [name, {
        ...split,
        inputs: Object.fromEntries(
          Object.entries(split.inputs).map(([modality, values]) =>
            [modality, Float32Array.from(values, (value) => scale * value)] as const
          ),
        ),
      }]),
    ) as Dataset["splits"];
    const run = await trained(engine, armModel({}, "arm-official"), { ...two, splits: scaled }, {
      training: { epochs: 2 },
    });
    for (const record of run.records) {
      const numbers = JSON.stringify([record.loss, record.methods, record.validation.perModality]);
      assert(!numbers.includes("null"), numbers.slice(0, 400));
    }
    for (const [name, values] of Object.entries(params(run))) {
      assert(values.every((value) => Number.isFinite(value)), `${scale} ${name}`);
    }
    assert((run.records[0].methods["arm-official"]["nmi:audio"] as number) >= 0);
  }
});

Deno.test("hooks see labels in training, and in prediction only if that is declared", async () => {
  for (const reads of [undefined, "labels"] as const) {
    const seen = new Set<string>();
    const spy: Method = {
      name: "spy",
      declares: { reads },
      features(step) {
        seen.add(`${step.scope.mode} ${step.visibleLabels !== null}`);
        return { features: step.features };
      },
    };
    await trained(engine, toyModel(library, two, "concat", [spy]), two, { training: { epochs: 1 } });
    assertEquals([...seen].sort(), [`eval ${reads === "labels"}`, "train true"]);
  }
});

Deno.test("crossedWeights() are ratios of the other modality to the own, whose product is 1", () => {
  tf.tidy(() => {
    assertClose(values(crossedWeights(tf.tensor2d([[0.2, 0.5]]))), [2.5, 0.4], 1e-6);
    assertClose(values(crossedWeights(tf.tensor2d([[-0.1, 0.2]]))), [-2, -0.5], 1e-6);
  });
});

Deno.test("arm-literal trains where encoders are as wide as the fusion, and says so where they are not", async () => {
  const { records } = await trained(engine, armModel({ warmup: 1 }, "arm-literal"), two, { training: { epochs: 2 } });
  // Eq. 16 as printed: 1 - p log(sum exp(-I)) is above 1 - log 2.
  assert(records[0].methods["arm-literal"]["L:phiMI"] as number > 1 - Math.log(2) - 1e-6);
  await assertRejects(
    () => trained(engine, toyModel(library, two, "concat", ["arm-literal"]), two),
    Refusal,
    'the view "aligned" has no such need',
  );
});

Deno.test("options that do not fit are refused with the reason", () => {
  const refusal = (name: string, fusion: string, modalities: string[], options: Record<string, unknown> = {}) => {
    const context = { modalities, classes: 3 };
    const plugin = library.of("method").get(name);
    const bound = library.bind("method", { name, options });
    return plugin.refuses!(library.of("fusion").get(fusion).create({}, context), context, bound.options);
  };
  assertEquals(refusal("arm", "concat", ["a", "b"]), null);
  assert(refusal("arm", "concat", ["a"])!.includes("needs at least two"));
  assert(refusal("arm-official", "concat", ["a", "b", "c"])!.includes("crossed ratios are defined for two modalities"));
  assert(refusal("arm-official", "film", ["a", "b"])!.includes("one linear map of the fused feature"));
  assert(
    refusal("arm", "concat", ["a", "b"], { estimator: part("histogram", { edges: "range" }) })!.includes(
      "only hard bins",
    ),
  );
});

// ----------------------------------------------------------------------------------------------------------- fusions

Deno.test("ARM works on every fusion with four modalities, and its weights reach every fusion's output", async () => {
  const four = await toyDataset(4);
  const training = { epochs: 2 };
  for (const { name, create } of library.of("fusion").list()) {
    if (name === "multiplicative") continue; // of two modalities
    const fused = create({}, { modalities: Object.keys(four.modalities), classes: 3 });
    if (fused.needs.tokens) continue; // encoders of vectors give no tokens
    const whole = await trained(engine, toyModel(library, four, name, [["arm", { warmup: 1 }]]), four, { training });
    for (const { loss } of whole.records) for (const term of Object.values(loss)) assert(Number.isFinite(term), name);
    const weights = table(whole.checkpoints[1], "arm/fw");
    for (let n = 0; n < weights.length; n += 4) {
      assertAlmostEquals(weights.slice(n, n + 4).reduce((sum, w) => sum + w, 0), 4, 1e-3);
    }
    const plain = await trained(engine, toyModel(library, two, name, []), two, { training });
    const dfe = await trained(engine, toyModel(library, two, name, [["arm-dfe", { warmup: 1 }]]), two, { training });
    assertEquals(dfe.records[0].loss.total, plain.records[0].loss.total, name);
    assertNotEquals(dfe.records[1].loss.total, plain.records[1].loss.total, name);
  }
});
