/**
 * Charts as options of ECharts, plain JSON: drawn alike on the server and in the browser.
 *
 * @module
 */
import type { Chart, HistogramChart, IntervalChart, LineChart } from "./charts.ts";
import { cutText, printable } from "./table.ts";

/** Colours of a page. */
export type Theme = "light" | "dark";

/** How a chart is drawn. */
export interface ChartLook {
  readonly theme: Theme;
  readonly width: number;
  /** Whether the title is part of the picture: for pictures that leave the page. @default {false} */
  readonly titled?: boolean;
}

/** Okabe and Ito's order of hues, each dark or light enough for its ground (contrast 3 and more). */
const hues: Readonly<Record<Theme, readonly string[]>> = {
  light: ["#0b62b8", "#b8430b", "#0d7a55", "#7c3fc4", "#8f6400", "#b3196a", "#0c7087", "#4f5965"],
  dark: ["#6db3ff", "#ff9d66", "#4fcf9c", "#c7a0ff", "#e5b84b", "#ff94c6", "#5ad5e6", "#b4bfcc"],
};
const inks: Readonly<Record<Theme, Readonly<Record<"text" | "muted" | "rule" | "ground", string>>>> = {
  light: { text: "#1d232b", muted: "#59636f", rule: "#e3e7ec", ground: "#ffffff" },
  dark: { text: "#e7ebf0", muted: "#9aa6b4", rule: "#2c343e", ground: "#151a21" },
};
const dashes = ["solid", "dashed", "dotted"] as const;
const font = "system-ui, 'Segoe UI', Helvetica, Arial, 'DejaVu Sans', sans-serif";
/** Characters of a name in a legend. */
const nameLength = 46;

/** A finished option: plain JSON. */
export type ChartOption = Readonly<Record<string, unknown>>;

/** Height that suits a chart. */
export function chartHeight(chart: Chart, { width, titled }: ChartLook): number {
  const head = titled === true ? 34 : 0;
  if (chart.kind === "intervals") return head + 60 + 26 * Math.max(1, chart.rows.length);
  return head + (chart.kind === "lines" ? legendRows(chart, width) * 20 : 0) + 250;
}

function short(name: string, length: number = nameLength): string {
  return cutText(printable(name), length);
}

/** Rows that a legend takes, as the renderer breaks it, on the safe side. */
function legendRows({ series }: LineChart, width: number): number {
  if (series.length < 2) return 0;
  let rows = 1;
  let used = 0;
  for (const { name } of series) {
    const own = 40 + 7 * short(name).length;
    if (used > 0 && used + own > width - 20) {
      rows++;
      used = 0;
    }
    used += own;
  }
  return rows;
}

/** The option that draws a chart. */
export function chartOption(chart: Chart, look: ChartLook): ChartOption {
  const ink = inks[look.theme];
  return {
    animation: false,
    backgroundColor: look.titled === true ? ink.ground : "transparent",
    textStyle: { fontFamily: font, color: ink.text, fontSize: 12 },
    aria: { enabled: false },
    ...(look.titled === true
      ? { title: { text: short(chart.title, 100), left: 12, top: 8, textStyle: { fontSize: 14, color: ink.text } } }
      : {}),
    ...(chart.kind === "lines"
      ? lineOption(chart, look)
      : chart.kind === "histogram"
      ? histogramOption(chart, look)
      : intervalOption(chart, look)),
  };
}

function axis(ink: typeof inks[Theme], extra: Record<string, unknown>): Record<string, unknown> {
  return {
    axisLine: { lineStyle: { color: ink.muted } },
    axisTick: { lineStyle: { color: ink.muted } },
    axisLabel: { color: ink.muted, fontSize: 11, hideOverlap: true },
    splitLine: { lineStyle: { color: ink.rule } },
    nameTextStyle: { color: ink.muted, fontSize: 11 },
    ...extra,
  };
}

function tooltip(ink: typeof inks[Theme], extra: Record<string, unknown>): Record<string, unknown> {
  return {
    // Text drawn on the canvas: markup would need styles that the page's policy forbids.
    renderMode: "richText",
    confine: true,
    backgroundColor: ink.ground,
    borderColor: ink.muted,
    borderWidth: 1,
    padding: [6, 9],
    textStyle: { color: ink.text, fontSize: 12, fontFamily: font },
    ...extra,
  };
}

/** Ends of an axis of percent that would go beyond what a share can be; an interval that does is cut there. */
function percentEnds(values: readonly number[]): { min?: number; max?: number } {
  if (values.length === 0) return {};
  const low = values.reduce((a, b) => Math.min(a, b));
  const high = values.reduce((a, b) => Math.max(a, b));
  // The axis goes on to the next round number, at most about a fifth of what it shows.
  const room = (high - low) / 5;
  return { ...(low - room <= 0 ? { min: 0 } : {}), ...(high + room >= 100 ? { max: 100 } : {}) };
}

/** A line across at a place, with its name. */
function markOf({ x, name }: NonNullable<LineChart["marked"]>, ink: typeof inks[Theme]): Record<string, unknown> {
  return {
    silent: true,
    symbol: "none",
    data: [{ xAxis: x, name }],
    lineStyle: { color: ink.muted, type: "dashed", width: 1 },
    label: { formatter: "{b}", color: ink.muted, fontSize: 11 },
  };
}

/** The end of an axis at what no value can be below, where it would go beyond: an interval that does is cut there. */
function leastEnd(values: readonly number[], least: number | undefined): { min?: number } {
  if (least === undefined || values.length === 0) return {};
  const low = values.reduce((a, b) => Math.min(a, b));
  const high = values.reduce((a, b) => Math.max(a, b));
  return low - (high - low) / 5 <= least ? { min: least } : {};
}

function lineOption(chart: LineChart, look: ChartLook): Record<string, unknown> {
  const ink = inks[look.theme];
  const scale = chart.percent ? 100 : 1;
  const names = unique(chart.series.map(({ name }) => short(name)));
  const rows = legendRows(chart, look.width);
  const head = look.titled === true ? 34 : 0;
  const few = chart.series.every(({ x }) => x.length <= 15);
  const point = (x: number, y: number | null) => [x, y === null ? null : scale * y];
  const drawn = chart.series.flatMap(({ y, low, high }) =>
    [...y, ...low ?? [], ...high ?? []].flatMap((value) =>
      value === null || !Number.isFinite(value) ? [] : [scale * value]
    )
  );
  const last = Math.max(1, ...chart.series.flatMap(({ x }) => x));
  const series = chart.series.flatMap(({ x, y, low, high }, i) => {
    const color = hues[look.theme][i % 8];
    const line = {
      id: `line ${i}`,
      name: names[i],
      type: "line",
      data: x.map((value, k) => point(value, y[k])),
      color,
      showSymbol: few,
      symbol: "circle",
      symbolSize: 5,
      lineStyle: { width: 2, type: dashes[Math.floor(i / 8) % 3] },
      emphasis: { disabled: true },
      z: 3,
      ...(i === 0 && chart.marked !== undefined ? { markLine: markOf(chart.marked, ink) } : {}),
    };
    if (low === undefined || high === undefined) return [line];
    // A band is the area between its lower end and that plus its width.
    const band = (id: string, data: unknown[], filled: boolean) => ({
      id: `${id} ${i}`,
      name: names[i],
      type: "line",
      stack: `band ${i}`,
      stackStrategy: "all",
      data,
      color,
      symbol: "none",
      silent: true,
      lineStyle: { opacity: 0 },
      emphasis: { disabled: true },
      ...(filled ? { areaStyle: { opacity: 0.18 } } : {}),
      z: 2,
    });
    return [
      line,
      band("low", x.map((value, k) => point(value, low[k])), false),
      band(
        "width",
        x.map((value, k) => point(value, high[k] === null || low[k] === null ? null : high[k] - low[k])),
        true,
      ),
    ];
  });
  return {
    grid: {
      left: 8,
      right: 20,
      top: head + rows * 20 + 26,
      bottom: 26,
      outerBoundsMode: "same",
      outerBoundsContain: "axisLabel",
    },
    legend: rows === 0 ? { show: false } : {
      data: names,
      left: 8,
      top: head + 2,
      itemWidth: 22,
      itemHeight: 8,
      itemGap: 12,
      textStyle: { color: ink.text, fontSize: 12 },
      inactiveColor: ink.muted,
    },
    tooltip: tooltip(ink, { trigger: "axis", axisPointer: { lineStyle: { color: ink.muted } } }),
    xAxis: axis(ink, {
      type: "value",
      name: chart.xTitle,
      nameLocation: "middle",
      nameGap: 26,
      min: chart.xTitle === "Epoch" ? 1 : "dataMin",
      max: chart.xTitle === "Epoch" ? Math.max(2, last) : "dataMax",
      minInterval: 1,
      splitLine: { show: false },
    }),
    yAxis: axis(ink, {
      type: "value",
      scale: true,
      name: chart.percent ? "%" : "",
      nameGap: 8,
      ...(chart.percent ? percentEnds(drawn) : leastEnd(drawn, chart.least)),
    }),
    series,
  };
}

function histogramOption(chart: HistogramChart, look: ChartLook): Record<string, unknown> {
  const ink = inks[look.theme];
  const head = look.titled === true ? 34 : 0;
  const shares = chart.counts.map((counts) => {
    const total = counts.reduce((sum, count) => sum + count, 0);
    return counts.map((count) => total === 0 ? 0 : 100 * count / total);
  });
  const largest = Math.max(1, ...shares.flat());
  const ramp = look.theme === "light"
    ? ["#f4f7fb", "#9cc4ec", "#0b62b8", "#062f5c"]
    : ["#1a212a", "#1f4f80", "#6db3ff", "#e6f1ff"];
  return {
    grid: { left: 8, right: 84, top: head + 26, bottom: 26, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
    tooltip: tooltip(ink, { trigger: "item" }),
    xAxis: axis(ink, {
      type: "category",
      data: chart.epochs.map(String),
      name: "Epoch",
      nameLocation: "middle",
      nameGap: 26,
      splitLine: { show: false },
    }),
    yAxis: axis(ink, {
      type: "category",
      data: chart.bins.map((bin) => short(bin, 20)),
      name: chart.binTitle,
      nameTextStyle: { align: "left", color: ink.muted, fontSize: 11 },
      splitLine: { show: false },
    }),
    visualMap: {
      min: 0,
      max: largest,
      calculable: false,
      right: 6,
      top: head + 24,
      itemHeight: 130,
      itemWidth: 10,
      text: [`${largest.toFixed(0)} %`, "0 %"],
      textStyle: { color: ink.muted, fontSize: 11 },
      inRange: { color: ramp },
    },
    series: [{
      id: "cells",
      type: "heatmap",
      data: shares.flatMap((own, epoch) => own.flatMap((share, bin) => share === 0 ? [] : [[epoch, bin, share]])),
      emphasis: { disabled: true },
    }],
  };
}

function intervalOption(chart: IntervalChart, look: ChartLook): Record<string, unknown> {
  const ink = inks[look.theme];
  const scale = chart.percent ? 100 : 1;
  const color = hues[look.theme][0];
  const head = look.titled === true ? 34 : 0;
  const names = unique(
    chart.rows.map(({ name, best }) => `${best ? "★ " : ""}${short(name, look.width < 500 ? 22 : nameLength)}`),
  );
  return {
    grid: { left: 12, right: 28, top: head + 8, bottom: 26, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
    tooltip: tooltip(ink, { trigger: "item" }),
    xAxis: axis(ink, {
      type: "value",
      scale: true,
      name: chart.percent ? "%" : "",
      nameLocation: "middle",
      nameGap: 24,
      splitNumber: look.width < 500 ? 2 : 5,
      ...(chart.percent
        ? percentEnds(chart.rows.flatMap(({ mean, ci95 }) => [100 * (mean - (ci95 ?? 0)), 100 * (mean + (ci95 ?? 0))]))
        : {}),
    }),
    yAxis: axis(ink, {
      type: "category",
      data: names,
      inverse: true,
      axisLabel: { color: ink.text, fontSize: 12 },
      splitLine: { show: true, lineStyle: { color: ink.rule } },
    }),
    series: [
      ...chart.rows.flatMap(({ mean, ci95 }, i) =>
        ci95 === null ? [] : [{
          id: `interval ${i}`,
          type: "line",
          data: [[scale * (mean - ci95), i], [scale * (mean + ci95), i]],
          color,
          symbol: "rect",
          symbolSize: [2, 9],
          lineStyle: { width: 2 },
          silent: true,
          emphasis: { disabled: true },
        }]
      ),
      {
        id: "means",
        type: "scatter",
        data: chart.rows.map(({ mean }, i) => [scale * mean, i]),
        color,
        symbolSize: 9,
        emphasis: { disabled: true },
        z: 4,
      },
    ],
  };
}

/** Names that occur twice get a number, as series are told apart by name. */
function unique(names: readonly string[]): string[] {
  const used = new Map<string, number>();
  return names.map((name) => {
    const times = (used.get(name) ?? 0) + 1;
    used.set(name, times);
    return times === 1 ? name : `${name} (${times})`;
  });
}
