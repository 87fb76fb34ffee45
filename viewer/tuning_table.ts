/**
 * Tables of what tuning gave: for reports, exports and terminals.
 *
 * @module
 */
import type { TuningResult } from "../experiments/tuning/tune.ts";
import { shortCount } from "../experiments/table.ts";
import { differenceText, pText } from "../experiments/versus.ts";
import type { IntervalChart } from "./charts.ts";
import { cell, type Table, type TableCell } from "./table.ts";

const percent = (value: number) => (100 * value).toFixed(1);

function accuracyCell({ mean, ci95 }: TuningResult["given"]["testAccuracy"], strong: boolean): TableCell {
  return { text: `${percent(mean)}${ci95 === null ? "" : ` ± ${percent(ci95)}`}`, raw: [mean, ci95], strong };
}

/** What is given and what was tuned side by side on test, with what tuning cost. */
export function tuningTable(results: readonly TuningResult[], reference: string): Table {
  const studies = new Set(results.flatMap((result) => result.studies.map(({ seed }) => seed))).size;
  const subject = results.find(({ label }) => label === reference)?.across?.subject;
  const isReference = (label: string, across: TuningResult["across"]) =>
    label === reference || (subject !== undefined && across?.subject === subject);
  const over = subject ?? reference;
  return {
    title: "As given and tuned",
    columns: [
      { title: "configuration", align: "left" },
      { title: "as given %", align: "right", raw: ["given", "given ci95"] },
      { title: "tuned %", align: "right", raw: ["tuned", "tuned ci95"] },
      { title: "tuning adds", align: "right", raw: ["gain", "gain ci95"] },
      { title: `as given over ${over}`, align: "right", raw: ["given difference", "given difference ci95"] },
      { title: `tuned over ${over}`, align: "right", raw: ["tuned difference", "tuned difference ci95"] },
      { title: "p", align: "right", raw: ["p", "p Holm"] },
      { title: "verdict", align: "left" },
      { title: "tied with best", align: "left" },
      { title: "runs", align: "right" },
      { title: "samples", align: "right" },
      { title: "seconds", align: "right" },
    ],
    rows: results.map(({ label, across, given, tuned, gain, cost }) => [
      { text: label, raw: [label], strong: tuned.best },
      accuracyCell(given.testAccuracy, false),
      accuracyCell(tuned.testAccuracy, tuned.best),
      { text: differenceText(gain), raw: [gain.difference, gain.ci95] },
      versusCell(given, isReference(label, across)),
      versusCell(tuned, isReference(label, across)),
      tuned.versus === null ? { text: "–", raw: [null, null] } : {
        text: tuned.versus.pHolm === null ? "–" : pText(tuned.versus.pHolm),
        raw: [tuned.versus.p, tuned.versus.pHolm],
      },
      cell(tuned.versus?.verdict ?? null),
      cell(tuned.tied),
      cell(cost.runs),
      cell(cost.samplesDrawn, shortCount(cost.samplesDrawn)),
      cell(cost.seconds, cost.seconds.toFixed(0)),
    ]),
    notes: [
      `Test accuracy, mean ± 95 % CI over ${studies} ${
        studies === 1 ? "study" : "studies"
      } (Student's t), one for each ` +
      `seed. ${
        trialsText(results)
      }, what is given among them; the best on validation was chosen, and test had no part ` +
      "in it.",
      `Over ${over}${
        subject === undefined ? "" : " on the same data"
      }: points, both as given or both tuned. p: paired ` +
      "t-tests of the tuned over studies, " +
      "Holm-corrected; intervals of differences are not corrected. Runs, samples and seconds: of all trials.",
      ...results.some(({ cost }) => cost.teachers > 0)
        ? ["Samples are with those of teachers, each counted once; runs and seconds are without them."]
        : [],
    ],
  };
}

/** How many trials each configuration had in a study: all as many, or who had how many. */
function trialsText(results: readonly TuningResult[]): string {
  const shown = (trials: number) => Number.isInteger(trials) ? String(trials) : trials.toFixed(1);
  const groups = Map.groupBy(results, ({ trials }) => trials);
  if (groups.size <= 1) return `In each, every configuration had ${shown(results[0]?.trials ?? 0)} trials`;
  const each = [...groups].sort(([a], [b]) => b - a)
    .map(([trials, own]) => `${shown(trials)} (${own.map(({ label }) => label).join(", ")})`);
  return `NOT all had as many trials in each, as some have fewer points that can be run and differ: ${each.join("; ")}`;
}

function versusCell({ versus }: TuningResult["given"], isReference: boolean): TableCell {
  if (versus === null) return { text: isReference ? "reference" : "–", raw: [null, null] };
  return { text: differenceText(versus), raw: [versus.difference, versus.ci95] };
}

/** What each study chose. */
export function chosenTable(results: readonly TuningResult[]): Table {
  return {
    title: "What was chosen",
    columns: [
      { title: "configuration", align: "left" },
      { title: "study", align: "right" },
      { title: "validation %", align: "right", raw: ["validation"] },
      { title: "as given %", align: "right", raw: ["given validation"] },
      { title: "failed", align: "right" },
      { title: "settings", align: "left" },
    ],
    rows: results.flatMap(({ label, studies }) =>
      studies.map(({ seed, validation, givenValidation, failed, settings }) => [
        cell(label),
        cell(seed),
        cell(validation, percent(validation)),
        cell(givenValidation, givenValidation === null ? "–" : percent(givenValidation)),
        cell(failed),
        cell(settings.join(" "), settings.join(" ") || "as given"),
      ])
    ),
    notes: ["Accuracy on validation; of a study's trials those without a result failed, and were spent all the same."],
  };
}

/** Rows in the picture at most. */
const chartRows = 40;

/** As given and tuned, a row each. */
export function tuningChart(results: readonly TuningResult[]): IntervalChart {
  const shown = results.slice(0, chartRows);
  return {
    kind: "intervals",
    id: "tuned",
    title: "As given and tuned",
    about: `Test accuracy, mean over studies with 95 % confidence interval${
      shown.length < results.length ? `; the first ${shown.length} of ${results.length} rows` : ""
    }`,
    percent: true,
    pair: ["as given", "tuned"],
    rows: shown.map(({ label, given, tuned }) => ({
      name: label,
      mean: tuned.testAccuracy.mean,
      ci95: tuned.testAccuracy.ci95,
      best: tuned.best,
      before: { mean: given.testAccuracy.mean, ci95: given.testAccuracy.ci95 },
    })),
  };
}
