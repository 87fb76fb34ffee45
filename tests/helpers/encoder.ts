/** Runs an encoder without the harness, on weights that a PyTorch script can compute too. */
import * as tf from "@tensorflow/tfjs";
import { record } from "../../tensor/autodiff.ts";
import type { Encoder } from "../../core/kinds/mod.ts";
import type { Engine, HostTensor, NamedHostTensors, NamedTensors, Program } from "../../core/program.ts";
import { float32, sizeOf } from "../../core/program.ts";
import { Random } from "../../core/random.ts";
import type { Mode, Scope } from "../../core/scope.ts";
import {
  type Asked,
  bindScope,
  discover,
  fromTorch,
  initialise,
  type Optimizer,
  torchName,
  torchShape,
} from "../../nn/mod.ts";

/** Pseudo-random values that tests/golden/*.py compute too: mean + scale (2 u - 1), u uniform on 0..1. */
export function hostNoise(shape: readonly number[], scale = 1, phase = 0, mean = 0): HostTensor {
  const value = (i: number) => {
    const large = Math.sin(12.9898 * (i + 1) + 78.233 * phase) * 43758.5453;
    return mean + scale * (2 * (large - Math.floor(large)) - 1);
  };
  return float32(Float32Array.from({ length: sizeOf(shape) }, (_, i) => value(i)), shape);
}

/** The norm of a tensor and its product with noise: what fixtures keep of large ones. */
export function projection(tensor: HostTensor): { dot: number; norm: number } {
  const by = hostNoise(tensor.shape, 1, 0.7).data;
  let dot = 0;
  let square = 0;
  for (let i = 0; i < tensor.data.length; i++) {
    dot += tensor.data[i] * by[i];
    square += tensor.data[i] ** 2;
  }
  return { dot, norm: Math.sqrt(square) };
}

/** Images [..., c, h, w] of PyTorch's layout as [..., h, w, c]. */
export function channelsLast({ shape, data }: HostTensor): HostTensor {
  const [h, w] = shape.slice(-2);
  const c = shape[shape.length - 3];
  const outer = shape.slice(0, -3);
  const values = new Float32Array(data.length);
  for (let n = 0; n < sizeOf(outer); n++) {
    for (let k = 0; k < c; k++) {
      for (let i = 0; i < h * w; i++) values[(n * h * w + i) * c + k] = data[(n * c + k) * h * w + i];
    }
  }
  return { data: values, shape: [...outer, h, w, c], dtype: "float32" };
}

/** Pooled features of an input, all stages run. */
export function encodeWith(encoder: Encoder, x: tf.Tensor, scope: Scope): tf.Tensor2D {
  return encoder.head(encoder.stages.reduce((map, stage) => stage(map, scope, x), x), scope, x).pooled;
}

/** Parameters and buffers of an encoder at their start, in the scope `encoder:x`. */
export function startOf(engine: Engine, encoder: Encoder, input: HostTensor): State {
  return initialise((scope) => {
    const x = input.dtype === "int32" ? tf.zeros([...input.shape], "int32") : tf.zeros([...input.shape]);
    encodeWith(encoder, x, scope.group("encoder:x"));
  }, { random: new Random(1), controls: {}, abstract: (run) => engine.abstract(run) });
}

/** Tensors of zeros in the shapes that were asked for. */
export function shaped(entries: ReadonlyMap<string, Asked>): NamedHostTensors {
  const zeros = ({ shape }: Asked): HostTensor => float32(new Float32Array(sizeOf(shape)), shape);
  return Object.fromEntries([...entries].map(([name, asked]) => [name, zeros(asked)]));
}

/** The same at 0, which costs less where only shapes count. */
export function zeroState(engine: Engine, encoder: Encoder, input: HostTensor): State {
  const { params, buffers } = discover((scope) => {
    encodeWith(encoder, tf.zeros([...input.shape]), scope.group("encoder:x"));
  }, { abstract: (run) => engine.abstract(run) });
  return { params: shaped(params), buffers: shaped(buffers) };
}

/** Parameters and buffers of an encoder. */
export interface State {
  readonly params: NamedHostTensors;
  readonly buffers: NamedHostTensors;
}

/** The same with values that `make` gives under PyTorch's name, in PyTorch's layout; names are numbered in order. */
export function filled(
  { params, buffers }: State,
  make: (name: string, shape: readonly number[], place: number) => HostTensor,
): State {
  const all = { ...params, ...buffers };
  const shapes = Object.fromEntries(
    Object.entries(all).map(([name, { shape }]) => [torchName(name), torchShape(name, shape)]),
  );
  const values = Object.fromEntries(
    Object.keys(shapes).sort()
      .map((name, place) => [name, make(name.replace("encoder.x.", ""), shapes[name], place)]),
  );
  return { params: fromTorch(params, values), buffers: fromTorch(buffers, values) };
}

/** What `run` gives. */
export interface Encoded {
  readonly pooled: HostTensor;
  /** By our names. */
  readonly gradients: NamedHostTensors;
  /** Gradient by a float input. */
  readonly input: HostTensor | null;
  readonly updates: NamedHostTensors;
  /** Parameters after the first update of an optimiser, where one was asked for. */
  readonly stepped: NamedHostTensors;
}

/** An update that is asked for. */
export interface FirstStep {
  readonly optimizer: Optimizer;
  readonly learningRate: number;
}

/** Features, gradients of sum(pooled * weighting) and new buffer values. In evaluation, features alone. */
export async function run(
  engine: Engine,
  encoder: Encoder,
  input: HostTensor,
  state: State,
  mode: Mode,
  weighting?: HostTensor,
  first?: FirstStep,
): Promise<Encoded> {
  const inputs: Record<string, HostTensor> = { x: input };
  if (weighting !== undefined) inputs.weighting = weighting;
  const prefixed = (prefix: string, tensors: Readonly<NamedHostTensors>): NamedHostTensors =>
    Object.fromEntries(Object.entries(tensors).map(([name, value]) => [prefix + name, value]));
  const specs = (tensors: NamedHostTensors) =>
    Object.fromEntries(Object.entries(tensors).map(([name, { shape, dtype }]) => [name, { shape, dtype }]));
  const held = { ...prefixed("param:", state.params), ...prefixed("buffer:", state.buffers) };
  const program: Program = {
    name: "encode",
    state: specs(held),
    inputs: specs(inputs),
    apply(given, fed) {
      const pick = (prefix: string): NamedTensors =>
        Object.fromEntries(
          Object.entries(given).filter(([name]) => name.startsWith(prefix))
            .map(([name, value]) => [name.slice(prefix.length), value]),
        );
      const params = pick("param:");
      const bound = bindScope({ params, buffers: pick("buffer:"), controls: {}, key: null, mode });
      const scope = bound.scope.group("encoder:x");
      if (mode === "eval") return { state: {}, outputs: { pooled: encodeWith(encoder, fed.x, scope) } };
      const pass = record(() => {
        const pooled = encodeWith(encoder, fed.x, scope);
        return { pooled, loss: tf.sum(tf.mul(pooled, fed.weighting)) };
      });
      const names = Object.keys(params);
      const outputs: NamedTensors = { pooled: pass.value.pooled };
      const by = names.map((name) => params[name]);
      if (input.dtype === "float32") by.push(fed.x);
      pass.gradients(pass.value.loss, by).forEach((gradient, k) => {
        if (gradient === null) return;
        outputs[k < names.length ? `gradient:${names[k]}` : "input"] = gradient;
        if (first === undefined || k >= names.length) return;
        const { optimizer, learningRate } = first;
        const slots = Object.fromEntries(optimizer.slots.map((slot) => [slot, tf.zerosLike(gradient)]));
        const scalars = { learningRate: tf.scalar(learningRate), step: tf.scalar(1) };
        outputs[`stepped:${names[k]}`] = optimizer.apply(params[names[k]], gradient, slots, scalars).param;
      });
      for (const [name, value] of Object.entries(bound.updates())) outputs[`update:${name}`] = value;
      pass.dispose();
      return { state: {}, outputs };
    },
  };
  const device = engine.createState(held);
  const compiled = await engine.compile(program);
  const outputs = await compiled.run(device, inputs);
  compiled.dispose();
  device.dispose();
  const under = (prefix: string): NamedHostTensors =>
    Object.fromEntries(
      Object.entries(outputs).filter(([name]) => name.startsWith(prefix))
        .map(([name, value]) => [name.slice(prefix.length), value]),
    );
  return {
    pooled: outputs.pooled,
    gradients: under("gradient:"),
    input: outputs.input ?? null,
    updates: under("update:"),
    stepped: under("stepped:"),
  };
}
