/**
 * Charts as data: what is drawn, apart from how.
 *
 * @module
 */
import type { EpochRecord } from "../core/record.ts";
import { bandOf, type Curve, curveOf, type EpochMeasure, epochMeasures } from "./curves.ts";
import type { CompareQuery } from "./query.ts";
import { cell, type Table, type TableCell } from "./table.ts";

/** A line, with a band around it where it is a mean over seeds. */
export interface Series {
  readonly name: string;
  readonly x: readonly number[];
  readonly y: Curve;
  readonly low?: Curve;
  readonly high?: Curve;
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
  readonly rows: readonly { name: string; mean: number; ci95: number | null; best: boolean }[];
}

/** Any chart. */
export type Chart = LineChart | HistogramChart | IntervalChart;

/** Text that can be a part of an address and of a file name. */
export function slug(text: string): string {
  return text.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-").replaceAll(/^-|-$/g, "").slice(0, 60) || "x";
}

function lines(
  records: readonly EpochRecord[],
  id: string,
  title: string,
  about: string,
  measures: readonly (readonly [string, EpochMeasure])[],
): LineChart[] {
  const x = records.map(({ epoch }) => epoch + 1);
  const series = measures.map(([name, measure]): Series => ({ name, x, y: curveOf(records, measure) }))
    .filter(({ y }) => y.some((value) => value !== null));
  if (series.length === 0) return [];
  const { percent, least } = measures[0][1];
  return [{ kind: "lines", id, title, about, xTitle: "Epoch", percent, least, series }];
}

/**
 * Every chart of one run. Ids are unique; what has no values has no chart.
 *
 * @param tested The epoch of which the parameters were tested, from 0; marked if it is given.
 */
export function runCharts(records: readonly EpochRecord[], tested: number | null = null): Chart[] {
  const marked = tested === null ? undefined : { x: tested + 1, name: "tested" };
  return chartsOf(records).map((chart) => chart.kind === "lines" ? { ...chart, marked } : chart);
}

function chartsOf(records: readonly EpochRecord[]): Chart[] {
  const measures = epochMeasures(records);
  const pick = (test: (key: string) => boolean, name: (measure: EpochMeasure) => string) =>
    measures.filter(({ key }) => test(key)).map((measure) => [name(measure), measure] as const);
  const after = (mark: string) => ({ key }: EpochMeasure) => key.slice(key.indexOf(mark) + mark.length);
  const is = (key: string) => (candidate: string) => candidate === key;
  return [
    ...lines(
      records,
      "accuracy",
      "Accuracy",
      "Validation accuracy of the fused readout and of each modality's own; training accuracy as drawn",
      [
        ...pick(is("validation.accuracy"), () => "validation"),
        ...pick((key) => key.startsWith("validation.accuracy:"), (measure) => `${after(":")(measure)} readout`),
        ...pick(is("train.accuracy"), () => "training"),
      ],
    ),
    ...lines(records, "loss", "Loss terms", "Mean of each loss term over the epoch; total is what was minimised", [
      ...pick((key) => key.startsWith("loss."), after("loss.")),
      ...pick(is("validation.loss"), () => "validation cross-entropy"),
    ]),
    ...lines(
      records,
      "phi",
      "Contributions φ",
      "Mean raw contribution φ^CMI of each modality on validation, and of all together",
      [
        ...pick((key) => key.startsWith("phi:"), after(":")),
        ...pick(is("joint"), () => "joint"),
      ],
    ),
    ...lines(
      records,
      "gap",
      "Contribution gap",
      "Mean over samples and pairs of |φᵢ − φⱼ| on validation; 0 is balanced",
      [
        ...pick(is("gap"), () => "gap"),
      ],
    ),
    ...lines(
      records,
      "information",
      "Mutual information",
      "Normalised mutual information of each modality with the fused feature, on validation",
      [
        ...pick((key) => key.startsWith("nmi:"), after(":")),
      ],
    ),
    ...lines(
      records,
      "rate",
      "Learning rate",
      "At the end of the epoch",
      pick(is("learningRate"), () => "learning rate"),
    ),
    ...lines(
      records,
      "clipped",
      "Clipped steps",
      "Share of steps whose gradient was clipped",
      pick(is("clipped"), () => "clipped"),
    ),
    ...histograms(records),
    ...reports(records, measures),
  ].map(withUniqueId());
}

function withUniqueId(): <T extends Chart>(chart: T) => T {
  const used = new Map<string, number>();
  return (chart) => {
    const times = (used.get(chart.id) ?? 0) + 1;
    used.set(chart.id, times);
    return times === 1 ? chart : { ...chart, id: `${chart.id}-${times}` };
  };
}

/** Scalars that methods report, those of one prefix together. */
function reports(records: readonly EpochRecord[], measures: readonly EpochMeasure[]): LineChart[] {
  const groups = new Map<string, (readonly [string, EpochMeasure])[]>();
  for (const measure of measures) {
    if (!measure.key.startsWith("method.")) continue;
    const [method, name] = measure.title.split(": ", 2);
    const key = `${method}: ${name.split(":")[0]}`;
    groups.set(key, [...groups.get(key) ?? [], [name, measure]]);
  }
  return [...groups].flatMap(([key, own]) =>
    lines(records, `report-${slug(key)}`, key, "As the method reports it after each epoch", own)
  );
}

const knownHistograms: Readonly<Record<string, readonly [string, string]>> = {
  fw: ["fusion weights", "Weight"],
  copies: ["extra copies per sample", "Copies"],
};

function histograms(records: readonly EpochRecord[]): HistogramChart[] {
  const found = new Map<string, { method: string; name: string }>();
  for (const { methods } of records) {
    for (const [method, report] of Object.entries(methods)) {
      for (const [name, value] of Object.entries(report)) {
        if (typeof value === "object") found.set(JSON.stringify([method, name]), { method, name });
      }
    }
  }
  return [...found.values()].flatMap(({ method, name }): HistogramChart[] => {
    const own = records.flatMap(({ epoch, methods }) => {
      const report = Object.hasOwn(methods, method) ? methods[method] : {};
      const value = Object.hasOwn(report, name) ? report[name] : undefined;
      return typeof value === "object" ? [{ epoch: epoch + 1, counts: value }] : [];
    });
    const bins = binsOf(own.flatMap(({ counts }) => Object.keys(counts)));
    if (bins.length === 0 || bins.length > maxBins) return [];
    const [prefix, ...rest] = name.split(":");
    const [what, binTitle] = knownHistograms[prefix] ?? [prefix, "Value"];
    return [{
      kind: "histogram",
      id: `histogram-${slug(`${method}-${name}`)}`,
      title: `${method}: ${what}${rest.length === 0 ? "" : `, ${rest.join(":")}`}`,
      about: "Share of training samples in each bin, by epoch",
      epochs: own.map(({ epoch }) => epoch),
      bins,
      binTitle,
      counts: own.map(({ counts }) => bins.map((bin) => Object.hasOwn(counts, bin) ? counts[bin] : 0)),
    }];
  });
}

/** Bins drawn at most. */
const maxBins = 400;

/** Labels in numeric order, with the empty bins between where they are evenly spaced numbers. */
export function binsOf(labels: readonly string[]): string[] {
  const unique = [...new Set(labels)];
  if (unique.length === 0) return [];
  const values = unique.map(Number);
  if (values.some((value) => !Number.isFinite(value))) return unique.sort();
  const order = unique.map((label, i) => ({ label, value: values[i] })).sort((a, b) => a.value - b.value);
  const decimals = Math.max(...unique.map((label) => label.split(".")[1]?.length ?? 0));
  const step = 10 ** -decimals;
  const span = Math.round((order.at(-1)!.value - order[0].value) / step);
  const even = unique.every((label) => label === Number(label).toFixed(decimals));
  if (!even || span >= maxBins) return order.map(({ label }) => label);
  return Array.from({ length: span + 1 }, (_, i) => (order[0].value + i * step).toFixed(decimals));
}

/** Something compared: a configuration with its seeds, or one run. */
export interface Compared {
  readonly label: string;
  /** Epochs of each seed. */
  readonly runs: readonly (readonly EpochRecord[])[];
}

/** Curves of one measure for everything compared. */
export function comparisonChart(compared: readonly Compared[], measure: EpochMeasure, query: CompareQuery): LineChart {
  const bands = compared.map(({ label, runs }) => ({ label, band: bandOf(runs, measure, query.smooth, query.x) }));
  const smoothing = query.smooth === 0
    ? "not smoothed"
    : `smoothed for each seed by an exponential moving average of weight ${query.smooth}`;
  const seeds = bands.some(({ band }) => band.seeds > 1)
    ? "; lines are means over seeds, bands their 95 % confidence intervals, as far as every seed has come"
    : "";
  return {
    kind: "lines",
    id: slug(measure.key),
    title: measure.title,
    about: `${smoothing[0].toUpperCase()}${smoothing.slice(1)}${seeds}`,
    xTitle: query.x === "epoch" ? "Epoch" : "Training samples drawn",
    percent: measure.percent,
    least: measure.least,
    series: bands.map(({ label, band }) => ({
      name: band.seeds > 1 ? `${label} (${band.seeds} seeds)` : label,
      x: band.x,
      y: band.mean,
      ...(band.seeds > 1 ? { low: band.low, high: band.high } : {}),
    })),
  };
}

function figure(value: number | null, percent: boolean): string {
  if (value === null) return "–";
  if (percent) return (100 * value).toFixed(2);
  return value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e6)
    ? value.toExponential(3)
    : String(Number(value.toFixed(4)));
}

/** The numbers that a chart draws. */
export function chartTable(chart: Chart): Table {
  const number = (value: number | null, percent: boolean): TableCell => ({
    text: figure(value, percent),
    raw: [value],
  });
  if (chart.kind === "intervals") {
    return {
      title: chart.title,
      columns: [
        { title: "Configuration", align: "left" },
        { title: chart.percent ? "Mean %" : "Mean", align: "right", raw: ["mean"] },
        { title: "± 95 % CI", align: "right", raw: ["ci95"] },
      ],
      rows: chart.rows.map(({ name, mean, ci95, best }) => [
        { text: name, raw: [name], strong: best },
        number(mean, chart.percent),
        number(ci95, chart.percent),
      ]),
      notes: [chart.about],
    };
  }
  if (chart.kind === "histogram") {
    return {
      title: chart.title,
      columns: [
        { title: "Epoch", align: "right" },
        ...chart.bins.map((bin) => ({ title: bin, align: "right" as const })),
      ],
      rows: chart.epochs.map((epoch, i) => [cell(epoch), ...chart.counts[i].map((count) => cell(count))]),
      notes: [`${chart.about}. Columns are bins (${chart.binTitle.toLowerCase()}), cells are counts.`],
    };
  }
  const xs = [...new Set(chart.series.flatMap(({ x }) => x))].sort((a, b) => a - b);
  const at = chart.series.map(({ x }) => new Map(x.map((value, i) => [value, i])));
  const unit = chart.percent ? " %" : "";
  return {
    title: chart.title,
    columns: [
      { title: chart.xTitle, align: "right" },
      ...chart.series.map(({ name, low }) => ({
        title: `${name}${unit}`,
        align: "right" as const,
        raw: low === undefined ? [name] : [name, `${name}: ci95 low`, `${name}: ci95 high`],
      })),
    ],
    rows: xs.map((x) => [
      cell(x, String(Math.round(x * 100) / 100)),
      ...chart.series.map(({ y, low, high }, s): TableCell => {
        const i = at[s].get(x);
        const value = i === undefined ? null : y[i];
        if (low === undefined || high === undefined) return number(value, chart.percent);
        const [a, b] = i === undefined ? [null, null] : [low[i], high[i]];
        const half = value === null || b === null ? "" : ` ± ${figure(b - value, chart.percent)}`;
        return { text: `${figure(value, chart.percent)}${half}`, raw: [value, a, b] };
      }),
    ]),
    notes: [`${chart.about}.`],
  };
}

/** A chart in words, for those who do not see it. */
export function chartSummary(chart: Chart): string {
  const unit = "percent" in chart && chart.percent ? " %" : "";
  if (chart.kind === "intervals") {
    const rows = chart.rows.slice(0, 12).map(({ name, mean, ci95 }) =>
      `${name} ${figure(mean, chart.percent)}${ci95 === null ? "" : ` ± ${figure(ci95, chart.percent)}`}${unit}`
    );
    return `${chart.title}: ${rows.join("; ")}${chart.rows.length > 12 ? "; and more" : ""}.`;
  }
  if (chart.kind === "histogram") {
    return `${chart.title}: shares of ${chart.bins.length} bins from ${chart.bins[0]} to ${chart.bins.at(-1)} over ` +
      `${chart.epochs.length} epochs.`;
  }
  const parts = chart.series.map(({ name, y }) => {
    const known = y.filter((value) => value !== null) as number[];
    if (known.length === 0) return `${name} has no values`;
    return `${name} from ${figure(known[0], chart.percent)} to ${figure(known.at(-1)!, chart.percent)}${unit}`;
  });
  const points = Math.max(0, ...chart.series.map(({ y }) => y.length));
  return `${chart.title}, ${points} ${chart.xTitle === "Epoch" ? "epochs" : "points"}: ${parts.join("; ")}.`;
}
