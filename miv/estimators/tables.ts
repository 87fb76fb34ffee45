/**
 * From a joint table of a few binned variables to the entropies of all of them and of all its margins, in two matrix
 * products.
 *
 * A table comes as the shares of its cells, or as moments of functions of the variables. A variable in b bins is
 * described by cumulative functions S_0 .. S_(b-1) of its value, S_0 = 1: with hard bins S_k is 1 from edge k on, with hat
 * functions it rises from 0 to 1 between two centres. The share of bin k is S_k - S_(k+1), with S_b = 0. So every cell of
 * every table, margins included, is a sum of some entries with signs: one constant matrix, or one for each group of axes.
 *
 * The moments of v variables are the sums over observations of all products of one cumulative function each. Either form
 * is [N, b^v], the last variable fastest.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { withGradient } from "../../tensor/autodiff.ts";

/** What the entries of a table are: moments of cumulative functions, or the observations in each cell. */
export type TableForm = "moments" | "shares";

/** How a table is to be read. */
export interface Reading {
  readonly form: TableForm;
  /** Multiplies the entries: 1 / n where they are sums over n observations, 1 where they are means. */
  readonly scale: number;
}

/** One factor of the map from entries to cells, of some neighbouring variables. */
interface Factor {
  /** Row-major [rows, columns] = [b^k, (b + 1)^k] of k variables. */
  readonly signs: Float32Array;
  readonly rows: number;
  readonly columns: number;
}

/** Constant matrices for v variables in b bins each, of the first variables to the last. */
interface Layout {
  /** Entries to cells. */
  readonly cells: readonly Factor[];
  /** Cells to sums over the tables of subsets, [(b + 1)^k, 2^k] each: first those that have a variable. */
  readonly sums: readonly Factor[];
  /** Those sums to entropies, [2^v, 2^v - 1]; `null` where a single factor gives them in their order already. */
  readonly order: Float32Array | null;
}

/** Most entries of a constant matrix (64 KiB). */
const LARGEST_MATRIX = 16384;

const layouts = new Map<string, Layout>();

/** All index vectors of a length, entries from 0 to b - 1, last fastest. */
function indices(length: number, bins: number): number[][] {
  if (length === 0) return [[]];
  return indices(length - 1, bins).flatMap((head) => Array.from({ length: bins }, (_, k) => [...head, k]));
}

/** The factor of k variables, each row and column a place on every axis. */
function factorOf(
  variables: number,
  rows: number,
  columns: number,
  entry: (row: number, column: number) => number,
): Factor {
  const [from, to] = [indices(variables, rows), indices(variables, columns)];
  const signs = Float32Array.from(
    from.flatMap((row) => to.map((column) => row.reduce((all, place, v) => all * entry(place, column[v]), 1))),
  );
  return { signs, rows: from.length, columns: to.length };
}

/** From sums by places to negative sums by subsets, [2^v, 2^v - 1]: a place's last bit is the last variable, a subset's bit 0 the first. */
function orderOf(variables: number): Float32Array {
  const count = (1 << variables) - 1;
  const order = new Float32Array((count + 1) * count);
  for (let subset = 1; subset <= count; subset++) {
    let place = 0;
    for (let v = 0; v < variables; v++) place = 2 * place + (1 - (subset >> v & 1));
    order[place * count + subset - 1] = -1;
  }
  return order;
}

/** A factor times a matrix of as many rows as it has columns. */
function multiplied({ signs, rows, columns }: Factor, matrix: Float32Array, width: number): Factor {
  const product = new Float32Array(rows * width);
  for (let r = 0; r < rows; r++) {
    for (let k = 0; k < columns; k++) {
      for (let c = 0; c < width; c++) product[r * width + c] += signs[r * columns + k] * matrix[k * width + c];
    }
  }
  return { signs: product, rows, columns: width };
}

/** The layout for v variables in b bins. Made once. */
function layoutOf(variables: number, bins: number, form: TableForm): Layout {
  const key = `${variables}/${bins}/${form}`;
  const known = layouts.get(key);
  if (known !== undefined) return known;
  // Place 0 .. b - 1 of a cell is a bin, of moments S_k - S_(k + 1); place b is all bins together, of moments S_0 = 1.
  const entry = form === "shares"
    ? (bin: number, place: number) => Number(place === bins || bin === place)
    : (step: number, place: number) =>
      place === bins ? Number(step === 0) : Number(step === place) - Number(step === place + 1);
  // As few factors as possible: as many variables each as the largest matrix holds.
  let most = 1;
  while (most < variables && (bins * (bins + 1)) ** (most + 1) <= LARGEST_MATRIX) most++;
  const [cells, sums]: [Factor[], Factor[]] = [[], []];
  for (let left = variables; left > 0; left -= most) {
    const own = Math.min(most, left);
    cells.unshift(factorOf(own, bins, bins + 1, entry));
    // A variable that a table does not have stands at place b.
    sums.unshift(factorOf(own, bins + 1, 2, (place, absent) => Number((place === bins) === (absent === 1))));
  }
  const order = orderOf(variables);
  const layout: Layout = sums.length === 1
    ? { cells, sums: [multiplied(sums[0], order, (1 << variables) - 1)], order: null }
    : { cells, sums, order };
  layouts.set(key, layout);
  return layout;
}

/**
 * Multiplies a table by one matrix along each group of axes.
 *
 * @param table [N, p], p the product of all rows of the factors, or of all columns if transposed.
 * @param scale Multiplies the result.
 */
function along(table: tf.Tensor2D, factors: readonly Factor[], transposed: boolean, scale: number): tf.Tensor2D {
  const [rows] = table.shape;
  const size = (list: readonly Factor[], side: boolean) =>
    list.reduce((all, { rows, columns }) => all * (side ? columns : rows), 1);
  let current: tf.Tensor = table;
  // From the last axes to the first: what stands behind is done, what stands before is not.
  for (let f = factors.length - 1; f >= 0; f--) {
    const { signs, rows: from, columns: to } = factors[f];
    const matrix = tf.tensor2d(f === 0 ? signs.map((sign) => sign * scale) : signs, [from, to]);
    const outer = rows * size(factors.slice(0, f), transposed);
    const inner = size(factors.slice(f + 1), !transposed);
    const extent = transposed ? to : from;
    current = inner === 1
      ? tf.matMul(tf.reshape(current, [outer, extent]) as tf.Tensor2D, matrix, false, transposed)
      : tf.matMul(tf.expandDims(matrix, 0), tf.reshape(current, [outer, extent, inner]), !transposed, false);
  }
  return tf.reshape(current, [rows, size(factors, !transposed)]);
}

/** Least share of a cell in a logarithm: where terms cancel, rounding leaves some 1e-8 on either side of 0. */
const LEAST_SHARE = 1e-12;

/**
 * All entropies of tables, in nats.
 *
 * @param tables As the module says, [N, b^v].
 * @returns [N, 2^v - 1]: column s - 1 is of the subset with bit mask s, bit 0 being the first variable.
 */
export function entropiesOf(
  tables: tf.Tensor2D,
  variables: number,
  bins: number,
  { form, scale }: Reading,
): tf.Tensor2D {
  const { cells, sums, order } = layoutOf(variables, bins, form);
  const ordered = order === null ? null : tf.tensor2d(order, [1 << variables, (1 << variables) - 1]);
  // H = -sum P log P with dH/dP = -(log P + 1), so that the logarithms of the forward pass serve the gradient, too.
  return withGradient([tables], (save) => {
    // Differences of counts are exact: the scale comes after them.
    const shares = tf.maximum(tf.mul(along(tables, cells, false, 1), scale), LEAST_SHARE);
    const logs = tf.log(shares);
    save([logs]);
    const found = along(tf.mul(shares, logs) as tf.Tensor2D, sums, false, 1);
    return {
      value: ordered === null ? found : tf.matMul(found, ordered),
      gradient(dy, [logs]) {
        const bySum = ordered === null ? dy : tf.matMul(dy as tf.Tensor2D, ordered, false, true);
        const byShare = tf.mul(along(bySum as tf.Tensor2D, sums, true, 1), tf.add(logs, 1));
        return [along(byShare as tf.Tensor2D, cells, true, scale)];
      },
    };
  }) as tf.Tensor2D;
}

/** Joint tables P of all variables, [N, b, .., b]; from moments by differences along one axis after the other. */
export function jointTable(
  tables: tf.Tensor2D,
  variables: number,
  bins: number,
  { form, scale }: Reading,
): tf.Tensor {
  const [rows] = tables.shape;
  let table: tf.Tensor = tables;
  for (let v = 0; v < (form === "moments" ? variables : 0); v++) {
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
