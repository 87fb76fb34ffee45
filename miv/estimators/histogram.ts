/**
 * Histogram estimates of normalised (conditional) mutual information between the coordinates of feature vectors.
 *
 * Each vector is standardised over its own coordinates, clipped to [-2, 2] and put into b equal bins, hard (one-hot) or
 * soft (B-spline of order 2, the hat function). Either assignment has rows that sum to 1, so every table is a genuine
 * joint distribution: I >= 0, CMI >= 0 and both normalised values lie in [0, 1].
 *
 * Shapes: N vectors, n observations each (d coordinates of one sample, or B d of a whole batch with N = 1), b bins,
 * m modalities. Entropies are in nats.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { stopGradient } from "../../core/autodiff.ts";
import type { Information } from "./information.ts";
import type { Normalization, ResolvedEstimator } from "./options.ts";
import { officialConditional } from "./official.ts";

/** Entropies below this count as zero: normalising by them would give noise. */
const LEAST_ENTROPY = 1e-5;

/** How bins are assigned. */
type Assign = (vectors: tf.Tensor2D, bins: number) => tf.Tensor3D;

/** Standardises vectors over their last axis (population variance + 1e-8) and clips to [-2, 2]. */
export function standardise(vectors: tf.Tensor, share: tf.Tensor2D | null = null): tf.Tensor {
  const mean = (values: tf.Tensor) =>
    share === null
      ? tf.mean(values, -1, true)
      : tf.div(tf.sum(tf.mul(values, share), -1, true), tf.maximum(tf.sum(share), 1e-12));
  const centred = tf.sub(vectors, mean(vectors));
  const variance = mean(tf.square(centred));
  return tf.clipByValue(tf.mul(centred, tf.rsqrt(tf.add(variance, 1e-8))), -2, 2);
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
  return tf.clipByValue(tf.div(tf.sub(values, from), width), 0, 1);
}

/**
 * Hat-function assignment: A_k = max(0, 1 - |v - c_k| / delta), centres c_k from -2 to 2 at distance delta.
 *
 * @param vectors Standardised, [N, n].
 * @returns [N, b, n]; sums to 1 over b.
 */
export function softAssignment(vectors: tf.Tensor2D, bins: number): tf.Tensor3D {
  const step = 4 / (bins - 1);
  const centres = tf.tensor3d(Array.from({ length: bins }, (_, k) => -2 + k * step), [1, bins, 1]);
  return tf.relu(tf.sub(1, tf.mul(tf.abs(tf.sub(tf.expandDims(vectors, 1), centres)), 1 / step))) as tf.Tensor3D;
}

/**
 * One-hot assignment to b equal bins of [-2, 2]; the last bin is closed. Has no gradient.
 *
 * @param vectors Standardised, [N, n].
 * @returns [N, b, n].
 */
export function hardAssignment(vectors: tf.Tensor2D, bins: number): tf.Tensor3D {
  return oneHot(tf.mul(tf.add(stopGradient(vectors), 2), bins / 4), bins);
}

/** One-hot assignment to NumPy's b equal bins of [0, 1]. @param vectors Stretched, [N, n]. @returns [N, b, n]. */
function rangeAssignment(vectors: tf.Tensor2D, bins: number): tf.Tensor3D {
  return oneHot(tf.mul(stopGradient(vectors), bins), bins);
}

/** Rows of a 1 at floor(position), the last bin closed. */
function oneHot(position: tf.Tensor, bins: number): tf.Tensor3D {
  const index = tf.minimum(tf.floor(position), bins - 1);
  const bin = tf.tensor3d(Array.from({ length: bins }, (_, k) => k), [1, bins, 1]);
  return tf.cast(tf.equal(tf.expandDims(index, 1), bin), "float32") as tf.Tensor3D;
}

/** Entropy in nats over the given axes: -sum P log(P + 1e-12). */
export function entropy(table: tf.Tensor, axes: readonly number[]): tf.Tensor {
  return tf.neg(tf.sum(tf.mul(table, tf.log(tf.add(table, 1e-12))), [...axes]));
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

/** Assigned vectors with the weight that each observation has in a table. */
interface Assigned {
  readonly fused: tf.Tensor3D;
  readonly parts: readonly tf.Tensor3D[];
  /** The fused assignment times the observations' weights, which sum to 1. */
  readonly weighted: (table: tf.Tensor) => tf.Tensor;
  readonly marginal: (assigned: tf.Tensor3D) => tf.Tensor;
}

/** MI alone, from a table P(u, y) per part. */
function informationFromPairs(
  { fused, parts, weighted, marginal }: Assigned,
  norm: Normalization,
): Pick<Information, "nmi" | "mi"> {
  const hy = entropy(marginal(fused), [1]);
  const mi: tf.Tensor[] = [];
  const nmi = parts.map((part, u) => {
    const h = entropy(marginal(part), [1]);
    mi[u] = tf.sub(tf.add(h, hy), entropy(weighted(part), [1, 2]));
    return normalised(mi[u], h, hy, norm);
  });
  return { nmi: tf.stack(nmi, 1) as tf.Tensor2D, mi: tf.stack(mi, 1) as tf.Tensor2D };
}

/** MI and CMI from one table P(i, j, y) per pair of parts, which serves both directions and its margins both MIs. */
function informationFromTriples(
  { fused, parts, weighted, marginal }: Assigned,
  { norm, conditionalNorm, conditionalEntropy }: ResolvedEstimator,
): Information {
  const [rows, bins, observations] = fused.shape;
  const m = parts.length;
  const zero = tf.zeros([rows]);
  const list = (): tf.Tensor[] => Array.from({ length: m }, () => zero);
  const square = () => Array.from({ length: m }, list);
  const [nmi, mi, ncmi, cmi] = [list(), list(), square(), square()];
  const hy = entropy(marginal(fused), [1]);
  const h = parts.map((part) => entropy(marginal(part), [1]));
  for (let i = 0; i < m; i++) {
    for (let j = i + 1; j < m; j++) {
      const pair = tf.reshape(
        tf.mul(tf.expandDims(parts[i], 2), tf.expandDims(parts[j], 1)),
        [rows, bins * bins, observations],
      ) as tf.Tensor3D;
      const table = tf.reshape(weighted(pair), [rows, bins, bins, bins]);
      const hijy = entropy(table, [1, 2, 3]);
      const hij = entropy(tf.sum(table, 3), [1, 2]);
      const hiy = entropy(tf.sum(table, 2), [1, 2]);
      const hjy = entropy(tf.sum(table, 1), [1, 2]);
      mi[i] = tf.sub(tf.add(h[i], hy), hiy);
      mi[j] = tf.sub(tf.add(h[j], hy), hjy);
      nmi[i] = normalised(mi[i], h[i], hy, norm);
      nmi[j] = normalised(mi[j], h[j], hy, norm);
      if (conditionalEntropy === "official") {
        ({ cmi: cmi[i][j], ncmi: ncmi[i][j] } = officialConditional(
          tf.transpose(table, [0, 2, 3, 1]),
          conditionalNorm,
        ));
        ({ cmi: cmi[j][i], ncmi: ncmi[j][i] } = officialConditional(
          tf.transpose(table, [0, 1, 3, 2]),
          conditionalNorm,
        ));
        continue;
      }
      cmi[i][j] = tf.sub(tf.sub(tf.add(hij, hiy), h[i]), hijy);
      cmi[j][i] = tf.sub(tf.sub(tf.add(hij, hjy), h[j]), hijy);
      ncmi[i][j] = normalised(cmi[i][j], tf.sub(hij, h[i]), tf.sub(hiy, h[i]), conditionalNorm);
      ncmi[j][i] = normalised(cmi[j][i], tf.sub(hij, h[j]), tf.sub(hjy, h[j]), conditionalNorm);
    }
  }
  const matrix = (entries: tf.Tensor[][]): tf.Tensor3D => tf.reshape(tf.stack(entries.flat(), 1), [rows, m, m]);
  return {
    nmi: tf.stack(nmi, 1) as tf.Tensor2D,
    mi: tf.stack(mi, 1) as tf.Tensor2D,
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
  // All vectors at once: [(1 + m) N, n].
  const all = tf.concat([fused, ...parts], 0);
  const vectors = (edges === "standard" ? standardise(all, share) : stretch(all, share)) as tf.Tensor2D;
  const scale = 1 / observations;
  // Weights as they enter a table: they sum to 1.
  const portions = share === null
    ? null
    : tf.reshape(tf.div(share, tf.maximum(tf.sum(share), 1e-12)), [1, 1, observations]);
  const assigned = (assign: Assign, count: number): Assigned => {
    const [first, ...rest] = tf.split(assign(vectors, count), 1 + m, 0) as tf.Tensor3D[];
    const heavy = portions === null ? first : tf.mul(first, portions) as tf.Tensor3D;
    return {
      fused: first,
      parts: rest,
      weighted: (table) => {
        const product = tf.matMul(table as tf.Tensor3D, heavy, false, true);
        return portions === null ? tf.mul(product, scale) : product;
      },
      marginal: (one) => portions === null ? tf.mul(tf.sum(one, 2), scale) : tf.sum(tf.mul(one, portions), 2),
    };
  };
  const estimate = (assign: Assign): Information => {
    if (m === 1) {
      const none: tf.Tensor3D = tf.zeros([rows, 1, 1]);
      return { ...informationFromPairs(assigned(assign, bins), options.norm), ncmi: none, cmi: none };
    }
    const both = informationFromTriples(assigned(assign, cmiBins), options);
    return bins === cmiBins ? both : { ...both, ...informationFromPairs(assigned(assign, bins), options.norm) };
  };
  if (estimator === "hard" || estimator === "official") {
    return estimate(edges === "standard" ? hardAssignment : rangeAssignment);
  }
  const soft = estimate(softAssignment);
  if (estimator === "soft") return soft;
  const hard = estimate(hardAssignment);
  const through = <T extends tf.Tensor>(s: T, h: T): T => tf.add(s, stopGradient(tf.sub(h, s))) as T;
  return {
    nmi: through(soft.nmi, hard.nmi),
    ncmi: through(soft.ncmi, hard.ncmi),
    mi: through(soft.mi, hard.mi),
    cmi: through(soft.cmi, hard.cmi),
  };
}
