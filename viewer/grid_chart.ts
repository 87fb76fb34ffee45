/**
 * The chart of the grid.
 *
 * @module
 */
import type { IntervalChart } from "./charts.ts";
import type { Grid } from "./grid.ts";

/** Rows in the picture of the grid at most. */
const chartRows = 40;

/** Test accuracy of the rows of a grid, as a chart. */
export function gridChart(grid: Grid): IntervalChart {
  const all = grid.groups.flatMap(({ rows }) => rows).filter(({ result }) => result !== null);
  const rows = all.slice(0, chartRows);
  return {
    kind: "intervals",
    id: "accuracy",
    title: "Test accuracy",
    about: `Mean over seeds with 95 % confidence interval, in the order of the table${
      rows.length < all.length ? `; the first ${rows.length} of ${all.length} rows with results` : ""
    }`,
    percent: true,
    rows: rows.map(({ configuration, result }) => ({
      name: configuration.label,
      mean: result!.testAccuracy.mean,
      ci95: result!.testAccuracy.ci95,
      best: result!.best,
    })),
  };
}
