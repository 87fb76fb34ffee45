import * as tf from "@tensorflow/tfjs";
import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { record } from "../../tensor/autodiff.ts";
import type { Scope } from "../../core/scope.ts";
import { Random } from "../../core/random.ts";
import {
  activate,
  avgPool,
  batchNorm,
  bindScope,
  constant,
  conv2d,
  type ConvOptions,
  dropout,
  embedding,
  gelu,
  globalAveragePool,
  initialise,
  layerNorm,
  linear,
  maxPool,
  scaledSigmoid,
} from "../../nn/mod.ts";
import { assertClose, golden, values, wave } from "../helpers/tensors.ts";
import { Refusal } from "../../core/refusal.ts";

const reference = golden<Record<string, Record<string, number[]>>>("nn");

/** Runs a layer on given parameters and differentiates sum(y * weighting). */
function differentiate(
  layer: (scope: Scope, x: tf.Tensor) => tf.Tensor,
  x: tf.Tensor,
  params: Record<string, tf.Tensor>,
  weighting: (shape: readonly number[]) => tf.Tensor,
  buffers: Record<string, tf.Tensor> = {},
) {
  const bound = bindScope({ params, buffers, controls: {}, key: tf.tensor1d([1, 2], "int32"), mode: "train" });
  const pass = record(() => {
    const y = layer(bound.scope, x);
    return { y, loss: tf.sum(tf.mul(y, weighting(y.shape))) };
  });
  const names = Object.keys(params);
  const [dx, ...grads] = pass.gradients(pass.value.loss, [x, ...names.map((name) => params[name])]);
  return {
    y: pass.value.y,
    dx,
    grads: Object.fromEntries(names.map((name, index) => [name, grads[index]])),
    updates: bound.updates(),
  };
}

Deno.test("linear() and its gradients equal PyTorch's", () => {
  tf.tidy(() => {
    const expected = reference["linear"];
    const { y, dx, grads } = differentiate(
      (scope, x) => linear(scope, x, { width: 5 }),
      wave([3, 4]),
      { kernel: wave([4, 5], 0.5, 0.3), bias: wave([5], 0.1, 0.7) },
      (shape) => wave(shape, 1, 1.1),
    );
    assertClose(values(y), expected.y);
    assertClose(values(dx), expected.dx);
    assertClose(values(grads.kernel), expected.dk);
    assertClose(values(grads.bias), expected.db);
  });
});

for (const [name, size, stride, padding] of [["same1", 5, 1, 1], ["stride2", 6, 2, 1], ["valid", 5, 1, 0]] as const) {
  Deno.test(`conv2d() ${name} and its gradients equal PyTorch's`, () => {
    tf.tidy(() => {
      const expected = reference[`conv_${name}`];
      const { y, dx, grads } = differentiate(
        (scope, x) => conv2d(scope, x, { channels: 4, kernel: 3, stride, padding, bias: false }),
        wave([2, size, size, 3]),
        { kernel: wave([3, 3, 3, 4], 0.3, 0.2) },
        (shape) => wave(shape, 1, 0.9),
      );
      assertEquals([...y.shape], expected.shape);
      assertClose(values(y), expected.y);
      assertClose(values(dx), expected.dx);
      assertClose(values(grads.kernel), expected.dk, 1e-4);
    });
  });
}

Deno.test("maxPool() with padding and its gradient equal PyTorch's", () => {
  tf.tidy(() => {
    const expected = reference["max_pool"];
    const { y, dx } = differentiate(
      (_scope, x) => maxPool(x, { window: 3, stride: 2, padding: 1 }),
      wave([2, 6, 6, 2]),
      {},
      (shape) => wave(shape, 1, 0.4),
    );
    assertEquals([...y.shape], expected.shape);
    assertClose(values(y), expected.y);
    assertClose(values(dx), expected.dx);
  });
});

const normParams = () => ({ scale: wave([3], 1, 0.5), shift: wave([3], 1, 1.5) });

Deno.test("batchNorm() in training, its gradients and running statistics equal PyTorch's; evaluation uses them", () => {
  tf.tidy(() => {
    const expected = reference["batch_norm"];
    const x = tf.add(wave([4, 2, 2, 3], 2), 0.5);
    const buffers = { mean: tf.zeros([3]), variance: tf.ones([3]) };
    const { y, dx, grads, updates } = differentiate(
      (scope, input) => batchNorm(scope, input),
      x,
      normParams(),
      (shape) => wave(shape, 1, 0.8),
      buffers,
    );
    assertClose(values(y), expected.y, 1e-4);
    assertClose(values(dx), expected.dx, 1e-4);
    assertClose(values(grads.scale), expected.dscale, 1e-4);
    assertClose(values(grads.shift), expected.dshift, 1e-4);
    assertClose(values(updates.mean), expected.mean);
    assertClose(values(updates.variance), expected.variance);
    const evaluation = bindScope({ params: normParams(), buffers: updates, controls: {}, key: null, mode: "eval" });
    assertClose(values(batchNorm(evaluation.scope, x)), expected.eval, 1e-4);
    assertEquals(evaluation.updates(), {});
  });
});

Deno.test("batchNorm() keeps rows of weight 0 out of its statistics", () => {
  tf.tidy(() => {
    const x = tf.add(wave([4, 2, 2, 3], 2), 0.5);
    const padded = tf.concat([x, tf.fill([2, 2, 2, 3], 1000)], 0);
    const run = (input: tf.Tensor, weights: tf.Tensor1D | null) => {
      const bound = bindScope({
        params: normParams(),
        buffers: { mean: tf.zeros([3]), variance: tf.ones([3]) },
        controls: {},
        key: null,
        mode: "train",
        weights,
      });
      return { y: values(batchNorm(bound.scope, input)), updates: bound.updates() };
    };
    const plain = run(x, null);
    const masked = run(padded, tf.tensor1d([1, 1, 0.5, 2, 0, 0]));
    assertClose(masked.y.slice(0, plain.y.length), plain.y, 1e-5);
    assertClose(values(masked.updates.mean), values(plain.updates.mean), 1e-5);
    assertClose(values(masked.updates.variance), values(plain.updates.variance), 1e-5);
  });
});

Deno.test("batchNorm()'s gradient with rows of weight 0 equals finite differences, by every row", () => {
  tf.tidy(() => {
    const x = tf.add(wave([5, 2, 3], 2), 0.5);
    const params = normParams();
    const weighting = wave([5, 2, 3], 1, 0.7);
    const loss = (input: tf.Tensor, given: Record<string, tf.Tensor>): tf.Tensor => {
      const { scope } = bindScope({
        params: given,
        buffers: { mean: tf.zeros([3]), variance: tf.ones([3]) },
        controls: {},
        key: null,
        mode: "train",
        weights: tf.tensor1d([1, 0.5, 0, 2, 0]),
      });
      return tf.sum(tf.mul(batchNorm(scope, input), weighting));
    };
    const pass = record(() => loss(x, params));
    const gradients = pass.gradients(pass.value, [x, params.scale, params.shift]);
    pass.dispose();
    const step = 1e-2;
    const slopes = (at: tf.Tensor, along: (moved: tf.Tensor) => tf.Tensor) =>
      Array.from({ length: at.size }, (_, i) => {
        const bump = tf.reshape(tf.mul(tf.oneHot(tf.scalar(i, "int32"), at.size), step), at.shape);
        return (along(tf.add(at, bump)).arraySync() as number - (along(tf.sub(at, bump)).arraySync() as number)) /
          (2 * step);
      });
    assertClose(values(gradients[0]), slopes(x, (moved) => loss(moved, params)), 2e-3);
    assertClose(values(gradients[1]), slopes(params.scale, (scale) => loss(x, { ...params, scale })), 2e-3);
    assertClose(values(gradients[2]), slopes(params.shift, (shift) => loss(x, { ...params, shift })), 2e-3);
  });
});

Deno.test("scaledSigmoid() has the values and the gradient of the operations that it stands for", () => {
  tf.tidy(() => {
    for (const scale of [0, 1, 2]) {
      const x = tf.mul(wave([4, 5], 3), 6);
      const weights = wave([4, 5], 7);
      const own = record(() => tf.sum(tf.mul(scaledSigmoid(x, scale), weights)));
      const plain = record(() => tf.sum(tf.mul(tf.mul(tf.sigmoid(x), scale), weights)));
      assertClose(values(own.value), values(plain.value), 1e-6);
      assertClose(values(own.gradients(own.value, [x])[0]!), values(plain.gradients(plain.value, [x])[0]!), 1e-6);
      own.dispose();
      plain.dispose();
    }
  });
});

Deno.test("layerNorm() and gelu() with gradients equal PyTorch's", () => {
  tf.tidy(() => {
    const norm = differentiate(
      (scope, x) => layerNorm(scope, x),
      wave([3, 6], 1.5),
      { scale: wave([6], 1, 0.2), shift: wave([6], 1, 0.6) },
      (shape) => wave(shape, 1, 0.1),
    );
    assertClose(values(norm.y), reference["layer_norm"].y, 1e-4);
    assertClose(values(norm.dx), reference["layer_norm"].dx, 1e-4);
    const unit = differentiate((_scope, x) => gelu(x), wave([7], 3), {}, (shape) => tf.ones([...shape]));
    assertClose(values(unit.y), reference["gelu"].y);
    assertClose(values(unit.dx), reference["gelu"].dx);
  });
});

Deno.test("embedding() and its gradient equal PyTorch's; a padding index gives zeros and no gradient", () => {
  tf.tidy(() => {
    const indices = tf.tensor2d([[0, 2], [4, 2]], [2, 2], "int32");
    const { y, grads } = differentiate(
      (scope) => embedding(scope, indices, { size: 5, width: 3 }),
      tf.zeros([1]),
      { table: wave([5, 3]) },
      (shape) => wave(shape, 1, 0.3),
    );
    assertClose(values(y), reference["embedding"].y);
    assertClose(values(grads.table), reference["embedding"].dtable);
    const padded = differentiate(
      (scope) => embedding(scope, indices, { size: 5, width: 3, padding: 2 }),
      tf.zeros([1]),
      { table: wave([5, 3]) },
      (shape) => tf.ones([...shape]),
    );
    assertEquals(values(tf.slice(padded.y, [0, 1, 0], [1, 1, 3])), [0, 0, 0]);
    assertEquals(values(tf.slice(padded.grads.table!, [2, 0], [1, 3])), [0, 0, 0]);
  });
});

Deno.test("globalAveragePool() averages all axes between the first and the last, on maps of any rank", () => {
  tf.tidy(() => {
    assertEquals(values(globalAveragePool(tf.tensor3d([1, 2, 3, 4], [1, 2, 2]))), [2, 3]);
    assertEquals(values(globalAveragePool(tf.tensor2d([5, 6], [1, 2]))), [5, 6]);
    assertEquals(values(globalAveragePool(tf.ones([2, 2, 2, 2, 1]))), [1, 1]);
  });
});

Deno.test("dropout() drops the given share, keeps the mean, and is the identity in evaluation", () => {
  tf.tidy(() => {
    const x = tf.ones([100, 200]);
    const scope = (mode: "train" | "eval") =>
      bindScope({ params: {}, buffers: {}, controls: {}, key: tf.tensor1d([3, 4], "int32"), mode }).scope;
    const y = dropout(scope("train"), x, 0.3);
    const kept = values(y).filter((value) => value !== 0);
    // Binomial(20000, 0.7): standard deviation 65, five of them 325.
    assertAlmostEquals(kept.length, 14000, 325);
    assertAlmostEquals(kept[0], 1 / 0.7, 1e-6);
    assertEquals(values(dropout(scope("eval"), x, 0.3)), values(x));
    assertThrows(() => dropout(scope("train"), x, 1), Refusal, "must be in [0, 1)");
  });
});

Deno.test("batchNorm() takes its options: epsilon, momentum and the start of the scale", () => {
  tf.tidy(() => {
    const params = { scale: tf.tensor1d([2]), shift: tf.tensor1d([1]) };
    const buffers = { mean: tf.tensor1d([10]), variance: tf.tensor1d([20]) };
    const bound = bindScope({ params, buffers, controls: {}, key: null, mode: "train" });
    // Mean 2, biased variance 1, unbiased 2; (x - 2) / sqrt(1 + 3) * 2 + 1.
    const y = batchNorm(bound.scope, tf.tensor2d([[1], [3]]), { epsilon: 3, momentum: 0.25 });
    assertClose(values(y), [0, 2], 1e-6);
    assertClose(values(bound.updates().mean), [0.75 * 10 + 0.25 * 2], 1e-6);
    assertClose(values(bound.updates().variance), [0.75 * 20 + 0.25 * 2], 1e-6);
  });
  const made = initialise((scope) => void batchNorm(scope, tf.zeros([2, 3]), { scaleInit: constant(0.25) }), {
    random: new Random(1),
    abstract: (run) => tf.tidy(() => run()),
  });
  assertEquals([...made.params["scale"].data], [0.25, 0.25, 0.25]);
  assertEquals([...made.params["shift"].data], [0, 0, 0]);
  assertEquals([...made.buffers["mean"].data, ...made.buffers["variance"].data], [0, 0, 0, 1, 1, 1]);
});

Deno.test("layerNorm() takes epsilon, and dropout() refuses rates that are none and is exact at 0", () => {
  tf.tidy(() => {
    const params = { scale: tf.tensor1d([2, 2]), shift: tf.tensor1d([1, 1]) };
    const bound = bindScope({ params, buffers: {}, controls: {}, key: tf.tensor1d([1, 2], "int32"), mode: "train" });
    // Mean 2, variance 1: (x - 2) / sqrt(1 + 3) * 2 + 1.
    assertClose(values(layerNorm(bound.scope, tf.tensor2d([[1, 3]]), { epsilon: 3 })), [0, 2], 1e-6);
    for (const rate of [-0.1, NaN]) assertThrows(() => dropout(bound.scope, tf.ones([2]), rate), Refusal, "[0, 1)");
    assertEquals(values(dropout(bound.scope, tf.ones([3]), 0)), [1, 1, 1]);
  });
});

Deno.test("layerNorm() gives scale and shift the sums of their gradients over all rows", () => {
  tf.tidy(() => {
    const { grads } = differentiate(
      (scope, x) => layerNorm(scope, x, { epsilon: 3 }),
      tf.tensor3d([[[1, 3]], [[3, 1]]]), // normalised, (-0.5, 0.5) and (0.5, -0.5)
      { scale: tf.tensor1d([2, 2]), shift: tf.tensor1d([1, 1]) },
      () => tf.tensor3d([[[1, 2]], [[3, 5]]]),
    );
    assertClose(values(grads.scale), [-0.5 * 1 + 0.5 * 3, 0.5 * 2 - 0.5 * 5], 1e-6);
    assertClose(values(grads.shift), [1 + 3, 2 + 5], 1e-6);
  });
});

Deno.test("activate() applies each activation by name", () => {
  tf.tidy(() => {
    const x = tf.tensor1d([-1, 2]);
    assertEquals(values(activate(x, "none")), [-1, 2]);
    assertEquals(values(activate(x, "relu")), [0, 2]);
    assertClose(values(activate(x, "tanh")), [Math.tanh(-1), Math.tanh(2)], 1e-6);
    // x Phi(x): Phi(1) = 0.841345, Phi(2) = 0.977250.
    assertClose(values(activate(x, "gelu")), [-(1 - 0.841345), 2 * 0.97725], 1e-5);
  });
});

/** Start values of one layer. */
function startOf(run: (scope: Scope) => void): Record<string, number[]> {
  const made = initialise(run, { random: new Random(1), abstract: (body) => tf.tidy(() => body()) });
  return Object.fromEntries(Object.entries(made.params).map(([name, { data }]) => [name, [...data]]));
}

Deno.test("linear() and conv2d() start from what they are told, else from PyTorch's bounds", () => {
  const within = (values: number[], bound: number) => values.every((value) => Math.abs(value) <= bound);
  const x = tf.zeros([1, 4]);
  const plain = startOf((scope) => void linear(scope, x, { width: 50 }));
  assertEquals(within([...plain.kernel, ...plain.bias], 0.5), true);
  assertEquals(within(plain.kernel, 0.45) || within(plain.bias, 0.3), false);
  const given = startOf((scope) => void linear(scope, x, { width: 2, kernelInit: constant(3) }));
  assertEquals([given.kernel, given.bias], [Array(8).fill(3), [0, 0]]);
  const both = startOf((scope) => void linear(scope, x, { width: 2, kernelInit: constant(3), biasInit: constant(4) }));
  assertEquals(both.bias, [4, 4]);
  assertEquals(Object.keys(startOf((scope) => void linear(scope, x, { width: 2, bias: false }))), ["kernel"]);

  const image = tf.zeros([1, 3, 3, 1]);
  const conv = startOf((scope) => void conv2d(scope, image, { channels: 40, kernel: 2 }));
  assertEquals(within([...conv.kernel, ...conv.bias], 0.5), true);
  assertEquals(within(conv.kernel, 0.45) || within(conv.bias, 0.3), false);
  const set = startOf((scope) => void conv2d(scope, image, { channels: 2, kernel: 1, kernelInit: constant(3) }));
  assertEquals([set.kernel, set.bias], [[3, 3], [0, 0]]);
  assertEquals(Object.keys(startOf((scope) => void conv2d(scope, image, { channels: 2, kernel: 1, bias: false }))), [
    "kernel",
  ]);
  const table = startOf((scope) =>
    void embedding(scope, tf.zeros([1], "int32"), { size: 2, width: 2, init: constant(7) })
  );
  assertEquals(table.table, [7, 7, 7, 7]);
});

Deno.test("linear() keeps all leading axes, and embedding()'s padding is one index alone", () => {
  tf.tidy(() => {
    const scope = bindScope({
      params: { kernel: tf.ones([2, 3]), bias: tf.zeros([3]), table: tf.ones([4, 2]) },
      buffers: {},
      controls: {},
      key: null,
      mode: "eval",
    }).scope;
    assertEquals(linear(scope, tf.ones([2, 3, 4, 2]), { width: 3 }).shape, [2, 3, 4, 3]);
    const rows = embedding(scope, tf.tensor1d([0, 1, 2, 3], "int32"), { size: 4, width: 2, padding: 1 });
    assertEquals(values(rows), [1, 1, 0, 0, 1, 1, 1, 1]);
  });
});

Deno.test("convolution and pooling take strides and paddings, and frames of clips go one by one", () => {
  tf.tidy(() => {
    const scope = bindScope({
      params: { kernel: tf.ones([2, 2, 1, 1]) },
      buffers: {},
      controls: {},
      key: null,
      mode: "eval",
    }).scope;
    const image = tf.tensor4d([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 3, 3, 1]);
    const conv = (options: Partial<ConvOptions>) =>
      values(conv2d(scope, image, { channels: 1, kernel: 2, bias: false, ...options }));
    assertEquals(conv({ padding: "valid" }), [12, 16, 24, 28]);
    assertEquals(conv({}), [12, 16, 9, 24, 28, 15, 15, 17, 9]); // "same" adds behind
    assertEquals(conv({ stride: 2 }), [12, 9, 15, 9]);
    // One row and column at each border, floor((3 + 2 - 2) / 2) + 1 = 2 windows an axis.
    assertEquals(conv({ stride: 2, padding: 1 }), [1, 5, 11, 28]);
    assertEquals(values(avgPool(image, { window: 2, stride: 1 })), [3, 4, 6, 7]);
    assertEquals(values(avgPool(image, { window: 2 })), [3]);
    assertEquals(values(maxPool(image, { window: 2, stride: 1 })), [5, 6, 8, 9]);
    const clips = tf.reshape(tf.concat([image, tf.mul(image, 10)], 0), [1, 2, 3, 3, 1]);
    const frames = avgPool(clips, { window: 2, stride: 1 });
    assertEquals([frames.shape, values(frames)], [[1, 2, 2, 2, 1], [3, 4, 6, 7, 30, 40, 60, 70]]);
    // All axes between the first and the last, of unequal values.
    assertEquals(values(globalAveragePool(tf.tensor4d([1, 2, 3, 6], [1, 2, 2, 1]))), [3]);
  });
});
