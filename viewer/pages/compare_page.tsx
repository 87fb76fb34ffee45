/** @jsxImportSource hono/jsx */
/**
 * The page of a comparison.
 *
 * @module
 */
import type { FC } from "hono/jsx";
import { type Comparison, differenceTable, settingTable } from "../compare.ts";
import type { Model } from "../configurations.ts";
import { numberText, stateText } from "../measures.ts";
import { asksFor, compareUrl, maxCompared, plainCompare, presets } from "../query.ts";
import { interval } from "../../experiments/statistics.ts";
import { type SampleDifference, sampleTable } from "../sample_tests.ts";
import { ChartFigure, DataTable, Exports } from "./parts.tsx";

/** Weights of smoothing that are offered. */
const weights = [0, 0.3, 0.6, 0.9];

/** The page. */
export const ComparePage: FC<{ comparison: Comparison; samples: readonly SampleDifference[]; model: Model }> = (
  { comparison, samples, model },
) => {
  const { query, items, missing, leftOut, charts, differences, settings, reference } = comparison;
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
          <section aria-labelledby="chosen">
            <h2 id="chosen">Chosen</h2>
            <ul class="chosen" id="items" data-live="">
              {items.map((item) => {
                const values = item.runs.flatMap(({ summary }) => summary === null ? [] : [summary.test.accuracy]);
                const over = values.length === 0 ? null : interval(values);
                return (
                  <li>
                    <strong>{item.label}</strong>{" "}
                    <span class="muted">{stateText({ runs: item.runs, counts: countsOf(item.runs), planned: 0 })}</span>
                    {over !== null && (
                      <>
                        {" "}
                        {numberText(over.mean, "percent", false)}
                        {over.ci95 !== null && ` ± ${numberText(over.ci95, "percent", false)}`} %
                      </>
                    )}
                    <span class="runs">
                      {item.runs.map((run) => <a href={`/runs/${run.id}`}>seed {run.config.seed}</a>)}
                    </span>
                    <a
                      class="remove"
                      data-swap=""
                      href={compareUrl(query, {
                        c: query.c.filter((id) => id !== item.id),
                        r: query.r.filter((id) => id !== item.id),
                      })}
                      aria-label={`Leave out ${item.label}`}
                    >
                      ×
                    </a>
                  </li>
                );
              })}
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

const Controls: FC<{ comparison: Comparison }> = ({ comparison }) => {
  const { query, items, measures } = comparison;
  const steps = weights.includes(query.smooth) ? weights : [...weights, query.smooth].sort((a, b) => a - b);
  return (
    <form class="filters" id="controls" action="/compare" method="get" data-auto="" aria-label="What is compared">
      <input type="hidden" name="c" value={query.c.join(",")} />
      <input type="hidden" name="r" value={query.r.join(",")} />
      {query.experiment !== null && <input type="hidden" name="experiment" value={query.experiment} />}
      <label>
        <span>Smoothing</span>
        <select name="smooth">
          {steps.map((weight) => (
            <option value={weight === 0 ? "" : String(weight)} selected={query.smooth === weight}>
              {weight === 0 ? "none" : `moving average, ${weight}`}
            </option>
          ))}
        </select>
      </label>
      <label>
        <span>Over</span>
        <select name="x" data-usual="epoch">
          <option value="epoch" selected={query.x === "epoch"}>epochs</option>
          <option value="samples" selected={query.x === "samples"}>samples drawn</option>
        </select>
      </label>
      {items.length > 1 && (
        <label>
          <span>Reference</span>
          <select name="reference" data-usual={items[0].id}>
            {items.map(({ id, label }) => (
              <option value={id} selected={comparison.reference?.id === id}>{label}</option>
            ))}
          </select>
        </label>
      )}
      <a class="reset" href={compareUrl(plainCompare, { c: query.c, r: query.r, experiment: query.experiment })}>
        Reset
      </a>
      <nav class="presets" aria-label="Sets of measures">
        {presets.filter(([_, metric]) => measures.some(({ key }) => asksFor(metric, key))).map(([name, metric]) => (
          <a
            href={compareUrl(query, { metric })}
            data-swap=""
            aria-current={metric.join() === query.metric.join() ? "true" : undefined}
          >
            {name}
          </a>
        ))}
      </nav>
      <details class="columns" id="measures">
        <summary>Measures</summary>
        <fieldset>
          <legend>Curves drawn, at most 12</legend>
          <input
            type="hidden"
            name="metric"
            value=""
            data-usual={measures.filter(({ key }) => asksFor(plainCompare.metric, key)).map(({ key }) => key).join(",")}
          />
          {measures.map(({ key, title }) => (
            <label>
              <input type="checkbox" name="metric" value={key} checked={asksFor(query.metric, key)} />
              {title}
            </label>
          ))}
        </fieldset>
      </details>
      <button type="submit" data-apply="">Apply</button>
    </form>
  );
};
