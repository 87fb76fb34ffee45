/** @jsxImportSource hono/jsx */
/**
 * The columns of the table of configurations: how they are headed, and what stands in them.
 *
 * @module
 */
import type { FC } from "hono/jsx";
import { differenceText, pText, versusSentence } from "../../experiments/versus.ts";
import type { Configuration, KnownRun } from "../configurations.ts";
import type { Grid, GridRow } from "../grid.ts";
import { hasVersus, versusTitle } from "../grid_table.ts";
import { hasSpread, type Measure, type Measured, measureTitle, stateText } from "../measures.ts";
import { numberText } from "../numbers.ts";
import { settingText } from "../settings.ts";
import { StateBadge } from "./parts.tsx";
import { standingText } from "./standing.ts";

/** A column: how it is headed, and what stands in it for a configuration and for one of its seeds. */
export interface Column {
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
export interface Content {
  readonly text: unknown;
  /** Further classes. */
  readonly kind?: string;
  readonly title?: string;
}

const none: Content = { text: "–", kind: "muted" };

/** Columns of a grid, in order: settings, the first measure, seeds, the comparison, the other measures. */
export function columnsOf(grid: Grid): Column[] {
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
export function sameInAll({ groups, shown, total }: Grid): Measure[] {
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

function versusColumns(grid: Grid): Column[] {
  const { reference } = grid;
  return [
    {
      key: "difference",
      title: versusTitle(grid),
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
