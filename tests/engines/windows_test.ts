/** Convolutions and pooling of random geometry agree on the eager and the compiled engine, values and gradients. */
import * as tf from "@tensorflow/tfjs";
import { assert, assertEquals } from "@std/assert";
import fc from "../helpers/properties.ts";
import { cpu, onnxCpu } from "../../engines/mod.ts";
import { assertClose } from "../helpers/tensors.ts";
import { argumentsOf, type Case, programOf } from "./parity/case.ts";

const eager = await cpu.create();
const compiled = await onnxCpu.create();

const pair = (min: number, max: number): fc.Arbitrary<[number, number]> =>
  fc.tuple(fc.integer({ min, max }), fc.integer({ min, max }));

const geometry = fc.record({
  kind: fc.constantFrom("conv", "depthwise", "transpose", "max", "average"),
  batch: fc.integer({ min: 1, max: 3 }),
  size: pair(1, 9),
  kernel: pair(1, 4),
  strides: pair(1, 3),
  dilations: pair(1, 3),
  dilated: fc.boolean(),
  pad: fc.constantFrom<"same" | "valid" | 0 | 1 | 2>("same", "valid", 0, 1, 2),
  // From eight channels on gradients are taken apart.
  channels: fc.tuple(fc.constantFrom(1, 2, 3, 8, 9), fc.integer({ min: 1, max: 3 })),
});

type Geometry = typeof geometry extends fc.Arbitrary<infer G> ? G : never;

/** The case, or nothing where no window fits. */
function caseOf(g: Geometry): Case | null {
  const { kind, batch, size, kernel, pad, channels: [from, to] } = g;
  // tfjs wants either strides or dilations.
  const dilations: [number, number] = g.dilated && (kind === "conv" || kind === "depthwise") ? g.dilations : [1, 1];
  const strides: [number, number] = dilations.some((step) => step > 1) ? [1, 1] : g.strides;
  const reach = kernel.map((extent, i) => (extent - 1) * dilations[i] + 1);
  // Of paddings as numbers tfjs computes one extent from the height alone, so the window must be square.
  if (typeof pad === "number" && (reach[0] !== reach[1] || strides[0] !== strides[1] || pad >= kernel[0])) return null;
  const around = typeof pad === "number" ? 2 * pad : 0;
  if (pad !== "same" && reach.some((extent, i) => size[i] + around < extent)) return null;
  const rounding = typeof pad === "number" ? "floor" as const : undefined;
  const x: readonly number[] = [batch, ...size, from];
  const as4d = (tensor: tf.Tensor) => tensor as tf.Tensor4D;
  switch (kind) {
    case "conv":
      return {
        shapes: [x, [...kernel, from, to]],
        run: ([a, w]) => tf.conv2d(as4d(a), as4d(w), strides, pad, "NHWC", dilations, rounding),
      };
    case "depthwise":
      return {
        shapes: [x, [...kernel, from, to]],
        run: ([a, w]) => tf.depthwiseConv2d(as4d(a), as4d(w), strides, pad, "NHWC", dilations, rounding),
      };
    case "transpose": {
      if (typeof pad === "number") return null;
      const extent = (i: number) => pad === "same" ? size[i] * strides[i] : (size[i] - 1) * strides[i] + kernel[i];
      return {
        shapes: [x, [...kernel, to, from]],
        run: ([a, w]) => tf.conv2dTranspose(as4d(a), as4d(w), [batch, extent(0), extent(1), to], strides, pad),
      };
    }
    case "max":
      return { shapes: [x], run: ([a]) => tf.maxPool(as4d(a), kernel, strides, pad, rounding) };
    case "average":
      return {
        shapes: [x],
        run: ([a]) => tf.avgPool(as4d(a), kernel, strides, pad, rounding),
        ...(pad === "valid" || pad === 0 ? {} : { gradient: "differences" as const, wrong: "see the parity cases" }),
      };
  }
}

Deno.test("windows of random geometry have the same values and gradients eager and compiled", async () => {
  let seen = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(geometry, { minLength: 8, maxLength: 16 }), async (list) => {
      const cases = list.map(caseOf).filter((item) => item !== null);
      if (cases.length === 0) return;
      seen += cases.length;
      const inputs = argumentsOf(cases, 7);
      const run = async (engine: typeof eager, measure: boolean) => {
        const ready = await engine.compile(programOf(cases, inputs, measure));
        const outputs = await ready.run(engine.createState({}), inputs);
        ready.dispose();
        return outputs;
      };
      const [expected, actual] = [await run(eager, true), await run(compiled, false)];
      for (const [name, { data, shape }] of Object.entries(expected)) {
        assertEquals([name, ...actual[name].shape], [name, ...shape]);
        assertClose(actual[name].data, data, 1e-4);
      }
    }),
    { seed: 20260102, numRuns: 30 },
  );
  assert(seen > 100, `only ${seen} geometries could be run`);
});
