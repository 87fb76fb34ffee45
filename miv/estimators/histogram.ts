/**
 * Histogram estimates of normalised (conditional) mutual information between the coordinates of feature vectors.
 *
 * Each vector is standardised over its own coordinates and put into b equal bins of [-2, 2], the outer ones open, hard
 * (one-hot) or soft (B-spline of order 2, the hat function max(0, 1 - |v - c_k| / delta) of centres c_k from -2 to 2).
 * Either assignment sums to 1 over bins, so every table is a genuine joint distribution: I >= 0, CMI >= 0 and both
 * normalised values lie in [0, 1].
 *
 * Shapes: N vectors, n observations each (d coordinates of one sample, or B d of a whole batch with N = 1), b bins,
 * m modalities. Entropies are in nats.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { stopGradient } from "../../core/autodiff.ts";
import type { Information } from "./information.ts";
import { officialConditional } from "./official.ts";
import type { Normalization, ResolvedEstimator } from "./options.ts";
import { entropiesOf } from "./tables.ts";

/** Entropies below this count as zero: normalising by them would give noise. */
const LEAST_ENTROPY = 1e-5;

/** Hard bins, or hat functions. */
export type Binning = "hard" | "soft";

/** Standardises vectors over their last axis (population variance + 1e-8). */
export function standardise(vectors: tf.Tensor, share: tf.Tensor2D | null = null): tf.Tensor {
  const mean = (values: tf.Tensor) =>
    share === null
      ? tf.mean(values, -1, true)
      : tf.div(tf.sum(tf.mul(values, share), -1, true), tf.maximum(tf.sum(share), 1e-12));
  const centred = tf.sub(vectors, mean(vectors));
  const variance = mean(tf.square(centred));
  return tf.mul(centred, tf.rsqrt(tf.add(variance, 1e-8)));
}

/**
 * Maps [min, max] of each vector's last axis onto [0, 1]; a constant vector v gets the range [v - 1/2, v + 1/2]. Has no
 * gradient.
 *
 * @param share Observations of weight 0 do not enter the range.
 */
export function stretch(vectors: tf.Tensor, share: tf.Tensor2D | null = null): tf.Tensor {
  const values = stopGradient(vectors);
  const counted = share === null ? null : tf.broadcastTo(tf.greater(share, 0), values.shape);
  const beyond = (bound: number) => counted === null ? values : tf.where(counted, values, tf.fill(values.shape, bound));
  const low = tf.min(beyond(Infinity), -1, true);
  const high = tf.max(beyond(-Infinity), -1, true);
  const constant = tf.equal(low, high);
  const from = tf.where(constant, tf.sub(low, 0.5), low);
  const width = tf.where(constant, tf.onesLike(low), tf.sub(high, low));
  return tf.div(tf.sub(values, from), width);
}

/**
 * Cumulative functions of b equal bins of a range: hard ones are 1 from edge k on, soft ones rise from 0 to 1 between the
 * centres of bins k - 1 and k. The share of bin k is S_k - S_(k+1), with S_0 = 1 and S_b = 0; the outer bins are open.
 *
 * @param vectors [N, n].
 * @param range Its ends.
 * @param first 1, or 0 to have the constant S_0 as well.
 * @returns S_first .. S_(b-1), [N, b - first, n].
 */
export function cumulativeBins(
  vectors: tf.Tensor2D,
  bins: number,
  binning: Binning,
  [low, high]: readonly [number, number],
  first: 0 | 1,
): tf.Tensor3D {
  const steps = (at: (k: number) => number) =>
    tf.tensor3d(Array.from({ length: bins - first }, (_, k) => k + first === 0 ? -1e30 : at(k + first)), [
      1,
      bins - first,
      1,
    ]);
  if (binning === "hard") {
    const edges = steps((k) => low + (high - low) * k / bins);
    return tf.cast(tf.greaterEqual(tf.expandDims(stopGradient(vectors), 1), edges), "float32") as tf.Tensor3D;
  }
  const delta = (high - low) / (bins - 1);
  const scaled = tf.expandDims(tf.mul(vectors, 1 / delta), 1);
  return tf.clipByValue(tf.sub(scaled, steps((k) => low / delta + k - 1)), 0, 1) as tf.Tensor3D;
}

/** information / norm(first, second), in [0, 1]; 0 with zero gradient where an entropy vanishes. */
export function normalised(
  information: tf.Tensor,
  first: tf.Tensor,
  second: tf.Tensor,
  norm: Normalization,
): tf.Tensor {
  const defined = tf.logicalAnd(tf.greater(first, LEAST_ENTROPY), tf.greater(second, LEAST_ENTROPY));
  const one = tf.onesLike(first);
  // Both branches of a select are differentiated: without safe entropies the unused one would give NaN.
  const a = tf.where(defined, first, one);
  const b = tf.where(defined, second, one);
  const scale = norm === "sqrt" ? tf.sqrt(tf.mul(a, b)) : tf.mul(tf.add(a, b), norm === "mean" ? 0.5 : 1);
  const ratio = tf.clipByValue(tf.div(information, scale), 0, 1);
  return tf.where(defined, ratio, tf.zerosLike(ratio));
}

/**
 * Sums over observations of products of cumulative functions: of some parts' S_1 .. S_r and the fused feature's
 * S_0 .. S_r, whose constant S_0 brings the sums without it.
 */
interface Moments {
  /** Of the fused feature alone, [N, b]. */
  readonly fused: tf.Tensor;
  /** With one part, [N, r b]. */
  readonly parts: readonly tf.Tensor[];
  /** With parts i < j, [N, r^2 b]; empty unless asked for. */
  readonly pairs: readonly tf.Tensor[];
}

/** @param fused Times the observations' weights, where there are any. */
function momentsOf(fused: tf.Tensor3D, parts: readonly tf.Tensor3D[], withPairs: boolean): Moments {
  const [rows, , observations] = fused.shape;
  const withFused = (steps: tf.Tensor3D) => tf.reshape(tf.matMul(steps, fused, false, true), [rows, -1]);
  const together = (a: tf.Tensor3D, b: tf.Tensor3D): tf.Tensor3D =>
    tf.reshape(tf.mul(tf.expandDims(a, 2), tf.expandDims(b, 1)), [rows, a.shape[1] * b.shape[1], observations]);
  return {
    fused: tf.sum(fused, 2),
    parts: parts.map(withFused),
    pairs: !withPairs
      ? []
      : parts.flatMap((first, i) => parts.slice(i + 1).map((second) => withFused(together(first, second)))),
  };
}

/** Moments of two assignments one below the other, so that what follows is done once for both. */
function stacked(first: Moments, second: Moments): Moments {
  const both = (a: tf.Tensor, b: tf.Tensor) => tf.concat([a, b], 0);
  return {
    fused: both(first.fused, second.fused),
    parts: first.parts.map((part, u) => both(part, second.parts[u])),
    pairs: first.pairs.map((pair, k) => both(pair, second.pairs[k])),
  };
}

/** A constant matrix whose columns are sums of entropies with signs; a row per entropy. */
function combination(columns: readonly (readonly number[])[]): tf.Tensor2D {
  return tf.tensor2d(columns[0].map((_, row) => columns.map((column) => column[row])));
}

/** Information of entropies by constant combinations, and normalised. */
function judged(
  entropies: tf.Tensor2D,
  combinations: readonly { readonly information: number[]; readonly first: number[]; readonly second: number[] }[],
  norm: Normalization,
): { nats: tf.Tensor; normalised: tf.Tensor } {
  const nats = tf.matMul(entropies, combination(combinations.map(({ information }) => information)));
  const first = tf.matMul(entropies, combination(combinations.map(({ first }) => first)));
  const second = tf.matMul(entropies, combination(combinations.map(({ second }) => second)));
  return { nats, normalised: normalised(nats, first, second, norm) };
}

/** MI of parts with the fused feature, one table each. */
function fromPairs(
  moments: Moments,
  bins: number,
  scale: number,
  norm: Normalization,
): Pick<Information, "nmi" | "mi"> {
  const each = moments.parts.map((part) => {
    // Variables: the part (1), the fused feature (2); entropies H1, H2, H12.
    const { entropies } = entropiesOf([moments.fused, part], 2, bins, scale);
    return judged(entropies, [{ information: [1, 1, -1], first: [1, 0, 0], second: [0, 1, 0] }], norm);
  });
  return {
    nmi: tf.concat(each.map((one) => one.normalised), 1) as tf.Tensor2D,
    mi: tf.concat(each.map((one) => one.nats), 1) as tf.Tensor2D,
  };
}

// Variables of a triple: i (1), j (2), y (4). Entropies in the order Hi, Hj, Hij, Hy, Hiy, Hjy, Hijy.
const MI = [
  { information: [1, 0, 0, 1, -1, 0, 0], first: [1, 0, 0, 0, 0, 0, 0], second: [0, 0, 0, 1, 0, 0, 0] },
  { information: [0, 1, 0, 1, 0, -1, 0], first: [0, 1, 0, 0, 0, 0, 0], second: [0, 0, 0, 1, 0, 0, 0] },
];
const CMI = [
  // Of y and j given i: Hij + Hiy - Hi - Hijy, by H(j|i) and H(y|i).
  { information: [-1, 0, 1, 0, 1, 0, -1], first: [-1, 0, 1, 0, 0, 0, 0], second: [-1, 0, 0, 0, 1, 0, 0] },
  // Of y and i given j.
  { information: [0, -1, 1, 0, 0, 1, -1], first: [0, -1, 1, 0, 0, 0, 0], second: [0, -1, 0, 0, 0, 1, 0] },
];

/** MI and CMI: one table P(i, j, y) per pair of parts serves both directions, and its margins both MIs. */
function fromTriples(moments: Moments, options: ResolvedEstimator, bins: number, scale: number): Information {
  const { norm, conditionalNorm, conditionalEntropy } = options;
  const [rows] = moments.fused.shape;
  const m = moments.parts.length;
  const zero = tf.zeros([rows, 1]);
  const list = (): tf.Tensor[] => Array.from({ length: m }, () => zero);
  const square = () => Array.from({ length: m }, list);
  const [nmi, mi, ncmi, cmi] = [list(), list(), square(), square()];
  const columns = (values: tf.Tensor) => tf.split(values, values.shape[1]!, 1);
  let pair = 0;
  for (let i = 0; i < m; i++) {
    for (let j = i + 1; j < m; j++, pair++) {
      const { entropies, table } = entropiesOf(
        [moments.fused, moments.parts[i], moments.parts[j], moments.pairs[pair]],
        3,
        bins,
        scale,
      );
      const official = conditionalEntropy === "official";
      if (!official && norm === conditionalNorm) {
        const { nats, normalised } = judged(entropies, [...MI, ...CMI], norm);
        [mi[i], mi[j], cmi[i][j], cmi[j][i]] = columns(nats);
        [nmi[i], nmi[j], ncmi[i][j], ncmi[j][i]] = columns(normalised);
        continue;
      }
      const unconditional = judged(entropies, MI, norm);
      [mi[i], mi[j]] = columns(unconditional.nats);
      [nmi[i], nmi[j]] = columns(unconditional.normalised);
      if (official) {
        const cube = tf.reshape(table(), [rows, bins, bins, bins]);
        const given = (axes: number[]) => {
          const { cmi, ncmi } = officialConditional(tf.transpose(cube, axes), conditionalNorm);
          return [tf.expandDims(cmi, 1), tf.expandDims(ncmi, 1)];
        };
        [cmi[i][j], ncmi[i][j]] = given([0, 2, 3, 1]);
        [cmi[j][i], ncmi[j][i]] = given([0, 1, 3, 2]);
        continue;
      }
      const conditional = judged(entropies, CMI, conditionalNorm);
      [cmi[i][j], cmi[j][i]] = columns(conditional.nats);
      [ncmi[i][j], ncmi[j][i]] = columns(conditional.normalised);
    }
  }
  const matrix = (entries: tf.Tensor[][]): tf.Tensor3D => tf.reshape(tf.concat(entries.flat(), 1), [rows, m, m]);
  return {
    nmi: tf.concat(nmi, 1) as tf.Tensor2D,
    mi: tf.concat(mi, 1) as tf.Tensor2D,
    ncmi: matrix(ncmi),
    cmi: matrix(cmi),
  };
}

/**
 * Information by histograms.
 *
 * @param parts [N, n] each.
 * @param fused [N, n].
 * @param share Weights of observations [1, n], or `null`.
 */
export function histogramInformation(
  parts: readonly tf.Tensor2D[],
  fused: tf.Tensor2D,
  options: ResolvedEstimator,
  share: tf.Tensor2D | null,
): Information {
  const { estimator, bins, cmiBins, edges } = options;
  const [rows, observations] = fused.shape;
  const m = parts.length;
  // Straight-through needs both assignments; soft rows come first.
  const stacks = estimator === "straight-through" ? 2 : 1;
  // All vectors at once, [(1 + m) N, n], until they become many times larger.
  const all = tf.concat([fused, ...parts], 0);
  const ends = edges === "standard" ? [-2, 2] as const : [0, 1] as const;
  const placed = edges === "standard" ? standardise(all, share) : stretch(all, share);
  const vectors = tf.split(placed, 1 + m, 0) as tf.Tensor2D[];
  const scale = share === null ? 1 / observations : 1;
  // Weights as they enter a table: they sum to 1.
  const portions = share === null
    ? null
    : tf.reshape(tf.div(share, tf.maximum(tf.sum(share), 1e-12)), [1, 1, observations]);
  const moments = (count: number, withPairs: boolean): Moments => {
    const of = (binning: Binning) => {
      const [first, ...rest] = vectors.map((one, u) => cumulativeBins(one, count, binning, ends, u === 0 ? 0 : 1));
      return momentsOf(portions === null ? first : tf.mul(first, portions), rest, withPairs);
    };
    if (stacks === 2) return stacked(of("soft"), of("hard"));
    return of(estimator === "soft" ? "soft" : "hard");
  };
  const found = m === 1
    ? { ...fromPairs(moments(bins, false), bins, scale, options.norm), ...withoutPartners(stacks * rows) }
    : fromTriples(moments(cmiBins, true), options, cmiBins, scale);
  const both = m === 1 || bins === cmiBins
    ? found
    : { ...found, ...fromPairs(moments(bins, false), bins, scale, options.norm) };
  if (stacks === 1) return both;
  const through = <T extends tf.Tensor>(stack: T): T => {
    const [soft, hard] = tf.split(stack, 2, 0) as T[];
    return tf.add(soft, stopGradient(tf.sub(hard, soft))) as T;
  };
  return { nmi: through(both.nmi), ncmi: through(both.ncmi), mi: through(both.mi), cmi: through(both.cmi) };
}

/** One modality has no conditional information. */
function withoutPartners(rows: number): Pick<Information, "ncmi" | "cmi"> {
  const none: tf.Tensor3D = tf.zeros([rows, 1, 1]);
  return { ncmi: none, cmi: none };
}
