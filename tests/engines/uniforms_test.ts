/** The host's drawing of uniform numbers against the reference, and what compiled programs leave to it. */
import * as tf from "@tensorflow/tfjs";
import { assertEquals, assertThrows } from "@std/assert";
import { drawNoise, noise } from "../../tensor/noise.ts";
import { int32, type NamedTensors, type Program } from "../../core/program.ts";
import { onnxCpu } from "../../engines/mod.ts";
import { compileGraph } from "../../engines/onnx/engine.ts";
import { fillUniform } from "../../engines/onnx/runtime/uniforms.ts";
import { assertClose } from "../helpers/tensors.ts";
import { Refusal } from "../../core/refusal.ts";

const program = (apply: (key: tf.Tensor) => NamedTensors): Program => ({
  name: "noise",
  state: {},
  inputs: { key: { shape: [2], dtype: "int32" } },
  apply: (_state, { key }) => ({ state: {}, outputs: apply(key) }),
});

/** A key that the graph computes. */
const computed = (key: tf.Tensor) => tf.sub(tf.add(key, key), key);

Deno.test("fillUniform() draws what drawNoise() does, bit for bit, for every length, key and stream", () => {
  for (const length of [0, 1, 3, 4, 5, 16383, 16384, 16385, 70001]) {
    for (const key of [[0, 0], [-1, 5], [0x7fffffff, -0x80000000], [0x9e3779b9, 0xffffffff]]) {
      for (const stream of [0, 7, 0x7ffffffe]) {
        const values = new Float32Array(length);
        const from = length % 11;
        fillUniform(key, stream, from, values);
        const expected = drawNoise(key, stream, "uniform", from + length).subarray(from);
        assertEquals(values, expected, `${length} from ${from} of ${key}, stream ${stream}`);
      }
    }
  }
  assertThrows(() => fillUniform([1, 2], -1, 0, new Float32Array(4)), Refusal, "the stream must be an integer");
});

Deno.test("noise from a fed key is an input that the host draws, once for equal draws, and none that nobody reads", () => {
  const draws = (apply: (key: tf.Tensor) => NamedTensors, target: "cpu" | "any") =>
    compileGraph(program(apply), target).inputs.filter(({ draw }) => draw !== undefined)
      .map(({ value, draw }) => [value.shape[0], draw!.stream, draw!.from]);
  const apply = (key: tf.Tensor): NamedTensors => {
    noise(key, 9, [7], "uniform");
    return {
      a: noise(key, 1, [5, 3], "uniform"),
      b: tf.neg(noise(key, 1, [15], "uniform")),
      c: noise(key, 2, [15], "normal"),
    };
  };
  assertEquals(draws(apply, "cpu"), [[15, 1, 0], [8, 2, 0], [8, 2, 8]]);
  assertEquals(draws((key) => apply(computed(key)), "cpu"), []);
  assertEquals(draws(apply, "any"), []);
});

Deno.test("noise is the same whether the host or the graph draws it, new at each run, and as an output too", async () => {
  const engine = await onnxCpu.create();
  const apply = (key: tf.Tensor): NamedTensors => ({
    plain: noise(key, 0, [70001], "uniform"),
    folded: noise(key, 3, [5, 7, 11], "uniform"),
    normal: noise(key, 4, [9001], "normal"),
  });
  const programs = [program(apply), program((key) => apply(computed(key)))];
  const [host, graph] = await Promise.all(programs.map((own) => engine.compile(own)));
  const state = engine.createState({});
  for (const key of [[-5, 77], [-5, 78], [0, 0x7fffffff]]) {
    const feeds = { key: int32(key, [2]) };
    const [fed, inside] = [await host.run(state, feeds), await graph.run(state, feeds)];
    assertEquals(fed.plain.data, drawNoise(key, 0, "uniform", 70001));
    assertEquals(fed.plain.data, inside.plain.data);
    assertEquals(fed.folded.data, inside.folded.data);
    assertClose(fed.normal.data, drawNoise(key, 4, "normal", 9001), 2e-6);
    assertEquals(fed.normal.data, inside.normal.data);
  }
  for (const compiled of [host, graph]) compiled.dispose();
  state.dispose();
});

Deno.test("noise from a key in the state follows it", async () => {
  const engine = await onnxCpu.create();
  const key = { shape: [2], dtype: "int32" } as const;
  const counting: Program = {
    name: "counting",
    state: { key },
    inputs: {},
    apply: ({ key: own }) => ({
      state: { key: tf.add(own, tf.tensor1d([1, 0], "int32")) },
      outputs: { drawn: noise(own, 2, [6], "uniform") },
    }),
  };
  const compiled = await engine.compile(counting);
  const state = engine.createState({ key: int32([3, 4], [2]) });
  for (const first of [3, 4, 5]) {
    assertEquals((await compiled.run(state, {})).drawn.data, drawNoise([first, 4], 2, "uniform", 6));
  }
  compiled.dispose();
  state.dispose();
});
