/** Gradients that tfjs lacks or has wrong, against values by hand. */
import * as tf from "@tensorflow/tfjs";
import { assertEquals } from "@std/assert";
import { record } from "../../tensor/autodiff.ts";
import { assertClose, values } from "../helpers/tensors.ts";

await tf.setBackend("cpu");

/** Gradients of the sum of a function's result times 1, 2, 3, … by all arguments. */
function gradients(run: (...x: tf.Tensor[]) => tf.Tensor, ...x: tf.Tensor[]): number[][] {
  return tf.tidy(() => {
    const pass = record(() => {
      const y = run(...x);
      return tf.sum(tf.mul(y, tf.reshape(tf.range(1, y.size + 1), y.shape)));
    });
    const found = pass.gradients(pass.value, x).map((gradient) => values(gradient));
    pass.dispose();
    return found;
  });
}

for (const [name, reduce, sign] of [["max", tf.max, 1], ["min", tf.min, -1]] as const) {
  Deno.test(`equal values share the gradient of ${name}, which sums to that of the result`, () => {
    const x = tf.mul(tf.tensor2d([[3, 1, 3], [2, 2, 2]]), sign);
    assertEquals(gradients((x) => reduce(x, 1), x), [[0.5, 0, 0.5, 2 / 3, 2 / 3, 2 / 3].map(Math.fround)]);
    assertEquals(gradients((x) => reduce(x, 0, true), x), [[1, 0, 3, 0, 2, 0]]);
    assertEquals(gradients((x) => reduce(x), x), [[0.5, 0, 0.5, 0, 0, 0]]);
    assertEquals(gradients((x) => reduce(x, [-1]), tf.mul(tf.tensor1d([1, 5, 4]), sign)), [[0, 1, 0]]);
  });
}

Deno.test("at a tie of two tensors the first gets the gradient of maximum and minimum, so that it is not doubled", () => {
  const [a, b] = [tf.tensor1d([1, 2, 3]), tf.tensor1d([1, 3, 2])];
  assertEquals(gradients((a, b) => tf.maximum(a, b), a, b), [[1, 0, 3], [0, 2, 0]]);
  assertEquals(gradients((a, b) => tf.minimum(a, b), a, b), [[1, 2, 0], [0, 0, 3]]);
});

Deno.test("the gradient of a mean is shared by what it is of", () => {
  const x = tf.tensor2d([[1, 2, 3], [4, 5, 6]]);
  assertClose(gradients((x) => tf.mean(x, 0), x)[0], [0.5, 1, 1.5, 0.5, 1, 1.5], 1e-6);
  assertClose(gradients((x) => tf.mean(x, 1, true), x)[0], [1, 1, 1, 2, 2, 2].map((weight) => weight / 3), 1e-6);
  assertClose(gradients((x) => tf.mean(x), x)[0], Array(6).fill(1 / 6), 1e-6);
});

Deno.test("the gradient of a largest NaN is NaN", () => {
  const [gradient] = gradients((x) => tf.max(x), tf.tensor1d([1, NaN, 2]));
  assertEquals(gradient.map(Number.isNaN), [true, true, true]);
});

for (const given of ["", "scale", "offset", "scale and offset"]) {
  Deno.test(`batch normalisation with ${given || "neither scale nor offset"} is differentiated by all it is given`, () => {
    // (x - mean) / sqrt(variance + 1) scale + offset with variance + 1 = 4 and 9, weighted by 1 to 4.
    const x = tf.tensor2d([[1, 2], [3, 4]]);
    const [mean, variance] = [tf.tensor1d([1, 1]), tf.tensor1d([3, 8])];
    const scale = given.includes("scale") ? tf.tensor1d([2, 3]) : undefined;
    const offset = given.includes("offset") ? tf.tensor1d([5, 6]) : undefined;
    const factor = scale === undefined ? [1 / 2, 1 / 3] : [1, 1];
    const found = gradients(
      (x, mean, variance, ...rest) => {
        const own = scale === undefined ? undefined : rest[0] as tf.Tensor1D;
        const shift = offset === undefined ? undefined : rest.at(-1) as tf.Tensor1D;
        return tf.batchNorm(x, mean as tf.Tensor1D, variance as tf.Tensor1D, shift, own, 1);
      },
      ...[x, mean, variance, scale, offset].filter((tensor) => tensor !== undefined),
    );
    assertClose(found[0], [factor[0], 2 * factor[1], 3 * factor[0], 4 * factor[1]], 1e-6);
    assertClose(found[1], [-4 * factor[0], -6 * factor[1]], 1e-6);
    // d/dv of d v'^-1/2 is -1/2 d v'^-3/2: sums of dy times centred are 6 and 14.
    assertClose(found[2], [-0.5 * 6 * factor[0] / 4, -0.5 * 14 * factor[1] / 9], 1e-6);
    if (scale !== undefined) assertClose(found[3], [3, 14 / 3], 1e-6);
    if (offset !== undefined) assertClose(found.at(-1)!, [4, 6], 1e-6);
  });
}

Deno.test("sparseToDense() is differentiated by what it puts and by what it leaves", () => {
  const places = tf.tensor1d([3, 0], "int32");
  const put = (x: tf.Tensor, rest: tf.Tensor) => tf.sparseToDense(places, x, [4], rest as tf.Scalar);
  assertEquals(gradients(put, tf.tensor1d([5, 6]), tf.scalar(1)), [[4, 1], [5]]);
  assertEquals(gradients(put, tf.scalar(5), tf.scalar(1)), [[5], [5]]);
});

Deno.test("relu and relu6 pass the gradient on between their bounds only", () => {
  const x = tf.tensor1d([-1, 0, 2, 6, 7]);
  assertEquals(gradients(tf.relu, x), [[0, 0, 3, 4, 5]]);
  assertEquals(gradients(tf.relu6, x), [[0, 0, 3, 4, 0]]);
});

Deno.test("einsum() is differentiated by operands with letters of their own, which every place shares", () => {
  const a = tf.tensor2d([[1, 2], [3, 4]]);
  assertEquals(gradients((a) => tf.einsum("ij->i", a), a), [[1, 1, 2, 2]]);
  assertEquals(gradients((a) => tf.einsum("ij->ji", a), a), [[1, 3, 2, 4]]);
});

Deno.test("a part taken with strides gives its gradient back to where it came from, backwards too", () => {
  const x = tf.tensor1d([1, 2, 3, 4, 5]);
  assertEquals(gradients((x) => tf.stridedSlice(x, [0], [5], [2]), x), [[1, 0, 2, 0, 3]]);
  assertEquals(gradients((x) => tf.stridedSlice(x, [4], [0], [-2]), x), [[0, 0, 2, 0, 1]]);
  assertEquals(gradients((x) => tf.stridedSlice(x, [3], [-6], [-1]), x), [[4, 3, 2, 1, 0]]);
});

Deno.test("rows taken by number get the gradient of every copy, within batches too", () => {
  const x = tf.tensor2d([[1, 2], [3, 4], [5, 6]]);
  assertEquals(gradients((x) => tf.gather(x, tf.tensor1d([2, 0, 2], "int32")), x), [[3, 4, 0, 0, 6, 8]]);
  assertEquals(gradients((x) => tf.gather(x, tf.tensor2d([[1], [0], [1]], [3, 1], "int32"), 1, 1), x), [[
    0,
    1,
    2,
    0,
    0,
    3,
  ]]);
  assertEquals(gradients((x) => tf.tile(x, [1, 2]), tf.tensor2d([[1, 2]])), [[4, 6]]);
  assertEquals(gradients((x) => tf.mirrorPad(x, [[1, 1]], "reflect"), tf.tensor1d([1, 2, 3])), [[2, 9, 4]]);
  assertEquals(gradients((x) => tf.mirrorPad(x, [[1, 1]], "symmetric"), tf.tensor1d([1, 2, 3])), [[3, 3, 9]]);
});
