/** ResNet-18 against torchvision's, on weights that both sides compute. */
import { assert, assertEquals } from "@std/assert";
import type { HostTensor, NamedHostTensors } from "../../core/program.ts";
import { sizeOf } from "../../core/program.ts";
import { onnxCpu } from "../../engines/mod.ts";
import { resnet18 } from "../../encoders/mod.ts";
import { torchName, torchShape, toTorch } from "../../nn/mod.ts";
import {
  channelsLast,
  filled,
  hostNoise,
  projection,
  run,
  startOf,
  type State,
  zeroState,
} from "../helpers/encoder.ts";
import { assertClose, golden } from "../helpers/tensors.ts";

interface Probe {
  names?: Record<string, number[]>;
  evaluation: number[];
  training: number[];
  running: Record<string, number>;
  gradients: Record<string, { dot: number; norm: number }>;
  input: { dot: number; norm: number };
  bn1: number[];
}
const reference = golden<{ image: Probe; small: Probe; clip: number[]; parametersWithHead: number }>("resnet18");
const engine = await onnxCpu.create();

/** The weights of tests/golden/resnet18.py. */
function weight(name: string, shape: readonly number[], place: number): HostTensor {
  if (shape.length > 1) return hostNoise(shape, Math.sqrt(6 / sizeOf(shape.slice(1))), place);
  return name.endsWith("bias") || name.endsWith("running_mean")
    ? hostNoise(shape, 0.2, place)
    : hostNoise(shape, 0.3, place, 1);
}

/** The gradient by the input in PyTorch's layout. */
function channelsFirst({ shape: [n, h, w, c], data }: HostTensor): HostTensor {
  const values = new Float32Array(data.length);
  for (let b = 0; b < n; b++) {
    for (let k = 0; k < c; k++) {
      for (let i = 0; i < h * w; i++) values[(b * c + k) * h * w + i] = data[(b * h * w + i) * c + k];
    }
  }
  return { data: values, shape: [n, c, h, w], dtype: "float32" };
}

const build = (shape: readonly number[], options: Record<string, unknown> = {}) =>
  resnet18.create(options, { shape, dtype: "float32", about: "noise" });

const full = filled(zeroState(engine, build([32, 32, 3]), hostNoise([1, 32, 32, 3])), weight);

/** Weights of the reference, with a first convolution of another shape where one is given. */
function stateOf(conv1?: readonly number[]): State {
  if (conv1 === undefined) return full;
  const name = "encoder:x/conv1/kernel";
  const zeros = { shape: conv1, dtype: "float32", data: new Float32Array(sizeOf(conv1)) } as const;
  const place = Object.keys({ ...full.params, ...full.buffers }).map(torchName).sort().indexOf(torchName(name));
  const kernel = filled({ params: { [name]: zeros }, buffers: {} }, (short, shape) => weight(short, shape, place));
  return { params: { ...full.params, ...kernel.params }, buffers: full.buffers };
}

async function check(expected: Probe, input: HostTensor, options: Record<string, unknown>): Promise<void> {
  const encoder = build(input.shape.slice(1), options);
  const state = stateOf(options.smallInput ? [3, 3, 1, 64] : undefined);
  if (expected.names !== undefined) {
    const shapes = Object.entries({ ...state.params, ...state.buffers })
      .map(([name, { shape }]) => [torchName(name).replace("encoder.x.", ""), [...torchShape(name, shape)]]);
    assertEquals(Object.fromEntries(shapes), expected.names);
  }
  assertClose((await run(engine, encoder, input, state, "eval")).pooled.data, expected.evaluation, 1e-4);

  const weighting = hostNoise([2, 512], 1, 0.3);
  const { pooled, gradients, input: byInput, updates } = await run(engine, encoder, input, state, "train", weighting);
  assertClose(pooled.data, expected.training, 1e-4);
  const named = (tensors: NamedHostTensors) =>
    Object.entries(toTorch(tensors)).map(([name, value]) => [name.replace("encoder.x.", ""), value] as const);
  for (const [name, value] of named(updates)) assertClose([projection(value).dot], [expected.running[name]], 1e-4);
  assertEquals(Object.keys(updates).length, Object.keys(expected.running).length);
  assertEquals(Object.keys(gradients).length, Object.keys(expected.gradients).length);
  for (const [name, value] of [...named(gradients), ["input", channelsFirst(byInput!)] as const]) {
    const theirs = name === "input" ? expected.input : expected.gradients[name];
    // The error of a product is bounded by the norms of both.
    const ours = projection(value);
    const bound = 1e-3 * Math.max(0.01, theirs.norm);
    assert(Math.abs(ours.norm - theirs.norm) <= bound, `${name}: norm ${ours.norm} is not ${theirs.norm}`);
    assert(Math.abs(ours.dot - theirs.dot) <= bound, `${name}: ${ours.dot} is not ${theirs.dot}`);
  }
  assertClose(gradients["encoder:x/bn1/scale"].data, expected.bn1, 1e-3);
}

Deno.test("resnet18 equals torchvision's: names, shapes, features, running statistics, gradients", async () => {
  await check(reference.image, channelsLast(hostNoise([2, 3, 64, 64], 1, 0.1)), {});
});

Deno.test("resnet18 with smallInput on one channel equals torchvision's with that stem", async () => {
  await check(reference.small, channelsLast(hostNoise([2, 1, 16, 12], 1, 0.2)), { smallInput: true });
});

Deno.test("resnet18 averages the frames of a clip", async () => {
  const input = channelsLast(hostNoise([1, 2, 3, 33, 40], 1, 0.4));
  const encoder = build([2, 33, 40, 3]);
  assertClose((await run(engine, encoder, input, stateOf(), "eval")).pooled.data, reference.clip, 1e-4);
});

Deno.test("resnet18 has torchvision's number of parameters, and residual branches that start at 0 if asked", () => {
  const count = Object.values(full.params).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  // torchvision's classifier is 512 x 1000 weights and 1000 biases.
  assertEquals(count + 513_000, reference.parametersWithHead);
  assertEquals(reference.parametersWithHead, 11_689_512);
  const small = build([32, 32, 3], { width: 2, zeroInitResidual: true });
  const { params } = startOf(engine, small, hostNoise([1, 32, 32, 3]));
  for (const [name, { data }] of Object.entries(params)) {
    if (name.endsWith("/scale")) assert(data.every((value) => value === (name.includes("/bn2/") ? 0 : 1)), name);
  }
  assertEquals(torchName("encoder:image/layer1/0/bn1/scale"), "encoder.image.layer1.0.bn1.weight");
});
