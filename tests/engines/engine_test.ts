/** What only a tracing engine can get wrong, and the choice of an engine. */
import * as tf from "@tensorflow/tfjs";
import { assert, assertEquals, assertInstanceOf, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { float32, type NamedTensors, type Program } from "../../core/program.ts";
import { onnxCpu, selectEngine } from "../../engines/mod.ts";
import { TraceBreakError, UnsupportedKernelError } from "../../engines/onnx/errors.ts";
import { compileGraph, reshapedInputs } from "../../engines/onnx/engine.ts";
import { printGraph } from "../../engines/onnx/graph/ir.ts";
import { Refusal } from "../../core/refusal.ts";

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
    () => engine.compile(tracing((x) => tf.unique(tf.reshape(x, [-1])).values)),
    UnsupportedKernelError,
    "Cannot trace kernel Unique as the size of its result depends on values: express",
  );
  assertEquals((error as UnsupportedKernelError).kernel, "Unique");
  await assertRejects(
    () => engine.compile(tracing((x) => tf.fft(tf.complex(x, x)))),
    UnsupportedKernelError,
    "Cannot trace kernel Complex as ONNX Runtime has no complex tensors",
  );
});

Deno.test("what has no value for no elements is an error while tracing", async () => {
  const engine = await onnxCpu.create();
  for (
    const [run, message] of [
      [(x: tf.Tensor) => tf.argMax(tf.slice(x, [0, 3]), 1), "ArgMax as axis 1 must have elements: found [2, 0]"],
      [
        (x: tf.Tensor) => tf.image.resizeBilinear(tf.reshape(tf.slice(x, [0, 3]), [2, 0, 1, 1]) as tf.Tensor4D, [2, 2]),
        "the image must have pixels: found [2, 0, 1, 1]",
      ],
    ] as const
  ) await assertRejects(() => engine.compile(tracing(run)), Refusal, message);
});

Deno.test("setting undeclared state is an error", async () => {
  const engine = await onnxCpu.create();
  const program: Program = {
    ...tracing((x) => x),
    apply: (_state, { x }): { state: NamedTensors; outputs: NamedTensors } => ({ state: { w: x }, outputs: {} }),
  };
  await assertRejects(() => engine.compile(program), Refusal, 'it sets "w"');
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
  }, "any");
  const text = printGraph(graph);
  const count = (op: string) => graph.nodes.filter((node) => node.op === op).length;
  // In and out of channels-first once, and the filter once: nothing between the convolutions.
  assertEquals([count("Conv"), count("Relu"), count("Transpose"), count("Mul"), count("Add")], [2, 1, 3, 0, 0], text);
});

Deno.test("inputs in other shapes are inputs over the same arrays, not nodes", async () => {
  const program: Program = {
    name: "shapes",
    state: { w: { shape: [2, 3], dtype: "float32" }, unread: { shape: [2], dtype: "float32" } },
    inputs: { x: { shape: [6], dtype: "float32" } },
    apply: ({ w }, { x }) => ({
      state: { w: tf.reshape(tf.add(tf.reshape(w, [6]), x), [2, 3]) },
      outputs: {
        before: tf.neg(w),
        column: tf.mul(tf.reshape(w, [6, 1]), tf.reshape(x, [6, 1])),
        turned: tf.reshape(x, [3, 2]),
      },
    }),
  };
  const graph = reshapedInputs(compileGraph(program, "cpu"));
  assertEquals(graph.nodes.filter(({ op, inputs }) => op === "Reshape" && inputs[0]!.node === null), []);
  assertEquals(
    graph.inputs.map(({ name, value }) => `${name} ${value.shape}`).sort(),
    ["input:x 3,2", "input:x 6", "input:x 6,1", "state:w 2,3", "state:w 6", "state:w 6,1"],
  );
  const engine = await onnxCpu.create();
  const compiled = await engine.compile(program);
  const state = engine.createState({ w: float32([1, 2, 3, 4, 5, 6], [2, 3]), unread: float32([1, 2], [2]) });
  const x = float32([1, 0, 2, 0, 3, 0], [6]);
  for (const w of [[1, 2, 3, 4, 5, 6], [2, 2, 5, 4, 8, 6], [3, 2, 7, 4, 11, 6]]) {
    const { before, column, turned } = await compiled.run(state, { x });
    assertEquals([...before.data], w.map((value) => -value));
    assertEquals([...column.data], w.map((value, i) => value * x.data[i]));
    assertEquals([turned.shape, [...turned.data]], [[3, 2], [...x.data]]);
  }
  assertEquals([...(await state.read(["unread"])).unread.data], [1, 2]);
  compiled.dispose();
  state.dispose();
});

Deno.test("selectEngine() takes what is asked for, else the best that works, and speaks on unknown names", async () => {
  assertEquals((await selectEngine("onnx")).engine.name, "onnx:cpu");
  assertEquals((await selectEngine("cpu")).reason, "asked for");
  const { engine, reason } = await selectEngine(undefined);
  assertEquals(engine.name, "onnx:cpu");
  assertStringIncludes(reason, "the best that works");
  await assertRejects(() => selectEngine("cuda"), Refusal, 'Cannot find engine "cuda": engines are onnx:cpu, ');
  assertThrows(() => engine.abstract(() => tf.scalar(1).add(2).dataSync()), TraceBreakError);
});

Deno.test("the runtime is loaded with its usage reports switched off", async () => {
  // The runtime's reporting writes a log of its own into the folder for temporary files as soon as it starts.
  const folder = await Deno.makeTempDir();
  try {
    const engine = new URL("../../engines/onnx/engine.ts", import.meta.url).href;
    const code = `const { onnxEngine } = await import(${JSON.stringify(engine)});
      await (await onnxEngine()).dispose();
      console.log(Deno.env.get("ORT_DISABLE_TELEMETRY"));`;
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", "--config", new URL("../../deno.json", import.meta.url).pathname, code],
      env: { TMPDIR: folder },
    }).output();
    assertEquals(new TextDecoder().decode(stdout).trim(), "1");
    assertEquals([...Deno.readDirSync(folder)].filter(({ name }) => name.startsWith("mat-debug")), []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("rows added at one place are all counted, with several threads too", async () => {
  const size = 2 ** 17;
  const numbers = Int32Array.from({ length: size }, (_, k) => k % 4);
  const engine = await onnxCpu.create({ threads: 2 });
  const compiled = await engine.compile({
    name: "sums",
    state: {},
    inputs: { numbers: { shape: [size, 1], dtype: "int32" } },
    apply: (_state, { numbers }) => ({
      state: {},
      outputs: {
        scattered: tf.scatterND(numbers, tf.ones([size]), [4]),
        segments: tf.unsortedSegmentSum(tf.ones([size, 2]), tf.reshape(numbers, [size]) as tf.Tensor1D, 4),
      },
    }),
  });
  const state = engine.createState({});
  for (let run = 0; run < 5; run++) {
    const feeds = { numbers: { shape: [size, 1], dtype: "int32" as const, data: numbers } };
    const { scattered, segments } = await compiled.run(state, feeds);
    assertEquals([...scattered.data], new Array(4).fill(size / 4));
    assertEquals([...segments.data], new Array(8).fill(size / 4));
  }
  compiled.dispose();
  await engine.dispose();
});
