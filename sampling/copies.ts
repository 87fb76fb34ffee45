/**
 * Copies of samples in an epoch's plan.
 *
 * @module
 */
import type { Segment } from "../core/kinds/mod.ts";
import type { Random } from "../core/random.ts";
import { Refusal } from "../core/refusal.ts";

/** Rounds half up; the paper of Eq. 18 does not say how it rounds. */
export function round(value: number): number {
  return Math.floor(value + 0.5);
}

/** Copies scaled so that their mean is `match`; 0 leaves them. */
export function matched(copies: Int32Array, match: number): Int32Array {
  if (match === 0) return copies;
  const mean = copies.reduce((sum, count) => sum + count, 0) / Math.max(1, copies.length);
  return mean === 0 ? copies : copies.map((count) => round(match * count / mean));
}

/** Every index once plus its copies, shuffled. */
export function withCopies(items: Int32Array, copies: ArrayLike<number>, random: Random): Int32Array {
  let length = 0;
  for (const item of items) length += 1 + copies[item];
  const list = new Int32Array(length);
  let at = 0;
  for (const item of items) for (let copy = 0; copy <= copies[item]; copy++) list[at++] = item;
  return random.shuffle(list);
}

/**
 * A plan with copies, each segment shuffled on its own.
 *
 * @param copies Extra copies of each training sample, [N].
 * @throws {Refusal} If a segment carries keep masks: copies would not know theirs.
 */
export function planWithCopies(base: readonly Segment[], copies: ArrayLike<number>, random: Random): Segment[] {
  return base.map((segment, index) => {
    if (segment.keep !== undefined) {
      throw new Refusal({
        what: "re-sample a plan with keep masks",
        must: "samples are repeated whole",
        found: "an earlier method drops modalities from samples",
        hint: "put the method that re-samples before it",
      });
    }
    return { ...segment, items: withCopies(segment.items, copies, random.split(index)) };
  });
}

/** How many samples have each number of copies. */
export function copyCounts(copies: ArrayLike<number>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (let n = 0; n < copies.length; n++) counts[String(copies[n])] = (counts[String(copies[n])] ?? 0) + 1;
  return counts;
}
