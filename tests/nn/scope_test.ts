import * as tf from "@tensorflow/tfjs";
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { Random } from "../../core/random.ts";
import type { Scope } from "../../core/scope.ts";
import {
  bindScope,
  constant,
  discover,
  fanInUniform,
  fans,
  initialise,
  kaimingNormal,
  kaimingUniform,
  linear,
  normal,
  ones,
  truncatedNormal,
  uniform,
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

Deno.test("bindScope() checks shapes of what is asked for, and gives weights in training alone", () => {
  tf.tidy(() => {
    const weights = tf.tensor1d([1, 0]);
    const root = (mode: "train" | "eval") =>
      bindScope({
        params: { "head/kernel": tf.ones([2, 2]) },
        buffers: { "head/mean": tf.ones([3]) },
        controls: {},
        key: null,
        mode,
        weights,
      }).scope;
    const scope = root("train");
    assertThrows(() => scope.in("head").param("kernel", [2, 3], zeros), Refusal, "it is [2, 2], asked for [2, 3]");
    assertThrows(() => scope.in("head").buffer("mean", [2], zeros), Refusal, "it is [3], asked for [2]");
    assertEquals([scope.weights() === weights, scope.as("eval").weights(), root("eval").weights()], [true, null, null]);
    assertEquals([scope.as("eval").mode, scope.as("train") === scope], ["eval", true]);
    // A group starts from the root, wherever it is asked for.
    assertEquals(scope.in("a").in("b").group("head").in("c").path, "head/c");
    assertEquals(scope.in("a").in("b").as("eval").path, "a/b");
  });
});

Deno.test("discover() is in training unless told, and scalars among controls are scalars", () => {
  const modes: string[] = [];
  const shapes: number[][] = [];
  const run = (scope: Scope) => {
    modes.push(scope.mode);
    shapes.push(scope.control("rate").shape, scope.control("pair").shape, scope.control("one").shape);
  };
  const options = { controls: { rate: 0.5, pair: [1, 2], one: [3] }, scalars: new Set(["one"]), abstract };
  discover(run, options);
  discover(run, { ...options, mode: "eval" });
  assertEquals(modes, ["train", "eval"]);
  assertEquals(shapes.slice(0, 3), [[], [2], []]);
});

Deno.test("initialise() makes buffers too, each from a stream of its own name", () => {
  const { params, buffers } = start((scope) => {
    scope.param("b", [3], uniform(1));
    scope.param("a", [3], uniform(1));
    scope.buffer("state", [2], constant(5));
  });
  assertEquals([Object.keys(params), [...buffers.state.data]], [["a", "b"], [5, 5]]);
  assert(params.a.data.some((value, i) => value !== params.b.data[i]));
});

Deno.test("noise of one path depends on the path and how often it was asked for, not on other paths", () => {
  tf.tidy(() => {
    const scope = () =>
      bindScope({ params: {}, buffers: {}, controls: {}, key: tf.tensor1d([1, 2], "int32"), mode: "train" }).scope;
    const draw = (own: Scope) => values(own.random("uniform", [3])).join();
    const first = scope();
    const [a1, b1, a2] = [draw(first.in("a")), draw(first.in("b")), draw(first.in("a"))];
    const second = scope();
    assertEquals([draw(second.in("b")), draw(second.in("a")), draw(second.in("a"))], [b1, a1, a2]);
    assertEquals(new Set([a1, b1, a2]).size, 3);
  });
});

Deno.test("initialisers default to the fans that their papers and PyTorch take", () => {
  const shape = [40, 160];
  const spread = (drawn: Float32Array) => Math.sqrt([...drawn].reduce((sum, x) => sum + x * x, 0) / drawn.length);
  const of = (init: (shape: readonly number[], random: Random) => Float32Array) => spread(init(shape, new Random(1)));
  assertAlmostEquals(of(kaimingNormal()) / Math.sqrt(2 / 160), 1, 0.05);
  assertAlmostEquals(of(kaimingUniform()) / Math.sqrt(2 / 40), 1, 0.05);
  assertAlmostEquals(of(xavierUniform) / Math.sqrt(2 / 200), 1, 0.05);
  assertEquals(truncatedNormal(0.5)([100, 100], new Random(2)).every((value) => Math.abs(value) <= 1), true);
  assertEquals([...ones([2], new Random(1)), ...zeros([2], new Random(1))], [1, 1, 0, 0]);
  assertEquals(uniform(2)([1000], new Random(1)).some((value) => value < -1), true);
  assertThrows(() => bindNothing().param("kernel2", [1], zeros), Refusal, "nearest of 3 are kernel, ke, b");
});

function bindNothing(): Scope {
  const one = () => tf.zeros([1]);
  const params = { b: one(), ke: one(), kernel: one() };
  return bindScope({ params, buffers: {}, controls: {}, key: null, mode: "train" }).scope;
}
