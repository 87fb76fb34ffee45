/**
 * The grid as a table for export.
 *
 * @module
 */
import { differenceText, pText } from "../experiments/versus.ts";
import type { Grid, GridRow } from "./grid.ts";
import { measuredCell, measureTitle, rawTitles, stateText } from "./measures.ts";
import { settingText } from "./settings.ts";
import { cell, type Table, type TableCell, type TableColumn } from "./table.ts";

/** Columns that compare with the reference; none where there is none, or nothing beside it. */
function versusColumns(grid: Grid): { columns: TableColumn[]; cells: (row: GridRow) => TableCell[] } {
  const { reference } = grid;
  if (!hasVersus(grid)) return { columns: [], cells: () => [] };
  return {
    columns: [
      { title: versusTitle(grid), align: "right", raw: ["difference", "difference ci95"] },
      { title: "p", align: "right", raw: ["p", "p Holm"] },
      { title: "Verdict", align: "left", raw: ["verdict", "untested because", "seeds needed"] },
    ],
    cells({ configuration, result }) {
      const versus = result?.versus ?? null;
      if (versus === null) {
        const text = configuration === reference ? "reference" : "–";
        return [{ text, raw: [null, null] }, { text: "–", raw: [null, null] }, { text: "–", raw: [null, null, null] }];
      }
      return [
        { text: differenceText(versus), raw: [versus.difference, versus.ci95] },
        { text: versus.pHolm === null ? "–" : pText(versus.pHolm), raw: [versus.p, versus.pHolm] },
        { text: versus.verdict, raw: [versus.verdict, versus.reason, versus.seedsNeeded] },
      ];
    },
  };
}

/** What differences are taken from: over several data sets there is a reference on each. */
export function versusTitle({ groups, reference }: Grid): string {
  const references = new Set(
    groups.flatMap(({ rows }) => rows.flatMap(({ result }) => result?.versus?.reference ?? [])),
  );
  return `Points over ${references.size > 1 ? "the reference" : reference!.label}`;
}

/** Whether any row is compared with the reference. */
export function hasVersus({ groups, reference }: Grid): boolean {
  return reference !== null && groups.some(({ rows }) => rows.some(({ result }) => result?.versus != null));
}

/** The grid as a table. */
export function gridTable(grid: Grid): Table {
  const versus = versusColumns(grid);
  const [first, ...others] = grid.shown;
  const measureColumns = (measures: typeof grid.shown): TableColumn[] =>
    measures.map((measure) => ({ title: measureTitle(measure), align: "right", raw: rawTitles(measure) }));
  const measureCells = ({ result, values }: GridRow, measures: typeof grid.shown) =>
    measures.map((measure) =>
      measuredCell(measure, values[measure.key], measure.key === "accuracy" && result?.best === true)
    );
  const leading = first === undefined ? [] : [first];
  return {
    title: grid.experiment === null ? "Results" : `Results of ${grid.experiment.name}`,
    columns: [
      { title: "Configuration", align: "left" },
      ...grid.settings.map((name) => ({ title: name, align: "left" as const })),
      {
        title: "Seeds",
        align: "left",
        raw: ["seeds finished", "seeds", "running", "failed", "interrupted", "planned"],
      },
      ...measureColumns(leading),
      ...versus.columns,
      { title: "Tied with best", align: "left" },
      ...measureColumns(others),
    ],
    rows: grid.groups.flatMap(({ rows }) =>
      rows.map((row) => {
        const { counts, runs, label, settings, planned } = row.configuration;
        return [
          { text: label, raw: [label], strong: row.result?.best ?? false },
          ...grid.settings.map((name) => cell(settings[name] ?? null, settingText(settings[name]))),
          {
            text: stateText(row.configuration),
            raw: [counts.finished, runs.length + planned, counts.running, counts.failed, counts.interrupted, planned],
          },
          ...measureCells(row, leading),
          ...versus.cells(row),
          cell(row.result?.tied ?? null),
          ...measureCells(row, others),
        ];
      })
    ),
    notes: [...(grid.answer === null ? [] : [`${grid.answer}.`]), ...grid.notes],
  };
}
