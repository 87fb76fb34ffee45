/** Attention and the feed-forward part against plain loops. */
import * as tf from "@tensorflow/tfjs";
import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { Refusal } from "../../core/refusal.ts";
import { Random } from "../../core/random.ts";
import { attend, bindScope, feedForward, gelu, initialise, normal } from "../../nn/mod.ts";
import { assertClose, values, wave } from "../helpers/tensors.ts";

const scopeOf = (mode: "train" | "eval", params: Record<string, tf.Tensor> = {}) =>
  bindScope({ params, buffers: {}, controls: {}, key: tf.tensor1d([3, 4], "int32"), mode }).scope;

/** softmax(Q K' / sqrt(d)) V per head, by loops over numbers. */
function attention(q: number[][], k: number[][], v: number[][], heads: number, present: number[]): number[] {
  const size = q[0].length / heads;
  return q.flatMap((query) =>
    Array.from({ length: heads }, (_, head) => {
      const part = (row: number[]) => row.slice(head * size, (head + 1) * size);
      const dot = (a: number[], b: number[]) => a.reduce((sum, x, i) => sum + x * b[i], 0);
      const powers = k.map((key, s) => present[s] * Math.exp(dot(part(query), part(key)) / Math.sqrt(size)));
      const total = powers.reduce((a, b) => a + b);
      return Array.from({ length: size }, (_, i) => powers.reduce((sum, p, s) => sum + p * part(v[s])[i], 0) / total);
    }).flat()
  );
}

Deno.test("attend() is softmax(Q K' / sqrt(d)) V in every head, without absent keys", () => {
  tf.tidy(() => {
    const [q, k, v] = [wave([1, 3, 6], 2, 0), wave([1, 4, 6], 2, 1), wave([1, 4, 6], 1, 2)];
    const rows = (x: tf.Tensor) => (x.arraySync() as number[][][])[0];
    for (const heads of [1, 2, 3]) {
      for (const present of [[1, 1, 1, 1], [1, 0, 1, 0]]) {
        const found = attend(scopeOf("eval"), q, k, v, { heads, present: tf.tensor2d([present]) });
        assertEquals(found.shape, [1, 3, 6]);
        assertClose(values(found), attention(rows(q), rows(k), rows(v), heads, present), 1e-5);
      }
      const all = attend(scopeOf("eval"), q, k, v, { heads });
      assertClose(values(all), attention(rows(q), rows(k), rows(v), heads, [1, 1, 1, 1]), 1e-5);
    }
  });
});

Deno.test("attend() drops weights in training alone, and refuses heads that do not divide the width", () => {
  tf.tidy(() => {
    const x = wave([2, 5, 6], 1);
    const of = (mode: "train" | "eval", dropout?: number) =>
      values(attend(scopeOf(mode), x, x, x, { heads: 2, dropout }));
    assertEquals(of("eval", 0.5), of("eval"));
    assertEquals(of("train"), of("eval"));
    // With ones as values a row is the sum of its kept weights times 2: 1 in the mean, and not 1 itself.
    const ones = tf.ones([2, 50, 6]);
    const dropped = values(attend(scopeOf("train"), ones, ones, ones, { heads: 2, dropout: 0.5 }));
    assertAlmostEquals(dropped.reduce((sum, value) => sum + value, 0) / dropped.length, 1, 0.05);
    assertEquals(dropped.some((value) => Math.abs(value - 1) > 0.01), true);
    assertThrows(() => attend(scopeOf("eval"), x, x, x, { heads: 4 }), Refusal, "divide the width 6: found 4");
  });
});

Deno.test("feedForward() is linear, GELU, linear, and starts from the given kernels with biases of 0", () => {
  tf.tidy(() => {
    const params = {
      "a/kernel": wave([3, 5], 1),
      "a/bias": wave([5], 1, 1),
      "b/kernel": wave([5, 3], 1, 2),
      "b/bias": wave([3], 1, 3),
    };
    const scope = scopeOf("eval", params);
    const x = wave([2, 4, 3], 1, 4);
    const found = feedForward(scope.in("a"), scope.in("b"), x, { hidden: 5, kernelInit: normal(1) });
    const flat = tf.reshape(x, [8, 3]) as tf.Tensor2D;
    const inner = gelu(tf.add(tf.matMul(flat, params["a/kernel"] as tf.Tensor2D), params["a/bias"]));
    const right = tf.add(tf.matMul(inner as tf.Tensor2D, params["b/kernel"] as tf.Tensor2D), params["b/bias"]);
    assertEquals(found.shape, [2, 4, 3]);
    assertClose(values(found), values(right), 1e-6);
  });
  const made = initialise(
    (root) => void feedForward(root.in("a"), root.in("b"), tf.zeros([1, 3]), { hidden: 40, kernelInit: normal(5) }),
    { random: new Random(1), abstract: (run) => tf.tidy(() => run()) },
  );
  const spread = (name: string) => Math.sqrt([...made.params[name].data].reduce((sum, x) => sum + x * x, 0) / 120);
  // 120 normals of deviation 5: five standard errors of theirs are 1.6.
  for (const name of ["a/kernel", "b/kernel"]) assertAlmostEquals(spread(name), 5, 1.6);
  assertEquals([...made.params["a/bias"].data, ...made.params["b/bias"].data].every((x) => x === 0), true);
});
