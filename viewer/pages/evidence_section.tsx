/** @jsxImportSource hono/jsx */
/**
 * What a run's predictions show, on its page: by class and by sample.
 *
 * @module
 */
import type { Child, FC } from "hono/jsx";
import type { Chart } from "../charts.ts";
import { calibrationTable, confusionTable } from "../evidence.ts";
import { plainSamples, samplesUrl } from "../query.ts";
import { recallTable, type RunView } from "../run.ts";
import type { Table } from "../table.ts";
import { DataTable, Exports, Fold } from "./parts.tsx";

/** Steps of shading. */
const shades = 6;

/** Counts as a table in which larger shares of a row are darker. */
const Confusion: FC<{ table: Table; run: string }> = ({ table, run }) => (
  <div class="scroll" tabindex={0} role="region" aria-label={table.title}>
    <table class="data confusion">
      <caption class="hidden">{table.title}</caption>
      <thead>
        <tr>{table.columns.map(({ title, align }) => <th scope="col" class={align}>{title}</th>)}</tr>
      </thead>
      <tbody>
        {table.rows.map(([name, ...counts], truth) => {
          const total = Math.max(
            1,
            counts.reduce((sum, { raw }) =>
              sum + Number(raw?.[0] ?? 0), 0),
          );
          return (
            <tr>
              <th scope="row" class="left">{name.text}</th>
              {counts.map(({ text, raw, strong }, predicted) => {
                const share = Number(raw?.[0] ?? 0) / total;
                const shade = Math.min(shades, Math.ceil(share * shades));
                const href = samplesUrl(plainSamples, { run, truth, predicted });
                return (
                  <td class={`right shade-${shade}${strong ? " diagonal" : ""}`}>
                    {text !== "" && (
                      <a
                        href={href}
                        aria-label={`${text} of class ${name.text} predicted as ${table.columns[predicted + 1].title}`}
                      >
                        {text}
                      </a>
                    )}
                  </td>
                );
              })}
            </tr>
          );
        })}
      </tbody>
    </table>
  </div>
);

/** The name of a run in titles of tables. */
function titleOf({ run, configuration }: RunView): string {
  return `${configuration?.label ?? run.id}, seed ${run.seed ?? "–"}`;
}

/** Recall and confusion. */
export const ClassSection: FC<{ view: RunView }> = ({ view }) => {
  const { run, kept: { evidence } } = view;
  if (run.summary === null) return <div id="no-classes" data-live=""></div>;
  const base = `/runs/${run.id}`;
  const confusion = evidence === null ? null : confusionTable(evidence, titleOf(view));
  const square = confusion !== null && confusion.rows.length === evidence!.classes.length &&
    confusion.columns.length === evidence!.classes.length + 1;
  return (
    <Fold id="classes" title="Per class">
      {confusion !== null && (
        <>
          <h3>Confusion</h3>
          {square ? <Confusion table={confusion} run={run.id} /> : <DataTable table={confusion} />}
          <ul class="notes">{confusion.notes.map((note) => <li>{note}</li>)}</ul>
          <Exports base={`${base}/tables/confusion`} what="the confusion" />
        </>
      )}
      <details id="recall">
        <summary>Recall by class</summary>
        <DataTable table={recallTable(view)} />
        <ul class="notes">{recallTable(view).notes.map((note) => <li>{note}</li>)}</ul>
        <Exports base={`${base}/tables/recall`} what="the recall by class" />
      </details>
    </Fold>
  );
};

/** Calibration, the samples that were followed, and the way to all samples. */
export const SampleSection: FC<{ view: RunView; figures: (charts: readonly Chart[]) => Child }> = (
  { view, figures },
) => {
  const { run, kept: { evidence, reason }, charts } = view;
  const followed = charts.filter(({ kind }) => kind === "field");
  const calibration = charts.filter(({ id }) => id === "reliability");
  if (evidence === null && followed.length === 0) {
    return <div id="no-samples" data-live="">{reason !== null && <p class="note muted">{reason}</p>}</div>;
  }
  return (
    <Fold id="samples" title="Samples" live={false}>
      {evidence !== null && (
        <p>
          <a href={samplesUrl(plainSamples, { run: run.id })}>All test samples</a>, largest loss first;{" "}
          <a href={samplesUrl(plainSamples, { run: run.id, wrong: ["fused"] })}>those that are wrong</a>
        </p>
      )}
      {figures([...followed, ...calibration])}
      {evidence !== null && (
        <>
          <ul class="notes">{calibrationTable(evidence, titleOf(view)).notes.map((note) => <li>{note}</li>)}</ul>
          <Exports base={`/runs/${run.id}/tables/calibration`} what="the calibration" />
        </>
      )}
    </Fold>
  );
};
