/**
 * A plan in parts: for schedulers that start many processes with a number each.
 *
 * @module
 */
import { Refusal } from "../core/refusal.ts";
import type { GridCell, GridPlan } from "./plan.ts";

/** One of several equal parts. */
export interface Shard {
  /** From 1. */
  readonly index: number;
  readonly of: number;
}

/**
 * Reads `i/n`, from 1.
 *
 * @throws {Refusal} If it is none.
 */
export function parseShard(text: string): Shard {
  const [, index, of] = /^(\d{1,6})\/(\d{1,6})$/.exec(text.trim()) ?? [];
  const shard = { index: Number(index), of: Number(of) };
  if (index !== undefined && shard.index >= 1 && shard.index <= shard.of) return shard;
  throw new Refusal({
    what: "use --shard",
    must: "it must be i/n with 1 <= i <= n",
    found: `found "${text.slice(0, 40)}"`,
    hint: "write 1/4 for the first of four",
  });
}

/** Cells of a plan in the order in which they are trained: seeds outside, configurations inside. */
export function inOrder(cells: readonly GridCell[], seeds: readonly number[]): GridCell[] {
  // A grid that is stopped early has compared everything with fewer seeds.
  const place = new Map(seeds.map((seed, at) => [seed, at]));
  const of = ({ seed }: GridCell) => place.get(seed) ?? seeds.length;
  return [...cells].sort((a, b) => of(a) - of(b) || a.index - b.index);
}

/**
 * The part of a plan that a shard trains: every n-th cell, in the order in which a grid is trained, so that all shards have
 * something of each seed; with the runs that these cells learn from, which several shards may need and one of them trains.
 */
export function shardOf(plan: GridPlan, seeds: readonly number[], { index, of }: Shard): GridPlan {
  const own = new Set(inOrder(plan.cells, seeds).filter((_, place) => place % of === index - 1).map(({ id }) => id));
  const cells = plan.cells.filter(({ id }) => own.has(id));
  const needed = new Set(cells.flatMap(({ id }) => plan.lessons.get(id) ?? []));
  const teachers = [...plan.teachers, ...plan.cells].filter(({ id }) => needed.has(id) && !own.has(id));
  return {
    ...plan,
    cells,
    teachers,
    taught: new Set([...plan.taught].filter((id) => own.has(id) || needed.has(id))),
    failed: plan.failed.filter((_, place) => place % of === index - 1),
  };
}
