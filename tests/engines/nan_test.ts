/** NaN, infinities and empty axes give the same on every engine that runs here: no value hides NaN. */
import * as tf from "@tensorflow/tfjs";
import { assertEquals } from "@std/assert";
import { float32, type Program } from "../../core/program.ts";
import { cpu, onnxCpu, wasm } from "../../engines/mod.ts";
import { record } from "../../tensor/autodiff.ts";
import { enginesUnderTest } from "../helpers/engines_under_test.ts";

const image = (x: tf.Tensor) => tf.reshape(x, [1, 2, 4, 1]) as tf.Tensor4D;
const empty = (x: tf.Tensor) => tf.reshape(tf.slice(x, [0], [0]), [2, 0]);
const number = (x: tf.Tensor) => tf.cast(x, "float32");

/** The gradient of the sum of a function's values. */
const slope = (of: (x: tf.Tensor) => tf.Tensor) => (x: tf.Tensor): tf.Tensor => {
  const pass = record(() => of(x));
  const [gradient] = pass.gradients(pass.value, [x]);
  pass.dispose();
  return gradient!;
};
const pairs = (x: tf.Tensor) => tf.reshape(x, [-1, 2]);

interface Case {
  readonly x: readonly number[];
  readonly y?: readonly number[];
  readonly of: (x: tf.Tensor, y: tf.Tensor) => tf.Tensor;
  readonly gives: readonly number[];
}

const cases: Readonly<Record<string, Case>> = {
  "max pooling": { x: [1, 2, NaN, 4, 5, 6, 7, 8], of: (x) => tf.maxPool(image(x), 2, 2, "valid"), gives: [6, NaN] },
  "max pooling, NaN first": {
    x: [NaN, -2, -3, -4, -5, -6, -7, -8],
    of: (x) => tf.maxPool(image(x), 2, 2, "valid"),
    gives: [NaN, -3],
  },
  "max pooling with padding": {
    x: [NaN, -2, -3, -4, -5, -6, -7, -8],
    of: (x) => tf.maxPool(image(x), 3, 2, "same"),
    gives: [NaN, -3],
  },
  "average pooling": {
    x: [1, 2, NaN, 4, 5, 6, 7, 8],
    of: (x) => tf.avgPool(image(x), 2, 2, "valid"),
    gives: [3.5, NaN],
  },
  "place of the largest": {
    x: [1, NaN, 3, NaN, 9, 2],
    of: (x) => number(tf.argMax(tf.reshape(x, [3, 2]), 0)),
    gives: [2, 0],
  },
  "place of the least": {
    x: [1, NaN, 3, NaN, 9, 2],
    of: (x) => number(tf.argMin(tf.reshape(x, [3, 2]), 1)),
    gives: [1, 1, 1],
  },
  "largest of two": { x: [NaN, 1, 3, -0], y: [1, NaN, 2, 0], of: (x, y) => tf.maximum(x, y), gives: [NaN, NaN, 3, 0] },
  "least of two": { x: [NaN, 1, 3, 4], y: [1, NaN, 2, 5], of: (x, y) => tf.minimum(x, y), gives: [NaN, NaN, 2, 4] },
  "largest of two, by row": {
    x: [NaN, 1],
    y: [1, NaN, 2, 5],
    of: (x, y) => tf.maximum(tf.reshape(x, [2, 1]), tf.reshape(y, [1, 4])),
    gives: [NaN, NaN, NaN, NaN, 1, NaN, 2, 5],
  },
  clipping: { x: [NaN, -Infinity, Infinity, 0.5], of: (x) => tf.clipByValue(x, -1, 1), gives: [NaN, -1, 1, 0.5] },
  sign: { x: [NaN, -Infinity, 1e-37, -1e-30], of: (x) => tf.sign(x), gives: [NaN, -1, 1, -1] },
  step: { x: [NaN, -1, 1, 0], of: (x) => tf.step(x), gives: [NaN, 0, 1, 0] },
  "largest of all": { x: [1, NaN, 3], of: (x) => tf.max(x), gives: [NaN] },
  "quotient rounded down": {
    x: [1, 7, -7, 6],
    y: [0.1, 0.7, 2, -4],
    of: (x, y) => number(tf.floorDiv(x, y)),
    gives: [9, 10, -4, -2],
  },
  "log of a sum of exponentials": {
    x: [-Infinity, -Infinity, Infinity, 1, -Infinity, 3, NaN, 1, Infinity, -Infinity],
    of: (x) => tf.logSumExp(pairs(x), 1),
    gives: [-Infinity, Infinity, 3, NaN, Infinity],
  },
  "log of a sum of exponentials of all": { x: [-Infinity, -Infinity], of: (x) => tf.logSumExp(x), gives: [-Infinity] },
  // As PyTorch has it.
  "gradient of log of a sum of exponentials": {
    x: [-Infinity, -Infinity, -Infinity, 3, 2, 2],
    of: slope((x) => tf.logSumExp(pairs(x), 1)),
    gives: [0, 0, 0, 1, 0.5, 0.5],
  },
  // A difference that is no logarithm's stays what it is.
  "distance from the largest": {
    x: [-Infinity, -Infinity, 1, 3],
    of: (x) => tf.sub(pairs(x), tf.max(pairs(x), 1, true)),
    gives: [NaN, NaN, -2, 0],
  },
  "three largest": {
    x: [1, NaN, 3, 3, NaN, -Infinity, 5, Infinity, -1, 5],
    of: (x) => tf.topk(tf.reshape(x, [2, 5]), 3).values,
    gives: [NaN, NaN, 3, Infinity, 5, 5],
  },
  "places of the three largest": {
    x: [1, NaN, 3, 3, NaN, -Infinity, 5, Infinity, -1, 5],
    of: (x) => number(tf.topk(tf.reshape(x, [2, 5]), 3).indices),
    gives: [1, 4, 2, 2, 1, 4],
  },
  "infinity beside the largest number": {
    x: [3.4028234663852886e38, Infinity, 1],
    of: (x) => number(tf.topk(x, 2).indices),
    gives: [1, 0],
  },
  "largest of nothing": { x: [1], of: (x) => tf.max(empty(x), 1), gives: [-Infinity, -Infinity] },
  "least of nothing": { x: [1], of: (x) => tf.min(empty(x), 1), gives: [Infinity, Infinity] },
  "mean of nothing": { x: [1], of: (x) => tf.mean(empty(x), 1), gives: [NaN, NaN] },
  "sum of nothing": { x: [1], of: (x) => tf.sum(empty(x), 1), gives: [0, 0] },
};

const equal = (a: readonly number[], b: readonly number[]) =>
  a.length === b.length && a.every((value, i) => Object.is(value, b[i] + 0));

for (const plugin of enginesUnderTest([cpu, wasm, onnxCpu])) {
  Deno.test(`${plugin.name}: NaN, infinities and empty axes give what they are`, async () => {
    const engine = await plugin.create();
    try {
      const state = engine.createState({});
      const wrong: Record<string, readonly number[]> = {};
      for (const [name, { x, y = [0], of, gives }] of Object.entries(cases)) {
        const fed = { x: float32(Float32Array.from(x), [x.length]), y: float32(Float32Array.from(y), [y.length]) };
        const program: Program = {
          name,
          state: {},
          inputs: { x: { shape: [x.length], dtype: "float32" }, y: { shape: [y.length], dtype: "float32" } },
          apply: (_, given) => ({ state: {}, outputs: { out: of(given.x, given.y) } }),
        };
        const compiled = await engine.compile(program);
        const { out } = await compiled.run(state, fed);
        // -0 and 0 are one number here.
        const found = [...out.data].map((value) => value + 0);
        if (!equal(found, gives)) wrong[name] = found;
        compiled.dispose();
      }
      assertEquals(wrong, {});
      state.dispose();
    } finally {
      await engine.dispose();
    }
  });
}
