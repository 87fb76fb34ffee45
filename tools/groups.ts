/**
 * Splits of embedded datasets by group.
 *
 * @module
 */
import type { SplitName } from "../core/kinds/mod.ts";
import type { Random } from "../core/random.ts";

/** Shares of the items. */
const SHARES: readonly (readonly [SplitName, number])[] = [["train", 0.65], ["validation", 0.1], ["test", 0.25]];

/**
 * Splits groups 65/10/25 % within each class: large ones first, each to the split that lacks most of its share. A group that has several classes counts to that of most of its items (the
 * first of equals).
 *
 * @returns The split of each group.
 */
export function splitGroups(
  items: readonly { readonly group: string; readonly label: number }[],
  random: Random,
): Map<string, SplitName> {
  const counts = new Map<string, Map<number, number>>();
  for (const { group, label } of items) {
    const own = counts.get(group) ?? new Map<number, number>();
    counts.set(group, own.set(label, (own.get(label) ?? 0) + 1));
  }
  const byClass = new Map<number, { group: string; size: number }[]>();
  for (const [group, own] of counts) {
    const [[label]] = [...own].sort((a, b) => b[1] - a[1] || a[0] - b[0]);
    const size = [...own.values()].reduce((sum, count) => sum + count, 0);
    byClass.set(label, [...byClass.get(label) ?? [], { group, size }]);
  }
  const splits = new Map<string, SplitName>();
  for (const label of [...byClass.keys()].sort((a, b) => a - b)) {
    const own = random.split(label).shuffle(byClass.get(label)!).sort((a, b) => b.size - a.size);
    const total = own.reduce((sum, { size }) => sum + size, 0);
    const lacking = new Map(SHARES.map(([split, share]) => [split, share * total]));
    for (const { group, size } of own) {
      const [[split]] = [...lacking].sort((a, b) => b[1] - a[1]);
      splits.set(group, split);
      lacking.set(split, lacking.get(split)! - size);
    }
  }
  return splits;
}
