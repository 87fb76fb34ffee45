/**
 * Many small charts as one picture.
 *
 * @module
 */
import type { LineChart } from "./charts.ts";

/** Width and height of one chart in pixels, and charts in a row. */
const WIDTH = 420;
const HEIGHT = 300;
const COLUMNS = 3;

/** Charts side by side, as SVG and as PNG. @throws {Refusal} If a PNG cannot be made. */
export async function robustnessPicture(
  charts: readonly LineChart[],
): Promise<{ readonly svg: string; readonly png: Uint8Array<ArrayBuffer> }> {
  const { chartSvg, pngOf } = await import("./render.ts");
  const columns = Math.min(COLUMNS, charts.length);
  const rows = Math.ceil(charts.length / COLUMNS);
  const parts = charts.map((chart, k) => {
    const drawn = chartSvg(chart, { width: WIDTH, theme: "light", titled: true });
    const place = `x="${(k % COLUMNS) * WIDTH}" y="${Math.floor(k / COLUMNS) * HEIGHT}"`;
    return drawn.slice(drawn.indexOf("<svg")).replace("<svg ", `<svg ${place} `);
  });
  const [width, height] = [columns * WIDTH, rows * HEIGHT];
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" ` +
    `viewBox="0 0 ${width} ${height}"><rect width="${width}" height="${height}" fill="white"/>${parts.join("")}</svg>`;
  return { svg, png: await pngOf(svg) };
}
