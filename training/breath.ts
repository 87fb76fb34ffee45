/**
 * Letting messages and signals in while steps run.
 *
 * @module
 */
import { setImmediate } from "node:timers";

/** Milliseconds between two breaths. */
const EVERY = 50;

/** Gives way to what waits outside now and then: engines answer without ever leaving the thread's current task. */
export class Breath {
  #last = 0;

  /** Gives way if it is time. */
  async next(): Promise<void> {
    if (performance.now() - this.#last < EVERY) return;
    // A timer of 0 ms would sleep for two.
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.#last = performance.now();
  }
}
