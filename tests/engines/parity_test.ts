import * as tf from "@tensorflow/tfjs";
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { record } from "../../core/autodiff.ts";
import { noise } from "../../core/noise.ts";
import type { DType, HostTensor, NamedHostTensors, NamedTensors, Program } from "../../core/program.ts";
import { sizeOf } from "../../core/program.ts";
import { Random } from "../../core/random.ts";
import { cpu, onnxCpu } from "../../engines/mod.ts";
import { kernelRules } from "../../engines/onnx/lower/mod.ts";
import { assertClose } from "../helpers/tensors.ts";

const eager = await cpu.create();
const compiled = await onnxCpu.create();

type Make = (x: tf.Tensor[]) => tf.Tensor | tf.Tensor[];

/** One function of tensors with the shapes of its arguments. */
interface Case {
  /** The kernel that it is a case of. */
  readonly kernel: string;
  readonly shapes: readonly (readonly number[])[];
  readonly run: Make;
  readonly dtypes?: readonly DType[];
  /** Range of the arguments. */
  readonly low?: number;
  readonly high?: number;
  /** Whether tfjs has a gradient by the first argument that is a float. */
  readonly gradient?: boolean;
  readonly tolerance?: number;
}

const pairs: readonly (readonly (readonly number[])[])[] = [
  [[2, 3], [2, 3]],
  [[2, 3], [3]],
  [[2, 1, 4], [3, 1]],
  [[], [3]],
  [[5], []],
  [[1, 1], [4, 1]],
  [[0, 3], [3]],
];
const singles: readonly (readonly (readonly number[])[])[] = [[[2, 3]], [[1]], [[]], [[3, 1, 5]], [[0, 4]]];

const unary = (
  kernel: string,
  run: (x: tf.Tensor) => tf.Tensor,
  options: Partial<Case> = {},
): Case[] =>
  singles.map((shapes) => ({ kernel, shapes, run: ([x]: tf.Tensor[]) => run(x), gradient: true, ...options }));

const binary = (
  kernel: string,
  run: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor,
  options: Partial<Case> = {},
): Case[] =>
  pairs.map((shapes) => ({ kernel, shapes, run: ([a, b]: tf.Tensor[]) => run(a, b), gradient: true, ...options }));

const images = [[2, 6, 5, 3], [3, 3, 3, 4]] as const;
const conv = (stride: number, pad: "same" | "valid" | number, dilation = 1): Make => ([x, filter]) =>
  tf.conv2d(
    x as tf.Tensor4D,
    filter as tf.Tensor4D,
    stride,
    pad,
    "NHWC",
    dilation,
    typeof pad === "number" ? "floor" : undefined,
  );

const cases: readonly Case[] = [
  ...unary("Abs", tf.abs),
  ...unary("Acos", tf.acos, { low: -0.9, high: 0.9 }),
  ...unary("Acosh", tf.acosh, { low: 1.1, high: 3 }),
  ...unary("Asin", tf.asin, { low: -0.9, high: 0.9 }),
  ...unary("Asinh", tf.asinh),
  ...unary("Atan", tf.atan),
  ...unary("Atanh", tf.atanh, { low: -0.9, high: 0.9 }),
  ...unary("Ceil", tf.ceil),
  ...unary("ClipByValue", (x) => tf.clipByValue(x, -0.5, 0.7)),
  ...unary("Cos", tf.cos),
  ...unary("Cosh", tf.cosh),
  ...unary("Elu", tf.elu),
  ...unary("Erf", tf.erf),
  ...unary("Exp", tf.exp),
  ...unary("Expm1", tf.expm1),
  ...unary("Expm1", tf.expm1, { low: -1e-3, high: 1e-3, tolerance: 1e-8 }),
  ...unary("Floor", tf.floor),
  ...unary("IsFinite", tf.isFinite, { gradient: false }),
  ...unary("IsInf", (x) => tf.isInf(tf.div(1, tf.floor(x))), { gradient: false }),
  ...unary("IsNan", (x) => tf.isNaN(tf.sqrt(x)), { gradient: false }),
  ...unary("LeakyRelu", (x) => tf.leakyRelu(x, 0.3)),
  ...unary("Log", tf.log, { low: 0.1, high: 4 }),
  ...unary("Log1p", tf.log1p, { low: -0.5, high: 3 }),
  ...unary("Log1p", tf.log1p, { low: -1e-3, high: 1e-3, tolerance: 1e-8 }),
  ...unary("Neg", tf.neg),
  ...binary("Prelu", (x, alpha) => tf.prelu(x, alpha), { gradient: false }).slice(0, 2),
  ...unary("Reciprocal", tf.reciprocal, { low: 0.5, high: 3 }),
  ...unary("Relu", tf.relu),
  ...unary("Relu6", (x) => tf.relu6(tf.mul(x, 5))),
  ...unary("Round", tf.round),
  ...unary("Rsqrt", tf.rsqrt, { low: 0.3, high: 3 }),
  ...unary("Selu", tf.selu),
  ...unary("Sigmoid", tf.sigmoid),
  ...unary("Sign", tf.sign),
  ...unary("Sin", tf.sin),
  ...unary("Sinh", tf.sinh),
  ...unary("Softplus", (x) => tf.softplus(tf.mul(x, 10))),
  ...unary("Sqrt", tf.sqrt, { low: 0.1, high: 3 }),
  ...unary("Square", tf.square),
  ...unary("Step", (x) => tf.step(x, 0.2)),
  ...unary("Tan", tf.tan, { low: -1, high: 1 }),
  ...unary("Tanh", tf.tanh),
  ...binary("Add", tf.add),
  ...binary("Atan2", tf.atan2),
  ...binary("FloorDiv", tf.floorDiv, { low: 0.5, high: 4, gradient: false }),
  ...binary("FloorDiv", tf.floorDiv, { low: 1, high: 9, gradient: false, dtypes: ["int32", "int32"] }),
  ...binary("Maximum", tf.maximum),
  ...binary("Minimum", tf.minimum),
  ...binary("Mod", tf.mod, { low: 0.5, high: 4, gradient: false }),
  ...binary("Multiply", tf.mul),
  ...binary("Pow", tf.pow, { low: 0.3, high: 2 }),
  ...binary("RealDiv", tf.div, { low: 0.5, high: 3 }),
  ...binary("SquaredDifference", tf.squaredDifference),
  ...binary("Sub", tf.sub),
  {
    kernel: "AddN",
    shapes: [[2, 3], [2, 3], [2, 3]],
    run: (list) => tf.addN(list),
    gradient: true,
  },
  { kernel: "EluGrad", shapes: [[4, 3]], run: ([x]) => tf.elu(x), gradient: true },
  ...binary("Equal", (a, b) => tf.equal(tf.round(a), tf.round(b)), { gradient: false }),
  ...binary("NotEqual", (a, b) => tf.notEqual(tf.round(a), tf.round(b)), { gradient: false }),
  ...binary("Greater", tf.greater, { gradient: false }),
  ...binary("GreaterEqual", tf.greaterEqual, { gradient: false }),
  ...binary("Less", tf.less, { gradient: false }),
  ...binary("LessEqual", tf.lessEqual, { gradient: false }),
  ...binary("LogicalAnd", (a, b) => tf.logicalAnd(tf.greater(a, 0), tf.greater(b, 0)), { gradient: false }),
  ...binary("LogicalOr", (a, b) => tf.logicalOr(tf.greater(a, 0), tf.greater(b, 0)), { gradient: false }),
  ...unary("LogicalNot", (x) => tf.logicalNot(tf.greater(x, 0)), { gradient: false }),
  ...binary("Select", (a, b) => tf.where(tf.greater(a, b), a, b)).slice(0, 3),
  ...unary("All", (x) => tf.all(tf.greater(x, -0.5)), { gradient: false }).slice(0, 4),
  ...unary("Any", (x) => tf.any(tf.greater(x, 0.5)), { gradient: false }).slice(0, 4),
  ...unary("Sum", (x) => tf.sum(x)),
  ...[[[2, 3, 4], 1], [[2, 3, 4], -1], [[1, 5], 0], [[4, 0], 0]].flatMap(([shape, axis]) => [
    {
      kernel: "Sum",
      shapes: [shape as number[]],
      run: ([x]: tf.Tensor[]) => tf.sum(x, axis as number),
      gradient: true,
    },
    {
      kernel: "Mean",
      shapes: [shape as number[]],
      run: ([x]: tf.Tensor[]) => tf.mean(x, axis as number, true),
      gradient: true,
    },
  ]),
  { kernel: "Sum", shapes: [[3, 4]], run: ([x]) => tf.sum(tf.greater(x, 0)) },
  ...[[[2, 3, 4], 1], [[1, 5], 1], [[7], 0]].flatMap(([shape, axis]) => [
    {
      kernel: "Max",
      shapes: [shape as number[]],
      run: ([x]: tf.Tensor[]) => tf.max(x, axis as number),
      gradient: true,
    },
    {
      kernel: "Min",
      shapes: [shape as number[]],
      run: ([x]: tf.Tensor[]) => tf.min(x, axis as number),
      gradient: true,
    },
    { kernel: "Prod", shapes: [shape as number[]], run: ([x]: tf.Tensor[]) => tf.prod(x, axis as number) },
    { kernel: "ArgMax", shapes: [shape as number[]], run: ([x]: tf.Tensor[]) => tf.argMax(x, axis as number) },
    { kernel: "ArgMin", shapes: [shape as number[]], run: ([x]: tf.Tensor[]) => tf.argMin(x, axis as number) },
    {
      kernel: "Cumsum",
      shapes: [shape as number[]],
      run: ([x]: tf.Tensor[]) => tf.cumsum(x, axis as number, true, true),
      gradient: true,
    },
  ]),
  { kernel: "Softmax", shapes: [[3, 5]], run: ([x]) => tf.softmax(x), gradient: true },
  { kernel: "LogSoftmax", shapes: [[3, 5]], run: ([x]) => tf.logSoftmax(x as tf.Tensor2D), gradient: true },
  ...[[false, false], [true, false], [false, true], [true, true]].flatMap(([ta, tb]) => [
    {
      kernel: "BatchMatMul",
      shapes: [ta ? [4, 3] : [3, 4], tb ? [5, 4] : [4, 5]],
      run: ([a, b]: tf.Tensor[]) => tf.matMul(a as tf.Tensor2D, b as tf.Tensor2D, ta, tb),
      gradient: true,
    },
    {
      kernel: "BatchMatMul",
      shapes: [[2, ...(ta ? [4, 3] : [3, 4])], [2, ...(tb ? [1, 4] : [4, 1])]],
      run: ([a, b]: tf.Tensor[]) => tf.matMul(a as tf.Tensor3D, b as tf.Tensor3D, ta, tb),
      gradient: true,
    },
  ]),
  ...(["same", "valid", 1] as const).flatMap((pad) =>
    [1, 2].map((stride) => ({
      kernel: "Conv2D",
      shapes: images,
      run: conv(stride, pad),
      gradient: true,
      tolerance: 1e-4,
    }))
  ),
  { kernel: "Conv2D", shapes: images, run: conv(1, "same", 2), gradient: false, tolerance: 1e-4 },
  { kernel: "Conv2D", shapes: [[1, 4, 4, 1], [1, 1, 1, 2]], run: conv(2, "valid"), gradient: true },
  { kernel: "Conv2DBackpropFilter", shapes: [[2, 7, 7, 2], [3, 3, 2, 3]], run: conv(2, "same"), gradient: true },
  { kernel: "Conv2DBackpropInput", shapes: [[2, 7, 7, 2], [3, 3, 2, 3]], run: conv(2, "valid"), gradient: true },
  ...(["valid", "same"] as const).map((pad) => ({
    kernel: "MaxPool",
    shapes: [[2, 5, 6, 3]],
    run: ([x]: tf.Tensor[]) => tf.maxPool(x as tf.Tensor4D, 3, 2, pad),
    gradient: true,
  })),
  {
    kernel: "MaxPoolGrad",
    shapes: [[1, 4, 4, 2]],
    run: ([x]) => tf.maxPool(x as tf.Tensor4D, 2, 2, "valid"),
    gradient: true,
  },
  { kernel: "AvgPool", shapes: [[2, 5, 6, 3]], run: ([x]) => tf.avgPool(x as tf.Tensor4D, 3, 2, "same") },
  {
    kernel: "AvgPoolGrad",
    shapes: [[2, 6, 5, 3]],
    run: ([x]) => tf.avgPool(x as tf.Tensor4D, 2, 2, "valid"),
    gradient: true,
  },
  { kernel: "BroadcastTo", shapes: [[2, 1, 3]], run: ([x]) => tf.broadcastTo(x, [2, 4, 3]), gradient: true },
  { kernel: "Cast", shapes: [[2, 3]], run: ([x]) => tf.cast(tf.cast(tf.mul(x, 3), "int32"), "float32") },
  { kernel: "Cast", shapes: [[2, 3]], run: ([x]) => tf.cast(tf.greater(x, 0), "float32") },
  { kernel: "Concat", shapes: [[2, 3], [2, 1], [2, 4]], run: (list) => tf.concat(list, 1), gradient: true },
  { kernel: "Concat", shapes: [[1, 3], [2, 3]], run: (list) => tf.concat(list, 0), gradient: true },
  { kernel: "ExpandDims", shapes: [[2, 3]], run: ([x]) => tf.expandDims(x, -1), gradient: true },
  { kernel: "Fill", shapes: [[2, 3]], run: ([x]) => tf.add(x, tf.fill([2, 3], 2.5)), gradient: true },
  {
    kernel: "GatherV2",
    shapes: [[5, 3]],
    run: ([x]) => tf.gather(x, tf.tensor1d([4, 0, 0, 2], "int32")),
    gradient: true,
  },
  { kernel: "GatherV2", shapes: [[2, 5]], run: ([x]) => tf.gather(x, tf.tensor1d([1, 3], "int32"), 1) },
  { kernel: "Identity", shapes: [[2, 3]], run: ([x]) => tf.clone(x), gradient: true },
  {
    kernel: "OneHot",
    shapes: [[4]],
    dtypes: ["int32"],
    low: 0,
    high: 3,
    run: ([x]) => tf.oneHot(x as tf.Tensor1D, 3, 1, 0, "float32"),
  },
  {
    kernel: "OneHot",
    shapes: [[4]],
    dtypes: ["int32"],
    low: 0,
    high: 3,
    run: ([x]) => tf.oneHot(x as tf.Tensor1D, 3, 5, -1),
  },
  { kernel: "OnesLike", shapes: [[2, 3]], run: ([x]) => tf.add(x, tf.onesLike(x)), gradient: true },
  { kernel: "ZerosLike", shapes: [[2, 3]], run: ([x]) => tf.add(x, tf.zerosLike(x)), gradient: true },
  { kernel: "Pack", shapes: [[2, 3], [2, 3]], run: (list) => tf.stack(list, 1), gradient: true },
  { kernel: "PadV2", shapes: [[2, 3]], run: ([x]) => tf.pad(x, [[1, 0], [2, 1]], 0.5), gradient: true },
  { kernel: "Range", shapes: [[5]], run: ([x]) => tf.add(x, tf.range(1, 11, 2)) },
  { kernel: "Reshape", shapes: [[2, 6]], run: ([x]) => tf.reshape(x, [3, -1]), gradient: true },
  { kernel: "Reverse", shapes: [[2, 3, 4]], run: ([x]) => tf.reverse(x, [0, 2]), gradient: true },
  { kernel: "Slice", shapes: [[4, 5]], run: ([x]) => tf.slice(x, [1, 2], [2, -1]), gradient: true },
  { kernel: "SplitV", shapes: [[2, 6]], run: ([x]) => tf.split(x, [1, 2, 3], 1), gradient: true },
  { kernel: "SplitV", shapes: [[4, 3]], run: ([x]) => tf.split(x, 2, 0), gradient: true },
  {
    kernel: "StridedSlice",
    shapes: [[5, 6]],
    run: ([x]) => tf.stridedSlice(x, [4, 1], [0, 6], [-2, 2]),
  },
  { kernel: "Tile", shapes: [[2, 3]], run: ([x]) => tf.tile(x, [2, 2]), gradient: true },
  { kernel: "Tile", shapes: [[1, 3]], run: ([x]) => tf.tile(x, [4, 1]), gradient: true },
  { kernel: "Transpose", shapes: [[2, 3, 4]], run: ([x]) => tf.transpose(x, [2, 0, 1]), gradient: true },
  { kernel: "Unpack", shapes: [[3, 2, 4]], run: ([x]) => tf.unstack(x, 1), gradient: true },
  {
    kernel: "UnsortedSegmentSum",
    shapes: [[5, 2]],
    run: ([x]) => tf.unsortedSegmentSum(x as tf.Tensor2D, tf.tensor1d([0, 2, 0, 1, 2], "int32"), 4),
  },
];

/** All cases as one program: values, and gradients of the sum of sines of the results. */
function programOf(list: readonly Case[]): { program: Program; inputs: NamedHostTensors } {
  const random = new Random(11);
  const inputs: NamedHostTensors = {};
  list.forEach((item, index) =>
    item.shapes.forEach((shape, k) => {
      const { low = -1.5, high = 1.5 } = item;
      const dtype = item.dtypes?.[k] ?? "float32";
      const size = sizeOf(shape);
      const draw = () => low + (high - low) * random.uniform();
      const data = dtype === "float32"
        ? Float32Array.from({ length: size }, draw)
        : Int32Array.from({ length: size }, draw);
      inputs[`${index}/${k}`] = { data, shape, dtype } as HostTensor;
    })
  );
  const specs = Object.fromEntries(Object.entries(inputs).map(([name, { shape, dtype }]) => [name, { shape, dtype }]));
  return {
    inputs,
    program: {
      name: "parity",
      state: {},
      inputs: specs,
      apply(_state, fed) {
        const outputs: NamedTensors = {};
        list.forEach((item, index) => {
          const x = item.shapes.map((_, k) => fed[`${index}/${k}`]);
          const pass = record(() => {
            const made = item.run(x);
            const results = Array.isArray(made) ? made : [made];
            const floats = results.filter((result) => result.dtype === "float32" && result.size > 0);
            const loss = floats.length === 0 || item.gradient !== true
              ? null
              : floats.map((result) => tf.sum(tf.sin(tf.add(result, 0.3)))).reduce((a, b) => tf.add(a, b));
            return { results, loss };
          });
          pass.value.results.forEach((result, k) => outputs[`${index} value ${k}`] = result);
          if (pass.value.loss !== null) {
            const by = x.filter((value) => value.dtype === "float32");
            pass.gradients(pass.value.loss, by).forEach((gradient, k) => {
              if (gradient !== null) outputs[`${index} gradient ${k}`] = gradient;
            });
          }
          pass.dispose();
        });
        return { state: {}, outputs };
      },
    },
  };
}

async function runOn(engine: typeof eager, program: Program, inputs: NamedHostTensors): Promise<NamedHostTensors> {
  const state = engine.createState({});
  const ready = await engine.compile(program);
  const outputs = await ready.run(state, inputs);
  ready.dispose();
  return outputs;
}

Deno.test("every kernel of the rule table has a parity case", () => {
  const covered = new Set([...cases.map(({ kernel }) => kernel), "ArmlabNoise"]);
  assertEquals(Object.keys(kernelRules).filter((kernel) => !covered.has(kernel)), []);
});

Deno.test("compiled kernels and their gradients equal tfjs's on its CPU backend", async () => {
  const { program, inputs } = programOf(cases);
  const expected = await runOn(eager, program, inputs);
  const actual = await runOn(compiled, program, inputs);
  assertEquals(Object.keys(actual).sort(), Object.keys(expected).sort());
  const failures: string[] = [];
  for (const [name, { data, shape, dtype }] of Object.entries(expected)) {
    const index = Number(name.split(" ")[0]);
    const { kernel, shapes, tolerance = 1e-5 } = cases[index];
    const what = `${kernel} on ${JSON.stringify(shapes)}, ${name}`;
    try {
      assertEquals([...actual[name].shape], [...shape]);
      assertEquals(actual[name].dtype, dtype);
      assertClose(actual[name].data, data, tolerance);
    } catch (error) {
      failures.push(`${what}: ${(error as Error).message}`);
    }
  }
  assertEquals(failures, []);
});

Deno.test("noise is the same on both engines, and new whenever the key is", async () => {
  const program: Program = {
    name: "noise",
    state: {},
    inputs: { key: { shape: [2], dtype: "int32" } },
    apply: (_state, { key }) => ({
      state: {},
      outputs: {
        uniform: noise(key, 3, [50, 101], "uniform"),
        normal: noise(key, 3, [7, 3], "normal"),
        large: noise(key, 4, [9001], "normal"),
        other: noise(key, 5, [50, 101], "uniform"),
      },
    }),
  };
  const key = (a: number, b: number): NamedHostTensors => ({
    key: { data: Int32Array.from([a, b]), shape: [2], dtype: "int32" },
  });
  const expected = await runOn(eager, program, key(-5, 77));
  const actual = await runOn(compiled, program, key(-5, 77));
  assertEquals(actual.uniform.data, expected.uniform.data);
  assertClose(actual.normal.data, expected.normal.data, 2e-6);
  assertClose(actual.large.data, expected.large.data, 2e-6);
  const again = await runOn(compiled, program, key(-5, 78));
  const same = [...again.uniform.data].filter((value, i) => value === actual.uniform.data[i]).length;
  assert(same < 5, `${same} of 5050 values are equal under another key`);
  const n = actual.large.data.length;
  const mean = [...actual.large.data].reduce((sum, value) => sum + value, 0) / n;
  assertAlmostEquals(mean, 0, 5 / Math.sqrt(n));
  let product = 0;
  for (let i = 0; i < 5050; i++) product += (actual.uniform.data[i] - 0.5) * (actual.other.data[i] - 0.5) * 12 / 5050;
  assertAlmostEquals(product, 0, 5 / Math.sqrt(5050));
});
