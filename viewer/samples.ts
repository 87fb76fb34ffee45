/**
 * The samples of a split as a run predicts them: filtered, sorted, beside another run.
 *
 * @module
 */
import type { Predictions } from "../core/record.ts";
import type { Configuration, KnownRun, Model } from "./configurations.ts";
import { configurationsOf, experimentOf, rowNames } from "./experiment.ts";
import type { SamplesQuery } from "./query.ts";
import type { RunStore } from "./store.ts";
import { fixed } from "./numbers.ts";
import { cell, type Table } from "./table.ts";

/** What one readout says of a sample. */
export interface ReadoutPrediction {
  /** `fused`, a modality, or the other run. */
  readonly name: string;
  /** Index of the class. */
  readonly predicted: number;
  /** Probability of the true class; `null` where only that of the predicted one was kept. */
  readonly probability: number | null;
  readonly right: boolean;
}

/** A sample with all that is known of it. */
export interface SampleRow {
  /** Its place in the split. */
  readonly id: number;
  readonly label: number;
  /** Cross-entropy of the fused prediction; `null` where the probability of the true class was not kept. */
  readonly loss: number | null;
  /** Fused first, then modalities, then the other run. */
  readonly readouts: readonly ReadoutPrediction[];
  /** Raw contributions by modality. */
  readonly phi: readonly (readonly [string, number])[];
  /** Whether its contributions were kept over all epochs. */
  readonly followed: boolean;
}

/** What the page of samples shows. */
export interface SamplesView {
  readonly query: SamplesQuery;
  readonly run: KnownRun;
  readonly configuration: Configuration;
  /** Finished runs, to choose from. */
  readonly runs: readonly { readonly id: string; readonly label: string }[];
  /** Names of the classes. */
  readonly classes: readonly string[];
  /** Names of the readouts by which samples can be told apart. */
  readonly readouts: readonly string[];
  /** Counts of the whole split by true, then predicted class; `null` of too many classes. */
  readonly confusion: readonly (readonly number[])[] | null;
  /** Samples that fit, on this page. */
  readonly rows: readonly SampleRow[];
  /** All samples that fit. */
  readonly total: number;
  readonly size: number;
  readonly pages: number;
  /** Why there is nothing, or less than was asked for; else `null`. */
  readonly reason: string | null;
  /** Runs on the same data, to compare with. */
  readonly others: readonly { readonly id: string; readonly label: string }[];
}

/** Cards of a page. */
export const pageSamples = 24;
/** Classes of which a matrix is shown. */
const maxClasses = 40;
/** Runs offered at most. */
const maxOffered = 200;
/** What the other run is called among readouts. */
export const otherName = "other run";

/** Rows of a split, as kept predictions tell of them. */
export function rowsOf(
  predictions: Predictions,
  other: Predictions | null,
  followed: ReadonlySet<number>,
): SampleRow[] {
  const { labels, predicted, confidence, fused, solo, phi } = predictions;
  const size = labels.length;
  const classes = fused === null ? 0 : fused.length / size;
  const own = Object.entries(solo ?? {}).map(([name, probabilities]) => ({
    name,
    probabilities,
    predicted: argmaxRows(probabilities, classes),
  }));
  return Array.from({ length: size }, (_, i): SampleRow => {
    const label = labels[i];
    const right = predicted[i] === label;
    const probability = fused === null ? right ? confidence[i] : null : fused[i * classes + label];
    return {
      id: predictions.ids[i],
      label,
      // As small as a float goes: a probability of 0 would be infinitely wrong.
      loss: probability === null ? null : -Math.log(Math.max(probability, 1e-38)),
      readouts: [
        { name: "fused", predicted: predicted[i], probability, right },
        ...own.map(({ name, probabilities, predicted: classOf }) => ({
          name,
          predicted: classOf[i],
          probability: probabilities[i * classes + label],
          right: classOf[i] === label,
        })),
        ...(other === null ? [] : [otherReadout(other, i, label)]),
      ],
      phi: Object.entries(phi).map(([name, values]) => [name, values[i]]),
      followed: followed.has(predictions.ids[i]),
    };
  });
}

/** Index of the largest value of each row; the first of equal ones. */
function argmaxRows(values: Float32Array, width: number): Int32Array {
  return Int32Array.from({ length: values.length / width }, (_, row) => {
    let best = 0;
    for (let c = 1; c < width; c++) if (values[row * width + c] > values[row * width + best]) best = c;
    return best;
  });
}

function otherReadout({ predicted, fused, labels }: Predictions, i: number, label: number): ReadoutPrediction {
  const classes = fused === null ? 0 : fused.length / labels.length;
  return {
    name: otherName,
    predicted: predicted[i],
    probability: fused === null ? null : fused[i * classes + label],
    right: predicted[i] === label,
  };
}

/** Whether two files tell of the same samples in the same order. */
function sameSamples(a: Predictions, b: Predictions): boolean {
  return a.labels.length === b.labels.length && a.labels.every((label, i) => label === b.labels[i]) &&
    a.ids.every((id, i) => id === b.ids[i]);
}

function fits(row: SampleRow, { truth, predicted, right, wrong, followed }: SamplesQuery): boolean {
  const says = (name: string, wanted: boolean) => {
    const readout = row.readouts.find((own) => own.name === name);
    return readout !== undefined && readout.right === wanted;
  };
  return (truth === null || row.label === truth) && (predicted === null || row.readouts[0].predicted === predicted) &&
    right.every((name) => says(name, true)) && wrong.every((name) => says(name, false)) && (!followed || row.followed);
}

/** Distance of the largest contribution from the least. */
function gapOf({ phi }: SampleRow): number {
  const values = phi.map(([_, value]) => value);
  return Math.max(...values) - Math.min(...values);
}

function sorted(rows: readonly SampleRow[], sort: SamplesQuery["sort"]): SampleRow[] {
  const key = (row: SampleRow) => sort === "place" ? -row.id : sort === "gap" ? gapOf(row) : row.loss ?? -1;
  const sign = sort === "easy" ? -1 : 1;
  return [...rows].sort((a, b) => sign * (key(b) - key(a)) || a.id - b.id);
}

/** Samples that a run followed over its epochs. */
export function followedBy(store: RunStore, run: string): ReadonlySet<number> {
  return new Set(store.valuation(run).records.at(-1)?.ids ?? []);
}

/** Finished runs with their names, those of the newest experiment first. */
export function finishedRuns(
  model: Model,
): { id: string; label: string; run: KnownRun; configuration: Configuration }[] {
  const newest = experimentOf(model, null);
  const first = newest === null ? [] : configurationsOf(model, newest);
  const names = rowNames(model);
  const all = [...first, ...model.configurations].flatMap((configuration) =>
    configuration.runs.filter(({ state }) => state === "finished").map((run) => {
      const label = names.get(run.id) ?? configuration.label;
      return {
        id: run.id,
        label: `${label}, seed ${run.config.seed}`,
        run,
        configuration: { ...configuration, label },
      };
    })
  );
  // An experiment may hold some seeds of a configuration alone: each run is named by the first that has it.
  const byId = new Map<string, typeof all[number]>();
  for (const own of all) if (!byId.has(own.id)) byId.set(own.id, own);
  return [...byId.values()];
}

/** Gathers what a query asks for; `null` if there is no such run, or none has finished. */
export async function samplesOf(store: RunStore, model: Model, query: SamplesQuery): Promise<SamplesView | null> {
  const finished = finishedRuns(model);
  const found = query.run === null ? finished[0] : finished.find((own) => own.id === query.run);
  if (found === undefined) return null;
  const { id, run, configuration } = found;
  const others = finished.filter((own) =>
    own.id !== id && own.run.config.dataset.fingerprint === run.config.dataset.fingerprint
  ).slice(0, maxOffered);
  const runs = finished.slice(0, maxOffered);
  const nothing = { query, run, configuration, runs, others, classes: [], readouts: [], confusion: null, rows: [] };
  const { predictions, reason } = await store.predictions(id, query.split);
  if (predictions === null) {
    const why = reason ?? "This run kept no predictions: an older version wrote it.";
    return { ...nothing, total: 0, size: 0, pages: 1, reason: why };
  }
  const beside = query.other === null ? null : (await store.predictions(query.other, query.split)).predictions;
  const usable = beside !== null && sameSamples(predictions, beside) ? beside : null;
  const rows = rowsOf(predictions, usable, query.split === "validation" ? followedBy(store, id) : new Set());
  const count = Math.max(
    run.summary?.classes?.length ?? 0,
    ...rows.map(({ label, readouts }) => Math.max(label, readouts[0].predicted) + 1),
  );
  const fitting = sorted(rows.filter((row) => fits(row, query)), query.sort);
  const pages = Math.max(1, Math.ceil(fitting.length / pageSamples));
  const page = Math.min(query.page, pages);
  return {
    ...nothing,
    query: { ...query, page },
    classes: Array.from({ length: count }, (_, i) => run.summary?.classes?.[i] || String(i)),
    readouts: rows[0]?.readouts.map(({ name }) => name) ?? [],
    confusion: count > maxClasses ? null : confusionOf(rows, count),
    rows: fitting.slice((page - 1) * pageSamples, page * pageSamples),
    total: fitting.length,
    size: rows.length,
    pages,
    reason: query.other !== null && usable === null
      ? "The other run kept no predictions of the same samples; it is left out."
      : query.followed && !rows.some(({ followed }) => followed)
      ? query.split === "test"
        ? "Samples are followed over epochs on validation alone: test is read once."
        : "This run followed no samples: an older version wrote it."
      : null,
  };
}

function confusionOf(rows: readonly SampleRow[], classes: number): number[][] {
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (const { label, readouts } of rows) counts[label][readouts[0].predicted]++;
  return counts;
}

/** The samples of a page as a table. */
export function samplesTable({ rows, classes, configuration, run, query }: SamplesView): Table {
  const first = rows[0];
  return {
    title: `Samples of ${configuration.label}, seed ${run.config.seed}, ${query.split}`,
    columns: [
      { title: "Sample", align: "right" },
      { title: "True class", align: "left" },
      { title: "Loss", align: "right" },
      ...(first?.readouts ?? []).flatMap(({ name }) => [
        { title: `By ${name}`, align: "left" as const },
        { title: `p true by ${name}`, align: "right" as const },
      ]),
      ...(first?.phi ?? []).map(([name]) => ({ title: `φ ${name}`, align: "right" as const })),
    ],
    rows: rows.map(({ id, label, loss, readouts, phi }) => [
      cell(id),
      cell(classes[label]),
      cell(loss, loss === null ? "–" : fixed(loss, 4)),
      ...readouts.flatMap(({ predicted, probability }) => [
        cell(classes[predicted]),
        cell(probability, probability === null ? "–" : fixed(probability, 4)),
      ]),
      ...phi.map(([_, value]) => cell(value, fixed(value, 4))),
    ]),
    notes: ["p true: probability of the true class; φ: raw contribution of a modality (ARM Eq. 11)."],
  };
}
