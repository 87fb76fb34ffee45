/**
 * The chart of one measure of everything compared.
 *
 * @module
 */
import type { EpochRecord } from "../core/record.ts";
import { type LineChart, slug } from "./charts.ts";
import { type Band, bandOf, type EpochMeasure } from "./curves.ts";
import type { CompareQuery } from "./query.ts";

/** Something compared: a configuration with its seeds, or one run. */
export interface Compared {
  readonly label: string;
  /** Epochs of each seed. */
  readonly runs: readonly (readonly EpochRecord[])[];
}

/** Curves of one measure for everything compared. */
export function comparisonChart(compared: readonly Compared[], measure: EpochMeasure, query: CompareQuery): LineChart {
  const bands = compared.map(({ label, runs }) => ({
    label,
    band: cut(bandOf(runs, measure, query.smooth, query.x), query),
  }));
  const smoothing = query.smooth === 0
    ? "not smoothed"
    : `smoothed for each seed by an exponential moving average of weight ${query.smooth}`;
  const seeds = bands.some(({ band }) => band.seeds > 1)
    ? "; lines are means over seeds, bands their 95 % confidence intervals, as far as every seed has come"
    : "";
  const logarithmic = query.y === "log" && bands.every(({ band }) => aboveZero(band));
  const linear = query.y === "log" && !logarithmic ? "; not logarithmic, as it reaches 0 or below" : "";
  return {
    kind: "lines",
    id: slug(measure.key),
    title: measure.title,
    about: `${smoothing[0].toUpperCase()}${smoothing.slice(1)}${seeds}${within(query)}${linear}`,
    xTitle: query.x === "epoch" ? "Epoch" : "Training samples drawn",
    percent: measure.percent,
    least: measure.least,
    logarithmic,
    series: bands.map(({ label, band }) => ({
      name: band.seeds > 1 ? `${label} (${band.seeds} seeds)` : label,
      x: band.x,
      y: band.mean,
      ...(band.seeds > 1 ? { low: band.low, high: band.high } : {}),
    })),
  };
}

/** Whether a logarithmic axis can show it. */
function aboveZero({ mean, low }: Band): boolean {
  return [...mean, ...low].every((value) => value === null || value > 0);
}

/** The part of a band that was asked for, in the unit of its axis. */
function cut(band: Band, { from, to }: CompareQuery): Band {
  const kept = band.x.flatMap((x, i) => (from === null || x >= from) && (to === null || x <= to) ? [i] : []);
  const of = <T>(values: readonly T[]) => kept.map((i) => values[i]);
  return { ...band, x: of(band.x), mean: of(band.mean), low: of(band.low), high: of(band.high) };
}

function within({ from, to }: CompareQuery): string {
  if (from === null && to === null) return "";
  return `; ${from === null ? "" : `from ${from}`}${from !== null && to !== null ? " " : ""}${
    to === null ? "" : `to ${to}`
  }`;
}
