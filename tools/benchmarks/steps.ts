/**
 * The training steps that the engine is timed on.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { record } from "../../tensor/autodiff.ts";
import type { Library } from "../../core/library.ts";
import * as names from "../../core/names.ts";
import { resolveOptions } from "../../core/options.ts";
import type { Encoder, EncoderPlugin, ModalityInfo } from "../../core/kinds/mod.ts";
import {
  type Engine,
  float32,
  int32,
  type NamedHostTensors,
  type NamedTensors,
  type Program,
} from "../../core/program.ts";
import { Random } from "../../core/random.ts";
import type { Scope } from "../../core/scope.ts";
import { datasetOf } from "./data.ts";
import { part, resolveConfig } from "../../experiments/config.ts";
import { createLibrary } from "../../library.ts";
import { crossEntropy } from "../../losses/cross_entropy.ts";
import { sgd } from "../../nn/optimizers.ts";
import { linear } from "../../nn/mod.ts";
import { bindScope, initialise } from "../../nn/scope.ts";
import { buildModel } from "../../experiments/config.ts";
import { gatherGroups } from "../../training/batches.ts";
import { Batches, RunState, trainProgram } from "../../training/mod.ts";

/** A program with its start and one batch. */
export interface BenchStep {
  readonly program: Program;
  readonly state: NamedHostTensors;
  readonly feeds: NamedHostTensors;
  /** Trained numbers, to compare architectures with. */
  readonly parameters: number;
}

/** Options of the optimiser, as in `torch_steps.py`. */
const optimizer = sgd({ momentum: 0.9, weightDecay: 5e-4 });
const LEARNING_RATE = 0.01;

/** A network: inputs by name to logits. */
type Network = (scope: Scope, inputs: Readonly<NamedTensors>) => tf.Tensor2D;

function countOf(state: NamedHostTensors): number {
  return Object.entries(state).filter(([name]) => names.param.has(name))
    .reduce((sum, [_, { data }]) => sum + data.length, 0);
}

/** Forward, cross-entropy, backward and momentum SGD of a network; what a plain training script does. */
function plainStep(
  name: string,
  engine: Engine,
  network: Network,
  inputs: Readonly<Record<string, ModalityInfo>>,
  batch: number,
  classes: number,
): BenchStep {
  const random = new Random(0);
  const modalities = Object.keys(inputs);
  const feeds: NamedHostTensors = {};
  for (const input of modalities) {
    const { shape, dtype, vocabulary = 2 } = inputs[input];
    const count = shape.reduce((product, extent) => product * extent, batch);
    const own = random.split(input);
    feeds[input] = dtype === "int32"
      ? int32(Int32Array.from({ length: count }, () => 1 + own.integer(vocabulary - 1)), [batch, ...shape])
      : float32(Float32Array.from({ length: count }, () => own.normal()), [batch, ...shape]);
  }
  feeds["labels"] = int32(Int32Array.from({ length: batch }, (_, i) => i % classes), [batch]);
  feeds["weights"] = float32(new Float32Array(batch).fill(1), [batch]);
  feeds["key"] = int32([1, 2], [2]);
  const specsOf = (values: NamedHostTensors) =>
    Object.fromEntries(Object.entries(values).map(([key, { shape, dtype }]) => [key, { shape, dtype }]));
  const { params, buffers } = initialise((scope) => {
    const zeros = Object.fromEntries(
      modalities.map((input) => [input, tf.zeros([...feeds[input].shape], feeds[input].dtype)]),
    );
    network(scope, zeros);
  }, { random, controls: {}, abstract: (run) => engine.abstract(run) });
  const state: NamedHostTensors = {};
  for (const [key, value] of Object.entries(params)) {
    state[names.param.of(key)] = value;
    state[names.slotOf("momentum", key)] = float32(new Float32Array(value.data.length), value.shape);
  }
  for (const [key, value] of Object.entries(buffers)) state[names.buffer.of(key)] = value;
  const program: Program = {
    name,
    state: specsOf(state),
    inputs: specsOf(feeds),
    apply(given, fed) {
      const weights = names.param.under(given);
      const bound = bindScope({
        params: weights,
        buffers: names.buffer.under(given),
        controls: {},
        key: fed["key"] as tf.Tensor1D,
        mode: "train",
        weights: fed["weights"] as tf.Tensor1D,
      });
      const pass = record(() => tf.mean(crossEntropy(network(bound.scope, fed), fed["labels"] as tf.Tensor1D)));
      const keys = Object.keys(weights);
      const gradients = pass.gradients(pass.value, keys.map((key) => weights[key]));
      const next: NamedTensors = {};
      keys.forEach((key, index) => {
        const updated = optimizer.apply(weights[key], gradients[index]!, {
          momentum: given[names.slotOf("momentum", key)],
        }, {
          learningRate: tf.scalar(LEARNING_RATE),
          step: tf.scalar(1),
        });
        next[names.param.of(key)] = updated.param;
        next[names.slotOf("momentum", key)] = updated.slots["momentum"];
      });
      for (const [key, value] of Object.entries(bound.updates())) next[names.buffer.of(key)] = value;
      pass.dispose();
      return { state: next, outputs: { loss: pass.value } };
    },
  };
  return { program, state, feeds, parameters: countOf(state) };
}

/** An encoder with its options and input. */
interface EncoderPart {
  readonly encoder: string;
  readonly info: ModalityInfo;
  readonly options?: Readonly<Record<string, unknown>>;
}

function created(plugin: EncoderPlugin, info: ModalityInfo, options: Readonly<Record<string, unknown>>): Encoder {
  return plugin.create(resolveOptions(`encoder "${plugin.name}"`, plugin.options, options), info);
}

/** Registered encoders on random inputs, with a linear head. */
function encoderStep(
  name: string,
  engine: Engine,
  library: Library,
  parts: Readonly<Record<string, EncoderPart>>,
  { batch = 16, frozen = false }: { readonly batch?: number; readonly frozen?: boolean } = {},
): BenchStep {
  const encoders = Object.fromEntries(
    Object.entries(parts).map(([modality, { encoder, info, options }]) => [
      modality,
      created(library.of("encoder").get(encoder), info, options ?? {}),
    ]),
  );
  const network: Network = (scope, inputs) => {
    const pooled = Object.entries(encoders).map(([modality, encoder]) => {
      const own = scope.group(`encoder:${modality}`);
      const input = inputs[modality];
      return encoder.head(encoder.stages.reduce((map, stage) => stage(map, own, input), input), own, input).pooled;
    });
    const joined = pooled.length === 1 ? pooled[0] : tf.concat(pooled, 1);
    return linear(scope.group("head"), joined, { width: 10 }) as tf.Tensor2D;
  };
  const infos = Object.fromEntries(Object.entries(parts).map(([modality, { info }]) => [modality, info]));
  const step = plainStep(name, engine, network, infos, batch, 10);
  return frozen ? forwardOf(step, network) : step;
}

/** The forward pass alone, in evaluation mode, as frozen encoders run. */
function forwardOf({ program, state, feeds, parameters }: BenchStep, network: Network): BenchStep {
  const own = <T>(values: Readonly<Record<string, T>>) =>
    Object.fromEntries(Object.entries(values).filter(([name]) => names.param.has(name) || names.buffer.has(name)));
  const { labels: _labels, weights: _weights, key: _key, ...inputs } = feeds;
  const { labels: _l, weights: _w, key: _k, ...specs } = program.inputs;
  return {
    program: {
      name: `${program.name}/forward`,
      state: own(program.state),
      inputs: specs,
      apply(given, fed) {
        const { scope } = bindScope({
          params: names.param.under(given),
          buffers: names.buffer.under(given),
          controls: {},
          key: null,
          mode: "eval",
        });
        return { state: {}, outputs: { loss: tf.mean(network(scope, fed)) } };
      },
    },
    state: own(state),
    feeds: inputs,
    parameters,
  };
}

/** A published encoder on inputs of its size, a batch of eight: trained, and its forward pass as it runs frozen. */
function published(name: string, part: EncoderPart): Record<string, (engine: Engine) => BenchStep> {
  const made = (frozen: boolean) => (engine: Engine) =>
    encoderStep(name, engine, createLibrary(), { x: part }, { batch: 8, frozen });
  return { [name]: made(false), [`${name}-forward`]: made(true) };
}

/** The harness's own training step on av-digits, all hooks included. */
async function digitsStep(engine: Engine, library: Library, methods: readonly string[]): Promise<BenchStep> {
  const dataset = await datasetOf("av-digits", library);
  const config = resolveConfig(
    {
      label: "bench",
      dataset: part("av-digits"),
      encoder: part("cnn"),
      fusion: part("concat"),
      methods: methods.map((method) => part(method)),
      training: {},
    },
    library,
    dataset,
    { seed: 0, engine: { name: engine.name, version: engine.version, threads: 1 }, version: "bench", plugins: [] },
  );
  const model = buildModel(config, library, dataset);
  const batchSize = 64;
  const run = RunState.start({ model, dataset, engine, batchSize }, optimizer, new Random(0));
  const { merged } = run;
  const program = trainProgram(run.programParts, optimizer, 10, { name: "main" });
  const items = Int32Array.from({ length: batchSize }, (_, i) => i);
  const batches = new Batches(dataset, model.context.modalities, batchSize);
  const feeds: NamedHostTensors = {
    ...await batches.inputs(dataset.splits.train, items),
    ...batches.targets(dataset.splits.train, items),
    key: int32([1, 2], [2]),
    ...(run.groups === null ? {} : { groups: gatherGroups(run.groups, items, batchSize) }),
  };
  for (const [column, { width, init }] of Object.entries(merged.columns)) {
    feeds[names.rows.of(column)] = float32(new Float32Array(batchSize * width).fill(init), [batchSize, width]);
  }
  for (const [control, values] of Object.entries(merged.controls)) {
    const value = control === "learningRate" ? [LEARNING_RATE] : control.endsWith("loss-on") ? [1] : values;
    feeds[names.control.of(control)] = float32(value, merged.scalars.has(control) ? [] : [values.length]);
  }
  const state = await run.device.read(Object.keys(program.state));
  run.dispose();
  return { program, state, feeds, parameters: countOf(state) };
}

const image = (channels: number, side: number): ModalityInfo => ({
  shape: [side, side, channels],
  dtype: "float32",
  about: "noise",
});

/** How each step is made. `torch_steps.py` has the same names. */
export const benchSteps: Readonly<Record<string, (engine: Engine) => BenchStep | Promise<BenchStep>>> = {
  /** A matrix product alone: the machine's peak. */
  peak: (_engine) => {
    const size = 1024;
    const random = new Random(0);
    const matrix = (name: string) =>
      float32(Float32Array.from({ length: size * size }, () => random.split(name).normal()), [size, size]);
    return {
      program: {
        name: "peak",
        state: { a: { shape: [size, size], dtype: "float32" }, b: { shape: [size, size], dtype: "float32" } },
        inputs: {},
        apply: ({ a, b }) => ({ state: { a: tf.matMul(a as tf.Tensor2D, b as tf.Tensor2D) }, outputs: {} }),
      },
      state: { a: matrix("a"), b: float32(new Float32Array(size * size), [size, size]) },
      feeds: {},
      parameters: 0,
    };
  },
  mlp: (engine) =>
    plainStep(
      "mlp",
      engine,
      (scope, { x }) => {
        const group = scope.group("head");
        const first = tf.relu(linear(group.in("1"), x, { width: 512 }));
        const second = tf.relu(linear(group.in("2"), first, { width: 512 }));
        return linear(group.in("3"), second, { width: 10 }) as tf.Tensor2D;
      },
      { x: { shape: [512], dtype: "float32", about: "noise" } },
      64,
      10,
    ),
  "digits-concat": (engine) => digitsStep(engine, createLibrary(), []),
  "digits-arm": (engine) => digitsStep(engine, createLibrary(), ["arm"]),
  /** The width, depth and heads of ViT-Ti on 64 patches of a small image. */
  vit: (engine) =>
    encoderStep("vit", engine, createLibrary(), {
      image: { encoder: "vit", info: image(3, 64), options: { patch: 8, width: 192, depth: 12, heads: 3 } },
    }),
  /** BERT-tiny with its dropout, on 64 tokens. */
  bert: (engine) =>
    encoderStep("bert", engine, createLibrary(), {
      text: { encoder: "bert", info: { shape: [64], dtype: "int32", vocabulary: 30522, about: "noise" } },
    }),
  "resnet18-pair": (engine) =>
    encoderStep("resnet18-pair", engine, createLibrary(), {
      audio: { encoder: "resnet18", info: image(1, 128) },
      image: { encoder: "resnet18", info: image(3, 128) },
    }),
  ...published("vit-small", { encoder: "vit-small", info: image(3, 224) }),
  ...published("resnet50", { encoder: "resnet50", info: image(3, 224) }),
  ...published("bert-base", {
    encoder: "bert-base",
    info: { shape: [128], dtype: "int32", vocabulary: 30522, about: "noise" },
  }),
};

/** Steps that take seconds and gigabytes: timed where they are named. */
export const largeSteps: ReadonlySet<string> = new Set(
  ["vit-small", "resnet50", "bert-base"].flatMap((name) => [name, `${name}-forward`]),
);
