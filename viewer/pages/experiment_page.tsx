/** @jsxImportSource hono/jsx */
/**
 * The page of an experiment beside its rows: as given and tuned, over several data sets, rules of selection.
 *
 * @module
 */
import type { FC } from "hono/jsx";
import { raw } from "hono/html";
import type { Chart } from "../charts.ts";
import type { Picture } from "../experiment_parts.ts";
import { experimentUrl, type ExperimentView } from "../experiment_view.ts";
import { gridUrl, plainGrid } from "../query.ts";
import type { Table } from "../table.ts";
import { ChartFigure, DataTable, Exports, Fold } from "./parts.tsx";

/** The page. */
export const ExperimentPage: FC<{ view: ExperimentView }> = ({ view }) => {
  const { tables, charts, pictures, across, tuned, experiment } = view;
  const base = experimentUrl(experiment.name);
  const shown = (name: string, titled = true) => <Shown base={base} name={name} table={tables[name]} titled={titled} />;
  const figures = (wanted: (chart: Chart) => boolean, wide = false) =>
    charts.filter(wanted).map((chart) => (
      <ChartFigure chart={chart} base={`${base}/charts`} api={`/api${base}/charts`} wide={wide} />
    ));
  return (
    <>
      <Head view={view} />
      {tuned.length > 0 && (
        <>
          <Fold id="tuned" title="As given and tuned">{shown("tuned", false)}</Fold>
          <div class="charts spaced">{figures(({ id }) => id === "tuned", true)}</div>
          <Fold id="chosen" title="What each study chose" open={false}>{shown("chosen", false)}</Fold>
        </>
      )}
      {across.length > 0 && (
        <Fold id="across" title={`Over ${across[0][1].dataSets.length} data sets together`} live={false}>
          {["across", "across-tuned"].filter((name) =>
            Object.hasOwn(tables, name)
          ).map((name) =>
            shown(name)
          )}
          <div class="charts spaced">
            {figures(({ id }) => id.startsWith("profile"))}
            {Object.entries(pictures).map(([name, picture]) => (
              <PictureFigure base={`${base}/pictures`} name={name} picture={picture} />
            ))}
          </div>
        </Fold>
      )}
      {Object.hasOwn(tables, "selection") && (
        <Fold id="selection" title="Rules of selection">{shown("selection", false)}</Fold>
      )}
      <Fold id="again" title="How it came about">
        <pre class="command"><code>{experiment.command}</code></pre>
        <p>As Markdown, CSV, LaTeX and one page:</p>
        <pre class="command"><code>{`deno task report ${experiment.name}`}</code></pre>
      </Fold>
    </>
  );
};

/** What was asked, the answer at equal tuning, and how far it is. */
const Head: FC<{ view: ExperimentView }> = (
  { view: { experiment, progress, tunedAnswer, incomplete, tuned, across, tables } },
) => {
  const empty = tuned.length + across.length === 0 && !Object.hasOwn(tables, "selection");
  return (
    <div class="title">
      <p class="crumbs">
        <a href={gridUrl(plainGrid, { experiment: experiment.name })}>Rows of {experiment.name}</a>
      </p>
      <h1>{experiment.name}</h1>
      {experiment.question && <p class="question">{experiment.question}</p>}
      <div id="state" data-live="">
        <p class="summary">{progress}</p>
        {tunedAnswer !== null && <p class="answer">{`${tunedAnswer}.`}</p>}
        {incomplete > 0 && (
          <p class="note">
            {incomplete === 1 ? "1 study is" : `${incomplete} studies are`}{" "}
            not complete: a study chooses when all of its trials are there, and is left out until then.
          </p>
        )}
        {empty && incomplete === 0 && (
          <p class="note">Nothing beside its rows: it tunes nothing and stands on one data set.</p>
        )}
      </div>
    </div>
  );
};

/** A table with its notes and exports; with its title where it is not that of its section. */
const Shown: FC<{ base: string; name: string; table: Table; titled: boolean }> = ({ base, name, table, titled }) => (
  <div class={titled ? "spaced" : undefined}>
    {titled && <h3>{table.title}</h3>}
    <DataTable table={table} />
    <ul class="notes">{table.notes.map((note) => <li>{note}</li>)}</ul>
    <Exports base={`${base}/tables/${name}`} what={table.title} />
  </div>
);

/** A picture that is no chart, in the colours of the page. */
const PictureFigure: FC<{ base: string; name: string; picture: Picture }> = ({ base, name, picture }) => (
  <figure class="chart">
    <figcaption>
      <h3>{picture.title}</h3>
      <p>{picture.about}</p>
    </figcaption>
    <div class="scroll drawing" tabindex={0} role="region" aria-label={picture.title}>{raw(picture.inline)}</div>
    <p class="exports">
      <span aria-hidden="true">Export</span>
      {(["svg", "png"] as const).map((format) => (
        <a
          href={`${base}/${name}.${format}`}
          download=""
          aria-label={`Export picture ${picture.title} as ${format.toUpperCase()}`}
        >
          {format.toUpperCase()}
        </a>
      ))}
    </p>
  </figure>
);
