import * as tf from "@tensorflow/tfjs";
import { assert, assertAlmostEquals } from "@std/assert";
import { record } from "../../tensor/autodiff.ts";
import { fusionWeights } from "../../miv/mod.ts";
import { crossEntropy, gapLoss, labelProbability, minimumLoss } from "../../losses/mod.ts";
import { assertClose, values } from "../helpers/tensors.ts";

Deno.test("crossEntropy() and labelProbability() equal the definition, and are stable for large logits", () => {
  tf.tidy(() => {
    // p_a of the rows (2,0,-1), (.5,1,0), (0,0,1) at labels 0, 1, 2.
    const logits = tf.tensor2d([[2, 0, -1], [0.5, 1, 0], [0, 0, 1]]);
    const labels = tf.tensor1d([0, 1, 2], "int32");
    const p = [0.843795, 0.50648, 0.576117];
    assertClose(values(labelProbability(logits, labels)), p, 1e-5);
    assertClose(values(crossEntropy(logits, labels)), p.map((value) => -Math.log(value)), 1e-5);
    assertClose(
      values(crossEntropy(tf.tensor2d([[1000, 0], [0, 1000]]), tf.tensor1d([0, 0], "int32"))),
      [0, 1000],
      1e-5,
    );
  });
});

Deno.test("the gradients of crossEntropy() and labelProbability() are softmax - onehot, and p (onehot - softmax)", () => {
  tf.tidy(() => {
    const logits = tf.tensor2d([[2, 0, -1], [0.5, 1, 0], [1000, -1000, 0]]);
    const labels = tf.tensor1d([0, 1, 2], "int32");
    const factors = tf.tensor1d([1, -2, 0.5]);
    const gradient = (loss: typeof crossEntropy) => {
      const pass = record(() => tf.sum(tf.mul(loss(logits, labels), factors)));
      const found = values(pass.gradients(pass.value, [logits])[0]);
      pass.dispose();
      return found;
    };
    const difference = tf.sub(tf.softmax(logits), tf.oneHot(labels, 3));
    assertClose(gradient(crossEntropy), values(tf.mul(difference, tf.expandDims(factors, 1))), 1e-6);
    const p = tf.tensor2d([[0.843795], [0.50648], [0]]);
    const expected = tf.neg(tf.mul(tf.mul(difference, tf.expandDims(factors, 1)), p));
    assertClose(gradient(labelProbability), values(expected), 1e-5);
  });
});

Deno.test("gapLoss() equals Eq. 15 on the hand-computed example, shifted and raw", () => {
  tf.tidy(() => {
    // Shifted (.773333, .69): 2 |.773333 - .731667| / .731667. Raw (.16, .035): 2 * .0625 / .0975.
    assertAlmostEquals(values(gapLoss(tf.tensor2d([[0.7733333, 0.69]])))[0], 0.113895, 1e-5);
    assertAlmostEquals(values(gapLoss(tf.tensor2d([[0.16, 0.035]])))[0], 1.282051, 1e-5);
    assertAlmostEquals(values(gapLoss(tf.tensor2d([[0.5, 0.5, 0.5]])))[0], 0, 1e-7);
    assertAlmostEquals(values(minimumLoss(tf.tensor1d([0.0594558])))[0], 0.940544, 1e-5);
  });
});

Deno.test("Eqs. 13 and 15 divide by contributions as printed: small ones are bounded away from 0, signs stay", () => {
  tf.tidy(() => {
    // phi = (-.1, .05): mean -.025, weights 4 and -2. phi = (.3, -.5): |.4| + |-.4| over -.1 is -8.
    assertClose(values(fusionWeights(tf.tensor2d([[-0.1, 0.05]]))), [4, -2], 1e-5);
    assertAlmostEquals(values(gapLoss(tf.tensor2d([[0.3, -0.5]])))[0], -8, 1e-5);
    // Means of 0 and of -1e-4 become 1e-3 and -1e-3.
    assertClose(values(fusionWeights(tf.tensor2d([[0.5, -0.5]]))), [500, -500], 1e-3);
    assertClose(values(fusionWeights(tf.tensor2d([[0.1, -0.1002]]))), [-100, 100.2], 1e-3);
    // Three modalities: mean .2.
    assertClose(values(fusionWeights(tf.tensor2d([[0.9, -0.4, 0.1]]))), [4.5, -2, 0.5], 1e-5);
  });
});

function gradientOf(options: Parameters<typeof gapLoss>[1]): number[] {
  return tf.tidy(() => {
    const phi = tf.tensor2d([[0.9, 0.3]]);
    const pass = record(() => tf.sum(gapLoss(phi, options)));
    const gradient = values(pass.gradients(pass.value, [phi])[0]);
    pass.dispose();
    return gradient;
  });
}

Deno.test("gapLoss() by default pulls both modalities together with a constant denominator", () => {
  // L = (|a - c| + |b - c|) / sg(c) with c the mean, so = (a - b) / .6 here.
  assertClose(gradientOf({}), [1 / 0.6, -1 / 0.6], 1e-5);
});

Deno.test("gapLoss() with denominatorGradient can be lowered by inflating the mean", () => {
  // L = 2 (a - b) / (a + b): dL/da = 4b / (a + b)^2, dL/db = -4a / (a + b)^2.
  assertClose(gradientOf({ denominatorGradient: true }), [4 * 0.3 / 1.44, -4 * 0.9 / 1.44], 1e-5);
});

Deno.test("gapLoss() asymmetric moves only the modality below the mean", () => {
  const [strong, weak] = gradientOf({ asymmetric: true });
  assertAlmostEquals(strong, 0, 1e-7);
  assert(weak < 0);
});
