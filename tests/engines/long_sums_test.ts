/** Sums, means, variances, norms and losses over many numbers, against double precision. */
import * as tf from "@tensorflow/tfjs";
import { assert, assertEquals } from "@std/assert";
import { float32, sizeOf } from "../../core/program.ts";
import { Random } from "../../core/random.ts";
import { jit } from "../../engines/onnx/jit.ts";
import { compileGraph } from "../../engines/onnx/engine.ts";
import { wasm } from "../../engines/mod.ts";

/** Results of a function of x, compiled. */
async function compiled(
  data: Float32Array,
  shape: readonly number[],
  run: (x: tf.Tensor) => Record<string, tf.Tensor>,
) {
  const program = jit(({ x }) => run(x), { cache: null });
  const results = await program({ x: float32(data, shape) });
  program.dispose();
  return (name: string) => [...results[name].data];
}

function assertRelative(found: readonly number[], right: readonly number[], bound: number, what: string): void {
  assertEquals(found.length, right.length);
  found.forEach((value, i) => {
    const error = Math.abs(value - right[i]) / Math.abs(right[i]);
    assert(error <= bound, `${what} ${i}: ${value} is not ${right[i]}, off by ${error}`);
  });
}

/** Sums in double precision over some axes. */
function exactSums(data: Float32Array, shape: readonly number[], axes: readonly number[]): number[] {
  const kept = shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const strides = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
  const sums = new Float64Array(sizeOf(kept.map((axis) => shape[axis])));
  for (let i = 0; i < data.length; i++) {
    let place = 0;
    for (const axis of kept) place = place * shape[axis] + Math.floor(i / strides[axis]) % shape[axis];
    sums[place] += data[i];
  }
  return [...sums];
}

const tenth = Math.fround(0.1);

for (const exponent of [18, 20, 24]) {
  Deno.test(`compiled sum, mean, norm and loss of 2^${exponent} times 0.1 are within 1e-6 of double precision`, async () => {
    const n = 2 ** exponent;
    const of = await compiled(new Float32Array(n).fill(0.1), [n], (x) => ({
      sum: tf.sum(x),
      mean: tf.mean(x),
      norm: tf.norm(x),
      squares: tf.sum(tf.square(x)),
      loss: tf.losses.meanSquaredError(tf.zerosLike(x), x),
    }));
    const squares = n * tenth * tenth;
    assertRelative(of("sum"), [n * tenth], 1e-6, "sum");
    assertRelative(of("mean"), [tenth], 1e-6, "mean");
    assertRelative(of("norm"), [Math.sqrt(squares)], 1e-6, "norm");
    assertRelative(of("squares"), [squares], 1e-6, "sum of squares");
    assertRelative(of("loss"), [tenth * tenth], 1e-6, "loss");
  });
}

Deno.test("compiled variance of 2^24 normals is within 1e-6 of double precision", async () => {
  const n = 2 ** 24;
  const random = new Random(3);
  const part = Float32Array.from({ length: 2 ** 16 }, () => random.normal());
  const data = new Float32Array(n);
  for (let i = 0; i < n; i++) data[i] = part[i % part.length] + 1;
  let mean = 0;
  for (let i = 0; i < n; i++) mean += data[i] / n;
  let variance = 0;
  for (let i = 0; i < n; i++) variance += (data[i] - mean) ** 2 / n;
  const of = await compiled(data, [n], (x) => ({ variance: tf.moments(x).variance, mean: tf.moments(x).mean }));
  assertRelative(of("variance"), [variance], 1e-6, "variance");
  assertRelative(of("mean"), [mean], 1e-6, "mean");
});

const forms: readonly (readonly [readonly number[], readonly number[]])[] = [
  [[4, 2 ** 18], [1]],
  [[2 ** 18, 3], [0]],
  [[4, 2 ** 16, 3], [1]],
  [[2 ** 12, 5, 64], [0, 2]],
  [[3, 2 ** 14, 2, 8], [1, 3]],
  [[2 ** 16 + 1], [0]], // 65537 is prime
  [[65537, 2], [0]],
  [[2, 257, 257], [1, 2]],
  [[2 ** 17, 1, 1], [0, 1, 2]],
];
for (const [shape, axes] of forms) {
  Deno.test(`compiled sums of [${shape}] over axes ${axes} are within 1e-6 of double precision`, async () => {
    const data = new Float32Array(sizeOf(shape));
    for (let i = 0; i < data.length; i++) data[i] = 0.1 + (i % 7) * 0.05;
    const of = await compiled(data, shape, (x) => ({
      sum: tf.sum(x, [...axes]),
      kept: tf.mean(x, [...axes], true),
      squares: tf.sum(tf.square(x), [...axes]),
    }));
    const right = exactSums(data, shape, axes);
    const count = sizeOf(axes.map((axis) => shape[axis]));
    assertRelative(of("sum"), right, 1e-6, "sum");
    assertRelative(of("kept"), right.map((sum) => sum / count), 1e-6, "mean");
    assertRelative(of("squares"), exactSums(data.map((value) => value * value), shape, axes), 1e-6, "sum of squares");
  });
}

for (const [exclusive, reverse] of [[false, false], [true, false], [false, true], [true, true]]) {
  const how = `${exclusive ? "exclusive " : ""}${reverse ? "reverse " : ""}`;
  Deno.test(`compiled ${how}cumulative sums of 300001 numbers are within 1e-6 of double precision`, async () => {
    const n = 300_001;
    const data = new Float32Array(2 * n).fill(0.1);
    const of = await compiled(data, [n, 2], (x) => ({ y: tf.cumsum(x, 0, exclusive, reverse) }));
    const sums = of("y");
    for (const place of [0, 1, 63, 64, 65, 4096, 123_456, n - 2, n - 1]) {
      const before = (reverse ? n - 1 - place : place) + (exclusive ? 0 : 1);
      for (const column of [0, 1]) {
        const found = sums[2 * place + column];
        assert(Math.abs(found - before * tenth) <= 1e-6 * Math.max(1, before * tenth), `${place}: ${found}`);
      }
    }
  });
}

Deno.test("sums of as many numbers as small models have stay one operation", () => {
  const nodes = (shape: readonly number[], axes: number[]) =>
    compileGraph({
      name: "sums",
      state: {},
      inputs: { x: { shape, dtype: "float32" } },
      apply: (_, { x }) => ({ state: {}, outputs: { y: tf.sum(x, axes) } }),
    }, "cpu").nodes.filter(({ op }) => op === "ReduceSum").length;
  assertEquals(nodes([2 ** 16], [0]), 1);
  assert(nodes([2 ** 16 + 2], [0]) > 1);
  assertEquals(nodes([2 ** 14, 8], [0]), 1);
  assert(nodes([2 ** 14 + 2, 8], [0]) > 1);
  assertEquals(nodes([2 ** 10, 8, 64], [0, 2]), 1);
});

Deno.test("integers are summed exactly, however many there are", async () => {
  const n = 2 ** 17;
  const program = jit(({ x }) => ({ y: tf.sum(tf.cast(x, "int32")) }), { cache: null });
  const { y } = await program({ x: float32(new Float32Array(n).fill(3), [n]) });
  program.dispose();
  assertEquals([y.dtype, ...y.data], ["int32", 3 * n]);
});

Deno.test("eager wasm sums and means of 2^20 times 0.1 are within 1e-6 of double precision", async () => {
  const engine = await wasm.create();
  const n = 2 ** 20;
  const program = await engine.compile({
    name: "sums",
    state: {},
    inputs: { x: { shape: [n], dtype: "float32" } },
    apply: (_, { x }) => ({
      state: {},
      outputs: { sum: tf.sum(x), mean: tf.mean(x), rows: tf.sum(tf.reshape(x, [2, -1]), 1) },
    }),
  });
  const state = engine.createState({});
  const { sum, mean, rows } = await program.run(state, { x: float32(new Float32Array(n).fill(0.1), [n]) });
  assertRelative([...sum.data], [n * tenth], 1e-6, "sum");
  assertRelative([...mean.data], [tenth], 1e-6, "mean");
  assertRelative([...rows.data], [n * tenth / 2, n * tenth / 2], 1e-6, "sum of a row");
  state.dispose();
  await engine.dispose();
});

Deno.test("eager wasm sums of many numbers are those of their own axes, whichever these are", async () => {
  const engine = await wasm.create();
  const rows = 2 ** 14 + 3;
  const data = Float32Array.from({ length: rows * 2 }, (_, i) => i % 2 === 0 ? 1 : 2);
  const program = {
    name: "columns",
    state: {},
    inputs: { x: { shape: [rows, 2], dtype: "float32" as const } },
    apply: (_: unknown, { x }: Record<string, tf.Tensor>) => ({
      state: {},
      outputs: { sum: tf.sum(x, 0), mean: tf.mean(x, 0) },
    }),
  };
  const [state, compiled] = [engine.createState({}), await engine.compile(program)];
  const { sum, mean } = await compiled.run(state, { x: float32(data, [rows, 2]) });
  assertEquals([...sum.data, ...mean.data], [rows, 2 * rows, 1, 2]);
  await engine.dispose();
});
