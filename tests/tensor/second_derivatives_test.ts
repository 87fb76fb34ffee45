/** Second derivatives: right, or refused with a sentence. */
import * as tf from "@tensorflow/tfjs";
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { Refusal } from "../../core/refusal.ts";
import { record, withGradient } from "../../tensor/autodiff.ts";
import { registerGradients } from "../../tensor/gradients.ts";
import { gelu } from "../../nn/activations.ts";
import { assertClose, values } from "../helpers/tensors.ts";

await tf.setBackend("cpu");
registerGradients();

type Unary = (x: tf.Tensor) => tf.Tensor;

/** d/dx of the sum of `weights` times the gradient of the sum of f: by a recording of `tf.grad`. */
function second(f: Unary, x: readonly number[], weights: readonly number[]): number[] {
  return tf.tidy(() => {
    const at = tf.tensor1d([...x]);
    const pass = record(() => tf.sum(tf.mul(tf.grad((z) => tf.sum(f(z)))(at), tf.tensor1d([...weights]))));
    const [gradient] = pass.gradients(pass.value, [at]);
    pass.dispose();
    return values(gradient);
  });
}

/** The same by central differences of the first gradient. */
function differences(f: Unary, x: readonly number[], weights: readonly number[], step = 1e-2): number[] {
  const first = (at: readonly number[]) => {
    const gradient = tf.tidy(() => values(tf.grad((z: tf.Tensor) => tf.sum(f(z)))(tf.tensor1d([...at]))));
    return gradient.reduce((sum, value, i) => sum + value * weights[i], 0);
  };
  return x.map((_, i) => {
    const moved = (sign: number) => x.map((value, k) => k === i ? value + sign * step : value);
    return (first(moved(1)) - first(moved(-1))) / (2 * step);
  });
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

Deno.test("record() of tf.grad gives second derivatives: (sigmoid tanh)'' in closed form", () => {
  const x = [0.3, -0.5, 0.8];
  const right = x.map((z) => {
    const [s, t] = [sigmoid(z), Math.tanh(z)];
    const [s1, t1] = [s * (1 - s), 1 - t * t];
    return s1 * (1 - 2 * s) * t + 2 * s1 * t1 - 2 * s * t * t1;
  });
  assertClose(second((z) => tf.mul(tf.sigmoid(z), tf.tanh(z)), x, [1, 1, 1]), right, 1e-6);
});

Deno.test("tf.grad of tf.grad is right too once gradients are mended: exp, tanh, sqrt, which keep their results", () => {
  const twice = (f: Unary, x: number) =>
    values(tf.grad((z) => tf.sum(tf.grad((y) => tf.sum(f(y)))(z)))(tf.scalar(x)))[0];
  assertAlmostEquals(twice(tf.exp, 0.5), Math.exp(0.5), 1e-6);
  assertAlmostEquals(twice(tf.tanh, 0.5), -2 * Math.tanh(0.5) * (1 - Math.tanh(0.5) ** 2), 1e-6);
  assertAlmostEquals(twice(tf.sqrt, 4), -1 / 32, 1e-6);
  assertAlmostEquals(
    twice((x) => tf.softmax(tf.stack([x, tf.scalar(0)])).slice(0, 1), 0.7),
    (() => {
      const s = sigmoid(0.7);
      return s * (1 - s) * (1 - 2 * s);
    })(),
    1e-6,
  );
});

const functions: Readonly<Record<string, Unary>> = {
  sigmoid: tf.sigmoid,
  tanh: tf.tanh,
  softmax: (x) => tf.square(tf.softmax(x)),
  logSoftmax: (x) => tf.mul(tf.logSoftmax(x), x),
  logSumExp: (x) => tf.logSumExp(x),
  softplus: tf.softplus,
  exp: tf.exp,
  log: (x) => tf.log(tf.add(x, 2)),
  sqrt: (x) => tf.sqrt(tf.add(x, 2)),
  rsqrt: (x) => tf.rsqrt(tf.add(x, 2)),
  reciprocal: (x) => tf.reciprocal(tf.add(x, 2)),
  sin: tf.sin,
  atan: tf.atan,
  erf: tf.erf,
  pow: (x) => tf.pow(tf.add(x, 2), 3),
  div: (x) => tf.div(x, tf.add(tf.square(x), 1)),
  prod: (x) => tf.prod(x),
  mean: (x) => tf.square(tf.mean(x)),
  max: (x) => tf.square(tf.max(x)),
  cumsum: (x) => tf.square(tf.cumsum(x)),
  norm: (x) => tf.norm(x),
  matMul: (x) => tf.matMul(tf.reshape(x, [3, 1]), tf.reshape(x, [1, 3])),
  batchNorm: (x) => tf.square(tf.batchNorm(tf.reshape(x, [3, 1]), tf.mean(x, 0, true) as tf.Tensor1D, tf.ones([1]))),
  conv: (x) =>
    tf.square(tf.conv1d(tf.reshape(x, [1, 3, 1]) as tf.Tensor3D, tf.tensor3d([1, 2], [2, 1, 1]), 1, "valid")),
};
for (const [name, f] of Object.entries(functions)) {
  Deno.test(`second derivative of ${name} equals central differences of its first`, () => {
    const [x, weights] = [[0.31, -0.52, 0.83], [1, 2, -1]];
    const right = differences(f, x, weights);
    assert(right.some((value) => Math.abs(value) > 1e-2), "a second derivative of zero would test nothing");
    assertClose(second(f, x, weights), right, 5e-3);
  });
}

Deno.test("a gradient given as a formula of its inputs and its value can be differentiated again", () => {
  // x^3 with 3 x^2 as formula of the input, and e^x as formula of the value.
  const cube: Unary = (x) =>
    withGradient([x], (save) => {
      save([x]);
      return { value: tf.mul(x, tf.square(x)), gradient: (dy, [x]) => [tf.mul(dy, tf.mul(3, tf.square(x)))] };
    });
  const exponential: Unary = (x) =>
    withGradient([x], (save) => {
      const value = tf.exp(x);
      save([value, x]);
      return { value, gradient: (dy, [y]) => [tf.mul(dy, y)] };
    });
  assertClose(second(cube, [0.5, -2], [1, 1]), [3, -12], 1e-6);
  assertClose(second(exponential, [0.5, -2], [1, 1]), [Math.exp(0.5), Math.exp(-2)], 1e-6);
});

Deno.test("a gradient given as a formula of other values is refused the second time, whichever way it is asked for", () => {
  const refused: readonly Unary[] = [
    gelu,
    (x) => {
      const labels = tf.tensor2d([[0, 1, 0]]);
      return tf.losses.softmaxCrossEntropy(labels, tf.reshape(x, [1, 3]) as tf.Tensor2D);
    },
  ];
  for (const f of refused) {
    assertThrows(() => second(f, [0.5, -1, 2], [1, 1, 1]), Refusal, "Cannot differentiate a second time");
    const x = tf.tensor1d([0.5, -1, 2]);
    assertThrows(
      () => tf.tidy(() => tf.grad((z) => tf.sum(tf.square(tf.grad((y) => tf.sum(f(y)))(z))))(x)),
      Refusal,
      "Cannot differentiate a second time",
    );
    x.dispose();
    // What does not pass through the formula again is not refused: the derivative by a factor of its value.
    tf.tidy(() => {
      const at = tf.tensor1d([0.5, -1, 2]);
      const factor = tf.scalar(3);
      const pass = record(() => tf.sum(tf.mul(tf.grad((z) => tf.mul(tf.sum(f(z)), factor))(at), [1, 2, 3])));
      const [gradient] = pass.gradients(pass.value, [factor]);
      const first = values(tf.grad((z: tf.Tensor) => tf.sum(f(z)))(at));
      assertClose(values(gradient), [first[0] + 2 * first[1] + 3 * first[2]], 1e-5);
      pass.dispose();
    });
  }
});

Deno.test("kernels without a gradient of their gradient are refused by name", () => {
  const pool: Unary = (x) => tf.square(tf.maxPool(tf.reshape(x, [1, 2, 2, 1]) as tf.Tensor4D, 2, 1, "same"));
  assertThrows(() => second(pool, [0.3, 0.1, 0.4, 0.2], [1, 1, 1, 1]), Refusal, "differentiate kernel MaxPoolGrad");
});

Deno.test("first derivatives leave no tensor behind, nested ones neither", () => {
  const f: Unary = (x) => tf.sum(tf.mul(tf.sigmoid(x), tf.tanh(x)));
  const before = tf.memory().numTensors;
  second(f, [0.3, -0.5], [1, 1]);
  tf.tidy(() => void tf.grad(f)(tf.tensor1d([1, 2])));
  assertEquals(tf.memory().numTensors, before);
});
