/**
 * Learning-rate schedules: share of the budget used, 0..1, to a factor.
 *
 * @module
 */

/** Names of schedules. */
export type ScheduleName = "constant" | "cosine" | "linear" | "step";

/** Options of schedules. */
export interface ScheduleOptions {
  /** `"step"`: the share, of what warm-up leaves, after which the factor is 0.1. @default {0.7} */
  readonly stepAt?: number;
  /** Share of the budget over which the factor first rises linearly from 0; the schedule goes over the rest. @default {0} */
  readonly warmup?: number;
}

/** The factor as a function of progress. */
export function schedule(
  name: ScheduleName,
  { stepAt = 0.7, warmup = 0 }: ScheduleOptions = {},
): (progress: number) => number {
  const base = (progress: number): number => {
    switch (name) {
      case "constant":
        return 1;
      case "cosine":
        return (1 + Math.cos(Math.PI * Math.min(1, Math.max(0, progress)))) / 2;
      case "linear":
        return 1 - Math.min(1, Math.max(0, progress));
      case "step":
        return progress < stepAt ? 1 : 0.1;
    }
  };
  if (warmup === 0) return base;
  return (progress) =>
    progress < warmup ? progress / warmup : warmup === 1 ? 1 : base((progress - warmup) / (1 - warmup));
}
