/**
 * Tables and pictures of a comparison over several data sets.
 *
 * @module
 */
import type { Across } from "../experiments/across/across.ts";
import { type BootstrapEstimate, shareAbove, stratifiedBootstrap } from "../experiments/across/aggregates.ts";
import { pText } from "../experiments/versus.ts";
import type { LineChart } from "./charts.ts";
import { cell, type Table, type TableCell, xmlText } from "./table.ts";

const percent = (value: number) => (100 * value).toFixed(1);

function estimateCell({ value, low, high }: BootstrapEstimate): TableCell {
  return { text: `${percent(value)} [${percent(low)}, ${percent(high)}]`, raw: [value, low, high] };
}

/**
 * A row for each subject: interquartile mean, chance of improvement, mean rank, and the mean on each data set.
 *
 * @param how Which runs they are, where there are several kinds: "tuned".
 */
export function acrossTable({ dataSets, reference, results, ranking, incomplete }: Across, how?: string): Table {
  return {
    title: `Over ${dataSets.length} data sets${how === undefined ? "" : `, ${how}`}`,
    columns: [
      { title: "row", align: "left" },
      { title: "IQM %", align: "right", raw: ["iqm", "iqm low", "iqm high"] },
      {
        title: `chance of improvement over ${reference} %`,
        align: "right",
        raw: ["improvement", "improvement low", "improvement high"],
      },
      { title: "mean rank", align: "right", raw: ["rank"] },
      ...dataSets.map((name) => ({ title: `${name} %`, align: "right" as const, raw: [name] })),
    ],
    rows: results.map(({ subject, iqm, improvement, rank, means }) => [
      cell(subject),
      estimateCell(iqm),
      improvement === null ? { text: "reference", raw: [null, null, null] } : estimateCell(improvement),
      cell(rank, rank === null ? "–" : rank.toFixed(2)),
      ...means.map((mean) => cell(mean, percent(mean))),
    ]),
    notes: [
      "IQM: mean of the middle half of the test accuracies of all runs. Chance of improvement: that a run is better than " +
      `one of ${reference} on the same data, ties half. In brackets 95 % intervals by a bootstrap over runs within each ` +
      "data set (2,000 resamples): they say what other seeds would give, not what other data sets would.",
      ...(ranking === null ? [] : [rankNote(ranking, results.map(({ subject }) => subject))]),
      ...(incomplete.length === 0
        ? []
        : [`Without a finished run on every data set, and left out: ${incomplete.join(", ")}.`]),
    ],
  };
}

function rankNote(ranking: NonNullable<Across["ranking"]>, subjects: readonly string[]): string {
  const { dataSets, criticalDifference, chiSquare, p, cliques } = ranking;
  const friedman = chiSquare === null
    ? "every data set ties all rows"
    : `Friedman's chi-square ${chiSquare.toFixed(2)}, p ${pText(p!)}`;
  const together = cliques.map((places) => places.map((place) => subjects[place]).join(", ")).join(" | ");
  return `Mean ranks over ${dataSets} data sets (1 is best): ${friedman}; Nemenyi's critical difference at 5 % is ` +
    `${criticalDifference.toFixed(2)}${
      together === "" ? "" : `. Not told apart: ${together}`
    }. With few data sets only ` +
    "large differences in rank are told apart.";
}

/** Scores at which profiles are taken. */
const PROFILE_POINTS = 41;

/** Curves of a profile at most: more cannot be told apart. */
const PROFILE_CURVES = 8;

/**
 * Share of runs above each accuracy, with 95 % bands: the curve further right is better. Of many subjects the reference and
 * the best by interquartile mean.
 */
export function profileChart({ dataSets, reference, results: every }: Across): LineChart {
  const ranked = every.filter(({ subject }) => subject !== reference).sort((a, b) => b.iqm.value - a.iqm.value);
  const best = new Set([reference, ...ranked.slice(0, PROFILE_CURVES - 1).map(({ subject }) => subject)]);
  const results = every.filter(({ subject }) => best.has(subject));
  const all = results.flatMap(({ scores }) => scores.flat());
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const x = Array.from({ length: PROFILE_POINTS }, (_, i) => low + (high - low) * i / (PROFILE_POINTS - 1));
  return {
    kind: "lines",
    id: "profile",
    title: "Performance profiles",
    about:
      `Share of runs above an accuracy, mean over ${dataSets.length} data sets, with 95 % bands; further right is ` +
      `better${
        results.length < every.length
          ? `; the reference and the ${PROFILE_CURVES - 1} best by interquartile mean of ${every.length} rows`
          : ""
      }`,
    xTitle: "Test accuracy %",
    percent: true,
    series: results.map(({ subject, scores }) => {
      const points = stratifiedBootstrap([scores], ([own]) => x.map((t) => shareAbove(own, t)), { resamples: 500 });
      return {
        name: subject,
        x: x.map((t) => 100 * t),
        y: points.map(({ value }) => value),
        low: points.map((point) => point.low),
        high: points.map((point) => point.high),
      };
    }),
  };
}

const WIDTH = 620;
const ROW = 20;
const EDGE = 24;

/** Colours of a picture: those of a file, or of the page that it stands in. */
interface Inks {
  readonly ink: string;
  readonly ground: string;
}

/**
 * Demšar's diagram: subjects on a line of mean ranks, the best at the left; bars join those that are not told apart.
 *
 * @param options.ink Of lines and words. @default {"#111"}
 * @param options.ground Behind them. @default {"#fff"}
 */
export function rankDiagram(
  { results, ranking }: Across,
  { ink, ground }: Inks = { ink: "#111", ground: "#fff" },
): string | null {
  if (ranking === null) return null;
  const { subjects: k, criticalDifference, cliques } = ranking;
  const order = results.map((_, i) => i).sort((a, b) => ranking.ranks[a] - ranking.ranks[b]);
  const left = 190;
  const right = WIDTH - 190;
  const at = (rank: number) => left + (right - left) * (rank - 1) / (k - 1);
  const axis = 62;
  const below = axis + 14 + 8 * cliques.length;
  const half = Math.ceil(k / 2);
  const height = below + ROW * half + EDGE;
  const line = (x1: number, y1: number, x2: number, y2: number, width = 1) =>
    `<line x1="${x1.toFixed(1)}" y1="${y1.toFixed(1)}" x2="${x2.toFixed(1)}" y2="${
      y2.toFixed(1)
    }" stroke="${ink}" stroke-width="${width}"/>`;
  const text = (x: number, y: number, content: string, anchor: string) =>
    `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">${xmlText(content)}</text>`;
  const ticks = Array.from({ length: k }, (_, i) => i + 1);
  const labels = order.map((place, i) => {
    const rank = ranking.ranks[place];
    const first = i < half;
    const y = below + ROW * (first ? i : k - 1 - i) + ROW;
    const end = first ? left - 12 : right + 12;
    const name = results[place].subject;
    const shown = name.length > 22 ? `${name.slice(0, 21)}…` : name;
    return [
      line(at(rank), axis, at(rank), y),
      line(at(rank), y, end, y),
      text(first ? end - 4 : end + 4, y + 4, `${shown} ${rank.toFixed(2)}`, first ? "end" : "start"),
    ].join("");
  });
  const bars = cliques.map((places, i) => {
    const own = places.map((place) => ranking.ranks[place]);
    const y = axis + 10 + 8 * i;
    return line(at(Math.min(...own)) - 3, y, at(Math.max(...own)) + 3, y, 4);
  });
  const cd = Math.min(right - left, (right - left) * criticalDifference / (k - 1));
  const wide = criticalDifference > k - 1;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" ` +
    `font-family="Helvetica, Arial, 'DejaVu Sans', sans-serif" font-size="12" fill="${ink}">`,
    `<rect width="${WIDTH}" height="${height}" fill="${ground}"/>`,
    line(left, 22, left + cd, 22, 1.5),
    line(left, 18, left, 26),
    ...(wide ? [] : [line(left + cd, 18, left + cd, 26)]),
    text(
      left + cd / 2,
      14,
      `critical difference ${criticalDifference.toFixed(2)}${wide ? ", more than all ranks" : ""}`,
      "middle",
    ),
    line(left, axis, right, axis),
    ...ticks.filter((rank) => k <= 20 || rank === 1 || rank % 5 === 0).flatMap((rank) => [
      line(at(rank), axis - 5, at(rank), axis),
      text(at(rank), axis - 9, String(rank), "middle"),
    ]),
    ...bars,
    ...labels,
    "</svg>",
  ].join("\n");
}
