/**
 * Three training steps of a linear model whose numbers `tests/golden/reference_run.py` knows too: data, labels and start
 * values are sines of their position and name.
 */
import * as tf from "@tensorflow/tfjs";
import type { Dataset, Encoder, Method, Segment, Split } from "../../core/kinds/mod.ts";
import type { Engine } from "../../core/program.ts";
import { Random } from "../../core/random.ts";
import type { Library } from "../../core/library.ts";
import { mapByModality } from "../../core/modality.ts";
import { zeros } from "../../nn/initializers.ts";
import { createOptimizer } from "../../nn/optimizers.ts";
import { standInTeachers } from "../../contracts/toy.ts";
import type { Model } from "../../training/model.ts";
import { startRun } from "../../training/run.ts";

const NAMES = ["audio", "image", "text"];
const INPUTS = [3, 4, 2];
const FEATURES = [4, 3, 5];
const CLASSES = 3;
/** Samples: two batches and a half. */
const SIZE = 15;
const BATCH = 6;

const sines = (length: number, scale: number, phase: number) =>
  Float32Array.from({ length }, (_, i) => Math.sin(1.7 * i + phase) * scale);

/** The phase of a parameter's start values. */
function phaseOf(name: string): number {
  return [...name].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % 63 / 10;
}

/** f_u = x_u A_u + a_u. */
function linearEncoder(width: number): Encoder {
  return {
    tokens: false,
    stages: [(x) => x],
    head: (x, scope) => ({
      pooled: tf.add(
        tf.matMul(x as tf.Tensor2D, scope.param("kernel", [x.shape[1]!, width], zeros) as tf.Tensor2D),
        scope.param("bias", [width], zeros),
      ) as tf.Tensor2D,
    }),
  };
}

function dataset(m: number): Dataset {
  const split: Split = {
    size: SIZE,
    labels: Int32Array.from({ length: SIZE }, (_, n) => n % CLASSES),
    inputs: Object.fromEntries(NAMES.slice(0, m).map((name, u) => [name, sines(SIZE * INPUTS[u], 1, u)])),
    groups: Array.from({ length: SIZE }, (_, n) => `${n}`),
  };
  return {
    name: "reference",
    modalities: Object.fromEntries(
      NAMES.slice(0, m).map((name, u) => [name, { shape: [INPUTS[u]], dtype: "float32", about: "sines" }]),
    ),
    classes: ["zero", "one", "two"],
    splits: { train: split, validation: split, test: split },
    fingerprint: "",
    notices: [],
  };
}

/** How the steps are made. */
export interface ReferenceOptions {
  readonly m: number;
  readonly fusion?: string;
  readonly fusionOptions?: Record<string, unknown>;
  readonly epoch?: number;
  readonly epochs?: number;
  /** Values of buffers when the epoch has begun. */
  readonly start?: Record<string, readonly number[]>;
  /** Controls when the epoch has begun. */
  readonly controls?: Record<string, readonly number[]>;
  /** Features as wide as the first modality's. */
  readonly equalWidths?: boolean;
}

/** What the steps did. */
export interface ReferenceRun {
  /** Parameters after the first and after the third step, by full name. */
  readonly first: Record<string, Float32Array>;
  readonly last: Record<string, Float32Array>;
  /** Buffers after the third step. */
  readonly buffers: Record<string, Float32Array>;
  /** Scalars of the first step. */
  readonly stats: Record<string, number>;
  readonly tables: Readonly<Record<string, Float32Array>>;
  /** Prediction on all samples after the third step. */
  readonly logits: Float32Array;
  readonly solo: Record<string, Float32Array>;
}

/** Runs plain gradient descent of rate 0.5 over batches of samples 0..5, 6..11 and 12..14. */
export async function referenceRun(
  library: Library,
  engine: Engine,
  name: string,
  options: Record<string, unknown>,
  {
    m,
    fusion = "concat",
    fusionOptions = {},
    epoch = 0,
    epochs = 10,
    equalWidths = false,
    start: given = {},
    controls = {},
  }: ReferenceOptions,
): Promise<ReferenceRun> {
  const modalities = NAMES.slice(0, m);
  const context = { modalities, classes: CLASSES };
  const data = dataset(m);
  const stats: Record<string, number> = {};
  const watch: Method = {
    name: "watch",
    afterStep: (found, host) => void (host.epoch === epoch && steps++ === 0 && Object.assign(stats, found)),
  };
  let steps = 0;
  const method = library.of("method").get(name).create(options, context);
  const model: Model = {
    context,
    encoders: Object.fromEntries(
      modalities.map((modality, u) => [modality, linearEncoder(FEATURES[equalWidths ? 0 : u])]),
    ),
    fusion: library.of("fusion").get(fusion).create(
      fusion === "concat" ? { width: 0, ...fusionOptions } : fusionOptions,
      context,
    ),
    methods: [method, watch],
  };
  const { state, trainer, host, dispose } = startRun({
    model,
    teachers: standInTeachers(model, data, engine),
    dataset: data,
    engine,
    optimizer: createOptimizer("sgd", { momentum: 0, weightDecay: 0 }),
    batchSize: BATCH,
    clipNorm: 0,
    learningRate: () => 0.5,
    random: new Random(0),
    epochs,
    budget: Number.MAX_SAFE_INTEGER,
  });
  try {
    await host.setParams(mapByModality(
      await host.params(["*"]),
      (values, full) => sines(values.length, 0.6, phaseOf(full)),
    ));
    state.epoch = epoch;
    await method.beforeEpoch?.(host);
    await host.setBuffers(mapByModality(given, (values) => Float32Array.from(values)));
    for (const [control, values] of Object.entries(controls)) host.setControl(control, values);
    const run = async (from: number, to: number) => {
      const items = Int32Array.from({ length: to - from }, (_, i) => from + i);
      const base: Segment[] = [{ programs: ["main"], items }];
      await trainer.run(await method.plan?.(host, base) ?? base, `reference/${from}`);
    };
    await run(0, BATCH);
    const first = await host.params(["*"]);
    await run(BATCH, SIZE);
    const { logits, solo } = await host.pass("validation");
    return {
      first,
      last: await host.params(["*"]),
      buffers: await host.buffers(["*"]),
      stats,
      tables: state.tables,
      logits,
      solo,
    };
  } finally {
    dispose();
  }
}
