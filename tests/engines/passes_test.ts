/** Every pass: what it does to a small graph, and that the numbers stay. */
import * as tf from "@tensorflow/tfjs";
import { assert, assertEquals } from "@std/assert";
import { record } from "../../core/autodiff.ts";
import { float32, int32, type NamedHostTensors, type NamedTensors } from "../../core/program.ts";
import { type Graph, printGraph } from "../../engines/onnx/ir.ts";
import { lower } from "../../engines/onnx/lower.ts";
import { inputName, outputName, writeOnnx } from "../../engines/onnx/onnx_writer.ts";
import { foldConstants } from "../../engines/onnx/passes/fold_constants.ts";
import { optimise, passes } from "../../engines/onnx/passes/mod.ts";
import { multiplyAdd } from "../../engines/onnx/passes/multiply_add.ts";
import { scatterInto } from "../../engines/onnx/passes/scatter_into.ts";
import { createSession, RuntimeTensor } from "../../engines/onnx/session.ts";
import { trace } from "../../engines/onnx/trace.ts";
import { verify } from "../../engines/onnx/verify.ts";
import { assertClose } from "../helpers/tensors.ts";

function lowered(feeds: NamedHostTensors, run: (x: NamedTensors) => NamedTensors): Graph {
  const graph = lower(trace(feeds, run), "cpu");
  verify(graph, "lowering");
  return graph;
}

async function valuesOf(graph: Graph, feeds: NamedHostTensors): Promise<Record<string, number[]>> {
  const session = await createSession(
    writeOnnx(graph, "test"),
    graph.inputs.map((_, i) => inputName(i)),
    graph.outputs.map((_, i) => outputName(i)),
    { threads: 1 },
  );
  const outputs = graph.outputs.map(({ value }) => RuntimeTensor.empty(value.shape, value.dtype as "float32"));
  await session.run(graph.inputs.map(({ name }) => new RuntimeTensor(feeds[name])), outputs);
  await session.release();
  return Object.fromEntries(graph.outputs.map(({ name }, i) => [name, [...outputs[i].data]]));
}

async function assertSame(before: Graph, after: Graph, feeds: NamedHostTensors): Promise<void> {
  verify(after, "the pass under test");
  const [expected, actual] = [await valuesOf(before, feeds), await valuesOf(after, feeds)];
  assertEquals(Object.keys(actual), Object.keys(expected));
  for (const name of Object.keys(expected)) assertClose(actual[name], expected[name], 1e-6);
}

const count = (graph: Graph, op: string) => graph.nodes.filter((node) => node.op === op).length;
const waves = (size: number, phase: number) => Float32Array.from({ length: size }, (_, i) => Math.sin(1.7 * i + phase));

Deno.test("fold constants: what depends on constants alone is one constant", async () => {
  const feeds = { x: float32(waves(3, 0), [3]) };
  const before = lowered(feeds, ({ x }) => {
    const numbers = tf.sqrt(tf.add(tf.tensor1d([1, 3, 8]), 1));
    return { y: tf.mul(x, tf.div(numbers, tf.scalar(2))) };
  });
  const after = foldConstants(before);
  assertEquals(after.nodes.map(({ op }) => op), ["Mul"], printGraph(after));
  await assertSame(before, after, feeds);
});

Deno.test("fold constants leaves results alone that would be large constants", () => {
  const feeds = { x: float32(waves(2048, 0), [2048]) };
  const graph = foldConstants(lowered(feeds, ({ x }) => ({
    y: tf.mul(x, tf.neg(tf.tensor1d(Array.from({ length: 2048 }, (_, i) => i)))),
  })));
  assertEquals(count(graph, "Neg"), 1);
});

Deno.test("scatter into: an embedding's gradient with weight decay touches the table once", async () => {
  const feeds = { table: float32(waves(40, 1), [10, 4]), ids: int32([3, 0, 3, 9, 2], [5]) };
  const before = lowered(feeds, ({ table, ids }) => {
    const pass = record(() => tf.sum(tf.square(tf.gather(table, ids as tf.Tensor1D))));
    const [gradient] = pass.gradients(pass.value, [table]);
    pass.dispose();
    return { y: tf.add(gradient!, tf.mul(table, 0.1)) };
  });
  const after = scatterInto(before);
  assertEquals(
    [count(before, "Add"), count(after, "Add"), count(after, "ConstantOfShape")],
    [1, 0, 0],
    printGraph(after),
  );
  await assertSame(before, after, feeds);
});

Deno.test("scatter into leaves rows alone that something else uses, and sums that broadcast", async () => {
  const feeds = { rows: float32(waves(8, 1), [2, 4]), ids: int32([1, 1], [2]), x: float32(waves(12, 2), [3, 4]) };
  const before = lowered(feeds, ({ rows, ids, x }) => {
    const sums = tf.unsortedSegmentSum(rows as tf.Tensor2D, ids as tf.Tensor1D, 3);
    const row = tf.unsortedSegmentSum(rows as tf.Tensor2D, tf.zeros([2], "int32"), 1);
    return { y: tf.add(sums, x), sums, z: tf.add(row, x) };
  });
  const after = scatterInto(before);
  assertEquals(count(after, "Add"), 2);
  await assertSame(before, after, feeds);
});

Deno.test("multiply and add: an update of a large parameter is three passes over memory", async () => {
  const size = 128 * 130;
  const feeds = {
    p: float32(waves(size, 0), [128, 130]),
    v: float32(waves(size, 1), [128, 130]),
    g: float32(waves(size, 2), [128, 130]),
    rate: float32([0.05], []),
  };
  const before = lowered(feeds, ({ p, v, g, rate }) => {
    const velocity = tf.add(tf.mul(v, 0.9), tf.add(g, tf.mul(p, 5e-4)));
    return { p: tf.sub(p, tf.mul(velocity, rate)), v: velocity };
  });
  const after = multiplyAdd(before);
  assertEquals([count(after, "Gemm"), count(after, "Mul"), count(after, "Add"), count(after, "Sub")], [3, 0, 0, 0]);
  await assertSame(before, after, feeds);
});

Deno.test("multiply and add leaves small tensors, shared products and broadcasts alone", async () => {
  const feeds = {
    x: float32(waves(20000, 0), [200, 100]),
    y: float32(waves(20000, 1), [200, 100]),
    small: float32(waves(4, 1), [4]),
    row: float32(waves(100, 3), [100]),
  };
  const before = lowered(feeds, ({ x, y, small, row }) => {
    const shared = tf.mul(x, 0.5);
    return {
      shared,
      sum: tf.add(shared, y),
      small: tf.add(tf.mul(small, 2), small),
      broadcast: tf.add(tf.mul(x, 3), row),
      negative: tf.sub(tf.mul(x, 3), y),
    };
  });
  const after = multiplyAdd(before);
  assertEquals(count(after, "Gemm"), 0, printGraph(after));
  await assertSame(before, after, feeds);
});

Deno.test("all passes together keep the numbers of a training step, and every one has a reason", async () => {
  const feeds = {
    x: float32(waves(64 * 160, 0), [64, 160]),
    w: float32(waves(160 * 128, 1), [160, 128]),
    v: float32(new Float32Array(160 * 128), [160, 128]),
  };
  const before = lowered(feeds, ({ x, w, v }) => {
    const pass = record(() => tf.mean(tf.square(tf.relu(tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D)))));
    const [gradient] = pass.gradients(pass.value, [w]);
    pass.dispose();
    const velocity = tf.add(tf.mul(v, 0.9), gradient!);
    return { w: tf.sub(w, tf.mul(velocity, 0.01)), v: velocity, loss: pass.value };
  });
  const after = optimise(before, "cpu");
  assert(after.nodes.length <= before.nodes.length + 6);
  await assertSame(before, after, feeds);
  for (const { reason } of passes) assert(reason.length > 20);
});
