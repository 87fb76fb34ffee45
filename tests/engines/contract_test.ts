/**
 * What every engine must do: one suite for all of them.
 *
 * `ARMLAB_TEST_ENGINES` names the engines to test, apart from those that work everywhere. A named engine must work: its
 * absence is a failure, not a skip. The tests of software drivers (`device_test.ts`) use this in a process of its own.
 */
import * as tf from "@tensorflow/tfjs";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type Engine, float32, int32, type NamedHostTensors, type Program } from "../../core/program.ts";
import { cpu, onnxCpu, wasm } from "../../engines/mod.ts";
import { createLibrary } from "../../library.ts";
import { train } from "../../training/mod.ts";
import { linearBatch, linearStart, linearStep, networkBatch, networkStep } from "../helpers/engine_programs.ts";
import { enginesUnderTest } from "../helpers/engines_under_test.ts";
import { assertClose } from "../helpers/tensors.ts";
import { toyDataset, toyModel, toyTraining } from "../helpers/toy.ts";
import { Refusal } from "../../core/refusal.ts";

const tested = enginesUnderTest([onnxCpu, wasm, cpu]);

async function linearTrajectory(engine: Engine): Promise<number[]> {
  const state = engine.createState(linearStart());
  const program = await engine.compile(linearStep);
  const values: number[] = [];
  for (let i = 0; i < 6; i++) values.push((await program.run(state, linearBatch(i))).loss.data[0]);
  values.push(...(await state.read(["w"])).w.data, ...(await state.read(["unused"])).unused.data);
  assertEquals(program.stats().runs, 6);
  program.dispose();
  state.dispose();
  await engine.dispose();
  return values;
}

/** Losses of four steps of the network, and its state after them. */
async function networkTrajectory(
  engine: Engine,
  optimizer: "sgd" | "adamw",
): Promise<{ start: NamedHostTensors; losses: number[]; state: NamedHostTensors }> {
  const { program, start } = networkStep(optimizer, (run) => engine.abstract(run));
  const state = engine.createState(start);
  const compiled = await engine.compile(program);
  const losses: number[] = [];
  for (let i = 0; i < 4; i++) losses.push((await compiled.run(state, networkBatch(i))).loss.data[0]);
  const after = await state.read();
  compiled.dispose();
  state.dispose();
  return { start, losses, state: after };
}

const reference = {
  sgd: await networkTrajectory(await cpu.create(), "sgd"),
  adamw: await networkTrajectory(await cpu.create(), "adamw"),
};

for (const plugin of tested) {
  const test = (what: string, run: () => Promise<void>) => Deno.test(`engine ${plugin.name} ${what}`, run);

  test("works here and names itself, its version and its device", async () => {
    assertEquals(await plugin.unavailable(), null);
    const engine = await plugin.create({ threads: 1 });
    assertEquals(engine.name, plugin.name);
    assert(/\d+\.\d+\.\d+/.test(engine.version), engine.version);
    assert(engine.device.length > 2);
    await engine.dispose();
  });

  test("trains, keeps untouched state and repeats itself bit for bit", async () => {
    const first = await linearTrajectory(await plugin.create({ threads: 1 }));
    assertEquals(await linearTrajectory(await plugin.create({ threads: 1 })), first);
    assert(first[5] < first[0]);
    assertEquals(first.slice(-2), [7, 8]);
    assertClose(first, await linearTrajectory(await cpu.create()), 1e-5);
  });

  for (const optimizer of ["sgd", "adamw"] as const) {
    test(`takes the same ${optimizer} steps of a convolutional network as cpu`, async () => {
      const found = await networkTrajectory(await plugin.create({ threads: 1 }), optimizer);
      const { start, losses, state } = reference[optimizer];
      assertClose(found.losses, losses, 1e-4);
      assertEquals(Object.keys(found.state).sort(), Object.keys(state).sort());
      for (const [name, { data, shape, dtype }] of Object.entries(state)) {
        assertEquals([found.state[name].shape, found.state[name].dtype], [shape, dtype], name);
        // A gradient that is zero up to rounding has any sign, and AdamW's first steps have its sign alone.
        const vanishing = optimizer === "adamw" && /norm|conv1|bias/.test(name);
        if (!vanishing) assertClose(found.state[name].data, data, 5e-4);
      }
      for (const [name, { data }] of Object.entries(start)) {
        assert(found.state[name].data.some((value, i) => value !== data[i]), `${name} was not updated`);
      }
    });
  }

  test("trains a run of the harness like cpu", async () => {
    const dataset = await toyDataset(2, { train: 40, validation: 12, test: 12 });
    const run = async (engine: Engine) => {
      const library = createLibrary();
      // Software drivers of graphics cards compile each operation for long: there, the harness alone.
      const model = toyModel(library, dataset, "concat", plugin.name.includes("webgpu") ? [] : ["arm"]);
      const training = { ...toyTraining, epochs: plugin.name === "webgpu" ? 1 : 2, batchSize: 12 };
      const { summary } = await train({ model, dataset, engine, training, seed: 1 });
      await engine.dispose();
      return [summary.validation.loss, summary.test.loss, summary.test.perModality.audio.nmi];
    };
    assertClose(await run(await plugin.create({ threads: 1 })), await run(await cpu.create()), 2e-3);
  });

  test("refuses wrong inputs and states with one clear message", async () => {
    const engine = await plugin.create();
    const state = engine.createState(linearStart());
    const program = await engine.compile(linearStep);
    const { x, y } = linearBatch();
    const rejects = (run: () => Promise<unknown>, message: string) => assertRejects(run, Refusal, message);
    await rejects(() => program.run(state, { x }), 'input "y" is missing');
    await rejects(() => program.run(state, { x, y, z: x }), 'input "z" is not among x, y');
    await rejects(
      () => program.run(state, { x: float32(new Float32Array(16), [4, 4]), y }),
      'input "x" must be float32 [5, 4]: found float32 [4, 4]',
    );
    await rejects(() => program.run(state, { x, y: float32([0, 0, 0, 0, 0], [5]) }), "must be int32 [5]");
    await rejects(() => program.run(engine.createState({}), { x, y }), 'state "w" must be');
    await rejects(() => state.write({ nope: x }), 'Cannot write state "nope"');
    await rejects(() => state.write({ w: x }), "must be float32 [4, 3]: found float32 [5, 4]");
    await rejects(() => state.read(["nope"]), 'Cannot read state "nope"');
    await rejects(() => state.read(["constructor"]), 'Cannot read state "constructor"');
    await rejects(
      () => state.write({ constructor: x } as unknown as NamedHostTensors),
      'Cannot write state "constructor"',
    );
    const other = plugin.name === "cpu" ? await onnxCpu.create() : await cpu.create();
    const foreign = other.createState(linearStart());
    await rejects(() => program.run(foreign, { x, y }), "must be made by the same engine");
    foreign.dispose();
    // What was refused changed nothing.
    assertEquals((await program.run(state, { x, y })).loss.shape, []);
    program.dispose();
    state.dispose();
    await engine.dispose();
  });

  test("refuses arrays of another element type, length or value than the tensor's, on every entry", async () => {
    const engine = await plugin.create();
    const specs = {
      f: { shape: [2], dtype: "float32" },
      i: { shape: [2], dtype: "int32" },
      t: { shape: [2], dtype: "bool" },
    } as const;
    const program = await engine.compile({
      name: "typed",
      state: specs,
      inputs: specs,
      apply: (state, inputs) => ({ state: {}, outputs: { f: inputs.f, i: inputs.i, t: inputs.t, kept: state.f } }),
    });
    const good = {
      f: { data: Float32Array.of(1, 2, 3).subarray(1), shape: [2], dtype: "float32" },
      i: { data: Int32Array.of(3, -4), shape: [2], dtype: "int32" },
      t: { data: Uint8Array.of(1, 0), shape: [2], dtype: "bool" },
    } as const satisfies NamedHostTensors;
    const bad: readonly [keyof typeof good, unknown, string][] = [
      ["f", Int32Array.of(1, 2), "must be float32 in a Float32Array: found Int32Array"],
      ["f", Float64Array.of(1, 2), "must be float32 in a Float32Array: found Float64Array"],
      ["f", [1, 2], "must be float32 in a Float32Array: found Array"],
      ["i", Float32Array.of(1, 2), "must be int32 in an Int32Array: found Float32Array"],
      ["i", Uint32Array.of(1, 2), "must be int32 in an Int32Array: found Uint32Array"],
      ["t", Float32Array.of(1, 0), "must be bool in a Uint8Array: found Float32Array"],
      ["t", Uint8Array.of(1, 128), "must be bool, bytes of 0 and 1: found 128 at place 1"],
      ["f", Float32Array.of(1, 2, 3), "must be float32 [2], 2 values: found 3"],
    ];
    const state = engine.createState(good);
    for (const [name, data, message] of bad) {
      const wrong = { ...good, [name]: { ...good[name], data } } as NamedHostTensors;
      await assertRejects(() => program.run(state, wrong), Refusal, `input "${name}" ${message}`);
      await assertRejects(() => state.write({ [name]: wrong[name] }), Refusal, `it ${message}`);
      assertThrows(() => engine.createState(wrong), Refusal, `"${name}" ${message}`);
    }
    const strange = { f: { ...good.f, dtype: "float64" } } as unknown as NamedHostTensors;
    assertThrows(() => engine.createState(strange), Refusal, '"f" must be of type float32, int32, bool: found float64');
    const odd = { f: { ...good.f, shape: [-1, -2] } };
    assertThrows(() => engine.createState(odd), Refusal, "must be of a shape of integers >= 0: found [-1, -2]");
    // What was refused changed nothing, and a view of a longer array is read from where it begins.
    const outputs = await program.run(state, good);
    assertEquals([[...outputs.f.data], [...outputs.i.data], [...outputs.t.data]], [[2, 3], [3, -4], [1, 0]]);
    assertEquals([...outputs.kept.data], [2, 3]);
    program.dispose();
    state.dispose();
    await engine.dispose();
  });

  test("refuses programs that set state they do not declare, or to another shape", async () => {
    const engine = await plugin.create();
    const setting = (name: string, shape: number[]): Program => ({
      name: "setting",
      state: { a: { shape: [2], dtype: "float32" } },
      inputs: { x: { shape: [2], dtype: "float32" } },
      apply: (_, { x }) => ({ state: { [name]: tf.reshape(x, shape) }, outputs: {} }),
    });
    const run = async (program: Program) => {
      const compiled = await engine.compile(program);
      const state = engine.createState({ a: float32([1, 2], [2]) });
      await compiled.run(state, { x: float32([1, 2], [2]) });
    };
    await assertRejects(() => run(setting("w", [2])), Refusal, 'it sets "w"');
    await assertRejects(() => run(setting("a", [2, 1])), Refusal, 'must set state "a" to float32 [2]');
    await engine.dispose();
  });

  test("takes one tensor as two outputs, an input as output, constants, truths and integers", async () => {
    const engine = await plugin.create();
    const program = await engine.compile({
      name: "ports",
      state: {
        a: { shape: [2], dtype: "float32" },
        b: { shape: [2], dtype: "float32" },
        count: { shape: [], dtype: "int32" },
      },
      inputs: { x: { shape: [2], dtype: "float32" }, mask: { shape: [2], dtype: "bool" } },
      apply: ({ a, count }, { x, mask }) => {
        const sum = tf.add(a, x);
        return {
          state: { a: sum, b: a, count: tf.add(count, tf.scalar(1, "int32")) },
          outputs: {
            sum,
            same: sum,
            x,
            constant: tf.tensor1d([1, 2]),
            ones: tf.ones([3]),
            less: tf.less(a, x),
            neither: tf.logicalNot(mask),
            best: tf.argMax(sum as tf.Tensor1D),
          },
        };
      },
    });
    const state = engine.createState({ a: float32([1, 2], [2]), b: float32([0, 0], [2]), count: int32([3], []) });
    const mask = { data: new Uint8Array([1, 0]), shape: [2], dtype: "bool" } as const;
    const outputs = await program.run(state, { x: float32([10, 1], [2]), mask });
    assertEquals(
      Object.fromEntries(Object.entries(outputs).map(([name, { data, dtype }]) => [name, [dtype, ...data]])),
      {
        sum: ["float32", 11, 3],
        same: ["float32", 11, 3],
        x: ["float32", 10, 1],
        constant: ["float32", 1, 2],
        ones: ["float32", 1, 1, 1],
        less: ["bool", 1, 0],
        neither: ["bool", 0, 1],
        best: ["int32", 0],
      },
    );
    const read = async (name: string) => [...(await state.read([name]))[name].data];
    assertEquals([await read("b"), await read("count")], [[1, 2], [4]]);
    // What was returned belongs to the caller: a later run does not change it.
    await program.run(state, { x: float32([1, 1], [2]), mask });
    assertEquals([...outputs.sum.data], [11, 3]);
    assertEquals([await read("a"), await read("b"), await read("count")], [[12, 4], [11, 3], [5]]);
    program.dispose();
    state.dispose();
    await engine.dispose();
  });

  test("reads what was written, shares state between programs, and keeps callers' arrays apart", async () => {
    const engine = await plugin.create();
    const values = linearStart();
    const state = engine.createState(values);
    values.w.data.fill(99);
    assertEquals((await state.read(["w"])).w, linearStart().w);
    const [first, second] = await Promise.all([engine.compile(linearStep), engine.compile(linearStep)]);
    await first.run(state, linearBatch(0));
    const { loss } = await second.run(state, linearBatch(0));
    const written = await state.read(["w", "v"]);
    await state.write(linearStart());
    await first.run(state, linearBatch(0));
    assertEquals((await second.run(state, linearBatch(0))).loss.data, loss.data);
    assertEquals(await state.read(["w", "v"]), written);
    written.w.data.fill(0);
    assert((await state.read(["w"])).w.data.some((value) => value !== 0));
    // What is written is what was given, whatever becomes of it while the writing waits for its turn.
    const given = linearStart();
    const writing = state.write(given);
    given.w.data.fill(99);
    await writing;
    assertEquals((await state.read(["w"])).w, linearStart().w);
    // What is started before the last run has ended waits for its turn.
    await state.write(linearStart());
    const losses: number[] = [];
    for (const phase of [0, 1, 2]) losses.push((await first.run(state, linearBatch(phase))).loss.data[0]);
    const after = await state.read();
    const [, ...runs] = await Promise.all([
      state.write(linearStart()),
      ...[0, 1, 2].map((phase) => first.run(state, linearBatch(phase))),
    ]);
    assertEquals(runs.map((outputs) => outputs.loss.data[0]), losses);
    assertEquals(await state.read(), after);
    first.dispose();
    second.dispose();
    state.dispose();
    await engine.dispose();
  });

  test("does not grow: no tensor is left, memory stays", async () => {
    const engine = await plugin.create();
    const { program, start } = networkStep("sgd", (run) => engine.abstract(run));
    const state = engine.createState(start);
    const compiled = await engine.compile(program);
    // Long where runs are quick: a leak of graphics memory shows early, as every run makes hundreds of buffers.
    const runs = plugin.name === "onnx:cpu" ? 1000 : plugin.name.includes("webgpu") ? 8 : 40;
    for (let i = 0; i < runs / 4; i++) await compiled.run(state, networkBatch(i % 4));
    const tensors = tf.memory().numTensors;
    const before = Deno.memoryUsage().rss;
    for (let i = 0; i < runs; i++) {
      await compiled.run(state, networkBatch(i % 4));
      if (i % 10 === 0) await state.read(["step"]);
    }
    await state.write({ step: float32([0], []) });
    const growth = (Deno.memoryUsage().rss - before) / 2 ** 20;
    assertEquals(tf.memory().numTensors, tensors);
    // A leak of the state or of the intermediate values would be far more than the collector's own swing.
    assert(growth < 64, `grew by ${growth.toFixed(0)} MiB`);
    compiled.dispose();
    state.dispose();
    assert(tf.memory().numTensors <= tensors);
    await engine.dispose();
  });

  test("works in turn with another engine in one process", async () => {
    const [own, other] = [await plugin.create(), await (plugin.name === "cpu" ? wasm : cpu).create()];
    const states = [own, other].map((engine) => engine.createState(linearStart()));
    const programs = [await own.compile(linearStep), await other.compile(linearStep)];
    for (let i = 0; i < 3; i++) {
      const losses = await Promise.all(programs.map((program, k) => program.run(states[k], linearBatch(i))));
      assertClose(losses[0].loss.data, losses[1].loss.data, 1e-5);
    }
    assertClose((await states[0].read(["w"])).w.data, (await states[1].read(["w"])).w.data, 1e-5);
    for (const state of states) state.dispose();
    for (const program of programs) program.dispose();
    await own.dispose();
    await other.dispose();
  });
}
