/** @jsxImportSource hono/jsx */
/**
 * The viewer as a function of its store: routes and nothing that listens.
 *
 * @module
 */
import { type Context, Hono } from "hono";
import { html } from "hono/html";
import { HTTPException } from "hono/http-exception";
import { chartAnswer, compareAnswer, gridAnswer, runAnswer, runsAnswer } from "./api.ts";
import { assets, build } from "./assets.ts";
import type { ChartLook } from "./chart_option.ts";
import type { Chart } from "./charts.ts";
import { comparisonOf, differenceTable, settingTable } from "./compare.ts";
import { modelOf } from "./configurations.ts";
import { EventHub, type HubOptions } from "./events.ts";
import { exportChart, type ExportFormat, exportTable, isFormat, mediaTypes } from "./exports.ts";
import { gridOf, gridTable } from "./grid.ts";
import { gridChart } from "./grid_chart.ts";
import { openApi } from "./openapi.ts";
import { ApiPage } from "./pages/api_page.tsx";
import { ComparePage } from "./pages/compare_page.tsx";
import { GridPage } from "./pages/grid_page.tsx";
import { ErrorPage, Frame, type FrameProps } from "./pages/parts.tsx";
import { RunPage } from "./pages/run_page.tsx";
import { parseCompare, parseGrid } from "./query.ts";
import { runTables, runViewOf } from "./run.ts";
import { guard, RequestError, type SecurityOptions } from "./security.ts";
import type { RunStore } from "./store.ts";
import type { Table } from "./table.ts";

/** How the viewer is set up. */
export interface AppOptions extends Partial<SecurityOptions>, HubOptions {
  /** Takes what went wrong and is not the asker's business. @default console.error */
  readonly log?: (message: string, error: unknown) => void;
}

/** The viewer. */
export interface ViewerApp {
  /** Answers a request. */
  request(input: string | Request, init?: RequestInit): Promise<Response>;
  /** The handler for a server. */
  fetch(request: Request): Response | Promise<Response>;
  /** Pages that follow now. */
  readonly following: number;
  /** Ends the streams of open pages. */
  close(): void;
}

/** Pictures keep to their own policy: they style themselves, and do nothing else. */
const picturePolicy = "default-src 'none'; style-src 'unsafe-inline'; sandbox";

/** Builds the viewer over a store. Nothing listens, nothing runs before the first request. */
export function createApp(store: RunStore, options: AppOptions = {}): ViewerApp {
  const app = new Hono();
  const hub = new EventHub(store, options);
  const log = options.log ?? ((message, error) => console.error(message, error));
  const model = async () => modelOf(await store.snapshot());
  const page = (c: Context, frame: Omit<FrameProps, "folder" | "build">, status: 200 | 400 | 404 | 500 = 200) => {
    return c.html(documentOf(<Frame {...frame} folder={store.folder} build={build} />), status);
  };

  app.use("*", guard({ token: options.token ?? null, perSecond: options.perSecond }));

  // ------------------------------------------------------------------------------------------------------------ pages

  app.get("/", async (c) => {
    const now = await model();
    const grid = gridOf(now, parseGrid(params(c)));
    return page(c, {
      title: "Results",
      here: "grid",
      version: now.version,
      children: <GridPage model={now} grid={grid} folder={store.folder} />,
    });
  });
  app.get("/runs/:id", async (c) => {
    const now = await model();
    const view = runViewOf(store, now, c.req.param("id"));
    if (view === null) throw missingRun(c);
    const title = `${view.configuration?.label ?? "Run"}, seed ${view.run.seed ?? "–"}`;
    return page(c, { title, here: null, version: now.version, children: <RunPage view={view} /> });
  });
  app.get("/compare", async (c) => {
    const now = await model();
    const comparison = comparisonOf(store, now, parseCompare(params(c)));
    const children = <ComparePage comparison={comparison} model={now} />;
    return page(c, { title: "Compare", here: "compare", version: now.version, children });
  });
  app.get(
    "/api",
    (c) => page(c, { title: "API", here: "api", version: null, children: <ApiPage document={openApi()} /> }),
  );

  // ---------------------------------------------------------------------------------------------------------- exports

  const grid = async (c: Context) => gridOf(await model(), parseGrid(params(c)));
  const comparison = async (c: Context) => comparisonOf(store, await model(), parseCompare(params(c)));
  const runView = async (c: Context) => {
    const view = runViewOf(store, await model(), c.req.param("id") ?? "");
    if (view === null) throw missingRun(c);
    return view;
  };

  app.get("/:file{grid\\.[a-z]+}", async (c) => {
    const { format } = fileOf(c);
    const whole = gridOf(await model(), parseGrid(params(c)), { allPages: true });
    return await sendTable(c, "results", gridTable(whole), format);
  });
  app.get("/charts/:file", async (c) => {
    const { name, format } = fileOf(c);
    return await sendChart(c, pick([gridChart(await grid(c))], name), format);
  });
  app.get("/runs/:id/tables/:file", async (c) => {
    const { name, format } = fileOf(c);
    const view = await runView(c);
    if (!Object.hasOwn(runTables, name)) throw missing("a table", name);
    return await sendTable(c, `${view.run.id}-${name}`, runTables[name as keyof typeof runTables](view), format);
  });
  app.get("/runs/:id/charts/:file", async (c) => {
    const { name, format } = fileOf(c);
    const view = await runView(c);
    return await sendChart(c, pick(view.charts, name), format, `${view.run.id}-`);
  });
  app.get("/runs/:id/files/:name", async (c) => {
    const id = c.req.param("id");
    const file = await store.open(id, c.req.param("name"));
    if (file === null) throw missing("a file", c.req.param("name"));
    c.header("Content-Type", "application/octet-stream");
    c.header("Content-Disposition", `attachment; filename="${id}-${file.name}"`);
    if (c.req.method === "HEAD") {
      await file.stream.cancel();
      return c.body(null);
    }
    // Files of a run that goes on grow while they are read, so no length is promised.
    return c.body(file.stream);
  });
  app.get("/compare/tables/:file", async (c) => {
    const { name, format } = fileOf(c);
    const tables: Record<string, typeof differenceTable> = { differences: differenceTable, settings: settingTable };
    if (!Object.hasOwn(tables, name)) throw missing("a table", name);
    return await sendTable(c, name, tables[name](await comparison(c)), format);
  });
  app.get("/compare/charts/:file", async (c) => {
    const { name, format } = fileOf(c);
    return await sendChart(c, pick((await comparison(c)).charts, name), format);
  });

  // -------------------------------------------------------------------------------------------------------------- api

  app.get("/api/openapi.json", (c) => c.json(openApi()));
  app.get("/api/grid", async (c) => {
    const now = await model();
    return c.json(gridAnswer(now, gridOf(now, parseGrid(params(c)))));
  });
  app.get(
    "/api/charts/:chart",
    async (c) => c.json(chartAnswer(pick([gridChart(await grid(c))], c.req.param("chart")), lookOf(params(c)))),
  );
  app.get("/api/runs", async (c) => c.json(runsAnswer(await model())));
  app.get("/api/runs/:id", async (c) => c.json(runAnswer(await runView(c))));
  app.get("/api/runs/:id/epochs", async (c) => {
    const { epochs } = await runView(c);
    return c.json({ records: epochs.records, reason: epochs.reason });
  });
  app.get(
    "/api/runs/:id/charts/:chart",
    async (c) => c.json(chartAnswer(pick((await runView(c)).charts, c.req.param("chart")), lookOf(params(c)))),
  );
  app.get("/api/compare", async (c) => c.json(compareAnswer(await comparison(c))));
  app.get(
    "/api/compare/charts/:chart",
    async (c) => c.json(chartAnswer(pick((await comparison(c)).charts, c.req.param("chart")), lookOf(params(c)))),
  );
  app.get("/api/events", (c) => {
    // Who asks for the head alone reads no stream, and would leave one open.
    if (c.req.method === "HEAD") return c.body(null, 200, { "Content-Type": "text/event-stream" });
    const stream = hub.open();
    if (stream === null) throw new RequestError(503, "Cannot open another stream as too many pages are open");
    c.header("Content-Type", "text/event-stream");
    return c.body(stream);
  });

  // ----------------------------------------------------------------------------------------------------------- assets

  app.get("/assets/:name", async (c) => {
    const asset = await assets(c.req.param("name"));
    if (asset === null) throw missing("a file", c.req.param("name"));
    c.header("Content-Type", asset.type);
    // The address changes with the content.
    c.header(
      "Cache-Control",
      new URL(c.req.url).search === `?${build}` ? "private, max-age=31536000, immutable" : "no-cache",
    );
    return c.body(asset.text);
  });

  // ----------------------------------------------------------------------------------------------------------- errors

  const answer = (c: Context, status: number, message: string) => {
    c.status(status as 400);
    if (c.req.path.startsWith("/api/")) return c.json({ error: { status, message } });
    return c.html(documentOf(
      <Frame
        title={status === 404 ? "Not found" : "Error"}
        here={null}
        version={null}
        folder={store.folder}
        build={build}
      >
        <ErrorPage status={status} message={message} />
      </Frame>,
    ));
  };
  app.notFound((c) => answer(c, 404, "There is no such page."));
  app.onError((error, c) => {
    if (error instanceof RequestError) return answer(c, error.status, error.message);
    if (error instanceof HTTPException) return answer(c, error.status, "Cannot answer this request");
    // Values of an address that are not valid; the message names them and what they may be.
    if (error instanceof RangeError && error.message.startsWith("Cannot ")) return answer(c, 400, error.message);
    log(`Cannot answer ${JSON.stringify(c.req.path.slice(0, 200))}:`, error);
    return answer(c, 500, "The viewer could not answer this; its terminal says why.");
  });

  return {
    request: (input, init) => Promise.resolve(app.request(input, init)),
    fetch: (request) => app.fetch(request),
    get following() {
      return hub.size;
    },
    close: () => hub.close(),
  };
}

/** A page with what tells browsers to keep to the standard. */
function documentOf(page: unknown): ReturnType<typeof html> {
  return html`<!DOCTYPE html>${page}`;
}

function missing(what: string, name: string): RequestError {
  return new RequestError(404, `Cannot find ${what} of the name ${JSON.stringify(name.slice(0, 80))}`);
}

function missingRun(c: Context): RequestError {
  const id = c.req.param("id") ?? "";
  return new RequestError(404, `Cannot find run ${JSON.stringify(id.slice(0, 80))}: it may have been deleted`);
}

function pick(charts: readonly Chart[], id: string): Chart {
  const chart = charts.find((candidate) => candidate.id === id);
  if (chart === undefined) throw missing("a chart", id);
  return chart;
}

/** Takes `loss.csv` apart. @throws {RequestError} If the ending is none that is written. */
function fileOf(c: Context): { name: string; format: ExportFormat } {
  const file = c.req.param("file") ?? "";
  const dot = file.lastIndexOf(".");
  const format = file.slice(dot + 1);
  if (dot < 1 || !isFormat(format)) throw missing("a file", file);
  return { name: file.slice(0, dot), format };
}

/** How a chart is asked to look. @throws {RangeError} If a value is not valid. */
function lookOf(params: URLSearchParams): ChartLook {
  const theme = params.get("theme") ?? "light";
  if (theme !== "light" && theme !== "dark") throw new RangeError('Cannot use "theme" as it must be light or dark');
  const width = Number(params.get("width") ?? 620);
  if (!(width >= 200 && width <= 2400)) throw new RangeError('Cannot use "width" as it must be within 200..2400');
  return { theme, width: Math.round(width) };
}

async function sendTable(c: Context, name: string, table: Table, format: ExportFormat): Promise<Response> {
  return send(c, name, await exportTable(table, format), format);
}

async function sendChart(c: Context, chart: Chart, format: ExportFormat, prefix: string = ""): Promise<Response> {
  // A page's own pictures name a theme; what is downloaded stands alone, with its title.
  const shown = params(c).has("theme");
  const look = shown ? lookOf(params(c)) : { theme: "light" as const, width: 760, titled: true };
  return send(c, `${prefix}${chart.id}`, await exportChart(chart, format, look), format);
}

function params(c: Context): URLSearchParams {
  return new URL(c.req.url).searchParams;
}

function send(c: Context, name: string, body: string | Uint8Array<ArrayBuffer>, format: ExportFormat): Response {
  c.header("Content-Type", mediaTypes[format]);
  c.header("Content-Disposition", `inline; filename="${name.replaceAll(/[^\w.-]/g, "_")}.${format}"`);
  if (format === "svg") c.header("Content-Security-Policy", picturePolicy);
  return c.body(body);
}
