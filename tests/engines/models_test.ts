/** Models written in plain tfjs operations train alike on the eager and the compiled engine. */
import * as tf from "@tensorflow/tfjs";
import { assert, assertEquals } from "@std/assert";
import { record } from "../../tensor/autodiff.ts";
import type { HostTensor, NamedHostTensors, NamedTensors, Program, TensorSpec } from "../../core/program.ts";
import { sizeOf } from "../../core/program.ts";
import { Random } from "../../core/random.ts";
import { cpu, onnxCpu } from "../../engines/mod.ts";
import { assertClose } from "../helpers/tensors.ts";

/** A loss as a function of parameters and of a batch. */
interface Model {
  readonly parameters: Readonly<Record<string, readonly number[]>>;
  readonly inputs: Readonly<Record<string, TensorSpec>>;
  loss(parameters: NamedTensors, inputs: NamedTensors): tf.Tensor;
}

const rate = 0.05;

/** One step of AdaGrad: it divides by what is small at first, so that an error of a gradient's sign shows. */
function training(name: string, { parameters, inputs, loss }: Model): Program {
  const state: Record<string, TensorSpec> = {};
  for (const [key, shape] of Object.entries(parameters)) {
    state[key] = { shape, dtype: "float32" };
    state[`${key}/squares`] = { shape, dtype: "float32" };
  }
  return {
    name,
    state,
    inputs,
    apply(given, fed) {
      const names = Object.keys(parameters);
      const pass = record(() => loss(given, fed));
      const gradients = pass.gradients(pass.value, names.map((key) => given[key]));
      const next: NamedTensors = {};
      names.forEach((key, i) => {
        const gradient = gradients[i];
        assert(gradient !== null, `${key} has no part in the loss`);
        const squares = tf.add(given[`${key}/squares`], tf.square(gradient));
        next[`${key}/squares`] = squares;
        next[key] = tf.sub(given[key], tf.div(tf.mul(gradient, rate), tf.add(tf.sqrt(squares), 1e-3)));
      });
      pass.dispose();
      return { state: next, outputs: { loss: pass.value } };
    },
  };
}

function drawn(random: Random, { shape, dtype }: TensorSpec, scale: number, below: number): HostTensor {
  const size = sizeOf(shape);
  if (dtype === "int32") {
    return { data: Int32Array.from({ length: size }, () => Math.floor(below * random.uniform())), shape, dtype };
  }
  const data = Float32Array.from({ length: size }, () => scale * (2 * random.uniform() - 1));
  return { data, shape, dtype } as HostTensor;
}

/** Trains on both engines from one start and on one batch; the losses must fall and everything must agree. */
async function assertTrainsAlike(name: string, model: Model, below: number): Promise<void> {
  const program = training(name, model);
  const random = new Random(3);
  const start: NamedHostTensors = {};
  for (const [key, spec] of Object.entries(program.state)) {
    start[key] = drawn(random, spec, key.endsWith("/squares") ? 0 : 0.4, 1);
  }
  const batch: NamedHostTensors = {};
  for (const [key, spec] of Object.entries(program.inputs)) batch[key] = drawn(random, spec, 1, below);
  const results = await Promise.all([cpu, onnxCpu].map(async (plugin) => {
    const engine = await plugin.create();
    const state = engine.createState(start);
    const ready = await engine.compile(program);
    const losses: number[] = [];
    for (let step = 0; step < 5; step++) losses.push((await ready.run(state, batch)).loss.data[0]);
    const values = await state.read();
    ready.dispose();
    return { losses, values };
  }));
  const [eager, compiled] = results;
  assertClose(compiled.losses, eager.losses, 1e-4);
  assert(eager.losses[4] < eager.losses[0] - 0.05, `the loss does not fall: ${eager.losses.join(" ")}`);
  assertEquals(Object.keys(compiled.values).sort(), Object.keys(eager.values).sort());
  for (const [key, { data }] of Object.entries(eager.values)) assertClose(compiled.values[key].data, data, 1e-3);
}

const [batch, steps, width, units, classes] = [3, 6, 4, 5, 3];

/** Mean cross-entropy of logits [batch, classes]. */
function crossEntropy(logits: tf.Tensor, labels: tf.Tensor): tf.Tensor {
  const hits = tf.oneHot(labels as tf.Tensor1D, logits.shape[1]!, 1, 0, "float32");
  return tf.neg(tf.mean(tf.sum(tf.mul(hits, tf.logSoftmax(logits)), 1)));
}

const sequence: Model["inputs"] = {
  x: { shape: [batch, steps, width], dtype: "float32" },
  labels: { shape: [batch], dtype: "int32" },
  lengths: { shape: [batch], dtype: "int32" },
};

/** Rows whose sequence still goes on at a step, [batch, 1]. */
const running = (lengths: tf.Tensor, step: number): tf.Tensor =>
  tf.expandDims(tf.greaterEqual(lengths, tf.scalar(step, "int32")), 1);

Deno.test("an LSTM over sequences of unequal length trains alike eager and compiled", () =>
  assertTrainsAlike("lstm", {
    parameters: { kernel: [width + units, 4 * units], bias: [4 * units], head: [units, classes] },
    inputs: sequence,
    loss(p, { x, labels, lengths }) {
      let [h, c] = [tf.zeros([batch, units]) as tf.Tensor, tf.zeros([batch, units]) as tf.Tensor];
      tf.unstack(x, 1).forEach((xt, step) => {
        const gates = tf.add(tf.matMul(tf.concat([xt, h], 1), p.kernel), p.bias);
        const [i, f, g, o] = tf.split(gates, 4, 1);
        const cell = tf.add(tf.mul(tf.sigmoid(f), c), tf.mul(tf.sigmoid(i), tf.tanh(g)));
        const on = tf.tile(running(lengths, step), [1, units]);
        h = tf.where(on, tf.mul(tf.sigmoid(o), tf.tanh(cell)), h);
        c = tf.where(on, cell, c);
      });
      return crossEntropy(tf.matMul(h, p.head), labels);
    },
  }, steps));

Deno.test("a GRU in both directions trains alike eager and compiled", () => {
  const cell = (p: NamedTensors, side: string, xt: tf.Tensor, h: tf.Tensor): tf.Tensor => {
    const [rx, zx, nx] = tf.split(tf.add(tf.matMul(xt, p[`${side}/input`]), p[`${side}/bias`]), 3, 1);
    const [rh, zh, nh] = tf.split(tf.matMul(h, p[`${side}/state`]), 3, 1);
    const reset = tf.sigmoid(tf.add(rx, rh));
    const update = tf.sigmoid(tf.add(zx, zh));
    const made = tf.tanh(tf.add(nx, tf.mul(reset, nh)));
    return tf.add(tf.mul(tf.sub(1, update), made), tf.mul(update, h));
  };
  const side = (name: string) => ({
    [`${name}/input`]: [width, 3 * units],
    [`${name}/state`]: [units, 3 * units],
    [`${name}/bias`]: [3 * units],
  });
  return assertTrainsAlike("gru", {
    parameters: { ...side("forward"), ...side("backward"), head: [2 * units, classes] },
    inputs: { x: sequence.x, labels: sequence.labels },
    loss(p, { x, labels }) {
      const run = (name: string, list: tf.Tensor) =>
        tf.unstack(list, 1).reduce((h, xt) => cell(p, name, xt, h), tf.zeros([batch, units]) as tf.Tensor);
      const both = tf.concat([run("forward", x), run("backward", tf.reverse(x, 1))], 1);
      return crossEntropy(tf.matMul(both, p.head), labels);
    },
  }, classes);
});

Deno.test("a transformer block with masked tokens trains alike eager and compiled", () => {
  const [vocabulary, dim, heads, tokens] = [11, 8, 2, 5];
  const depth = dim / heads;
  const norm = (x: tf.Tensor, scale: tf.Tensor, offset: tf.Tensor): tf.Tensor => {
    const { mean, variance } = tf.moments(x, -1, true);
    return tf.add(tf.mul(tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, 1e-5))), scale), offset);
  };
  const gelu = (x: tf.Tensor): tf.Tensor => tf.mul(tf.mul(x, 0.5), tf.add(1, tf.erf(tf.div(x, Math.SQRT2))));
  /** x [batch, tokens, in] times w [in, out]. */
  const dense = (x: tf.Tensor, w: tf.Tensor): tf.Tensor =>
    tf.reshape(tf.matMul(tf.reshape(x, [-1, x.shape[2]!]), w), [batch, tokens, w.shape[1]!]);
  const split = (x: tf.Tensor): tf.Tensor => tf.transpose(tf.reshape(x, [batch, tokens, heads, depth]), [0, 2, 1, 3]);
  return assertTrainsAlike("transformer", {
    parameters: {
      embedding: [vocabulary, dim],
      positions: [tokens, dim],
      ...{ query: [dim, dim], key: [dim, dim], value: [dim, dim], output: [dim, dim] },
      ...{ "norm1/scale": [dim], "norm1/offset": [dim], "norm2/scale": [dim], "norm2/offset": [dim] },
      ...{ up: [dim, 2 * dim], "up/bias": [2 * dim], down: [2 * dim, dim], head: [dim, classes] },
    },
    inputs: {
      ids: { shape: [batch, tokens], dtype: "int32" },
      labels: { shape: [batch], dtype: "int32" },
    },
    loss(p, { ids, labels }) {
      // Token 0 is padding: nobody attends to it, and the mean leaves it out.
      const present = tf.notEqual(ids, tf.scalar(0, "int32"));
      let x = tf.add(tf.gather(p.embedding, ids), p.positions);
      const first = norm(x, p["norm1/scale"], p["norm1/offset"]);
      const [q, k, v] = [p.query, p.key, p.value].map((w) => split(dense(first, w)));
      const scores = tf.div(tf.matMul(q, k, false, true), Math.sqrt(depth));
      const masked = tf.where(tf.reshape(present, [batch, 1, 1, tokens]), scores, tf.fill(scores.shape, -1e9));
      const mixed = tf.reshape(tf.transpose(tf.matMul(tf.softmax(masked), v), [0, 2, 1, 3]), [batch, tokens, dim]);
      x = tf.add(x, dense(mixed, p.output));
      const second = norm(x, p["norm2/scale"], p["norm2/offset"]);
      x = tf.add(x, dense(gelu(tf.add(dense(second, p.up), p["up/bias"])), p.down));
      const weights = tf.expandDims(tf.cast(present, "float32"), 2);
      const pooled = tf.div(tf.sum(tf.mul(x, weights), 1), tf.maximum(tf.sum(weights, 1), 1));
      return crossEntropy(tf.matMul(pooled, p.head), tf.minimum(labels, tf.scalar(classes - 1, "int32")));
    },
  }, vocabulary);
});

Deno.test("attention by einsum trains alike eager and compiled", () => {
  const [tokens, dim, heads, depth] = [4, 6, 2, 3];
  return assertTrainsAlike("einsum", {
    parameters: {
      ...{ query: [dim, heads, depth], key: [dim, heads, depth], value: [dim, heads, depth] },
      ...{ output: [heads, depth, dim], head: [dim, classes] },
    },
    inputs: {
      x: { shape: [batch, tokens, dim], dtype: "float32" },
      labels: { shape: [batch], dtype: "int32" },
    },
    loss(p, { x, labels }) {
      const [q, k, v] = [p.query, p.key, p.value].map((w) => tf.einsum("btd,dhk->bthk", x, w));
      const attention = tf.softmax(tf.div(tf.einsum("bqhd,bkhd->bhqk", q, k), Math.sqrt(depth)));
      const mixed = tf.einsum("bhqk,bkhd->bqhd", attention, v);
      const y = tf.einsum("bqhd,hdo->bqo", mixed, p.output);
      return crossEntropy(tf.matMul(tf.mean(tf.add(x, y), 1), p.head), labels);
    },
  }, classes);
});
