/**
 * Optimal transport between two sets of neurons, on the host in double precision.
 *
 * @module
 */
import type { Transport } from "../../core/kinds/mod.ts";
import { Refusal } from "../../core/refusal.ts";

/** Rows of a matrix, row-major. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float64Array;
}

/** Euclidean distances between the rows of two matrices, divided by the largest: [a.rows, b.rows]. */
export function distances(a: Matrix, b: Matrix): Matrix {
  const values = new Float64Array(a.rows * b.rows);
  let largest = 0;
  for (let i = 0; i < a.rows; i++) {
    for (let j = 0; j < b.rows; j++) {
      let sum = 0;
      for (let k = 0; k < a.columns; k++) {
        const difference = a.values[i * a.columns + k] - b.values[j * b.columns + k];
        sum += difference * difference;
      }
      const distance = Math.sqrt(sum);
      values[i * b.rows + j] = distance;
      if (distance > largest) largest = distance;
    }
  }
  if (largest > 0) { for (let i = 0; i < values.length; i++) values[i] /= largest; }
  return { rows: a.rows, columns: b.rows, values };
}

/** Largest number of Sinkhorn's sweeps. */
const SWEEPS = 2_000;
/** Sweeps between two looks at the marginals. */
const LOOK = 10;
/** Error of a marginal, as a share of it, at which sweeps end. */
const TOLERANCE = 1e-9;

/** log sum exp of n numbers. */
function logSum(n: number, at: (k: number) => number): number {
  let top = -Infinity;
  for (let k = 0; k < n; k++) top = Math.max(top, at(k));
  let sum = 0;
  for (let k = 0; k < n; k++) sum += Math.exp(at(k) - top);
  return top + Math.log(sum);
}

/**
 * The coupling with uniform marginals that minimises <T, C> - reg H(T) (Cuturi, NeurIPS 2013), by Sinkhorn's sweeps on
 * logarithms until they settle or 2,000 are done. What marginals still lack is put right as in Altschuler et al.
 * (NeurIPS 2017), so that every result is a coupling, however small `reg` is.
 */
export function sinkhorn(cost: Matrix, reg: number): Transport {
  const { rows, columns, values } = cost;
  const [f, g] = [new Float64Array(rows), new Float64Array(columns)];
  const planOf = () => values.map((c, k) => Math.exp((f[Math.floor(k / columns)] + g[k % columns] - c) / reg));
  let plan = planOf();
  for (let sweep = 1; sweep <= SWEEPS; sweep++) {
    for (let i = 0; i < rows; i++) {
      f[i] = -reg * (Math.log(rows) + logSum(columns, (j) => (g[j] - values[i * columns + j]) / reg));
    }
    for (let j = 0; j < columns; j++) {
      g[j] = -reg * (Math.log(columns) + logSum(rows, (i) => (f[i] - values[i * columns + j]) / reg));
    }
    if (sweep % LOOK !== 0 && sweep !== SWEEPS) continue;
    plan = planOf();
    // Columns are exact after their sweep; rows say how far it is.
    if (sumsOf(plan, rows, columns).rows.every((sum) => Math.abs(sum * rows - 1) < TOLERANCE)) break;
  }
  return { from: rows, to: columns, values: onMarginals(plan, rows, columns) };
}

function sumsOf(plan: Float64Array, rows: number, columns: number): { rows: Float64Array; columns: Float64Array } {
  const sums = { rows: new Float64Array(rows), columns: new Float64Array(columns) };
  plan.forEach((t, k) => {
    sums.rows[Math.floor(k / columns)] += t;
    sums.columns[k % columns] += t;
  });
  return sums;
}

/** A coupling near a plan: rows and columns with too much are scaled down, and what is missing then is spread evenly. */
function onMarginals(plan: Float64Array, rows: number, columns: number): Float64Array {
  const tooMuch = sumsOf(plan, rows, columns).rows;
  const less = plan.map((t, k) => t * Math.min(1, 1 / rows / tooMuch[Math.floor(k / columns)]));
  const over = sumsOf(less, rows, columns).columns;
  const within = less.map((t, k) => t * Math.min(1, 1 / columns / over[k % columns]));
  const sums = sumsOf(within, rows, columns);
  const missing = {
    rows: sums.rows.map((sum) => 1 / rows - sum),
    columns: sums.columns.map((sum) => 1 / columns - sum),
  };
  const total = missing.rows.reduce((sum, lack) => sum + lack, 0);
  if (total <= 0) return within;
  return within.map((t, k) => t + missing.rows[Math.floor(k / columns)] * missing.columns[k % columns] / total);
}

/**
 * The exact coupling of equally many neurons: an assignment of least cost (Kuhn and Munkres, by shortest augmenting paths).
 *
 * @throws {Refusal} If the numbers differ.
 */
export function assignment(cost: Matrix): Transport {
  const n = cost.rows;
  if (n !== cost.columns) {
    throw new Refusal({
      what: "align neurons exactly",
      must: "both layers must have as many",
      found: `found ${cost.columns} and ${n}`,
      hint: "take --solver sinkhorn",
    });
  }
  // Row 0 and column 0 stand for nothing; match[j] is the row at column j.
  const [u, v] = [new Float64Array(n + 1), new Float64Array(n + 1)];
  const match = new Int32Array(n + 1);
  for (let i = 1; i <= n; i++) {
    match[0] = i;
    let free = 0;
    const least = new Float64Array(n + 1).fill(Infinity);
    const before = new Int32Array(n + 1);
    const used = new Uint8Array(n + 1);
    do {
      used[free] = 1;
      const row = match[free];
      let step = Infinity;
      let next = 0;
      for (let j = 1; j <= n; j++) {
        if (used[j]) continue;
        const slack = cost.values[(row - 1) * n + j - 1] - u[row] - v[j];
        if (slack < least[j]) [least[j], before[j]] = [slack, free];
        if (least[j] < step) [step, next] = [least[j], j];
      }
      for (let j = 0; j <= n; j++) {
        if (used[j]) {
          u[match[j]] += step;
          v[j] -= step;
        } else least[j] -= step;
      }
      free = next;
    } while (match[free] !== 0);
    while (free !== 0) {
      match[free] = match[before[free]];
      free = before[free];
    }
  }
  const values = new Float64Array(n * n);
  for (let j = 1; j <= n; j++) values[(match[j] - 1) * n + j - 1] = 1 / n;
  return { from: n, to: n, values };
}
