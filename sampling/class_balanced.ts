/**
 * Every class alike.
 *
 * @module
 */
import { defineSampler, type SamplerPlugin } from "../core/kinds/mod.ts";
import type { Random } from "../core/random.ts";
import { Refusal } from "../core/refusal.ts";

/**
 * As many items as there were, from every class that occurs among them equally many (give or take one). A class's samples
 * come in random rounds: none is drawn a second time before all were drawn once.
 *
 * @param items Indices into the training split.
 * @param labels Class indices of the training split, [N].
 */
export function balancedItems(items: Int32Array, labels: ArrayLike<number>, random: Random): Int32Array {
  const byClass = new Map<number, number[]>();
  for (const item of items) {
    const own = byClass.get(labels[item]);
    if (own === undefined) byClass.set(labels[item], [item]);
    else own.push(item);
  }
  const classes = [...byClass.keys()].sort((a, b) => a - b);
  const queues = classes.map((label) => ({ pool: Int32Array.from(byClass.get(label)!), left: new Int32Array(0) }));
  const first = random.split("first").permutation(classes.length);
  const drawn = Int32Array.from(items, (_, n) => {
    const queue = queues[first[n % classes.length]];
    if (queue.left.length === 0) queue.left = random.shuffle(queue.pool);
    const [item] = queue.left;
    queue.left = queue.left.subarray(1);
    return item;
  });
  return random.shuffle(drawn);
}

/** Class-balanced sampling as a part. */
export const classBalanced: SamplerPlugin = defineSampler<Record<never, never>>({
  name: "class-balanced",
  about: "draws every class equally often, as many samples an epoch as there are",
  formula: "P(class) = 1 / C; within a class every sample once a round",
  source: "common practice against class imbalance",
  options: {},
  create: () => ({
    plan: (base, { labels, random }) =>
      base.map((segment, index) => {
        if (segment.keep !== undefined) {
          throw new Refusal({
            what: "draw classes alike in a plan with keep masks",
            must: "samples are drawn whole",
            found: "an earlier method drops modalities from samples",
            hint: "put the method that draws before it",
          });
        }
        return { ...segment, items: balancedItems(segment.items, labels, random.split(index)) };
      }),
  }),
});
