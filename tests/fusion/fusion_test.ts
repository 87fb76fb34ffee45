import * as tf from "@tensorflow/tfjs";
import { assertThrows } from "@std/assert";
import { Refusal } from "../../core/refusal.ts";
import { concat, sum } from "../../fusion/mod.ts";
import { bind } from "../helpers/fusion.ts";
import { assertClose, golden, values, wave } from "../helpers/tensors.ts";

interface Golden {
  concat: { fused: number[]; logits: number[]; solo: number[][]; withoutFirst: number[] };
  concat0: number[];
  sum: number[];
  sumFeature: number[];
}
const reference = golden<Golden>("fusion");
const names = ["audio", "image", "text"];
const widths = [4, 5, 6];
const context = { modalities: names, classes: 2 };
const features = () => Object.fromEntries(names.map((name, u) => [name, wave([3, widths[u]], 1, 0.1 * u)]));
const kernels = (path: (name: string) => string, width: number) =>
  Object.fromEntries(names.map((name, u) => [path(name), wave([widths[u], width], 0.4, 0.2 * u)]));
const head = { "head/kernel": wave([7, 2], 0.5, 2), "head/bias": wave([2], 0.2, 3) };

Deno.test("concat equals one matrix on the stacked features, and its solo readouts sum to its logits", () => {
  const f = features();
  const bound = bind(concat.create({ width: 7 }, context), f, {
    ...kernels((name) => `fusion/kernel/${name}`, 7),
    "fusion/bias": wave([7], 0.3, 1),
    ...head,
  });
  const output = bound.forward(f);
  assertClose(values(output.fused), reference.concat.fused);
  assertClose(values(output.logits), reference.concat.logits);
  const solo = bound.solo(f);
  names.forEach((name, u) => assertClose(values(solo.logits[name]), reference.concat.solo[u]));
  assertClose(values(tf.addN(names.map((name) => solo.logits[name]))), reference.concat.logits, 1e-5);
  assertClose(values(tf.add(solo.fused, bound.params["fusion/bias"])), reference.concat.fused, 1e-5);
  const drop = { audio: tf.zeros([3, 1]), image: tf.ones([3, 1]), text: tf.ones([3, 1]) } as Record<
    string,
    tf.Tensor2D
  >;
  assertClose(values(bound.forward(f, drop).logits), reference.concat.withoutFirst);
});

Deno.test("concat of width 0 puts the head on the features", () => {
  const f = features();
  const params = { ...kernels((name) => `head/kernel/${name}`, 2), "head/bias": wave([2], 0.2, 3) };
  const bound = bind(concat.create({ width: 0 }, context), f, params);
  assertClose(values(bound.forward(f).logits), reference.concat0);
  assertClose(values(tf.addN(Object.values(bound.solo(f).logits))), reference.concat0, 1e-5);
});

Deno.test("sum equals the sum of heads, at the logit and at the feature level", () => {
  const f = features();
  const heads = Object.fromEntries(names.flatMap((name, u) => [
    [`head:${name}/kernel`, wave([widths[u], 2], 0.4, 0.2 * u)],
    [`head:${name}/bias`, wave([2], 0.2, 3 + u)],
  ]));
  const logit = bind(sum.create({}, context), f, heads);
  assertClose(values(logit.forward(f).logits), reference.sum);
  assertClose(values(tf.addN(Object.values(logit.solo(f).logits))), reference.sum, 1e-5);
  const params = { ...kernels((name) => `fusion/${name}/kernel`, 7), ...head };
  const feature = bind(sum.create({ level: "feature", width: 7 }, context), f, params);
  assertClose(values(feature.forward(f).logits), reference.sumFeature);
  assertClose(values(tf.addN(Object.values(feature.solo(f).logits))), reference.sumFeature, 1e-5);
});

Deno.test("concat starts with the spread of the whole matrix", () => {
  const f = { audio: tf.ones([1, 300]), image: tf.ones([1, 100]) };
  const { params } = bind(concat.create({ width: 100 }, { modalities: ["audio", "image"], classes: 2 }), f);
  for (const name of ["audio", "image"]) {
    const std = values(tf.moments(params[`fusion/kernel/${name}`]).variance)[0] ** 0.5;
    // Xavier: sqrt(2 / (400 + 100)) = .0632; relative error of a standard deviation of 10,000 values: .7 %.
    assertClose([std], [Math.sqrt(2 / 500)], 0.05 * Math.sqrt(2 / 500) / Math.max(1, Math.sqrt(2 / 500)));
  }
});

Deno.test("fusions refuse options that are not theirs", () => {
  assertThrows(() => concat.create({ widht: 3 }, context), Refusal, 'Cannot set option "widht" of fusion "concat"');
  assertThrows(() => sum.create({ level: "both" }, context), Refusal, "must be one of logit, feature");
});
