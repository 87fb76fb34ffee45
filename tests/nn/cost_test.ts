/** Multiply-adds, counted by hand. */
import * as tf from "@tensorflow/tfjs";
import { assertEquals } from "@std/assert";
import { record } from "../../tensor/autodiff.ts";
import { multiplyAdds } from "../../nn/mod.ts";

await tf.setBackend("cpu");

function counted(run: () => tf.Tensor): number | null {
  let found: number | null = null;
  tf.tidy(() => {
    const pass = record(run);
    found = multiplyAdds(pass.kernels());
    pass.dispose();
  });
  return found;
}

Deno.test("multiplyAdds() counts products, convolutions of every kind, and nothing elementwise", () => {
  const [a, b] = [tf.ones([2, 3]) as tf.Tensor2D, tf.ones([3, 5]) as tf.Tensor2D];
  assertEquals(counted(() => tf.matMul(a, b)), 2 * 3 * 5);
  assertEquals(counted(() => tf.matMul(b, a, true, true)), 5 * 3 * 2);
  assertEquals(counted(() => tf.matMul(tf.ones([4, 2, 3]), tf.ones([4, 3, 5]))), 4 * 2 * 3 * 5);
  assertEquals(counted(() => tf.matMul(tf.ones([0, 3]) as tf.Tensor2D, b)), 0);
  const image = tf.ones([2, 6, 6, 3]) as tf.Tensor4D;
  // Per output element a window of 3 x 3 x 3 (or 3 x 3 of one channel).
  assertEquals(counted(() => tf.conv2d(image, tf.ones([3, 3, 3, 4]) as tf.Tensor4D, 2, "same")), 2 * 3 * 3 * 4 * 27);
  assertEquals(
    counted(() => tf.depthwiseConv2d(image, tf.ones([3, 3, 3, 2]) as tf.Tensor4D, 1, "same")),
    2 * 6 * 6 * 6 * 9,
  );
  // Every input element of a transposed convolution goes to 2 x 2 places of 4 channels.
  assertEquals(
    counted(() => tf.conv2dTranspose(image, tf.ones([2, 2, 4, 3]) as tf.Tensor4D, [2, 12, 12, 4], 2, "same")),
    2 * 6 * 6 * 3 * 2 * 2 * 4,
  );
  assertEquals(counted(() => tf.relu(tf.mul(tf.add(a, 1), a))), 0);
});

Deno.test("multiplyAdds() says that it does not know where shapes do not tell", () => {
  assertEquals(counted(() => tf.einsum("ij,jk->ik", tf.ones([2, 3]), tf.ones([3, 4]))), null);
});
