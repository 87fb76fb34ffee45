/** @jsxImportSource hono/jsx */
/**
 * The page of all configurations.
 *
 * @module
 */
import type { Child, FC } from "hono/jsx";
import { gridChart } from "../grid_chart.ts";
import type { Configuration, KnownRun, Model } from "../configurations.ts";
import { type Choices, choicesOf, type Grid, type GridRow } from "../grid.ts";
import { hasSpread, type Measure, type Measured, measureTitle, numberText, rankText, stateText } from "../measures.ts";
import { gridUrl, plainGrid } from "../query.ts";
import { shellWord } from "../run.ts";
import { settingText } from "../settings.ts";
import { ChartFigure, Exports, StateBadge } from "./parts.tsx";

/** The text after `?` of a grid's address. */
export function gridSearch(grid: Grid): string {
  return gridUrl(grid.query, {}, "");
}

/** The page. */
export const GridPage: FC<{ model: Model; grid: Grid; folder: string }> = ({ model, grid, folder }) => {
  const runs = [...model.runs.values()];
  const count = (state: string) => runs.filter((run) => run.state === state).length;
  const chart = gridChart(grid);
  const search = gridSearch(grid);
  return (
    <>
      <div class="title">
        <h1>Results</h1>
        <p id="summary" class="summary" data-live="">
          <strong>{model.configurations.length}</strong>{" "}
          {model.configurations.length === 1 ? "configuration" : "configurations"}, <strong>{runs.length}</strong>{" "}
          {runs.length === 1 ? "run" : "runs"}
          {(["finished", "running", "failed", "interrupted", "broken"] as const).filter((state) => count(state) > 0)
            .map((
              state,
            ) => (
              <>
                {" "}
                <span class={`count ${state}`}>{count(state)} {state}</span>
              </>
            ))}
        </p>
      </div>
      <div id="problem" data-live="">{model.problem !== null && <p class="note warn">{model.problem}</p>}</div>
      {model.runs.size === 0
        ? (
          <section class="empty" id="empty" data-live="">
            <h2>No runs yet</h2>
            <p>Start a bench, and its runs show up here while they go on:</p>
            <pre><code>{`deno task bench --runs ${shellWord(folder)}`}</code></pre>
          </section>
        )
        : (
          <>
            <Filters grid={grid} choices={choicesOf(model)} />
            <div id="query-problems" role="status">
              {grid.problems.map(({ message }) => <p class="note warn">{message}</p>)}
            </div>
            <div id="table" data-live="">
              <GridTable grid={grid} />
            </div>
            <form id="compare" action="/compare" method="get" class="comparebar">
              <button type="submit">Compare chosen</button>
              <button type="button" class="clear" hidden>Clear</button>
              <span class="hint">Choose configurations by their boxes.</span>
            </form>
            {chart.rows.length > 0 && (
              <section aria-labelledby="at-a-glance">
                <h2 id="at-a-glance">At a glance</h2>
                <ChartFigure chart={chart} base="/charts" api="/api/charts" search={search} wide />
              </section>
            )}
            <div id="broken" data-live="">
              <Broken model={model} />
            </div>
          </>
        )}
    </>
  );
};

const Select: FC<{ name: string; title: string; values: readonly string[]; chosen: readonly string[]; all: string }> = (
  { name, title, values, chosen, all },
) => (
  <label>
    <span>{title}</span>
    <select name={name}>
      <option value="">{all}</option>
      {chosen.length > 1 && <option value={chosen.join(",")} selected>{chosen.join(", ")}</option>}
      {values.map((value) => (
        <option value={value} selected={chosen.length === 1 && chosen[0] === value}>{value}</option>
      ))}
    </select>
  </label>
);

const Filters: FC<{ grid: Grid; choices: Choices }> = ({ grid, choices }) => {
  const { query } = grid;
  const shown = new Set(grid.shown.map(({ key }) => key));
  return (
    <form class="filters" id="filters" action="/" method="get" data-auto="" role="search" aria-label="Filter results">
      <label class="grow">
        <span>Search</span>
        <input
          type="search"
          name="q"
          value={query.q}
          maxlength={400}
          placeholder="arm training.epochs>=10"
          aria-describedby="search-help"
        />
      </label>
      <span id="search-help" class="hidden">
        Words, or conditions such as training.epochs&gt;=10 and accuracy&gt;90, in the units of the table
      </span>
      <Select name="dataset" title="Dataset" values={choices.dataset} chosen={query.dataset} all="all" />
      <Select name="fusion" title="Fusion" values={choices.fusion} chosen={query.fusion} all="all" />
      <Select name="method" title="Method" values={choices.method} chosen={query.method} all="all" />
      <Select
        name="state"
        title="With runs"
        values={["finished", "running", "failed", "interrupted"]}
        chosen={query.state}
        all="in any state"
      />
      <label>
        <span>Group by</span>
        <select name="group" data-usual="none">
          {["none", "dataset", "fusion", "method"].map((value) => (
            <option value={value} selected={query.group === value}>{value}</option>
          ))}
        </select>
      </label>
      <label>
        <span>Settings</span>
        <select name="settings" data-usual="differing">
          {[["differing", "that differ"], ["all", "all"], ["none", "none"]].map(([value, text]) => (
            <option value={value} selected={query.settings === value}>{text}</option>
          ))}
        </select>
      </label>
      <a class="reset" href="/">Reset</a>
      <details class="columns" id="columns">
        <summary>Columns</summary>
        <fieldset>
          <legend>Measures shown</legend>
          <input
            type="hidden"
            name="columns"
            value=""
            data-usual={grid.measures.filter(({ usual }) =>
              usual
            ).map(({ key }) =>
              key
            ).join(",")}
          />
          {grid.measures.map((measure) => (
            <label title={measure.about}>
              <input type="checkbox" name="columns" value={measure.key} checked={shown.has(measure.key)} />
              {measure.title}
            </label>
          ))}
        </fieldset>
      </details>
      {query.sort !== plainGrid.sort && <input type="hidden" name="sort" value={query.sort} />}
      <button type="submit" data-apply="">Apply</button>
    </form>
  );
};

const SortHead: FC<{ grid: Grid; key_: string; title: string; about?: string; right?: boolean }> = (
  { grid, key_, title, about, right },
) => {
  const { sort } = grid.query;
  const current = sort === key_ ? "ascending" : sort === `-${key_}` ? "descending" : "none";
  // Numbers are looked at from the largest on, names and ranks from the first.
  const next = current === "none"
    ? (right && key_ !== "rank" ? `-${key_}` : key_)
    : current === "ascending"
    ? `-${key_}`
    : key_;
  return (
    <th scope="col" class={right ? "right" : "left"} aria-sort={current === "none" ? undefined : current} title={about}>
      <a href={gridUrl(grid.query, { sort: next, page: 1 })} data-swap="" rel="nofollow">
        {title}
        <span class="arrow" aria-hidden="true">
          {current === "ascending" ? "↑" : current === "descending" ? "↓" : ""}
        </span>
      </a>
    </th>
  );
};

/** The seeds stand after the first measure, so that a phone shows that measure beside the name. */
function beside(measures: readonly Child[], seeds: Child): Child[] {
  return [...measures.slice(0, 1), seeds, ...measures.slice(1)];
}

const GridTable: FC<{ grid: Grid }> = ({ grid }) => {
  const width = 5 + grid.shown.length + grid.settings.length;
  const search = gridSearch(grid);
  return (
    <>
      <div class="scroll" tabindex={0} role="region" aria-label="Configurations">
        <table class="grid">
          <caption class="hidden">Configurations, a row each; their seeds fold out</caption>
          <thead>
            <tr>
              <th scope="col" class="pick">
                <span class="hidden">Compare</span>
              </th>
              <SortHead grid={grid} key_="rank" title="Rank" about="Ties by the paired test share a rank" right />
              <SortHead grid={grid} key_="name" title="Configuration" />
              {beside(
                grid.shown.map((measure) => (
                  <SortHead grid={grid} key_={measure.key} title={measureTitle(measure)} about={measure.about} right />
                )),
                <SortHead grid={grid} key_="seeds" title="Seeds" />,
              )}
              {grid.settings.map((name) => <SortHead grid={grid} key_={name} title={name} />)}
            </tr>
          </thead>
          {grid.groups.map(({ title, rows }) => (
            <tbody>
              {title !== null && (
                <tr class="group">
                  <th scope="rowgroup" colspan={width}>
                    {title} <span class="muted">({rows.length})</span>
                  </th>
                </tr>
              )}
              {rows.map((row) => <ConfigurationRows grid={grid} row={row} width={width} />)}
            </tbody>
          ))}
        </table>
      </div>
      {grid.total === 0 && (
        <p class="note">
          No configuration fits. <a href="/">Show all</a>
        </p>
      )}
      <div class="under">
        <ul class="notes">{grid.notes.map((note) => <li>{note}</li>)}</ul>
        <Exports base="/grid" search={search} what="this table" />
      </div>
      {grid.pages > 1 && <Pages grid={grid} />}
    </>
  );
};

const Pages: FC<{ grid: Grid }> = ({ grid }) => {
  const { page } = grid.query;
  return (
    <nav class="pages" aria-label="Pages of the table">
      {page > 1 && <a href={gridUrl(grid.query, { page: page - 1 })} data-swap="" rel="prev">Previous</a>}
      <span>Page {page} of {grid.pages} ({grid.total} configurations)</span>
      {page < grid.pages && <a href={gridUrl(grid.query, { page: page + 1 })} data-swap="" rel="next">Next</a>}
    </nav>
  );
};

const Value: FC<{ measure: Measure; value: Measured | null; best?: boolean }> = ({ measure, value, best }) => {
  if (value === null) return <td class="right muted">–</td>;
  const mean = numberText(value.mean, measure.unit, false);
  return (
    <td class={best ? "right best" : "right"}>
      {mean}
      {hasSpread(measure) && (
        value.ci95 === null
          ? <span class="ci muted" title="One seed has no interval"></span>
          : <span class="ci">{` ± ${numberText(value.ci95, measure.unit, false)}`}</span>
      )}
    </td>
  );
};

/** Share of a configuration's epochs that are done, over its runs. */
function progressOf(runs: readonly KnownRun[]): number {
  const share = (run: KnownRun) =>
    run.state === "finished" ? 1 : Math.min(1, run.epochs / Math.max(1, run.epochsPlanned ?? 1));
  return runs.reduce((sum, run) => sum + share(run), 0) / runs.length;
}

const SeedsCell: FC<{ configuration: Configuration }> = ({ configuration }) => {
  const { counts, runs } = configuration;
  const done = counts.finished === runs.length;
  return (
    <td class="seeds">
      <span>{stateText(configuration)}</span>
      {!done && (
        <progress max="1" value={progressOf(runs).toFixed(3)} aria-label="Epochs done of all planned">
          {Math.round(100 * progressOf(runs))} %
        </progress>
      )}
      {counts.failed > 0 && <StateBadge state="failed" />}
    </td>
  );
};

const ConfigurationRows: FC<{ grid: Grid; row: GridRow; width: number }> = ({ grid, row, width }) => {
  const { configuration, result, values } = row;
  const { id, label, runs, settings } = configuration;
  const open = grid.query.open.includes(id);
  const toggled = open ? grid.query.open.filter((other) => other !== id) : [...grid.query.open, id];
  return (
    <>
      <tr class={open ? "row open" : "row"}>
        <td class="pick">
          <input type="checkbox" form="compare" name="c" value={id} aria-label={`Compare ${label}`} />
        </td>
        <td class="right rank">{rankText(result ?? undefined)}</td>
        <th scope="row" class="name">
          <a
            class="fold"
            href={gridUrl(grid.query, { open: toggled })}
            data-swap=""
            rel="nofollow"
            aria-expanded={open ? "true" : "false"}
            aria-label={`${open ? "Hide" : "Show"} the seeds of ${label}`}
          >
            <span aria-hidden="true">{open ? "▾" : "▸"}</span>
          </a>
          {runs.length === 1 ? <a href={`/runs/${runs[0].id}`}>{label}</a> : <a href={`/compare?c=${id}`}>{label}</a>}
          {result?.readsLabels && (
            <span class="badge failed" title="Predictions were computed from the labels of what was predicted: no rank">
              reads test labels
            </span>
          )}
          {result?.best && (
            <span class="star" title="The paired test tells it from every other shown">
              ★<span class="hidden">best</span>
            </span>
          )}
        </th>
        {beside(
          grid.shown.map((measure) => (
            <Value measure={measure} value={values[measure.key]} best={measure.key === "accuracy" && result?.best} />
          )),
          <SeedsCell configuration={configuration} />,
        )}
        {grid.settings.map((name) => (
          <td class={settings[name] === undefined ? "setting muted" : "setting"}>{settingText(settings[name])}</td>
        ))}
      </tr>
      {open && runs.map((run) => <SeedRow grid={grid} run={run} width={width} />)}
    </>
  );
};

const SeedRow: FC<{ grid: Grid; run: KnownRun; width: number }> = ({ grid, run, width }) => (
  <>
    <tr class="seed">
      <td class="pick">
        <input
          type="checkbox"
          form="compare"
          name="r"
          value={run.id}
          aria-label={`Compare seed ${run.config.seed}, run ${run.id}`}
        />
      </td>
      <td></td>
      <th scope="row" class="name">
        <a href={`/runs/${run.id}`}>seed {run.config.seed}</a> <code class="muted">{run.id.slice(0, 8)}</code>
      </th>
      {beside(
        grid.shown.map((measure) => {
          const value = measure.of(run);
          return value === null || !Number.isFinite(value)
            ? <td class="right muted">–</td>
            : <td class="right">{numberText(value, measure.unit, false)}</td>;
        }),
        <td class="seeds">
          <StateBadge state={run.state} />
          {run.state !== "finished" && <span class="muted">epoch {run.epochs} of {run.epochsPlanned}</span>}
        </td>,
      )}
      {grid.settings.map(() => <td></td>)}
    </tr>
    {run.reason !== null && (
      <tr class="cause">
        <td></td>
        <td></td>
        <td colspan={width - 3}>
          <strong>Cause:</strong> {run.reason}
          {run.failure?.command && (
            <span class="again">
              {"Run it again: "}
              <code>{run.failure.command}</code>
            </span>
          )}
        </td>
      </tr>
    )}
  </>
);

/** Broken folders shown at most. */
const maxBroken = 100;

const Broken: FC<{ model: Model }> = ({ model }) => {
  if (model.broken.length === 0) return null;
  return (
    <section aria-labelledby="broken-head">
      <h2 id="broken-head">Folders that are no whole run</h2>
      <p class="muted">They are left out above, and nothing else is wrong because of them.</p>
      <div class="scroll" tabindex={0} role="region" aria-label="Folders that are no whole run">
        <table class="data">
          <thead>
            <tr>
              <th scope="col" class="left">Folder</th>
              <th scope="col" class="left">What is wrong</th>
            </tr>
          </thead>
          <tbody>
            {model.broken.slice(0, maxBroken).map((run) => (
              <tr>
                <th scope="row" class="left">
                  <code>{run.id.slice(0, 200)}</code>
                </th>
                <td class="wrap">{run.reason}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {model.broken.length > maxBroken && <p class="note">Only {maxBroken} of {model.broken.length} are shown.</p>}
    </section>
  );
};
