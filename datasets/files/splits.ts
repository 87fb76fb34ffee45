/**
 * Splits where the data has none: no group in two of them, classes in equal shares, the same every time.
 *
 * @module
 */
import type { SplitName } from "../../core/kinds/mod.ts";
import type { Random } from "../../core/random.ts";

/** Splits in the order of `shares`. */
export const splitNames: readonly SplitName[] = ["train", "validation", "test"];

/** Groups that hold each other's samples become one. */
export function joined(groups: readonly (readonly string[])[]): Int32Array {
  const size = groups[0].length;
  const parent = Int32Array.from({ length: size }, (_, n) => n);
  const root = (n: number): number => {
    while (parent[n] !== n) n = parent[n] = parent[parent[n]];
    return n;
  };
  for (const names of groups) {
    const first = new Map<string, number>();
    names.forEach((name, n) => {
      const other = first.get(name);
      if (other === undefined) first.set(name, n);
      else parent[root(n)] = root(other);
    });
  }
  return Int32Array.from(parent, (_, n) => root(n));
}

/**
 * Deals samples to splits.
 *
 * Groups come in a random order, larger ones first, and each goes where its classes are furthest below their share.
 *
 * @param labels Class indices [N].
 * @param groups Group of each sample [N].
 * @param shares Share of each split; their sum is what counts as all.
 * @returns Index into `shares` of each sample [N].
 */
export function dealt(
  labels: Int32Array,
  groups: ArrayLike<number>,
  shares: readonly number[],
  random: Random,
): Uint8Array {
  const members = new Map<number, number[]>();
  labels.forEach((_, n) => {
    const own = members.get(groups[n]);
    if (own === undefined) members.set(groups[n], [n]);
    else own.push(n);
  });
  const classes = labels.reduce((most, label) => Math.max(most, label), 0) + 1;
  const counts = new Float64Array(classes);
  for (const label of labels) counts[label]++;
  const all = shares.reduce((sum, share) => sum + share, 0);
  // What each split still lacks of each class, as samples.
  const lacking = shares.map((share) => counts.map((count) => count * share / all));
  const order = random.shuffle([...members.values()]).sort((a, b) => b.length - a.length);
  const result = new Uint8Array(labels.length);
  for (const group of order) {
    const need = lacking.map((lack) => group.reduce((sum, n) => sum + lack[labels[n]] / counts[labels[n]], 0));
    // The first of equals: training before validation before test.
    const split = need.reduce((best, value, k) => value > need[best] + 1e-12 ? k : best, 0);
    for (const n of group) {
      result[n] = split;
      lacking[split][labels[n]]--;
    }
  }
  return result;
}
