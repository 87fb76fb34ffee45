/**
 * Charts of lines as options of ECharts.
 *
 * @module
 */
import {
  axis,
  type ChartLook,
  dashes,
  hues,
  inks,
  percentEnds,
  short,
  type Theme,
  tooltip,
  unique,
} from "./chart_look.ts";
import type { LineChart, Series } from "./charts.ts";

/** Rows that a legend takes, as the renderer breaks it, on the safe side. */
export function legendRows({ series }: LineChart, width: number): number {
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

/** The option that draws lines with their bands. */
export function lineOption(chart: LineChart, look: ChartLook): Record<string, unknown> {
  const ink = inks[look.theme];
  const rows = legendRows(chart, look.width);
  const head = look.titled === true ? 34 : 0;
  const names = unique(chart.series.map(({ name }) => short(name)));
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
    ...axesOf(chart, ink),
    series: chart.series.flatMap((own, i) => drawnSeries(chart, own, i, names[i], look.theme)),
  };
}

/** Both axes: from the first epoch on, and to what no value can be beyond. */
function axesOf(chart: LineChart, ink: typeof inks[Theme]): Record<string, unknown> {
  const scale = chart.percent ? 100 : 1;
  const drawn = chart.series.flatMap(({ y, low, high }) =>
    [...y, ...low ?? [], ...high ?? []].flatMap((value) =>
      value === null || !Number.isFinite(value) ? [] : [scale * value]
    )
  );
  const xs = chart.series.flatMap(({ x }) => x);
  const epochs = chart.xTitle === "Epoch";
  const first = xs.reduce((a, b) => Math.min(a, b), Infinity);
  const last = xs.reduce((a, b) => Math.max(a, b), 1);
  const ends = chart.percent ? percentEnds(drawn) : leastEnd(drawn, chart.least);
  return {
    xAxis: axis(ink, {
      type: "value",
      name: chart.xTitle,
      nameLocation: "middle",
      nameGap: 26,
      min: epochs ? Number.isFinite(first) ? Math.max(1, first) : 1 : "dataMin",
      max: epochs ? Math.max(2, last) : "dataMax",
      minInterval: 1,
      splitLine: { show: false },
    }),
    yAxis: {
      ...(chart.logarithmic === true
        ? logarithmicAxis(ink, drawn, chart.percent ? 100 : Infinity)
        : axis(ink, { type: "value", scale: true, ...ends })),
      name: chart.percent ? "%" : "",
      nameGap: 8,
    },
  };
}

/** Below this, the largest value by the smallest, powers of ten are too coarse for the ticks of an axis. */
const narrow = 3;

/**
 * Ends and ticks of a logarithmic axis: powers of ten around what is drawn, with 2 and 5 times them where those are few;
 * round steps where all values are near each other, as accuracies are.
 *
 * @param values All above 0.
 * @param most What no value can be above.
 */
export function logarithmicTicks(values: readonly number[], most: number = Infinity): number[] {
  if (values.length === 0) return [];
  const low = values.reduce((a, b) => Math.min(a, b));
  const high = values.reduce((a, b) => Math.max(a, b));
  const rounded = (value: number) => Number(value.toPrecision(12));
  if (high < narrow * low) {
    const step = roundStep(high > low ? (high - low) / 3 : low / 10);
    const first = Math.floor(rounded(low / step)) - (high > low ? 0 : 1);
    const last = Math.ceil(rounded(high / step)) + (high > low ? 0 : 1);
    const all = Array.from({ length: last - first + 1 }, (_, i) => rounded((first + i) * step));
    return all.filter((value) => value <= most);
  }
  const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  const between = last - first <= 3 ? [1, 2, 5] : [1];
  const stride = Math.ceil((last - first) / 8);
  return Array.from({ length: last - first + 1 }, (_, i) => first + i).flatMap((power) =>
    between.map((times) => rounded(times * 10 ** power)).filter((value) =>
      value <= 10 ** last && ((power - first) % stride === 0 || power === last)
    )
  );
}

/** The largest of 1, 2 and 5 times a power of ten that is no larger. */
function roundStep(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return (value >= 5 * power ? 5 : value >= 2 * power ? 2 : 1) * power;
}

/** A logarithmic axis with its ends and ticks. */
function logarithmicAxis(ink: typeof inks[Theme], values: readonly number[], most: number): Record<string, unknown> {
  const ticks = logarithmicTicks(values, most);
  if (ticks.length === 0) return axis(ink, { type: "log" });
  const plain = axis(ink, { type: "log", min: ticks[0], max: ticks[ticks.length - 1] });
  const parts = ["axisTick", "axisLabel"] as const;
  return {
    ...plain,
    ...Object.fromEntries(parts.map((part) => [part, { ...plain[part] as object, customValues: ticks }])),
  };
}

/** A line and the two series that make its band. */
function drawnSeries(
  chart: LineChart,
  { x, y, low, high }: Series,
  i: number,
  name: string,
  theme: Theme,
): Record<string, unknown>[] {
  const scale = chart.percent ? 100 : 1;
  const point = (at: number, value: number | null) => [at, value === null ? null : scale * value];
  const color = hues[theme][i % 8];
  const line = {
    id: `line ${i}`,
    name,
    type: "line",
    data: x.map((at, k) => point(at, y[k])),
    color,
    showSymbol: chart.series.every((own) => own.x.length <= 15),
    symbol: "circle",
    symbolSize: 5,
    lineStyle: { width: 2, type: dashes[Math.floor(i / 8) % 3] },
    emphasis: { disabled: true },
    z: 3,
    ...(i === 0 && chart.marked !== undefined ? { markLine: markOf(chart.marked, inks[theme]) } : {}),
  };
  if (low === undefined || high === undefined) return [line];
  // A band is the area between its lower end and that plus its width.
  const band = (id: string, data: unknown[], filled: boolean) => ({
    id: `${id} ${i}`,
    name,
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
  const width = (k: number) => high[k] === null || low[k] === null ? null : high[k] - low[k];
  return [
    line,
    band("low", x.map((at, k) => point(at, low[k])), false),
    band("width", x.map((at, k) => point(at, width(k))), true),
  ];
}
