/** @jsxImportSource hono/jsx */
/**
 * What a run's predictions show, on its page.
 *
 * @module
 */
import type { FC } from "hono/jsx";
import { calibrationTable, confusionTable, reliabilityChart } from "../evidence.ts";
import type { RunView } from "../run.ts";
import type { Table } from "../table.ts";
import { ChartFigure, DataTable, Exports } from "./parts.tsx";

/** Steps of shading. */
const shades = 6;

/** Counts as a table in which larger shares of a row are darker. */
const Confusion: FC<{ table: Table }> = ({ table }) => (
  <div class="scroll" tabindex={0} role="region" aria-label={table.title}>
    <table class="data confusion">
      <caption class="hidden">{table.title}</caption>
      <thead>
        <tr>{table.columns.map(({ title, align }) => <th scope="col" class={align}>{title}</th>)}</tr>
      </thead>
      <tbody>
        {table.rows.map(([name, ...counts]) => {
          const total = Math.max(
            1,
            counts.reduce((sum, { raw }) =>
              sum + Number(raw?.[0] ?? 0), 0),
          );
          return (
            <tr>
              <th scope="row" class="left">{name.text}</th>
              {counts.map(({ text, raw, strong }) => {
                const share = Number(raw?.[0] ?? 0) / total;
                const shade = Math.min(shades, Math.ceil(share * shades));
                return <td class={`right shade-${shade}${strong ? " diagonal" : ""}`}>{text}</td>;
              })}
            </tr>
          );
        })}
      </tbody>
    </table>
  </div>
);

/** Confusion and calibration. */
export const EvidenceSection: FC<{ view: RunView }> = ({ view }) => {
  const { run, kept: { evidence, reason }, configuration } = view;
  if (evidence === null) return reason === null ? null : <p class="note muted">{reason}</p>;
  const base = `/runs/${run.id}`;
  const title = `${configuration?.label ?? run.id}, seed ${run.seed ?? "–"}`;
  const confusion = confusionTable(evidence, title);
  const square = confusion.rows.length === evidence.classes.length &&
    confusion.columns.length === evidence.classes.length + 1;
  return (
    <section aria-labelledby="samples-head">
      <h2 id="samples-head">Predictions</h2>
      <details id="confusion" open>
        <summary>Confusion</summary>
        {square ? <Confusion table={confusion} /> : <DataTable table={confusion} />}
        <ul class="notes">{confusion.notes.map((note) => <li>{note}</li>)}</ul>
        <Exports base={`${base}/tables/confusion`} what="the confusion" />
      </details>
      <details id="calibration" open>
        <summary>Calibration</summary>
        <div class="charts">
          <ChartFigure
            chart={reliabilityChart(evidence)}
            base={`${base}/charts`}
            api={`/api/runs/${run.id}/charts`}
          />
        </div>
        <Exports base={`${base}/tables/calibration`} what="the calibration" />
        <ul class="notes">{calibrationTable(evidence, title).notes.map((note) => <li>{note}</li>)}</ul>
      </details>
    </section>
  );
};
