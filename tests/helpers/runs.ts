/** Writes run folders as a bench leaves them, without training: figures follow from the seed. */
import { canonicalJson } from "../../core/mod.ts";
import { join } from "node:path";
import type {
  EpochRecord,
  RunConfig,
  RunFailure,
  RunProgress,
  RunSummary,
  RunTiming,
  SplitMetrics,
} from "../../core/record.ts";
import { runId } from "../../store/run_id.ts";

/** What a written run is like. */
export interface RunSpec {
  /** @default 2 */
  readonly format?: 1 | 2;
  readonly seed?: number;
  readonly fusion?: string;
  readonly fusionOptions?: Record<string, unknown>;
  readonly methods?: readonly { readonly name: string; readonly options: Record<string, unknown> }[];
  readonly dataset?: string;
  readonly fingerprint?: string;
  readonly modalities?: readonly string[];
  readonly epochs?: number;
  /** Epochs on disk. @default all */
  readonly done?: number;
  readonly training?: Partial<RunConfig["training"]>;
  readonly accuracy?: number;
  readonly state?: "finished" | "interrupted" | "failed";
  readonly failure?: Partial<RunFailure>;
  readonly log?: string;
  readonly plugins?: readonly string[];
  readonly readsLabels?: true;
  /** Names of the classes; `null` for a run of a version that kept none. @default ten digits in words */
  readonly classes?: readonly string[] | null;
  /** Changes what is written, to what is not as it should be. */
  readonly reports?: EpochRecord["methods"];
}

/** The configuration of a spec. */
export function configOf(spec: RunSpec): RunConfig {
  const modalities = [...(spec.modalities ?? ["audio", "image"])].sort();
  return {
    format: spec.format ?? 2,
    dataset: {
      name: spec.dataset ?? "av-digits",
      options: { size: "full" },
      fingerprint: spec.fingerprint ?? "f".repeat(64),
    },
    modalities,
    encoders: Object.fromEntries(modalities.map((name) => [name, { name: "cnn", options: { width: 128 } }])),
    fusion: { name: spec.fusion ?? "concat", options: spec.fusionOptions ?? {} },
    methods: [...(spec.methods ?? [])],
    training: {
      budget: "samples",
      epochs: spec.epochs ?? 4,
      batchSize: 64,
      optimizer: "sgd",
      learningRate: 0.02,
      momentum: 0.9,
      weightDecay: 0.0005,
      schedule: "cosine",
      stepAt: 0.7,
      clipNorm: 10,
      select: "best",
      ...spec.training,
    },
    seed: spec.seed ?? 0,
    engine: { name: "onnx:cpu", version: "1.30.0", threads: 1 },
    version: "0.1.0",
    plugins: [...(spec.plugins ?? [])],
  };
}

/** Names of the ten classes. */
export const digits: readonly string[] = [
  "zero",
  "one",
  "two",
  "three",
  "four",
  "five",
  "six",
  "seven",
  "eight",
  "nine",
];

/** A fixed pseudo-random number in [0, 1) for a key. */
function noise(...key: number[]): number {
  let state = 2166136261;
  for (const value of key) state = Math.imul(state ^ Math.round(value * 1000), 16777619) >>> 0;
  state ^= state >>> 15;
  state = Math.imul(state, 2246822519) >>> 0;
  return ((state ^ (state >>> 13)) >>> 0) / 2 ** 32;
}

function metrics(modalities: readonly string[], accuracy: number, seed: number): SplitMetrics {
  return {
    size: 1000,
    loss: Math.max(0.01, 2 * (1 - accuracy)),
    accuracy,
    macroF1: accuracy - 0.004,
    perModality: Object.fromEntries(modalities.map((name, i) => [name, {
      accuracy: accuracy * (0.9 - 0.2 * i),
      readout: "mean",
      ablateMean: accuracy * (0.88 - 0.2 * i),
      nmi: 0.3 + 0.05 * i,
      probability: accuracy * 0.8,
      phi: 0.3 - 0.1 * i + 0.01 * noise(seed, i),
    }])),
    contributionGap: modalities.length < 2 ? 0 : 0.1 + 0.01 * noise(seed, 7),
    jointContribution: 0.25,
    recall: Array.from({ length: 10 }, (_, i) => Math.min(1, accuracy + 0.01 * (i - 5))),
  };
}

/** The record of an epoch. */
export function epochOf(spec: RunSpec, epoch: number): EpochRecord {
  const modalities = configOf(spec).modalities;
  const epochs = spec.epochs ?? 4;
  const final = spec.accuracy ?? 0.9;
  const share = (epoch + 1) / epochs;
  const accuracy = final * (1 - 0.6 * Math.exp(-4 * share)) + 0.01 * (noise(spec.seed ?? 0, epoch) - 0.5);
  const arm = (spec.methods ?? []).some(({ name }) => name === "arm");
  return {
    epoch,
    steps: 40 * (epoch + 1),
    samplesDrawn: 2500 * (epoch + 1),
    learningRate: 0.01 * (1 + Math.cos(Math.PI * share)),
    loss: {
      total: 2 * Math.exp(-3 * share),
      joint: 1.8 * Math.exp(-3 * share),
      ...(arm ? { phiCMI: 0.2 * share } : {}),
    },
    clipped: 0.1 * (1 - share),
    trainAccuracy: Math.min(1, accuracy + 0.02),
    validation: metrics(modalities, accuracy, spec.seed ?? 0),
    methods: spec.reports ?? (arm
      ? {
        arm: {
          "fw:audio": { "0.9": 100, "1.0": 800 - 20 * epoch, "1.2": 20 * epoch },
          "fw:audio:p50": 1 + 0.01 * epoch,
          copies: { "0": 900 - 10 * epoch, "1": 10 * epoch, "3": epoch },
          p: 0.5,
        },
      }
      : {}),
  };
}

/** The result of a finished run. */
export function summaryOf(config: RunConfig, spec: RunSpec): RunSummary {
  const epochs = spec.epochs ?? 4;
  const accuracy = (spec.accuracy ?? 0.9) + 0.004 * (noise(config.seed, 99, spec.accuracy ?? 0.9) - 0.5);
  return {
    format: 1,
    id: runId(config),
    seed: config.seed,
    selectedOn: "validation",
    selectedEpoch: epochs - 1,
    epochs,
    steps: 40 * epochs,
    samplesDrawn: 2500 * epochs,
    validation: metrics(config.modalities, accuracy + 0.005, config.seed),
    test: metrics(config.modalities, accuracy, config.seed),
    ...(spec.classes === null ? {} : { classes: spec.classes ?? digits }),
    ...(spec.readsLabels ? { readsLabels: true as const } : {}),
    parameters: 123456,
    parametersByGroup: { head: 123456 },
  };
}

/** Writes a run; returns its id. */
export function writeRun(runs: string, spec: RunSpec): string {
  const config = configOf(spec);
  const id = runId(config);
  const folder = join(runs, id);
  Deno.mkdirSync(folder, { recursive: true });
  const write = (name: string, value: unknown) =>
    Deno.writeTextFileSync(join(folder, name), canonicalJson(value, 2) + "\n");
  write("config.json", config);
  const epochs = spec.epochs ?? 4;
  const state = spec.state ?? "finished";
  const done = spec.done ?? (state === "finished" ? epochs : Math.floor(epochs / 2));
  const lines = Array.from({ length: done }, (_, epoch) => canonicalJson(epochOf(spec, epoch)) + "\n");
  Deno.writeTextFileSync(join(folder, "metrics.jsonl"), lines.join(""));
  if (spec.log !== undefined) Deno.writeTextFileSync(join(folder, "log.txt"), spec.log);
  if (state === "failed") {
    write(
      "failure.json",
      {
        message: "Cannot go on as the loss must be finite: found NaN in term total",
        epoch: done,
        step: 7,
        term: "total",
        checkpointEpoch: done - 1,
        command: 'deno task bench --only "concat#0"',
        at: "2026-01-02T03:04:05.000Z",
        ...spec.failure,
      } satisfies RunFailure,
    );
  }
  if (state === "finished") {
    write(
      "timing.json",
      {
        seconds: 30 + config.seed,
        trainSeconds: 25,
        evaluationSeconds: 4,
        compileSeconds: 1,
        stepMs: 12.5,
        startedAt: "2026-01-02T03:04:05.000Z",
        finishedAt: "2026-01-02T03:04:35.000Z",
        device: "CPU, 1 thread",
        deno: "2.9.6",
      } satisfies RunTiming,
    );
    write("summary.json", summaryOf(config, spec));
  }
  return id;
}

/** Adds an epoch to a run that goes on, as a bench does. */
export function appendEpoch(runs: string, spec: RunSpec, epoch: number): void {
  const folder = join(runs, runId(configOf(spec)));
  Deno.writeTextFileSync(join(folder, "metrics.jsonl"), canonicalJson(epochOf(spec, epoch)) + "\n", { append: true });
  const progress: RunProgress = {
    epoch,
    epochs: spec.epochs ?? 4,
    samplesDrawn: 2500 * (epoch + 1),
    samplesBudget: 2500 * (spec.epochs ?? 4),
    samplesPerSecond: 1000,
    validationAccuracy: 0.5,
    pid: Deno.pid,
    updatedAt: new Date().toISOString(),
  };
  Deno.writeTextFileSync(join(folder, "progress.json"), canonicalJson(progress, 2) + "\n");
}
