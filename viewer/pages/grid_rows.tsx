/** @jsxImportSource hono/jsx */
/**
 * The table of configurations.
 *
 * @module
 */
import type { FC } from "hono/jsx";
import { differenceText, pText, versusSentence } from "../../experiments/versus.ts";
import type { Configuration, KnownRun } from "../configurations.ts";
import type { Grid, GridRow } from "../grid.ts";
import { hasVersus } from "../grid_table.ts";
import { hasSpread, type Measure, type Measured, measureTitle, numberText, stateText } from "../measures.ts";
import { gridUrl } from "../query.ts";
import { type Setting, settingText } from "../settings.ts";
import { Exports, OlderBadge, StateBadge } from "./parts.tsx";
import { standingText } from "./standing.ts";

/** A column: how it is headed, and what stands in it for a configuration and for one of its seeds. */
interface Column {
  readonly key: string;
  readonly title: string;
  readonly about?: string;
  readonly right?: boolean;
  /** Class of its cells. */
  readonly kind: string;
  cell(row: GridRow): Content;
  seed?(run: KnownRun): Content;
}

/** What stands in a cell. */
interface Content {
  readonly text: unknown;
  /** Further classes. */
  readonly kind?: string;
  readonly title?: string;
}

const none: Content = { text: "–", kind: "muted" };

/** Columns of a grid, in order: settings, the first measure, seeds, the comparison, the other measures. */
function columnsOf(grid: Grid): Column[] {
  const same = new Set(sameInAll(grid));
  const [first, ...others] = grid.shown.filter((measure) => !same.has(measure)).map(measureColumn);
  return [
    ...grid.settings.map(settingColumn),
    ...(first === undefined ? [] : [first]),
    seedsColumn,
    ...(hasVersus(grid) ? versusColumns(grid) : []),
    {
      key: "tied",
      title: "Tied with best",
      about: "Whether the paired test cannot tell it from the best shown",
      kind: "tied",
      cell: ({ result }) => result?.tied == null ? none : { text: result.tied },
    },
    ...others,
  ];
}

/** Measures without a spread, such as counts, that are the same in every row: they are said once, below the table. */
function sameInAll({ groups, shown, total }: Grid): Measure[] {
  const rows = groups.flatMap((group) => group.rows).filter(({ result }) => result !== null);
  if (rows.length < 2 || total > rows.length) return [];
  return shown.filter((measure) => {
    const means = rows.map(({ values }) => values[measure.key]?.mean);
    return !hasSpread(measure) && means[0] !== undefined && means.every((mean) => mean === means[0]);
  });
}

function settingColumn(name: string): Column {
  return {
    key: name,
    title: name,
    kind: "setting",
    cell: ({ configuration: { settings } }) => ({
      text: settingText(settings[name]),
      kind: settings[name] === undefined ? "muted" : undefined,
    }),
  };
}

function measureColumn(measure: Measure): Column {
  return {
    key: measure.key,
    title: measureTitle(measure),
    about: measure.about,
    right: true,
    kind: measure.key === "accuracy" ? "accuracy" : "measure",
    cell: ({ values, result }) =>
      valueOf(measure, values[measure.key], measure.key === "accuracy" && result?.best === true),
    seed(run) {
      const value = measure.of(run);
      return value === null || !Number.isFinite(value) ? none : { text: numberText(value, measure.unit, false) };
    },
  };
}

function valueOf(measure: Measure, value: Measured | null, best: boolean): Content {
  if (value === null) return none;
  const spread = !hasSpread(measure)
    ? null
    : value.ci95 === null
    ? <span class="ci muted" title="One seed has no interval"></span>
    : <span class="ci">{` ± ${numberText(value.ci95, measure.unit, false)}`}</span>;
  return { text: <>{numberText(value.mean, measure.unit, false)}{spread}</>, kind: best ? "best" : undefined };
}

const seedsColumn: Column = {
  key: "seeds",
  title: "Seeds",
  kind: "seeds",
  cell: ({ configuration }) => ({ text: <Seeds configuration={configuration} /> }),
  seed: (run) => ({
    text: (
      <>
        <StateBadge state={run.state} /> <span class="muted">{standingText(run)}</span>
      </>
    ),
  }),
};

function versusColumns({ reference }: Grid): Column[] {
  return [
    {
      key: "difference",
      title: `Points over ${reference!.label}`,
      about: "Mean difference of test accuracy over common seeds, with its 95 % confidence interval",
      right: true,
      kind: "difference",
      cell({ result, configuration }) {
        if (configuration.id === reference!.id) return { text: "reference", kind: "muted" };
        const versus = result?.versus ?? null;
        return versus === null ? none : { text: differenceText(versus) };
      },
    },
    {
      key: "verdict",
      title: "Verdict",
      about: "Paired t-test over common seeds, Holm-corrected over the rows shown, at 5 %",
      kind: "verdict",
      cell({ result }) {
        const versus = result?.versus ?? null;
        if (versus === null) return none;
        const { verdict, pHolm } = versus;
        return {
          text: (
            <>
              <span class={`word ${verdict.replaceAll(" ", "-")}`}>{verdict}</span>
              {pHolm !== null && <span class="muted">{` p ${pText(pHolm)}`}</span>}
            </>
          ),
          title: versusSentence(result!.label, versus),
        };
      },
    },
  ];
}

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

/** Share of a configuration's epochs that are done, over its runs. */
function progressOf({ runs, planned }: Configuration): number {
  const share = (run: KnownRun) =>
    run.state === "finished" ? 1 : Math.min(1, run.epochs / Math.max(1, run.epochsPlanned ?? 1));
  return runs.reduce((sum, run) => sum + share(run), 0) / Math.max(1, runs.length + planned);
}

/** Running seeds of which a row says where they are. */
const maxStanding = 3;

const Seeds: FC<{ configuration: Configuration }> = ({ configuration }) => {
  const { counts, runs, planned } = configuration;
  const share = progressOf(configuration);
  return (
    <>
      <span>{stateText(configuration)}</span>
      {counts.finished < runs.length + planned && (
        <progress max="1" value={share.toFixed(3)} aria-label="Epochs done of all planned">
          {Math.round(100 * share)} %
        </progress>
      )}
      {counts.failed > 0 && <StateBadge state="failed" />}
      {runs.filter(({ state }) => state === "running").slice(0, maxStanding).map((run) => (
        <span class="standing">{`seed ${run.config.seed}: ${standingText(run)}`}</span>
      ))}
    </>
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
            <strong>{`Seed ${seeds.join(", ")}:`}</strong> {reason}
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
          <strong>Cause:</strong> {run.reason}
          {run.failure?.command && (
            <span class="again">
              {"Run it again: "}
              <code>{run.failure.command}</code>
            </span>
          )}
        </td>
      </tr>
    )}
  </>
);
