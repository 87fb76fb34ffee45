import * as tf from "@tensorflow/tfjs";
import { assertAlmostEquals, assertEquals } from "@std/assert";
import { discrepancyRatios, gradientStd, modulation } from "../../baselines/mod.ts";
import { labelProbability } from "../../losses/mod.ts";
import { values } from "../helpers/tensors.ts";

const scores = () => {
  const labels = tf.tensor1d([0, 1, 2], "int32");
  const audio = tf.tensor2d([[2, 0, -1], [0.5, 1, 0], [0, 0, 1]]);
  const video = tf.tensor2d([[0.5, 0, 0], [0, 0.2, 0.1], [1, 0, 0]]);
  return [audio, video].map((logits) => tf.sum(labelProbability(logits, labels)) as tf.Scalar);
};

Deno.test("discrepancyRatios() and modulation() equal the values computed by hand", () => {
  tf.tidy(() => {
    const [audio, video] = scores();
    assertAlmostEquals(values(audio)[0], 1.926392, 1e-5);
    assertAlmostEquals(values(video)[0], 1.03097, 1e-5);
    const [first, second] = discrepancyRatios([audio, video]);
    assertAlmostEquals(values(first)[0], 1.868524, 1e-5);
    // k = 1 - tanh(alpha rho); the modality behind keeps its gradient.
    assertAlmostEquals(values(modulation(first, 0.1))[0], 0.815292, 1e-5);
    assertAlmostEquals(values(modulation(first, 0.8))[0], 0.095792, 1e-5);
    assertEquals(values(modulation(second, 0.8)), [1]);
  });
});

Deno.test("discrepancyRatios() of three compares each with the mean of the others", () => {
  tf.tidy(() => {
    const ratios = discrepancyRatios([tf.scalar(3), tf.scalar(1), tf.scalar(2)]);
    assertEquals(ratios.map((ratio) => values(ratio)[0]), [2, Math.fround(0.4), 1]);
  });
});

Deno.test("gradientStd() is the unbiased standard deviation, 0 for a single element", () => {
  tf.tidy(() => {
    // Of 1, 2, 3, 4: sqrt(5 / 3).
    assertAlmostEquals(values(gradientStd(tf.tensor2d([[1, 2], [3, 4]])))[0], Math.sqrt(5 / 3), 1e-6);
    assertEquals(values(gradientStd(tf.tensor1d([5]))), [0]);
  });
});
