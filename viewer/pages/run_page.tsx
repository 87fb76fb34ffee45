/** @jsxImportSource hono/jsx */
/**
 * The page of one run.
 *
 * @module
 */
import type { FC } from "hono/jsx";
import type { Chart } from "../charts.ts";
import { duration, grouped } from "../numbers.ts";
import { configurationTable, epochTable, resultTable, type RunView } from "../run.ts";
import { ClassSection, SampleSection } from "./evidence_section.tsx";
import { ChartFigure, DataTable, Exports, Fold, OlderBadge, StateBadge } from "./parts.tsx";

/** Epochs in the table of the page at most; the export has all. */
const tableEpochs = 200;

const Fact: FC<{ name: string; children?: unknown }> = ({ name, children }) => (
  <div>
    <dt>{name}</dt>
    <dd>{children as string}</dd>
  </div>
);

/** Bytes as people read them. */
export function bytesText(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB"];
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}

const Facts: FC<{ view: RunView }> = ({ view: { run, epochs } }) => {
  const { config, timing, summary, progress } = run;
  return (
    <dl class="facts">
      <Fact name="Epochs">
        {run.state === "finished" ? `${run.epochs}` : `${epochs.total} of ${run.epochsPlanned ?? "–"}`}
      </Fact>
      {run.samplesDrawn !== null && <Fact name="Samples drawn">{grouped(run.samplesDrawn)}</Fact>}
      {run.state === "running" && progress !== null && (
        <Fact name="Speed">{`${Math.round(progress.samplesPerSecond)} samples/s`}</Fact>
      )}
      {summary !== null && <Fact name="Parameters">{grouped(summary.parameters)}</Fact>}
      {timing !== null && <Fact name="Time">{duration(timing.seconds)}</Fact>}
      {timing !== null && <Fact name="Median step">{`${timing.stepMs.toPrecision(3)} ms`}</Fact>}
      {config !== null && (
        <>
          <Fact name="Engine">{`${config.engine.name}, ${config.engine.version}`}</Fact>
          <Fact name="Device">
            {timing?.device ?? `${config.engine.threads} thread${config.engine.threads === 1 ? "" : "s"}`}
          </Fact>
          <Fact name="Versions">
            {`armlab ${config.version}${timing === null ? "" : `, Deno ${timing.deno}`}` +
              `${run.older === 1 ? "; as of an older version, which is not gone on with" : ""}`}
          </Fact>
          <Fact name="Data">{config.dataset.name}</Fact>
          <Fact name="Data fingerprint">
            <code>{config.dataset.fingerprint}</code>
          </Fact>
          {config.git !== undefined && (
            <Fact name="Commit">
              <code>{config.git}</code>
            </Fact>
          )}
          {config.plugins.length > 0 && <Fact name="Plugins">{config.plugins.join(", ")}</Fact>}
        </>
      )}
      {timing !== null && <Fact name="Finished">{timing.finishedAt}</Fact>}
    </dl>
  );
};

/** The settings of a run by part, side by side. */
const Configuration: FC<{ view: RunView }> = ({ view }) => {
  const groups = new Map<string, (readonly [string, string])[]>();
  const { rows } = configurationTable(view);
  for (const [name, value] of rows) {
    const parts = name.text.split(".");
    // A part with options heads a block of its own.
    const heads = parts.length === 1 || rows.some(([other]) => other.text.startsWith(`${name.text}.`));
    const group = heads ? name.text : parts.slice(0, -1).join(".");
    groups.set(group, [...groups.get(group) ?? [], [heads ? group : parts.at(-1)!, value.text]]);
  }
  // What stands alone (modalities, plugins, seed) shares one block.
  const several = [...groups].filter(([_, own]) => own.length > 1);
  const single = [...groups].filter(([_, own]) => own.length === 1).flatMap(([_, own]) => own);
  return (
    <div class="settings">
      {[...several, ...(single.length === 0 ? [] : [["further", single] as const])].map(([group, own]) => (
        <dl>
          <div class="head">
            <dt>{group}</dt>
            <dd>{own[0][0] === group ? own[0][1] : ""}</dd>
          </div>
          {own.filter(([name]) => name !== group).map(([name, value]) => (
            <div>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      ))}
    </div>
  );
};

/** The page. */
export const RunPage: FC<{ view: RunView }> = ({ view }) => {
  const { run, charts, epochs } = view;
  const base = `/runs/${run.id}`;
  const reported = (chart: Chart) => chart.kind === "histogram" || chart.id.startsWith("report-");
  const apart = new Set(["reliability"]);
  const curves = charts.filter((chart) => chart.kind === "lines" && !apart.has(chart.id) && !reported(chart));
  const reports = charts.filter(reported);
  const figures = (own: readonly Chart[]) => (
    <div class="charts">
      {own.map((chart) => <ChartFigure chart={chart} base={`${base}/charts`} api={`/api${base}/charts`} />)}
    </div>
  );
  return (
    <>
      <Head view={view} />
      <Happened view={view} />
      {epochs.records.length === 0
        ? (
          <p class="note" id="no-charts" data-live="">
            {run.state === "running" || run.state === "interrupted"
              ? "No epoch is done yet: curves show up after the first."
              : "No epoch was done: there are no curves."}
          </p>
        )
        : (
          <>
            <Fold id="curves" title="Curves" live={false}>
              {figures(curves)}
              <EpochTable view={view} />
            </Fold>
            {reports.length > 0 && (
              <Fold id="reports" title="What methods report" live={false} open={false}>{figures(reports)}</Fold>
            )}
          </>
        )}
      <ClassSection view={view} />
      <SampleSection view={view} figures={figures} />
      <Settings view={view} />
      <Log view={view} />
    </>
  );
};

/** What it is, how it stands, who planned it. */
const Head: FC<{ view: RunView }> = ({ view: { run, configuration, epochs, experiments } }) => (
  <>
    <div class="title">
      <p class="crumbs">
        <a href="/">Results</a>
        {configuration !== null && <a href={`/configurations/${configuration.id}`}>{configuration.label}</a>}
      </p>
      <h1>
        {configuration?.label ?? "Run"}
        {run.seed !== null && <span class="muted">, seed {run.seed}</span>}
      </h1>
      <p id="state" class="summary" data-live="">
        <StateBadge state={run.state} /> {run.config?.format === 1 && <OlderBadge />}
        <code>{run.id.slice(0, 200)}</code>
        {run.testAccuracy !== null && (
          <>
            <strong>{(100 * run.testAccuracy).toFixed(2)} %</strong> test accuracy
          </>
        )}
        {run.state !== "finished" && run.epochsPlanned !== null && (
          <>
            {" "}
            <progress max={run.epochsPlanned} value={epochs.total} aria-label="Epochs done"></progress>
            {` epoch ${epochs.total} of ${run.epochsPlanned}`}
          </>
        )}
      </p>
    </div>
    {experiments.length > 0 && (
      <p class="muted">
        {"Planned by "}
        {experiments.map(({ name, label }, i) => (
          <>
            {i > 0 && ", "}
            <a href={`/?experiment=${encodeURIComponent(name)}`}>{name}</a>
            {` as “${label}”`}
          </>
        ))}
      </p>
    )}
  </>
);

/** Why it stopped, if it did; figures and results. */
const Happened: FC<{ view: RunView }> = ({ view }) => {
  const { run, epochs, repeat } = view;
  return (
    <Fold id="happened" title="What happened" live={false}>
      <div id="cause" data-live="">
        {run.reason !== null && (
          <div class="note bad">
            <p>
              <strong>{run.state === "broken" ? "This folder is no whole run:" : "It stopped by an error:"}</strong>
              {" "}
              {run.reason}
            </p>
            {run.failure?.command && (
              <p>
                Run it again: <code>{run.failure.command}</code>
              </p>
            )}
          </div>
        )}
        {epochs.reason !== null && <p class="note warn">{epochs.reason}</p>}
      </div>
      <div id="facts" data-live="">
        <Facts view={view} />
      </div>
      <div id="results" data-live="">
        {run.summary !== null && (
          <div class="spaced">
            <DataTable table={resultTable(view)} />
            <ul class="notes">{resultTable(view).notes.map((note) => <li>{note}</li>)}</ul>
            <Exports base={`/runs/${run.id}/tables/results`} what="the results" />
          </div>
        )}
      </div>
      {repeat !== null && (
        <div class="spaced">
          <p class="muted">The same configuration and seed again, in another folder of runs:</p>
          <pre class="command" data-copy=""><code>{repeat}</code></pre>
        </div>
      )}
    </Fold>
  );
};

/** Every figure of every epoch, folded. */
const EpochTable: FC<{ view: RunView }> = ({ view }) => {
  const table = epochTable(view);
  return (
    <div id="epochs" data-live="">
      <details id="epoch-table">
        <summary>All figures of all epochs</summary>
        {table.rows.length > tableEpochs && (
          <p class="note">The last {tableEpochs} of {table.rows.length} epochs; the export has all.</p>
        )}
        <DataTable table={{ ...table, rows: table.rows.slice(-tableEpochs) }} />
        <Exports base={`/runs/${view.run.id}/tables/epochs`} what="all epochs" />
      </details>
    </div>
  );
};

const Settings: FC<{ view: RunView }> = ({ view }) =>
  view.run.config === null ? null : (
    <Fold id="settings" title="Settings as resolved" open={false}>
      <Configuration view={view} />
      <Exports base={`/runs/${view.run.id}/tables/configuration`} what="the configuration" />
    </Fold>
  );

/** What it said, and its files. */
const Log: FC<{ view: RunView }> = ({ view: { run, log, files } }) => (
  <Fold id="log-and-files" title="Log and files" live={false}>
    <div id="log" data-live="">
      {log === null
        ? <p class="muted">This run wrote no log.</p>
        : <pre class="log" tabindex={0} role="region" aria-label="Log"><code>{log}</code></pre>}
    </div>
    <ul class="files" id="files" data-live="">
      {files.map(({ name, bytes }) => (
        <li>
          <a href={`/runs/${run.id}/files/${name}`} download={`${run.id}-${name}`}>{name}</a>{" "}
          <span class="muted">{bytesText(bytes)}</span>
        </li>
      ))}
      {files.length === 0 && <li class="muted">There are none to download.</li>}
    </ul>
  </Fold>
);
