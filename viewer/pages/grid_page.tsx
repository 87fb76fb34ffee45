/** @jsxImportSource hono/jsx */
/**
 * The page of all configurations.
 *
 * @module
 */
import type { FC } from "hono/jsx";
import type { Model } from "../configurations.ts";
import { configurationsOf, progressText } from "../experiment.ts";
import { besideRows, experimentUrl } from "../experiment_view.ts";
import { gridChart } from "../grid_chart.ts";
import type { Grid } from "../grid.ts";
import { gridUrl } from "../query.ts";
import { shellWord } from "../run.ts";
import { Filters } from "./grid_filters.tsx";
import { GridTable } from "./grid_rows.tsx";
import { ChartFigure } from "./parts.tsx";

/** The page. */
export const GridPage: FC<{ model: Model; grid: Grid; folder: string }> = ({ model, grid, folder }) => {
  const chart = gridChart(grid);
  return (
    <>
      <Title model={model} grid={grid} />
      <div id="problem" data-live="">{model.problem !== null && <p class="note warn">{model.problem}</p>}</div>
      {model.runs.size === 0 && grid.experiment === null
        ? (
          <section class="empty" id="empty" data-live="">
            <h2>No runs yet</h2>
            <p>Start a bench, and its runs show up here while they go on:</p>
            <pre><code>{`deno task bench --runs ${shellWord(folder)}`}</code></pre>
          </section>
        )
        : (
          <>
            <div id="answer" data-live="">{grid.answer !== null && <p class="answer">{`${grid.answer}.`}</p>}</div>
            <Filters grid={grid} model={model} />
            <div id="query-problems" role="status">
              {grid.problems.map(({ message }) => <p class="note warn">{message}</p>)}
            </div>
            <div id="table" data-live="">
              <GridTable grid={grid} />
            </div>
            <form id="compare" action="/compare" method="get" class="comparebar">
              {grid.experiment !== null && (
                <input type="hidden" name="experiment" value={grid.experiment.name} data-kept="" />
              )}
              <button type="submit">Compare chosen</button>
              <button type="button" class="clear" hidden>Clear</button>
              <span class="hint">Choose configurations by their boxes.</span>
            </form>
            {chart.rows.length > 0 && (
              <section aria-labelledby="at-a-glance">
                <h2 id="at-a-glance">At a glance</h2>
                <ChartFigure
                  chart={chart}
                  base="/charts"
                  api="/api/charts"
                  search={gridUrl(grid.query, {}, "")}
                  wide
                />
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

/** What is shown, and how far it is. */
const Title: FC<{ model: Model; grid: Grid }> = ({ model, grid }) => {
  const { experiment } = grid;
  const rows = experiment === null ? null : configurationsOf(model, experiment);
  const runs = rows === null ? [...model.runs.values()] : rows.flatMap((row) => row.runs);
  const trials = experiment?.tuning?.rows.reduce((sum, row) => sum + row.trials.length, 0) ?? 0;
  const configurations = rows === null ? model.configurations.length : rows.length - trials;
  const count = (state: string) => runs.filter((run) => run.state === state).length;
  const states = (["finished", "running", "failed", "interrupted", "broken"] as const).filter((own) => count(own) > 0);
  const beside = experiment === null ? null : besideRows(experiment);
  return (
    <div class="title">
      <h1>{experiment === null ? "Results" : `Results of ${experiment.name}`}</h1>
      {experiment?.question && <p class="question">{experiment.question}</p>}
      <p id="summary" class="summary" data-live="">
        <strong>{configurations}</strong> {configurations === 1 ? "configuration" : "configurations"}
        {trials > 0 && ` and their ${trials} trial${trials === 1 ? "" : "s"}`}, {rows === null
          ? (
            <>
              <strong>{runs.length}</strong> {runs.length === 1 ? "run" : "runs"}
            </>
          )
          : progressText(rows)}
        {states.map((state) => (
          <>
            {" "}
            <span class={`count ${state}`}>{count(state)} {state}</span>
          </>
        ))}
      </p>
      {experiment !== null && beside !== null && (
        <p>
          <a href={experimentUrl(experiment.name)}>{beside[0].toUpperCase()}{beside.slice(1)}</a>
        </p>
      )}
    </div>
  );
};

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
