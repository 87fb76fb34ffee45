/**
 * Charts as tables and in words.
 *
 * @module
 */
import type { Chart, LineChart } from "./charts.ts";
import { signed } from "./numbers.ts";
import { cell, type Table, type TableCell } from "./table.ts";

function figure(value: number | null, percent: boolean): string {
  if (value === null) return "–";
  if (percent) return (100 * value).toFixed(2);
  return value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e6)
    ? signed(value.toExponential(3))
    : signed(String(Number(value.toFixed(4))));
}

function number(value: number | null, percent: boolean): TableCell {
  return { text: figure(value, percent), raw: [value] };
}

/** The numbers that a chart draws. */
export function chartTable(chart: Chart): Table {
  if (chart.kind === "intervals") {
    return {
      title: chart.title,
      columns: [
        { title: "Configuration", align: "left" },
        ...(chart.pair === undefined ? [] : [
          { title: `${chart.pair[0]}${chart.percent ? " %" : ""}`, align: "right" as const, raw: ["former mean"] },
          { title: "± 95 % CI, former", align: "right" as const, raw: ["former ci95"] },
        ]),
        { title: `${chart.pair?.[1] ?? "Mean"}${chart.percent ? " %" : ""}`, align: "right", raw: ["mean"] },
        { title: "± 95 % CI", align: "right", raw: ["ci95"] },
      ],
      rows: chart.rows.map(({ name, mean, ci95, best, before }) => [
        { text: name, raw: [name], strong: best },
        ...(chart.pair === undefined
          ? []
          : [number(before?.mean ?? null, chart.percent), number(before?.ci95 ?? null, chart.percent)]),
        number(mean, chart.percent),
        number(ci95, chart.percent),
      ]),
      notes: [chart.about],
    };
  }
  if (chart.kind === "histogram") {
    return {
      title: chart.title,
      columns: [
        { title: "Epoch", align: "right" },
        ...chart.bins.map((bin) => ({ title: bin, align: "right" as const })),
      ],
      rows: chart.epochs.map((epoch, i) => [cell(epoch), ...chart.counts[i].map((count) => cell(count))]),
      notes: [`${chart.about}. Columns are bins (${chart.binTitle.toLowerCase()}), cells are counts.`],
    };
  }
  if (chart.kind === "field") {
    return {
      title: chart.title,
      columns: [
        { title: chart.yTitle, align: "left" },
        ...chart.x.map((x) => ({ title: `${chart.xTitle} ${x}`, align: "right" as const })),
      ],
      rows: chart.values.map((row, i) => [cell(chart.y[i]), ...row.map((value) => number(value, false))]),
      notes: [`${chart.about}.`],
    };
  }
  if (chart.kind === "points") {
    return {
      title: chart.title,
      columns: [
        { title: "Group", align: "left" },
        { title: "Sample", align: "right" },
        { title: "x", align: "right" },
        { title: "y", align: "right" },
      ],
      rows: chart.groups.flatMap(({ name, points }) =>
        points.map(([x, y, sample]) => [cell(name), cell(sample), number(x, false), number(y, false)])
      ),
      notes: [`${chart.about}.`],
    };
  }
  return lineTable(chart);
}

function lineTable(chart: LineChart): Table {
  const xs = [...new Set(chart.series.flatMap(({ x }) => x))].sort((a, b) => a - b);
  const at = chart.series.map(({ x }) => new Map(x.map((value, i) => [value, i])));
  const unit = chart.percent ? " %" : "";
  return {
    title: chart.title,
    columns: [
      { title: chart.xTitle, align: "right" },
      ...chart.series.map(({ name, low, ends = ["ci95 low", "ci95 high"] }) => ({
        title: `${name}${unit}`,
        align: "right" as const,
        raw: low === undefined ? [name] : [name, ...ends.map((end) => `${name}: ${end}`)],
      })),
    ],
    rows: xs.map((x) => [
      cell(x, String(Math.round(x * 100) / 100)),
      ...chart.series.map(({ y, low, high, ends }, s): TableCell => {
        const i = at[s].get(x);
        const value = i === undefined ? null : y[i];
        if (low === undefined || high === undefined) return number(value, chart.percent);
        const [a, b] = i === undefined ? [null, null] : [low[i], high[i]];
        const band = value === null || b === null
          ? ""
          : ends === undefined
          ? ` ± ${figure(b - value, chart.percent)}`
          : ` (${figure(a, chart.percent)} to ${figure(b, chart.percent)})`;
        return { text: `${figure(value, chart.percent)}${band}`, raw: [value, a, b] };
      }),
    ]),
    notes: [`${chart.about}.`],
  };
}

/** A chart in words, for those who do not see it. */
export function chartSummary(chart: Chart): string {
  const unit = "percent" in chart && chart.percent ? " %" : "";
  if (chart.kind === "intervals") {
    const rows = chart.rows.slice(0, 12).map(({ name, mean, ci95, before }) =>
      `${name} ${before === undefined ? "" : `from ${figure(before.mean, chart.percent)} to `}` +
      `${figure(mean, chart.percent)}${ci95 === null ? "" : ` ± ${figure(ci95, chart.percent)}`}${unit}`
    );
    return `${chart.title}: ${rows.join("; ")}${chart.rows.length > 12 ? "; and more" : ""}.`;
  }
  if (chart.kind === "histogram") {
    return `${chart.title}: shares of ${chart.bins.length} bins from ${chart.bins[0]} to ${chart.bins.at(-1)} over ` +
      `${chart.epochs.length} epochs.`;
  }
  if (chart.kind === "field") {
    return `${chart.title}: values of ${chart.y.length} samples over ${chart.x.length} epochs.`;
  }
  if (chart.kind === "points") {
    const count = chart.groups.reduce((sum, { points }) => sum + points.length, 0);
    if (count === 0) return `${chart.title}: ${chart.about}.`;
    return `${chart.title}: ${count} points in ${chart.groups.length} groups.`;
  }
  const parts = chart.series.map(({ name, y }) => {
    const known = y.filter((value) => value !== null) as number[];
    if (known.length === 0) return `${name} has no values`;
    return `${name} from ${figure(known[0], chart.percent)} to ${figure(known.at(-1)!, chart.percent)}${unit}`;
  });
  const points = Math.max(0, ...chart.series.map(({ y }) => y.length));
  return `${chart.title}, ${points} ${chart.xTitle === "Epoch" ? "epochs" : "points"}: ${parts.join("; ")}.`;
}
