/** @jsxImportSource hono/jsx */
/**
 * The page of one sample.
 *
 * @module
 */
import type { FC } from "hono/jsx";
import { plainSamples, samplesUrl } from "../query.ts";
import { readoutTable, type SampleView } from "../sample.ts";
import { ChartFigure, DataTable, Exports } from "./parts.tsx";
import { Previews, StillToCome } from "./preview.tsx";

/** The page. */
export const SamplePage: FC<{ view: SampleView }> = ({ view }) => {
  const { run, configuration, split, classes, row, shown, charts } = view;
  const base = `/runs/${run.id}/samples/${split}/${row.id}`;
  const table = readoutTable(view);
  return (
    <>
      <div class="title">
        <p class="crumbs">
          <a href="/">Results</a>
          <a href={`/configurations/${configuration.id}`}>{configuration.label}</a>
          <a href={`/runs/${run.id}`}>seed {run.config.seed}</a>
          <a href={samplesUrl(plainSamples, { run: run.id, split })}>Samples of {split}</a>
        </p>
        <h1>Sample {row.id}</h1>
        <p class="summary">
          True class <strong>{classes[row.label]}</strong>, predicted{" "}
          <strong>{classes[row.readouts[0].predicted]}</strong>
          {row.loss !== null && `, loss ${row.loss.toFixed(3)}`}
        </p>
      </div>
      {shown.reason !== null && <p class="note warn">{shown.reason}</p>}
      {shown.later && <StillToCome url={base} />}
      <Previews shown={shown} base={base} what={`sample ${row.id}`} whole />
      <section aria-labelledby="readouts">
        <h2 id="readouts">By readout</h2>
        <DataTable table={table} />
        <ul class="notes">{table.notes.map((note) => <li>{note}</li>)}</ul>
        <Exports base={`${base}/tables/readouts`} what="the readouts" />
      </section>
      <section aria-labelledby="epochs-head">
        <h2 id="epochs-head">Over the epochs</h2>
        {charts.length === 0
          ? (
            <p class="note">
              Contributions over epochs are kept of 64 samples of validation, the same in all runs on these data:{" "}
              <a href={samplesUrl(plainSamples, { run: run.id, split: "validation", followed: true })}>show those</a>.
            </p>
          )
          : (
            <div class="charts">
              {charts.map((chart) => <ChartFigure chart={chart} base={`${base}/charts`} api={`/api${base}/charts`} />)}
            </div>
          )}
      </section>
    </>
  );
};
