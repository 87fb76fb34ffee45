/** dynmm's own loss, its straight-through gate and its pre-training. */
import * as tf from "@tensorflow/tfjs";
import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Features, FusionOutput } from "../../core/kinds/mod.ts";
import { Random } from "../../core/random.ts";
import { Refusal } from "../../core/refusal.ts";
import type { Mode, Scope } from "../../core/scope.ts";
import { dynmm } from "../../fusion/mod.ts";
import { crossEntropy } from "../../losses/cross_entropy.ts";
import { bindScope, initialise } from "../../nn/mod.ts";
import { record } from "../../tensor/autodiff.ts";
import { assertClose, values, wave } from "../helpers/tensors.ts";

const modalities = ["audio", "image"];
const context = { modalities, classes: 3 };
const features: Record<string, Features> = {
  audio: { pooled: wave([4, 3], 1, 0.1) as tf.Tensor2D },
  image: { pooled: wave([4, 2], 1, 0.7) as tf.Tensor2D },
};
const labels = tf.tensor1d([0, 1, 2, 1], "int32");

function bound(options: Record<string, unknown>, mode: Mode = "train", epoch = 0) {
  const fusion = dynmm.create({ hidden: 4, ...options }, context);
  const { params } = initialise((scope) => void fusion.forward(features, null, scope, {}), {
    random: new Random(3),
    controls: {},
    abstract: (run) => void tf.tidy(() => run()),
  });
  const tensors = Object.fromEntries(
    Object.entries(params).map(([name, { data, shape }]) => [name, tf.tensor(data, [...shape], "float32")]),
  );
  const { scope } = bindScope({
    params: tensors,
    buffers: {},
    controls: { epoch: tf.scalar(epoch) },
    key: null,
    mode,
  });
  return { fusion, scope, params: tensors, output: () => fusion.forward(features, null, scope, {}) };
}

const terms = (options: Record<string, unknown>, epoch = 0) => {
  const { fusion, scope, output } = bound(options, "train", epoch);
  const found = output();
  const losses = fusion.loss!(found, labels, scope, null);
  return { found, losses: Object.fromEntries(Object.entries(losses).map(([key, term]) => [key, values(term)])) };
};
const ce = (logits: tf.Tensor2D, factor = 1) => values(tf.mul(crossEntropy(logits, labels), factor));

Deno.test("dynmm's loss is that of the mixture, of every expert with a weight, and the cost of the shares", () => {
  const { found, losses } = terms({ expertWeight: 0.5, lambda: 0.2, costs: [1, 2, 4] });
  assertEquals(Object.keys(losses).sort(), ["cost", "expert", "expert:audio", "expert:image", "joint"]);
  assertClose(losses["joint"], ce(found.logits));
  assertClose(losses["expert:audio"], ce(found.own!.audio, 0.5));
  assertClose(losses["expert"], ce(found.details!.together, 0.5));
  const shares = found.details!.shares.arraySync();
  assertClose(losses["cost"], shares.map(([a, i, both]) => 0.2 * (a + 2 * i + 4 * both)));
  assertEquals(Object.keys(terms({ expertWeight: 0 }).losses), ["joint"]);
});

Deno.test("without costs given an expert costs the share of modalities that it reads", () => {
  const { found, losses } = terms({ lambda: 1 });
  assertClose(losses["cost"], found.details!.shares.arraySync().map(([a, i, both]) => 0.5 * a + 0.5 * i + both));
});

Deno.test("an expert's loss does not count samples that lack what it reads", () => {
  const { fusion, scope } = bound({});
  const keep = { audio: tf.tensor2d([1, 0, 1, 0], [4, 1]), image: tf.tensor2d([1, 1, 0, 0], [4, 1]) };
  const losses = fusion.loss!(fusion.forward(features, keep, scope, {}), labels, scope, keep);
  const counts = (key: string) => values(losses[key]).map((term) => term === 0 ? 0 : 1);
  assertEquals(counts("expert:audio"), [1, 0, 1, 0]);
  assertEquals(counts("expert:image"), [1, 1, 0, 0]);
  assertEquals(counts("expert"), [1, 0, 0, 0]);
  // Nothing kept: logits are 0, the loss ln C.
  assertClose([values(losses["joint"])[3]], [Math.log(3)]);
});

Deno.test("for the first epochs of pre-training only experts are trained, with weight 1", () => {
  const options = { pretrain: 2, expertWeight: 0.5, lambda: 0.2 };
  const [before, after] = [terms(options, 1), terms(options, 2)];
  assertEquals(before.losses["joint"], [0, 0, 0, 0]);
  assertEquals(before.losses["cost"], [0, 0, 0, 0]);
  assertClose(before.losses["expert:audio"], ce(before.found.own!.audio));
  assertClose(after.losses["joint"], ce(after.found.logits));
  assertClose(after.losses["expert:audio"], ce(after.found.own!.audio, 0.5));
  assert(after.losses["cost"].every((cost) => cost > 0));
  // Experts without weight are trained in these epochs all the same.
  assertClose(terms({ pretrain: 2, expertWeight: 0 }, 0).losses["expert"], ce(before.found.details!.together));
  assertEquals(terms({ pretrain: 2, expertWeight: 0 }, 2).losses["expert"], [0, 0, 0, 0]);
});

Deno.test("a hard gate lets one expert speak and has the gradient of the softmax at tau", () => {
  const tau = 0.5;
  const soft = bound({ tau }).output();
  const shares = soft.details!.shares.arraySync();
  const { scope, params, fusion } = bound({ tau, gate: "hard" });
  const noise = wave([4, 3], 1, 2);
  const pass = record(() => {
    const output = fusion.forward(features, null, scope as Scope, {});
    return { output, loss: tf.sum(tf.mul(output.logits, noise)) };
  });
  const { output, loss } = pass.value;
  const spoken = [output.own!.audio, output.own!.image, output.details!.together].map((l) => l.arraySync());
  const chosen = shares.map((row) => row.indexOf(Math.max(...row)));
  assertClose(values(output.logits), chosen.flatMap((k, n) => spoken[k][n]));
  // By hand: dL/dg_k = <l^k, noise>, through the softmax's Jacobian, divided by tau.
  const against = noise.arraySync() as number[][];
  const slope = (n: number, k: number) => spoken[k][n].reduce((sum, value, c) => sum + value * against[n][c], 0);
  const expected = [0, 1, 2].map((j) =>
    shares.reduce(
      (sum, s, n) => sum + [0, 1, 2].reduce((own, k) => own + slope(n, k) * s[k] * ((k === j ? 1 : 0) - s[j]) / tau, 0),
      0,
    )
  );
  const [gradient] = pass.gradients(loss, [params["fusion/gate/2/bias"]]);
  assertClose(values(gradient), expected, 1e-4);
  pass.dispose();
});

Deno.test("hard-test is soft in training and hard in evaluation", () => {
  const shares = (gate: string, mode: Mode): number[] => {
    const output: FusionOutput = bound({ gate }, mode).output();
    return values(output.details!.shares);
  };
  assertClose(shares("hard-test", "train"), shares("soft", "train"));
  assertClose(shares("hard-test", "eval"), shares("hard", "eval"));
  assert(shares("hard", "eval").every((share) => share === 0 || share === 1));
});

Deno.test("the gate passes no gradient to features", () => {
  const { fusion, scope } = bound({});
  const pass = record(() => tf.sum(fusion.forward(features, null, scope, {}).details!.shares.slice([0, 0], [4, 1])));
  const [gradient] = pass.gradients(pass.value as tf.Scalar, [features.audio.pooled]);
  assertEquals(gradient, null);
  pass.dispose();
});

Deno.test("dynmm refuses costs that are not one for each expert", () => {
  assertThrows(
    () => dynmm.create({ costs: [1, 2] }, context),
    Refusal,
    'Cannot use fusion "dynmm" as costs must be 3 numbers of at least 0, of audio, image and of all: found [1, 2]',
  );
  assertThrows(() => dynmm.create({ costs: [1, 2, -1] }, context), Refusal, "found [1, 2, -1]");
});
