/**
 * What the code released with the paper computes in place of conditional mutual information, kept to reproduce it.
 *
 * Its conditional entropy has two errors. It returns -sum q log q of quotients q meant to be p(x|z), without their weights
 * p(z). And it divides along the wrong axis: the table of pairs A[x, z] by p(z) laid along a third axis, so that every
 * cell meets every z; the table of triples J[x, y, z] by p(z) laid along x. Empty cells of p(z) become 1e-10. Independent
 * balanced bits get 0.5 (true: 0), a copy and an exclusive or both 0.75 (true: 1).
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { defineEstimator, type EstimatorPlugin, type Information, type Mismatch } from "../../core/kinds/mod.ts";
import { countedInformation, type Triples } from "./counted.ts";
import { type BinOptions, binWarning, MOST_BINS, type Normalization, resolvedBins } from "./options.ts";
import { I, J, judged, mutual, type Wanted, Y } from "./quantities.ts";
import { jointTable } from "./tables.ts";

/** What stands in for an empty cell of p(z). */
const EMPTY = 1e-10;

/** -sum q log q over all axes but the first, of those q that are above 0. */
function unweightedEntropy(quotients: tf.Tensor): tf.Tensor {
  const positive = tf.greater(quotients, 0);
  const safe = tf.where(positive, quotients, tf.onesLike(quotients));
  return tf.neg(tf.sum(tf.mul(safe, tf.log(safe)), quotients.shape.slice(1).map((_, axis) => axis + 1)));
}

/**
 * The released code's "CMI" and "NCMI" (x; y | z) of tables J[x, y, z]; the latter may be negative or above 1, and is 0
 * where its denominator is 0.
 *
 * @param tables [N, b, b, b].
 * @param norm The released code has `"sum"`.
 * @returns [N] each.
 */
export function officialConditional(tables: tf.Tensor, norm: Normalization): { cmi: tf.Tensor; ncmi: tf.Tensor } {
  const { cmi, hx, hy } = officialTerms(tables);
  // The root of a negative product is not defined; such terms have no square-root form.
  const scale = norm === "sqrt" ? tf.sqrt(tf.relu(tf.mul(hx, hy))) : tf.mul(tf.add(hx, hy), norm === "mean" ? 0.5 : 1);
  const defined = tf.notEqual(scale, 0);
  const ncmi = tf.where(defined, tf.div(cmi, tf.where(defined, scale, tf.onesLike(scale))), tf.zerosLike(cmi));
  return { cmi, ncmi };
}

/** The released code's three "conditional entropies" combined: its CMI, H(x|z) and H(y|z), [N] each. */
function officialTerms(tables: tf.Tensor): { cmi: tf.Tensor; hx: tf.Tensor; hy: tf.Tensor } {
  const [rows, bins] = tables.shape;
  const z = tf.sum(tables, [1, 2]);
  const pz = tf.where(tf.greater(z, 0), z, tf.fill(z.shape, EMPTY));
  const along = tf.reshape(pz, [rows, bins, 1, 1]);
  const ofPair = (table: tf.Tensor) => unweightedEntropy(tf.div(tf.expandDims(table, 1), along));
  const hx = ofPair(tf.sum(tables, 2));
  const hy = ofPair(tf.sum(tables, 1));
  const hxy = unweightedEntropy(tf.div(tables, along));
  return { cmi: tf.sub(tf.add(hx, hy), hxy), hx, hy };
}

/** Its MI, which is right, and its "CMI" of tables of three variables. */
function asReleased(
  { m, bins, pairs, found, tables, entropies }: Triples,
  norm: Normalization,
  conditionalNorm: Normalization,
): Information {
  const [rows] = entropies.shape;
  const mi: Wanted[] = new Array<Wanted>(m).fill(null);
  pairs.forEach(([i, j], table) => {
    mi[i] = { table, quantity: mutual(I, Y) };
    mi[j] = { table, quantity: mutual(J, Y) };
  });
  const { nats, normalised } = judged(entropies, 3, mi, norm);
  const cube = jointTable(found as tf.Tensor2D, 3, bins, tables);
  // Tables [x, y, z] of I(y; x | z): j given i of all pairs, then i given j.
  const both = tf.concat([tf.transpose(cube, [0, 3, 1, 2]), tf.transpose(cube, [0, 2, 1, 3])], 0);
  const { cmi, ncmi } = officialConditional(both, conditionalNorm);
  const places = new Float32Array(2 * pairs.length * m * m);
  pairs.forEach(([i, j], pair) => {
    places[pair * m * m + i * m + j] = 1;
    places[(pairs.length + pair) * m * m + j * m + i] = 1;
  });
  const placed = (values: tf.Tensor): tf.Tensor3D =>
    tf.reshape(
      tf.matMul(
        tf.reshape(tf.transpose(tf.reshape(values, [2, rows, pairs.length]), [1, 0, 2]), [rows, -1]) as tf.Tensor2D,
        tf.tensor2d(places, [2 * pairs.length, m * m]),
      ),
      [rows, m, m],
    );
  return { nmi: normalised, mi: nats, ncmi: placed(ncmi), cmi: placed(cmi) };
}

/** The released code's estimates, errors included: for study, and for the preset `arm-official`. */
export const official: EstimatorPlugin = defineEstimator<BinOptions>({
  name: "official",
  about: "the arithmetic of the code released with ARM, with its errors; no gradient; one value per batch",
  formula: `NMI = 2 I / (Hx + Hy) in 30 bins of [min, max]
    "CMI" = h(x|z) + h(y|z) - h(xy|z) with h = -sum q log q of quotients divided along the wrong axis, in 2 bins`,
  source: "Gao-xiyuan/ARM, necks/MI_tool.py",
  granularity: "batch",
  options: {
    bins: {
      type: "integer",
      default: 30,
      min: 2,
      max: MOST_BINS,
      about: "bins per axis for MI",
      source: "released code",
      tune: [8, 30],
    },
    cmiBins: {
      type: "integer",
      default: 2,
      min: 2,
      max: MOST_BINS,
      about: "bins per axis for CMI",
      source: "released code",
      tune: [2, 4],
    },
    edges: {
      type: "choice",
      choices: ["range", "standard"],
      default: "range",
      about: "equal bins of [min, max], or of [-2, 2] after standardising",
      source: "released code, by NumPy",
    },
    norm: {
      type: "choice",
      choices: ["mean", "sqrt", "sum"],
      default: "mean",
      about: "NMI: by the mean of both entropies, the root of their product, or their sum",
      source: "released code",
    },
    conditionalNorm: {
      type: "choice",
      choices: ["sum", "mean", "sqrt"],
      default: "sum",
      about: "NCMI: by the sum of both terms, their mean, or the root of their product",
      source: "released code",
    },
  },
  promises: () => ({ bounded: false, gradient: "none" }),
  warning: ({ bins, cmiBins }, _context, observations) => binWarning(bins, cmiBins, observations),
  create({ bins, cmiBins, edges, norm, conditionalNorm }, { coordinates }) {
    const judge = (triples: Triples) => asReleased(triples, norm, conditionalNorm);
    const counting = { ...resolvedBins({ bins, cmiBins }, coordinates), edges, norm, judge };
    const withMismatched = (vectors: tf.Tensor3D, share: tf.Tensor2D | null, mismatch: Mismatch | null) =>
      countedInformation(vectors, share, mismatch, counting)("hard", true);
    return { information: (vectors, share) => withMismatched(vectors, share, null), withMismatched };
  },
});

/** Bin of each value by NumPy's rules: b equal bins of [min, max], the last closed; a constant gets [v - 1/2, v + 1/2]. */
export function numpyBins(values: ArrayLike<number>, bins: number): Int32Array {
  let [low, high] = [Infinity, -Infinity];
  for (let n = 0; n < values.length; n++) {
    if (values[n] < low) low = values[n];
    if (values[n] > high) high = values[n];
  }
  if (low === high) [low, high] = [low - 0.5, high + 0.5];
  const width = (high - low) / bins;
  const edges = Float64Array.from({ length: bins + 1 }, (_, k) => k === bins ? high : k * width + low);
  return Int32Array.from({ length: values.length }, (_, n) => {
    let bin = Math.min(bins - 1, Math.max(0, Math.floor((values[n] - low) / width)));
    // A quotient may be rounded across an edge: the edges decide.
    while (bin > 0 && values[n] < edges[bin]) bin--;
    while (bin < bins - 1 && values[n] >= edges[bin + 1]) bin++;
    return bin;
  });
}

/** A joint table of several binned variables, row-major, summing to 1. */
function joint(variables: readonly Int32Array[], bins: number): Float64Array {
  const table = new Float64Array(bins ** variables.length);
  const count = variables[0].length;
  for (let n = 0; n < count; n++) {
    let cell = 0;
    for (const variable of variables) cell = cell * bins + variable[n];
    table[cell] += 1 / count;
  }
  return table;
}

function plainEntropy(values: ArrayLike<number>): number {
  let sum = 0;
  for (let k = 0; k < values.length; k++) if (values[k] > 0) sum -= values[k] * Math.log(values[k]);
  return sum;
}

/** Sums of a table [b, b] over its second (`0`) or first (`1`) axis: the margin of the axis named. */
function margin(table: Float64Array, bins: number, axis: 0 | 1): Float64Array {
  const sums = new Float64Array(bins);
  for (let cell = 0; cell < table.length; cell++) {
    sums[axis === 0 ? Math.floor(cell / bins) : cell % bins] += table[cell];
  }
  return sums;
}

/**
 * NMI of two lists of values as released, in double precision on the host: 2 I / (Hx + Hy), NumPy's bins.
 *
 * @returns In [0, 1]; NaN, as there, if both are constant.
 */
export function officialNmi(x: ArrayLike<number>, y: ArrayLike<number>, bins: number = 30): number {
  const table = joint([numpyBins(x, bins), numpyBins(y, bins)], bins);
  const hx = plainEntropy(margin(table, bins, 0));
  const hy = plainEntropy(margin(table, bins, 1));
  return 2 * (hx + hy - plainEntropy(table)) / (hx + hy);
}

/** "CMI" and "NCMI" of lists of values as released, in double precision on the host. */
export function officialCmi(
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  z: ArrayLike<number>,
  bins: number = 2,
): { cmi: number; ncmi: number } {
  const b = [x, y, z].map((values) => numpyBins(values, bins));
  const table = joint(b, bins);
  const pz = Array.from(margin(joint([b[2], b[0]], bins), bins, 0), (p) => p > 0 ? p : EMPTY);
  const ofPair = (pairs: Float64Array) => {
    let sum = 0;
    for (const p of pz) sum += plainEntropy(pairs.map((cell) => cell / p));
    return sum;
  };
  const hx = ofPair(joint([b[0], b[2]], bins));
  const hy = ofPair(joint([b[1], b[2]], bins));
  const hxy = plainEntropy(table.map((cell, index) => cell / pz[Math.floor(index / (bins * bins))]));
  const cmi = hx + hy - hxy;
  return { cmi, ncmi: hx + hy === 0 ? 0 : cmi / (hx + hy) };
}
