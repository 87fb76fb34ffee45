import * as tf from "@tensorflow/tfjs";
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { Random } from "../../core/random.ts";
import type { Scope } from "../../core/scope.ts";
import {
  bindScope,
  fanInUniform,
  fans,
  initialise,
  kaimingNormal,
  kaimingUniform,
  linear,
  normal,
  truncatedNormal,
  xavierNormal,
  xavierUniform,
  zeros,
} from "../../nn/mod.ts";
import { values } from "../helpers/tensors.ts";
import { Refusal } from "../../core/refusal.ts";

const abstract = (run: () => void) => {
  tf.tidy(() => {
    run();
  });
};
const start = (run: (scope: Scope) => void, seed = 1) =>
  initialise(run, { random: new Random(seed), controls: { rate: 0.5, pair: [1, 2] }, abstract });

Deno.test("initialise() finds parameters and buffers by their full names, sorted", () => {
  const { params, buffers } = start((scope) => {
    linear(scope.group("head").in("b"), tf.zeros([2, 3]), { width: 4 });
    linear(scope.group("encoder:audio").in("a"), tf.zeros([2, 3]), { width: 2, bias: false });
    scope.group("head").buffer("count", [], zeros);
    assertEquals(values(scope.control("rate")), [0.5]);
    assertEquals(values(scope.control("pair")), [1, 2]);
    assertThrows(() => scope.control("rat"), Refusal, 'Cannot find control "rat"');
  });
  assertEquals(Object.keys(params), ["encoder:audio/a/kernel", "head/b/bias", "head/b/kernel"]);
  assertEquals(params["head/b/kernel"].shape, [3, 4]);
  assertEquals(Object.keys(buffers), ["head/count"]);
});

Deno.test("a parameter's start depends on the seed and its name alone", () => {
  const one = start((scope) => linear(scope.group("head"), tf.zeros([1, 8]), { width: 8 }));
  const two = start((scope) => {
    linear(scope.group("other"), tf.zeros([1, 8]), { width: 8 });
    linear(scope.group("head"), tf.zeros([1, 8]), { width: 8 });
  });
  assertEquals(two.params["head/kernel"].data, one.params["head/kernel"].data);
  assert(two.params["other/kernel"].data.some((value, i) => value !== one.params["head/kernel"].data[i]));
  const other = start((scope) => linear(scope.group("head"), tf.zeros([1, 8]), { width: 8 }), 2);
  assert(other.params["head/kernel"].data.some((value, i) => value !== one.params["head/kernel"].data[i]));
});

Deno.test("one name keeps one shape and gives one parameter", () => {
  const { params } = start((scope) => {
    linear(scope.group("head"), tf.zeros([1, 8]), { width: 8 });
    linear(scope.group("head"), tf.zeros([5, 8]), { width: 8 });
    assertThrows(
      () => linear(scope.group("head"), tf.zeros([1, 7]), { width: 8 }),
      Refusal,
      'Cannot use parameter "head/kernel" as one name must keep one shape: it is [8, 8], asked for [7, 8]',
    );
  });
  assertEquals(Object.keys(params), ["head/bias", "head/kernel"]);
});

Deno.test("bindScope() speaks on unknown names, ignores updates in evaluation and refuses noise without a key", () => {
  tf.tidy(() => {
    const bindings = {
      params: { "head/kernel": tf.ones([2, 2]) },
      buffers: { "head/count": tf.scalar(1) },
      controls: {},
      key: null,
    };
    const { scope, updates } = bindScope({ ...bindings, mode: "train" });
    assertThrows(
      () => scope.group("head").param("kernal", [2, 2], zeros),
      Refusal,
      'Cannot find parameter "head/kernal": nearest of 1 are head/kernel',
    );
    assertThrows(() => scope.random("normal", [2]), Refusal, "noise needs a key");
    scope.group("head").as("eval").update("count", tf.scalar(5));
    assertEquals(updates(), {});
    scope.group("head").update("count", tf.scalar(5));
    assertEquals(values(updates()["head/count"]), [5]);
    assertThrows(() => scope.group("head").update("count", tf.ones([2])), Refusal, "keep one shape");
  });
});

Deno.test("scope.random() draws other numbers at each call and path, and the same for the same key", () => {
  tf.tidy(() => {
    const draw = (key: number[]) => {
      const { scope } = bindScope({
        params: {},
        buffers: {},
        controls: {},
        key: tf.tensor1d(key, "int32"),
        mode: "train",
      });
      return [scope.in("a"), scope.in("a"), scope.in("b")].map((own) => values(own.random("uniform", [4])).join());
    };
    assertEquals(new Set(draw([1, 2])).size, 3);
    assertEquals(draw([1, 2]), draw([1, 2]));
    assertEquals(new Set([...draw([1, 2]), ...draw([1, 3])]).size, 6);
  });
});

Deno.test("initialisers have the spread of their definition", () => {
  assertEquals(fans([3, 3, 16, 32]), { fanIn: 144, fanOut: 288 });
  assertEquals(fans([100, 50]), { fanIn: 100, fanOut: 50 });
  assertThrows(() => fans([3]), Refusal, "at least 2 axes");
  const shape = [3, 3, 40, 60];
  const n = 3 * 3 * 40 * 60;
  const cases: [string, Float32Array, number][] = [
    ["normal", normal(0.2)(shape, new Random(1)), 0.2],
    ["xavierNormal", xavierNormal(shape, new Random(1)), Math.sqrt(2 / (360 + 540))],
    ["xavierUniform", xavierUniform(shape, new Random(1)), Math.sqrt(2 / (360 + 540))],
    ["kaimingNormal", kaimingNormal("fanOut")(shape, new Random(1)), Math.sqrt(2 / 540)],
    ["kaimingUniform", kaimingUniform("fanIn")(shape, new Random(1)), Math.sqrt(2 / 360)],
    ["fanInUniform", fanInUniform(360)(shape, new Random(1)), 1 / Math.sqrt(3 * 360)],
    // A standard normal cut at 2 has variance 1 - 4 phi(2) / (2 Phi(2) - 1) = 0.7737.
    ["truncatedNormal", truncatedNormal(1)(shape, new Random(1)), Math.sqrt(0.7737)],
  ];
  for (const [name, drawn, std] of cases) {
    const mean = drawn.reduce((sum, value) => sum + value, 0) / n;
    const found = Math.sqrt(drawn.reduce((sum, value) => sum + (value - mean) ** 2, 0) / n);
    assertAlmostEquals(mean / std, 0, 5 / Math.sqrt(n), name);
    assertAlmostEquals(found / std, 1, 5 / Math.sqrt(n), name);
  }
});
