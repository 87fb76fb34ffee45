/** Recurrent encoders against PyTorch's, on weights that both sides compute. */
import { assert, assertEquals } from "@std/assert";
import { type HostTensor, sizeOf } from "../../core/program.ts";
import { cpu, onnxCpu } from "../../engines/mod.ts";
import { gru, lstm } from "../../encoders/mod.ts";
import { toTorch } from "../../nn/mod.ts";
import { encoderCost } from "../../training/mod.ts";
import { filled, hostNoise, projection, run, startOf } from "../helpers/encoder.ts";
import { assertClose, golden } from "../helpers/tensors.ts";

interface Probe {
  pooled: number[];
  gradients: Record<string, [number, number]>;
  input: [number, number];
}
const reference = golden<Record<"gru" | "lstm", Record<"plain" | "deep" | "mean", Probe>>>("recurrent");
const engines = [await cpu.create(), await onnxCpu.create()];
const variants = {
  plain: { width: 5 },
  deep: { width: 5, layers: 2, bidirectional: true },
  mean: { width: 5, layers: 2, pooling: "mean" },
} as const;
const info = { shape: [7, 3], dtype: "float32", about: "noise" } as const;

for (const plugin of [gru, lstm]) {
  for (const [name, options] of Object.entries(variants)) {
    Deno.test(`${plugin.name}, ${name}, equals PyTorch's, gradients too`, async () => {
      const expected = reference[plugin.name as "gru" | "lstm"][name as keyof typeof variants];
      const input = hostNoise([2, 7, 3], 1, 0.1);
      const encoder = plugin.create(options, info);
      const weight = (_: string, shape: readonly number[], place: number) => hostNoise(shape, 0.6, place);
      const state = filled(startOf(engines[0], encoder, input), weight);
      const weighting = hostNoise([2, expected.pooled.length / 2], 1, 0.3);
      for (const engine of engines) {
        const found = await run(engine, encoder, input, state, "train", weighting);
        assertClose(found.pooled.data, expected.pooled, 1e-4);
        const near = (what: string, gradient: HostTensor, [dot, norm]: [number, number]) => {
          const ours = projection(gradient);
          const bound = 1e-3 * Math.max(0.01, norm);
          assert(Math.abs(ours.dot - dot) <= bound && Math.abs(ours.norm - norm) <= bound, `gradient of ${what}`);
        };
        const named = Object.entries(toTorch(found.gradients));
        assertEquals(named.length, Object.keys(expected.gradients).length);
        for (const [full, gradient] of named) near(full, gradient, expected.gradients[full.replace("encoder.x.", "")]);
        near("the input", found.input!, expected.input);
      }
    });
  }
}

Deno.test("recurrent encoders say what they need, and cost what their gates do", () => {
  assertEquals(gru.refuses({ shape: [7], dtype: "float32", about: "" }, {}), "it needs [steps, width] of numbers");
  assertEquals(gru.refuses(info, {}), null);
  for (const [plugin, gates] of [[gru, 3], [lstm, 4]] as const) {
    const cost = encoderCost(plugin.create({ width: 5 }, info), info, (build) => engines[1].abstract(build));
    assertEquals(cost, {
      parameters: gates * (sizeOf([5, 3]) + sizeOf([5, 5]) + 10),
      multiplyAdds: 7 * gates * (5 * 3 + 5 * 5),
    });
  }
});
