/** @jsxImportSource hono/jsx */
/**
 * Parts of pages.
 *
 * @module
 */
import type { Child, FC } from "hono/jsx";
import type { RunStatus } from "../../store/inspect.ts";
import { modules } from "../assets.ts";
import { chartHeight } from "../chart_option.ts";
import { chartSummary } from "../chart_table.ts";
import type { Chart } from "../charts.ts";
import type { Table } from "../table.ts";

/** What the frame of a page needs to know. */
export interface FrameProps {
  readonly title: string;
  /** Which entry of the navigation is this page's. */
  readonly here: "grid" | "compare" | "samples" | "features" | "api" | null;
  /** Version of the snapshot that the page shows; `null` for pages that do not change. */
  readonly version: number | null;
  readonly folder: string;
  /** Changes with the scripts and styles, so that browsers may keep them. */
  readonly build: string;
  readonly children?: Child;
}

/** The frame of every page. */
export const Frame: FC<FrameProps> = ({ title, here, version, folder, build, children }) => (
  <html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="color-scheme" content="light dark" />
      <title>{`${title} · armlab`}</title>
      <link rel="icon" href={`/assets/icon.svg?${build}`} type="image/svg+xml" />
      <link rel="stylesheet" href={`/assets/style.css?${build}`} />
      {modules.map((name) => <link rel="modulepreload" href={`/assets/${name}`} />)}
      <script src={`/assets/theme.js?${build}`}></script>
      <script src={`/assets/app.js?${build}`} type="module"></script>
    </head>
    <body data-build={build}>
      <a class="skip" href="#main">Skip to content</a>
      <header class="top">
        <a class="brand" href="/">
          <span aria-hidden="true" class="logo"></span>armlab
        </a>
        <nav aria-label="Pages">
          <a href="/" aria-current={here === "grid" ? "page" : undefined}>Results</a>
          <a href="/compare" aria-current={here === "compare" ? "page" : undefined}>Compare</a>
          <a href="/samples" aria-current={here === "samples" ? "page" : undefined}>Samples</a>
          <a href="/features" aria-current={here === "features" ? "page" : undefined}>Features</a>
          <a href="/api" aria-current={here === "api" ? "page" : undefined}>API</a>
        </nav>
        <span class="folder" title={folder}>
          <bdi>{folder}</bdi>
        </span>
        <span id="live" class="live" role="status" hidden></span>
        <button id="theme" type="button" hidden>Theme</button>
      </header>
      <main id="main" tabindex={-1} data-version={version === null ? undefined : String(version)}>{children}</main>
    </body>
  </html>
);

/** A section that folds; what follows the runs in it is replaced as a whole unless it says otherwise. */
export const Fold: FC<{ id: string; title: string; open?: boolean; live?: boolean; children?: Child }> = (
  { id, title, open = true, live = true, children },
) => (
  <details class="section" id={id} open={open}>
    <summary>
      <h2>{title}</h2>
    </summary>
    <div id={`${id}-body`} data-live={live ? "" : undefined}>{children}</div>
  </details>
);

/** How a run stands, as a word with a colour. */
export const StateBadge: FC<{ state: RunStatus }> = ({ state }) => <span class={`badge ${state}`}>{state}</span>;

/** That a run is of a version that wrote another format: it is shown, and never gone on with. */
export const OlderBadge: FC = () => (
  <span class="badge interrupted" title="Another format: it is shown as it is, and a bench of this version trains anew">
    older version
  </span>
);

/** Formats of an export, in the order of the links. */
export const formats = [["csv", "CSV"], ["md", "Markdown"], ["tex", "LaTeX"], ["svg", "SVG"], ["png", "PNG"]] as const;

/** Links that download what is shown. */
export const Exports: FC<{ base: string; search?: string; what: string }> = ({ base, search = "", what }) => (
  <p class="exports">
    <span aria-hidden="true">Export</span>
    {formats.map(([extension, name]) => (
      <a href={`${base}.${extension}${search}`} download="" aria-label={`Export ${what} as ${name}`}>{name}</a>
    ))}
  </p>
);

/** Width at which pictures are drawn for browsers without scripts. */
const pictureWidth = 620;

/** A chart: drawn by a script so that it answers to the pointer; a picture where there are no scripts. */
export const ChartFigure: FC<{ chart: Chart; base: string; api: string; search?: string; wide?: boolean }> = (
  { chart, base, api, search = "", wide },
) => {
  const width = wide ? 2 * pictureWidth : pictureWidth;
  const height = chartHeight(chart, { theme: "light", width });
  const address = `${base}/${chart.id}`;
  const join = search === "" ? "?" : `${search}&`;
  const source = (theme: string) => `${address}.svg${join}theme=${theme}&width=${width}`;
  return (
    <figure class={wide ? "chart wide" : "chart"} id={`chart-${chart.id}`} data-chart={`${api}/${chart.id}${search}`}>
      <figcaption>
        <h3>{chart.title}</h3>
        <p>{chart.about}</p>
      </figcaption>
      <div class="plot" role="img" aria-label={chartSummary(chart)} data-height={String(height)}>
        <noscript>
          <picture>
            <source media="(prefers-color-scheme: dark)" srcset={source("dark")} />
            <img src={source("light")} alt="" width={width} height={height} loading="lazy" />
          </picture>
        </noscript>
      </div>
      <Exports base={address} search={search} what={`chart ${chart.title}`} />
    </figure>
  );
};

/** A table as it is exported, on the page. */
export const DataTable: FC<{ table: Table; rowHead?: boolean }> = ({ table, rowHead = true }) => (
  <div class="scroll" tabindex={0} role="region" aria-label={table.title}>
    <table class="data">
      <caption class="hidden">{table.title}</caption>
      <thead>
        <tr>{table.columns.map(({ title, align }) => <th scope="col" class={align}>{title}</th>)}</tr>
      </thead>
      <tbody>
        {table.rows.map((row) => (
          <tr>
            {row.map(({ text, strong }, column) => {
              const content = strong ? <strong>{text}</strong> : text;
              const { align } = table.columns[column];
              return column === 0 && rowHead
                ? <th scope="row" class={align}>{content}</th>
                : <td class={align}>{content}</td>;
            })}
          </tr>
        ))}
      </tbody>
    </table>
  </div>
);

/** Something that is not there, or went wrong, in words. */
export const ErrorPage: FC<{ status: number; message: string }> = ({ status, message }) => (
  <section class="empty">
    <h1>
      {status === 404
        ? "Not found"
        : status === 400
        ? "This address says something that does not exist"
        : "That did not work"}
    </h1>
    <p>{message}</p>
    <p>
      <a href="/">All results</a>
    </p>
  </section>
);
