import * as tf from "@tensorflow/tfjs";
import { assert, assertAlmostEquals, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { multinomial, noise } from "../../tensor/noise.ts";
import type { HostTensor, NamedHostTensors, Program } from "../../core/program.ts";
import { Random } from "../../core/random.ts";
import { cpu, onnxCpu } from "../../engines/mod.ts";
import type { KernelName } from "../../engines/onnx/trace/kernels.ts";
import { assertClose } from "../helpers/tensors.ts";
import { argumentsOf, type Case, programOf } from "./parity/case.ts";
import { composedCases } from "./parity/composed.ts";
import { Coverage, nodesOf } from "./parity/coverage.ts";
import { parityFamilies } from "./parity/mod.ts";
import { Refusal } from "../../core/refusal.ts";

const eager = await cpu.create();
const compiled = await onnxCpu.create();

async function runOn(engine: typeof eager, job: Program, fed: NamedHostTensors): Promise<NamedHostTensors> {
  const state = engine.createState({});
  const ready = await engine.compile(job);
  const outputs = await ready.run(state, fed);
  ready.dispose();
  return outputs;
}

/** The cases of one family as one program: a session costs more than a case. */
class Family {
  readonly kernels: string[] = [];
  readonly cases: Case[] = [];
  readonly inputs: NamedHostTensors;
  readonly program: Program;

  constructor(table: Readonly<Record<string, readonly Case[]>>) {
    for (const [kernel, list] of Object.entries(table)) {
      for (const item of list) {
        this.kernels.push(kernel);
        this.cases.push(item);
      }
    }
    this.inputs = argumentsOf(this.cases, 11);
    this.program = programOf(this.cases, this.inputs, false);
  }

  /** For example `Conv2D on [[1,4,4,1],[1,1,1,2]], value 0`. */
  title(output: string): string {
    const [index, ...what] = output.split(" ");
    return `${this.kernels[Number(index)]} on ${JSON.stringify(this.cases[Number(index)].shapes)}, ${what.join(" ")}`;
  }

  /** Fails with every message that a check of an output threw. */
  assertAll(names: readonly string[], check: (name: string, item: Case) => void): void {
    const failures: string[] = [];
    for (const name of names) {
      try {
        check(name, this.cases[Number(name.split(" ")[0])]);
      } catch (error) {
        failures.push(`${this.title(name)}: ${(error as Error).message}`);
      }
    }
    assertEquals(failures, []);
  }
}

/** Compiled results against tfjs's; where tfjs is not asked, against a reference implementation. */
async function assertParity(family: Family, actual: NamedHostTensors): Promise<void> {
  const measure = programOf(family.cases, family.inputs, true);
  const expected = await runOn(eager, measure, family.inputs);
  family.assertAll(Object.keys(expected), (name, { tolerance = 1e-5 }) => {
    assert(Object.hasOwn(actual, name), "the compiled program has no such output");
    assertEquals(actual[name].dtype, expected[name].dtype);
    assertEquals([...actual[name].shape], [...expected[name].shape]);
    const bound = name.endsWith("loss") ? Math.max(tolerance, 1e-5) : tolerance;
    assertClose(actual[name].data, expected[name].data, bound);
  });
  const rest = Object.keys(actual).filter((name) => !Object.hasOwn(expected, name) && !name.endsWith("loss"));
  family.assertAll(rest, (name, { wrong, reference, tolerance = 1e-5 }) => {
    assert(wrong !== undefined, "the case must say what tfjs does wrong");
    const [_, kind, number] = name.split(" ");
    const right = kind === "value" ? reference?.values[Number(number)] : reference?.gradients?.[Number(number)];
    if (right !== undefined) assertClose(actual[name].data, right, tolerance);
  });
}

/**
 * Compiled gradients against finite differences: tfjs's own gradients are wrong in places, and parity would not notice.
 * One random direction v per case: the change of the loss along v is the gradient times v.
 */
async function assertDifferences(
  family: Family,
  middle: NamedHostTensors,
  run: (fed: NamedHostTensors) => Promise<NamedHostTensors>,
): Promise<void> {
  const step = 2e-3;
  const direction: Record<string, Float32Array> = {};
  const moved = (sign: number): NamedHostTensors =>
    Object.fromEntries(
      Object.entries(family.inputs).map(([name, host]) => {
        if (host.dtype !== "float32") return [name, host];
        const [index, k] = name.split("/").map(Number);
        const random = new Random(5).split(JSON.stringify(family.cases[index].shapes), k);
        direction[name] = Float32Array.from(host.data, () => random.uniform() < 0.5 ? -1 : 1);
        const data = (host.data as Float32Array).map((value, i) => value + sign * step * direction[name][i]);
        return [name, { ...host, data } as HostTensor];
      }),
    );
  const [high, low] = [await run(moved(1)), await run(moved(-1))];
  family.assertAll(Object.keys(middle).filter((name) => name.endsWith(" loss")), (name, { shapes, differences }) => {
    if (differences === false) return;
    const index = Number(name.split(" ")[0]);
    let [slope, size] = [0, 0];
    shapes.forEach((shape, k) => {
      const gradient = middle[`${index} gradient ${k}`];
      const along = direction[`${index}/${k}`];
      if (gradient === undefined || along === undefined) return;
      assertEquals([...gradient.shape], [...shape]);
      along.forEach((v, i) => {
        slope += v * gradient.data[i];
        size += Math.abs(gradient.data[i]);
      });
    });
    const difference = (high[name].data[0] - low[name].data[0]) / (2 * step);
    assertAlmostEquals(slope, difference, 0.01 + 0.005 * size);
  });
}

/** Compiles a family once and holds it against tfjs and against finite differences. */
async function assertFamily(family: Family): Promise<void> {
  const state = compiled.createState({});
  const ready = await compiled.compile(family.program);
  const outputs = await ready.run(state, family.inputs);
  await assertParity(family, outputs);
  await assertDifferences(family, outputs, (fed) => ready.run(state, fed));
  ready.dispose();
}

for (const [name, table] of Object.entries(parityFamilies)) {
  const family = new Family(table);
  const coverage = new Coverage();

  Deno.test(`cases of ${name} run their kernels, on odd, single, empty and broadcast shapes`, () => {
    const missing = family.cases.map((item, index): string | null => {
      const nodes = nodesOf(item);
      coverage.add(item, nodes);
      return nodes.some(({ op }) => op === family.kernels[index]) ? null : family.title(`${index} nodes`);
    });
    assertEquals(missing.filter((title) => title !== null), []);
    // A kernel of a gradient runs where another kernel's case is differentiated.
    assertEquals(Object.keys(table).flatMap((kernel) => coverage.faults(kernel as KernelName)), []);
  });

  Deno.test(
    `compiled kernels of ${name} equal tfjs's on its CPU, their gradients finite differences too`,
    () => assertFamily(family),
  );
}

Deno.test("compiled operations that tfjs composes equal its own, their gradients finite differences too", () =>
  assertFamily(new Family(composedCases)));

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

Deno.test("classes drawn from a key have the given probabilities and are the same on both engines", async () => {
  const probabilities = [0.5, 0, 0.2, 0.3];
  const program: Program = {
    name: "classes",
    state: {},
    inputs: { key: { shape: [2], dtype: "int32" }, logits: { shape: [2, 4], dtype: "float32" } },
    apply: (_state, { key, logits }) => ({ state: {}, outputs: { drawn: multinomial(key, 2, logits, 4000) } }),
  };
  const logits = [...probabilities, ...[...probabilities].reverse()].map((p) => Math.log(p) + 3);
  const fed: NamedHostTensors = {
    key: { data: Int32Array.from([8, -9]), shape: [2], dtype: "int32" },
    logits: { data: Float32Array.from(logits), shape: [2, 4], dtype: "float32" },
  };
  const [expected, actual] = [await runOn(eager, program, fed), await runOn(compiled, program, fed)];
  assertEquals(actual.drawn.dtype, "int32");
  assertEquals([...actual.drawn.shape], [2, 4000]);
  const values = [...actual.drawn.data];
  // A draw within rounding of a bound may fall to either side.
  assert(values.filter((value, i) => value !== expected.drawn.data[i]).length <= 2);
  [values.slice(0, 4000), values.slice(4000).map((value) => 3 - value)].forEach((row) =>
    probabilities.forEach((p, k) => {
      const share = row.filter((value) => value === k).length / 4000;
      assertAlmostEquals(share, p, 4 * Math.sqrt(p * (1 - p) / 4000));
    })
  );
  const error = assertThrows(() => multinomial(tf.tensor1d([1, 2], "int32"), 0, tf.tensor1d([1, 2]), 3), Refusal);
  assertStringIncludes(error.message, "the logits must have the shape [batch, classes]: found [2]");
});
