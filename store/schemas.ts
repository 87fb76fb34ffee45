/**
 * Checks of what is read back from run folders: anybody may have written there.
 *
 * Unknown keys are kept, so that a later version may add some.
 *
 * @module
 */
import { z } from "zod";
import type {
  EpochRecord,
  Experiment,
  ModalityMetrics,
  PartConfig,
  RunConfig,
  RunFailure,
  RunProgress,
  RunSummary,
  RunTiming,
  SplitMetrics,
  TrainingConfig,
  ValuationRecord,
} from "../core/record.ts";
import { StoreError } from "./files.ts";

/** Names of experiments, which are names of files, too. */
export const experimentName: RegExp = /^[A-Za-z0-9][A-Za-z0-9._=+-]{0,99}$/;

const count = z.number().int().min(0);

/** Names are shown in tables and messages: what is longer is nobody's name. */
const name = z.string().max(200);

const part: z.ZodType<PartConfig> = z.looseObject({ name, options: z.record(z.string(), z.unknown()) });

const training: z.ZodType<TrainingConfig> = z.looseObject({
  budget: z.enum(["samples", "epochs"]),
  epochs: count,
  batchSize: count,
  optimizer: z.enum(["sgd", "adamw"]),
  learningRate: z.number(),
  momentum: z.number(),
  weightDecay: z.number(),
  schedule: z.enum(["constant", "cosine", "linear", "step"]),
  stepAt: z.number(),
  clipNorm: z.number(),
  warmup: z.number().optional(),
  layerDecay: z.number().optional(),
  select: z.enum(["best", "last"]),
  loss: part.optional(),
});

const config: z.ZodType<RunConfig> = z.looseObject({
  format: z.literal([1, 2]),
  dataset: z.looseObject({
    name,
    options: z.record(z.string(), z.unknown()),
    fingerprint: name,
    places: z.array(name).optional(),
  }),
  modalities: z.array(name).max(1000),
  encoders: z.record(name, part),
  weights: z.record(name, z.looseObject({ path: z.string(), digest: name })).optional(),
  freeze: z.array(name).optional(),
  rates: z.record(name, z.number()).optional(),
  fusion: part,
  methods: z.array(part),
  training,
  seed: z.number().int(),
  engine: z.looseObject({ name, version: name, threads: count }),
  version: name,
  code: z.record(name, name).optional(),
  plugins: z.array(z.string()),
  git: z.string().optional(),
});

const modalityMetrics: z.ZodType<ModalityMetrics> = z.looseObject({
  accuracy: z.number(),
  readout: z.string(),
  ablateMean: z.number(),
  nmi: z.number(),
  probability: z.number(),
  phi: z.number(),
});

const splitMetrics: z.ZodType<SplitMetrics> = z.looseObject({
  size: count,
  loss: z.number(),
  accuracy: z.number(),
  macroF1: z.number(),
  perModality: z.record(z.string(), modalityMetrics),
  contributionGap: z.number(),
  jointContribution: z.number(),
  recall: z.array(z.number()),
});

const epoch: z.ZodType<EpochRecord> = z.looseObject({
  epoch: count,
  steps: count,
  samplesDrawn: count,
  learningRate: z.number(),
  loss: z.record(z.string(), z.number()),
  clipped: z.number(),
  trainAccuracy: z.number(),
  validation: splitMetrics,
  methods: z.record(
    z.string(),
    z.record(z.string(), z.union([z.number(), z.record(z.string(), z.number())])),
  ),
});

const summary: z.ZodType<RunSummary> = z.looseObject({
  format: z.literal(1),
  id: z.string(),
  seed: z.number().int(),
  selectedOn: z.enum(["validation", "none"]),
  selectedEpoch: z.number().int(),
  epochs: count,
  steps: count,
  samplesDrawn: count,
  teachers: z.record(z.string(), z.object({ id: z.string(), samplesDrawn: count })).optional(),
  validation: splitMetrics,
  test: splitMetrics,
  classes: z.array(z.string()).optional(),
  readsLabels: z.literal(true).optional(),
  parameters: count,
  parametersByGroup: z.record(z.string(), count),
  multiplyAdds: count.nullable().optional(),
  multiplyAddsByPart: z.record(z.string(), count.nullable()).optional(),
  trainingMultiplyAdds: z.number().min(0).nullable().optional(),
});

const timing: z.ZodType<RunTiming> = z.looseObject({
  seconds: z.number(),
  trainSeconds: z.number(),
  evaluationSeconds: z.number(),
  compileSeconds: z.number(),
  stepMs: z.number(),
  startedAt: z.string(),
  finishedAt: z.string(),
  device: z.string(),
  processor: z.string().optional(),
  deno: z.string(),
});

const progress: z.ZodType<RunProgress> = z.looseObject({
  epoch: z.number().int().min(-1),
  epochs: count,
  samplesDrawn: count,
  samplesBudget: count,
  samplesPerSecond: z.number(),
  validationAccuracy: z.number().nullable(),
  pid: count,
  updatedAt: z.iso.datetime(),
});

const failure: z.ZodType<RunFailure> = z.looseObject({
  message: z.string(),
  epoch: z.number().int().nullable(),
  step: z.number().int().nullable(),
  term: z.string().nullable(),
  checkpointEpoch: z.number().int().nullable(),
  curve: z.array(z.looseObject({
    step: count,
    loss: z.number().nullable(),
    gradientNorm: z.number().nullable(),
  })).optional(),
  stack: z.string().optional(),
  command: z.string(),
  at: z.string(),
});

const id = z.string().regex(/^[0-9a-f]{16}$/);

const experiment: z.ZodType<Experiment> = z.looseObject({
  format: z.literal(1),
  name: z.string().regex(experimentName),
  question: z.string().nullable(),
  command: z.string(),
  rows: z.array(z.looseObject({
    label: z.string(),
    configuration: id,
    across: z.looseObject({ subject: z.string(), data: z.string() }).optional(),
    runs: z.array(z.looseObject({ seed: z.number().int(), id })),
  })).min(1),
  reference: z.string(),
  seeds: z.array(z.number().int()),
  budget: z.string(),
  plugins: z.array(z.string()),
  tuning: z.looseObject({
    trials: count,
    rows: z.array(z.looseObject({
      label: z.string(),
      tuned: z.array(z.string()),
      trials: z.array(z.looseObject({
        label: z.string(),
        study: z.number().int(),
        settings: z.array(z.string()),
      })),
    })),
  }).optional(),
  writtenAt: z.iso.datetime(),
});

const valuation: z.ZodType<ValuationRecord> = z.looseObject({
  epoch: count,
  ids: z.array(count),
  phi: z.record(z.string(), z.array(z.number())),
  fused: z.array(z.number()),
  solo: z.record(z.string(), z.array(z.number())),
});

/** What a run folder and its neighbours hold, by kind. */
export interface StoredKinds {
  readonly config: RunConfig;
  readonly epoch: EpochRecord;
  readonly valuation: ValuationRecord;
  readonly summary: RunSummary;
  readonly timing: RunTiming;
  readonly progress: RunProgress;
  readonly failure: RunFailure;
  readonly experiment: Experiment;
}

const schemas: { readonly [K in keyof StoredKinds]: z.ZodType<StoredKinds[K]> } = {
  config,
  epoch,
  valuation,
  summary,
  timing,
  progress,
  failure,
  experiment,
};

/** The schema of a kind, for documents that describe it. */
export function storedSchema<K extends keyof StoredKinds>(kind: K): z.ZodType<StoredKinds[K]> {
  return schemas[kind];
}

/**
 * Reads JSON of a known kind. Messages name the place that is wrong, never its content, which may be anything.
 *
 * @param where The file, with the line where there are several.
 * @param hint How to mend it.
 * @throws {StoreError} With code `"corrupt"` if it is no JSON or not of the kind.
 */
export function parseStored<K extends keyof StoredKinds>(
  kind: K,
  text: string,
  path: string,
  where: string = `"${path}"`,
  hint?: string,
): StoredKinds[K] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new StoreError("corrupt", path, {
      what: `read ${where}`,
      must: "it must be JSON",
      found: "it is not, or not all of it",
      hint,
    });
  }
  const result = schemas[kind].safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const place = issue.path.length === 0 ? "the whole" : issue.path.map(String).join(".").slice(0, 200);
  throw new StoreError("corrupt", path, {
    what: `read ${where}`,
    must: kind === "experiment" ? "it must hold an experiment" : `it must hold a run's ${kind}`,
    found: `found a wrong ${place} (${issue.message})`,
    hint,
  });
}
