/**
 * Linear probes of the encoders of a finished run.
 *
 * @module
 */
import type { Library } from "../core/library.ts";
import type { Dataset, Split, SplitName } from "../core/kinds/mod.ts";
import type { Engine } from "../core/program.ts";
import { Random } from "../core/random.ts";
import { accuracy } from "../training/metrics/classification.ts";
import { linearProbe, type ProbeData, type ProbeOptions } from "../training/metrics/linear_probe.ts";
import { type AppliedRun, applyRun } from "./applied_run.ts";

/** What a probe of one encoder found, as shares of right answers. */
export interface EncoderProbe {
  readonly modality: string;
  readonly test: number;
  readonly validation: number;
  /** The probe's epoch that validation chose, from 0. */
  readonly epoch: number;
  /** The run's own readout of the modality on test, where its summary has it. */
  readonly readout: number | null;
}

/** Probes of a run. */
export interface RunProbes {
  readonly id: string;
  readonly fusion: string;
  readonly methods: readonly string[];
  readonly seed: number;
  readonly readout: string;
  readonly encoders: readonly EncoderProbe[];
}

/** Rows of a split that have a modality, with its features. */
function dataOf(split: Split, features: Float32Array, column: number, modalities: number): ProbeData {
  const { present, labels } = split;
  if (present === undefined) return { features, labels };
  const rows = Int32Array.from(labels.keys()).filter((n) => present[n * modalities + column] === 1);
  const width = features.length / split.size;
  const kept = new Float32Array(rows.length * width);
  rows.forEach((n, k) => kept.set(features.subarray(n * width, (n + 1) * width), k * width));
  return { features: kept, labels: rows.map((n) => labels[n]) };
}

/** Probes every encoder of an opened run. */
async function probed(
  { config, summary, dataset, predictor }: AppliedRun,
  options: Omit<ProbeOptions, "classes">,
): Promise<EncoderProbe[]> {
  const { modalities } = config;
  const passes: Record<string, Record<string, ProbeData>> = {};
  for (const name of ["train", "validation", "test"] as const satisfies readonly SplitName[]) {
    const split: Split = (dataset as Dataset).splits[name];
    const { pooled } = await predictor.pass(split);
    passes[name] = Object.fromEntries(
      modalities.map((modality, u) => [modality, dataOf(split, pooled[modality], u, modalities.length)]),
    );
  }
  return modalities.map((modality) => {
    const { train, validation, test } = passes;
    const random = new Random(config.seed).split("probe", modality);
    const own = { ...options, classes: dataset.classes.length };
    const probe = linearProbe(train[modality], validation[modality], own, random);
    return {
      modality,
      test: accuracy(probe.predict(test[modality].features), test[modality].labels),
      validation: probe.validationAccuracy,
      epoch: probe.epoch,
      readout: summary?.test.perModality[modality]?.accuracy ?? null,
    };
  });
}

/**
 * Trains a linear probe on the features of every encoder of a finished run: on its training split, the epoch selected on
 * validation, test read once.
 *
 * @param path Folder of the run.
 * @throws {Refusal} If the run is not finished, or its dataset is not the one it was trained on.
 */
export async function probeRun(
  path: string,
  library: Library,
  engine: Engine,
  options: Omit<ProbeOptions, "classes"> = {},
): Promise<RunProbes> {
  const run = await applyRun(path, `probe run "${path}"`, library, engine);
  try {
    const { config, summary, predictor } = run;
    return {
      id: summary?.id ?? "",
      fusion: config.fusion.name,
      methods: config.methods.map(({ name }) => name),
      seed: config.seed,
      readout: predictor.readout,
      encoders: await probed(run, options),
    };
  } finally {
    run.dispose();
  }
}
