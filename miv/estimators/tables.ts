/**
 * From sums of products of step functions to all entropies of a few binned variables, in three matrix products.
 *
 * A variable in b bins is described by r = b - 1 cumulative functions S_1 .. S_r of its value: with hard bins S_k is 1 from
 * edge k on, with hat functions it rises from 0 to 1 between two centres. The share of bin k is S_k - S_(k+1), with
 * S_0 = 1 and S_b = 0. So every cell of every table is a sum of some moments with signs, which is one constant matrix.
 *
 * Moments come by subset of all variables but the last, in the order of bit masks: sums over observations of the product
 * of these variables' S_1 .. S_r and the last one's S_0 .. S_r, [N, r^size b] each, row-major.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";

/** Constant matrices for v variables in b bins each. */
export interface Layout {
  /** Number of moments of all subsets. */
  readonly momentCount: number;
  /** Moments to cells of the tables of all non-empty subsets, row-major [momentCount, cellCount]. */
  readonly cells: Float32Array;
  readonly cellCount: number;
  /** Cells to entropies of the non-empty subsets 1 .. 2^v - 1, [cellCount, 2^v - 1]. */
  readonly sums: Float32Array;
  /** Where the cells of the table of all variables begin. */
  readonly full: number;
}

const layouts = new Map<string, Layout>();

/** All index vectors of a length, entries from `from` to `to`, last fastest. */
function indices(length: number, from: number, to: number): number[][] {
  if (length === 0) return [[]];
  return indices(length - 1, from, to).flatMap((head) =>
    Array.from({ length: to - from + 1 }, (_, k) => [...head, from + k])
  );
}

const membersOf = (subset: number, variables: number) =>
  Array.from({ length: variables }, (_, v) => v).filter((v) => (subset >> v & 1) === 1);

/** The layout for v variables in b bins. Made once. */
export function layoutOf(variables: number, bins: number): Layout {
  const key = `${variables}/${bins}`;
  const known = layouts.get(key);
  if (known !== undefined) return known;
  const subsets = Array.from({ length: 1 << variables }, (_, subset) => subset);
  const last = variables - 1;
  const rows = subsets.slice(0, 1 << last).flatMap((subset) => {
    const members = membersOf(subset, variables);
    return indices(members.length, 1, bins - 1).flatMap((steps) =>
      Array.from(
        { length: bins },
        (_, step) =>
          new Map([...members.map((v, k) => [v, steps[k]] as const), ...(step === 0 ? [] : [[last, step] as const])]),
      )
    );
  });
  const columns = subsets.slice(1).flatMap((subset) => {
    const members = membersOf(subset, variables);
    return indices(members.length, 0, bins - 1).map((cell) => ({
      subset,
      cell: new Map(members.map((v, k) => [v, cell[k]])),
    }));
  });
  const cells = new Float32Array(rows.length * columns.length);
  rows.forEach((steps, r) => {
    columns.forEach(({ cell }, c) => {
      if ([...steps.keys()].some((v) => !cell.has(v))) return;
      let sign = 1;
      for (const [v, bin] of cell) {
        const step = steps.get(v);
        // A bin is S_bin - S_(bin + 1); S_0 = 1 is the absence of a factor.
        sign *= step === undefined ? Number(bin === 0) : step === bin ? 1 : step === bin + 1 ? -1 : 0;
      }
      cells[r * columns.length + c] = sign;
    });
  });
  const sums = new Float32Array(columns.length * (subsets.length - 1));
  columns.forEach(({ subset }, c) => sums[c * (subsets.length - 1) + subset - 1] = 1);
  const layout: Layout = {
    momentCount: rows.length,
    cells,
    cellCount: columns.length,
    sums,
    full: columns.length - bins ** variables,
  };
  layouts.set(key, layout);
  return layout;
}

/** Entropies and the joint table of some variables. */
export interface Entropies {
  /** In nats, [N, 2^v - 1]: column s - 1 is of the subset with bit mask s. */
  readonly entropies: tf.Tensor2D;
  /** Joint table of all variables, [N, b^v], the last variable fastest. */
  readonly table: () => tf.Tensor2D;
}

/** Constant matrices above this many entries (64 KiB) give way to differences along one axis after the other. */
const LARGEST_MATRIX = 16384;

/**
 * All entropies from moments.
 *
 * @param moments As the module says; 2^(v - 1) of them.
 * @param scale Multiplies the moments: 1 / n where they are sums over n observations, 1 where they are means.
 */
export function entropiesOf(
  moments: readonly tf.Tensor[],
  variables: number,
  bins: number,
  scale: number,
): Entropies {
  const [rows] = moments[0].shape;
  if (bins ** variables * (bins + 1) ** variables > LARGEST_MATRIX) return byAxes(moments, variables, bins, scale);
  const layout = layoutOf(variables, bins);
  const signs = tf.tensor2d(layout.cells, [layout.momentCount, layout.cellCount]);
  // Where terms cancel, rounding leaves some 1e-8 on either side of 0.
  const cells = tf.relu(tf.mul(tf.matMul(tf.concat([...moments], 1) as tf.Tensor2D, signs), scale)) as tf.Tensor2D;
  const sums = tf.tensor2d(layout.sums, [layout.cellCount, (1 << variables) - 1]);
  return {
    entropies: tf.neg(tf.matMul(informed(cells) as tf.Tensor2D, sums)) as tf.Tensor2D,
    table: () => tf.slice(cells, [0, layout.full], [rows, layout.cellCount - layout.full]),
  };
}

/** P log(P + 1e-12). */
function informed(cells: tf.Tensor): tf.Tensor {
  return tf.mul(cells, tf.log(tf.add(cells, 1e-12)));
}

/** The same for many bins: the cube of moments, differences along each axis, sums for the margins. */
function byAxes(moments: readonly tf.Tensor[], variables: number, bins: number, scale: number): Entropies {
  const [rows] = moments[0].shape;
  const steps = bins - 1;
  /** Moments of a subset of the first variables with every combination of the rest, [N, r^size, b^rest]. */
  const cube = (subset: number, from: number, size: number): tf.Tensor => {
    if (from === variables - 1) return tf.reshape(moments[subset], [rows, steps ** size, bins]);
    const rest = bins ** (variables - from - 1);
    const without = tf.reshape(cube(subset, from + 1, size), [rows, steps ** size, 1, rest]);
    const withIt = tf.reshape(cube(subset | 1 << from, from + 1, size + 1), [rows, steps ** size, steps, rest]);
    return tf.reshape(tf.concat([without, withIt], 2), [rows, steps ** size, bins * rest]);
  };
  // Differences of counts are exact: the scale comes after them.
  let table = cube(0, 0, 0);
  for (let v = 0; v < variables; v++) {
    const [before, after] = [bins ** v, bins ** (variables - v - 1)];
    const axis = tf.reshape(table, [rows, before, bins, after]);
    const next = tf.concat([tf.slice(axis, [0, 0, 1, 0], [-1, -1, steps, -1]), tf.zeros([rows, before, 1, after])], 2);
    table = tf.sub(axis, next);
  }
  const cells = tf.relu(tf.mul(tf.reshape(table, [rows, ...new Array<number>(variables).fill(bins)]), scale));
  const entropies = Array.from({ length: (1 << variables) - 1 }, (_, s) => {
    const absent = membersOf(((1 << variables) - 1) & ~(s + 1), variables).map((v) => v + 1);
    const margin = absent.length === 0 ? cells : tf.sum(cells, absent);
    return tf.neg(tf.sum(tf.reshape(informed(margin), [rows, -1]), 1, true));
  });
  return {
    entropies: tf.concat(entropies, 1) as tf.Tensor2D,
    table: () => tf.reshape(cells, [rows, -1]) as tf.Tensor2D,
  };
}
