/**
 * From finished cells to one row per configuration.
 *
 * @module
 */
import { byModality } from "../core/modality.ts";
import { Refusal } from "../core/refusal.ts";
import { didYouMean } from "../core/suggest.ts";
import type { AcrossPlace, RunConfig, RunSummary, RunTiming } from "../core/record.ts";
import { apartFrom, comparableGroups } from "./comparable.ts";
import { machineOf } from "./machine.ts";
import { againstBest, type BySeed, type Interval, interval } from "./statistics.ts";
import { type Versus, versusReference } from "./versus.ts";
import type { CellOutcome } from "./run_grid.ts";

/** One configuration over its seeds. The keys are what `--json` prints. */
export interface ConfigurationResult {
  readonly label: string;
  readonly dataset: string;
  readonly fusion: string;
  /** Names joined by `+`, or `"none"`. */
  readonly method: string;
  readonly encoders: Readonly<Record<string, string>>;
  readonly seeds: readonly number[];
  readonly testAccuracy: Interval;
  /** Mean accuracy of each modality's own readout, and with the others at their means. */
  readonly perModality: Readonly<
    Record<string, { accuracy: number; readout: string; ablateMean: number; phi: number }>
  >;
  readonly macroF1: number;
  readonly contributionGap: number;
  readonly jointContribution: number;
  /** Mean over seeds. */
  readonly samplesDrawn: number;
  readonly epochs: number;
  readonly seconds: number;
  /** Milliseconds of a training step: median over a run's steps, mean over seeds. */
  readonly stepMs: number;
  readonly parameters: number;
  /** Of one sample's forward pass through encoders and fusion; `null` where it is not known. */
  readonly multiplyAdds: number | null;
  /** Of all training steps, from samples drawn and the passes that the methods declare. Mean over seeds. */
  readonly trainingMultiplyAdds: number | null;
  /** Kinds of machine that trained its runs, each once: processor, engine and threads. */
  readonly machines: readonly string[];
  /** Run ids in the order of `seeds`. */
  readonly runs: readonly string[];
  /** Whether predictions were computed from the labels of what was predicted; such a configuration is compared with none. */
  readonly readsLabels: boolean;
  /** Which rows it is compared with: those of the same number have the same data, encoders and budget. From 0. */
  readonly group: number;
  /** Whether the paired test cannot tell it from the best of its group; `null` for what reads labels. */
  readonly tied: "yes" | "no" | "untested" | null;
  /** Whether the paired test supports that this is the best of its group. */
  readonly best: boolean;
  /** The difference from the reference; `null` for the reference itself, or where there is none. */
  readonly versus: Versus | null;
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** A finished run, as `collapseSeeds` takes it. */
export interface FinishedRun {
  /** Shared by the seeds of one configuration, and by nothing else. */
  readonly label: string;
  readonly id: string;
  readonly seed: number;
  readonly config: RunConfig;
  readonly summary: RunSummary;
  readonly timing: Pick<RunTiming, "seconds" | "stepMs" | "processor">;
  /** Its place in a comparison over several data sets. Absent if it has none. */
  readonly across?: AcrossPlace;
}

/** What rows are compared with. */
export interface ReferenceOptions {
  /** Label of a configuration; `null` for none. @default the first row */
  readonly reference?: string | null;
}

/**
 * Collapses seeds. Configurations without a finished seed are left out.
 */
export function configurations(
  outcomes: readonly CellOutcome[],
  options: ReferenceOptions = {},
): ConfigurationResult[] {
  // A grid of which the first row failed is compared with its first row all the same, which has nothing to compare with.
  return collapseSeeds(finishedRuns(outcomes), { reference: options.reference ?? outcomes[0]?.cell.request.label });
}

/** The runs that finished, by the names of their cells. */
export function finishedRuns(outcomes: readonly CellOutcome[]): FinishedRun[] {
  return outcomes.filter((outcome) => outcome.status === "finished").map(({ cell, summary, timing }) => ({
    label: cell.request.label,
    id: cell.id,
    seed: cell.seed,
    config: cell.config,
    summary,
    timing,
    ...(cell.request.across === undefined ? {} : { across: cell.request.across }),
  }));
}

interface Row {
  readonly label: string;
  readonly runs: readonly FinishedRun[];
  readonly values: BySeed;
  readonly readsLabels: boolean;
}

function rowsOf(finished: readonly FinishedRun[]): Row[] {
  const groups = new Map<string, FinishedRun[]>();
  for (const run of finished) {
    const group = groups.get(run.label);
    if (group === undefined) groups.set(run.label, [run]);
    else group.push(run);
  }
  return [...groups].map(([label, runs]) => ({
    label,
    runs,
    values: Object.fromEntries(runs.map(({ seed, summary }) => [seed, summary.test.accuracy])),
    readsLabels: runs.some(({ summary }) => summary.readsLabels),
  }));
}

/**
 * Differences of rows from the reference, by label; none without a reference, or where that reads labels.
 *
 * On other data of a comparison over several, the reference is its subject there.
 */
function differences(rows: readonly Row[], reference: Row | undefined): Map<string, Versus> {
  if (reference === undefined) return new Map();
  const found = new Map<string, Versus>();
  for (const [own, others] of byReference(rows, reference)) {
    const whyApart = apartFrom(own.runs[0].config);
    const apartOf = (row: Row) => {
      if (row.readsLabels || own.readsLabels) return "one of them reads the labels of what it predicts";
      const why = whyApart(row.runs[0].config);
      return why === null ? null : `trained ${why}`;
    };
    const versus = versusReference(own, others.map((row) => ({ ...row, apart: apartOf(row) })));
    others.forEach(({ label }, i) => found.set(label, versus[i]));
  }
  return found;
}

/** Rows by the row that they are compared with. */
function byReference(rows: readonly Row[], reference: Row): Map<Row, Row[]> {
  const placeOf = ({ runs }: Row) => runs[0].across;
  const subject = placeOf(reference)?.subject;
  const there = (data: string | undefined) =>
    rows.find((row) => subject !== undefined && placeOf(row)?.subject === subject && placeOf(row)?.data === data);
  const references = new Set([reference, ...rows.flatMap((row) => there(placeOf(row)?.data) ?? [])]);
  return Map.groupBy(
    rows.filter((row) => !references.has(row)),
    (row) => there(placeOf(row)?.data) ?? reference,
  );
}

/**
 * One row per label, in the order of their first runs; tested against the reference, and against the best of those with the
 * same data, encoders and budget.
 */
export function collapseSeeds(
  finished: readonly FinishedRun[],
  options: ReferenceOptions = {},
): ConfigurationResult[] {
  const rows = rowsOf(finished);
  const reference = options.reference === undefined ? rows[0]?.label : options.reference;
  const versus = differences(rows, rows.find(({ label }) => label === reference));
  const groups = comparableGroups(rows, ({ runs }) => runs[0].config);
  const places = new Map(groups.flatMap((group, place) => group.map(({ label }) => [label, place] as const)));
  const standings = new Map(
    groups.flatMap((group) =>
      Object.entries(againstBest(
        Object.fromEntries(group.filter(({ readsLabels }) => !readsLabels).map(({ label, values }) => [label, values])),
      ))
    ),
  );
  return rows.map((row) => ({
    ...collapsed(row),
    group: places.get(row.label)!,
    tied: standings.get(row.label)?.tied ?? null,
    best: standings.get(row.label)?.supported ?? false,
    versus: versus.get(row.label) ?? null,
  }));
}

/** Means of a row over its seeds. */
function collapsed({ label, runs, readsLabels }: Row): Omit<ConfigurationResult, "group" | "tied" | "best" | "versus"> {
  const { config, summary: first } = runs[0];
  const over = (pick: (run: FinishedRun) => number) => mean(runs.map(pick));
  return {
    label,
    dataset: config.dataset.name,
    fusion: config.fusion.name,
    method: config.methods.map(({ name }) => name).join("+") || "none",
    encoders: byModality(config.modalities, (modality) => config.encoders[modality].name),
    seeds: runs.map(({ seed }) => seed),
    testAccuracy: interval(runs.map(({ summary }) => summary.test.accuracy)),
    perModality: byModality(config.modalities, (modality) => ({
      accuracy: over(({ summary }) => summary.test.perModality[modality].accuracy),
      readout: first.test.perModality[modality].readout,
      ablateMean: over(({ summary }) => summary.test.perModality[modality].ablateMean),
      phi: over(({ summary }) => summary.test.perModality[modality].phi),
    })),
    macroF1: over(({ summary }) => summary.test.macroF1),
    contributionGap: over(({ summary }) => summary.test.contributionGap),
    jointContribution: over(({ summary }) => summary.test.jointContribution),
    samplesDrawn: over(({ summary }) => summary.samplesDrawn),
    epochs: over(({ summary }) => summary.epochs),
    seconds: over(({ timing }) => timing.seconds),
    stepMs: over(({ timing }) => timing.stepMs),
    parameters: first.parameters,
    multiplyAdds: first.multiplyAdds ?? null,
    trainingMultiplyAdds: runs.some(({ summary }) => (summary.trainingMultiplyAdds ?? null) === null)
      ? null
      : over(({ summary }) => summary.trainingMultiplyAdds!),
    machines: [...new Set(runs.map((run) => machineOf(run.config, run.timing)))].sort(),
    runs: runs.map(({ id }) => id),
    readsLabels,
  };
}

/** The label that a user named as reference. @throws {Refusal} If no row has it. */
export function checkReference(reference: string, labels: readonly string[]): string {
  if (labels.includes(reference)) return reference;
  throw new Refusal({
    what: `compare with "${reference}"`,
    must: "it must be the label of a row",
    found: `rows are ${labels.join(", ")}`,
    hint: didYouMean(reference, labels),
  });
}

/** The line that `--json` prints for a configuration. */
export function jsonLine(result: ConfigurationResult): string {
  return JSON.stringify(result);
}
