/**
 * One thing after the other.
 *
 * @module
 */

/** Runs what it is given in the order of the calls: each waits until the one before has ended, well or not. */
export class Turns {
  #last: Promise<void> = Promise.resolve();

  /** Runs a function when its turn has come. */
  next<T>(run: () => T | Promise<T>): Promise<T> {
    const result = this.#last.then(run);
    this.#last = result.then(() => {}, () => {});
    return result;
  }
}
