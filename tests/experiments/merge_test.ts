/** Merging of two models: against NumPy, and against what it must do with copies. */
import * as tf from "@tensorflow/tfjs";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { mapByModality } from "../../core/modality.ts";
import type { ModalityInfo, Transport } from "../../core/kinds/mod.ts";
import { float32, type NamedHostTensors, sizeOf } from "../../core/program.ts";
import { Random } from "../../core/random.ts";
import { Refusal } from "../../core/refusal.ts";
import { toyDataset } from "../../contracts/toy.ts";
import { cpu } from "../../engines/mod.ts";
import { cnn, mlp, vit } from "../../encoders/mod.ts";
import { rowsByNeuron } from "../../experiments/merge/activations.ts";
import { averaged, type MergeOptions, TransportMerge } from "../../experiments/merge/align.ts";
import { assignment, type Matrix, sinkhorn } from "../../experiments/merge/transport.ts";
import { concat, decision, sum, transfusion } from "../../fusion/mod.ts";
import { bindScope, initialise } from "../../nn/mod.ts";
import { answersOf } from "../../training/mod.ts";
import { encode, type Model } from "../../training/model.ts";
import { assertClose, golden, values, wave } from "../helpers/tensors.ts";

interface Case {
  readonly first: Record<string, number[]>;
  readonly second: Record<string, number[]>;
  readonly ot: Record<string, number[]>;
  readonly average?: Record<string, number[]>;
}
const reference = golden<Record<string, Case>>("merge");

/** A parameter of model 0 or 1: a wave whose phase comes from its name. */
function tensorsOf(shapes: Record<string, number[]>, model: number): NamedHostTensors {
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => {
      const sum = [...name].reduce((total, letter, i) => total + (i + 1) * letter.charCodeAt(0), 0);
      const data = Float32Array.from(
        { length: sizeOf(shape) },
        (_, i) => 0.4 * Math.sin(1.7 * i + (sum % 97) / 10 + model),
      );
      return [name, float32(data, shape)];
    }),
  );
}

const vector = (size: number): ModalityInfo => ({ shape: [size], dtype: "float32", about: "a vector" });
const image: ModalityInfo = { shape: [4, 4, 1], dtype: "float32", about: "an image" };
const both = { modalities: ["audio", "image"], classes: 3 };

function perceptrons(): Model {
  return {
    context: both,
    encoders: {
      audio: mlp.create({ hidden: [6], width: 4 }, vector(5)),
      image: mlp.create({ hidden: [6], width: 4 }, vector(7)),
    },
    fusion: concat.create({ width: 5 }, both),
    methods: [],
  };
}

function transformers(): Model {
  const context = { modalities: ["image"], classes: 3 };
  return {
    context,
    encoders: { image: vit.create({ patch: 2, width: 4, depth: 2, heads: 2, mlpRatio: 2 }, image) },
    fusion: decision.create({}, context),
    methods: [],
  };
}

/** Lets a model's parts align two sets of tensors. */
function merged(
  model: Model,
  a: NamedHostTensors,
  b: NamedHostTensors,
  solve: (cost: Matrix) => Transport,
  answers?: MergeOptions["answers"],
) {
  const merge = new TransportMerge(a, b, { solve, answers });
  model.fusion.align!(
    merge,
    mapByModality(model.encoders, (encoder, name) => encoder.align!(merge, `encoder:${name}`)),
  );
  return merge.merged;
}

const soft = (cost: Matrix) => sinkhorn(cost, 0.06);

for (
  const [label, model] of [["perceptrons", perceptrons], ["unequal", perceptrons], [
    "transformers",
    transformers,
  ]] as const
) {
  Deno.test(`merging ${label} gives the reference's weights, by transport and by the plain average`, () => {
    const { first, second, ot, average } = reference[label];
    const [a, b] = [tensorsOf(first, 0), tensorsOf(second, 1)];
    const found = merged(model(), a, b, soft);
    assertEquals(Object.keys(found).sort(), Object.keys(ot).sort());
    for (const [name, { data }] of Object.entries(found)) assertClose(data, ot[name], 2e-5);
    if (average === undefined) {
      assertThrows(() => averaged(a, b), Refusal, "Cannot average two models as both must have the same tensors");
      return;
    }
    for (const [name, { data }] of Object.entries(averaged(a, b))) assertClose(data, average[name], 1e-6);
  });
}

/** Start values of a model, and its logits for given ones. */
function alive(model: Model, inputs: Record<string, tf.Tensor>) {
  const run = (params: Record<string, tf.Tensor>, buffers: Record<string, tf.Tensor>) => {
    const { scope } = bindScope({ params, buffers, controls: {}, key: null, mode: "eval" });
    return model.fusion.forward(encode(model, inputs, null, scope), null, scope, {}).logits;
  };
  const start = (seed: number) => {
    const { params, buffers } = initialise(
      (scope) => void model.fusion.forward(encode(model, inputs, null, scope), null, scope, {}),
      { random: new Random(seed), controls: {}, abstract: (build) => void tf.tidy(() => build()) },
    );
    const random = new Random(seed + 100);
    // Nothing at its start value, so that what is forgotten shows.
    return Object.fromEntries(
      Object.entries({ ...params, ...buffers }).map(([name, { data, shape }]) => [
        name,
        float32(Float32Array.from(data, (value) => value + 0.2 * random.uniform()), shape),
      ]),
    );
  };
  const logits = (tensors: NamedHostTensors) => {
    const device = Object.fromEntries(
      Object.entries(tensors).map(([name, { data, shape }]) => [name, tf.tensor(data, [...shape], "float32")]),
    );
    return values(run(device, device));
  };
  return { start, logits };
}

/** Tensors with outputs reordered, and the inputs of the next layer with them. */
function reordered(tensors: NamedHostTensors, outputs: readonly string[], inputs: readonly string[], order: number[]) {
  const result = { ...tensors };
  const n = order.length;
  for (const name of outputs) {
    const { data, shape } = tensors[name];
    result[name] = float32(data.map((_, i) => data[i - i % n + order[i % n]]) as Float32Array, shape);
  }
  for (const name of inputs) {
    const { data, shape } = result[name];
    const out = shape[shape.length - 1];
    result[name] = float32(
      data.map((_, i) => {
        const rowIndex = Math.floor(i / out);
        return data[(rowIndex - rowIndex % n + order[rowIndex % n]) * out + i % out];
      }) as Float32Array,
      shape,
    );
  }
  return result;
}

const picture = wave([3, 4, 4, 1], 1, 0.2);
const one = { modalities: ["image"], classes: 3 };
const models: readonly [string, Model, readonly (readonly [string[], string[], number[]])[]][] = [
  ["mlp and sum", {
    context: one,
    encoders: { image: mlp.create({ hidden: [5], width: 4 }, image) },
    fusion: sum.create({}, one),
    methods: [],
  }, [
    [["encoder:image/hidden1/kernel", "encoder:image/hidden1/bias"], ["encoder:image/out/kernel"], [3, 1, 4, 0, 2]],
    [["encoder:image/out/kernel", "encoder:image/out/bias"], ["head:image/kernel"], [2, 0, 3, 1]],
  ]],
  ["cnn with norms and concat", {
    context: one,
    encoders: { image: cnn.create({ channels: [3, 4], width: 4, norm: "batch" }, image) },
    fusion: concat.create({ width: 0 }, one),
    methods: [],
  }, [
    [
      [
        "encoder:image/block1/conv/kernel",
        ...["scale", "shift", "mean", "variance"].map((n) => `encoder:image/block1/norm/${n}`),
      ],
      ["encoder:image/block2/conv/kernel"],
      [1, 2, 0],
    ],
    [
      [
        "encoder:image/block2/conv/kernel",
        ...["scale", "shift", "mean", "variance"].map((n) => `encoder:image/block2/norm/${n}`),
      ],
      ["encoder:image/out/kernel"],
      [3, 0, 1, 2],
    ],
  ]],
];

for (const [label, model, swaps] of models) {
  Deno.test(`a copy of ${label} with its neurons reordered merges to the same model, and its average does not`, () => {
    tf.tidy(() => {
      const { start, logits } = alive(model, { image: picture });
      const a = start(1);
      const b = swaps.reduce((own, [outputs, inputs, order]) => reordered(own, outputs, inputs, order), a);
      assertClose(logits(b), logits(a), 1e-5);
      const back = merged(model, a, b, assignment);
      for (const [name, { data }] of Object.entries(a)) assertClose(back[name].data, data, 1e-6);
      const [plain, before] = [logits(averaged(a, b)), logits(a)];
      assert(plain.some((value, i) => Math.abs(value - before[i]) > 1e-3));
    });
  });
}

for (const [label, model, swaps] of models) {
  Deno.test(`neurons of ${label} that answer alike are merged, whatever their weights`, async () => {
    const engine = await cpu.create();
    const { start } = alive(model, { image: picture });
    const a = start(1);
    const order = swaps.reduce((own, [outputs, inputs, order]) => reordered(own, outputs, inputs, order), a);
    const dataset = toyDataset({ image }, 1, 24);
    const held = (tensors: NamedHostTensors) => {
      const buffers = ["mean", "variance"];
      const entries = Object.entries(tensors).map(([name, value]) =>
        [`${buffers.some((end) => name.endsWith(`/${end}`)) ? "buffer" : "param"}:${name}`, value] as const
      );
      const width = model.encoders.image === undefined ? 0 : 4;
      const harness = { sum: [1, width], count: [], mean: [1, width] };
      return {
        ...Object.fromEntries(entries),
        ...Object.fromEntries(
          Object.entries(harness).map(([kind, shape]) => [
            `buffer:harness/${kind}/image`,
            float32(new Float32Array(sizeOf(shape)), shape),
          ]),
        ),
      };
    };
    const answers = await Promise.all(
      [a, order].map(async (own) => rowsByNeuron(await answersOf(model, dataset, held(own), 16, engine))),
    );
    // By hand: the first layer's answers are its kernel's products, a row per neuron.
    const [kernel] = swaps[0][0];
    const { rows, columns } = answers[0][kernel];
    assertEquals([rows, columns % 16], [a[kernel].shape.at(-1)!, 0]);
    swaps[0][2].forEach((from, to) => {
      const row = ({ values }: Matrix, r: number) => values.subarray(r * columns, (r + 1) * columns);
      assertClose(row(answers[1][kernel], to), row(answers[0][kernel], from), 1e-6);
    });
    const back = merged(model, a, order, assignment, [answers[0], answers[1]]);
    for (const [name, { data }] of Object.entries(a)) assertClose(back[name].data, data, 1e-5);
    await engine.dispose();
  });
}

Deno.test("a model merged with itself is itself, transformers and their joint fusion included", () => {
  tf.tidy(() => {
    const context = { modalities: ["audio", "image"], classes: 3 };
    const options = { patch: 2, width: 4, depth: 1, heads: 2 };
    const model: Model = {
      context,
      encoders: { audio: vit.create({ ...options, pooling: "mean" }, image), image: vit.create(options, image) },
      fusion: transfusion.create({ depth: 2, width: 4, heads: 2 }, context),
      methods: [],
    };
    const { start } = alive(model, { audio: picture, image: picture });
    const a = start(2);
    const back = merged(model, a, a, assignment);
    assertEquals(Object.keys(back).sort(), Object.keys(a).sort());
    for (const [name, { data }] of Object.entries(a)) assertClose(back[name].data, data, 1e-5);
  });
});

Deno.test("a neuron that is there twice in the second model is merged as once", () => {
  const model = perceptrons();
  const a = tensorsOf(reference.perceptrons.first, 0);
  // The second model: every hidden neuron twice, with half the weight each on the way out.
  const twice = { ...a };
  for (const name of ["audio", "image"]) {
    const [kernel, bias, out] = ["hidden1/kernel", "hidden1/bias", "out/kernel"].map((own) => `encoder:${name}/${own}`);
    const widened = (tensor: typeof a[string]) => {
      const n = tensor.shape[tensor.shape.length - 1];
      const data = Float32Array.from(
        { length: 2 * tensor.data.length },
        (_, i) => tensor.data[Math.floor(i / (2 * n)) * n + i % n],
      );
      return float32(data, [...tensor.shape.slice(0, -1), 2 * n]);
    };
    twice[kernel] = widened(a[kernel]);
    twice[bias] = widened(a[bias]);
    const { data, shape } = a[out];
    twice[out] = float32(Float32Array.from([...data, ...data], (value) => value / 2), [2 * shape[0], shape[1]]);
  }
  // Nearly no regularisation: each neuron goes to its own, and both halves of what leaves it are added up again.
  const found = merged(model, a, twice, (cost) => sinkhorn(cost, 2e-3));
  for (const [name, { data }] of Object.entries(a)) assertClose(found[name].data, data, 1e-3);
});

Deno.test("assignment() finds the least cost of all orders, and refuses unequal numbers", () => {
  const random = new Random(4);
  const orders = (items: number[]): number[][] =>
    items.length === 0
      ? [[]]
      : items.flatMap((item) => orders(items.filter((other) => other !== item)).map((rest) => [item, ...rest]));
  for (let round = 0; round < 20; round++) {
    const cost = { rows: 5, columns: 5, values: Float64Array.from({ length: 25 }, () => random.uniform()) };
    const { values: plan } = assignment(cost);
    const of = (order: number[]) => order.reduce((total, j, i) => total + cost.values[i * 5 + j], 0);
    const found = plan.reduce((total, t, k) => total + 5 * t * cost.values[k], 0);
    assertClose([found], [Math.min(...orders([0, 1, 2, 3, 4]).map(of))], 1e-12);
  }
  assertThrows(
    () => assignment({ rows: 2, columns: 3, values: new Float64Array(6) }),
    Refusal,
    "Cannot align neurons exactly as both layers must have as many: found 3 and 2; take --solver sinkhorn",
  );
});

Deno.test("sinkhorn() has uniform marginals, also unsettled, and the closed form of two neurons", () => {
  const cost = { rows: 2, columns: 2, values: Float64Array.of(0, 1, 1, 0) };
  const { values: plan } = sinkhorn(cost, 0.5);
  // By symmetry t = 1/2 e^0 / (e^0 + e^-2) on the diagonal.
  const t = 0.5 / (1 + Math.exp(-2));
  assertClose(plan, [t, 0.5 - t, 0.5 - t, t], 1e-9);
  const unequal = { rows: 2, columns: 3, values: Float64Array.of(0, 0.4, 1, 0.7, 0.1, 0.3) };
  for (const reg of [0.1, 1e-5]) {
    const { values: own } = sinkhorn(unequal, reg);
    assert(own.every((value) => value >= 0));
    assertClose([0, 1].map((i) => own[3 * i] + own[3 * i + 1] + own[3 * i + 2]), [1 / 2, 1 / 2], 1e-12);
    assertClose([0, 1, 2].map((j) => own[j] + own[3 + j]), [1 / 3, 1 / 3, 1 / 3], 1e-12);
  }
  // Hardly regularised it costs what the exact coupling costs: 1/3 0 + 1/6 .4 + 1/6 .1 + 1/3 .3.
  const { values: sharp } = sinkhorn(unequal, 1e-3);
  assertClose([sharp.reduce((sum, own, k) => sum + own * unequal.values[k], 0)], [0.55 / 3], 1e-3);
});

Deno.test("a merge refuses models that do not fit", () => {
  const a = tensorsOf(reference.perceptrons.first, 0);
  const { "head/bias": _, ...less } = a;
  assertThrows(() => merged(perceptrons(), a, less, soft), Refusal, 'one has no "head/bias"');
  const other = {
    ...a,
    "head/kernel": float32(new Float32Array(5 * 4), [5, 4]),
    "head/bias": float32(new Float32Array(4), [4]),
  };
  assertThrows(() => merged(perceptrons(), a, other, soft), Refusal, '"head/kernel" must fit');
});
