/** What every engine must do: one suite for all of them, and what only a tracing engine can get wrong. */
import * as tf from "@tensorflow/tfjs";
import { assert, assertEquals, assertInstanceOf, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { record } from "../../core/autodiff.ts";
import { type Engine, float32, int32, type NamedTensors, type Program } from "../../core/program.ts";
import { cpu, engines, onnxCpu, selectEngine } from "../../engines/mod.ts";
import { TraceBreakError, UnsupportedKernelError } from "../../engines/onnx/errors.ts";
import { compileGraph } from "../../engines/onnx/engine.ts";
import { printGraph } from "../../engines/onnx/ir.ts";
import { assertClose } from "../helpers/tensors.ts";

/** One step of momentum SGD on a small network. */
const step: Program = {
  name: "step",
  state: {
    w: { shape: [4, 3], dtype: "float32" },
    v: { shape: [4, 3], dtype: "float32" },
    unused: { shape: [2], dtype: "float32" },
  },
  inputs: { x: { shape: [5, 4], dtype: "float32" }, y: { shape: [5], dtype: "int32" } },
  apply({ w, v }, { x, y }) {
    const pass = record(() => {
      const target = tf.oneHot(y as tf.Tensor1D, 3, 1, 0, "float32");
      return tf.neg(tf.mean(tf.sum(tf.mul(tf.logSoftmax(tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D)), target), 1)));
    });
    const [gradient] = pass.gradients(pass.value, [w]);
    pass.dispose();
    const velocity = tf.add(tf.mul(v, 0.9), gradient!);
    return { state: { w: tf.sub(w, tf.mul(velocity, 0.1)), v: velocity }, outputs: { loss: pass.value } };
  },
};
const start = () => ({
  w: float32(Array.from({ length: 12 }, (_, i) => Math.sin(i)), [4, 3]),
  v: float32(new Float32Array(12), [4, 3]),
  unused: float32([7, 8], [2]),
});
const batch = (phase = 0) => ({
  x: float32(Array.from({ length: 20 }, (_, i) => Math.cos(i + phase)), [5, 4]),
  y: int32([0, 2, 1, 1, 0], [5]),
});

async function trajectory(engine: Engine): Promise<number[]> {
  const state = engine.createState(start());
  const program = await engine.compile(step);
  const losses: number[] = [];
  for (let i = 0; i < 6; i++) losses.push((await program.run(state, batch(i))).loss.data[0]);
  losses.push(...(await state.read(["w"])).w.data, ...(await state.read(["unused"])).unused.data);
  assertEquals(program.stats().runs, 6);
  program.dispose();
  state.dispose();
  await engine.dispose();
  return losses;
}

for (const plugin of engines) {
  Deno.test(`engine ${plugin.name} trains, keeps untouched state and repeats itself bit for bit`, async () => {
    assertEquals(await plugin.unavailable(), null);
    const first = await trajectory(await plugin.create({ threads: 1 }));
    assertEquals(await trajectory(await plugin.create({ threads: 1 })), first);
    assert(first[5] < first[0]);
    assertEquals(first.slice(-2), [7, 8]);
  });

  Deno.test(`engine ${plugin.name} refuses wrong inputs and states with one clear message`, async () => {
    const engine = await plugin.create();
    const state = engine.createState(start());
    const program = await engine.compile(step);
    const { x, y } = batch();
    await assertRejects(() => program.run(state, { x }), TypeError, 'input "y" is missing');
    await assertRejects(() => program.run(state, { x, y, z: x }), TypeError, 'input "z" is not among x, y');
    await assertRejects(
      () => program.run(state, { x: float32(new Float32Array(16), [4, 4]), y }),
      TypeError,
      'input "x" must be float32 [5, 4]: found float32 [4, 4]',
    );
    await assertRejects(
      () => program.run(state, { x, y: float32([0, 0, 0, 0, 0], [5]) }),
      TypeError,
      "must be int32 [5]",
    );
    await assertRejects(() => program.run(engine.createState({}), { x, y }), TypeError, 'state "w" must be');
    await assertRejects(() => state.write({ nope: x }), TypeError, 'Cannot write state "nope"');
    await assertRejects(() => state.write({ w: x }), TypeError, "must be float32 [4, 3]: found float32 [5, 4]");
    await assertRejects(() => state.read(["nope"]), TypeError, 'Cannot read state "nope"');
    program.dispose();
    state.dispose();
  });

  Deno.test(`engine ${plugin.name} takes one tensor as two outputs, an input as output and a constant`, async () => {
    const engine = await plugin.create();
    const program = await engine.compile({
      name: "ports",
      state: { a: { shape: [2], dtype: "float32" }, b: { shape: [2], dtype: "float32" } },
      inputs: { x: { shape: [2], dtype: "float32" } },
      apply: ({ a }, { x }) => {
        const sum = tf.add(a, x);
        return {
          state: { a: sum, b: a },
          outputs: { sum, same: sum, x, constant: tf.tensor1d([1, 2]), ones: tf.ones([3]) },
        };
      },
    });
    const state = engine.createState({ a: float32([1, 2], [2]), b: float32([0, 0], [2]) });
    const outputs = await program.run(state, { x: float32([10, 20], [2]) });
    assertEquals(
      Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, [...data]])),
      { sum: [11, 22], same: [11, 22], x: [10, 20], constant: [1, 2], ones: [1, 1, 1] },
    );
    assertEquals([...(await state.read(["b"])).b.data], [1, 2]);
    await program.run(state, { x: float32([1, 1], [2]) });
    assertEquals([...(await state.read(["a"])).a.data], [12, 23]);
    assertEquals([...(await state.read(["b"])).b.data], [11, 22]);
    program.dispose();
    state.dispose();
  });
}

Deno.test("compiled and eager steps agree", async () => {
  assertClose(await trajectory(await onnxCpu.create()), await trajectory(await cpu.create()), 1e-6);
});

Deno.test("the eager engine leaves no tensor behind", async () => {
  const engine = await cpu.create();
  const state = engine.createState(start());
  const program = await engine.compile(step);
  await program.run(state, batch());
  const before = tf.memory().numTensors;
  for (let i = 0; i < 5; i++) await program.run(state, batch(i));
  engine.abstract(() => {
    tf.ones([3]);
  });
  assertEquals(tf.memory().numTensors, before);
  state.dispose();
});

Deno.test("the compiled engine does not grow over 3000 runs", async () => {
  const engine = await onnxCpu.create();
  const state = engine.createState(start());
  const program = await engine.compile(step);
  for (let i = 0; i < 500; i++) await program.run(state, batch(i));
  const before = Deno.memoryUsage().rss;
  for (let i = 0; i < 3000; i++) await program.run(state, batch(i));
  const growth = (Deno.memoryUsage().rss - before) / 2 ** 20;
  // A leak of one state tensor or output per run would be far more than the collector's own swing.
  assert(growth < 64, `grew by ${growth.toFixed(0)} MiB`);
  program.dispose();
  state.dispose();
});

const tracing = (apply: (x: tf.Tensor) => tf.Tensor): Program => ({
  name: "traced",
  state: {},
  inputs: { x: { shape: [2, 3], dtype: "float32" } },
  apply: (_state, { x }) => ({ state: {}, outputs: { y: apply(x) } }),
});

Deno.test("reading a value inside a trace is an error that names the line", async () => {
  const engine = await onnxCpu.create();
  const error = await assertRejects(
    () => engine.compile(tracing((x) => tf.mul(x, tf.sum(x).dataSync()[0]))),
    TraceBreakError,
    "the reading of a tensor's value",
  );
  assertInstanceOf(error, TraceBreakError);
  assertEquals(error.reason, "value read");
  assertStringIncludes(error.source ?? "", "engine_test.ts:");
});

Deno.test("unseeded randomness inside a trace is an error, and the backend is restored after errors", async () => {
  const engine = await onnxCpu.create();
  await tf.setBackend("cpu");
  await assertRejects(
    () => engine.compile(tracing((x) => tf.add(x, tf.randomNormal([2, 3])))),
    TraceBreakError,
    "unseeded randomness",
  );
  assertEquals(tf.getBackend(), "cpu");
  assert(Math.random() < 1);
  const seeded = await engine.compile(tracing((x) => tf.add(x, tf.randomNormal([2, 3], 0, 1, "float32", 5))));
  seeded.dispose();
});

Deno.test("a kernel without a rule is an error that says what to do", async () => {
  const engine = await onnxCpu.create();
  const error = await assertRejects(
    () => engine.compile(tracing((x) => tf.topk(x, 2).values)),
    UnsupportedKernelError,
    "Cannot trace kernel TopK as it has no lowering to ONNX",
  );
  assertEquals((error as UnsupportedKernelError).kernel, "TopK");
});

Deno.test("setting undeclared state is an error", async () => {
  const engine = await onnxCpu.create();
  const program: Program = {
    ...tracing((x) => x),
    apply: (_state, { x }): { state: NamedTensors; outputs: NamedTensors } => ({ state: { w: x }, outputs: {} }),
  };
  await assertRejects(() => engine.compile(program), RangeError, 'it sets "w"');
});

Deno.test("lowering drops repetition, neutral elements and transpositions that cancel", () => {
  const graph = compileGraph({
    name: "simplified",
    state: {},
    inputs: { x: { shape: [2, 4, 4, 3], dtype: "float32" }, k: { shape: [3, 3, 3, 3], dtype: "float32" } },
    apply: (_state, { x, k }) => {
      const filter = k as tf.Tensor4D;
      const first = tf.relu(tf.conv2d(x as tf.Tensor4D, filter, 1, "same"));
      const same = tf.add(tf.mul(first, tf.ones([2, 4, 4, 3])), tf.zeros([1])) as tf.Tensor4D;
      const second = tf.conv2d(same, filter, 1, "same");
      return { state: {}, outputs: { y: second } };
    },
  });
  const text = printGraph(graph);
  const count = (op: string) => graph.nodes.filter((node) => node.op === op).length;
  // In and out of channels-first once, and the filter once: nothing between the convolutions.
  assertEquals([count("Conv"), count("Relu"), count("Transpose"), count("Mul"), count("Add")], [2, 1, 3, 0, 0], text);
});

Deno.test("selectEngine() takes what is asked for, else the best that works, and speaks on unknown names", async () => {
  assertEquals((await selectEngine("onnx")).engine.name, "onnx:cpu");
  assertEquals((await selectEngine("cpu")).reason, "asked for");
  const { engine, reason } = await selectEngine(undefined);
  assertEquals(engine.name, "onnx:cpu");
  assertStringIncludes(reason, "the best that works");
  await assertRejects(() => selectEngine("cuda"), RangeError, 'Cannot find engine "cuda": engines are onnx:cpu, cpu');
  assertThrows(() => engine.abstract(() => tf.scalar(1).add(2).dataSync()), TraceBreakError);
});
