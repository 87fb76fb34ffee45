import * as tf from "@tensorflow/tfjs";
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { record, stopGradient, withGradient } from "../../tensor/autodiff.ts";

await tf.setBackend("cpu");

const values = (tensor: tf.Tensor | null) => [...tensor!.dataSync()];

Deno.test("record() differentiates several losses of one pass", () => {
  tf.tidy(() => {
    const x = tf.tensor1d([1, 2, 3]);
    const w = tf.scalar(2);
    const pass = record(() => {
      const y = tf.mul(tf.square(x), w);
      return { sum: tf.sum(y), first: tf.sum(tf.slice(y, 0, 1)) };
    });
    const [dx, dw] = pass.gradients(pass.value.sum, [x, w]);
    assertEquals(values(dx), [4, 8, 12]); // 2 w x
    assertEquals(values(dw), [14]); // sum of squares
    const [dfirst] = pass.gradients(pass.value.first, [x]);
    assertEquals(values(dfirst), [4, 0, 0]);
    const [both] = pass.gradients([pass.value.sum, pass.value.first], [x]);
    assertEquals(values(both), [8, 8, 12]);
    const [twice] = pass.gradients([pass.value.first, pass.value.first], [x]);
    assertEquals(values(twice), [8, 0, 0]);
    pass.dispose();
  });
});

Deno.test("record() gives null for what a loss does not depend on, and can differentiate by an intermediate value", () => {
  tf.tidy(() => {
    const x = tf.scalar(3);
    const unused = tf.scalar(1);
    const pass = record(() => {
      const middle = tf.square(x);
      return { middle, loss: tf.mul(middle, 5) };
    });
    const [dUnused, dMiddle, dx] = pass.gradients(pass.value.loss, [unused, pass.value.middle, x]);
    assertEquals(dUnused, null);
    assertEquals(values(dMiddle), [5]);
    assertEquals(values(dx), [30]);
    pass.dispose();
  });
});

Deno.test("record() agrees with tf.grad on a composed function", () => {
  const f = (x: tf.Tensor): tf.Scalar => {
    const [a, b] = tf.split(tf.reshape(x, [2, 4]), 2, 1);
    return tf.sum(
      tf.mul(tf.logSoftmax(tf.matMul(a, b, false, true)), tf.sigmoid(tf.concat([a, b], 1).slice([0, 1], [2, 2]))),
    );
  };
  const x = tf.tensor1d([0.1, -0.4, 0.3, 0.9, -1.2, 0.5, 0.7, -0.2]);
  const expected = values(tf.grad(f)(x));
  const actual = tf.tidy(() => {
    const pass = record(() => f(x));
    const gradient = values(pass.gradients(pass.value, [x])[0]);
    pass.dispose();
    return gradient;
  });
  actual.forEach((value, index) => assertAlmostEquals(value, expected[index], 1e-6));
  x.dispose();
});

Deno.test("record() leaves no tensor behind and refuses to nest", () => {
  const before = tf.memory().numTensors;
  tf.tidy(() => {
    const x = tf.ones([4, 4]);
    const pass = record(() => tf.sum(tf.softmax(tf.matMul(x, x))));
    pass.gradients(pass.value, [x]);
    pass.dispose();
    assertThrows(() => record(() => record(() => x)), Error, "Cannot record inside a recording");
  });
  assertEquals(tf.memory().numTensors, before);
});

Deno.test("stopGradient() keeps the value and cuts the gradient", () => {
  const before = tf.memory().numTensors;
  tf.tidy(() => {
    const x = tf.scalar(3);
    const pass = record(() => tf.mul(stopGradient(tf.square(x)), x));
    assertEquals(values(pass.value), [27]);
    assertEquals(values(pass.gradients(pass.value, [x])[0]), [9]); // d(sg[x^2] x)/dx = x^2
    pass.dispose();
    const gone = tf.scalar(1);
    gone.dispose();
    assertThrows(() => stopGradient(gone), Error, "disposed");
  });
  assertEquals(tf.memory().numTensors, before);
  assert(tf.memory().numDataBuffers >= 0);
});

Deno.test("record() sums a gradient over what its input was broadcast along, and refuses one of another shape", () => {
  tf.tidy(() => {
    const [x, bound] = [tf.tensor2d([[1, 5], [4, 2]]), tf.tensor1d([2, 3])];
    const pass = record(() => tf.sum(tf.maximum(x, bound)));
    const [dx, dBound] = pass.gradients(pass.value, [x, bound]);
    assertEquals(values(dx), [0, 1, 1, 0]);
    assertEquals([dBound!.shape, values(dBound)], [[2], [1, 1]]);
    pass.dispose();

    const column = tf.tensor2d([[2], [3]]);
    const wide = record(() => tf.sum(tf.maximum(x, column)));
    assertEquals(values(wide.gradients(wide.value, [column])[0]), [1, 1]);
    wide.dispose();

    const wrong = tf.customGrad((y) => ({
      value: tf.sum(y as tf.Tensor),
      gradFunc: () => tf.zeros([7]),
    }));
    const broken = record(() => wrong(bound));
    assertThrows(
      () => broken.gradients(broken.value, [bound]),
      Error,
      "as its gradient must have the shape [2] of its input: found [7]",
    );
    broken.dispose();
  });
});

Deno.test("record() differentiates where tfjs cannot: cumulative sums, strided slices, products by letters", () => {
  tf.tidy(() => {
    const x = tf.tensor2d([[1, 2, 3], [4, 5, 6]]);
    const weights = tf.tensor2d([[1, 10, 100], [1000, 10000, 100000]]);
    const derivative = (run: () => tf.Tensor) => {
      const pass = record(run);
      const [gradient] = pass.gradients(pass.value, [x]);
      pass.dispose();
      return values(gradient);
    };
    // Down the columns every row counts for itself and all below.
    assertEquals(
      derivative(() => tf.sum(tf.mul(tf.cumsum(x, 0), weights))),
      [1001, 10010, 100100, 1000, 10000, 100000],
    );
    assertEquals(derivative(() => tf.sum(tf.stridedSlice(x, [1, 2], [0, -4], [-1, -2]))), [0, 0, 0, 1, 0, 1]);
    assertEquals(derivative(() => tf.sum(tf.einsum("ij,kj->ik", x, weights))), [
      ...[1001, 10010, 100100],
      ...[1001, 10010, 100100],
    ]);
    assertEquals(derivative(() => tf.sum(tf.topk(x, 1).values)), [0, 0, 1, 0, 0, 1]);
  });
});

Deno.test("record() asks nothing of kernels that hang on truths alone, and names kernels with their shapes", () => {
  tf.tidy(() => {
    const x = tf.tensor4d([1, -2, 3, 4], [1, 2, 2, 1]);
    const pass = record(() => {
      // This pooling has no gradient; what it pools here has none either.
      const marks = tf.cast(tf.greater(x, 0), "float32") as tf.Tensor4D;
      return tf.sum(tf.mul(tf.maxPoolWithArgmax(marks, 1, 1, "same").result, x));
    });
    assertEquals(values(pass.gradients(pass.value, [x])[0]), [1, 0, 1, 1]);
    pass.dispose();
    const product = record(() => tf.matMul(tf.ones([2, 3]), tf.ones([3, 5])));
    assertEquals(product.kernels().filter(({ name }) => name === "BatchMatMul"), [
      { name: "BatchMatMul", inputs: { a: [2, 3], b: [3, 5] }, outputs: [[2, 5]] },
    ]);
    product.dispose();
  });
});

Deno.test("withGradient() has the given value and the given gradient by each input", () => {
  tf.tidy(() => {
    const [x, y] = [tf.tensor1d([1, 2]), tf.scalar(3)];
    const pass = record(() => {
      // As if it were 5 x + 7 y.
      const value = withGradient([x, y], (save) => {
        save([x]);
        return {
          value: tf.mul(x, y),
          gradient: (dy, [kept]) => [tf.mul(dy, tf.mul(5, tf.div(kept, kept))), tf.mul(7, tf.sum(dy))],
        };
      });
      return { value, loss: tf.sum(tf.mul(value, [1, 10])) };
    });
    assertEquals(values(pass.value.value), [3, 6]);
    const [dx, dy] = pass.gradients(pass.value.loss, [x, y]);
    assertEquals([values(dx), values(dy)], [[5, 50], [77]]);
    pass.dispose();
  });
});
