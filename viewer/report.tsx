/** @jsxImportSource hono/jsx */
/**
 * A page of the viewer as one file that needs no server, no scripts and no network.
 *
 * @module
 */
import { raw } from "hono/html";
import style from "./assets/style.css" with { type: "text" };
import { chartSummary } from "./chart_table.ts";
import type { Chart } from "./charts.ts";
import type { Picture } from "./experiment_parts.ts";
import { DataTable } from "./pages/parts.tsx";
import type { Table } from "./table.ts";
import { VERSION } from "../version.ts";

/** What a report holds. */
export interface Report {
  readonly title: string;
  readonly folder: string;
  /** What was asked. @default {null} */
  readonly question?: string | null;
  /** The answer in one sentence, without its end. @default {null} */
  readonly answer?: string | null;
  /** How it came about, by name. @default {[]} */
  readonly facts?: readonly (readonly [string, string])[];
  readonly tables: readonly Table[];
  readonly charts: readonly Chart[];
  /** Pictures that are no charts, as SVG. @default {[]} */
  readonly pictures?: readonly Picture[];
}

const policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";
const width = 620;

/** Letters of a fact that has a line of its own. */
const longFact = 120;

/** The viewer's style without what it loads: a page of its own has nothing beside it. */
const ownStyle = style.replace(/url\("\/[^"]*"\)/g, "none");

/** A picture as an address. */
function svgAddress(svg: string): string {
  return `data:image/svg+xml;base64,${new TextEncoder().encode(svg).toBase64()}`;
}

/** Writes a report. Pictures are images of their own, so that nothing in them can reach the page. */
export async function htmlOf(report: Report): Promise<string> {
  const { chartSvg } = await import("./render.ts");
  const image = (chart: Chart) => svgAddress(chartSvg(chart, { theme: "light", width }));
  const page = (
    <html lang="en" data-theme="light">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content={policy} />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>{report.title}</title>
        <style>{raw(ownStyle)}</style>
      </head>
      <body>
        <main>
          <div class="title">
            <h1>{report.title}</h1>
            <p class="summary">
              {`Written by armlab ${VERSION} from `}
              <code>{report.folder}</code>
            </p>
            {report.question && <p class="question">{report.question}</p>}
          </div>
          {report.answer && <p class="answer">{`${report.answer}.`}</p>}
          {report.tables.filter(({ rows }) => rows.length > 0).map((table) => (
            <section>
              <h2>{table.title}</h2>
              <DataTable table={table} />
              <ul class="notes">{table.notes.map((note) => <li>{note}</li>)}</ul>
            </section>
          ))}
          {(report.charts.length > 0 || (report.pictures ?? []).length > 0) && (
            <section>
              <h2>Charts</h2>
              <div class="charts">
                {report.charts.map((chart) => (
                  <figure class="chart drawn">
                    <figcaption>
                      <h3>{chart.title}</h3>
                      <p>{chart.about}</p>
                    </figcaption>
                    <div class="plot">
                      <img src={image(chart)} alt={chartSummary(chart)} />
                    </div>
                  </figure>
                ))}
                {(report.pictures ?? []).map(({ title, about, svg }) => (
                  <figure class="chart drawn">
                    <figcaption>
                      <h3>{title}</h3>
                      <p>{about}</p>
                    </figcaption>
                    <div class="plot">
                      <img src={svgAddress(svg)} alt={about} />
                    </div>
                  </figure>
                ))}
              </div>
            </section>
          )}
          {report.facts !== undefined && report.facts.length > 0 && (
            <section>
              <h2>How it came about</h2>
              <dl class="facts">
                {report.facts.map(([name, text]) => (
                  <div class={text.length > longFact ? "whole" : undefined}>
                    <dt>{name}</dt>
                    <dd>{text}</dd>
                  </div>
                ))}
              </dl>
            </section>
          )}
        </main>
      </body>
    </html>
  );
  return `<!DOCTYPE html>\n${await page.toString()}\n`;
}
