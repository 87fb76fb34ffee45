/** @jsxImportSource hono/jsx */
/**
 * What all routes share: views of the runs as an address asks for them, and pages around them.
 *
 * @module
 */
import type { Context } from "hono";
import type { RunConfig } from "../../core/record.ts";
import { html } from "hono/html";
import { build } from "../assets.ts";
import type { Chart } from "../charts.ts";
import { type Comparison, comparisonOf } from "../compare.ts";
import { type Model, modelOf } from "../configurations.ts";
import { type ConfigurationView, configurationViewOf } from "../configuration.ts";
import { type ExperimentView, experimentViewOf } from "../experiment_view.ts";
import { type FeaturesView, featuresViewOf } from "../features.ts";
import { type Grid, gridOf } from "../grid.ts";
import { Frame, type FrameProps } from "../pages/parts.tsx";
import type { SampleSource } from "../../experiments/previews.ts";
import { parseCompare, parseFeatures, parseGrid, parseSamples, type SamplesQuery } from "../query.ts";
import { type RunView, runViewOf } from "../run.ts";
import { type SampleView, sampleViewOf, type Shown, shownOf } from "../sample.ts";
import { samplesOf, type SamplesView } from "../samples.ts";
import { RequestError } from "../security.ts";
import type { RunStore } from "../store.ts";

/** Views of a store, as requests ask for them. */
export interface Views {
  readonly store: RunStore;
  /** Where previews come from; `null` where nothing can be shown of samples. */
  readonly source: SampleSource | null;
  /** Previews of a sample, as far as they come in time. */
  shown(config: RunConfig, split: SamplesQuery["split"], sample: number): Promise<Shown>;
  /** All runs as they are now. */
  model(): Promise<Model>;
  /** @throws {Refusal} If a value of the address is not valid. */
  grid(c: Context, options?: { readonly allPages?: boolean }): Promise<Grid>;
  /** @throws {Refusal} If a value of the address is not valid. */
  comparison(c: Context): Promise<Comparison>;
  /** @throws {RequestError} If there is no such run. */
  run(c: Context): Promise<RunView>;
  /** @throws {RequestError} If there is no such configuration. */
  configuration(c: Context): Promise<ConfigurationView>;
  /** @throws {RequestError} If there is no such experiment. */
  experiment(c: Context): Promise<ExperimentView>;
  /** Samples of a run; `null` where none has finished. @throws {RequestError} If there is no such run. */
  samples(c: Context): Promise<SamplesView | null>;
  /** @throws {RequestError} If there is no such sample. */
  sample(c: Context): Promise<SampleView>;
  /** Features that runs kept. */
  features(c: Context): Promise<FeaturesView>;
}

/** Views of a store. */
export function viewsOf(store: RunStore, source: SampleSource | null = null, previewMs?: number): Views {
  const model = async () => modelOf(await store.snapshot());
  return {
    store,
    source,
    shown: (config, split, sample) => shownOf(source, config, split, sample, previewMs),
    model,
    grid: async (c, options) => gridOf(await model(), parseGrid(params(c)), options),
    comparison: async (c) => comparisonOf(store, await model(), parseCompare(params(c))),
    async run(c) {
      const id = c.req.param("id") ?? "";
      const view = await runViewOf(store, await model(), id);
      if (view !== null) return view;
      throw new RequestError(404, `Cannot find run ${JSON.stringify(id.slice(0, 80))}: it may have been deleted`);
    },
    async configuration(c) {
      const id = c.req.param("id") ?? "";
      const view = configurationViewOf(store, await model(), id, params(c).get("experiment"));
      if (view !== null) return view;
      throw missing("a configuration", id);
    },
    async experiment(c) {
      const name = c.req.param("name") ?? "";
      const view = await experimentViewOf(store, await model(), name);
      if (view !== null) return view;
      throw missing("an experiment", name);
    },
    async samples(c) {
      const query = parseSamples(params(c));
      const view = await samplesOf(store, await model(), query);
      if (view !== null || query.run === null) return view;
      throw missing("a finished run", query.run);
    },
    async sample(c) {
      const [id, split, sample] = [c.req.param("id"), c.req.param("split"), Number(c.req.param("sample"))];
      const view = id === undefined || split !== "test" && split !== "validation" || !Number.isSafeInteger(sample)
        ? null
        : await sampleViewOf(store, await model(), source, id, split, sample, previewMs);
      if (view !== null) return view;
      throw missing("a sample", `${id}/${split}/${c.req.param("sample")}`);
    },
    features: async (c) => featuresViewOf(store, await model(), parseFeatures(params(c))),
  };
}

/** The query of a request. */
export function params(c: Context): URLSearchParams {
  return new URL(c.req.url).searchParams;
}

/** That something of a name is not there. */
export function missing(what: string, name: string): RequestError {
  return new RequestError(404, `Cannot find ${what} of the name ${JSON.stringify(name.slice(0, 80))}`);
}

/** The chart of an id. @throws {RequestError} If there is none. */
export function pick(charts: readonly Chart[], id: string): Chart {
  const chart = charts.find((candidate) => candidate.id === id);
  if (chart === undefined) throw missing("a chart", id);
  return chart;
}

/** A whole page, with what tells browsers to keep to the standard. */
export function documentOf(store: RunStore, frame: Omit<FrameProps, "folder" | "build">): ReturnType<typeof html> {
  return html`<!DOCTYPE html>${<Frame {...frame} folder={store.folder} build={build} />}`;
}
