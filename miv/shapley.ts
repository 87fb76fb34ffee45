/**
 * Shapley values and interaction indices of modalities, for any value of their subsets.
 *
 * A subset is a bit mask: bit u is set if the u-th modality (in sorted order) is in it.
 *
 * @module
 */
import type { Random } from "../core/random.ts";

/** Names of the modalities in a subset. */
export function membersOf(subset: number, modalities: readonly string[]): string[] {
  return modalities.filter((_, u) => (subset >> u & 1) === 1);
}

function factorial(n: number): number {
  return n < 2 ? 1 : n * factorial(n - 1);
}

function size(subset: number): number {
  let count = 0;
  for (let rest = subset; rest > 0; rest >>= 1) count += rest & 1;
  return count;
}

/**
 * Exact Shapley values: phi_u = sum over S without u of |S|! (m - |S| - 1)! / m! (v(S + u) - v(S)).
 *
 * @param value v(S) for each of the 2^m subsets. Its sum over modalities is v(all) - v({}).
 */
export function shapleyValues(m: number, value: (subset: number) => number): number[] {
  return Array.from({ length: m }, (_, u) => {
    let sum = 0;
    for (let subset = 0; subset < 1 << m; subset++) {
      if ((subset >> u & 1) === 1) continue;
      const s = size(subset);
      sum += factorial(s) * factorial(m - s - 1) / factorial(m) * (value(subset | 1 << u) - value(subset));
    }
    return sum;
  });
}

/**
 * Shapley interaction index of two modalities (Grabisch and Roubens, 1999): the mean of v(S + ij) - v(S + i) - v(S + j) +
 * v(S), weighted by |S|! (m - |S| - 2)! / (m - 1)!. Positive where they help each other, negative where they are redundant.
 */
export function interactionIndex(m: number, i: number, j: number, value: (subset: number) => number): number {
  let sum = 0;
  const [a, b] = [1 << i, 1 << j];
  for (let subset = 0; subset < 1 << m; subset++) {
    if ((subset & (a | b)) !== 0) continue;
    const s = size(subset);
    const weight = factorial(s) * factorial(m - s - 2) / factorial(m - 1);
    sum += weight * (value(subset | a | b) - value(subset | a) - value(subset | b) + value(subset));
  }
  return sum;
}

/** All orders of m modalities. */
function permutations(m: number): number[][] {
  if (m === 0) return [[]];
  return permutations(m - 1).flatMap((order) =>
    Array.from({ length: m }, (_, at) => [...order.slice(0, at), m - 1, ...order.slice(at)])
  );
}

/**
 * Orders in which modalities join: all m! of them up to four modalities, else as many random ones as asked for. The mean
 * over orders of what u adds when it joins is its Shapley value, exactly or as an unbiased estimate.
 */
export function joiningOrders(m: number, samples: number, random: Random): number[][] {
  if (m <= 4) return permutations(m);
  const all = Array.from({ length: m }, (_, u) => u);
  return Array.from({ length: samples }, () => [...random.shuffle(all)]);
}

/** The non-empty subsets that the orders pass through, ascending. */
export function subsetsOf(orders: readonly (readonly number[])[]): number[] {
  const subsets = new Set<number>();
  for (const order of orders) {
    let subset = 0;
    for (const u of order) subsets.add(subset |= 1 << u);
  }
  return [...subsets].sort((a, b) => a - b);
}

/**
 * Contributions from orders: the mean of v(before + u) - v(before).
 *
 * @param value v(S) for the subsets that the orders pass through; v({}) is asked for as 0.
 */
export function orderedContributions(
  m: number,
  orders: readonly (readonly number[])[],
  value: (subset: number) => number,
): number[] {
  const phi = new Array<number>(m).fill(0);
  for (const order of orders) {
    let subset = 0;
    for (const u of order) {
      const next = subset | 1 << u;
      phi[u] += (value(next) - value(subset)) / orders.length;
      subset = next;
    }
  }
  return phi;
}
