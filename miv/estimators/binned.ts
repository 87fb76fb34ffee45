/**
 * From vectors to joint tables of their coordinates' bins, in one of two forms.
 *
 * Shapes: N rows of v vectors, n observations each, b bins, t tables of k of the vectors.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { stopGradient, withGradient } from "../../tensor/autodiff.ts";
import type { TableForm } from "./tables.ts";

/** Hard bins, or hat functions. */
export type Binning = "hard" | "soft";

/** What vectors of these sizes are multiplied by: exact powers of two that bring the size to between 1 and 2^48. */
const [OF_SMALL, OF_LARGE] = [
  [[2 ** -7, 2 ** 47], [2 ** -47, 2 ** 87], [2 ** -87, 2 ** 127]],
  [[2 ** 40, 2 ** -40], [2 ** 80, 2 ** -80]],
];

/**
 * The unit in which squares of 32-bit floats neither overflow nor vanish and the bound below variances is not felt. Sizes
 * between 2^-7 and 2^40 stay as they are.
 */
function unitOf(size: tf.Tensor): tf.Tensor {
  const filled = (value: number) => tf.fill(size.shape, value);
  let unit = filled(1);
  for (const [bound, factor] of OF_SMALL) unit = tf.where(tf.less(size, bound), filled(factor), unit);
  for (const [bound, factor] of OF_LARGE) unit = tf.where(tf.greater(size, bound), filled(factor), unit);
  return unit;
}

/** Least and largest entry along the last axis, kept; observations of weight 0 do not enter. */
function extremes(values: tf.Tensor, share: tf.Tensor2D | null): [low: tf.Tensor, high: tf.Tensor] {
  const counted = share === null ? null : tf.broadcastTo(tf.greater(share, 0), values.shape);
  const beyond = (bound: number) => counted === null ? values : tf.where(counted, values, tf.fill(values.shape, bound));
  return [tf.min(beyond(Infinity), -1, true), tf.max(beyond(-Infinity), -1, true)];
}

/**
 * Standardises vectors over their last axis: v = s (x - mean) / sqrt(population variance + 1e-8). The values' unit is not
 * seen in v, from 1e-30 to 1e30: the bound is of values whose largest is at least 2^-7. A vector whose entries are all
 * equal gives zeros, and gets no gradient.
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
    const [low, high] = extremes(vectors, share);
    const units = unitOf(tf.maximum(high, tf.neg(low)));
    const scaled = tf.mul(vectors, units);
    const centred = tf.sub(scaled, mean(scaled));
    const variance = tf.add(mean(tf.square(centred)), 1e-8);
    // Of equal entries nothing but rounding is left.
    const varies = tf.cast(tf.less(low, high), "float32");
    const factor = tf.mul(tf.rsqrt(deviation === 1 ? variance : tf.mul(variance, deviation ** -2)), varies);
    const value = tf.mul(centred, factor);
    save([value, tf.mul(factor, units)]);
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
  const [low, high] = extremes(values, share);
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
 * Shares of b bins by hat functions, 1 at a bin's own centre and 0 from the neighbours' centres on; the outer bins are
 * open. They are exactly 0 where they vanish, which differences of sums of cumulative functions are not.
 *
 * @param vectors [N, v, 1, n], of v variables; centres are 1 apart.
 * @param low The first centre.
 * @returns [N, v, b, n].
 */
export function hatBins(vectors: tf.Tensor4D, bins: number, low: number): tf.Tensor4D {
  const ends = (at: (k: number) => number) =>
    tf.tensor4d(Array.from({ length: bins }, (_, k) => at(k)), [1, 1, bins, 1]);
  const [starts, stops] = [
    ends((k) => k === 0 ? -1e30 : low + k - 1),
    ends((k) => k === bins - 1 ? 1e30 : low + k + 1),
  ];
  return withGradient([vectors], (save) => {
    const [risen, left] = [tf.sub(vectors, starts), tf.sub(stops, vectors)];
    const value = tf.clipByValue(tf.minimum(risen, left), 0, 1);
    save([risen, left, value]);
    return {
      value,
      // The slope is that of the side on which the value lies, and 0 where both or none is.
      gradient(dy, [risen, left, value]) {
        const on = (side: tf.Tensor) => tf.cast(tf.equal(side, value), "float32");
        return [tf.sum(tf.mul(dy, tf.sub(on(risen), on(left))), 2, true)];
      },
    };
  }) as tf.Tensor4D;
}

/** Places on the axis that is cut into bins. */
export interface Placed {
  /** [N, v, n]. */
  readonly values: tf.Tensor3D;
  /** Weights of observations as they enter a table, summing to 1, [1, n]; `null` for 1 / n each. */
  readonly portions: tf.Tensor2D | null;
}

/** The ends of that axis. */
export type Ends = readonly [low: number, high: number];

/** Joint tables of the fused feature with other vectors. */
export interface Tables {
  readonly form: TableForm;
  /** What every entry is to be multiplied by: 1 / n where observations were counted, 1 where they were weighed. */
  readonly scale: number;
  /**
   * A row for each table of each row of vectors, [N t, b^k]; the fused feature is a table's first variable.
   *
   * @param others The other vectors of each table, by number: one or two, equally many in each.
   */
  of(others: readonly (readonly number[])[]): tf.Tensor2D;
}

const asNumbers = (steps: tf.Tensor): tf.Tensor => steps.dtype === "bool" ? tf.cast(steps, "float32") : steps;

/** All products of one function of each, [N, 1, b^2, n]. */
function products(a: tf.Tensor4D, b: tf.Tensor4D): tf.Tensor4D {
  const [rows, , bins, observations] = a.shape;
  const left = tf.reshape(a, [rows, bins, 1, observations]);
  const all = a.dtype === "bool" ? tf.logicalAnd(left, b) : tf.mul(left, b);
  return tf.reshape(all, [rows, 1, bins * bins, observations]);
}

/** One below the other. */
function below(pieces: readonly tf.Tensor[]): tf.Tensor2D {
  return (pieces.length === 1 ? pieces[0] : tf.concat([...pieces], 0)) as tf.Tensor2D;
}

/** Tables as sums over observations of products of functions of the variables. */
function sums(sets: readonly Placed[], bins: number, functions: (axis: tf.Tensor4D) => tf.Tensor4D): Tables["of"] {
  const assigned = sets.map(({ values, portions }) => {
    const [rows, count, n] = values.shape;
    const [first, ...parts] = tf.split(functions(tf.reshape(values, [rows, count, 1, n])), count, 1) as tf.Tensor4D[];
    const fused = asNumbers(first);
    return { fused: portions === null ? fused : tf.mul(fused, tf.reshape(portions, [1, 1, 1, n])), parts };
  });
  return (others) =>
    below(assigned.map(({ fused, parts }) => {
      const [rows, , , n] = fused.shape;
      const functions = others.map(([one, ...more]) =>
        more.reduce((product, next) => products(product, parts[next - 1]), parts[one - 1])
      );
      const size = functions[0].shape[2];
      const joined = functions.length === 1
        ? functions[0]
        : tf.reshape(tf.concat(functions, 1), [rows, 1, functions.length * size, n]);
      const sums = tf.matMul(fused, asNumbers(joined), false, true);
      if (functions.length === 1) return tf.reshape(sums, [rows, bins * size]);
      const parted = tf.transpose(tf.reshape(sums, [rows, bins, functions.length, size]), [0, 2, 1, 3]);
      return tf.reshape(parted, [rows * functions.length, bins * size]);
    }));
}

/** Tables by counting: each observation is added to its cell. Costs the same for any number of bins; has no gradient. */
function counts(sets: readonly Placed[], bins: number, [low, high]: Ends): Tables["of"] {
  const numbered = sets.map(({ values, portions }) => {
    const places = tf.mul(tf.sub(stopGradient(values), low), bins / (high - low));
    // The outer bins are open.
    return { numbers: tf.clipByValue(tf.floor(places), 0, bins - 1) as tf.Tensor3D, portions };
  });
  return (others) =>
    below(numbered.map(({ numbers, portions }) => {
      const [rows, count, n] = numbers.shape;
      const tables = others.length;
      const variables = others[0].length + 1;
      const cells = bins ** variables;
      // A cell's number in base b, by a product that is exact below 2^24.
      const digits = others.map((list) =>
        Array.from({ length: count }, (_, v) =>
          v === 0 ? cells / bins : list.includes(v) ? bins ** (list.length - 1 - list.indexOf(v)) : 0)
      );
      const cell = tf.cast(tf.matMul(tf.tensor3d([digits]), numbers), "int32");
      const at = tf.add(
        // What is not a number has no bin; it counts in an outer one, as it does with cumulative functions.
        tf.minimum(tf.maximum(cell, tf.scalar(0, "int32")), tf.scalar(cells - 1, "int32")),
        // The tables lie one behind the other; their starts are counted, as a list of them would be a large constant.
        tf.reshape(tf.range(0, rows * tables * cells, cells, "int32"), [rows, tables, 1]),
      );
      const each = portions === null
        ? tf.ones([rows * tables * n])
        : tf.reshape(tf.tile(portions, [rows * tables, 1]), [-1]);
      const sums = tf.scatterND(tf.reshape(at, [rows * tables * n, 1]), each as tf.Tensor1D, [rows * tables * cells]);
      return tf.reshape(sums, [rows * tables, cells]);
    }));
}

/** Most cells of a table that is made of cumulative functions: beyond, counting takes less, or rounding adds up. */
const FEW_CELLS = 64;

/**
 * Joint tables of vectors that were put on one axis.
 *
 * @param sets One below the other; all weighed, or none and equally long.
 * @param variables How many vectors a table has.
 * @param few Most cells of a table that is made of cumulative functions.
 */
export function tablesOf(
  sets: readonly Placed[],
  variables: number,
  bins: number,
  binning: Binning,
  ends: Ends,
  few: number = FEW_CELLS,
): Tables {
  const many = bins ** variables > few;
  const of = !many
    ? sums(sets, bins, (axis) => cumulativeBins(axis, bins, binning, ends))
    : binning === "hard"
    ? counts(sets, bins, ends)
    : sums(sets, bins, (axis) => hatBins(axis, bins, ends[0]));
  return {
    form: many ? "shares" : "moments",
    scale: sets[0].portions === null ? 1 / sets[0].values.shape[2] : 1,
    of,
  };
}
