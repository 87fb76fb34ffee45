/**
 * Valuation of a model's modalities from saved arrays: what each modality contributes to each sample, class and split.
 *
 * Works on any model that was trained anywhere: it needs the fused features, each modality's part in them, all logits and
 * the labels, nothing of the model itself.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { checkFinite } from "../core/check.ts";
import { type ByModality, mapByModality, modalitiesOf, valuesOf } from "../core/modality.ts";
import { ksgInformation } from "./estimators/ksg.ts";
import { type EstimatorName, estimatorWarning, resolveEstimator } from "./estimators/options.ts";
import { centredRows, type MeasuredVectors, measureInformation, type MeasureOptions } from "./measure.ts";
import { interactionIndex, membersOf, shapleyValues } from "./shapley.ts";
import { classRows, type InformationMeans, informationMeans, modalityRows } from "./summaries.ts";
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

/** Saved arrays of N samples, row-major; modalities by name. */
export interface ValuationInputs {
  /** Class indices [N]. */
  readonly labels: Int32Array;
  /** Logits of the whole model, [N, C]. */
  readonly logits: Float32Array;
  /** Logits of each modality's own readout, [N, C]. */
  readonly solo: ByModality<Float32Array>;
  /** Fused feature f_y, [N, d]. */
  readonly fused: Float32Array;
  /** Each modality's part z_u in the fused feature, [N, d]: the fused feature when only it is there. */
  readonly parts: ByModality<Float32Array>;
  /**
   * Logits [N, C] when only some modalities are kept, by their sorted names joined with `+` (`""` for none). For Shapley
   * values with three or more modalities all proper subsets of two or more are needed; single ones default to `solo`, all
   * to `logits`, none to the class frequencies.
   */
  readonly subsets?: Readonly<Record<string, Float32Array>>;
}

/** How to valuate. */
export interface ValuateOptions extends Omit<MeasureOptions, "estimator"> {
  /** `"ksg"` takes nearest neighbours: slow, for checks. @default {"hard"} */
  readonly estimator?: EstimatorName | "ksg";
  /** Neighbour of `"ksg"`. @default {3} */
  readonly neighbour?: number;
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

/** Means over the samples of one class. */
export interface ClassValuation {
  readonly class: string;
  readonly count: number;
  readonly accuracy: number;
  readonly p: number;
  readonly joint: number;
  readonly phi: ByModality<number>;
  readonly nmi: ByModality<number>;
  readonly solo: ByModality<number>;
}

/** Means over all samples for one modality. */
export interface ModalityValuation {
  readonly modality: string;
  /** Accuracy of its own readout. */
  readonly accuracy: number;
  /** Mean probability that its own readout gives the true class. */
  readonly p: number;
  readonly nmi: number;
  /** The estimator's floor: mean NMI of mismatched samples. */
  readonly nmiFloor: number;
  /** Mean NCMI given each other modality. */
  readonly ncmi: number;
  /** The same of mismatched samples. */
  readonly ncmiFloor: number;
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
  readonly estimator: Readonly<Record<string, string | number>>;
  /** What is doubtful: too few coordinates for the bins. */
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

/** Name of a subset: its members joined by `+`. */
export function subsetName(subset: number, modalities: readonly string[]): string {
  return membersOf(subset, modalities).join("+");
}

/**
 * Valuates the modalities of saved samples.
 *
 * @throws {TypeError} If an array is missing or its length fits no shape.
 * @throws {RangeError} If a label is no class, or a value is NaN or infinite.
 */
export async function valuate(inputs: ValuationInputs, options: ValuateOptions = {}): Promise<Valuation> {
  const { modalities, size, classes, width } = checked(inputs);
  const { index = "other", range = "shift", minimum = "softmin", tau = 20 } = options;
  const m = modalities.length;
  const p = probabilities(inputs.logits, inputs.labels, classes);
  const own = valuesOf(inputs.solo).map((logits) => probabilities(logits, inputs.labels, classes));
  const solo = Float32Array.from({ length: size * m }, (_, k) => own[k % m].p[Math.floor(k / m)]);
  const vectors: MeasuredVectors = { parts: inputs.parts, fused: inputs.fused, size };
  const { nmi, ncmi } = await estimated(vectors, width, options);
  const floor = await floorOf(vectors, width, options);

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
  const warning = options.estimator === "ksg" ? null : estimatorWarning(
    { ...options, estimator: options.estimator ?? "hard" },
    width,
    options.batchSize ?? Math.min(128, size),
  );
  const classNames = options.classes ?? Array.from({ length: classes }, (_, c) => String(c));
  const given = { modalities, size, perSample, labels: inputs.labels, classNames };
  return {
    modalities,
    size,
    classNames,
    estimator: described(options, width),
    warnings: warning === null ? [] : [warning],
    accuracy: average(p.right),
    joint: average(host.joint),
    bound: average(host.bound),
    gap: gapOf(host.phi, m),
    perSample,
    perClass: classRows(given, p.right),
    perModality: modalityRows(given, {
      right: own.map(({ right }) => right),
      floor,
      accuracy: shapleyAccuracy,
      probability: shapleyProbability,
    }),
    shapleyAccuracy,
    shapleyProbability,
  };
}

function described(options: ValuateOptions, width: number): Record<string, string | number> {
  const { centring = "batch", index = "other", range = "shift", minimum = "softmin" } = options;
  const common = { centring, index, range, minimum };
  if (options.estimator === "ksg") return { estimator: "ksg", neighbour: options.neighbour ?? 3, ...common };
  return { ...resolveEstimator({ ...options, estimator: options.estimator ?? "hard" }, width), ...common };
}

async function estimated(
  vectors: MeasuredVectors,
  width: number,
  options: ValuateOptions,
): Promise<{ nmi: Float32Array; ncmi: Float32Array }> {
  const { estimator = "hard", neighbour = 3, centring = "batch", ...rest } = options;
  if (estimator !== "ksg") return await measureInformation(vectors, { ...rest, centring, estimator });
  const centre = (values: Float32Array) => centring === "batch" ? centredRows(values, width) : values;
  return ksgInformation(mapByModality(vectors.parts, centre), centre(vectors.fused), width, { k: neighbour });
}

/** Samples that the floor is measured on. */
const FLOOR_SAMPLES = 256;

/** Both per modality for mismatched samples: each fused feature against the parts of the sample before it. */
async function floorOf(
  { parts, fused, size }: MeasuredVectors,
  width: number,
  options: ValuateOptions,
): Promise<InformationMeans> {
  const m = Object.keys(parts).length;
  const none = new Array<number>(m).fill(NaN);
  if (size < 2) return { nmi: none, ncmi: none };
  const some = Math.min(size, options.estimator === "ksg" ? 16 : FLOOR_SAMPLES);
  const rolled = new Float32Array(some * width);
  rolled.set(fused.subarray(width, some * width));
  rolled.set(fused.subarray(0, width), (some - 1) * width);
  const found = await estimated(
    { parts: mapByModality(parts, (part) => part.subarray(0, some * width)), fused: rolled, size: some },
    width,
    options,
  );
  return informationMeans(found, m);
}

/** Probability of the true class and whether it is the most likely one, [N] each. */
function probabilities(
  logits: Float32Array,
  labels: Int32Array,
  classes: number,
): { p: Float32Array; right: Float32Array } {
  const p = new Float32Array(labels.length);
  const right = new Float32Array(labels.length);
  for (let n = 0; n < labels.length; n++) {
    const row = logits.subarray(n * classes, (n + 1) * classes);
    let best = 0;
    for (let c = 1; c < classes; c++) if (row[c] > row[best]) best = c;
    let sum = 0;
    for (let c = 0; c < classes; c++) sum += Math.exp(row[c] - row[best]);
    p[n] = Math.exp(row[labels[n]] - row[best]) / sum;
    right[n] = best === labels[n] ? 1 : 0;
  }
  return { p, right };
}

/** Both values of every subset by bit mask, or `null` if some subset is not known. */
function subsetValues(
  { logits, labels, solo, subsets = {} }: ValuationInputs,
  modalities: readonly string[],
  classes: number,
): { p: Float32Array; right: Float32Array }[] | null {
  const m = modalities.length;
  const all = (1 << m) - 1;
  const values: { p: Float32Array; right: Float32Array }[] = [];
  for (let subset = 0; subset <= all; subset++) {
    const name = subsetName(subset, modalities);
    const given = subsets[name] ?? (subset === all ? logits : solo[name]);
    if (given !== undefined) values.push(probabilities(given, labels, classes));
    else if (subset === 0) values.push(frequencies(labels, classes));
    else return null;
  }
  return values;
}

/** What is known of a sample without any modality: the classes' frequencies; the most frequent one is guessed. */
function frequencies(labels: Int32Array, classes: number): { p: Float32Array; right: Float32Array } {
  const counts = new Float64Array(classes);
  for (const label of labels) counts[label]++;
  const most = counts.indexOf(Math.max(...counts));
  return {
    p: Float32Array.from(labels, (label) => counts[label] / labels.length),
    right: Float32Array.from(labels, (label) => label === most ? 1 : 0),
  };
}

function shapleyOf(
  modalities: readonly string[],
  size: number,
  value: (subset: number) => Float32Array,
): ShapleyResult {
  const m = modalities.length;
  const values = new Float32Array(size * m);
  for (let n = 0; n < size; n++) values.set(shapleyValues(m, (subset) => value(subset)[n]), n * m);
  const mean = Array.from({ length: 1 << m }, (_, subset) => average(value(subset)));
  const of = (subset: number) => mean[subset];
  return {
    values,
    // Shapley values and interactions are linear in v, so those of the mean are the means.
    mean: shapleyValues(m, of),
    interaction: Array.from(
      { length: m },
      (_, i) => Array.from({ length: m }, (_, j) => i === j ? 0 : interactionIndex(m, i, j, of)),
    ),
    subsets: Object.fromEntries(mean.map((v, subset) => [subsetName(subset, modalities), v])),
  };
}

function average(values: ArrayLike<number>): number {
  let sum = 0;
  for (let n = 0; n < values.length; n++) sum += values[n];
  return sum / values.length;
}

function gapOf(phi: Float32Array, m: number): number {
  let gap = 0;
  const size = phi.length / m;
  for (let n = 0; n < size; n++) {
    for (let i = 0; i < m; i++) for (let j = i + 1; j < m; j++) gap += Math.abs(phi[n * m + i] - phi[n * m + j]);
  }
  return m < 2 ? 0 : gap / (size * m * (m - 1) / 2);
}

/** Shapes that all arrays agree on. */
function checked(inputs: ValuationInputs): { modalities: string[]; size: number; classes: number; width: number } {
  const { labels, logits, solo, fused, parts, subsets = {} } = inputs;
  const modalities = modalitiesOf(parts);
  if (modalities.length === 0) {
    throw new TypeError("Cannot valuate as at least one modality must have a part: found none");
  }
  if (modalitiesOf(solo).join() !== modalities.join()) {
    throw new TypeError(
      `Cannot valuate as parts and solo logits must be of the same modalities: found ${modalities.join(", ")} and ` +
        `${modalitiesOf(solo).join(", ") || "none"}`,
    );
  }
  const size = labels.length;
  if (size === 0) throw new TypeError("Cannot valuate as there must be a label per sample: found none");
  const wide = (what: string, values: Float32Array): number => {
    if (values.length === 0 || values.length % size !== 0) {
      throw new TypeError(`Cannot use ${what} as it must have rows for ${size} labels: found ${values.length} values`);
    }
    checkFinite(what, values);
    return values.length / size;
  };
  const classes = wide("logits", logits);
  const width = wide("fused", fused);
  const same = (what: string, values: Float32Array, expected: number) => {
    const found = wide(what, values);
    if (found !== expected) {
      throw new TypeError(`Cannot use ${what} as its shape must be [${size}, ${expected}]: found [${size}, ${found}]`);
    }
  };
  for (const modality of modalities) {
    same(`part "${modality}"`, parts[modality], width);
    same(`solo logits "${modality}"`, solo[modality], classes);
  }
  const known = new Set(Array.from({ length: 1 << modalities.length }, (_, subset) => subsetName(subset, modalities)));
  for (const [name, values] of Object.entries(subsets)) {
    if (!known.has(name)) {
      throw new RangeError(
        `Cannot use subset "${name}" as it must name modalities in sorted order, joined by +: they are ` +
          modalities.join(", "),
      );
    }
    same(`subset "${name}"`, values, classes);
  }
  const bad = labels.findIndex((label) => label < 0 || label >= classes);
  if (bad !== -1) {
    throw new RangeError(`Cannot use labels as they must be 0..${classes - 1}: found ${labels[bad]} at sample ${bad}`);
  }
  return { modalities, size, classes, width };
}
