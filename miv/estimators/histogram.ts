/**
 * Histogram estimates of normalised (conditional) mutual information between the coordinates of feature vectors.
 *
 * For one sample the d coordinates of two vectors are d paired observations. Each vector is standardised over its own
 * coordinates, clipped to [-2, 2] and put into b equal bins, hard (one-hot) or soft (B-spline of order 2, the hat
 * function). Either assignment has rows that sum to 1, so every table is a genuine joint distribution: I >= 0, CMI >= 0
 * and both normalised values lie in [0, 1].
 *
 * Shapes: B batch, d coordinates, b bins, m modalities. Entropies are in nats.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { stopGradient } from "../../core/autodiff.ts";
import { type ByModality, modalitiesOf, valuesOf } from "../../core/modality.ts";

/** How bins are assigned, and what has a gradient. */
export type Assignment = "hard" | "soft" | "straight-through";
/** How information is normalised: by sqrt(Hx Hy) (paper), 2 / (Hx + Hy), or 1 / (Hx + Hy) (released code, conditional). */
export type Normalization = "sqrt" | "mean" | "sum";

/** Options of the histogram estimators. */
export interface HistogramOptions {
  /** Bins per axis, for MI and CMI alike; 0 chooses by the number of coordinates. @default {0} */
  readonly bins?: number;
  /** @default {"straight-through"} */
  readonly assignment?: Assignment;
  /** @default {"sqrt"} */
  readonly norm?: Normalization;
  /** @default {"sqrt"} */
  readonly conditionalNorm?: Normalization;
}

/** Entropies below this count as zero: normalising by them would give noise. */
const LEAST_ENTROPY = 1e-5;

/**
 * The default number of bins: 4 from 256 coordinates on, else 3.
 *
 * The bias of a plug-in estimate grows with the number of cells: for independent parts and 4 bins, NCMI is about .03 at
 * d = 512, .06 at 256, .13 at 128 and .25 at 64.
 */
export function automaticBins(coordinates: number): number {
  return coordinates >= 256 ? 4 : 3;
}

/** Standardises vectors over their last axis (population variance + 1e-8) and clips to [-2, 2]. */
export function standardise(vectors: tf.Tensor): tf.Tensor {
  const centred = tf.sub(vectors, tf.mean(vectors, -1, true));
  const variance = tf.mean(tf.square(centred), -1, true);
  return tf.clipByValue(tf.mul(centred, tf.rsqrt(tf.add(variance, 1e-8))), -2, 2);
}

/**
 * Hat-function assignment: A_k = max(0, 1 - |v - c_k| / delta), centres c_k from -2 to 2 at distance delta.
 *
 * @param vectors Standardised, [N, d].
 * @returns [N, b, d]; sums to 1 over b.
 */
export function softAssignment(vectors: tf.Tensor2D, bins: number): tf.Tensor3D {
  const step = 4 / (bins - 1);
  const centres = tf.tensor3d(Array.from({ length: bins }, (_, k) => -2 + k * step), [1, bins, 1]);
  return tf.relu(tf.sub(1, tf.mul(tf.abs(tf.sub(tf.expandDims(vectors, 1), centres)), 1 / step))) as tf.Tensor3D;
}

/**
 * One-hot assignment to b equal bins of [-2, 2]; the last bin is closed. Has no gradient.
 *
 * @param vectors Standardised, [N, d].
 * @returns [N, b, d].
 */
export function hardAssignment(vectors: tf.Tensor2D, bins: number): tf.Tensor3D {
  const index = tf.minimum(tf.floor(tf.mul(tf.add(stopGradient(vectors), 2), bins / 4)), bins - 1);
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

/** Information between every part and the fused feature, and between them given every other part. */
export interface Information {
  /** NMI(f_y; z_u), [B, m] in sorted order of modalities. */
  readonly nmi: tf.Tensor2D;
  /** NCMI(f_y; z_j | z_i) at [B, i, j]; 0 on the diagonal. */
  readonly ncmi: tf.Tensor3D;
}

/** Information from assignments of the fused feature and the parts, [B, b, d] each. */
function informationFrom(
  fused: tf.Tensor3D,
  parts: readonly tf.Tensor3D[],
  norm: Normalization,
  conditionalNorm: Normalization,
): Information {
  const [batch, bins, coordinates] = fused.shape;
  const m = parts.length;
  const scale = 1 / coordinates;
  const marginal = (assigned: tf.Tensor3D) => tf.mul(tf.sum(assigned, 2), scale);
  const hy = entropy(marginal(fused), [1]);
  const h = parts.map((part) => entropy(marginal(part), [1]));
  if (m === 1) {
    const table = tf.mul(tf.matMul(parts[0], fused, false, true), scale);
    const mi = tf.sub(tf.add(h[0], hy), entropy(table, [1, 2]));
    return {
      nmi: tf.reshape(normalised(mi, h[0], hy, norm), [batch, 1]),
      ncmi: tf.zeros([batch, 1, 1]),
    };
  }
  const zero = tf.zeros([batch]);
  const nmi: tf.Tensor[] = Array.from({ length: m }, () => zero);
  const ncmi: tf.Tensor[][] = Array.from({ length: m }, () => Array.from({ length: m }, () => zero));
  for (let i = 0; i < m; i++) {
    for (let j = i + 1; j < m; j++) {
      // One table P(i, j, y) serves both directions, and its margins both unconditional values.
      const pair = tf.reshape(
        tf.mul(tf.expandDims(parts[i], 2), tf.expandDims(parts[j], 1)),
        [batch, bins * bins, coordinates],
      );
      const table = tf.reshape(tf.mul(tf.matMul(pair, fused, false, true), scale), [batch, bins, bins, bins]);
      const hijy = entropy(table, [1, 2, 3]);
      const hij = entropy(tf.sum(table, 3), [1, 2]);
      const hiy = entropy(tf.sum(table, 2), [1, 2]);
      const hjy = entropy(tf.sum(table, 1), [1, 2]);
      nmi[i] = normalised(tf.sub(tf.add(h[i], hy), hiy), h[i], hy, norm);
      nmi[j] = normalised(tf.sub(tf.add(h[j], hy), hjy), h[j], hy, norm);
      const givenI = tf.sub(tf.sub(tf.add(hij, hiy), h[i]), hijy);
      const givenJ = tf.sub(tf.sub(tf.add(hij, hjy), h[j]), hijy);
      ncmi[i][j] = normalised(givenI, tf.sub(hij, h[i]), tf.sub(hiy, h[i]), conditionalNorm);
      ncmi[j][i] = normalised(givenJ, tf.sub(hij, h[j]), tf.sub(hjy, h[j]), conditionalNorm);
    }
  }
  return {
    nmi: tf.stack(nmi, 1) as tf.Tensor2D,
    ncmi: tf.reshape(tf.stack(ncmi.flat(), 1), [batch, m, m]),
  };
}

/**
 * NMI and NCMI of every sample.
 *
 * With `"straight-through"` the values are those of hard bins and the gradients those of soft bins, each judged by its
 * own entropies: soft - sg[soft] + sg[hard].
 *
 * @param parts Solo images z_u in fused space, [B, d] each, centred by the caller.
 * @param fused Fused feature, [B, d], centred by the caller.
 * @throws {TypeError} If widths differ: the estimate pairs coordinate with coordinate.
 */
export function informationOf(
  parts: ByModality<tf.Tensor2D>,
  fused: tf.Tensor2D,
  options: HistogramOptions = {},
): Information {
  const { assignment = "straight-through", norm = "sqrt", conditionalNorm = "sqrt" } = options;
  const [batch, coordinates] = fused.shape;
  for (const modality of modalitiesOf(parts)) {
    if (parts[modality].shape[1] !== coordinates) {
      throw new TypeError(
        `Cannot estimate information of "${modality}" as parts must have the fused width ${coordinates}: found ` +
          `${parts[modality].shape[1]}`,
      );
    }
  }
  const bins = options.bins === undefined || options.bins === 0 ? automaticBins(coordinates) : options.bins;
  if (!Number.isInteger(bins) || bins < 2) {
    throw new RangeError(
      `Cannot estimate information as bins must be an integer >= 2, or 0 for automatic: found ${bins}`,
    );
  }
  const count = 1 + Object.keys(parts).length;
  // All vectors at once: [count B, d].
  const vectors = standardise(tf.concat([fused, ...valuesOf(parts)], 0)) as tf.Tensor2D;
  const estimate = (assign: (vectors: tf.Tensor2D, bins: number) => tf.Tensor3D): Information => {
    const [first, ...rest] = tf.split(assign(vectors, bins), count, 0) as tf.Tensor3D[];
    return informationFrom(first, rest, norm, conditionalNorm);
  };
  if (batch === 0) throw new TypeError("Cannot estimate information as the batch must hold a sample: it is empty");
  if (assignment === "hard") return estimate(hardAssignment);
  const soft = estimate(softAssignment);
  if (assignment === "soft") return soft;
  const hard = estimate(hardAssignment);
  const through = <T extends tf.Tensor>(s: T, h: T): T => tf.add(s, stopGradient(tf.sub(h, s))) as T;
  return { nmi: through(soft.nmi, hard.nmi), ncmi: through(soft.ncmi, hard.ncmi) };
}
