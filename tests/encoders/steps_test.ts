/**
 * Every encoder against torchvision's, timm's, Hugging Face's and PyTorch's own module of the same weights: names and
 * shapes, features, gradients and one step of SGD, run op by op and compiled.
 */
import { assert, assertEquals } from "@std/assert";
import type { HostTensor } from "../../core/program.ts";
import { cpu, onnxCpu } from "../../engines/mod.ts";
import { createLibrary } from "../../library.ts";
import { sgd, torchName, torchShape, toTorch } from "../../nn/mod.ts";
import { filled, hostNoise, projection, run, startOf } from "../helpers/encoder.ts";
import { encoderCases, weightOf } from "../helpers/encoder_cases.ts";
import { assertClose, golden } from "../helpers/tensors.ts";

interface Reference {
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  readonly pooled: readonly number[];
  readonly gradients: Readonly<Record<string, readonly [dot: number, norm: number]>>;
  readonly stepped: Readonly<Record<string, readonly [dot: number, norm: number]>>;
}

const references = golden<Record<string, Reference>>("encoder_steps");
const engines = [await cpu.create(), await onnxCpu.create()];
const optimizer = sgd({ momentum: 0.9, weightDecay: 5e-4 });

/** Whether a tensor is the reference's, by its product with noise and its norm, to a share of the norm. */
function assertNear(what: string, tensor: HostTensor, [dot, norm]: readonly [number, number], share: number): void {
  const ours = projection(tensor);
  // The error of a product is bounded by the norms of both.
  const bound = share * Math.max(0.01, norm) * Math.max(1, Math.sqrt(tensor.data.length / 3));
  assert(Math.abs(ours.norm - norm) <= share * Math.max(0.01, norm), `${what}: norm ${ours.norm} is not ${norm}`);
  assert(Math.abs(ours.dot - dot) <= bound, `${what}: ${ours.dot} is not ${dot}`);
}

for (const [name, { plugin, options, info, input }] of Object.entries(encoderCases(createLibrary()))) {
  Deno.test(`${name} equals PyTorch's: names, features, gradients, a step of SGD`, async () => {
    const expected = references[name];
    assertEquals(plugin.refuses(info, options), null);
    const encoder = plugin.create(options, info);
    const state = filled(startOf(engines[0], encoder, input), weightOf);
    const short = (full: string) => torchName(full).replace("encoder.x.", "");
    // What load_state_dict(strict=True) asks for.
    assertEquals(
      Object.fromEntries(
        Object.entries({ ...state.params, ...state.buffers })
          .map(([full, { shape }]) => [short(full), [...torchShape(full, shape)]]),
      ),
      expected.shapes,
    );
    const weighting = hostNoise([input.shape[0], expected.pooled.length / input.shape[0]], 1, 0.3);
    const scale = Math.max(1, ...expected.pooled.map(Math.abs));
    for (const engine of engines) {
      const found = await run(engine, encoder, input, state, "train", weighting, { optimizer, learningRate: 0.01 });
      assertClose(found.pooled.data, expected.pooled, 1e-4 * scale);
      const named = (tensors: typeof found.gradients) =>
        Object.entries(toTorch(tensors)).map(([full, value]) => [full.replace("encoder.x.", ""), value] as const);
      assertEquals(named(found.gradients).length, Object.keys(expected.gradients).length);
      for (const [own, value] of named(found.gradients)) {
        assertNear(`gradient of ${own}`, value, expected.gradients[own], 1e-3);
      }
      for (const [own, value] of named(found.stepped)) assertNear(own, value, expected.stepped[own], 1e-4);
      assertEquals(named(found.stepped).length, Object.keys(expected.stepped).length);
    }
  });
}
