/** @jsxImportSource hono/jsx */
/**
 * The page of one configuration.
 *
 * @module
 */
import type { FC } from "hono/jsx";
import { versusSentence } from "../../experiments/versus.ts";
import { type ConfigurationView, differingSettings, seedsTable, settingsTable } from "../configuration.ts";
import type { KnownRun } from "../configurations.ts";
import { stateText } from "../measures.ts";
import { numberText } from "../numbers.ts";
import { compareUrl, gridUrl, plainCompare, plainGrid } from "../query.ts";
import { ChartFigure, DataTable, Exports, Fold, StateBadge } from "./parts.tsx";
import { standingText } from "./standing.ts";

/** The page. */
export const ConfigurationPage: FC<{ view: ConfigurationView }> = ({ view }) => {
  const { configuration, charts, experiment } = view;
  const base = `/configurations/${configuration.id}`;
  const search = experiment === null ? "" : `?experiment=${encodeURIComponent(experiment)}`;
  const seeds = seedsTable(view);
  const reports = charts.filter(({ id }) => id.startsWith("report-"));
  const figures = (own: typeof charts) => (
    <div class="charts">
      {own.map((chart) => (
        <ChartFigure chart={chart} base={`${base}/charts`} api={`/api${base}/charts`} search={search} />
      ))}
    </div>
  );
  return (
    <>
      <Head view={view} />
      <Fold id="seeds" title="Seeds">
        <ul class="chosen">{configuration.runs.map((run) => <Seed run={run} />)}</ul>
        <div class="spaced">
          <DataTable table={seeds} />
        </div>
        <ul class="notes">{seeds.notes.map((note) => <li>{note}</li>)}</ul>
        <Exports base={`${base}/tables/seeds`} search={search} what="the seeds" />
      </Fold>
      {charts.length > 0 && (
        <Fold id="curves" title={`Curves over ${view.drawn}`} live={false}>
          {figures(charts.filter(({ id }) => !id.startsWith("report-")))}
        </Fold>
      )}
      {reports.length > 0 && (
        <Fold id="reports" title="What methods report" live={false} open={false}>{figures(reports)}</Fold>
      )}
      <Fold id="settings" title="Settings">
        <Settings view={view} />
        <Exports base={`${base}/tables/settings`} search={search} what="the settings" />
      </Fold>
    </>
  );
};

/** What differs from the reference, and all of it folded. */
const Settings: FC<{ view: ConfigurationView }> = ({ view }) => {
  const table = settingsTable(view);
  const first = differingSettings(view);
  return (
    <>
      {first > 0 && (
        <DataTable
          table={{
            ...table,
            title: `Settings that differ from ${view.reference!.label}`,
            rows: table.rows.slice(0, first),
          }}
        />
      )}
      <details id="all-settings" open={first === 0}>
        <summary>
          {first === 0 ? "All settings" : `${table.rows.length - first} further settings, the same in both`}
        </summary>
        <DataTable table={{ ...table, rows: table.rows.slice(first) }} />
      </details>
    </>
  );
};

/** Name, accuracy, and what it is worth beside the reference. */
const Head: FC<{ view: ConfigurationView }> = ({ view: { configuration, result, reference, experiment } }) => {
  const { label, id } = configuration;
  const grid = gridUrl(plainGrid, { experiment: experiment ?? "all" });
  const versus = result?.versus ?? null;
  return (
    <div class="title">
      <p class="crumbs">
        <a href={grid}>{experiment === null ? "Results" : `Results of ${experiment}`}</a>
      </p>
      <h1>{label}</h1>
      <div id="state" data-live="">
        <p class="summary">
          {result !== null && (
            <>
              <strong>
                {numberText(result.testAccuracy.mean, "percent", false)}
                {result.testAccuracy.ci95 !== null && ` ± ${numberText(result.testAccuracy.ci95, "percent", false)}`} %
              </strong>{" "}
              test accuracy,{" "}
            </>
          )}
          {stateText(configuration)}
        </p>
        {versus !== null && <p class="answer">{`${versusSentence(label, versus)}.`}</p>}
      </div>
      {reference !== null && (
        <p>
          <a href={compareUrl(plainCompare, { c: [id, reference.id], reference: reference.id, experiment })}>
            Compare with {reference.label}
          </a>
        </p>
      )}
    </div>
  );
};

const Seed: FC<{ run: KnownRun }> = ({ run }) => (
  <li>
    <a href={`/runs/${run.id}`}>seed {run.config.seed}</a> <StateBadge state={run.state} />{" "}
    {run.testAccuracy !== null && <strong>{numberText(run.testAccuracy, "percent")}</strong>}{" "}
    <span class="muted">{standingText(run)}</span>
    {run.reason !== null && <p class="reason">{run.reason}</p>}
  </li>
);
