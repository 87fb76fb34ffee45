/**
 * Everything the page of one run shows.
 *
 * @module
 */
import { join } from "node:path";
import type { Chart } from "./charts.ts";
import type { Configuration, Model } from "./configurations.ts";
import { epochMeasures } from "./curves.ts";
import { runCharts } from "./run_charts.ts";
import { calibrationTable, confusionTable, evidenceOf, type EvidenceReport, reliabilityChart } from "./evidence.ts";
import { followedCharts } from "./followed.ts";
import { experimentsWith, rowNames } from "./experiment.ts";
import { type Settings, settingsOf, settingText } from "./settings.ts";
import type { RunDetails } from "../store/index.ts";
import type { Epochs, RunFile, RunStore } from "./store.ts";
import { fixed, significant } from "./numbers.ts";
import { cell, type Table } from "./table.ts";

/** A run with its epochs. */
export interface RunView {
  readonly run: RunDetails;
  /** `null` for a broken folder. */
  readonly configuration: Configuration | null;
  readonly epochs: Epochs;
  readonly charts: readonly Chart[];
  /** What its predictions show. */
  readonly kept: EvidenceReport;
  /** Experiments that planned it, with what they call its row. */
  readonly experiments: readonly { readonly name: string; readonly label: string }[];
  readonly files: readonly RunFile[];
  readonly log: string | null;
  /** The command that repeats it; `null` for a broken folder. */
  readonly repeat: string | null;
}

/** Looks a run up; `null` if there is none of that id. */
export async function runViewOf(store: RunStore, model: Model, id: string): Promise<RunView | null> {
  const run = model.runs.get(id);
  if (run === undefined) return null;
  const known = run.configuration === null ? null : model.byId.get(run.configuration) ?? null;
  const epochs = store.epochs(id);
  const kept = await evidenceOf(store, run);
  return {
    run,
    configuration: known === null ? null : { ...known, label: rowNames(model).get(id) ?? known.label },
    epochs,
    charts: [
      ...runCharts(epochs.records, run.summary?.selectedEpoch ?? null),
      ...followedCharts(store.valuation(id).records),
      ...(kept.evidence === null ? [] : [reliabilityChart(kept.evidence)]),
    ],
    kept,
    experiments: experimentsWith(model, id),
    files: store.files(id),
    log: store.log(id),
    repeat: run.config === null ? null : repeatCommand(store.folder, id),
  };
}

/** The command that runs the same again, beside the old. */
export function repeatCommand(folder: string, id: string): string {
  return `deno task bench --config ${shellWord(join(folder, id, "config.json"))} --runs repeated`;
}

/** A text as one word of a shell. */
export function shellWord(text: string): string {
  return /^[\w./:=,+@-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Results on test and validation, with those of each modality. */
export function resultTable({ run, configuration }: RunView): Table {
  const title = `Results of ${configuration?.label ?? run.id}, seed ${run.seed ?? "–"}`;
  const percent = (value: number | undefined) =>
    cell(value ?? null, value === undefined ? "–" : (100 * value).toFixed(2));
  const plain = (value: number | undefined) => cell(value ?? null, value === undefined ? "–" : fixed(value, 4));
  const columns = ["Readout", "Accuracy %", "Macro F1 %", "Loss", "φ", "NMI", "Others at means %"];
  const splits = run.summary === null
    ? []
    : [["test", run.summary.test], ["validation", run.summary.validation]] as const;
  return {
    title,
    columns: columns.map((column, i) => ({ title: column, align: i === 0 ? "left" : "right" })),
    rows: splits.flatMap(([split, metrics]) => [
      [
        cell(`${split}, fused`),
        percent(metrics.accuracy),
        percent(metrics.macroF1),
        plain(metrics.loss),
        plain(metrics.jointContribution),
        plain(undefined),
        percent(undefined),
      ],
      ...Object.keys(metrics.perModality).sort().map((modality) => {
        const own = metrics.perModality[modality];
        return [
          cell(`${split}, ${modality} readout (${own.readout})`),
          percent(own.accuracy),
          percent(undefined),
          plain(undefined),
          plain(own.phi),
          plain(own.nmi),
          percent(own.ablateMean),
        ];
      }),
    ]),
    notes: run.summary === null ? [] : [
      `Tested epoch ${
        run.summary.selectedEpoch + 1
      } of ${run.summary.epochs}, selected on ${run.summary.selectedOn}; ` +
      `${run.summary.test.size} test samples. φ of the fused row is the joint contribution. ` +
      `Contribution gap on test: ${run.summary.test.contributionGap.toFixed(4)}.`,
    ],
  };
}

/** Every figure of every epoch. */
export function epochTable({ epochs, run, configuration }: RunView): Table {
  const measures = epochMeasures(epochs.records);
  return {
    title: `Epochs of ${configuration?.label ?? run.id}, seed ${run.seed ?? "–"}`,
    columns: [
      { title: "Epoch", align: "right" },
      ...measures.map(({ key, percent }) => ({
        title: `${key}${percent ? " %" : ""}`,
        align: "right" as const,
        raw: [key],
      })),
    ],
    rows: epochs.records.map((record) => [
      cell(record.epoch + 1),
      ...measures.map(({ of, percent }) => {
        const value = of(record);
        const text = value === null ? "–" : percent ? (100 * value).toFixed(2) : significant(value, 5);
        return { text, raw: [value] };
      }),
    ]),
    notes: epochs.reason === null ? [] : [epochs.reason],
  };
}

/** The configuration as resolved. */
export function configurationTable({ run, configuration }: RunView): Table {
  const settings: Settings = run.config === null ? {} : { ...settingsOf(run.config), seed: run.config.seed };
  return {
    title: `Configuration of ${configuration?.label ?? run.id}`,
    columns: [{ title: "Setting", align: "left" }, { title: "Value", align: "left" }],
    rows: Object.entries(settings).map(([name, value]) => [cell(name), cell(value, settingText(value))]),
    notes: [],
  };
}

/** Recall of each class on test and validation. */
export function recallTable({ run, configuration }: RunView): Table {
  const { test, validation } = run.summary ?? { test: { recall: [] }, validation: { recall: [] } };
  return {
    title: `Recall by class of ${configuration?.label ?? run.id}, seed ${run.seed ?? "–"}`,
    columns: [
      { title: "Class", align: "left", raw: ["index", "class"] },
      { title: "Test %", align: "right", raw: ["test"] },
      { title: "Validation %", align: "right", raw: ["validation"] },
    ],
    rows: test.recall.map((recall, i) => [
      { text: run.summary?.classes?.[i] || String(i), raw: [i, run.summary?.classes?.[i] ?? null] },
      cell(recall, (100 * recall).toFixed(1)),
      cell(
        validation.recall[i] ?? null,
        validation.recall[i] === undefined ? "–" : (100 * validation.recall[i]).toFixed(1),
      ),
    ]),
    notes: [
      run.summary?.classes === undefined
        ? "Classes by index from 0, in the order of the dataset: the version that wrote this run kept no names."
        : "Classes in the order of the dataset.",
    ],
  };
}

/** The name of a run in titles. */
function titleOf({ run, configuration }: RunView): string {
  return `${configuration?.label ?? run.id}, seed ${run.seed ?? "–"}`;
}

/** Tables of a run by name; those of its predictions only where it kept any. */
export function runTables(view: RunView): Readonly<Record<string, () => Table>> {
  const { evidence } = view.kept;
  return {
    results: () => resultTable(view),
    epochs: () => epochTable(view),
    configuration: () => configurationTable(view),
    recall: () => recallTable(view),
    ...(evidence === null ? {} : {
      confusion: () => confusionTable(evidence, titleOf(view)),
      calibration: () => calibrationTable(evidence, titleOf(view)),
    }),
  };
}
