/**
 * Tables and charts as files, and the files of runs.
 *
 * @module
 */
import { type Context, Hono } from "hono";
import { Refusal } from "../../core/refusal.ts";
import type { ChartLook } from "../chart_option.ts";
import type { Chart } from "../charts.ts";
import { type Comparison, differenceTable, settingTable } from "../compare.ts";
import { exportChart, type ExportFormat, exportPicture, exportTable, isFormat, mediaTypes } from "../exports.ts";
import { configurationTables } from "../configuration.ts";
import { featureChart, featureChartId } from "../features.ts";
import { gridTable } from "../grid_table.ts";
import { gridChart } from "../grid_chart.ts";
import { mediaOf } from "../media.ts";
import { runTables } from "../run.ts";
import { readoutTable } from "../sample.ts";
import { sampleDifferences, sampleTable } from "../sample_tests.ts";
import { samplesTable } from "../samples.ts";
import { RequestError } from "../security.ts";
import type { RunStore } from "../store.ts";
import type { Table } from "../table.ts";
import { missing, params, pick, type Views } from "./context.tsx";

/** Pictures keep to their own policy: they style themselves, and do nothing else. */
const picturePolicy = "default-src 'none'; style-src 'unsafe-inline'; sandbox";

const compareTables: Readonly<Record<string, (store: RunStore, comparison: Comparison) => Table | Promise<Table>>> = {
  differences: (_, comparison) => differenceTable(comparison),
  samples: async (store, comparison) => sampleTable(comparison, await sampleDifferences(store, comparison)),
  settings: (_, comparison) => settingTable(comparison),
};

/** What can be downloaded of a store. */
export function downloadRoutes(views: Views): Hono {
  const app = new Hono();
  app.get("/:file{grid\\.[a-z]+}", async (c) => {
    const { format } = fileOf(c);
    const grid = await views.grid(c, { allPages: true });
    // A file stands without the page that says so beside its table.
    if (grid.problems.length > 0) throw grid.problems[0];
    return await sendTable(c, "results", gridTable(grid), format);
  });
  app.get("/charts/:file", async (c) => {
    const { name, format } = fileOf(c);
    return await sendChart(c, pick([gridChart(await views.grid(c))], name), format);
  });
  app.get("/runs/:id/tables/:file", async (c) => {
    const { name, format } = fileOf(c);
    const view = await views.run(c);
    const tables = runTables(view);
    if (!Object.hasOwn(tables, name)) throw missing("a table", name);
    return await sendTable(c, `${view.run.id}-${name}`, tables[name](), format);
  });
  app.get("/runs/:id/charts/:file", async (c) => {
    const { name, format } = fileOf(c);
    const view = await views.run(c);
    return await sendChart(c, pick(view.charts, name), format, `${view.run.id}-`);
  });
  app.get("/runs/:id/files/:name", async (c) => {
    const id = c.req.param("id");
    const file = await views.store.open(id, c.req.param("name"));
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
  app.get("/configurations/:id/tables/:file", async (c) => {
    const { name, format } = fileOf(c);
    const view = await views.configuration(c);
    const tables = configurationTables(view);
    if (!Object.hasOwn(tables, name)) throw missing("a table", name);
    return await sendTable(c, `${view.configuration.id}-${name}`, tables[name](), format);
  });
  app.get("/configurations/:id/charts/:file", async (c) => {
    const { name, format } = fileOf(c);
    return await sendChart(c, pick((await views.configuration(c)).charts, name), format);
  });
  app.route("/", experimentRoutes(views));
  app.route("/", sampleRoutes(views));
  app.get("/compare/tables/:file", async (c) => {
    const { name, format } = fileOf(c);
    if (!Object.hasOwn(compareTables, name)) throw missing("a table", name);
    return await sendTable(c, name, await compareTables[name](views.store, await views.comparison(c)), format);
  });
  app.get("/compare/charts/:file", async (c) => {
    const { name, format } = fileOf(c);
    return await sendChart(c, pick((await views.comparison(c)).charts, name), format);
  });
  return app;
}

/** What can be downloaded of an experiment. */
function experimentRoutes(views: Views): Hono {
  const app = new Hono();
  app.get("/experiments/:name/tables/:file", async (c) => {
    const { name, format } = fileOf(c);
    const { experiment, tables } = await views.experiment(c);
    if (!Object.hasOwn(tables, name)) throw missing("a table", name);
    return await sendTable(c, `${experiment.name}-${name}`, tables[name], format);
  });
  app.get("/experiments/:name/charts/:file", async (c) => {
    const { name, format } = fileOf(c);
    const { experiment, charts } = await views.experiment(c);
    return await sendChart(c, pick(charts, name), format, `${experiment.name}-`);
  });
  app.get("/experiments/:name/pictures/:file", async (c) => {
    const { name, format } = fileOf(c);
    const { experiment, pictures } = await views.experiment(c);
    if (!Object.hasOwn(pictures, name)) throw missing("a picture", name);
    return send(c, `${experiment.name}-${name}`, await exportPicture(name, pictures[name], format), format);
  });
  return app;
}

/** What can be downloaded of samples and features. */
function sampleRoutes(views: Views): Hono {
  const app = new Hono();
  app.get("/:file{samples-table\\.[a-z]+}", async (c) => {
    const view = await views.samples(c);
    if (view === null) throw missing("a finished run", "");
    return await sendTable(c, "samples", samplesTable(view), fileOf(c).format);
  });
  app.get("/runs/:id/samples/:split/:sample/tables/:file", async (c) => {
    const { name, format } = fileOf(c);
    if (name !== "readouts") throw missing("a table", name);
    return await sendTable(c, name, readoutTable(await views.sample(c)), format);
  });
  app.get("/runs/:id/samples/:split/:sample/charts/:file", async (c) => {
    const { name, format } = fileOf(c);
    return await sendChart(c, pick((await views.sample(c)).charts, name), format);
  });
  app.get("/runs/:id/samples/:split/:sample/previews/:modality/:file", async (c) => {
    const { shown } = await views.sample(c);
    const [index, modality] = [Number.parseInt(c.req.param("file")), c.req.param("modality")];
    const preview = Object.hasOwn(shown.previews, modality) ? shown.previews[modality][index] : undefined;
    const media = preview === undefined ? null : mediaOf(preview);
    if (media === null) throw missing("a preview", `${modality}/${c.req.param("file")}`);
    c.header("Content-Type", media.type);
    return c.body(media.bytes);
  });
  app.get("/features/charts/:file", async (c) => {
    const { name, format } = fileOf(c);
    return await sendChart(c, await chartOfFeatures(views, c, name), format);
  });
  return app;
}

/** The chart of features of a name, drawn if need be. @throws {RequestError} If there is none. */
export async function chartOfFeatures(views: Views, c: Context, name: string): Promise<Chart> {
  const view = await views.features(c);
  const own = view.runs.find(({ run }) => featureChartId(run.id) === name);
  const { chart, reason } = own === undefined
    ? { chart: null, reason: null }
    : await featureChart(views.store, own, view.of);
  if (chart !== null) return chart;
  throw reason === null ? missing("a chart", name) : new RequestError(404, reason);
}

/** Takes `loss.csv` apart. @throws {RequestError} If the ending is none that is written. */
function fileOf(c: Context): { name: string; format: ExportFormat } {
  const file = c.req.param("file") ?? "";
  const dot = file.lastIndexOf(".");
  const format = file.slice(dot + 1);
  if (dot < 1 || !isFormat(format)) throw missing("a file", file);
  return { name: file.slice(0, dot), format };
}

/** How a chart is asked to look. @throws {Refusal} If a value is not valid. */
export function lookOf(params: URLSearchParams): ChartLook {
  const theme = params.get("theme") ?? "light";
  if (theme !== "light" && theme !== "dark") {
    const found = `found ${JSON.stringify(theme.slice(0, 40))}`;
    throw new Refusal({ what: 'use "theme"', must: "it must be light or dark", found });
  }
  const width = Number(params.get("width") ?? 620);
  if (!(width >= 200 && width <= 2400)) {
    throw new Refusal({ what: 'use "width"', must: "it must be within 200..2400" });
  }
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

function send(c: Context, name: string, body: string | Uint8Array<ArrayBuffer>, format: ExportFormat): Response {
  c.header("Content-Type", mediaTypes[format]);
  c.header("Content-Disposition", `inline; filename="${name.replaceAll(/[^\w.-]/g, "_")}.${format}"`);
  if (format === "svg") c.header("Content-Security-Policy", picturePolicy);
  return c.body(body);
}
