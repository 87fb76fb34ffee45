/**
 * Charts as options of ECharts, plain JSON: drawn alike on the server and in the browser.
 *
 * @module
 */
import { fieldOption, histogramOption, intervalOption, PAIR_LEGEND, pointOption } from "./chart_kinds.ts";
import { legendRows, lineOption } from "./chart_lines.ts";
import { type ChartLook, font, inks, short } from "./chart_look.ts";
import type { Chart } from "./charts.ts";

export type { ChartLook, Theme } from "./chart_look.ts";

/** A finished option: plain JSON. */
export type ChartOption = Readonly<Record<string, unknown>>;

/** Height that suits a chart. */
export function chartHeight(chart: Chart, { width, titled }: ChartLook): number {
  const head = titled === true ? 34 : 0;
  if (chart.kind === "intervals") {
    return head + (chart.pair === undefined ? 0 : PAIR_LEGEND) + 60 + 26 * Math.max(1, chart.rows.length);
  }
  if (chart.kind === "field") return head + 70 + 7 * Math.max(20, chart.y.length);
  if (chart.kind === "points") return head + 420;
  return head + (chart.kind === "lines" ? legendRows(chart, width) * 20 : 0) + 250;
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
    ...drawn(chart, look),
  };
}

function drawn(chart: Chart, look: ChartLook): Record<string, unknown> {
  switch (chart.kind) {
    case "lines":
      return lineOption(chart, look);
    case "histogram":
      return histogramOption(chart, look);
    case "intervals":
      return intervalOption(chart, look);
    case "field":
      return fieldOption(chart, look);
    case "points":
      return pointOption(chart, look);
  }
}
