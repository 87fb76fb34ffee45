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
import { stopGradient, withGradient } from "../../tensor/autodiff.ts";
import type { Information } from "./information.ts";
import { type Mismatch, mismatchedVectors } from "./mismatch.ts";
import { officialConditional } from "./official.ts";
import type { Normalization, ResolvedEstimator } from "./options.ts";
import { type Binning, type Ends, type Placed, standardise, stretch, type Tables, tablesOf } from "./binned.ts";
import { entropiesOf, jointTable } from "./tables.ts";

/** Entropies below this count as zero: normalising by them would give noise. */
const LEAST_ENTROPY = 1e-5;

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

/** MI of parts with the fused feature, one table each. */
function fromPairs(tables: Tables, m: number, bins: number, norm: Normalization): Pick<Information, "nmi" | "mi"> {
  const entropies = entropiesOf(tables.of(Array.from({ length: m }, (_, u) => [1 + u])), 2, bins, tables);
  const wanted = Array.from({ length: m }, (_, table) => ({ table, quantity: mutual(I, Y) }));
  const { nats, normalised } = judged(tf.reshape(entropies, [-1, m * entropies.shape[1]]), 2, wanted, norm);
  return { nmi: normalised, mi: nats };
}

/** MI and CMI: one table P(y, i, j) per pair of parts serves both directions, and its margins both MIs. */
function fromTriples(tables: Tables, m: number, bins: number, options: ResolvedEstimator): Information {
  const { norm, conditionalNorm, conditionalEntropy } = options;
  const pairs = Array.from({ length: m }, (_, i) => i)
    .flatMap((i) => Array.from({ length: m - i - 1 }, (_, k) => [i, i + 1 + k] as const));
  const found = tables.of(pairs.map(([i, j]) => [1 + i, 1 + j]));
  const each = entropiesOf(found, 3, bins, tables);
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
    const cube = jointTable(found, 3, bins, tables);
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

/** Weights that sum to 1. */
function portionsOf(share: tf.Tensor2D | null): tf.Tensor2D | null {
  return share === null ? null : tf.div(share, tf.maximum(tf.sum(share), 1e-12));
}

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
  const m = vectors.shape[1] - 1;
  /** All vectors' places on the axis that is cut into bins, and the ends of that axis. */
  const placed = (bins: number): { sets: Placed[]; ends: Ends } => {
    // [-2, 2] in units in which the centres of soft bins are 1 apart.
    const half = (bins - 1) / 2;
    const standard = edges === "standard";
    const values = (standard ? standardise(vectors, share, half / 2) : stretch(vectors, share)) as tf.Tensor3D;
    const sets: Placed[] = [{ values, portions: portionsOf(share) }];
    if (mismatch !== null) {
      sets.push({ values: mismatchedVectors(values, mismatch), portions: portionsOf(mismatch.share) });
    }
    return { sets, ends: standard ? [-half, half] : [0, 1] };
  };
  const [single, triple] = [m === 1 || bins !== cmiBins ? placed(bins) : null, m === 1 ? null : placed(cmiBins)];
  const of = (binning: Binning, mismatched: boolean): Information => {
    const tables = ({ sets, ends }: ReturnType<typeof placed>, variables: number, bins: number) =>
      tablesOf(mismatched ? sets : sets.slice(0, 1), variables, bins, binning, ends);
    const all = triple === null ? null : fromTriples(tables(triple, 3, cmiBins), m, cmiBins, options);
    const unconditional = single === null ? null : fromPairs(tables(single, 2, bins), m, bins, options.norm);
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
