/**
 * Losses and gradient norms step by step, thinned: what is left to look at when a run diverges.
 *
 * @module
 */
import type { StepPoint } from "../core/record.ts";

/** Points that are kept at most. */
const LIMIT = 256;

/** Values that are kept at most. */
const VALUES = 8192;

/** Numbers of which every k-th is kept, with k doubled whenever there are too many: enough for a median. */
export class ThinnedValues {
  #values: number[] = [];
  #stride = 1;
  #seen = 0;

  /** Adds a number. */
  add(value: number): void {
    if (this.#seen++ % this.#stride !== 0) return;
    this.#values.push(value);
    if (this.#values.length < VALUES) return;
    this.#values = this.#values.filter((_, index) => index % 2 === 0);
    this.#stride *= 2;
  }

  /** Those that are kept, in order. */
  get values(): readonly number[] {
    return this.#values;
  }
}

/** A thinned curve: every k-th step, with k doubled whenever there are too many, and the last one. */
export class StepCurve {
  #points: StepPoint[] = [];
  #stride = 1;
  #seen = 0;
  #last: StepPoint | null = null;

  /** Forgets everything. */
  clear(): void {
    this.#points = [];
    this.#stride = 1;
    this.#seen = 0;
    this.#last = null;
  }

  /**
   * Adds a step. What is not finite is kept as `null`.
   *
   * @param gradientNorm Undefined where no clipping measures it.
   */
  add(step: number, loss: number, gradientNorm: number | undefined): void {
    const finite = (value: number | undefined) => value !== undefined && Number.isFinite(value) ? value : null;
    this.#last = { step, loss: finite(loss), gradientNorm: finite(gradientNorm) };
    if (this.#seen++ % this.#stride !== 0) return;
    this.#points.push(this.#last);
    if (this.#points.length < LIMIT) return;
    this.#points = this.#points.filter((_, index) => index % 2 === 0);
    this.#stride *= 2;
  }

  /** The steps kept, in order, and the last. */
  get points(): readonly StepPoint[] {
    const last = this.#last;
    return last === null || this.#points.at(-1) === last ? [...this.#points] : [...this.#points, last];
  }
}
