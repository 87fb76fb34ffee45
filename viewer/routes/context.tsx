/** @jsxImportSource hono/jsx */
/**
 * What all routes share: views of the runs as an address asks for them, and pages around them.
 *
 * @module
 */
import type { Context } from "hono";
import { html } from "hono/html";
import { build } from "../assets.ts";
import type { Chart } from "../charts.ts";
import { type Comparison, comparisonOf } from "../compare.ts";
import { type Model, modelOf } from "../configurations.ts";
import { type Grid, gridOf } from "../grid.ts";
import { Frame, type FrameProps } from "../pages/parts.tsx";
import { parseCompare, parseGrid } from "../query.ts";
import { type RunView, runViewOf } from "../run.ts";
import { RequestError } from "../security.ts";
import type { RunStore } from "../store.ts";

/** Views of a store, as requests ask for them. */
export interface Views {
  readonly store: RunStore;
  /** All runs as they are now. */
  model(): Promise<Model>;
  /** @throws {Refusal} If a value of the address is not valid. */
  grid(c: Context, options?: { readonly allPages?: boolean }): Promise<Grid>;
  /** @throws {Refusal} If a value of the address is not valid. */
  comparison(c: Context): Promise<Comparison>;
  /** @throws {RequestError} If there is no such run. */
  run(c: Context): Promise<RunView>;
}

/** Views of a store. */
export function viewsOf(store: RunStore): Views {
  const model = async () => modelOf(await store.snapshot());
  return {
    store,
    model,
    grid: async (c, options) => gridOf(await model(), parseGrid(params(c)), options),
    comparison: async (c) => comparisonOf(store, await model(), parseCompare(params(c))),
    async run(c) {
      const id = c.req.param("id") ?? "";
      const view = await runViewOf(store, await model(), id);
      if (view !== null) return view;
      throw new RequestError(404, `Cannot find run ${JSON.stringify(id.slice(0, 80))}: it may have been deleted`);
    },
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
