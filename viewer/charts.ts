/**
 * Charts as data: what is drawn, apart from how.
 *
 * @module
 */
import type { Curve } from "./curves.ts";

/** A line, with a band around it where it is a mean over seeds, or a median. */
export interface Series {
  readonly name: string;
  readonly x: readonly number[];
  readonly y: Curve;
  readonly low?: Curve;
  readonly high?: Curve;
  /** Names of the band's ends. @default `ci95 low` and `ci95 high` */
  readonly ends?: readonly [string, string];
}

/** Lines over epochs or samples. */
export interface LineChart {
  readonly kind: "lines";
  readonly id: string;
  readonly title: string;
  readonly about: string;
  readonly xTitle: string;
  /** Values are shares, shown in percent. */
  readonly percent: boolean;
  /** What no value can be below: an axis ends there, where an interval reaches beyond. */
  readonly least?: number;
  /** Whether the axis of values is logarithmic: all of them are above 0. @default {false} */
  readonly logarithmic?: boolean;
  /** Where a line stands across, with its name: the tested epoch. */
  readonly marked?: { readonly x: number; readonly name: string };
  readonly series: readonly Series[];
}

/** Counts by bin over epochs. */
export interface HistogramChart {
  readonly kind: "histogram";
  readonly id: string;
  readonly title: string;
  readonly about: string;
  readonly epochs: readonly number[];
  /** Labels of bins, lowest first. */
  readonly bins: readonly string[];
  readonly binTitle: string;
  /** By epoch, then by bin. */
  readonly counts: readonly (readonly number[])[];
}

/** Means with intervals, one per row. */
export interface IntervalChart {
  readonly kind: "intervals";
  readonly id: string;
  readonly title: string;
  readonly about: string;
  readonly percent: boolean;
  /** Names of a row's two means, where it has a former one: before and after. */
  readonly pair?: readonly [string, string];
  readonly rows: readonly IntervalRow[];
}

/** A mean with its interval. */
export interface IntervalRow {
  readonly name: string;
  readonly mean: number;
  readonly ci95: number | null;
  readonly best: boolean;
  /** What it was before; of rows of a chart with a `pair`. */
  readonly before?: { readonly mean: number; readonly ci95: number | null };
}

/** A value for each cell of a field: samples over epochs. */
export interface FieldChart {
  readonly kind: "field";
  readonly id: string;
  readonly title: string;
  readonly about: string;
  readonly xTitle: string;
  readonly x: readonly string[];
  readonly yTitle: string;
  /** The first is on top. */
  readonly y: readonly string[];
  /** By y, then by x. */
  readonly values: readonly (readonly (number | null)[])[];
}

/** Points in a plane whose axes have no unit, by group. */
export interface PointChart {
  readonly kind: "points";
  readonly id: string;
  readonly title: string;
  readonly about: string;
  readonly groups: readonly {
    readonly name: string;
    readonly points: readonly (readonly [x: number, y: number, name: string])[];
  }[];
}

/** Any chart. */
export type Chart = LineChart | HistogramChart | IntervalChart | FieldChart | PointChart;

/** Text that can be a part of an address and of a file name. */
export function slug(text: string): string {
  return text.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-").replaceAll(/^-|-$/g, "").slice(0, 60) || "x";
}
