/**
 * Why a run ends before its time.
 *
 * @module
 */
import type { StepPoint } from "../core/record.ts";

/** What a statistic of a step is, for a sentence. */
function kindOf(term: string): string {
  if (term.startsWith("loss/")) return "loss term";
  if (/^(validation|test)\//.test(term)) return "prediction";
  return term === "gradientNorm" ? "gradient norm" : "statistic of a method";
}

/** A training step, or predictions after it, that gave NaN or infinity. */
export class DivergenceError extends Error {
  override readonly name = "DivergenceError";
  /** From 0; the message counts from 1. */
  readonly epoch: number;
  /** Steps before it. */
  readonly step: number;
  readonly term: string;
  /** Losses and gradient norms of the epoch's steps, thinned; the last is the one that diverged. */
  readonly curve: readonly StepPoint[];

  /** @param term The loss term, statistic or split's predictions that is not finite. */
  constructor(epoch: number, step: number, term: string, found: number, curve: readonly StepPoint[] = []) {
    super(
      `Cannot go on training as every ${kindOf(term)} must be finite: "${term}" is ${found} in epoch ${epoch + 1}, ` +
        `step ${step}; a smaller learning rate, a clip norm or cleaner inputs may help`,
    );
    this.epoch = epoch;
    this.step = step;
    this.term = term;
    this.curve = curve;
  }
}

/** Thrown when the caller's signal stopped the run. */
export class InterruptedError extends Error {
  override readonly name = "InterruptedError";
}
