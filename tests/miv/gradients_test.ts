import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { record, stopGradient } from "../../tensor/mod.ts";
import { Random } from "../../core/random.ts";
import { optimise } from "../../engines/onnx/passes/mod.ts";
import { lower } from "../../engines/onnx/lower/lower.ts";
import { trace } from "../../engines/onnx/trace/trace.ts";
import { gapLoss } from "../../losses/mod.ts";
import { centred, contributions, entropiesOf, normalised, softmin, standardise } from "../../miv/mod.ts";
import { type EstimatorName, informationOf } from "../helpers/estimators.ts";
import { values } from "../helpers/tensors.ts";

const random = new Random(11);
const drawn = (shape: number[], low = -1, high = 1) =>
  tf.tensor(
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => low + (high - low) * random.uniform()),
    shape,
  );

/** Compares the gradient of a weighted sum of f by every entry with central differences. */
function checkGradient(name: string, f: (x: tf.Tensor) => tf.Tensor, x: tf.Tensor, h = 1e-2, tolerance = 5e-3): void {
  tf.tidy(() => {
    const factors = drawn(f(x).shape);
    const loss = (at: tf.Tensor) => tf.sum(tf.mul(f(at), factors));
    const pass = record(() => loss(x));
    const gradient = values(pass.gradients(pass.value, [x])[0]);
    pass.dispose();
    const start = values(x);
    start.forEach((_, k) => {
      const at = (step: number) =>
        values(loss(tf.tensor(start.map((value, i) => i === k ? value + step : value), x.shape)))[0];
      assertAlmostEquals(gradient[k], (at(h) - at(-h)) / (2 * h), tolerance, `${name}, entry ${k}`);
    });
  });
}

Deno.test("gradients in closed form equal finite differences", () => {
  const share = tf.tensor2d([[1, 0.5, 2, 0, 1]]);
  for (const weights of [null, share]) {
    for (const deviation of [1, 0.75]) {
      checkGradient("standardise", (x) => standardise(x, weights, deviation), drawn([2, 5], -3, 3));
    }
  }
  checkGradient("centred", (x) => centred(x as tf.Tensor2D, tf.tensor1d([1, 0.5, 0])), drawn([3, 2]));
  checkGradient("softmin", (x) => softmin(x as tf.Tensor2D, 5), drawn([3, 4], 0, 1));
  // Moments as they come from tables: S_0 = 1 everywhere is the largest of them.
  const products = tf.tensor2d([[1, 0.6, 0.3, 0.5, 0.35, 0.2, 0.2, 0.15, 0.1]]);
  checkGradient(
    "entropiesOf",
    (x) => entropiesOf(x as tf.Tensor2D, 2, 3, { form: "moments", scale: 1 }),
    products,
    3e-3,
  );
  // Three variables in six bins are too many for one matrix.
  const cells = drawn([1, 216], 0.2, 1);
  checkGradient(
    "entropiesOf cells",
    (x) => entropiesOf(x as tf.Tensor2D, 3, 6, { form: "shares", scale: 1 / 100 }),
    cells,
  );
  let moments: tf.Tensor = tf.reshape(cells, [6, 6, 6]);
  for (const axis of [0, 1, 2]) moments = tf.cumsum(moments, axis, false, true);
  checkGradient(
    "entropiesOf moments",
    (x) => entropiesOf(x as tf.Tensor2D, 3, 6, { form: "moments", scale: 1 / 100 }),
    tf.reshape(moments, [1, 216]),
  );
  for (const norm of ["sqrt", "mean", "sum"] as const) {
    const [information, first, second] = [drawn([6], 0.05, 0.2), drawn([6], 0.4, 1), drawn([6], 0.4, 1)];
    checkGradient(`${norm} by information`, (x) => normalised(x, first, second, norm), information);
    checkGradient(`${norm} by the first`, (x) => normalised(information, x, second, norm), first);
    checkGradient(`${norm} by the second`, (x) => normalised(information, first, x, norm), second);
  }
  for (const index of ["other", "own"] as const) {
    const p = drawn([2], 0, 1) as tf.Tensor1D;
    const [solo, nmi] = [drawn([2, 3], 0, 1) as tf.Tensor2D, drawn([2, 3], 0, 1) as tf.Tensor2D];
    const ncmi = drawn([2, 3, 3], 0, 1) as tf.Tensor3D;
    checkGradient("contributions by NMI", (x) => contributions(p, solo, x as tf.Tensor2D, ncmi, index), nmi);
    checkGradient("contributions by NCMI", (x) => contributions(p, solo, nmi, x as tf.Tensor3D, index), ncmi);
    checkGradient("contributions by p", (x) => contributions(x as tf.Tensor1D, solo, nmi, ncmi, index), p);
  }
  const phi = tf.tensor2d([[0.2, 0.9, 0.5], [1.4, 0.3, 0.8]]);
  checkGradient("gapLoss", (x) => gapLoss(x as tf.Tensor2D, { denominatorGradient: true }), phi, 1e-3, 1e-2);
});

Deno.test("an entropy that vanishes leaves information 0 with gradient 0", () => {
  tf.tidy(() => {
    const zero = tf.zeros([2]);
    const pass = record(() => {
      const [information, first] = [tf.add(zero, 0.1), tf.add(zero, 0)];
      return { first, information, ratio: normalised(information, first, tf.ones([2]), "sqrt") };
    });
    const { first, information, ratio } = pass.value;
    assertEquals(values(ratio), [0, 0]);
    for (const gradient of pass.gradients(ratio, [information, first])) assertEquals(values(gradient), [0, 0]);
    pass.dispose();
  });
});

Deno.test("a compiled program without gradients has no soft bins; one with them has", () => {
  const spec = { shape: [4, 32], dtype: "float32" } as const;
  const graphOf = (estimator: EstimatorName, differentiated: boolean) =>
    optimise(
      lower(
        trace({ a: spec, b: spec, fused: spec }, ({ a, b, fused }) => {
          const pass = record(() => {
            const { nmi, ncmi } = informationOf({ a, b } as Record<string, tf.Tensor2D>, fused as tf.Tensor2D, {
              estimator,
            });
            return { nmi, loss: tf.add(tf.sum(nmi), tf.sum(ncmi)) };
          });
          const { nmi, loss } = pass.value;
          const gradient = differentiated ? pass.gradients(loss, [fused])[0]! : stopGradient(fused);
          pass.dispose();
          return { nmi, gradient };
        }),
        "cpu",
      ),
      "cpu",
    );
  const hard = graphOf("hard", false).nodes.length;
  assertEquals(graphOf("straight-through", false).nodes.length, hard);
  assert(graphOf("straight-through", true).nodes.length > hard + 20);
});
