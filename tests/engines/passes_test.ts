/** Every pass: what it does to a small graph, and that the numbers stay. */
import * as tf from "@tensorflow/tfjs";
import { assert, assertEquals } from "@std/assert";
import { record } from "../../tensor/autodiff.ts";
import { float32, int32, type NamedHostTensors, type NamedTensors } from "../../core/program.ts";
import { type Graph, printGraph, sizeOf } from "../../engines/onnx/graph/ir.ts";
import { lower } from "../../engines/onnx/lower/lower.ts";
import { inputName, outputName, writeOnnx } from "../../engines/onnx/graph/onnx_writer.ts";
import { bias } from "../../engines/onnx/passes/bias.ts";
import { foldConstants } from "../../engines/onnx/passes/fold_constants.ts";
import { groupUpdates } from "../../engines/onnx/passes/group_updates.ts";
import { optimise, passes } from "../../engines/onnx/passes/mod.ts";
import { longSums } from "../../engines/onnx/passes/long_sums.ts";
import { means } from "../../engines/onnx/passes/means.ts";
import { multiplyAdd } from "../../engines/onnx/passes/multiply_add.ts";
import { rejoined } from "../../engines/onnx/passes/rejoined.ts";
import { relu } from "../../engines/onnx/passes/relu.ts";
import { scaleAndShift } from "../../engines/onnx/passes/scale_and_shift.ts";
import { scatterInto } from "../../engines/onnx/passes/scatter_into.ts";
import { sumsOfSquares } from "../../engines/onnx/passes/sums_of_squares.ts";
import { turnedFactors } from "../../engines/onnx/passes/turned_factors.ts";
import { wideRows } from "../../engines/onnx/passes/wide_rows.ts";
import { createSession, RuntimeTensor } from "../../engines/onnx/runtime/session.ts";
import { trace } from "../../engines/onnx/trace/trace.ts";
import { verify } from "../../engines/onnx/graph/verify.ts";
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

Deno.test("rejoined: pieces of one tensor that are joined in their order are that tensor", async () => {
  const feeds = { x: float32(waves(4, 0), [1, 4]), y: float32(waves(6, 1), [2, 3]), z: float32([5], []) };
  const before = lowered(feeds, ({ x, y, z }) => {
    const scalars = tf.split(x, 4, 1).map((piece) => tf.reshape(piece, []));
    const [a, b, c] = tf.split(y, 3, 1);
    return {
      log: tf.stack([z, ...scalars, z]),
      turned: tf.stack([...scalars].reverse()),
      part: tf.stack(scalars.slice(0, 3)),
      // Pieces of an inner axis do not lie one behind the other.
      inner: tf.concat([a, b, c].map((piece) => tf.reshape(piece, [2])), 0),
      rows: tf.concat(tf.split(y, 2, 0).map((row) => tf.reshape(row, [3])), 0),
    };
  });
  const after = rejoined(before);
  const concats = (graph: Graph) =>
    graph.nodes.filter((node) => node.op === "Concat").map((node) => node.inputs.length).sort();
  assertEquals([concats(before), concats(after)], [[2, 3, 3, 4, 6], [3, 3, 3, 4]], printGraph(after));
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
      broadcast: tf.add(tf.mul(x, 7), row),
      negative: tf.sub(tf.mul(x, 3), y),
    };
  });
  const after = multiplyAdd(before);
  assertEquals(count(after, "Gemm"), 0, printGraph(after));
  await assertSame(before, after, feeds);
});

Deno.test("sums of squares: a norm over many small gradients is one operation, a large one's squares are not stored", async () => {
  const shapes = { a: [3], b: [2, 5], c: [7], d: [100, 100], e: [1] };
  const feeds = Object.fromEntries(
    Object.entries(shapes).map(([name, shape], i) => [name, float32(waves(shape.reduce((p, e) => p * e), i), shape)]),
  );
  const before = lowered(feeds, (x) => {
    const squares = Object.values(x).map((gradient) => tf.sum(tf.square(gradient)));
    return { norm: tf.sqrt(tf.addN(squares)), rows: tf.sum(tf.square(tf.neg(x["b"])), 1) };
  });
  const after = sumsOfSquares(before);
  assertEquals(
    [count(after, "Mul"), count(after, "ReduceSum"), count(after, "ReduceSumSquare"), count(after, "Concat")],
    // The sums of rows stay.
    [1, 1, 2, 1],
    printGraph(after),
  );
  await assertSame(before, after, feeds);
});

Deno.test("sums of squares: what several sums share is joined once, and what they have alone by itself", async () => {
  const names = [..."abcdefghij"];
  const feeds = Object.fromEntries(names.map((name, i) => [name, float32(waves(i + 2, i), [i + 2])]));
  const before = lowered(feeds, (x) => {
    const squares = (of: string) => tf.addN([...of].map((name) => tf.sum(tf.square(x[name]))));
    return { all: squares("jaibhcgdfe"), first: squares("abcdj"), second: squares("efgi"), twice: squares("hh") };
  });
  const after = sumsOfSquares(before);
  // {a, b, c, d, j} and {e, f, g, i} are joined; h is in other sums than they are.
  assertEquals(
    [count(after, "Concat"), count(after, "ReduceSumSquare"), count(after, "Sum"), count(after, "Add")],
    [2, 3, 1, 1],
    printGraph(after),
  );
  await assertSame(before, after, feeds);
});

Deno.test("sums of squares leaves squares alone that something else uses", async () => {
  const feeds = { a: float32(waves(3, 0), [3]), b: float32(waves(4, 1), [4]), c: float32(waves(5, 2), [5]) };
  const before = lowered(feeds, ({ a, b, c }) => {
    const [first, second, third] = [a, b, c].map((x) => tf.sum(tf.square(x)));
    const square = tf.square(a);
    return { sum: tf.add(tf.add(first, second), third), first, square };
  });
  const after = sumsOfSquares(before);
  assertEquals([count(after, "ReduceSum"), count(after, "Concat")], [1, 0], printGraph(after));
  await assertSame(before, after, feeds);
});

Deno.test("bias: what is added to products and convolutions is their third input", async () => {
  const feeds = {
    x: float32(waves(12, 0), [3, 4]),
    w: float32(waves(20, 1), [4, 5]),
    v: float32(waves(5, 2), [5]),
    full: float32(waves(15, 3), [3, 5]),
    map: float32(waves(2 * 6 * 6 * 3, 4), [2, 6, 6, 3]),
    k: float32(waves(3 * 3 * 3 * 4, 5), [3, 3, 3, 4]),
    c: float32(waves(4, 6), [4]),
  };
  const before = lowered(feeds, ({ x, w, v, full, map, k, c }) => {
    const product = () => tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D);
    return {
      vector: tf.add(product(), v),
      reshaped: tf.add(tf.reshape(tf.matMul(x as tf.Tensor2D, tf.neg(w) as tf.Tensor2D), [1, 3, 5]), v),
      matrix: tf.add(full, tf.matMul(x as tf.Tensor2D, tf.square(w) as tf.Tensor2D)),
      map: tf.add(tf.conv2d(map as tf.Tensor4D, k as tf.Tensor4D, 1, "same"), c),
    };
  });
  const after = bias(before);
  assertEquals([count(before, "Add"), count(after, "Add")], [4, 0], printGraph(after));
  await assertSame(before, after, feeds);
});

Deno.test("bias: weight decay of a large matrix is added where its gradient is made", async () => {
  const feeds = { x: float32(waves(3 * 130, 0), [3, 130]), d: float32(waves(3 * 130, 1), [3, 130]) };
  const big = { ...feeds, w: float32(waves(130 * 130, 2), [130, 130]) };
  const before = lowered(big, ({ x, d, w }) => ({
    y: tf.add(tf.matMul(x as tf.Tensor2D, d as tf.Tensor2D, true), tf.mul(w, 5e-4)),
  }));
  const after = bias(before);
  assertEquals(after.nodes.map(({ op }) => op), ["Gemm"], printGraph(after));
  await assertSame(before, after, big);
});

Deno.test("bias leaves products alone that something else uses, and sums that repeat them", async () => {
  const feeds = { x: float32(waves(4, 0), [1, 4]), w: float32(waves(20, 1), [4, 5]), m: float32(waves(10, 2), [2, 5]) };
  const before = lowered(feeds, ({ x, w, m }) => {
    const product = tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D);
    return {
      product,
      sum: tf.add(product, tf.ones([5])),
      repeated: tf.add(tf.matMul(x as tf.Tensor2D, tf.neg(w) as tf.Tensor2D), m),
    };
  });
  const after = bias(before);
  assertEquals(count(after, "Add"), 2, printGraph(after));
  await assertSame(before, after, feeds);
});

Deno.test("relu: a layer is one operation, and its gradient asks the result", async () => {
  const feeds = {
    x: float32(waves(12, 0), [3, 4]),
    w: float32(waves(20, 1), [4, 5]),
    v: float32(waves(5, 2), [5]),
    map: float32(waves(2 * 6 * 6 * 3, 4), [2, 6, 6, 3]),
    k: float32(waves(3 * 3 * 3 * 4, 5), [3, 3, 3, 4]),
  };
  const before = bias(lowered(feeds, ({ x, w, v, map, k }) => {
    const pass = record(() =>
      tf.add(
        tf.sum(tf.square(tf.relu(tf.add(tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D), v)))),
        tf.sum(tf.relu(tf.conv2d(map as tf.Tensor4D, k as tf.Tensor4D, 1, "same"))),
      )
    );
    const [gradient, filter] = pass.gradients(pass.value, [w, k]);
    pass.dispose();
    return { loss: pass.value, gradient: gradient!, filter: filter! };
  }));
  const after = relu(before);
  assertEquals(
    [count(after, "Relu"), count(after, "FusedGemm"), count(after, "FusedConv")],
    [0, 1, 1],
    printGraph(after),
  );
  await assertSame(before, after, feeds);
});

Deno.test("relu leaves products alone that something else uses, and masks of other limits than 0", async () => {
  const feeds = { x: float32(waves(12, 0), [3, 4]), w: float32(waves(20, 1), [4, 5]) };
  const before = bias(lowered(feeds, ({ x, w }) => {
    const product = tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D);
    const above = tf.cast(tf.greater(x, -0.5), "float32");
    return { product, level: tf.relu(product), above, activated: tf.relu(x) };
  }));
  const after = relu(before);
  assertEquals([count(after, "Relu"), count(after, "FusedGemm")], [2, 0], printGraph(after));
  await assertSame(before, after, feeds);
});

Deno.test("group updates: momentum SGD of many small parameters is one update", async () => {
  const shapes: Record<string, number[]> = { a: [3], b: [2, 5], c: [7], d: [2, 2, 3] };
  const feeds: Record<string, ReturnType<typeof float32>> = { rate: float32([0.05], []) };
  Object.entries(shapes).forEach(([name, shape], i) => {
    const size = shape.reduce((p, e) => p * e);
    ["p", "v", "g"].forEach((role, k) => feeds[`${role}:${name}`] = float32(waves(size, 3 * i + k), shape));
  });
  const before = lowered(feeds, (x) => {
    const next: NamedTensors = {};
    for (const name of Object.keys(shapes)) {
      const direction = tf.add(x[`g:${name}`], tf.mul(x[`p:${name}`], 5e-4));
      next[`v:${name}`] = tf.add(tf.mul(x[`v:${name}`], 0.9), direction);
      next[`p:${name}`] = tf.sub(x[`p:${name}`], tf.mul(next[`v:${name}`], x["rate"]));
    }
    return next;
  });
  const after = groupUpdates(before);
  assertEquals(
    [count(after, "Mul"), count(after, "Add"), count(after, "Sub"), count(after, "Concat"), count(after, "Split")],
    [3, 2, 1, 3, 2],
    printGraph(after),
  );
  await assertSame(before, after, feeds);
});

Deno.test("group updates leaves alone what something else reads as well", async () => {
  const names = ["a", "b", "c", "d"];
  const feeds = Object.fromEntries(names.map((name, i) => [name, float32(waves(3 + i, i), [3 + i])]));
  const before = lowered(feeds, (x) => {
    const moved = Object.fromEntries(names.map((name) => [name, tf.add(tf.mul(x[name], 0.9), 0.1)]));
    return { ...moved, read: tf.sum(moved["d"]) };
  });
  const after = groupUpdates(before);
  // a, b and c in one, d by itself as its sum needs it.
  assertEquals([count(after, "Concat"), count(after, "Mul"), count(after, "Add")], [1, 2, 2], printGraph(after));
  await assertSame(before, after, feeds);
});

Deno.test("group updates starts from gradients whose norm is taken, whatever was done to each before", async () => {
  const names = ["a", "b", "c", "d"];
  const feeds: NamedHostTensors = {};
  names.forEach((name, i) => {
    feeds[name] = float32(waves(3 + i, i), [3 + i]);
    feeds[`${name} gradient`] = float32(waves(3 + i, i + 5), [3 + i]);
    feeds[`${name} factor`] = float32([0.5 + i], []);
  });
  const before = lowered(feeds, (x) => {
    const changed = names.map((name) => tf.mul(x[`${name} gradient`], x[`${name} factor`]));
    const norm = tf.sqrt(tf.addN(changed.map((gradient) => tf.sum(tf.square(gradient)))));
    const moved = names.map((name, i) => [name, tf.sub(x[name], tf.mul(changed[i], tf.div(0.1, norm)))] as const);
    return { ...Object.fromEntries(moved), norm };
  });
  const after = groupUpdates(sumsOfSquares(before));
  // One vector of parameters and one of gradients, which serves the norm too; each gradient is changed by itself.
  assertEquals([count(after, "Concat"), count(after, "Split"), count(after, "Sub")], [2, 1, 1], printGraph(after));
  assertEquals(count(after, "Mul"), names.length + 1);
  await assertSame(before, after, feeds);
});

Deno.test("group updates keeps apart what is updated by other numbers, and what is large or alone", async () => {
  const feeds = {
    a: float32(waves(3, 0), [3]),
    b: float32(waves(3, 1), [3]),
    c: float32(waves(3, 2), [3]),
    d: float32(waves(10000, 3), [10000]),
    one: float32([2], []),
  };
  const before = lowered(feeds, ({ a, b, c, d, one }) => ({
    a: tf.mul(a, 0.5),
    b: tf.mul(b, 0.5),
    c: tf.mul(c, 0.25),
    d: tf.mul(d, 0.5),
    one: tf.mul(one, 0.5),
  }));
  const after = groupUpdates(before);
  assertEquals(count(after, "Concat"), 0);
  await assertSame(before, after, feeds);
});

Deno.test("scale and shift: a x + c per channel, per row and channel, and by numbers is one pass", async () => {
  const feeds = {
    x: float32(waves(4 * 70 * 9 * 8, 0), [4, 9, 8, 70]),
    scale: float32(waves(70, 1), [70]),
    shift: float32(waves(70, 2), [70]),
    rows: float32(waves(4 * 70, 3), [4, 1, 1, 70]),
    k: float32(waves(70 * 70, 4), [1, 1, 70, 70]),
  };
  const before = lowered(feeds, ({ x, scale, shift, rows, k }) => {
    // Behind a convolution maps are channels first.
    const map = tf.conv2d(x as tf.Tensor4D, k as tf.Tensor4D, 1, "same");
    return {
      channel: tf.add(tf.mul(map, scale), shift),
      rows: tf.add(tf.mul(map, rows), shift),
      numbers: tf.add(tf.mul(map, 0.5), 0.25),
    };
  });
  const after = scaleAndShift(before);
  assertEquals(
    [count(after, "BatchNormalization"), count(after, "Mul"), count(after, "Add")],
    [3, 0, 0],
    printGraph(after),
  );
  await assertSame(before, after, feeds);
});

Deno.test("a mean's gradient is divided before it is repeated, and what it is added to takes it by broadcasting", () => {
  const feeds = {
    x: float32(waves(2 * 6 * 6 * 3, 0), [2, 6, 6, 3]),
    y: float32(waves(2 * 6 * 6 * 3, 1), [2, 6, 6, 3]),
  };
  const graph = lowered(feeds, ({ x, y }) => {
    const pass = record(() => tf.add(tf.sum(tf.square(tf.mean(x, [1, 2]))), tf.sum(tf.mul(x, y))));
    const [gradient] = pass.gradients(pass.value, [x]);
    pass.dispose();
    return { gradient: gradient! };
  });
  const sizes = (op: string) =>
    graph.nodes.filter((node) => node.op === op).map(({ outputs }) => sizeOf(outputs[0].shape));
  assertEquals(sizes("Div"), [6], printGraph(graph));
  assertEquals(sizes("Expand"), [], printGraph(graph));
});

Deno.test("scale and shift leaves factors alone that vary along the last axis", async () => {
  const feeds = { x: float32(waves(200 * 100, 0), [200, 100]), row: float32(waves(100, 1), [100]) };
  const before = lowered(feeds, ({ x, row }) => ({ y: tf.add(tf.mul(x, row), row) }));
  const after = scaleAndShift(before);
  assertEquals(count(after, "BatchNormalization"), 0);
  await assertSame(before, after, feeds);
});

Deno.test("wide rows: a short row meets the places of a large map in longer rows, on either side", async () => {
  const feeds = {
    map: float32(waves(64 * 6 * 8 * 16, 0), [64, 6, 8, 16]),
    gate: float32(waves(64 * 16, 1).map((value) => value + 2), [64, 1, 1, 16]),
    row: float32(waves(16, 2), [16]),
    lines: float32(waves(64 * 6 * 16, 3), [64, 6, 1, 16]),
    square: float32(waves(64 * 49 * 16, 4), [64, 7, 7, 16]),
  };
  const before = lowered(feeds, ({ map, gate, row, lines, square }) => ({
    square: tf.mul(square, gate),
    gated: tf.mul(map, gate),
    left: tf.sub(gate, map),
    over: tf.div(map, gate),
    under: tf.div(gate, tf.add(tf.square(map), 1)),
    shifted: tf.add(map, row),
    lines: tf.maximum(map, lines),
  }));
  const after = wideRows(before);
  const widths = (graph: Graph) =>
    graph.nodes.filter(({ op }) => ["Mul", "Sub", "Div", "Add", "Max"].includes(op))
      .map(({ outputs }) => outputs[0].shape.at(-1));
  // Of 7 x 7 places 7 are close to 128 numbers. The sum with 1 and the square have no short operand, and for the lines
  // all 8 places would be copied.
  assertEquals(widths(after).toSorted(), [112, 128, 128, 128, 128, 128, 16, 16, 16], printGraph(after));
  await assertSame(before, after, feeds);
});

Deno.test("wide rows leaves small maps, long rows and rows of every place alone", async () => {
  const feeds = {
    small: float32(waves(8 * 8 * 16, 0), [8, 8, 16]),
    large: float32(waves(128 * 2 * 128, 1), [128, 2, 128]),
    odd: float32(waves(1201 * 16, 2), [1201, 16]),
    row: float32(waves(16, 3), [16]),
    long: float32(waves(128, 4), [128]),
    column: float32(waves(1201, 5), [1201, 1]),
  };
  const before = lowered(feeds, ({ small, large, odd, row, long, column }) => ({
    small: tf.mul(small, row),
    large: tf.mul(large, long),
    column: tf.mul(odd, column),
  }));
  const after = wideRows(before);
  assertEquals(count(after, "Reshape"), 0, printGraph(after));
  await assertSame(before, after, feeds);
});

Deno.test("convolutions of small maps are products of patches on the CPU, with equal values and gradients", async () => {
  for (
    const [stride, pad, channelsFirst] of [[2, "same", false], [2, 1, false], [1, "valid", true], [
      2,
      "valid",
      true,
    ]] as const
  ) {
    const channels = stride === 1 ? 32 : 9;
    const shape = channelsFirst ? [3, channels, 7, 8] : [3, 7, 8, channels];
    const feeds = {
      x: float32(waves(3 * 56 * channels, 0), shape),
      k: float32(waves(3 * 2 * channels * 5, 1), [3, 2, channels, 5]),
    };
    const run = ({ x, k }: NamedTensors) => {
      const pass = record(() =>
        tf.conv2d(x as tf.Tensor4D, k as tf.Tensor4D, stride, pad, channelsFirst ? "NCHW" : "NHWC")
      );
      const weighted = pass.gradients(pass.value, [x, k]);
      pass.dispose();
      return { y: pass.value, dx: weighted[0]!, dk: weighted[1]! };
    };
    const [plain, patched] = (["any", "cpu"] as const).map((target) => lower(trace(feeds, run), target));
    const gathered = patched.nodes.filter(({ op, attributes }) => op === "Gather" && attributes["axis"] === 1);
    // One gathering serves the convolution and its gradient.
    assertEquals([count(plain, "Gather") === 0 || stride === 1, gathered.length, count(patched, "Gemm")], [true, 1, 2]);
    verify(patched, "lowering");
    const [expected, actual] = [await valuesOf(plain, feeds), await valuesOf(patched, feeds)];
    for (const name of Object.keys(expected)) assertClose(actual[name], expected[name], 1e-5);
  }
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

Deno.test("means: sums of weighted rows, and short rows without their mean, are products", async () => {
  const feeds = {
    w: float32(waves(5, 0), [5]),
    column: float32(waves(5, 1), [5, 1]),
    x: float32(waves(15, 2), [5, 3]),
  };
  const before = lowered(feeds, ({ w, column, x }) => {
    const sum = tf.sum(tf.mul(tf.expandDims(w, 1), x), 0, true);
    const other = tf.sum(tf.mul(x, tf.neg(column)), 0, true);
    return { sum, other, centred: tf.sub(x, tf.mean(x, 1, true)) };
  });
  const after = means(before);
  assertEquals(
    ["ReduceSum", "ReduceMean", "Mul", "Sub", "Gemm"].map((op) => count(after, op)),
    [0, 0, 0, 0, 3],
    printGraph(after),
  );
  await assertSame(before, after, feeds);
  // As it would be written by products: nodes and bits alike.
  const product = lowered(feeds, ({ w, column, x }) => ({
    sum: tf.matMul(tf.reshape(w, [1, 5]), x as tf.Tensor2D),
    other: tf.matMul(tf.neg(column) as tf.Tensor2D, x as tf.Tensor2D, true),
    centred: tf.matMul(
      x as tf.Tensor2D,
      tf.tensor2d(Array.from({ length: 9 }, (_, k) => Number(k % 4 === 0) - 1 / 3), [3, 3]),
    ),
  }));
  assertEquals(after.nodes.length, product.nodes.length);
  assertEquals(await valuesOf(after, feeds), await valuesOf(product, feeds));
});

Deno.test("means leaves alone what something else uses, other axes, other shapes, dropped axes and long rows", async () => {
  const feeds = { w: float32(waves(5, 1), [5, 1]), x: float32(waves(15, 2), [5, 3]), y: float32(waves(18, 3), [2, 9]) };
  const before = lowered(feeds, ({ w, x, y }) => {
    const product = tf.mul(w, x);
    return {
      product,
      used: tf.sum(product, 0, true),
      across: tf.sum(tf.mul(tf.neg(w), x), 1, true),
      dropped: tf.sum(tf.mul(tf.abs(w), x), 0),
      whole: tf.sum(tf.mul(tf.exp(x), x), 0, true),
      columns: tf.sub(x, tf.mean(x, 0, true)),
      turned: tf.sub(tf.mean(x, 1, true), x),
      other: tf.sub(tf.neg(x), tf.mean(x, 1, true)),
      long: tf.sub(y, tf.mean(y, 1, true)),
    };
  });
  const after = means(before);
  assertEquals(count(after, "Gemm"), 0, printGraph(after));
  await assertSame(before, after, feeds);
});

Deno.test("long sums: more than 2^14 rows or 2^16 neighbours are summed in stages, fewer are not", async () => {
  const feeds = { x: float32(new Float32Array(70_000).fill(1), [70_000]) };
  const before = lowered(feeds, ({ x }) => ({
    sum: tf.sum(x),
    mean: tf.mean(tf.neg(x)),
    rows: tf.sum(tf.reshape(x, [35_000, 2]), 0),
    few: tf.sum(tf.reshape(x, [7, 10_000]), 1),
    short: tf.sum(tf.reshape(x, [10_000, 7]), 0),
  }));
  const after = longSums(before);
  assertEquals([count(before, "ReduceMean"), count(after, "ReduceMean")], [1, 0]);
  // 70,000 = 125 * 112 * 5 and 35,000 = 28 * 25 * 25 * 2: three stages each, of the sum twice; two stay.
  const stages = count(after, "ReduceSum");
  assert(stages > 8 && stages < 16, String(stages));
  await assertSame(before, after, feeds);
});

Deno.test("long sums leaves whole numbers alone, whose sums are exact", async () => {
  const feeds = { x: int32(new Array(70_000).fill(1), [70_000]) };
  const before = lowered(feeds, ({ x }) => ({ sum: tf.sum(x) }));
  const after = longSums(before);
  assertEquals(count(after, "ReduceSum"), 1, printGraph(after));
  await assertSame(before, after, feeds);
});

/** Products of a graph whose first factor is turned while they are multiplied. */
const turning = (graph: Graph) => graph.nodes.filter(({ attributes }) => attributes["transA"] === 1).length;

Deno.test("turned factors: of X'Y the narrower factor is turned before, to the same bits", async () => {
  const feeds = {
    x: float32(waves(512 * 48, 0), [512, 48]),
    wide: float32(waves(512 * 96, 1), [512, 96]),
    narrow: float32(waves(512 * 32, 2), [512, 32]),
    few: float32(waves(128 * 256, 3), [128, 256]),
    pairs: float32(waves(128 * 64, 4), [128, 64]),
    sum: float32(waves(96 * 32, 5), [96, 32]),
    row: float32(waves(96, 6), [96]),
  };
  const before = bias(lowered(feeds, ({ x, wide, narrow, few, pairs, sum, row }) => ({
    first: tf.matMul(x, wide, true),
    second: tf.matMul(wide, narrow, true),
    added: tf.add(tf.matMul(tf.neg(wide), narrow, true), sum),
    chain: tf.add(tf.matMul(tf.exp(wide), narrow, true), tf.matMul(tf.abs(wide), narrow, true)),
    row: tf.add(tf.matMul(tf.exp(x), wide, true), row),
    few: tf.matMul(few, pairs, true),
  })));
  const after = turnedFactors(before);
  assertEquals([turning(before), turning(after)], [7, 0], printGraph(after));
  // Of x, exp(x), few, narrow and what is added; and of three results, as one is added to before it is turned back.
  assertEquals(count(after, "Transpose"), 5 + 3, printGraph(after));
  verify(after, "the pass under test");
  assertEquals(await valuesOf(after, feeds), await valuesOf(before, feeds));
});

Deno.test("turned factors leaves small products, odd rows and sums in other blocks alone", async () => {
  const feeds = {
    x: float32(waves(1024 * 64, 0), [1024, 64]),
    y: float32(waves(1024 * 48, 1), [1024, 48]),
    odd: float32(waves(513 * 96, 2), [513, 96]),
    line: float32(waves(32, 3), [32]),
  };
  const before = bias(lowered(feeds, ({ x, y, odd, line }) => ({
    // With 48 or 64 columns on the right the runtime's blocks of rows would be twice as long.
    narrow: tf.matMul(x, y, true),
    odd: tf.matMul(odd, odd, true),
    small: tf.matMul(tf.slice(x, [0, 0], [128, 64]), tf.slice(y, [0, 0], [128, 48]), true),
    // A row that is added to a product of wide rows by narrow ones is no matrix to turn.
    row: tf.add(tf.matMul(tf.concat([x, y], 1), tf.slice(y, [0, 0], [1024, 32]), true), line),
    plain: tf.matMul(x, tf.slice(y, [0, 0], [64, 48])),
  })));
  const after = turnedFactors(before);
  assertEquals([turning(before), turning(after)], [4, 4], printGraph(after));
  await assertSame(before, after, feeds);
});
