/**
 * A report of an experiment that was kept: the question, the answer, the tables it rests on and how to repeat it.
 *
 * @module
 */
import type { Experiment } from "../core/record.ts";
import { Refusal } from "../core/refusal.ts";
import { didYouMean } from "../core/suggest.ts";
import { unique } from "./chart_look.ts";
import { slug } from "./charts.ts";
import { comparisonOf } from "./compare.ts";
import { type Model, modelOf } from "./configurations.ts";
import { progressText } from "./experiment.ts";
import { experimentParts } from "./experiment_parts.ts";
import { gridOf } from "./grid.ts";
import { gridChart } from "./grid_chart.ts";
import { gridTable } from "./grid_table.ts";
import { latexOf, latexText } from "./latex.ts";
import { maxCompared, plainCompare, plainGrid } from "./query.ts";
import type { Report } from "./report.tsx";
import { type SampleDifference, sampleDifferences, sampleTable } from "./sample_tests.ts";
import { listed } from "./search.ts";
import { settingText } from "./settings.ts";
import type { RunStore } from "./store.ts";
import { csvOf, markdownOf, markdownText, type Table } from "./table.ts";

/** A report as files, by their endings. */
export interface ReportFiles {
  readonly md: string;
  /** The first table: what reads CSV takes one table from a file. */
  readonly csv: string;
  /** Further tables as CSV, by the first part of their ending: `what-was-chosen`. */
  readonly further: Readonly<Record<string, string>>;
  readonly tex: string;
  readonly html: string;
}

/**
 * Gathers the report of an experiment.
 *
 * @throws {Refusal} If there is none of that name, or none of its runs has finished.
 */
export async function experimentReport(store: RunStore, name: string): Promise<Report> {
  const model = modelOf(await store.snapshot());
  const experiment = model.experiments.find((own) => own.name === name);
  if (experiment === undefined) throw missing(model, name);
  // The grid's names say what the settings do.
  const grid = gridOf(model, { ...plainGrid, experiment: name, settings: "none" }, { allPages: true });
  const rows = grid.groups.flatMap((group) => group.rows);
  if (rows.every(({ result }) => result === null)) {
    throw new Refusal({
      what: `report on experiment "${name}"`,
      must: "a run of it must have finished",
      found: "none has",
      hint: experiment.command,
    });
  }
  const parts = await experimentParts(store, model, experiment);
  const samples = parts.alike ? await sampleTableOf(store, model, experiment) : null;
  const engines = new Set(rows.flatMap(({ configuration: { settings } }) => settings.engine ?? []));
  return {
    title: experiment.name,
    folder: store.folder,
    question: experiment.question,
    answer: parts.tunedAnswer ?? grid.answer,
    facts: [
      ["Command", experiment.command],
      ["Progress", progressText(rows.map(({ configuration }) => configuration))],
      ["Seeds", experiment.seeds.join(", ")],
      ["Budget", experiment.budget],
      ["The same in all rows", grid.constant.map(([key, value]) => `${key} ${settingText(value)}`).join(", ")],
      ["Engine", [...engines].join(", ")],
      ...(experiment.plugins.length === 0 ? [] : [["Plugins", experiment.plugins.join(", ")] as const]),
    ],
    tables: [...Object.values(parts.tables), gridTable(grid), ...(samples === null ? [] : [samples])],
    charts: [...parts.charts, gridChart(grid)],
    pictures: Object.values(parts.pictures),
  };
}

function missing(model: Model, name: string): Refusal {
  const names = model.experiments.map((own) => own.name);
  return new Refusal({
    what: `report on experiment ${JSON.stringify(name.slice(0, 80))}`,
    must: "it must be kept beside the runs",
    found: `there are ${listed(names)}`,
    hint: didYouMean(name, names),
  });
}

/** Differences from the reference by samples, of all rows that kept predictions; `null` where none did. */
async function sampleTableOf(store: RunStore, model: Model, experiment: Experiment): Promise<Table | null> {
  const reference = experiment.rows.find(({ label }) => label === experiment.reference);
  if (reference === undefined) return null;
  const others = experiment.rows.filter((row) => row !== reference).map(({ configuration }) => configuration);
  const found: SampleDifference[] = [];
  let shown = null;
  for (let from = 0; from < others.length; from += maxCompared - 1) {
    shown = comparisonOf(store, model, {
      ...plainCompare,
      metric: [],
      experiment: experiment.name,
      c: [reference.configuration, ...others.slice(from, from + maxCompared - 1)],
      reference: reference.configuration,
    });
    found.push(...await sampleDifferences(store, shown));
  }
  return shown === null || found.length === 0 ? null : sampleTable(shown, found);
}

/** The report as Markdown, CSV, LaTeX (needs booktabs) and one HTML page that needs no network. */
export async function reportFiles(report: Report): Promise<ReportFiles> {
  const { htmlOf } = await import("./report.tsx");
  return {
    md: markdownReport(report),
    csv: csvOf(report.tables[0]),
    further: furtherTables(report.tables.slice(1)),
    tex: latexReport(report),
    html: await htmlOf(report),
  };
}

function furtherTables(tables: readonly Table[]): Record<string, string> {
  const names = unique(tables.map(({ title }) => slug(title)));
  return Object.fromEntries(tables.map((table, i) => [slug(names[i]), csvOf(table)]));
}

function markdownReport({ title, question, answer, facts = [], tables }: Report): string {
  return [
    `# ${markdownText(title)}`,
    ...(question ? ["", markdownText(question)] : []),
    ...(answer ? ["", `**${markdownText(answer)}.**`] : []),
    ...tables.flatMap((table) => ["", markdownOf(table).trimEnd()]),
    "",
    ...facts.map(([name, text]) => `- ${name}: ${markdownText(text)}`),
    "",
  ].join("\n");
}

/** A table as wide as the page at most: a wider one is made smaller. */
function fitted(table: string): string {
  const width = "\\ifdim\\width>\\linewidth\\linewidth\\else\\width\\fi";
  // Where it is written, below the answer, and not at the top of a page.
  return table.replace("\\begin{table}", "\\begin{table}[!ht]").replace(
    "\\begin{tabular}",
    `\\resizebox{${width}}{!}{\\begin{tabular}`,
  )
    .replace("\\end{tabular}", "\\end{tabular}}");
}

/** A document that compiles by itself; its tables can be taken out. */
function latexReport({ title, question, answer, facts = [], tables }: Report): string {
  return [
    "\\documentclass{article}",
    "\\usepackage[T1]{fontenc}",
    "\\usepackage[a4paper,landscape,margin=15mm]{geometry}",
    "\\usepackage{booktabs,graphicx}",
    "\\begin{document}",
    `\\section*{${latexText(title)}}`,
    ...(question ? [latexText(question), ""] : []),
    ...(answer ? [`\\textbf{${latexText(answer)}.}`, ""] : []),
    ...tables.map((table) => fitted(latexOf(table).replace("\\centering", "\\centering\\scriptsize"))),
    // A fingerprint cannot be hyphenated: words before it are let stand apart.
    "\\begin{description}\\sloppy",
    ...facts.map(([name, text]) => `\\item[${latexText(name)}] ${latexText(text)}`),
    "\\end{description}",
    "\\end{document}",
    "",
  ].join("\n");
}
