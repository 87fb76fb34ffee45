/**
 * The API: views as JSON, charts ready to be drawn, and the stream of changes.
 *
 * @module
 */
import { type Context, Hono } from "hono";
import {
  chartAnswer,
  compareAnswer,
  configurationAnswer,
  experimentAnswer,
  gridAnswer,
  runAnswer,
  runsAnswer,
  samplesAnswer,
} from "../api.ts";
import type { Chart } from "../charts.ts";
import type { EventHub } from "../events.ts";
import { gridChart } from "../grid_chart.ts";
import { openApi } from "../openapi.ts";
import { sampleDifferences } from "../sample_tests.ts";
import { RequestError } from "../security.ts";
import { params, pick, type Views } from "./context.tsx";
import { chartOfFeatures, lookOf } from "./downloads.ts";

/** The API of a store. */
export function apiRoutes(views: Views, hub: EventHub): Hono {
  const app = new Hono();
  const chart = (c: Context, charts: readonly Chart[]) =>
    c.json(chartAnswer(pick(charts, c.req.param("chart") ?? ""), lookOf(params(c))));
  app.get("/openapi.json", (c) => c.json(openApi()));
  app.get("/grid", async (c) => {
    const grid = await views.grid(c);
    // What a page says beside its table, a program must not overlook.
    if (grid.problems.length > 0) throw grid.problems[0];
    return c.json(gridAnswer(await views.model(), grid));
  });
  app.get("/charts/:chart", async (c) => chart(c, [gridChart(await views.grid(c))]));
  app.get("/runs", async (c) => c.json(runsAnswer(await views.model())));
  app.get("/runs/:id", async (c) => c.json(runAnswer(await views.run(c))));
  app.get("/runs/:id/epochs", async (c) => {
    const { epochs } = await views.run(c);
    return c.json({ records: epochs.records, reason: epochs.reason });
  });
  app.get("/runs/:id/charts/:chart", async (c) => chart(c, (await views.run(c)).charts));
  app.get("/configurations/:id", async (c) => c.json(configurationAnswer(await views.configuration(c))));
  app.get("/configurations/:id/charts/:chart", async (c) => chart(c, (await views.configuration(c)).charts));
  app.get("/experiments/:name", async (c) => c.json(experimentAnswer(await views.experiment(c))));
  app.get("/experiments/:name/charts/:chart", async (c) => chart(c, (await views.experiment(c)).charts));
  app.get("/samples", async (c) => c.json(samplesAnswer(await views.samples(c))));
  app.get("/runs/:id/samples/:split/:sample/charts/:chart", async (c) => chart(c, (await views.sample(c)).charts));
  app.get("/features/charts/:chart", async (c) => {
    const found = await chartOfFeatures(views, c, c.req.param("chart"));
    return c.json(chartAnswer(found, lookOf(params(c))));
  });
  app.get("/compare", async (c) => {
    const comparison = await views.comparison(c);
    return c.json(compareAnswer(comparison, await sampleDifferences(views.store, comparison)));
  });
  app.get("/compare/charts/:chart", async (c) => chart(c, (await views.comparison(c)).charts));
  app.get("/events", (c) => {
    // Who asks for the head alone reads no stream, and would leave one open.
    if (c.req.method === "HEAD") return c.body(null, 200, { "Content-Type": "text/event-stream" });
    const stream = hub.open();
    if (stream === null) throw new RequestError(503, "Cannot open another stream as too many pages are open");
    c.header("Content-Type", "text/event-stream");
    return c.body(stream);
  });
  return app;
}
