/**
 * Where a run stands, in words.
 *
 * @module
 */
import type { KnownRun } from "../configurations.ts";
import { duration, numberText } from "../numbers.ts";

/** Seconds until a running run has drawn its samples, at its pace so far; `null` before its first epoch. */
export function leftOf({ progress }: Pick<KnownRun, "progress">): number | null {
  if (progress === null || !(progress.samplesPerSecond > 0)) return null;
  return Math.max(0, progress.samplesBudget - progress.samplesDrawn) / progress.samplesPerSecond;
}

/** How far a run is: "epoch 3 of 10, validation 87.2 %, about 2 min 05 s left"; nothing of a finished one. */
export function standingText(run: KnownRun): string {
  if (run.state === "finished") return "";
  const left = run.state === "running" ? leftOf(run) : null;
  return [
    `epoch ${run.epochs} of ${run.epochsPlanned}`,
    ...(run.validationAccuracy === null ? [] : [`validation ${numberText(run.validationAccuracy, "percent")}`]),
    ...(left === null ? [] : [`about ${duration(left)} left`]),
  ].join(", ");
}
