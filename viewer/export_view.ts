/**
 * Exports without a server: what an address of the viewer shows, as a file.
 *
 * @module
 */
import { Refusal } from "../core/refusal.ts";
import { compareAnswer, experimentAnswer, gridAnswer, runAnswer } from "./api.ts";
import type { Chart } from "./charts.ts";
import { comparisonOf, differenceTable, settingTable } from "./compare.ts";
import { modelOf } from "./configurations.ts";
import { experimentParts, type Picture } from "./experiment_parts.ts";
import { experimentViewOf } from "./experiment_view.ts";
import { exportChart, type ExportFormat, exportPicture, exportTable } from "./exports.ts";
import { type Grid, gridOf } from "./grid.ts";
import { gridTable } from "./grid_table.ts";
import { gridChart } from "./grid_chart.ts";
import { parseCompare, parseGrid } from "./query.ts";
import { runTables, runViewOf } from "./run.ts";
import { sampleDifferences, sampleTable } from "./sample_tests.ts";
import type { RunStore } from "./store.ts";
import type { Table } from "./table.ts";

/** What a page shows that can be exported. */
export interface Exportable {
  /** Of the page. */
  readonly title: string;
  /** By name; the first is what is exported unless told otherwise. */
  readonly tables: Readonly<Record<string, () => Table>>;
  readonly charts: readonly Chart[];
  /** What is drawn and is no chart, by name. @default none */
  readonly pictures?: Readonly<Record<string, Picture>>;
  /** The answer of the API. */
  readonly json: () => unknown;
}

/**
 * Looks an address up.
 *
 * @param address Path and query of a page (`/`, `/runs/ID`, `/compare?c=ID,ID`), or the whole address from a browser.
 * @throws {Refusal} If there is no such page, or a value of its query is not valid.
 */
export async function exportableOf(store: RunStore, address: string): Promise<Exportable> {
  const url = URL.parse(address, "http://viewer/");
  if (url === null) {
    throw new Refusal({
      what: `export "${address}"`,
      must: "it must be an address of the viewer",
      found: "it is none",
    });
  }
  const snapshot = await store.snapshot();
  if (snapshot.problem !== null && snapshot.runs.length === 0) {
    throw new Refusal({ what: "export", must: "there must be runs", found: snapshot.problem });
  }
  const model = modelOf(snapshot);
  if (url.pathname === "/") {
    const grid = gridOf(model, parseGrid(url.searchParams), { allPages: true });
    if (grid.problems.length > 0) throw grid.problems[0];
    const { experiment } = grid;
    const parts = experiment === null
      ? { tables: {}, charts: [], pictures: {} }
      : await experimentParts(store, model, experiment);
    return {
      title: "Results",
      tables: {
        grid: () => gridTable(grid),
        ...Object.fromEntries(Object.entries(parts.tables).map(([name, table]) => [name, () => table])),
      },
      charts: [gridChart(grid), ...parts.charts],
      pictures: parts.pictures,
      json: () => gridAnswer(model, grid),
    };
  }
  if (url.pathname === "/compare") {
    const comparison = comparisonOf(store, model, parseCompare(url.searchParams));
    const samples = await sampleDifferences(store, comparison);
    if (comparison.missing.length > 0) {
      throw new Refusal({
        what: `compare "${comparison.missing[0].slice(0, 80)}"`,
        must: "it must be the id of a configuration or a run",
        found: `there is none of that name in "${store.folder}"`,
      });
    }
    return {
      title: "Comparison",
      tables: {
        differences: () => differenceTable(comparison),
        ...(samples.length === 0 ? {} : { samples: () => sampleTable(comparison, samples) }),
        settings: () => settingTable(comparison),
      },
      charts: comparison.charts,
      json: () => compareAnswer(comparison, samples),
    };
  }
  const name = /^\/experiments\/([^/]+)$/.exec(url.pathname)?.[1];
  const experiment = name === undefined ? null : await experimentViewOf(store, model, decodeURIComponent(name));
  if (experiment !== null) {
    return {
      title: experiment.experiment.name,
      tables: Object.fromEntries(Object.entries(experiment.tables).map(([own, table]) => [own, () => table])),
      charts: experiment.charts,
      pictures: experiment.pictures,
      json: () => experimentAnswer(experiment),
    };
  }
  const id = /^\/runs\/([^/]+)$/.exec(url.pathname)?.[1];
  const view = id === undefined ? null : await runViewOf(store, model, id);
  if (view === null) {
    throw new Refusal({
      what: `export "${address}"`,
      must: `it must be / or /runs/ID or /experiments/NAME or /compare?c=ID,ID of what is in "${store.folder}"`,
    });
  }
  return {
    title: `${view.configuration?.label ?? "Run"}, seed ${view.run.seed ?? "–"}`,
    tables: runTables(view),
    charts: view.charts,
    json: () => runAnswer(view),
  };
}

/**
 * The table of results at an address, with all its rows.
 *
 * @throws {Refusal} If it is another page, a value of its query is not valid, or there are no runs.
 */
export async function gridAt(store: RunStore, address: string): Promise<Grid> {
  const url = URL.parse(address, "http://viewer/");
  if (url?.pathname !== "/") {
    throw new Refusal({
      what: `export the runs of "${address}"`,
      must: "it must be the address of a table of results",
      found: "it is none",
      hint: 'write "/" or "/?experiment=NAME"',
    });
  }
  const snapshot = await store.snapshot();
  if (snapshot.problem !== null && snapshot.runs.length === 0) {
    throw new Refusal({ what: "export", must: "there must be runs", found: snapshot.problem });
  }
  const grid = gridOf(modelOf(snapshot), parseGrid(url.searchParams), { allPages: true });
  if (grid.problems.length > 0) throw grid.problems[0];
  return grid;
}

/** Names of what can be exported. */
export function itemsIn({ tables, charts, pictures = {} }: Exportable): string[] {
  return [...Object.keys(tables), ...charts.map(({ id }) => id), ...Object.keys(pictures)];
}

/**
 * Exports one thing.
 *
 * @param item Name of a table or chart; the first table if absent.
 * @throws {Refusal} If there is none of that name, or a PNG cannot be made here.
 */
export async function exportItem(
  exportable: Exportable,
  item: string | undefined,
  format: ExportFormat,
): Promise<string | Uint8Array<ArrayBuffer>> {
  const name = item ?? Object.keys(exportable.tables)[0];
  if (Object.hasOwn(exportable.tables, name)) return await exportTable(exportable.tables[name](), format);
  const { pictures = {} } = exportable;
  if (Object.hasOwn(pictures, name)) return await exportPicture(name, pictures[name], format);
  const chart = exportable.charts.find(({ id }) => id === name);
  if (chart === undefined) {
    throw new Refusal({ what: `export "${name}"`, must: `it must be one of ${itemsIn(exportable).join(", ")}` });
  }
  return await exportChart(chart, format, { theme: "light", width: 760, titled: true });
}
