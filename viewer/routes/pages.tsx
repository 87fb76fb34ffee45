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
import { ConfigurationPage } from "../pages/configuration_page.tsx";
import { ExperimentPage } from "../pages/experiment_page.tsx";
import { FeaturesPage } from "../pages/features_page.tsx";
import { GridPage } from "../pages/grid_page.tsx";
import { RunPage } from "../pages/run_page.tsx";
import { SamplePage } from "../pages/sample_page.tsx";
import { NoSamples, SamplesPage } from "../pages/samples_page.tsx";
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
  app.get("/configurations/:id", async (c) => {
    const { version } = await views.model();
    const view = await views.configuration(c);
    const children = <ConfigurationPage view={view} />;
    return c.html(documentOf(store, { title: view.configuration.label, here: null, version, children }));
  });
  app.get("/experiments/:name", async (c) => {
    const { version } = await views.model();
    const view = await views.experiment(c);
    const children = <ExperimentPage view={view} />;
    return c.html(documentOf(store, { title: view.experiment.name, here: null, version, children }));
  });
  app.get("/samples", async (c) => {
    const view = await views.samples(c);
    const previews = view === null
      ? []
      : await Promise.all(view.rows.map(({ id }) => views.shown(view.run.config, view.query.split, id)));
    const children = view === null ? <NoSamples /> : <SamplesPage view={view} previews={previews} />;
    return c.html(documentOf(store, { title: "Samples", here: "samples", version: null, children }));
  });
  app.get("/runs/:id/samples/:split/:sample", async (c) => {
    const view = await views.sample(c);
    const children = <SamplePage view={view} />;
    return c.html(documentOf(store, { title: `Sample ${view.row.id}`, here: "samples", version: null, children }));
  });
  app.get("/features", async (c) => {
    const children = <FeaturesPage view={await views.features(c)} />;
    return c.html(documentOf(store, { title: "Features", here: "features", version: null, children }));
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
