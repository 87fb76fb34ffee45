/**
 * Whatever is shown, in the formats that leave the page. Pages and the command line share it.
 *
 * @module
 */
import { Refusal } from "../core/refusal.ts";
import type { ChartLook } from "./chart_option.ts";
import { chartTable } from "./chart_table.ts";
import type { Chart } from "./charts.ts";
import type { Picture } from "./experiment_parts.ts";
import { latexOf } from "./latex.ts";
import { csvOf, markdownOf, svgOf, type Table } from "./table.ts";

/** Formats of an export, by the ending of its file. */
export const exportFormats = ["csv", "md", "tex", "svg", "png"] as const;

/** One of them. */
export type ExportFormat = typeof exportFormats[number];

/** Media types of the formats. */
export const mediaTypes: Readonly<Record<ExportFormat, string>> = {
  csv: "text/csv; charset=utf-8; header=present",
  md: "text/markdown; charset=utf-8",
  tex: "application/x-tex; charset=utf-8",
  svg: "image/svg+xml; charset=utf-8",
  png: "image/png",
};

/** Whether a text names a format. */
export function isFormat(text: string): text is ExportFormat {
  return (exportFormats as readonly string[]).includes(text);
}

/** A table in a format. @throws {Refusal} If a PNG is asked for and cannot be made. */
export async function exportTable(table: Table, format: ExportFormat): Promise<string | Uint8Array<ArrayBuffer>> {
  switch (format) {
    case "csv":
      return csvOf(table);
    case "md":
      return markdownOf(table);
    case "tex":
      return latexOf(table);
    case "svg":
      return svgOf(table);
    case "png":
      return await (await import("./render.ts")).pngOf(svgOf(table));
  }
}

/** A chart in a format: as a picture, or the numbers that it draws. @throws {Refusal} As `exportTable`. */
export async function exportChart(
  chart: Chart,
  format: ExportFormat,
  look: ChartLook,
): Promise<string | Uint8Array<ArrayBuffer>> {
  if (format !== "svg" && format !== "png") return await exportTable(chartTable(chart), format);
  // The chart library takes a moment to load: only those who draw wait for it.
  const { chartSvg, pngOf } = await import("./render.ts");
  const svg = chartSvg(chart, look);
  return format === "svg" ? svg : await pngOf(svg);
}

/** A picture in a format. @throws {Refusal} If it is none of pictures, or a PNG cannot be made. */
export async function exportPicture(
  name: string,
  { svg }: Picture,
  format: ExportFormat,
): Promise<string | Uint8Array<ArrayBuffer>> {
  if (format === "svg") return svg;
  if (format === "png") return await (await import("./render.ts")).pngOf(svg);
  throw new Refusal({
    what: `export "${name}" as ${format}`,
    must: "it must be svg or png: it is a picture",
    hint: "its numbers are in the table across",
  });
}
