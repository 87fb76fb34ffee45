/**
 * What finished runs keep of their accuracy on corrupted and missing modalities, without training anything anew.
 *
 * @module
 */
import type { Library } from "../core/library.ts";
import type { Dataset, Split } from "../core/kinds/mod.ts";
import type { Engine } from "../core/program.ts";
import { corrupted } from "../datasets/corruptions/corrupt.ts";
import { type Corruptible, corruptible, corruptions } from "../datasets/corruptions/kinds.ts";
import { accuracy, argmaxRows } from "../training/metrics/classification.ts";
import type { Predictor } from "../training/predictor.ts";
import { applyRun } from "./applied_run.ts";
import { runId } from "../store/run_id.ts";

/** Accuracy over severities of one corruption of one modality. */
export interface RobustnessCurve {
  readonly modality: string;
  /** A name of `corruptions`, or `missing`: the share of samples that lack the modality. */
  readonly name: string;
  readonly severities: readonly number[];
  /** Test accuracy at each. */
  readonly accuracy: readonly number[];
  /** Area under the curve, 0..1: trapezoids over the severities in their order, as if equally far apart. */
  readonly area: number;
}

/** Accuracy with some modalities alone. */
export interface SubsetAccuracy {
  readonly kept: readonly string[];
  readonly accuracy: number;
}

/** What one run keeps. */
export interface RunRobustness {
  readonly id: string;
  readonly dataset: string;
  /** Fusion and methods, or the one modality. */
  readonly label: string;
  readonly seed: number;
  readonly classes: number;
  readonly samples: number;
  readonly curves: readonly RobustnessCurve[];
  /** All 2^m - 1, the whole first. */
  readonly subsets: readonly SubsetAccuracy[];
}

/** What is measured. */
export interface RobustnessOptions {
  /** Corruptions as `image.blur`; `undefined` takes the usual ones of each modality. */
  readonly curves?: readonly { readonly modality: string; readonly name: string }[];
  /** Seed of corruptions and of what is missing. @default {0} */
  readonly seed?: number;
}

/** What is corrupted where nothing is said. */
const usual: Readonly<Record<Corruptible, readonly string[]>> = {
  image: ["noise", "blur", "occlusion", "jpeg"],
  "log-mel": ["snr", "clip", "reverb"],
  waveform: ["snr", "clip", "reverb"],
  tokens: ["typos", "word-drop"],
  features: ["noise", "feature-drop"],
};

const usualOf = (dataset: Dataset, modality: string): readonly string[] =>
  Object.hasOwn(dataset.reads ?? {}, modality)
    ? ["letter-typos", "word-drop"]
    : usual[corruptible(dataset.modalities[modality])];

/** Shares of samples that lack a modality. */
export const missingShares: readonly number[] = [0, 0.3, 0.5, 0.7, 0.9];

/** Area under values that stand equally far apart over a length of 1. */
export function areaUnder(values: readonly number[]): number {
  if (values.length < 2) return values[0];
  const inner = values.slice(1, -1).reduce((sum, value) => sum + value, 0);
  return (inner + (values[0] + values.at(-1)!) / 2) / (values.length - 1);
}

/** Every subset of modalities but the empty one, larger ones first. */
export function subsetsOf(modalities: readonly string[]): string[][] {
  return Array.from(
    { length: 2 ** modalities.length - 1 },
    (_, bits) => modalities.filter((_, u) => (((bits + 1) >> u) & 1) === 1),
  ).sort((a, b) => b.length - a.length);
}

/**
 * Evaluates a finished run's tested model on its test split: with each subset of modalities, with each modality missing in
 * a share of the samples, and corrupted at growing severities.
 *
 * Subsets are those of the harness: kept modalities at feature level, the others filled as the fusion says.
 *
 * @throws {Refusal} If the run is not finished, its dataset is another by now, or lacks what is to be corrupted.
 */
export async function robustnessOfRun(
  path: string,
  library: Library,
  engine: Engine,
  { curves, seed = 0 }: RobustnessOptions = {},
): Promise<RunRobustness> {
  const { config, dataset, predictor, dispose } = await applyRun(path, `test run "${path}"`, library, engine);
  try {
    const { modalities } = config;
    const { test } = dataset.splits;
    const classes = dataset.classes.length;
    const score = (logits: Float32Array) => accuracy(argmaxRows(logits, classes), test.labels);
    const bySubset = new Map<string, Float32Array>();
    const subsets: SubsetAccuracy[] = [];
    for (const kept of subsetsOf(modalities)) {
      const logits = await predictor.logits(test, kept.length === modalities.length ? {} : { kept });
      bySubset.set(kept.join("+"), logits);
      subsets.push({ kept, accuracy: score(logits) });
    }
    const found: RobustnessCurve[] = [];
    for (const modality of modalities.length === 1 ? [] : modalities) {
      const scores: number[] = [];
      for (const share of missingShares) {
        scores.push(score(await missing(dataset, { modality, share, seed, classes, modalities }, bySubset)));
      }
      found.push(curve(modality, "missing", missingShares, scores));
    }
    const asked = curves ??
      modalities.flatMap((modality) => usualOf(dataset, modality).map((name) => ({ modality, name })));
    for (const { modality, name } of asked) {
      const severities = Object.hasOwn(corruptions, name) ? corruptions[name].severities : [0];
      const scores: number[] = [];
      for (const severity of severities) {
        scores.push(score(await corruptedLogits(dataset, predictor, { modality, name, severity }, seed)));
      }
      found.push(curve(modality, name, severities, scores));
    }
    const label = modalities.length === 1
      ? `${modalities[0]} only`
      : [config.fusion.name, ...config.methods.map((method) => method.name)].join(" + ");
    return {
      id: runId(config),
      dataset: dataset.name,
      label,
      seed: config.seed,
      classes,
      samples: test.size,
      curves: found,
      subsets,
    };
  } finally {
    dispose();
  }
}

const curve = (modality: string, name: string, severities: readonly number[], scores: number[]): RobustnessCurve => ({
  modality,
  name,
  severities,
  accuracy: scores,
  area: areaUnder(scores),
});

async function corruptedLogits(
  dataset: Dataset,
  predictor: Predictor,
  corruption: { readonly modality: string; readonly name: string; readonly severity: number },
  seed: number,
): Promise<Float32Array> {
  const changed = await corrupted(dataset, { corrupt: [corruption], splits: ["test"], seed });
  return await predictor.logits(changed.splits.test);
}

/**
 * Logits where a share of the samples lacks a modality: each sample's are those of the subset that it has.
 *
 * Whoever lacks the modality at one share lacks it at every larger one.
 */
async function missing(
  dataset: Dataset,
  { modality, share, seed, classes, modalities }: {
    readonly modality: string;
    readonly share: number;
    readonly seed: number;
    readonly classes: number;
    readonly modalities: readonly string[];
  },
  bySubset: ReadonlyMap<string, Float32Array>,
): Promise<Float32Array> {
  const changed = await corrupted(dataset, { drop: { [modality]: share }, splits: ["test"], seed });
  const split: Split = changed.splits.test;
  const logits = new Float32Array(split.size * classes);
  const all = modalities.join("+");
  const without = modalities.filter((name) => name !== modality).join("+");
  const u = modalities.indexOf(modality);
  for (let n = 0; n < split.size; n++) {
    const lacks = split.present?.[n * modalities.length + u] === 0;
    const from = bySubset.get(lacks ? without : all)!;
    logits.set(from.subarray(n * classes, (n + 1) * classes), n * classes);
  }
  return logits;
}
