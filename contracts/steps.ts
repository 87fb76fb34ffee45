/**
 * Single steps and predictions of a made-up model, on chosen inputs.
 *
 * @module
 */
import type { FusionPlugin, Method } from "../core/kinds/mod.ts";
import * as names from "../core/names.ts";
import { type Engine, float32, type HostTensor, int32, type NamedHostTensors, sizeOf } from "../core/program.ts";
import { Random } from "../core/random.ts";
import { createOptimizer } from "../nn/optimizers.ts";
import { predictProgram, type ProgramParts, trainProgram } from "../training/programs/mod.ts";
import { featureBuffers } from "../training/model.ts";
import { type Run, startRun } from "../training/run.ts";
import { optimizerValues, startValues } from "../training/state.ts";
import type { ContractTools } from "./contract.ts";
import { fusionRig, NAMES, type Rig } from "./toy.ts";

/** Lets every sample's modalities be chosen. */
export const masking: Method = { name: "masking", declares: { keep: true } };

/** What one training step did. */
export interface StepFound {
  /** Loss terms and statistics by name. */
  readonly stats: Readonly<Record<string, number>>;
  /** Gradient of every parameter that the step moved, by full name. */
  readonly gradients: Readonly<Record<string, Float32Array>>;
  /** New values of buffers, by full name. */
  readonly buffers: Readonly<Record<string, Float32Array>>;
}

/** How steps are set up. */
export interface StepOptions {
  /** Rows of a batch. @default {5} */
  readonly batch?: number;
  /** State by device name that replaces what this seed gives, where the shape is the same. */
  readonly values?: NamedHostTensors;
}

/** A model with parameters, ready for single steps on one engine. */
export class Steps {
  readonly rig: Rig;
  readonly engine: Engine;
  readonly batch: number;
  /** Start values of all state by device name; parameters are moved a little, so that no bias is 0. */
  readonly values: NamedHostTensors;
  readonly #run: Run;
  readonly #parts: ProgramParts;

  private constructor(rig: Rig, engine: Engine, options: StepOptions) {
    this.rig = rig;
    this.engine = engine;
    this.batch = options.batch ?? 5;
    const { model, dataset } = rig;
    this.#run = startRun({
      model,
      dataset,
      engine,
      // With rate 1 and nothing else, a parameter moves by minus its gradient.
      optimizer: createOptimizer("sgd", { momentum: 0, weightDecay: 0 }),
      batchSize: this.batch,
      clipNorm: 0,
      learningRate: () => 1,
      random: new Random(0),
      epochs: 9,
      budget: Number.MAX_SAFE_INTEGER,
      teachers: rig.teachers?.(engine),
    });
    const { state, trainer: { parts: { optimizer } } } = this.#run;
    this.#parts = state.programParts;
    const means = state.modalities.map((modality) => names.buffer.of(featureBuffers(modality).mean));
    const random = new Random(7);
    const values = {
      ...startValues(state.layout, new Random(0).split("init")),
      ...optimizerValues(state.layout, optimizer),
    };
    this.values = Object.fromEntries(
      Object.entries(values).map(([name, value]) => {
        const given = options.values?.[name];
        if (given !== undefined && given.shape.join() === value.shape.join()) return [name, given];
        const moved = names.param.has(name) || means.includes(name);
        return [name, moved ? shaken(value, random.split(name)) : value];
      }),
    );
  }

  /** Sets a model up; methods have begun an epoch after any warm-up. */
  static async open(rig: Rig, engine: Engine, options: StepOptions = {}): Promise<Steps> {
    const steps = new Steps(rig, engine, options);
    const { state, host } = steps.#run;
    state.epoch = 2;
    for (const method of rig.model.methods) await method.beforeEpoch?.(host);
    for (const name of ["learningRate", "epoch", "progress"]) {
      state.setControl(name, { learningRate: 1, epoch: 2, progress: 0.3 }[name]!);
    }
    return steps;
  }

  /** Inputs of training samples 0, 1, …, with labels, weights and whatever else a step is fed. */
  feeds(): NamedHostTensors {
    const { dataset, model: { context: { modalities } } } = this.rig;
    const { state } = this.#run;
    const { merged } = state;
    const feeds: NamedHostTensors = {};
    for (const name of modalities) {
      const { shape, dtype } = dataset.modalities[name];
      const data = dataset.splits.train.inputs[name].slice(0, this.batch * sizeOf(shape));
      feeds[names.input.of(name)] = { data, shape: [this.batch, ...shape], dtype };
    }
    feeds["labels"] = int32(dataset.splits.train.labels.slice(0, this.batch), [this.batch]);
    feeds["weights"] = float32(new Float32Array(this.batch).fill(1), [this.batch]);
    feeds["key"] = int32([11, 12], [2]);
    if (state.groups !== null) feeds["groups"] = int32(state.groups.slice(0, this.batch), [this.batch]);
    if (merged.keep) {
      feeds["keep"] = float32(new Float32Array(this.batch * modalities.length).fill(1), [
        this.batch,
        modalities.length,
      ]);
    }
    for (const [column, { width }] of Object.entries(merged.columns)) {
      const rows = state.table(column).slice(0, this.batch * width);
      feeds[names.rows.of(column)] = float32(rows, [this.batch, width]);
    }
    return { ...feeds, ...state.controlFeeds() };
  }

  /**
   * Training steps from the start values, all on the same inputs.
   *
   * @param count How many; what is told of losses and statistics is the last one's.
   */
  async train(feeds: NamedHostTensors = this.feeds(), count = 1): Promise<StepFound> {
    const optimizer = createOptimizer("sgd", { momentum: 0, weightDecay: 0 });
    const program = trainProgram(this.#parts, optimizer, 0, { name: "main" });
    const compiled = await this.engine.compile(program);
    const state = this.engine.createState(this.values);
    try {
      for (let earlier = 1; earlier < count; earlier++) await compiled.run(state, feeds);
      const outputs = await compiled.run(state, feeds);
      const after = await state.read();
      const stats = Object.fromEntries(program.statNames.map((name, i) => [name, outputs["stats"].data[i]]));
      const gradients: Record<string, Float32Array> = {};
      const buffers: Record<string, Float32Array> = {};
      for (const [name, { data }] of Object.entries(after)) {
        const before = this.values[name].data;
        if (names.param.has(name)) {
          gradients[names.param.rest(name)] = Float32Array.from(data, (value, i) => before[i] - value);
        } else if (names.buffer.has(name)) {
          buffers[names.buffer.rest(name)] = Float32Array.from(data);
        }
      }
      return { stats, gradients, buffers };
    } finally {
      state.dispose();
      compiled.dispose();
    }
  }

  /** A prediction with all outputs; `kept` leaves modalities out. */
  async predict(feeds: NamedHostTensors = this.feeds(), kept: readonly string[] | null = null): Promise<
    NamedHostTensors
  > {
    const program = predictProgram(this.#parts, kept, true);
    const compiled = await this.engine.compile(program);
    const state = this.engine.createState(this.values);
    try {
      return await compiled.run(
        state,
        Object.fromEntries(Object.keys(program.inputs).map((name) => [name, feeds[name]])),
      );
    } finally {
      state.dispose();
      compiled.dispose();
    }
  }

  /** Frees the run. */
  dispose(): void {
    this.#run.dispose();
  }
}

/** A value moved by up to a tenth. */
function shaken(value: HostTensor, random: Random): HostTensor {
  return float32(Float32Array.from(value.data, (own) => own + 0.1 * (2 * random.uniform() - 1)), value.shape);
}

/** Sets up, runs and frees. */
export async function withSteps<T>(
  rig: Rig,
  engine: Engine,
  run: (steps: Steps) => Promise<T>,
  options: StepOptions = {},
): Promise<T> {
  const steps = await Steps.open(rig, engine, options);
  try {
    return await run(steps);
  } finally {
    steps.dispose();
  }
}

/** Whether a fusion's feature can be as wide as its encoders. */
export async function fitsWide(
  fusion: FusionPlugin,
  { library, eager }: ContractTools,
  m: number,
  fusionOptions: Readonly<Record<string, unknown>> = {},
): Promise<boolean> {
  const rig = fusionRig(fusion, library, { m, wide: true, fusionOptions });
  if (rig === null) return false;
  const outputs = await withSteps(rig, eager, (steps) => steps.predict());
  return outputs["fused"].shape[1] === outputs[names.pooled.of(NAMES[0])].shape[1];
}

/** Other values in some rows of an input: the sign turned and shifted; indices moved on by one of ten. */
export function changed(feeds: NamedHostTensors, name: string, rows: readonly number[]): NamedHostTensors {
  const { data, shape, dtype } = feeds[name];
  const width = sizeOf(shape.slice(1));
  const copy = data.slice();
  for (const row of rows) {
    for (let i = row * width; i < (row + 1) * width; i++) {
      copy[i] = dtype === "int32" ? (copy[i] + 1) % 10 : 2 - 3 * copy[i];
    }
  }
  return { ...feeds, [name]: { data: copy, shape, dtype } };
}

/** Rows of a tensor, flattened. */
export function rowsOf(tensor: HostTensor, rows: readonly number[]): number[] {
  const width = sizeOf(tensor.shape.slice(1));
  return rows.flatMap((row) => [...tensor.data.subarray(row * width, (row + 1) * width)]);
}
