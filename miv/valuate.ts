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
import { type ByModality, checkModalityName, mapByModality, modalitiesOf, valuesOf } from "../core/modality.ts";
import type { EstimatorPlugin } from "../core/kinds/mod.ts";
import { type BoundPart, resolveOptions } from "../core/options.ts";
import { Random } from "../core/random.ts";
import { Refusal } from "../core/refusal.ts";
import { estimatorWarning } from "./estimators/information.ts";
import { type MeasuredVectors, measureInformation, type MeasureOptions, measuringEstimator } from "./measure.ts";
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

/** Floats of 32 or 64 bits. SavedFeatures of 64 bits are centred before they are narrowed. */
export type SavedFeatures = Float32Array | Float64Array;

/** Saved arrays of N samples, row-major; modalities by name. */
export interface ValuationInputs {
  /** Class indices [N]. */
  readonly labels: Int32Array;
  /** C: columns of all logits. */
  readonly classes: number;
  /** d: columns of the fused feature and of every part. */
  readonly width: number;
  /** Logits of the whole model, [N, C]. */
  readonly logits: SavedFeatures;
  /** Logits of each modality's own readout, [N, C]. */
  readonly solo: ByModality<SavedFeatures>;
  /** Fused feature f_y, [N, d]. */
  readonly fused: SavedFeatures;
  /** Each modality's part z_u in the fused feature, [N, d]: the fused feature when only it is there. */
  readonly parts: ByModality<SavedFeatures>;
  /**
   * Logits [N, C] when only some modalities are kept, by their sorted names joined with `+` (`""` for none). For Shapley
   * values with three or more modalities all proper subsets of two or more are needed; single ones default to `solo`, all
   * to `logits`, none to the class frequencies.
   */
  readonly subsets?: Readonly<Record<string, SavedFeatures>>;
  /** What each sample belongs to (a clip, a patient), [N]: mismatched samples are of different groups. @default none */
  readonly groups?: readonly (string | number)[];
}

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

/** Name of a subset: its members joined by `+`. */
export function subsetName(subset: number, modalities: readonly string[]): string {
  return membersOf(subset, modalities).join("+");
}

/**
 * Valuates the modalities of saved samples.
 *
 * @throws {Refusal} If an array is missing, its length fits no shape, a label is no class, or a value is NaN or infinite.
 */
export async function valuate(inputs: ValuationInputs, given: ValuateOptions = {}): Promise<Valuation> {
  const { classes, width } = inputs;
  const { modalities, size } = checked(inputs);
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

/** The largest value of what is compared is brought to 2^10 .. 2^11: no square overflows, vanishes or meets a floor. */
const LARGEST_EXPONENT = 10;

/**
 * SavedFeatures as 32-bit floats, centred and scaled in double precision: the mean per coordinate is subtracted, or per row where
 * coordinates are not to be centred (each row is standardised later, so that its mean does not matter), then each row is
 * multiplied by a power of two. So neither what all samples have in common nor the features' unit is seen in the result.
 *
 * @param granularity `"batch"`: samples are the observations, so that all rows are scaled alike.
 */
function narrowed(
  values: SavedFeatures,
  width: number,
  centring: "batch" | "none",
  granularity: ValuateOptions["granularity"],
): Float32Array {
  const size = values.length / width;
  const together = granularity === "batch";
  const byColumn = centring === "batch" || together;
  const mean = new Float64Array(byColumn ? width : size);
  const group = (k: number) => byColumn ? k % width : Math.floor(k / width);
  values.forEach((value, k) => mean[group(k)] += value / (byColumn ? size : width));
  const centred = Float64Array.from(values, (value, k) => value - mean[group(k)]);
  const narrow = new Float32Array(centred.length);
  const extent = together ? centred.length : width;
  for (let from = 0; from < centred.length; from += extent) {
    const row = centred.subarray(from, from + extent);
    const largest = row.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    // In two steps, as one power could be beyond the largest number itself.
    const shift = largest === 0 ? 0 : LARGEST_EXPONENT - Math.floor(Math.log2(largest));
    const [half, rest] = [2 ** Math.trunc(shift / 2), 2 ** (shift - Math.trunc(shift / 2))];
    row.forEach((value, k) => narrow[from + k] = value * half * rest);
  }
  return narrow;
}

function described(options: ValuateOptions, width: number): Record<string, unknown> {
  const { estimator = measuringEstimator, centring = "batch", index = "other", range = "shift", minimum = "softmin" } =
    options;
  const { name, plugin, options: chosen } = estimator;
  const resolved = resolveOptions(`estimator "${name}"`, plugin.options, chosen);
  const { settings } = plugin.create(chosen, { coordinates: width });
  return { estimator: name, ...resolved, ...settings, centring, index, range, minimum };
}

/** Whether an estimator runs on the host alone, where it takes long. */
function slow({ plugin, options }: BoundPart<EstimatorPlugin>, width: number): boolean {
  return plugin.create(options, { coordinates: width }).information === undefined;
}

/** Most mismatched pairs that the floor is measured on, and most where the estimator is slow. */
const FLOOR_PAIRS = 1024;
const SLOW_FLOOR_PAIRS = 16;
/** The order of samples is drawn from this seed, so that a valuation repeats itself. */
const FLOOR_SEED = 0;

/**
 * Pairs of samples of different groups, at most so many, drawn by a seed.
 *
 * Samples stand in the shuffled order of their groups, each beside the one that is as many places behind as the largest
 * group has samples: so every sample is paired once in each role. Where a group has more than half of all samples, those
 * that would meet their own are left out.
 */
export function mismatchedPairs(
  size: number,
  groups: readonly (string | number)[] | undefined,
  most: number,
): readonly (readonly [fused: number, part: number])[] {
  const random = new Random(FLOOR_SEED).split("floor");
  const members = new Map<string | number, number[]>();
  for (const sample of random.permutation(size)) {
    const group = groups === undefined ? sample : groups[sample];
    members.set(group, [...members.get(group) ?? [], sample]);
  }
  const order = [...members.values()].flat();
  const largest = Math.max(0, ...[...members.values()].map(({ length }) => length));
  const groupOf = (sample: number) => groups === undefined ? sample : groups[sample];
  return order.map((sample, place) => [sample, order[(place + largest) % size]] as const)
    .filter(([fused, part]) => groupOf(fused) !== groupOf(part)).slice(0, most);
}

/** Both per modality for mismatched samples; `null` where no two samples are of different groups. */
async function floorOf(
  { parts, fused, size }: MeasuredVectors,
  width: number,
  groups: ValuationInputs["groups"],
  options: MeasureOptions,
): Promise<InformationMeans | null> {
  const most = slow(options.estimator ?? measuringEstimator, width) ? SLOW_FLOOR_PAIRS : FLOOR_PAIRS;
  const pairs = mismatchedPairs(size, groups, most);
  if (pairs.length === 0) return null;
  const taken = (values: Float32Array, role: 0 | 1) => {
    const rows = new Float32Array(pairs.length * width);
    pairs.forEach((pair, n) => rows.set(values.subarray(pair[role] * width, (pair[role] + 1) * width), n * width));
    return rows;
  };
  const found = await measureInformation(
    { parts: mapByModality(parts, (part) => taken(part, 1)), fused: taken(fused, 0), size: pairs.length },
    options,
  );
  return informationMeans(found, Object.keys(parts).length);
}

/** Probability of the true class and whether it is the most likely one, [N] each. */
function probabilities(
  logits: SavedFeatures,
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
    const given = Object.hasOwn(subsets, name)
      ? subsets[name]
      : subset === all
      ? logits
      : Object.hasOwn(solo, name)
      ? solo[name]
      : undefined;
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

/**
 * Checks that every array has as many values as its shape says.
 *
 * @throws {Refusal} If not; the message names all arrays and their numbers of values.
 */
function checked(inputs: ValuationInputs): { modalities: string[]; size: number } {
  const { labels, logits, solo, fused, parts, subsets = {}, classes, width } = inputs;
  const modalities = modalitiesOf(parts);
  if (modalities.length === 0) {
    throw new Refusal({ what: "valuate", must: "at least one modality must have a part", found: "found none" });
  }
  for (const modality of modalities) checkModalityName(modality, "a valuation");
  if (modalitiesOf(solo).join() !== modalities.join()) {
    throw new Refusal({
      what: "valuate",
      must: "parts and solo logits must be of the same modalities",
      found: `found ${modalities.join(", ")} and ${modalitiesOf(solo).join(", ") || "none"}`,
    });
  }
  const size = labels.length;
  if (size === 0) throw new Refusal({ what: "valuate", must: "there must be a label per sample", found: "found none" });
  const counted = (what: string, count: number, least: number) => {
    if (!Number.isInteger(count) || count < least) {
      throw new Refusal({ what: "valuate", must: `${what} must be an integer >= ${least}`, found: `found ${count}` });
    }
  };
  counted("classes", classes, 2);
  counted("width", width, 1);
  const all: [string, SavedFeatures, number][] = [
    ["logits", logits, classes],
    ["fused", fused, width],
    ...modalities.map((name): [string, SavedFeatures, number] => [`part "${name}"`, parts[name], width]),
    ...modalities.map((name): [string, SavedFeatures, number] => [`solo logits "${name}"`, solo[name], classes]),
    ...Object.entries(subsets).map((
      [name, values],
    ): [string, SavedFeatures, number] => [`subset "${name}"`, values, classes]),
  ];
  for (const [what, values, columns] of all) {
    if (values.length !== size * columns) {
      throw new Refusal({
        what: `use ${what}`,
        must: `its shape must be [${size}, ${columns}], ${size * columns} values`,
        found: `found ${values.length}, beside ${
          all.slice(0, 24).map(([other, { length }]) => `${other} ${length}`).join(", ")
        }`,
      });
    }
    checkFinite(what, values);
  }
  if (inputs.groups !== undefined && inputs.groups.length !== size) {
    throw new Refusal({ what: "use groups", must: `there must be ${size}`, found: `found ${inputs.groups.length}` });
  }
  for (const name of Object.keys(subsets)) checkSubset(name, modalities);
  const bad = labels.findIndex((label) => label < 0 || label >= classes);
  if (bad !== -1) {
    throw new Refusal({
      what: "use labels",
      must: `they must be 0..${classes - 1}, a column of logits each`,
      found: `found ${labels[bad]} at sample ${bad}`,
    });
  }
  return { modalities, size };
}

/** @throws {Refusal} If a name of a subset is none. */
function checkSubset(name: string, modalities: readonly string[]): void {
  const members = name === "" ? [] : name.split("+");
  const ordered = members.every((member, i) => i === 0 || members[i - 1] < member);
  if (ordered && members.every((member) => modalities.includes(member))) return;
  throw new Refusal({
    what: `use subset "${name}"`,
    must: `it must name modalities in sorted order, joined by +: they are ${modalities.join(", ")}`,
    found: `found "${name}"`,
  });
}
