/** New state that is written over the old. */
import * as tf from "@tensorflow/tfjs";
import { assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { float32, type NamedHostTensors, type NamedTensors, type Program } from "../../core/program.ts";
import { Random } from "../../core/random.ts";
import { cpu } from "../../engines/mod.ts";
import { compileGraph, onnxEngine, runnable } from "../../engines/onnx/engine.ts";
import { inPlace } from "../../engines/onnx/in_place.ts";
import { adamW, type Optimizer, sgd } from "../../nn/optimizers.ts";
import { record } from "../../tensor/autodiff.ts";

const SIDE = 512;
const random = new Random(0);
const drawn = (rows: number, scale: number) =>
  float32(Float32Array.from({ length: rows * SIDE }, () => scale * random.normal()), [rows, SIDE]);

/** Two products by one matrix, so that its gradient by the input reads it, and its size, which nothing waits for. */
function training(optimizer: Optimizer): { program: Program; start: NamedHostTensors } {
  // The runtime comes to the first output last: the size would be that of the new matrix.
  const start: NamedHostTensors = { size: float32([0], []), w: drawn(SIDE, 0.04) };
  for (const slot of optimizer.slots) start[slot] = float32(new Float32Array(SIDE * SIDE), [SIDE, SIDE]);
  const spec = { shape: [SIDE, SIDE], dtype: "float32" } as const;
  const program: Program = {
    name: "in-place",
    state: Object.fromEntries(
      Object.keys(start).map((name) => [name, name === "size" ? { ...spec, shape: [] } : spec]),
    ),
    inputs: { x: { shape: [4, SIDE], dtype: "float32" }, rate: { shape: [], dtype: "float32" } },
    apply(state, { x, rate }) {
      const w = state.w as tf.Tensor2D;
      const pass = record(() => tf.mean(tf.square(tf.matMul(tf.tanh(tf.matMul(x as tf.Tensor2D, w)), w))));
      const [gradient] = pass.gradients(pass.value, [w]);
      const { param, slots } = optimizer.apply(w, gradient!, state, {
        learningRate: rate as tf.Scalar,
        step: tf.scalar(1),
      });
      const next: NamedTensors = { size: tf.sum(tf.square(w)), w: param, ...slots };
      pass.dispose();
      return { state: next, outputs: { loss: pass.value } };
    },
  };
  return { program, start };
}

const optimizers: Readonly<Record<string, Optimizer>> = {
  "SGD": sgd({ weightDecay: 1e-2 }),
  "SGD with momentum": sgd({ momentum: 0.9, weightDecay: 1e-2 }),
  "SGD with Nesterov's momentum": sgd({ momentum: 0.9, nesterov: true }),
  "AdamW": adamW({ weightDecay: 1e-2 }),
};

for (const [name, optimizer] of Object.entries(optimizers)) {
  Deno.test(`inPlace() takes parameter and slots of ${name}, and steps are those of the CPU engine`, async () => {
    const { program, start } = training(optimizer);
    const { names } = runnable(program);
    assertEquals([...names].sort(), ["w", ...optimizer.slots].map((key) => `state:${key}`).sort());
    const feeds = { x: drawn(4, 1), rate: float32([optimizer.name === "sgd" ? 0.3 : 1e-3], []) };
    const results: number[][] = [];
    for (const engine of [onnxEngine(), await cpu.create()]) {
      const compiled = await engine.compile(program);
      const state = engine.createState(start);
      const seen: number[] = [];
      for (let step = 0; step < 3; step++) {
        const { loss } = await compiled.run(state, feeds);
        const { size } = await state.read(["size"]);
        seen.push(loss.data[0], size.data[0]);
      }
      const { w } = await state.read(["w"]);
      seen.push(...w.data.slice(0, 100));
      results.push(seen);
      compiled.dispose();
      state.dispose();
      await engine.dispose();
    }
    const [ours, theirs] = results;
    ours.forEach((value, index) => assertAlmostEquals(value, theirs[index], 1e-5 * Math.max(1, Math.abs(value))));
  });
}

/** The names written in place by a program of one matrix of state. */
function namesOf(
  apply: (w: tf.Tensor2D, x: tf.Tensor2D) => { w: tf.Tensor; y?: tf.Tensor },
  shape: readonly number[] = [SIDE, SIDE],
): string[] {
  const spec = { shape, dtype: "float32" } as const;
  const { names } = runnable({
    name: "one",
    state: { w: spec },
    inputs: { x: spec },
    apply(state, { x }) {
      const { w, y } = apply(state.w as tf.Tensor2D, x as tf.Tensor2D);
      return { state: { w }, outputs: (y === undefined ? {} : { y }) as NamedTensors };
    },
  });
  return [...names];
}

Deno.test("inPlace() leaves alone what would be read after it was overwritten", () => {
  assertEquals(namesOf((w, x) => ({ w: tf.add(w, x) })), ["state:w"]);
  // A product of the matrix itself, alone, behind a sum, or of its transpose.
  assertEquals(namesOf((w, x) => ({ w: tf.matMul(w, x) })), []);
  assertEquals(namesOf((w, x) => ({ w: tf.add(tf.matMul(w, x), x) })), []);
  assertEquals(namesOf((w, x) => ({ w: tf.add(tf.matMul(w, x), x) }), [64, 64, 64]), []);
  assertEquals(namesOf((w) => ({ w: tf.transpose(w) })), []);
  // One row of it, added to all.
  assertEquals(namesOf((w, x) => ({ w: tf.add(tf.slice(w, [0, 0], [1, SIDE]), x) })), ["state:w"]);
  // Old and new together.
  assertEquals(
    namesOf((w, x) => {
      const next = tf.mul(tf.sub(w, x), 0.5);
      return { w: next, y: tf.matMul(w, next) };
    }),
    [],
  );
});

Deno.test("inPlace() leaves small tensors their second buffer", () => {
  const spec = { shape: [SIDE, SIDE - 1], dtype: "float32" } as const;
  const graph = compileGraph({
    name: "small",
    state: { w: spec },
    inputs: {},
    apply: ({ w }) => ({ state: { w: tf.exp(w) }, outputs: {} }),
  }, "cpu");
  assertEquals(inPlace(graph, () => true).names.size, 0);
  assertEquals([...inPlace(graph, () => true, SIDE).names], ["state:w"]);
});

Deno.test("a step that fails while it writes leaves a state that is refused; one that does not begin leaves it whole", async () => {
  const spec = { shape: [SIDE, SIDE], dtype: "float32" } as const;
  const program = (name: string, more: (x: tf.Tensor) => NamedTensors): Program => ({
    name,
    state: { w: spec },
    inputs: { x: { shape: [2 ** 24], dtype: "float32" } },
    apply: ({ w }, { x }) => ({ state: { w: tf.exp(w) }, outputs: more(x) }),
  });
  const engine = onnxEngine();
  const state = engine.createState({ w: float32(new Float32Array(SIDE * SIDE), [SIDE, SIDE]) });
  const feeds = { x: float32(new Float32Array(2 ** 24), [2 ** 24]) };
  const disposed = await engine.compile(program("disposed", () => ({})));
  disposed.dispose();
  await assertRejects(() => disposed.run(state, feeds), Error, "disposed");
  assertEquals((await state.read()).w.data[0], 0);
  // 2^50 bytes are more than a process can have.
  const side = (axis: number) => [0, 1].map((other) => other === axis ? 2 ** 24 : 1);
  const large = await engine.compile(program("large", (x) => ({
    y: tf.sum(tf.exp(tf.add(tf.reshape(x, side(0)), tf.reshape(x, side(1))))),
  })));
  await assertRejects(() => large.run(state, feeds), Error, "ONNX Runtime");
  await assertRejects(() => large.run(state, feeds), Error, "Cannot use a state");
  await assertRejects(() => state.read(), Error, "Cannot use a state");
  large.dispose();
  state.dispose();
});
