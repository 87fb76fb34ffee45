/**
 * From finished cells to one row per configuration.
 *
 * @module
 */
import { byModality } from "../core/modality.ts";
import type { RunConfig, RunSummary, RunTiming } from "../core/record.ts";
import { type Interval, interval, leastSeeds, rankWithTies } from "./statistics.ts";
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
  /** Run ids in the order of `seeds`. */
  readonly runs: readonly string[];
  /** Whether predictions were computed from the labels of what was predicted; such a configuration has no rank. */
  readonly readsLabels: boolean;
  /** Rank by mean test accuracy; configurations that the paired test cannot tell from the best share rank 1. */
  readonly rank: number | null;
  /** Whether the paired test supports that this is the best of all. */
  readonly best: boolean;
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
  readonly timing: Pick<RunTiming, "seconds" | "stepMs">;
}

/** Collapses seeds. Configurations without a finished seed are left out. */
export function configurations(outcomes: readonly CellOutcome[]): ConfigurationResult[] {
  return collapseSeeds(
    outcomes.filter((outcome) => outcome.status === "finished").map(({ cell, summary, timing }) => ({
      label: cell.request.label,
      id: cell.id,
      seed: cell.seed,
      config: cell.config,
      summary,
      timing,
    })),
  );
}

/** One row per label, in the order of their first runs; ranked among each other by the paired test. */
export function collapseSeeds(finished: readonly FinishedRun[]): ConfigurationResult[] {
  const groups = new Map<string, FinishedRun[]>();
  for (const run of finished) {
    const group = groups.get(run.label);
    if (group === undefined) groups.set(run.label, [run]);
    else group.push(run);
  }
  const samples: Record<string, Record<number, number>> = {};
  for (const { label, seed, summary } of finished) {
    if (summary.readsLabels) continue;
    (samples[label] ??= {})[seed] = summary.test.accuracy;
  }
  const ranks = rankWithTies(samples);
  return [...groups].map(([label, own]) => {
    const { config } = own[0];
    const over = (pick: (run: FinishedRun) => number) => mean(own.map(pick));
    return {
      label,
      dataset: config.dataset.name,
      fusion: config.fusion.name,
      method: config.methods.map(({ name }) => name).join("+") || "none",
      encoders: byModality(config.modalities, (modality) => config.encoders[modality].name),
      seeds: own.map(({ seed }) => seed),
      testAccuracy: interval(own.map(({ summary }) => summary.test.accuracy)),
      perModality: byModality(config.modalities, (modality) => ({
        accuracy: over(({ summary }) => summary.test.perModality[modality].accuracy),
        readout: own[0].summary.test.perModality[modality].readout,
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
      parameters: own[0].summary.parameters,
      multiplyAdds: own[0].summary.multiplyAdds ?? null,
      trainingMultiplyAdds: own.some(({ summary }) => (summary.trainingMultiplyAdds ?? null) === null)
        ? null
        : over(({ summary }) => summary.trainingMultiplyAdds!),
      runs: own.map(({ id }) => id),
      readsLabels: own[0].summary.readsLabels ?? false,
      rank: ranks[label]?.rank ?? null,
      best: ranks[label]?.supported ?? false,
    };
  });
}

/** The line that `--json` prints for a configuration. */
export function jsonLine(result: ConfigurationResult): string {
  return JSON.stringify(result);
}

/** A count to three digits with k, M, G or T. */
export function shortCount(count: number): string {
  const units = ["", "k", "M", "G", "T", "P"];
  let unit = 0;
  while (unit < units.length - 1 && count >= 999.5) {
    count /= 1000;
    unit++;
  }
  if (unit === 0) return String(Math.round(count));
  return `${count.toFixed(count < 9.995 ? 2 : count < 99.95 ? 1 : 0)} ${units[unit]}`;
}

const percent = (value: number): string => (100 * value).toFixed(1);

/** The table of a grid, aligned, for a terminal. */
export function resultTable(results: readonly ConfigurationResult[]): string {
  const modalities = [...new Set(results.flatMap(({ perModality }) => Object.keys(perModality)))].sort();
  const head = [
    "configuration",
    "test acc. %",
    "95 % CI",
    ...modalities.map((modality) => `${modality} %`),
    "gap",
    "samples drawn",
    "epochs",
    "s/run",
    "ms/step",
    "params",
    "mult-adds",
  ];
  const rows = results.map((result) => [
    `${result.label}${result.best ? " *" : ""}${result.readsLabels ? " (READS TEST LABELS)" : ""}`,
    `${percent(result.testAccuracy.mean)}${
      result.testAccuracy.std === null ? "" : ` ± ${percent(result.testAccuracy.std)}`
    }`,
    result.testAccuracy.ci95 === null ? "one seed" : `± ${percent(result.testAccuracy.ci95)}`,
    ...modalities.map((modality) => {
      const own = result.perModality[modality];
      return own === undefined ? "-" : `${percent(own.accuracy)} (${percent(own.ablateMean)})`;
    }),
    Object.keys(result.perModality).length < 2 ? "-" : result.contributionGap.toFixed(3),
    String(Math.round(result.samplesDrawn)),
    result.epochs.toFixed(result.epochs % 1 === 0 ? 0 : 1),
    result.seconds.toFixed(1),
    result.stepMs.toFixed(1),
    String(result.parameters),
    result.multiplyAdds === null ? "-" : shortCount(result.multiplyAdds),
  ]);
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column].length)));
  const line = (cells: readonly string[]) =>
    cells.map((cell, column) => column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column])).join("  ");
  return [line(head), widths.map((width) => "-".repeat(width)).join("  "), ...rows.map(line)].join("\n");
}

/** What a reader must know to read the table. */
export function tableNotes(results: readonly ConfigurationResult[], budget: string): string {
  const readouts = new Set(
    results.flatMap(({ perModality }) => Object.values(perModality).map(({ readout }) => readout)),
  );
  const seeds = new Set(results.flatMap((result) => result.seeds)).size;
  return [
    `Mean ± standard deviation over ${seeds} seed${seeds === 1 ? "" : "s"}; CI by Student's t. ` +
    `Budget: ${budget}. Selected on validation, test read once.`,
    `Per modality: accuracy of its own readout (${
      [...readouts].join(", ")
    }), in brackets with the other modalities at ` +
    "their training means. mult-adds: one sample's forward pass.",
    ...(results.length < 2 ? [] : [verdict(results, seeds)]),
  ].join("\n");
}

/** What the paired tests say of the best. */
function verdict(results: readonly ConfigurationResult[], seeds: number): string {
  if (results.some(({ best }) => best)) {
    return "* best: paired t-tests over seeds (Holm-corrected, 5 %) against every other configuration.";
  }
  if (seeds < leastSeeds) {
    return `No configuration is marked best: a test needs at least ${leastSeeds} common seeds.`;
  }
  const tied = results.filter(({ rank }) => rank === 1).map(({ label }) => label);
  return `No configuration is marked best: paired t-tests over seeds (Holm-corrected, 5 %) do not tell ${
    tied.join(", ")
  } apart.`;
}
