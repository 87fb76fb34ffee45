/** @jsxImportSource hono/jsx */
/**
 * Pages that people look at.
 *
 * @module
 */
import { Hono } from "hono";
import { openApi } from "../openapi.ts";
import { ApiPage } from "../pages/api_page.tsx";
import { ComparePage } from "../pages/compare_page.tsx";
import { GridPage } from "../pages/grid_page.tsx";
import { RunPage } from "../pages/run_page.tsx";
import { sampleDifferences } from "../sample_tests.ts";
import { documentOf, type Views } from "./context.tsx";

/** The pages of a store. */
export function pageRoutes(views: Views): Hono {
  const { store } = views;
  const app = new Hono();
  app.get("/", async (c) => {
    const model = await views.model();
    const grid = await views.grid(c);
    const children = <GridPage model={model} grid={grid} folder={store.folder} />;
    return c.html(documentOf(store, { title: "Results", here: "grid", version: model.version, children }));
  });
  app.get("/runs/:id", async (c) => {
    const { version } = await views.model();
    const view = await views.run(c);
    const title = `${view.configuration?.label ?? "Run"}, seed ${view.run.seed ?? "–"}`;
    return c.html(documentOf(store, { title, here: null, version, children: <RunPage view={view} /> }));
  });
  app.get("/compare", async (c) => {
    const model = await views.model();
    const comparison = await views.comparison(c);
    const samples = await sampleDifferences(store, comparison);
    const children = <ComparePage comparison={comparison} samples={samples} model={model} />;
    return c.html(documentOf(store, { title: "Compare", here: "compare", version: model.version, children }));
  });
  app.get("/api", (c) => {
    const children = <ApiPage document={openApi()} />;
    return c.html(documentOf(store, { title: "API", here: "api", version: null, children }));
  });
  return app;
}
