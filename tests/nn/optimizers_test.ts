import * as tf from "@tensorflow/tfjs";
import { assertAlmostEquals, assertEquals } from "@std/assert";
import { adamW, clipByGlobalNorm, type Optimizer, schedule, sgd } from "../../nn/mod.ts";
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

Deno.test("schedule() has the values of its definition", () => {
  assertEquals([0, 0.5, 1].map(schedule("constant")), [1, 1, 1]);
  assertClose([0, 0.25, 0.5, 1].map(schedule("cosine")), [1, (1 + Math.SQRT1_2) / 2, 0.5, 0], 1e-12);
  assertEquals([0, 0.69, 0.7, 1].map(schedule("step", { stepAt: 0.7 })), [1, 1, 0.1, 0.1]);
  assertClose([0, 0.05, 0.1, 0.5].map(schedule("constant", { warmup: 0.1 })), [0, 0.5, 1, 1], 1e-12);
});
