import * as tf from "@tensorflow/tfjs";
import { assertAlmostEquals, assertEquals } from "@std/assert";
import { adamW, clipByGlobalNorm, createOptimizer, type Optimizer, schedule, sgd } from "../../nn/mod.ts";
import { assertClose, golden, values, wave } from "../helpers/tensors.ts";

const reference = golden<Record<string, number[][]>>("nn");
const clip = golden<{ clip: { norm: number; a: number[]; b: number[] } }>("nn").clip;

const variants: Record<string, [Optimizer, number]> = {
  sgd: [sgd(), 0.1],
  sgd_momentum: [sgd({ momentum: 0.9, weightDecay: 0.01 }), 0.1],
  sgd_nesterov: [sgd({ momentum: 0.8, nesterov: true }), 0.1],
  adamw: [adamW({ weightDecay: 0.1 }), 0.05],
};

for (const [name, [optimizer, rate]] of Object.entries(variants)) {
  Deno.test(`${name} follows PyTorch's trajectory over seven steps`, () => {
    tf.tidy(() => {
      let param = wave([5]);
      let slots: Record<string, tf.Tensor> = Object.fromEntries(optimizer.slots.map((slot) => [slot, tf.zeros([5])]));
      for (let step = 0; step < 7; step++) {
        const updated = optimizer.apply(param, wave([5], 0.5, 0.37 * step), slots, {
          learningRate: tf.scalar(rate),
          step: tf.scalar(step + 1),
        });
        ({ param, slots } = updated);
        assertClose(values(param), reference[`optimizer_${name}`][step], 2e-6);
      }
    });
  });
}

Deno.test("clipByGlobalNorm() equals clip_grad_norm_ above the limit and changes nothing below", () => {
  tf.tidy(() => {
    const gradients = { a: wave([3], 2), b: wave([2, 2], 3, 0.5) };
    const clipped = clipByGlobalNorm(gradients, 1.5);
    assertAlmostEquals(values(clipped.norm)[0], clip.norm, 1e-5);
    assertEquals(values(clipped.clipped), [1]);
    assertClose(values(clipped.gradients.a), clip.a);
    assertClose(values(clipped.gradients.b), clip.b);
    const free = clipByGlobalNorm(gradients, 100);
    assertEquals(values(free.clipped), [0]);
    assertEquals(values(free.gradients.a), values(gradients.a));
  });
});

/** One parameter after some steps along one gradient. */
function after(optimizer: Optimizer, gradients: readonly number[], rate = 0.1, start = 2): number {
  let param: tf.Tensor = tf.scalar(start);
  let slots: Record<string, tf.Tensor> = Object.fromEntries(optimizer.slots.map((slot) => [slot, tf.scalar(0)]));
  gradients.forEach((gradient, i) => {
    const scalars = { learningRate: tf.scalar(rate), step: tf.scalar(i + 1) };
    ({ param, slots } = optimizer.apply(param, tf.scalar(gradient), slots, scalars));
  });
  return values(param)[0];
}

Deno.test("adamW() with other betas and epsilon follows its formula", () => {
  tf.tidy(() => {
    const [b1, b2, epsilon, decay, rate] = [0.5, 0.75, 0.1, 0.2, 0.3];
    let [p, m, v] = [2, 0, 0];
    [1, -3].forEach((g, i) => {
      p *= 1 - rate * decay;
      m = b1 * m + (1 - b1) * g;
      v = b2 * v + (1 - b2) * g * g;
      p -= rate * (m / (1 - b1 ** (i + 1))) / (Math.sqrt(v) / Math.sqrt(1 - b2 ** (i + 1)) + epsilon);
    });
    const options = { betas: [b1, b2], epsilon, weightDecay: decay } as const;
    assertAlmostEquals(after(adamW(options), [1, -3], rate), p, 1e-6);
    assertAlmostEquals(after(createOptimizer("adamw", options), [1, -3], rate), p, 1e-6);
  });
});

Deno.test("sgd() and createOptimizer() take every option, and without momentum there is no slot", () => {
  tf.tidy(() => {
    assertEquals(sgd().slots, []);
    assertEquals(sgd({ momentum: 0.5 }).slots, ["momentum"]);
    // g + 0.1 p = 1.2 and 0.5 * 1.2 + 1 + 0.1 * 1.88 = 1.788, of rate 0.1.
    const options = { momentum: 0.5, weightDecay: 0.1 };
    assertAlmostEquals(after(createOptimizer("sgd", options), [1, 1]), 2 - 0.12 - 0.1788, 1e-6);
    assertEquals([createOptimizer("sgd").name, createOptimizer("adamw").name], ["sgd", "adamw"]);
  });
});

Deno.test("clipByGlobalNorm() of a vanishing gradient divides by no zero", () => {
  tf.tidy(() => {
    const zero = clipByGlobalNorm({ a: tf.zeros([2]) }, 1e-9);
    assertEquals(values(zero.gradients.a), [0, 0]);
    // A norm of 1e-6 with a limit of 1e-6: the scale is 1e-6 / (1e-6 + 1e-6).
    const small = clipByGlobalNorm({ a: tf.tensor1d([1e-6]) }, 1e-6);
    assertAlmostEquals(values(small.gradients.a)[0] / 1e-6, 0.5, 1e-3);
  });
});

Deno.test("schedule() has the values of its definition", () => {
  // Beyond the budget the cosine stays where it ended; the step is at 0.7 if nothing is said.
  assertEquals([1.5, -0.5].map(schedule("cosine")), [0, 1]);
  assertEquals([0.6, 0.8].map(schedule("step")), [1, 0.1]);
  assertEquals([0, 0.5, 1].map(schedule("constant")), [1, 1, 1]);
  assertClose([0, 0.25, 0.5, 1].map(schedule("cosine")), [1, (1 + Math.SQRT1_2) / 2, 0.5, 0], 1e-12);
  assertEquals([0, 0.69, 0.7, 1].map(schedule("step", { stepAt: 0.7 })), [1, 1, 0.1, 0.1]);
  assertClose([0, 0.05, 0.1, 0.5].map(schedule("constant", { warmup: 0.1 })), [0, 0.5, 1, 1], 1e-12);
  assertClose([0, 0.25, 1, 2].map(schedule("linear")), [1, 0.75, 0, 0], 1e-12);
  // Up, and then the whole schedule over the rest, as Hugging Face's get_linear_schedule_with_warmup and its cosine.
  assertClose([0, 0.1, 0.2, 0.6, 1].map(schedule("linear", { warmup: 0.2 })), [0, 0.5, 1, 0.5, 0], 1e-12);
  assertClose([0.1, 0.2, 0.6, 1].map(schedule("cosine", { warmup: 0.2 })), [0.5, 1, 0.5, 0], 1e-12);
  assertClose([0, 0.5, 1].map(schedule("step", { warmup: 1 })), [0, 0.5, 1], 1e-12);
});
