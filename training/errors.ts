/**
 * Why a run ends before its time.
 *
 * @module
 */

/** A training step that gave NaN or infinity. */
export class DivergenceError extends RangeError {
  override readonly name = "DivergenceError";
  readonly epoch: number;
  readonly step: number;
  readonly term: string;

  /** @param term The loss term or statistic that is not finite. */
  constructor(epoch: number, step: number, term: string, found: number) {
    super(
      `Cannot go on training as every loss term must be finite: "${term}" is ${found} in epoch ${epoch}, step ${step}; ` +
        "a smaller learning rate, a clip norm or cleaner inputs may help",
    );
    this.epoch = epoch;
    this.step = step;
    this.term = term;
  }
}

/** Thrown when the caller's signal stopped the run. */
export class InterruptedError extends Error {
  override readonly name = "InterruptedError";
}
