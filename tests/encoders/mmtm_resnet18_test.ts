/** Two ResNet-18, one on clips, joined by MMTM in the harness, against torchvision's with MMTM written in PyTorch. */
import * as tf from "@tensorflow/tfjs";
import { assert, assertEquals } from "@std/assert";
import { record } from "../../tensor/autodiff.ts";
import { byModality } from "../../core/modality.ts";
import { type HostTensor, type NamedHostTensors, type NamedTensors, type Program, sizeOf } from "../../core/program.ts";
import { resnet18 } from "../../encoders/mod.ts";
import { onnxCpu } from "../../engines/mod.ts";
import { mmtm } from "../../fusion/mod.ts";
import { bindScope, discover, toTorch } from "../../nn/mod.ts";
import { forward, type Model } from "../../training/mod.ts";
import { channelsLast, filled, hostNoise, projection, shaped } from "../helpers/encoder.ts";
import { assertClose, golden } from "../helpers/tensors.ts";

type Projected = Record<string, [number, number]>;
const reference = golden<{ logits: number[]; gradients: Projected; running: Projected }>("mmtm_resnet18");

/** The weights of tests/golden/mmtm_resnet18.py. */
function weight(name: string, shape: readonly number[], place: number): HostTensor {
  if (shape.length > 1) return hostNoise(shape, Math.sqrt(6 / sizeOf(shape.slice(1))), place);
  return name.endsWith("bias") || name.endsWith("running_mean")
    ? hostNoise(shape, 0.2, place)
    : hostNoise(shape, 0.3, place, 1);
}

Deno.test("two resnet18 under mmtm, images and clips of unequal size, equal PyTorch's, gradients and statistics too", async () => {
  const inputs: Record<string, HostTensor> = {
    audio: channelsLast(hostNoise([3, 1, 64, 33], 1, 0.1)),
    clip: channelsLast(hostNoise([3, 2, 3, 40, 48], 1, 0.2)),
  };
  const modalities = Object.keys(inputs);
  const context = { modalities, classes: 4 };
  const model: Model = {
    context,
    encoders: byModality(
      modalities,
      (modality) => resnet18.create({}, { shape: inputs[modality].shape.slice(1), dtype: "float32", about: "noise" }),
    ),
    fusion: mmtm.create({ stages: 3 }, context),
    methods: [],
  };
  const rows = () => tf.zeros([3, 1]) as tf.Tensor2D;
  const engine = await onnxCpu.create();
  const found = discover((scope) => {
    forward(
      model,
      { inputs: byModality(modalities, (name) => tf.zeros([...inputs[name].shape])), keep: null, rows },
      scope,
    );
  }, { abstract: (run) => engine.abstract(run) });
  // Of the buffers, those of batch normalisation are PyTorch's; the others start at 0.
  const buffers = shaped(found.buffers);
  const statistics = Object.fromEntries(Object.entries(buffers).filter(([name]) => name.startsWith("encoder:")));
  const state = filled({ params: shaped(found.params), buffers: statistics }, weight);
  const held: NamedHostTensors = {};
  for (const [name, value] of Object.entries(state.params)) held[`param:${name}`] = value;
  for (const [name, value] of Object.entries({ ...buffers, ...state.buffers })) held[`buffer:${name}`] = value;

  const specs = (tensors: NamedHostTensors) =>
    Object.fromEntries(Object.entries(tensors).map(([name, { shape, dtype }]) => [name, { shape, dtype }]));
  const under = <T>(prefix: string, tensors: Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(
      Object.entries(tensors).filter(([name]) => name.startsWith(prefix))
        .map(([name, value]) => [name.slice(prefix.length), value]),
    );
  const fed = { ...inputs, weighting: hostNoise([3, 4], 1, 0.3) };
  const program: Program = {
    name: "mmtm",
    state: specs(held),
    inputs: specs(fed),
    apply(given, x) {
      const params = under("param:", given);
      const bound = bindScope({ params, buffers: under("buffer:", given), controls: {}, key: null, mode: "train" });
      const pass = record(() => {
        const { step } = forward(
          model,
          { inputs: byModality(modalities, (name) => x[name]), keep: null, rows },
          bound.scope,
        );
        return { logits: step.output.logits, loss: tf.sum(tf.mul(step.output.logits, x.weighting)) };
      });
      const outputs: NamedTensors = { logits: pass.value.logits };
      const names = Object.keys(params);
      pass.gradients(pass.value.loss, names.map((name) => params[name])).forEach((gradient, k) => {
        if (gradient !== null) outputs[`gradient:${names[k]}`] = gradient;
      });
      for (const [name, value] of Object.entries(bound.updates())) outputs[`update:${name}`] = value;
      pass.dispose();
      return { state: {}, outputs };
    },
  };
  const device = engine.createState(held);
  const compiled = await engine.compile(program);
  const outputs = await compiled.run(device, fed);
  compiled.dispose();
  device.dispose();

  assertClose(outputs.logits.data, reference.logits, 1e-4);
  const updates = Object.entries(toTorch(under("update:encoder:", outputs)));
  assertEquals(updates.length, Object.keys(reference.running).length);
  for (const [name, value] of updates) {
    const { dot, norm } = projection(value);
    assertClose([dot, norm], reference.running[`encoder.${name}`], 1e-4);
  }
  const gradients = Object.entries(toTorch(under("gradient:", outputs)));
  assertEquals(gradients.map(([name]) => name).sort(), Object.keys(reference.gradients).sort());
  for (const [name, value] of gradients) {
    const ours = projection(value);
    const [dot, norm] = reference.gradients[name];
    const bound = 1e-3 * Math.max(0.01, norm);
    assert(Math.abs(ours.dot - dot) <= bound && Math.abs(ours.norm - norm) <= bound, `gradient of ${name}`);
  }
});
