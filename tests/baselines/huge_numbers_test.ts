/** Quantities without a unit, and lengths, of numbers whose squares are beyond single precision. */
import * as tf from "@tensorflow/tfjs";
import { assertEquals } from "@std/assert";
import { meanCosine, type Valuation } from "../../baselines/arm/valuation.ts";
import { gradientStd, paretoGradients, projectionUpdate, prototypeLogits } from "../../baselines/mod.ts";
import { assertClose, values } from "../helpers/tensors.ts";

const test = (name: string, run: () => void) => Deno.test(name, () => tf.tidy(() => void run()));
const wave = (shape: number[], shift: number) => {
  const size = shape.reduce((product, extent) => product * extent, 1);
  return tf.tensor(Array.from({ length: size }, (_, i) => Math.sin(1.7 * i + shift)), shape);
};
/** 1e30, as a power of two, so that scaled numbers have the same digits. */
const huge = 2 ** 100;

test("arm: the mean cosine of a sample's vectors sees no unit, sample by sample", () => {
  const compared = wave([3, 3, 4], 0.4) as tf.Tensor3D;
  const cosines = (x: tf.Tensor3D) => values(meanCosine({ compared: x } as Valuation));
  const plain = cosines(compared);
  // By hand for the first sample's two modalities; the first vector is the fused one.
  const [a, b] = [1, 2].map((u) => [0, 1, 2, 3].map((k) => Math.sin(1.7 * (4 * u + k) + 0.4)));
  const dot = (x: number[], y: number[]) => x.reduce((sum, value, k) => sum + value * y[k], 0);
  assertClose([plain[0]], [dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))], 1e-6);
  const factors = tf.tensor3d([1, 1, huge, 1, huge, 1, 1, 1, 1], [3, 3, 1]);
  assertEquals(cosines(tf.mul(compared, factors) as tf.Tensor3D), plain);
  assertEquals(cosines(tf.mul(compared, huge) as tf.Tensor3D), plain);
});

test("mmpareto: gradients of 1e30 are joined as small ones are, whether they agree or not", () => {
  for (const turn of [0.2, 2.9]) {
    const given = (shift: number) => [wave([3, 2], shift), wave([2], shift + 1)];
    const plain = paretoGradients(given(0), given(turn), 1.5);
    const scaled = (tensors: tf.Tensor[]) => tensors.map((x) => tf.mul(x, huge));
    const found = paretoGradients(scaled(given(0)), scaled(given(turn)), 1.5);
    assertEquals([...values(found.cosine), ...values(found.share)], [...values(plain.cosine), ...values(plain.share)]);
    assertEquals(found.gradients.flatMap(values), plain.gradients.flatMap((x) => values(tf.mul(x, huge))));
  }
});

test("ogm-ge: the spread of a gradient of 1e30 is as large as it is", () => {
  const gradient = tf.tensor1d([1, 3]);
  assertClose(values(gradientStd(gradient)), [Math.SQRT2], 1e-7);
  assertClose(values(tf.div(gradientStd(tf.mul(gradient, 1e30)), 1e30)), [Math.SQRT2], 1e-6);
});

test("mla: a mean feature of 1e30 turns the projection away from its direction, both forms", () => {
  for (const form of ["scalar", "elementwise"] as const) {
    const r = tf.tensor2d([[1, 2]]);
    // Without alpha, which is nothing beside 1e60.
    const expected = values(projectionUpdate(tf.eye(2), r, tf.scalar(0), form));
    assertClose(values(projectionUpdate(tf.eye(2), tf.mul(r, 1e30), tf.scalar(0.1), form)), expected, 1e-6);
  }
});

test("pmr: distances to prototypes of one feature of 1e30 leave those of the others, and have a gradient", () => {
  const prototypes = tf.tensor2d([[0, 0], [3, 4]]);
  const seen = tf.tensor1d([1, 1]);
  const features = tf.tensor2d([[0, 0], [3e30, 4e30]]);
  const [near, far, ...others] = values(prototypeLogits(features, prototypes, seen));
  assertClose([near, far], [-1e-4, -5], 1e-7);
  assertClose(others.map((value) => value / 5e30), [-1, -1], 1e-6);
  const slope = tf.grad((x) => tf.sum(prototypeLogits(x as tf.Tensor2D, prototypes, seen)))(features);
  assertClose(values(slope).slice(2), [-1.2, -1.6], 1e-6);
});
