/**
 * Histogram estimates of normalised (conditional) mutual information between the coordinates of feature vectors.
 *
 * Each vector is standardised over its own coordinates and put into b equal bins of [-2, 2], the outer ones open, hard
 * (one-hot) or soft (B-spline of order 2, the hat function max(0, 1 - |v - c_k| / delta) of centres c_k from -2 to 2).
 * Either assignment sums to 1 over bins, so every table is a genuine joint distribution: I >= 0, CMI >= 0 and both
 * normalised values lie in [0, 1].
 *
 * Shapes: N vectors, n observations each (d coordinates of one sample, or B d of a whole batch with N = 1), b bins,
 * m modalities. Entropies are in nats. Some steps bring their own gradient in closed form: it needs a third of the
 * operations that the chain rule takes one by one.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { stopGradient, withGradient } from "../../core/autodiff.ts";
import type { Information } from "./information.ts";
import { type Mismatch, mismatchedVectors } from "./mismatch.ts";
import { officialConditional } from "./official.ts";
import type { Normalization, ResolvedEstimator } from "./options.ts";
import { entropiesOf, jointTable } from "./tables.ts";

/** Entropies below this count as zero: normalising by them would give noise. */
const LEAST_ENTROPY = 1e-5;

/** Hard bins, or hat functions. */
export type Binning = "hard" | "soft";

/**
 * Standardises vectors over their last axis: v = s (x - mean) / sqrt(population variance + 1e-8).
 *
 * @param share Weights of observations [1, n], or `null` if all count alike.
 * @param deviation s, the standard deviation that they get.
 */
export function standardise(
  vectors: tf.Tensor,
  share: tf.Tensor2D | null = null,
  deviation: number = 1,
): tf.Tensor {
  const n = vectors.shape[vectors.rank - 1];
  // n times each observation's part of the whole, so that a weighted mean is the mean of weighted values.
  const portion = share === null ? null : tf.div(tf.mul(share, n), tf.maximum(tf.sum(share), 1e-12));
  const mean = (values: tf.Tensor) => tf.mean(portion === null ? values : tf.mul(values, portion), -1, true);
  return withGradient([vectors], (save) => {
    const centred = tf.sub(vectors, mean(vectors));
    const variance = tf.add(mean(tf.square(centred)), 1e-8);
    const factor = tf.rsqrt(deviation === 1 ? variance : tf.mul(variance, deviation ** -2));
    const value = tf.mul(centred, factor);
    save([value, factor]);
    return {
      value,
      // Every observation also moves all others, through the mean and through the deviation.
      gradient(dy, [value, factor]) {
        const along = tf.mul(tf.mean(tf.mul(dy, value), -1, true), deviation ** -2);
        const common = tf.add(tf.mean(dy, -1, true), tf.mul(value, along));
        return [tf.mul(tf.sub(dy, portion === null ? common : tf.mul(common, portion)), factor)];
      },
    };
  });
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
 * centres of bins k - 1 and k, which must be 1 apart. The share of bin k is S_k - S_(k+1), with S_0 = 1 and S_b = 0; the
 * outer bins are open.
 *
 * @param vectors [N, v, 1, n], of v variables.
 * @param range Its ends; (b - 1) long for soft bins.
 * @returns S_0 .. S_(b-1) of each variable, [N, v, b, n]; of hard bins as truths.
 */
export function cumulativeBins(
  vectors: tf.Tensor4D,
  bins: number,
  binning: Binning,
  [low, high]: readonly [number, number],
): tf.Tensor4D {
  const from = (at: (k: number) => number) =>
    tf.tensor4d(Array.from({ length: bins }, (_, k) => k === 0 ? -1e30 : at(k)), [1, 1, bins, 1]);
  if (binning === "hard") {
    return tf.greaterEqual(stopGradient(vectors), from((k) => low + (high - low) * k / bins));
  }
  const starts = from((k) => low + k - 1);
  return withGradient([vectors], (save) => {
    const risen = tf.sub(vectors, starts);
    const value = tf.clipByValue(risen, 0, 1);
    save([risen, value]);
    return {
      value,
      // The slope is 1 where nothing was clipped.
      gradient: (dy, [risen, value]) => [tf.sum(tf.mul(dy, tf.cast(tf.equal(risen, value), "float32")), 2, true)],
    };
  }) as tf.Tensor4D;
}

/**
 * information / norm(first, second), in [0, 1]; 0 with zero gradient where an entropy vanishes.
 *
 * With r the ratio and s the norm: dr/d information = 1 / s, and for s = sqrt(a b) dr/da = -r b / (2 s^2), for
 * s = c (a + b) dr/da = -r c / s.
 */
export function normalised(
  information: tf.Tensor,
  first: tf.Tensor,
  second: tf.Tensor,
  norm: Normalization,
): tf.Tensor {
  const share = norm === "mean" ? 0.5 : 1;
  return withGradient([information, first, second], (save) => {
    const defined = tf.greater(tf.minimum(first, second), LEAST_ENTROPY);
    const scale = norm === "sqrt" ? tf.sqrt(tf.mul(first, second)) : tf.mul(tf.add(first, second), share);
    const inverse = tf.where(defined, tf.reciprocal(scale), tf.zerosLike(scale));
    const ratio = tf.mul(information, inverse);
    save([first, second, inverse, ratio]);
    return {
      // Only rounding goes beyond the bounds.
      value: tf.clipByValue(ratio, 0, 1),
      gradient(dy, [a, b, inverse, ratio]) {
        const byInformation = tf.mul(dy, inverse);
        const byScale = tf.mul(tf.mul(byInformation, ratio), norm === "sqrt" ? -0.5 : -share);
        if (norm !== "sqrt") return [byInformation, byScale, byScale];
        const scaled = tf.mul(byScale, inverse);
        return [byInformation, tf.mul(scaled, b), tf.mul(scaled, a)];
      },
    };
  });
}

/** Entropies of some of a table's variables with their signs. */
type Terms = readonly (readonly [variables: number, sign: 1 | -1])[];

/** Information and the two entropies that bound it, by bit masks of a table's variables. */
interface Quantity {
  readonly information: Terms;
  readonly first: Terms;
  readonly second: Terms;
}

/** I(x; y) = H(x) + H(y) - H(xy). */
const mutual = (x: number, y: number): Quantity => ({
  information: [[x, 1], [y, 1], [x | y, -1]],
  first: [[x, 1]],
  second: [[y, 1]],
});

/** I(x; y | z) = H(xz) + H(yz) - H(z) - H(xyz), bounded by H(x|z) and H(y|z). */
const conditional = (x: number, y: number, z: number): Quantity => ({
  information: [[x | z, 1], [y | z, 1], [z, -1], [x | y | z, -1]],
  first: [[x | z, 1], [z, -1]],
  second: [[y | z, 1], [z, -1]],
});

// The variables of a table as bits: the fused feature, then one part or two.
const [Y, I, J] = [1, 2, 4];

/** A quantity of one of some tables; `null` is 0. */
type Wanted = { readonly table: number; readonly quantity: Quantity } | null;

/**
 * Quantities from entropies by one constant matrix, and normalised.
 *
 * @param entropies Of each table in turn, 2^v - 1 each, [N, tables (2^v - 1)].
 * @returns A column for each wanted quantity.
 */
function judged(
  entropies: tf.Tensor2D,
  variables: number,
  wanted: readonly Wanted[],
  norm: Normalization,
): { nats: tf.Tensor2D; normalised: tf.Tensor2D } {
  const each = (1 << variables) - 1;
  const columns = 3 * wanted.length;
  const signs = new Float32Array(entropies.shape[1] * columns);
  wanted.forEach((one, column) => {
    if (one === null) return;
    const { information, first, second } = one.quantity;
    [information, first, second].forEach((terms, kind) => {
      for (const [variables, sign] of terms) {
        signs[(one.table * each + variables - 1) * columns + kind * wanted.length + column] += sign;
      }
    });
  });
  const sums = tf.matMul(entropies, tf.tensor2d(signs, [entropies.shape[1], columns]));
  const [nats, first, second] = tf.split(sums, 3, 1) as tf.Tensor2D[];
  return { nats, normalised: normalised(nats, first, second, norm) as tf.Tensor2D };
}

/** Cumulative functions of the fused feature and of each part, [N, 1, b, n]. */
interface Assignments {
  /** Times the observations' weights, where there are any. */
  readonly fused: tf.Tensor4D;
  readonly parts: readonly tf.Tensor4D[];
}

const asNumbers = (steps: tf.Tensor): tf.Tensor => steps.dtype === "bool" ? tf.cast(steps, "float32") : steps;

/** All products of one cumulative function of each, [N, 1, b^2, n]. */
function products(a: tf.Tensor4D, b: tf.Tensor4D): tf.Tensor4D {
  const [rows, , bins, observations] = a.shape;
  const left = tf.reshape(a, [rows, bins, 1, observations]);
  const all = a.dtype === "bool" ? tf.logicalAnd(left, b) : tf.mul(left, b);
  return tf.reshape(all, [rows, 1, bins * bins, observations]);
}

/**
 * Sums over observations of products of the fused feature's cumulative functions with others.
 *
 * @param others [N, 1, k, n] for each table: functions of a part, or products of those of two.
 * @returns A row for each table of each vector, [N tables, b k].
 */
function momentsOf(fused: tf.Tensor4D, others: readonly tf.Tensor4D[]): tf.Tensor2D {
  const [rows, , bins, observations] = fused.shape;
  const [, , size] = others[0].shape;
  const tables = others.length;
  if (tables === 1) return tf.reshape(tf.matMul(fused, asNumbers(others[0]), false, true), [rows, bins * size]);
  // Joined, they are one product per vector.
  const joined = tf.reshape(tf.concat([...others], 1), [rows, 1, tables * size, observations]);
  const sums = tf.reshape(tf.matMul(fused, asNumbers(joined), false, true), [rows, bins, tables, size]);
  return tf.reshape(tf.transpose(sums, [0, 2, 1, 3]), [rows * tables, bins * size]);
}

/** One below the other. */
function below<T extends tf.Tensor>(pieces: readonly T[]): T {
  return pieces.length === 1 ? pieces[0] : tf.concat([...pieces], 0) as T;
}

/** MI of parts with the fused feature, one table each. */
function fromPairs(
  sets: readonly Assignments[],
  bins: number,
  scale: number,
  norm: Normalization,
): Pick<Information, "nmi" | "mi"> {
  const m = sets[0].parts.length;
  const entropies = entropiesOf(below(sets.map(({ fused, parts }) => momentsOf(fused, parts))), 2, bins, scale);
  const wanted = sets[0].parts.map((_, table) => ({ table, quantity: mutual(I, Y) }));
  const { nats, normalised } = judged(tf.reshape(entropies, [-1, m * entropies.shape[1]]), 2, wanted, norm);
  return { nmi: normalised, mi: nats };
}

/** MI and CMI: one table P(y, i, j) per pair of parts serves both directions, and its margins both MIs. */
function fromTriples(
  sets: readonly Assignments[],
  options: ResolvedEstimator,
  bins: number,
  scale: number,
): Information {
  const { norm, conditionalNorm, conditionalEntropy } = options;
  const m = sets[0].parts.length;
  const pairs = sets[0].parts.flatMap((_, i) => sets[0].parts.slice(i + 1).map((_, k) => [i, i + 1 + k] as const));
  const moments = below(
    sets.map(({ fused, parts }) => momentsOf(fused, pairs.map(([i, j]) => products(parts[i], parts[j])))),
  );
  const each = entropiesOf(moments, 3, bins, scale);
  const entropies: tf.Tensor2D = tf.reshape(each, [-1, pairs.length * each.shape[1]]);
  const [rows] = entropies.shape;
  const mi: Wanted[] = new Array<Wanted>(m).fill(null);
  const cmi: Wanted[] = new Array<Wanted>(m * m).fill(null);
  pairs.forEach(([i, j], table) => {
    mi[i] = { table, quantity: mutual(I, Y) };
    mi[j] = { table, quantity: mutual(J, Y) };
    cmi[i * m + j] = { table, quantity: conditional(J, Y, I) };
    cmi[j * m + i] = { table, quantity: conditional(I, Y, J) };
  });
  const matrix = (flat: tf.Tensor): tf.Tensor3D => tf.reshape(flat, [rows, m, m]);
  if (conditionalEntropy === "official") {
    const { nats, normalised } = judged(entropies, 3, mi, norm);
    const cube = jointTable(moments, 3, bins, scale);
    // Tables [x, y, z] of I(y; x | z): j given i of all pairs, then i given j.
    const both = tf.concat([tf.transpose(cube, [0, 3, 1, 2]), tf.transpose(cube, [0, 2, 1, 3])], 0);
    const { cmi, ncmi } = officialConditional(both, conditionalNorm);
    const places = new Float32Array(2 * pairs.length * m * m);
    pairs.forEach(([i, j], pair) => {
      places[pair * m * m + i * m + j] = 1;
      places[(pairs.length + pair) * m * m + j * m + i] = 1;
    });
    const placed = (values: tf.Tensor) =>
      matrix(tf.matMul(
        tf.reshape(tf.transpose(tf.reshape(values, [2, rows, pairs.length]), [1, 0, 2]), [rows, -1]) as tf.Tensor2D,
        tf.tensor2d(places, [2 * pairs.length, m * m]),
      ));
    return { nmi: normalised, mi: nats, ncmi: placed(ncmi), cmi: placed(cmi) };
  }
  if (norm !== conditionalNorm) {
    const [unconditional, given] = [judged(entropies, 3, mi, norm), judged(entropies, 3, cmi, conditionalNorm)];
    return {
      nmi: unconditional.normalised,
      mi: unconditional.nats,
      ncmi: matrix(given.normalised),
      cmi: matrix(given.nats),
    };
  }
  const both = judged(entropies, 3, [...mi, ...cmi], norm);
  const [nmi, ncmi] = tf.split(both.normalised, [m, m * m], 1) as tf.Tensor2D[];
  const [unconditional, given] = tf.split(both.nats, [m, m * m], 1) as tf.Tensor2D[];
  return { nmi, mi: unconditional, ncmi: matrix(ncmi), cmi: matrix(given) };
}

/** Places on the axis that is cut into bins. */
interface Placed {
  /** [N, 1 + m, 1, n]. */
  readonly values: tf.Tensor4D;
  /** Weights as they enter a table, summing to 1, [1, 1, 1, n]; `null` for 1 / n each. */
  readonly portions: tf.Tensor | null;
}

const portionsOf = (share: tf.Tensor2D): tf.Tensor =>
  tf.reshape(tf.div(share, tf.maximum(tf.sum(share), 1e-12)), [1, 1, 1, share.shape[1]]);

/**
 * Information by histograms.
 *
 * @param vectors [N, 1 + m, n]: the fused feature, then the parts.
 * @param share Weights of observations [1, n], or `null`.
 * @param mismatch What is paired with what besides, or `null`; in the same bins. Its observations have weights if all have.
 * @returns Rows of the vectors, then those of the mismatched ones.
 */
export function histogramInformation(
  vectors: tf.Tensor3D,
  options: ResolvedEstimator,
  share: tf.Tensor2D | null,
  mismatch: Mismatch | null,
): Information {
  const { estimator, bins, cmiBins, edges } = options;
  const [, count, observations] = vectors.shape;
  const m = count - 1;
  const scale = share === null ? 1 / observations : 1;
  const portions = share === null ? null : portionsOf(share);
  /** All vectors' places on the axis that is cut into bins, and the ends of that axis. */
  const placed = (bins: number) => {
    // [-2, 2] in units in which the centres of soft bins are 1 apart.
    const half = (bins - 1) / 2;
    const [values, ends] = edges === "standard"
      ? [standardise(vectors, share, half / 2), [-half, half] as const] as const
      : [stretch(vectors, share), [0, 1] as const] as const;
    const set = (places: tf.Tensor3D, portions: tf.Tensor | null): Placed => ({
      values: tf.reshape(places, [places.shape[0], count, 1, places.shape[2]]),
      portions,
    });
    const sets = [set(values as tf.Tensor3D, portions)];
    if (mismatch !== null) {
      const { share } = mismatch;
      sets.push(set(mismatchedVectors(values as tf.Tensor3D, mismatch), share === null ? null : portionsOf(share)));
    }
    return { sets, bins, ends };
  };
  const [single, triple] = [m === 1 || bins !== cmiBins ? placed(bins) : null, m === 1 ? null : placed(cmiBins)];
  const of = (binning: Binning, mismatched: boolean): Information => {
    const assigned = ({ sets, bins, ends }: ReturnType<typeof placed>): Assignments[] =>
      (mismatched ? sets : sets.slice(0, 1)).map(({ values, portions }) => {
        const [first, ...parts] = tf.split(cumulativeBins(values, bins, binning, ends), count, 1) as tf.Tensor4D[];
        const counted = asNumbers(first) as tf.Tensor4D;
        return { fused: portions === null ? counted : tf.mul(counted, portions), parts };
      });
    const all = triple === null ? null : fromTriples(assigned(triple), options, cmiBins, scale);
    const unconditional = single === null ? null : fromPairs(assigned(single), bins, scale, options.norm);
    return { ...(all ?? withoutPartners(unconditional!.nmi.shape[0])), ...unconditional } as Information;
  };
  if (estimator !== "straight-through") return of(estimator === "soft" ? "soft" : "hard", true);
  // Where nothing is differentiated, a compiled program never computes the soft ones.
  const [soft, hard] = [of("soft", false), of("hard", true)];
  return {
    nmi: through(soft.nmi, hard.nmi),
    ncmi: through(soft.ncmi, hard.ncmi),
    mi: through(soft.mi, hard.mi),
    cmi: through(soft.cmi, hard.cmi),
  };
}

/** The straight-through estimator: soft - sg[soft] + sg[hard]; rows that have no soft values have no gradient. */
function through<T extends tf.Tensor>(soft: T, hard: T): T {
  const [rows] = soft.shape;
  const gradient = (dy: tf.Tensor) => [
    dy.shape[0] === rows ? dy : tf.slice(dy, dy.shape.map(() => 0), soft.shape),
  ];
  return withGradient([soft], () => ({ value: stopGradient(hard), gradient })) as T;
}

/** One modality has no conditional information. */
function withoutPartners(rows: number): Pick<Information, "ncmi" | "cmi"> {
  const none: tf.Tensor3D = tf.zeros([rows, 1, 1]);
  return { ncmi: none, cmi: none };
}
