/**
 * What ARM writes into an epoch's log.
 *
 * @module
 */
import type { Segment } from "../../core/kinds/mod.ts";
import { copyCounts } from "../../sampling/copies.ts";

/** Scalars and histograms of a log entry. */
export type Report = Record<string, number | Record<string, number>>;

/** Percentiles that are logged. */
const PERCENTILES = [5, 50, 95] as const;

/** Largest weight that has a bin of its own: the raw range knows no bound. */
const LARGEST_BIN = 10;

/** Counts of fusion weights in steps of 0.1, by the lower end of the bin; the outermost bins hold all that is beyond 10. */
export function binnedWeights(values: ArrayLike<number>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (let n = 0; n < values.length; n++) {
    const bounded = Math.min(LARGEST_BIN, Math.max(-LARGEST_BIN, values[n]));
    const bin = (Math.floor(bounded * 10 + 1e-6) / 10).toFixed(1);
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return counts;
}

/** Adds `name:p5`, `name:p50` and `name:p95`: the values at those ranks, not interpolated. */
export function addPercentiles(report: Report, name: string, values: Float32Array): void {
  const sorted = values.slice().sort();
  if (sorted.length === 0) return;
  for (const q of PERCENTILES) report[`${name}:p${q}`] = sorted[Math.floor((sorted.length - 1) * q / 100)];
}

/** One column of a row-major table. */
export function columnOf(table: Float32Array, width: number, index: number): Float32Array {
  return Float32Array.from({ length: table.length / width }, (_, n) => table[n * width + index]);
}

/** What one sample's valuation leaves in the table, by name: p_y, then p_u, I_u, phi_u, then NC_ij for i != j. */
export function measuredNames(modalities: readonly string[]): string[] {
  const pairs = modalities.flatMap((i) => modalities.filter((j) => j !== i).map((j) => `ncmi:${j}|${i}`));
  return [
    "p",
    ...["p", "nmi", "phi"].flatMap((quantity) => modalities.map((modality) => `${quantity}:${modality}`)),
    ...pairs,
  ];
}

/** Fusion weights of this epoch: percentiles, and a copyCounts under `fw:<modality>`. */
export function weightReport(table: Float32Array, modalities: readonly string[]): Report {
  const report: Report = {};
  modalities.forEach((modality, u) => {
    const own = columnOf(table, modalities.length, u);
    addPercentiles(report, `fw:${modality}`, own);
    report[`fw:${modality}`] = binnedWeights(own);
  });
  return report;
}

/** Copies of this epoch: a copyCounts under `copies`, their mean under `copies:mean`. */
export function copyReport(copies: ArrayLike<number>): Report {
  const total = Array.from(copies).reduce((sum, count) => sum + count, 0);
  return { copies: copyCounts(copies), "copies:mean": total / Math.max(1, copies.length) };
}

/** Extra copies of each sample in a plan, [N]. */
export function copiesIn(planned: readonly Segment[], base: readonly Segment[], size: number): Int32Array {
  const copies = new Int32Array(size);
  for (const { items } of planned) for (const item of items) copies[item]++;
  for (const { items } of base) for (const item of items) copies[item]--;
  return copies;
}
