/** @jsxImportSource hono/jsx */
/**
 * The table of configurations.
 *
 * @module
 */
import type { FC } from "hono/jsx";
import type { KnownRun } from "../configurations.ts";
import type { Grid, GridRow } from "../grid.ts";
import { numberText } from "../numbers.ts";
import { gridUrl } from "../query.ts";
import { type Setting, settingText } from "../settings.ts";
import { type Column, columnsOf, type Content, sameInAll } from "./grid_columns.tsx";
import { Exports, OlderBadge } from "./parts.tsx";

/** The table with its notes. */
export const GridTable: FC<{ grid: Grid }> = ({ grid }) => {
  const columns = columnsOf(grid);
  const width = columns.length + 2;
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
              <SortHead grid={grid} column={{ key: "name", title: "Configuration" }} />
              {columns.map((column) => <SortHead grid={grid} column={column} />)}
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
              {rows.map((row) => <ConfigurationRows grid={grid} row={row} columns={columns} />)}
            </tbody>
          ))}
        </table>
      </div>
      {grid.total === 0 && (
        <p class="note">
          No configuration fits. <a href="/">Show all</a>
        </p>
      )}
      <Constant grid={grid} />
      <div class="under">
        <ul class="notes">{grid.notes.map((note) => <li>{note}</li>)}</ul>
        <Exports base="/grid" search={gridUrl(grid.query, {}, "")} what="this table" />
      </div>
      {grid.pages > 1 && <Pages grid={grid} />}
    </>
  );
};

const SortHead: FC<{ grid: Grid; column: Pick<Column, "key" | "title" | "about" | "right"> }> = ({ grid, column }) => {
  const { key, title, about, right } = column;
  const current = grid.sort === key ? "ascending" : grid.sort === `-${key}` ? "descending" : "none";
  // Numbers are looked at from the largest on, names from the first.
  const next = current === "descending" || current === "none" && !right ? key : `-${key}`;
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

/** Settings named in the line of what is the same in all rows, before it is folded out. */
const leading = ["dataset", "modalities", "fusion", "method", "training.epochs", "training.learningRate", "engine"];

/** What is the same in all rows: in one line, whole when it is folded out. */
const Constant: FC<{ grid: Grid }> = ({ grid }) => {
  const measures = sameInAll(grid);
  if (grid.total < 2 || grid.constant.length + measures.length === 0) return null;
  const counted = measures.map((measure) => {
    const value = grid.groups.flatMap(({ rows }) => rows.map(({ values }) => values[measure.key])).find((own) =>
      own !== null
    );
    return `${measure.title} ${numberText(value!.mean, measure.unit)}`;
  });
  const text = ([name, value]: readonly [string, Setting]) => `${name} ${settingText(value)}`;
  const named = grid.constant.filter(([name]) => leading.includes(name) || /^encoder\.[^.]+$/.test(name));
  return (
    <details class="constant" id="constant">
      <summary>
        {`The same in all rows: ${[...counted, ...named.map(text)].join(", ")}${
          named.length < grid.constant.length ? `; ${grid.constant.length - named.length} more` : ""
        }`}
      </summary>
      <p>{grid.constant.map(text).join(", ")}</p>
    </details>
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

const Cell: FC<{ column: Column; content: Content }> = ({ column, content }) => (
  <td
    class={[column.kind, column.right ? "right" : "", content.kind ?? ""].filter((name) => name !== "").join(" ")}
    data-label={column.title}
    title={content.title}
  >
    <span>{content.text as string}</span>
  </td>
);

const ConfigurationRows: FC<{ grid: Grid; row: GridRow; columns: readonly Column[] }> = ({ grid, row, columns }) => {
  const { id, runs } = row.configuration;
  const open = grid.query.open.includes(id) && runs.length > 0;
  return (
    <>
      <tr class={`row${open ? " open" : ""}${runs.length === 0 ? " planned" : ""}`}>
        <td class="pick">
          {runs.length > 0 && (
            <input
              type="checkbox"
              form="compare"
              name="c"
              value={id}
              aria-label={`Compare ${row.configuration.label}`}
            />
          )}
        </td>
        <NameCell grid={grid} row={row} open={open} />
        {columns.map((column) => <Cell column={column} content={column.cell(row)} />)}
      </tr>
      {!open && row.configuration.counts.failed > 0 && <Causes runs={runs} width={columns.length + 1} />}
      {open && runs.map((run) => <SeedRow run={run} columns={columns} />)}
    </>
  );
};

const NameCell: FC<{ grid: Grid; row: GridRow; open: boolean }> = ({ grid, row: { configuration, result }, open }) => {
  const { id, label, runs } = configuration;
  const toggled = open ? grid.query.open.filter((other) => other !== id) : [...grid.query.open, id];
  const experiment = grid.experiment === null ? "" : `?experiment=${encodeURIComponent(grid.experiment.name)}`;
  return (
    <th scope="row" class="name">
      {runs.length > 0 && (
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
      )}
      {runs.length === 0
        ? <span class="muted">{label}</span>
        : <a href={`/configurations/${id}${experiment}`}>{label}</a>}
      {runs[0]?.config.format === 1 && <OlderBadge />}
      {result?.readsLabels && (
        <span
          class="badge failed"
          title="Predictions were computed from the labels of what was predicted: not compared"
        >
          reads test labels
        </span>
      )}
      {result?.best && (
        <span class="star" title="The paired test tells it from every other shown">
          ★<span class="hidden">best</span>
        </span>
      )}
    </th>
  );
};

/** Why runs of a row failed, each cause once, without folding it out. */
const Causes: FC<{ runs: readonly KnownRun[]; width: number }> = ({ runs, width }) => {
  const causes = new Map<string, number[]>();
  for (const { reason, config } of runs) {
    if (reason !== null) causes.set(reason, [...causes.get(reason) ?? [], config.seed]);
  }
  return (
    <>
      {[...causes].slice(0, 2).map(([reason, seeds]) => (
        <tr class="cause">
          <td></td>
          <td colspan={width}>
            <div class="said">
              <strong>{`${seeds.length === 1 ? "Seed" : "Seeds"} ${seeds.join(", ")}:`}</strong> {reason}
            </div>
          </td>
        </tr>
      ))}
    </>
  );
};

const SeedRow: FC<{ run: KnownRun; columns: readonly Column[] }> = ({ run, columns }) => (
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
      <th scope="row" class="name">
        <a href={`/runs/${run.id}`}>seed {run.config.seed}</a> <code class="muted">{run.id.slice(0, 8)}</code>
      </th>
      {columns.map((column) =>
        column.seed === undefined ? <td class={column.kind}></td> : <Cell column={column} content={column.seed(run)} />
      )}
    </tr>
    {run.reason !== null && (
      <tr class="cause">
        <td></td>
        <td colspan={columns.length + 1}>
          <div class="said">
            <strong>Cause:</strong> {run.reason}
            {run.failure?.command && (
              <span class="again">
                {"Run it again: "}
                <code>{run.failure.command}</code>
              </span>
            )}
          </div>
        </td>
      </tr>
    )}
  </>
);
