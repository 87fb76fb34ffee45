/** Indices that name no place: refused where they are known, else the same in values and gradients. */
import * as tf from "@tensorflow/tfjs";
import { assertEquals, assertRejects } from "@std/assert";
import { float32, int32, type NamedHostTensors, type Program } from "../../core/program.ts";
import { Refusal } from "../../core/refusal.ts";
import { record } from "../../tensor/autodiff.ts";
import { cpu, onnxCpu, wasm } from "../../engines/mod.ts";
import { enginesUnderTest } from "../helpers/engines_under_test.ts";

type Make = (x: tf.Tensor, indices: tf.Tensor) => tf.Tensor;

/** The value, and the gradient of the sum of it times 1, 2, 3, … by x. */
function programOf(run: Make, x: readonly number[], indices: readonly number[], fixed?: readonly number[]): Program {
  return {
    name: "indexed",
    state: {},
    inputs: {
      x: { shape: x, dtype: "float32" },
      ...(fixed === undefined ? { indices: { shape: indices, dtype: "int32" } as const } : {}),
    },
    apply(_, fed) {
      const numbers = fixed === undefined ? fed.indices : tf.tensor([...fixed], [...indices], "int32");
      const pass = record(() => {
        const value = run(fed.x, numbers);
        const weights = tf.reshape(tf.range(1, value.size + 1), value.shape);
        return { value, loss: tf.sum(tf.mul(value, weights)) };
      });
      const [gradient] = pass.gradients(pass.value.loss, [fed.x]);
      pass.dispose();
      return { state: {}, outputs: { value: pass.value.value, gradient: gradient! } };
    },
  };
}

async function results(engine: Awaited<ReturnType<typeof cpu.create>>, program: Program, fed: NamedHostTensors) {
  const state = engine.createState({});
  const compiled = await engine.compile(program);
  try {
    const { value, gradient } = await compiled.run(state, fed);
    return [[...value.data], [...gradient.data]];
  } finally {
    compiled.dispose();
    state.dispose();
  }
}

interface Indexed {
  readonly run: Make;
  readonly x: readonly number[];
  readonly indices: readonly number[];
  readonly shape: readonly number[];
  /** By hand: what names no place gives zeros or goes nowhere; x is 10, 20, 30, … */
  readonly value: readonly number[];
  readonly gradient: readonly number[];
  /** The number that is refused, and the last one that is right. */
  readonly refused: readonly [number, number];
}

const cases: Readonly<Record<string, Indexed>> = {
  GatherV2: {
    run: (x, n) => tf.gather(x, n as tf.Tensor1D),
    x: [3],
    indices: [2, -1, 3, 0],
    shape: [4],
    value: [30, 0, 0, 10],
    gradient: [4, 0, 1],
    refused: [-1, 2],
  },
  "GatherV2 along the second axis": {
    run: (x, n) => tf.gather(x, n as tf.Tensor1D, 1),
    x: [2, 2],
    indices: [-2, 1],
    shape: [2],
    value: [0, 20, 0, 40],
    gradient: [0, 2, 0, 4],
    refused: [-2, 1],
  },
  GatherNd: {
    run: (x, n) => tf.gatherND(x, n),
    x: [2, 3],
    indices: [0, -1, 1, 2, 2, 0, 1, 0],
    shape: [4, 2],
    value: [0, 60, 0, 40],
    gradient: [0, 0, 0, 4, 0, 2],
    refused: [-1, 2],
  },
  "GatherNd of rows": {
    run: (x, n) => tf.gatherND(x, n),
    x: [2, 2],
    indices: [1, 5],
    shape: [2, 1],
    value: [30, 40, 0, 0],
    gradient: [0, 0, 1, 2],
    refused: [5, 1],
  },
  ScatterNd: {
    run: (x, n) => tf.scatterND(n, x, [3]),
    x: [4],
    indices: [1, -1, 3, 1],
    shape: [4, 1],
    value: [0, 50, 0],
    gradient: [2, 0, 0, 2],
    refused: [-1, 2],
  },
  "ScatterNd of two axes": {
    run: (x, n) => tf.scatterND(n, x, [2, 2]),
    x: [3],
    indices: [0, 1, 0, -1, 1, 2],
    shape: [3, 2],
    value: [0, 10, 0, 0],
    gradient: [2, 0, 0],
    refused: [-1, 1],
  },
  SparseToDense: {
    run: (x, n) => tf.sparseToDense(n, x, [3], 7),
    x: [3],
    indices: [2, -1, 3],
    shape: [3],
    value: [7, 7, 10],
    gradient: [3, 0, 0],
    refused: [-1, 2],
  },
  TensorScatterUpdate: {
    run: (x, n) => tf.tensorScatterUpdate(tf.tensor1d([1, 2, 3]), n, x),
    x: [3],
    indices: [0, -1, 3],
    shape: [3, 1],
    value: [10, 2, 3],
    gradient: [1, 0, 0],
    refused: [-1, 2],
  },
};

for (const [name, { run, x, indices, shape, value, gradient, refused }] of Object.entries(cases)) {
  const size = x.reduce((product, extent) => product * extent, 1);
  const fed = { x: float32(Array.from({ length: size }, (_, i) => 10 * (i + 1)), x) };
  const [wrong, last] = refused;

  Deno.test(`compiled ${name}: an index that names no place gives nothing, in value and gradient`, async () => {
    const engine = await onnxCpu.create();
    const found = await results(engine, programOf(run, x, shape), { ...fed, indices: int32(indices, shape) });
    assertEquals(found, [[...value], [...gradient]]);
  });

  Deno.test(`compiled ${name}: an index that is known to name no place is refused`, async () => {
    const engine = await onnxCpu.create();
    await assertRejects(
      () => results(engine, programOf(run, x, shape, indices), fed),
      Refusal,
      `its indices must be integers in 0..${last}: found ${wrong}`,
    );
    // Equal numbers are no list of constants but a filling.
    await assertRejects(
      () => results(engine, programOf(run, x, shape, indices.map(() => -1)), fed),
      Refusal,
      "found -1",
    );
  });

  if (name.startsWith("GatherV2")) continue; // tfjs looks at these itself
  for (const plugin of enginesUnderTest([cpu, wasm])) {
    Deno.test(`${plugin.name} refuses an index of ${name} that names no place`, async () => {
      const engine = await plugin.create();
      const job = () => results(engine, programOf(run, x, shape), { ...fed, indices: int32(indices, shape) });
      await assertRejects(job, Refusal, `its indices must be integers in 0..${last}: found ${wrong}`);
      await engine.dispose();
    });
  }
}

Deno.test("compiled gathering within batches gives zeros where an index names no place", async () => {
  const engine = await onnxCpu.create();
  const program = programOf((x, n) => tf.gather(x, n as tf.Tensor2D, 1, 1), [2, 3], [2, 2]);
  const found = await results(engine, program, {
    x: float32([10, 20, 30, 40, 50, 60], [2, 3]),
    indices: int32([1, 3, -1, 0], [2, 2]),
  });
  assertEquals(found, [[20, 0, 0, 40], [0, 1, 0, 4, 0, 0]]);
});

Deno.test("compiled gathering from a tensor that holds no number gives zeros", async () => {
  const engine = await onnxCpu.create();
  const program = programOf((x, n) => tf.gather(x, n as tf.Tensor1D), [2], [3]);
  const found = await results(engine, program, { x: float32([NaN, 5], [2]), indices: int32([1, 2, -1], [3]) });
  assertEquals(found, [[5, 0, 0], [0, 1]]);
});

Deno.test("eager index checks: the first place behind the last is none, the last is one", async () => {
  const engine = await cpu.create();
  const program = (place: number): Program => ({
    name: "places",
    state: {},
    inputs: { x: { shape: [2, 3], dtype: "float32" } },
    apply: (_, { x }) => ({ state: {}, outputs: { out: tf.gatherND(x, tf.tensor2d([[1, place]], [1, 2], "int32")) } }),
  });
  const fed = { x: float32([10, 20, 30, 40, 50, 60], [2, 3]) };
  const [state, last, beyond] = [engine.createState({}), await engine.compile(program(2)), program(3)];
  assertEquals([...(await last.run(state, fed)).out.data], [60]);
  await assertRejects(async () => (await engine.compile(beyond)).run(state, fed), Refusal, "integers in 0..2: found 3");
});
