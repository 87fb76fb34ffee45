/**
 * Charts as pictures, without a browser: SVG by ECharts, PNG from that by resvg.
 *
 * @module
 */
import { HeatmapChart, LineChart, ScatterChart } from "echarts/charts";
import {
  GridComponent,
  LegendComponent,
  MarkLineComponent,
  TitleComponent,
  VisualMapComponent,
} from "echarts/components";
import * as echarts from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import type { Chart } from "./charts.ts";
import { chartHeight, type ChartLook, chartOption } from "./chart_option.ts";
import { Refusal } from "../core/refusal.ts";
import { tickText } from "./numbers.ts";
import { widthOf, xmlText } from "./table.ts";

echarts.use([
  HeatmapChart,
  LineChart,
  ScatterChart,
  GridComponent,
  LegendComponent,
  MarkLineComponent,
  TitleComponent,
  VisualMapComponent,
  SVGRenderer,
]);

// Without a canvas text is measured on the wide side: labels that a font makes wider would be cut or overprinted.
echarts.setPlatformAPI({
  measureText: (text, font) => {
    const size = Number(/([\d.]+)px/.exec(font ?? "")?.[1] ?? 12);
    return { width: widthOf(text ?? "", /bold|[6-9]00/.test(font ?? "")) * size / 13 };
  },
});

/** An axis of numbers with its ticks written as numbers are here. A function, which no option as JSON can hold. */
function withTicks(axis: unknown): unknown {
  const { type, axisLabel } = axis as { readonly type: string; readonly axisLabel: object };
  return type === "category" ? axis : { ...axis as object, axisLabel: { ...axisLabel, formatter: tickText } };
}

/** Draws a chart. */
export function chartSvg(chart: Chart, look: ChartLook): string {
  const height = chartHeight(chart, look);
  const instance = echarts.init(null, null, { renderer: "svg", ssr: true, width: look.width, height });
  try {
    const { tooltip: _, ...option } = chartOption(chart, look);
    instance.setOption({ ...option, xAxis: withTicks(option.xAxis), yAxis: withTicks(option.yAxis) });
    const svg = instance.renderToSVGString({ useViewBox: true });
    // Rules for a pointer that a picture never meets; and a name for those who do not see it.
    return svg.replace(/<style\s*><!\[CDATA\[[\s\S]*?\]\]>\s*<\/style>/, "").replaceAll(/ class="zr\d+-cls-\d+"/g, "")
      .replaceAll(/ ecmeta_[a-z_]+="[^"]*"/g, "").replace(
        /<svg [^>]*>/,
        (head) =>
          `${
            head.includes(" width=") ? head : head.replace("<svg ", `<svg width="${look.width}" height="${height}" `)
          }` +
          `\n<title>${xmlText(chart.title)}</title>`,
      );
  } finally {
    instance.dispose();
  }
}

/** Pixels of a picture at most, along one side: a larger one would fill the memory. */
const maxSide = 12_000;

/**
 * Turns SVG into PNG, at twice its size for print, or less where that would be too large.
 *
 * @throws {Refusal} If the picture is too large, the machine has no font, or the renderer is not there for it.
 */
export async function pngOf(svg: string): Promise<Uint8Array<ArrayBuffer>> {
  const { Resvg } = await import("@resvg/resvg-js").catch((error) => {
    const parts = { what: "make a PNG", must: "@resvg/resvg-js must work here", found: error.message, hint: "use SVG" };
    throw new Refusal(parts, { cause: error });
  });
  const { width, height } = new Resvg(svg);
  const side = Math.max(width, height);
  if (side > maxSide) {
    throw new Refusal({
      what: "make a PNG",
      must: `it must be at most ${maxSide} pixels wide and high`,
      found: `found ${width} x ${height}`,
      hint: "use SVG, or show fewer rows and columns",
    });
  }
  const resvg = new Resvg(svg, {
    fitTo: { mode: "zoom", value: Math.min(2, maxSide / side) },
    // What stands for families that the machine lacks; by itself the renderer takes one with serifs, which is wider.
    font: { loadSystemFonts: true, defaultFontFamily: "DejaVu Sans", sansSerifFamily: "DejaVu Sans" },
  });
  if (!hasFonts(Resvg)) {
    throw new Refusal({
      what: "make a PNG",
      must: "a font must be installed",
      found: "this machine has none",
      hint: "install one (fonts-dejavu-core), or use SVG",
    });
  }
  return new Uint8Array(resvg.render().asPng());
}

let fonts: boolean | null = null;

/** Whether text shows up at all: without a font it is left out in silence. */
function hasFonts(Resvg: typeof import("@resvg/resvg-js").Resvg): boolean {
  fonts ??= new Resvg(
    '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><text y="9">x</text></svg>',
    { font: { loadSystemFonts: true } },
  ).getBBox() !== undefined;
  return fonts;
}
