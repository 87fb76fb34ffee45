/**
 * Valuation of a model's modalities from saved arrays: what each modality contributes to each sample, class and split.
 *
 * Works on any model that was trained anywhere: it needs the fused features, each modality's part in them, all logits and
 * the labels, nothing of the model itself.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { type ByModality, mapByModality, valuesOf } from "../core/modality.ts";
import { resolveOptions } from "../core/options.ts";
import { estimatorWarning } from "./estimators/information.ts";
import { floorOf } from "./floor.ts";
import { type MeasuredVectors, measureInformation, type MeasureOptions, measuringEstimator } from "./measure.ts";
import { checkedInputs, narrowed, type SavedFeatures, type ValuationInputs } from "./saved.ts";
import { average, probabilities, shapleyOf, subsetValues } from "./subset_values.ts";
import { classRows, modalityRows } from "./summaries.ts";
import {
  contributions,
  fusionWeights,
  type InteractionIndex,
  jointContribution,
  lowerBound,
  type Minimum,
  type Range,
  ranged,
} from "./valuation.ts";

/** How to valuate. */
export interface ValuateOptions extends MeasureOptions {
  /** @default {"other"} */
  readonly index?: InteractionIndex;
  /** Range in which fusion weights divide; contributions are reported raw. @default {"shift"} */
  readonly range?: Range;
  /** @default {"softmin"} */
  readonly minimum?: Minimum;
  /** Sharpness of `"softmin"`. @default {20} */
  readonly tau?: number;
  /** Class names. @default their numbers */
  readonly classes?: readonly string[];
}

/** Exact Shapley values of modalities for one value of subsets, and their pairwise interactions. */
export interface ShapleyResult {
  /** Per sample, [N, m]. */
  readonly values: Float32Array;
  /** Means over samples, [m]; their sum is v(all) - v(none). */
  readonly mean: readonly number[];
  /** Mean interaction index, [m][m]: above 0 where modalities help each other, below where they are redundant. */
  readonly interaction: readonly (readonly number[])[];
  /** Mean v by subset, named as `ValuationInputs.subsets`. */
  readonly subsets: Readonly<Record<string, number>>;
}

/** What `valuate` finds of every sample. Row-major; columns by modality in sorted order. */
export interface SampleValuation {
  /** p_y, probability of the true class, [N]. */
  readonly p: Float32Array;
  /** The same by each modality's own readout, [N, m]. */
  readonly solo: Float32Array;
  /** NMI(f_y; z_i), [N, m]. */
  readonly nmi: Float32Array;
  /** NCMI(f_y; z_j | z_i) at [n, i, j]. */
  readonly ncmi: Float32Array;
  /** phi^MI(x^i) (Eq. 6), [N, m]. */
  readonly phiMi: Float32Array;
  /** phi^MI(X) (Eq. 7), [N]. */
  readonly bound: Float32Array;
  /** phi^CMI(x^i) (Eq. 11), raw, [N, m]. */
  readonly phi: Float32Array;
  /** phi^CMI(X) (Eq. 12), raw, [N]. */
  readonly joint: Float32Array;
  /** FW (Eq. 13) of contributions in their range, [N, m]. */
  readonly fusionWeights: Float32Array;
  /** Interaction information I_j - NC_ij at [n, i, j] (Eq. 10); 0 on the diagonal. */
  readonly interaction: Float32Array;
}

/** Means over the samples of one class; `null` where it has none. */
export interface ClassValuation {
  readonly class: string;
  readonly count: number;
  readonly accuracy: number | null;
  readonly p: number | null;
  readonly joint: number | null;
  readonly phi: ByModality<number | null>;
  readonly nmi: ByModality<number | null>;
  readonly solo: ByModality<number | null>;
}

/** Means over all samples for one modality. */
export interface ModalityValuation {
  readonly modality: string;
  /** Accuracy of its own readout. */
  readonly accuracy: number;
  /** Mean probability that its own readout gives the true class. */
  readonly p: number;
  readonly nmi: number;
  /** The estimator's floor: mean NMI of mismatched samples; `null` where no two samples are of different groups. */
  readonly nmiFloor: number | null;
  /** Mean NCMI given each other modality. */
  readonly ncmi: number;
  /** The same of mismatched samples. */
  readonly ncmiFloor: number | null;
  readonly phiMi: number;
  readonly phi: number;
  /** Share of samples whose contribution is below 0. */
  readonly negative: number;
  readonly fusionWeight: number;
  /** Shapley value of the accuracy, if subsets are known. */
  readonly shapleyAccuracy: number | null;
  /** Shapley value of the true class's probability, if subsets are known. */
  readonly shapleyProbability: number | null;
}

/** What `valuate` gives. */
export interface Valuation {
  /** Sorted names. */
  readonly modalities: readonly string[];
  readonly size: number;
  readonly classNames: readonly string[];
  /** The estimator as resolved. */
  readonly estimator: Readonly<Record<string, unknown>>;
  /** What is doubtful or was left out: too few coordinates for the bins, a class without samples, a single sample. */
  readonly warnings: readonly string[];
  readonly accuracy: number;
  /** Mean phi^CMI(X). */
  readonly joint: number;
  /** Mean phi^MI(X). */
  readonly bound: number;
  /** Mean over samples and pairs of |phi_i - phi_j|. */
  readonly gap: number;
  readonly perSample: SampleValuation;
  readonly perClass: readonly ClassValuation[];
  readonly perModality: readonly ModalityValuation[];
  /** With v(S) = 1 where the modalities in S alone give the true class. */
  readonly shapleyAccuracy: ShapleyResult | null;
  /** With v(S) = probability that the modalities in S alone give to the true class. */
  readonly shapleyProbability: ShapleyResult | null;
}

/**
 * Valuates the modalities of saved samples.
 *
 * @throws {Refusal} If an array is missing, its length fits no shape, a label is no class, or a value is NaN or infinite.
 */
export async function valuate(inputs: ValuationInputs, given: ValuateOptions = {}): Promise<Valuation> {
  const { classes, width } = inputs;
  const { modalities, size } = checkedInputs(inputs);
  // A single sample is its own mean: centred, nothing of it would be left.
  const options: ValuateOptions = size === 1 ? { ...given, centring: "none" } : given;
  const { index = "other", range = "shift", minimum = "softmin", tau = 20 } = options;
  const m = modalities.length;
  const p = probabilities(inputs.logits, inputs.labels, classes);
  const own = valuesOf(inputs.solo).map((logits) => probabilities(logits, inputs.labels, classes));
  const solo = Float32Array.from({ length: size * m }, (_, k) => own[k % m].p[Math.floor(k / m)]);
  const { centring = "batch", granularity } = options;
  const narrow = (values: SavedFeatures) => narrowed(values, width, centring, granularity);
  const vectors: MeasuredVectors = { parts: mapByModality(inputs.parts, narrow), fused: narrow(inputs.fused), size };
  // They are centred already.
  const measuring: MeasureOptions = { ...options, centring: "none" };
  const { nmi, ncmi } = await measureInformation(vectors, measuring);
  const floor = await floorOf(vectors, width, inputs.groups, measuring);

  const host = tf.tidy(() => {
    const [P, S, I, C] = [
      tf.tensor1d(p.p),
      tf.tensor2d(solo, [size, m]),
      tf.tensor2d(nmi, [size, m]),
      tf.tensor3d(ncmi, [size, m, m]),
    ];
    const phi = contributions(P, S, I, C, index);
    return {
      phi: phi.dataSync() as Float32Array,
      joint: jointContribution(phi).dataSync() as Float32Array,
      bound: lowerBound(P, I, minimum, tau).dataSync() as Float32Array,
      fusionWeights: fusionWeights(ranged(phi, range)).dataSync() as Float32Array,
      phiMi: tf.mul(tf.expandDims(P, 1), I).dataSync() as Float32Array,
    };
  });
  const interaction = ncmi.map((value, k) => {
    const [n, i, j] = [Math.floor(k / (m * m)), Math.floor(k / m) % m, k % m];
    return i === j ? 0 : nmi[n * m + j] - value;
  });
  const perSample: SampleValuation = { p: p.p, solo, nmi, ncmi, interaction, ...host };
  const subsets = subsetValues(inputs, modalities, classes);
  const shapleyAccuracy = subsets === null ? null : shapleyOf(modalities, size, (subset) => subsets[subset].right);
  const shapleyProbability = subsets === null ? null : shapleyOf(modalities, size, (subset) => subsets[subset].p);
  const { estimator = measuringEstimator } = options;
  const warning = estimatorWarning(estimator, width, options.batchSize ?? Math.min(128, size), granularity);
  const classNames = options.classes ?? Array.from({ length: classes }, (_, c) => String(c));
  const rows = { modalities, size, perSample, labels: inputs.labels, classNames };
  return {
    modalities,
    size,
    classNames,
    estimator: described(options, width),
    warnings: [...warning === null ? [] : [warning], ...notesOf(rows)],
    accuracy: average(p.right),
    joint: average(host.joint),
    bound: average(host.bound),
    gap: gapOf(host.phi, m),
    perSample,
    perClass: classRows(rows, p.right),
    perModality: modalityRows(rows, {
      right: own.map(({ right }) => right),
      floor,
      accuracy: shapleyAccuracy,
      probability: shapleyProbability,
    }),
    shapleyAccuracy,
    shapleyProbability,
  };
}

/** What tables leave out. */
function notesOf({ labels, classNames }: { labels: Int32Array; classNames: readonly string[] }): string[] {
  const present = new Set(labels);
  const absent = classNames.filter((_, label) => !present.has(label));
  const some = absent.slice(0, 10).join(", ") + (absent.length > 10 ? ` and ${absent.length - 10} more` : "");
  return [
    ...labels.length > 1 ? [] : ["one sample: it is not centred, and there is no floor without a second one"],
    ...absent.length === 0 ? [] : [`classes without a sample have no means: ${some}`],
  ];
}

function described(options: ValuateOptions, width: number): Record<string, unknown> {
  const { estimator = measuringEstimator, centring = "batch", index = "other", range = "shift", minimum = "softmin" } =
    options;
  const { name, plugin, options: chosen } = estimator;
  const resolved = resolveOptions(`estimator "${name}"`, plugin.options, chosen);
  const { settings } = plugin.create(chosen, { coordinates: width });
  return { estimator: name, ...resolved, ...settings, centring, index, range, minimum };
}

function gapOf(phi: Float32Array, m: number): number {
  let gap = 0;
  const size = phi.length / m;
  for (let n = 0; n < size; n++) {
    for (let i = 0; i < m; i++) for (let j = i + 1; j < m; j++) gap += Math.abs(phi[n * m + i] - phi[n * m + j]);
  }
  return m < 2 ? 0 : gap / (size * m * (m - 1) / 2);
}
