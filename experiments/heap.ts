/**
 * A worker's memory, watched: where JavaScript's heap is full, the runtime ends the whole process, so that a cell whose
 * parts keep more and more has to fail before that.
 *
 * @module
 */
import { getHeapStatistics } from "node:v8";
import { Refusal } from "../core/refusal.ts";

/** Share of its bound at which a heap counts as used up: beyond, most time goes into looking for what can be freed. */
const MOST = 0.85;

/** What new objects have for themselves: the runtime counts it into the bound, and ends where the old ones fill the rest. */
const YOUNG = 96 * 2 ** 20;

const MIB = 2 ** 20;

/** Of this thread, in bytes. */
export interface Heap {
  readonly used: number;
  readonly bound: number;
}

/** This thread's heap now. */
export function heapNow(): Heap {
  const { used_heap_size, heap_size_limit } = getHeapStatistics();
  return { used: used_heap_size, bound: heap_size_limit - YOUNG };
}

/** Whether it is used up. */
export function heapSpent({ used, bound }: Heap = heapNow()): boolean {
  return used > MOST * bound;
}

/** @throws {Refusal} If this thread's heap is used up. */
export function checkHeap(heap: Heap = heapNow()): void {
  if (!heapSpent(heap)) return;
  const [used, bound] = [heap.used, heap.bound].map((bytes) => Math.round(bytes / MIB));
  throw new Refusal({
    what: "take a further step",
    must: `objects must take at most ${Math.round(100 * MOST)} % of their worker's ${bound} MiB`,
    found: `they take ${used} MiB`,
    hint: "some part keeps what it made in earlier steps; DENO_V8_FLAGS=--max-old-space-size=MIB allows more",
  });
}
