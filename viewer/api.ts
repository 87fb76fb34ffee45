/**
 * Views as JSON, as the OpenAPI document says.
 *
 * @module
 */
import type { RunRow } from "../store/index.ts";
import type { Answer } from "./answers.ts";
import type { Chart } from "./charts.ts";
import { chartHeight, type ChartLook, chartOption } from "./chart_option.ts";
import type { TuningResult } from "../experiments/tuning/tune.ts";
import type { Comparison } from "./compare.ts";
import type { ExperimentView } from "./experiment_view.ts";
import type { ConfigurationView } from "./configuration.ts";
import type { Model } from "./configurations.ts";
import type { Grid } from "./grid.ts";
import { measured } from "./measures.ts";
import type { RunView } from "./run.ts";
import type { SamplesView } from "./samples.ts";
import type { SampleDifference } from "./sample_tests.ts";
import { settingsOf } from "./settings.ts";

/** The grid. */
export function gridAnswer(model: Model, grid: Grid): Answer<"Grid"> {
  return {
    version: model.version,
    problem: model.problem,
    total: grid.total,
    page: grid.query.page,
    pages: grid.pages,
    experiment: grid.experiment?.name ?? null,
    question: grid.experiment?.question ?? null,
    reference: grid.reference?.id ?? null,
    answer: grid.answer,
    notes: [...grid.notes],
    measures: grid.shown.map(({ key, title, about, unit }) => ({ key, title, about, unit })),
    configurations: grid.groups.flatMap(({ title, rows }) =>
      rows.map(({ configuration, result, values }) => ({
        id: configuration.id,
        label: configuration.label,
        group: title,
        tied: result?.tied ?? null,
        best: result?.best ?? false,
        versus: result?.versus ?? null,
        seeds: { ...configuration.counts, planned: configuration.planned },
        values: { ...values },
        settings: { ...configuration.settings },
        runs: configuration.runs.map(({ id, config, state, epochs, reason }) => ({
          id,
          seed: config.seed,
          state,
          epochs,
          reason,
        })),
      }))
    ),
  };
}

/** A run as lists hold it. */
function rowOf(run: RunRow): Answer<"Runs">["runs"][number] {
  return {
    id: run.id,
    state: run.state,
    reason: run.reason,
    configuration: run.configuration,
    seed: run.seed,
    dataset: run.dataset,
    fusion: run.fusion,
    methods: run.methods,
    encoders: run.encoders,
    modalities: run.modalities,
    engine: run.engine,
    epochs: run.epochs,
    epochsPlanned: run.epochsPlanned,
    testAccuracy: run.testAccuracy,
    testMacroF1: run.testMacroF1,
    validationAccuracy: run.validationAccuracy,
    contributionGap: run.contributionGap,
    jointContribution: run.jointContribution,
    samplesDrawn: run.samplesDrawn,
    parameters: run.parameters,
    seconds: run.seconds,
    startedAt: run.startedAt,
    finishedAt: run.finishedAt,
  };
}

/** All runs. */
export function runsAnswer(model: Model): Answer<"Runs"> {
  return { version: model.version, problem: model.problem, runs: [...model.runs.values()].map(rowOf) };
}

const listed = (charts: readonly Chart[]) => charts.map(({ id, title, about }) => ({ id, title, about }));

/** One run. */
export function runAnswer({ run, configuration, repeat, files, charts, kept, experiments }: RunView): Answer<"Run"> {
  return {
    run: rowOf(run),
    label: configuration?.label ?? null,
    repeat,
    config: run.config,
    summary: run.summary,
    timing: run.timing,
    progress: run.progress,
    failure: run.failure,
    files: files.map(({ name, bytes }) => ({ name, bytes })),
    charts: listed(charts),
    experiments: experiments.map((own) => ({ ...own })),
    predictions: kept.evidence === null ? null : {
      classes: [...kept.evidence.classes],
      confusion: kept.evidence.confusion.map((row) => [...row]),
      ece: Object.fromEntries(kept.evidence.calibrations.map(([name, { ece }]) => [name, ece])),
    },
  };
}

/** A comparison. */
export function compareAnswer(comparison: Comparison, samples: readonly SampleDifference[]): Answer<"Comparison"> {
  const { items, missing, leftOut, reference, differences, settings, measures, charts } = comparison;
  const all = items.map(({ runs }) => settingsOf(runs[0].config));
  return {
    items: items.map(({ id, kind, label, runs }) => ({ id, kind, label, runs: runs.map((run) => run.id) })),
    missing: [...missing],
    leftOut,
    reference: reference?.id ?? null,
    differences: differences.map(({ item, versus }) => ({ id: item.id, label: item.label, ...versus })),
    samples: samples.map(({ item, bootstrap, mcNemar }) => ({ id: item.id, bootstrap, mcNemar: [...mcNemar] })),
    settings: settings.map((name) => ({ name, values: all.map((own) => own[name] ?? null) })),
    measures: measures.map(({ key, title }) => ({ key, title })),
    charts: listed(charts),
  };
}

/** A configuration over its seeds. */
export function configurationAnswer(view: ConfigurationView): Answer<"Configuration"> {
  const { configuration, experiment, result, reference, measures, charts } = view;
  return {
    id: configuration.id,
    label: configuration.label,
    experiment,
    reference: reference?.id ?? null,
    versus: result?.versus ?? null,
    seeds: { ...configuration.counts, planned: configuration.planned },
    values: Object.fromEntries(measures.map((measure) => [measure.key, measured(configuration.runs, measure)])),
    settings: { ...configuration.settings },
    runs: configuration.runs.map(rowOf),
    charts: listed(charts),
  };
}

/** Samples of a split. */
export function samplesAnswer(view: SamplesView | null): Answer<"Samples"> {
  if (view === null) {
    return { run: null, split: "test", classes: [], total: 0, page: 1, pages: 1, reason: null, samples: [] };
  }
  const { run, query, classes, total, pages, reason, rows } = view;
  return {
    run: run.id,
    split: query.split,
    classes: [...classes],
    total,
    page: query.page,
    pages,
    reason,
    samples: rows.map(({ id, label, loss, readouts, phi, followed }) => ({
      id,
      label,
      loss,
      readouts: readouts.map((own) => ({ ...own })),
      phi: Object.fromEntries(phi),
      followed,
    })),
  };
}

/** A chart, ready to be drawn. */
export function chartAnswer(chart: Chart, look: ChartLook): Answer<"Chart"> {
  return { id: chart.id, title: chart.title, height: chartHeight(chart, look), option: chartOption(chart, look) };
}

/** An experiment beside its rows. */
export function experimentAnswer(view: ExperimentView): Answer<"Experiment"> {
  const { experiment, progress, tunedAnswer, tuned, incomplete, across, charts } = view;
  const standing = ({ testAccuracy, versus }: TuningResult["given"]) => ({ testAccuracy: { ...testAccuracy }, versus });
  return {
    name: experiment.name,
    question: experiment.question,
    command: experiment.command,
    progress,
    answer: tunedAnswer,
    incomplete,
    tuned: tuned.map(({ label, options, given, tuned: own, gain, studies, trials, cost }) => ({
      label,
      options: [...options],
      given: standing(given),
      tuned: standing(own),
      gain,
      trials,
      cost: { ...cost },
      studies: studies.map((study) => ({ ...study, settings: [...study.settings] })),
    })),
    across: across.map(([how, { dataSets, reference, results, ranking, incomplete: lacking }]) => ({
      how,
      dataSets: [...dataSets],
      reference,
      rows: results.map(({ subject, means, iqm, improvement, rank }) => ({
        subject,
        means: [...means],
        iqm: { ...iqm },
        improvement: improvement === null ? null : { ...improvement },
        rank,
      })),
      ranking: ranking === null
        ? null
        : { criticalDifference: ranking.criticalDifference, chiSquare: ranking.chiSquare, p: ranking.p },
      incomplete: [...lacking],
    })),
    charts: charts.map(({ id, title, about }) => ({ id, title, about })),
  };
}
