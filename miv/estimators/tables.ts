/**
 * From sums of products of step functions to all entropies of a few binned variables, in two matrix products.
 *
 * A variable in b bins is described by cumulative functions S_0 .. S_(b-1) of its value, S_0 = 1: with hard bins S_k is 1
 * from edge k on, with hat functions it rises from 0 to 1 between two centres. The share of bin k is S_k - S_(k+1), with
 * S_b = 0. So every cell of every table, margins included, is a sum of some moments with signs: one constant matrix.
 *
 * The moments of v variables are the sums over observations of all products of one cumulative function each,
 * [N, b^v], the last variable fastest.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { withGradient } from "../../core/autodiff.ts";

/** Constant matrices for v variables in b bins each. */
interface Layout {
  /** Moments to cells of the tables of all non-empty subsets, row-major [b^v, cellCount]. */
  readonly cells: Float32Array;
  readonly cellCount: number;
  /** Cells to sums over the tables of the subsets 1 .. 2^v - 1, negative, [cellCount, 2^v - 1]. */
  readonly sums: Float32Array;
}

const layouts = new Map<string, Layout>();

/** All index vectors of a length, entries from 0 to b - 1, last fastest. */
function indices(length: number, bins: number): number[][] {
  if (length === 0) return [[]];
  return indices(length - 1, bins).flatMap((head) => Array.from({ length: bins }, (_, k) => [...head, k]));
}

const membersOf = (subset: number, variables: number) =>
  Array.from({ length: variables }, (_, v) => v).filter((v) => (subset >> v & 1) === 1);

/** The layout for v variables in b bins. Made once. */
function layoutOf(variables: number, bins: number): Layout {
  const key = `${variables}/${bins}`;
  const known = layouts.get(key);
  if (known !== undefined) return known;
  const rows = indices(variables, bins);
  const count = (1 << variables) - 1;
  const columns = Array.from({ length: count }, (_, s) => s + 1).flatMap((subset) => {
    const members = membersOf(subset, variables);
    return indices(members.length, bins).map((bin) => ({
      subset,
      bins: Array.from({ length: variables }, (_, v) => members.includes(v) ? bin[members.indexOf(v)] : null),
    }));
  });
  const cells = new Float32Array(rows.length * columns.length);
  rows.forEach((steps, r) => {
    columns.forEach((column, c) => {
      // A bin is S_bin - S_(bin + 1); a variable that is summed over takes part as S_0 = 1.
      const signs = column.bins.map((bin, v) =>
        bin === null ? Number(steps[v] === 0) : Number(steps[v] === bin) - Number(steps[v] === bin + 1)
      );
      cells[r * columns.length + c] = signs.reduce((product, sign) => product * sign, 1);
    });
  });
  const sums = new Float32Array(columns.length * count);
  columns.forEach(({ subset }, c) => sums[c * count + subset - 1] = -1);
  const layout: Layout = { cells, cellCount: columns.length, sums };
  layouts.set(key, layout);
  return layout;
}

/** Constant matrices above this many entries (64 KiB) give way to differences along one axis after the other. */
const LARGEST_MATRIX = 16384;

/** Least share of a cell in a logarithm: where terms cancel, rounding leaves some 1e-8 on either side of 0. */
const LEAST_SHARE = 1e-12;

/**
 * All entropies from moments, in nats.
 *
 * @param moments As the module says, [N, b^v].
 * @param scale Multiplies the moments: 1 / n where they are sums over n observations, 1 where they are means.
 * @returns [N, 2^v - 1]: column s - 1 is of the subset with bit mask s, bit 0 being the first variable.
 */
export function entropiesOf(moments: tf.Tensor2D, variables: number, bins: number, scale: number): tf.Tensor2D {
  if (bins ** variables * (bins + 1) ** variables > LARGEST_MATRIX) {
    return entropiesByAxes(jointTable(moments, variables, bins, scale));
  }
  const { cells, cellCount, sums } = layoutOf(variables, bins);
  const signs = tf.tensor2d(cells, [bins ** variables, cellCount]);
  const scaledSigns = tf.tensor2d(cells.map((sign) => sign * scale), [bins ** variables, cellCount]);
  const total = tf.tensor2d(sums, [cellCount, (1 << variables) - 1]);
  // H = -sum P log P with dH/dP = -(log P + 1), so that the logarithms of the forward pass serve the gradient, too.
  return withGradient([moments], (save) => {
    // Differences of counts are exact: the scale comes after them.
    const shares = tf.maximum(tf.mul(tf.matMul(moments, signs), scale), LEAST_SHARE);
    const logs = tf.log(shares);
    save([logs]);
    return {
      value: tf.matMul(tf.mul(shares, logs) as tf.Tensor2D, total),
      gradient(dy, [logs]) {
        const byShare = tf.mul(tf.matMul(dy as tf.Tensor2D, total, false, true), tf.add(logs, 1));
        return [tf.matMul(byShare as tf.Tensor2D, scaledSigns, false, true)];
      },
    };
  }) as tf.Tensor2D;
}

/** Joint table P of all variables from their moments, [N, b, .., b]: differences along one axis after the other. */
export function jointTable(moments: tf.Tensor2D, variables: number, bins: number, scale: number): tf.Tensor {
  const [rows] = moments.shape;
  let table: tf.Tensor = moments;
  for (let v = 0; v < variables; v++) {
    const [before, after] = [bins ** v, bins ** (variables - v - 1)];
    const axis = tf.reshape(table, [rows, before, bins, after]);
    const next = tf.concat([
      tf.slice(axis, [0, 0, 1, 0], [-1, -1, bins - 1, -1]),
      tf.zeros([rows, before, 1, after]),
    ], 2);
    table = tf.sub(axis, next);
  }
  return tf.relu(tf.mul(tf.reshape(table, [rows, ...new Array<number>(variables).fill(bins)]), scale));
}

/** The same entropies by margins of the joint table, for many bins. */
function entropiesByAxes(table: tf.Tensor): tf.Tensor2D {
  const [rows] = table.shape;
  const variables = table.rank - 1;
  const all = (1 << variables) - 1;
  const entropies = Array.from({ length: all }, (_, s) => {
    const absent = membersOf(all & ~(s + 1), variables).map((v) => v + 1);
    const margin = absent.length === 0 ? table : tf.sum(table, absent);
    const informed = tf.mul(margin, tf.log(tf.add(margin, LEAST_SHARE)));
    return tf.neg(tf.sum(tf.reshape(informed, [rows, -1]), 1, true));
  });
  return tf.concat(entropies, 1) as tf.Tensor2D;
}
