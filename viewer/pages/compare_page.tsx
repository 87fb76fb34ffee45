/** @jsxImportSource hono/jsx */
/**
 * The page of a comparison.
 *
 * @module
 */
import type { FC } from "hono/jsx";
import { type Comparison, differenceTable, settingTable } from "../compare.ts";
import type { Model } from "../configurations.ts";
import { stateText } from "../measures.ts";
import { numberText } from "../numbers.ts";
import { compareUrl, maxCompared } from "../query.ts";
import { interval } from "../../experiments/statistics.ts";
import { type SampleDifference, sampleTable } from "../sample_tests.ts";
import { Controls } from "./compare_controls.tsx";
import { ChartFigure, DataTable, Exports } from "./parts.tsx";

/** The page. */
export const ComparePage: FC<{ comparison: Comparison; samples: readonly SampleDifference[]; model: Model }> = (
  { comparison, samples, model },
) => {
  const { query, items, missing, leftOut, charts, unknown } = comparison;
  const search = compareUrl(query, {}, "");
  return (
    <>
      <div class="title">
        <p class="crumbs">
          <a href="/">Results</a>
        </p>
        <h1>Compare</h1>
      </div>
      {missing.length > 0 && (
        <p class="note warn">Not there, perhaps deleted: {missing.map((id) => id.slice(0, 40)).join(", ")}</p>
      )}
      {leftOut > 0 && (
        <p class="note warn">
          {`The first ${items.length} of ${
            items.length + leftOut
          } chosen are compared: more lines cannot be told apart.`}
        </p>
      )}
      {items.length === 0 ? <Choose model={model} /> : (
        <>
          <Controls comparison={comparison} />
          <div role="status">
            {unknown.map((name) => <p class="note warn">{`No run here has a measure ${JSON.stringify(name)}.`}</p>)}
          </div>
          <section aria-labelledby="chosen">
            <h2 id="chosen">Chosen</h2>
            <ul class="chosen" id="items" data-live="">
              {items.map((item) => <Item item={item} comparison={comparison} />)}
            </ul>
          </section>
          <section aria-labelledby="curves">
            <h2 id="curves">Curves</h2>
            {charts.length === 0
              ? <p class="note">None of the chosen has an epoch with these measures.</p>
              : (
                <div class="charts">
                  {charts.map((chart) => (
                    <ChartFigure chart={chart} base="/compare/charts" api="/api/compare/charts" search={search} />
                  ))}
                </div>
              )}
          </section>
          <Differences comparison={comparison} samples={samples} search={search} />
        </>
      )}
    </>
  );
};

/** One of what is compared, with its seeds. */
const Item: FC<{ item: Comparison["items"][number]; comparison: Comparison }> = ({ item, comparison: { query } }) => {
  const { id, kind, label, runs } = item;
  const values = runs.flatMap(({ summary }) => summary === null ? [] : [summary.test.accuracy]);
  const over = values.length === 0 ? null : interval(values);
  const experiment = query.experiment === null ? "" : `?experiment=${encodeURIComponent(query.experiment)}`;
  return (
    <li>
      {kind === "configuration"
        ? (
          <a href={`/configurations/${id}${experiment}`}>
            <strong>{label}</strong>
          </a>
        )
        : <strong>{label}</strong>} <span class="muted">{stateText({ runs, counts: countsOf(runs), planned: 0 })}</span>
      {over !== null && (
        <>
          {" "}
          {numberText(over.mean, "percent", false)}
          {over.ci95 !== null && ` ± ${numberText(over.ci95, "percent", false)}`} %
        </>
      )}
      <span class="runs">
        {runs.map((run) => <a href={`/runs/${run.id}`}>seed {run.config.seed}</a>)}
      </span>
      <a
        class="remove"
        data-swap=""
        href={compareUrl(query, { c: query.c.filter((own) => own !== id), r: query.r.filter((own) => own !== id) })}
        aria-label={`Leave out ${label}`}
      >
        ×
      </a>
    </li>
  );
};

/** Differences over seeds and by samples, and settings that differ. */
const Differences: FC<{ comparison: Comparison; samples: readonly SampleDifference[]; search: string }> = (
  { comparison, samples, search },
) => {
  const { items, differences, settings, reference } = comparison;
  return (
    <>
      {differences.length > 0 && (
        <section aria-labelledby="differences">
          <h2 id="differences">Differences from {reference!.label}</h2>
          <div id="difference-table" data-live="">
            <DataTable table={differenceTable(comparison)} />
            <ul class="notes">{differenceTable(comparison).notes.map((note) => <li>{note}</li>)}</ul>
          </div>
          <Exports base="/compare/tables/differences" search={search} what="the differences" />
        </section>
      )}
      {samples.length > 0 && (
        <section aria-labelledby="samples">
          <h2 id="samples">By samples</h2>
          <div id="sample-table" data-live="">
            <DataTable table={sampleTable(comparison, samples)} />
            <ul class="notes">{sampleTable(comparison, samples).notes.map((note) => <li>{note}</li>)}</ul>
          </div>
          <Exports base="/compare/tables/samples" search={search} what="the differences by samples" />
        </section>
      )}
      {items.length > 1 && (
        <section aria-labelledby="settings">
          <h2 id="settings">Settings that differ</h2>
          {settings.length === 0 ? <p class="muted">They differ in their seeds alone.</p> : (
            <>
              <DataTable table={settingTable(comparison)} />
              <Exports base="/compare/tables/settings" search={search} what="the differing settings" />
            </>
          )}
        </section>
      )}
    </>
  );
};

function countsOf(runs: Comparison["items"][number]["runs"]) {
  const count = (state: string) => runs.filter((run) => run.state === state).length;
  return {
    finished: count("finished"),
    running: count("running"),
    failed: count("failed"),
    interrupted: count("interrupted"),
  };
}

/** Configurations offered at most. */
const offered = 100;

const Choose: FC<{ model: Model }> = ({ model }) => (
  <section class="empty">
    <h2>Nothing is chosen yet</h2>
    {model.configurations.length === 0 ? <p>There are no runs.</p> : (
      <form action="/compare" method="get">
        <fieldset>
          <legend>Choose up to {maxCompared} configurations</legend>
          {model.configurations.slice(0, offered).map(({ id, label }) => (
            <label>
              <input type="checkbox" name="c" value={id} /> {label}
            </label>
          ))}
        </fieldset>
        {model.configurations.length > offered && (
          <p class="muted">
            More are in the <a href="/">table of results</a>.
          </p>
        )}
        <button type="submit">Compare</button>
      </form>
    )}
  </section>
);
