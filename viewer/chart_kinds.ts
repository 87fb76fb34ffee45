/**
 * Charts of other kinds than lines as options of ECharts.
 *
 * @module
 */
import { axis, type ChartLook, hues, inks, nameLength, percentEnds, short, tooltip, unique } from "./chart_look.ts";
import { significant } from "./numbers.ts";
import type { FieldChart, HistogramChart, IntervalChart, PointChart } from "./charts.ts";

/** The option that draws shares of bins over epochs. */
export function histogramOption(chart: HistogramChart, look: ChartLook): Record<string, unknown> {
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

/** Pixels of the legend of a chart of pairs. */
export const PAIR_LEGEND = 26;

/** The option that draws means with their intervals; what they were before as rings, with thin lines. */
export function intervalOption(chart: IntervalChart, look: ChartLook): Record<string, unknown> {
  const ink = inks[look.theme];
  const scale = chart.percent ? 100 : 1;
  const [color, formerColor] = hues[look.theme];
  const head = (look.titled === true ? 34 : 0) + (chart.pair === undefined ? 0 : PAIR_LEGEND);
  const names = unique(
    chart.rows.map(({ name, best }) => `${best ? "★ " : ""}${short(name, look.width < 500 ? 22 : nameLength)}`),
  );
  const former = chart.rows.flatMap(({ before }, i) => before === undefined ? [] : [{ ...before, i }]);
  const all = [...chart.rows, ...former];
  return {
    grid: { left: 12, right: 28, top: head + 8, bottom: 26, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
    // Anywhere in its row: the point itself is small.
    tooltip: tooltip(ink, { trigger: "axis", axisPointer: { type: "none" } }),
    ...(chart.pair === undefined ? {} : {
      legend: {
        data: [...chart.pair],
        left: 8,
        top: head - PAIR_LEGEND + 2,
        itemWidth: 12,
        itemHeight: 9,
        selectedMode: false,
        textStyle: { color: ink.text, fontSize: 12 },
      },
    }),
    xAxis: axis(ink, {
      type: "value",
      scale: true,
      name: chart.percent ? "%" : "",
      nameLocation: "middle",
      nameGap: 24,
      splitNumber: look.width < 500 ? 2 : 5,
      ...(chart.percent
        ? percentEnds(all.flatMap(({ mean, ci95 }) => [100 * (mean - (ci95 ?? 0)), 100 * (mean + (ci95 ?? 0))]))
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
      ...former.flatMap(({ mean, ci95, i }) =>
        ci95 === null ? [] : [line(`former ${i}`, mean, ci95, i, formerColor, 1)]
      ),
      ...chart.rows.flatMap(({ mean, ci95 }, i) =>
        ci95 === null ? [] : [line(`interval ${i}`, mean, ci95, i, color, 2)]
      ),
      ...(chart.pair === undefined ? [] : [{
        id: "former means",
        name: chart.pair[0],
        type: "scatter",
        data: former.map(({ mean, i }) => [scale * mean, i]),
        color: formerColor,
        symbol: "circle",
        symbolSize: 10,
        itemStyle: { color: ink.ground, borderColor: formerColor, borderWidth: 2 },
        emphasis: { disabled: true },
        z: 4,
      }]),
      {
        id: "means",
        ...(chart.pair === undefined ? {} : { name: chart.pair[1] }),
        type: "scatter",
        data: chart.rows.map(({ mean }, i) => [scale * mean, i]),
        color,
        symbolSize: 9,
        emphasis: { disabled: true },
        z: 4,
      },
    ],
  };

  function line(
    id: string,
    mean: number,
    ci95: number,
    i: number,
    own: string,
    width: number,
  ): Record<string, unknown> {
    return {
      id,
      type: "line",
      data: [[scale * (mean - ci95), i], [scale * (mean + ci95), i]],
      color: own,
      symbol: "rect",
      symbolSize: [2, 9],
      lineStyle: { width },
      silent: true,
      emphasis: { disabled: true },
    };
  }
}

/** From the least to the largest value over what is neutral: blue below, orange above. */
const diverging = {
  light: ["#0b62b8", "#9cc4ec", "#f4f7fb", "#f3b68f", "#b8430b"],
  dark: ["#6db3ff", "#1f4f80", "#1a212a", "#7a3d1c", "#ff9d66"],
} as const;

/** The option that draws a field of values, 0 in the middle of its colours. */
export function fieldOption(chart: FieldChart, look: ChartLook): Record<string, unknown> {
  const ink = inks[look.theme];
  const head = look.titled === true ? 34 : 0;
  const cells = chart.values.flatMap((row, y) =>
    row.flatMap((value, x) => value === null ? [] : [[x, y, value] as const])
  );
  const most = cells.reduce((max, [_x, _y, value]) => Math.max(max, Math.abs(value)), 1e-6);
  return {
    grid: { left: 8, right: 84, top: head + 26, bottom: 26, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
    tooltip: tooltip(ink, { trigger: "item" }),
    xAxis: axis(ink, {
      type: "category",
      data: chart.x,
      name: chart.xTitle,
      nameLocation: "middle",
      nameGap: 26,
      splitLine: { show: false },
    }),
    yAxis: axis(ink, {
      type: "category",
      data: chart.y.map((name) => short(name, 20)),
      inverse: true,
      name: chart.yTitle,
      nameLocation: "start",
      nameTextStyle: { align: "left", color: ink.muted, fontSize: 11 },
      splitLine: { show: false },
    }),
    visualMap: {
      min: -most,
      max: most,
      calculable: false,
      right: 6,
      top: head + 24,
      itemHeight: 130,
      itemWidth: 10,
      text: [significant(most, 2), significant(-most, 2)],
      textStyle: { color: ink.muted, fontSize: 11 },
      inRange: { color: diverging[look.theme] },
    },
    series: [{ id: "field", type: "heatmap", data: cells, emphasis: { disabled: true } }],
  };
}

/** Shapes of points, so that groups are told apart without colours, too. */
const shapes = ["circle", "triangle", "rect", "diamond"] as const;

/** The option that draws groups of points; the axes have no unit, and no numbers. */
export function pointOption(chart: PointChart, look: ChartLook): Record<string, unknown> {
  const ink = inks[look.theme];
  const head = look.titled === true ? 34 : 0;
  const names = unique(chart.groups.map(({ name }) => short(name, 18)));
  const bare = {
    type: "value",
    scale: true,
    axisLabel: { show: false },
    axisTick: { show: false },
    axisLine: { show: false },
  };
  return {
    grid: { left: 12, right: 12, top: head + 60, bottom: 12 },
    legend: {
      type: "scroll",
      data: names,
      left: 8,
      right: 8,
      top: head + 2,
      itemWidth: 12,
      itemHeight: 9,
      textStyle: { color: ink.text, fontSize: 12 },
      inactiveColor: ink.muted,
      pageTextStyle: { color: ink.text },
    },
    tooltip: tooltip(ink, { trigger: "item" }),
    xAxis: axis(ink, { ...bare, splitLine: { show: false } }),
    yAxis: axis(ink, { ...bare, splitLine: { show: false } }),
    series: chart.groups.map(({ points }, i) => ({
      id: `points ${i}`,
      name: names[i],
      type: "scatter",
      data: points.map(([x, y, name]) => ({ value: [x, y], name })),
      color: hues[look.theme][i % 8],
      symbol: shapes[Math.floor(i / 8) % shapes.length],
      symbolSize: 6,
      itemStyle: { opacity: 0.8 },
      emphasis: { disabled: true },
    })),
  };
}
