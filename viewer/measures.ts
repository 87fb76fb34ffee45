/**
 * What the grid can show of a configuration: one measure, one column.
 *
 * @module
 */
import { interval } from "../experiments/statistics.ts";
import type { Configuration, KnownRun } from "./configurations.ts";
import { numberText, type Unit } from "./numbers.ts";
import type { TableCell } from "./table.ts";

/** A measure of configurations. */
export interface Measure {
  readonly key: string;
  readonly title: string;
  /** What it is, with range and meaning. */
  readonly about: string;
  readonly unit: Unit;
  /** Whether the grid shows it unless told otherwise. */
  readonly usual: boolean;
  /** Value of one run, `null` if it has none. */
  of(run: KnownRun): number | null;
}

/** Mean of a measure over the finished seeds of a configuration. */
export interface Measured {
  readonly mean: number;
  readonly std: number | null;
  readonly ci95: number | null;
  readonly n: number;
}

type Of = Measure["of"];
type Summary = NonNullable<KnownRun["summary"]>;

/** A value of a run's summary; `null` without one. */
function summed(pick: (summary: Summary) => number | undefined): Of {
  return ({ summary }) => summary === null ? null : pick(summary) ?? null;
}

/** A value of a modality on test. */
function ofModality(modality: string, name: "accuracy" | "ablateMean" | "phi"): Of {
  return summed(({ test }) => Object.hasOwn(test.perModality, modality) ? test.perModality[modality][name] : undefined);
}

const accuracy: Measure = {
  key: "accuracy",
  title: "Test accuracy",
  about: "Accuracy on the test split, read once with the selected parameters",
  unit: "percent",
  usual: true,
  of: summed(({ test }) => test.accuracy),
};

/** Of the modality's own readout. */
function readout(modality: string): Measure {
  return {
    key: `accuracy:${modality}`,
    title: `${modality} readout`,
    about: `Test accuracy of the modality's own readout`,
    unit: "percent",
    usual: true,
    of: ofModality(modality, "accuracy"),
  };
}

/** What modalities contribute, and further results. */
const results: readonly Measure[] = [
  {
    key: "gap",
    title: "Contribution gap",
    about: "Mean over samples and pairs of modalities of |φᵢ − φⱼ|; 0 is balanced, one modality has none",
    unit: "plain",
    usual: true,
    of: (run) => run.summary === null || run.config.modalities.length < 2 ? null : run.summary.test.contributionGap,
  },
  {
    key: "joint",
    title: "Joint contribution",
    about: "Mean over samples of φ(X), the mean contribution of all modalities",
    unit: "plain",
    usual: false,
    of: summed(({ test }) => test.jointContribution),
  },
  {
    key: "macroF1",
    title: "Macro F1",
    about: "Mean F1 over classes on the test split",
    unit: "percent",
    usual: false,
    of: summed(({ test }) => test.macroF1),
  },
  {
    key: "validation",
    title: "Validation accuracy",
    about: "At the tested epoch; of runs that go on, at their last",
    unit: "percent",
    usual: false,
    of: (run) => run.validationAccuracy,
  },
  {
    key: "testLoss",
    title: "Test loss",
    about: "Mean cross-entropy on the test split",
    unit: "plain",
    usual: false,
    of: summed(({ test }) => test.loss),
  },
];

/** What a modality is worth by itself. */
function worth(modality: string): Measure[] {
  return [
    {
      key: `ablated:${modality}`,
      title: `${modality}, others at means`,
      about: "Test accuracy with all other modalities' features replaced by their training means",
      unit: "percent",
      usual: false,
      of: ofModality(modality, "ablateMean"),
    },
    {
      key: `phi:${modality}`,
      title: `φ ${modality}`,
      about: "Mean raw contribution φ^CMI of the modality on the test split",
      unit: "plain",
      usual: false,
      of: ofModality(modality, "phi"),
    },
  ];
}

/** What a run costs. */
const costs: readonly Measure[] = [
  {
    key: "samples",
    title: "Samples drawn",
    about: "Training samples drawn, copies included: the budget that is compared at",
    unit: "count",
    usual: true,
    of: summed(({ samplesDrawn }) => samplesDrawn),
  },
  {
    key: "epochs",
    title: "Epochs",
    about: "Epochs trained",
    unit: "count",
    usual: false,
    of: summed(({ epochs }) => epochs),
  },
  {
    key: "seconds",
    title: "Time per run",
    about: "Wall-clock time, summed over interruptions",
    unit: "seconds",
    usual: true,
    of: (run) => run.timing?.seconds ?? null,
  },
  {
    key: "stepMs",
    title: "Step",
    about: "Median time of a training step",
    unit: "milliseconds",
    usual: false,
    of: (run) => run.timing?.stepMs ?? null,
  },
  {
    key: "parameters",
    title: "Parameters",
    about: "Trainable scalars",
    unit: "count",
    usual: true,
    of: summed(({ parameters }) => parameters),
  },
];

/** All measures, for the modalities that there are, in the order of their columns. */
export function measuresFor(modalities: readonly string[]): Measure[] {
  return [accuracy, ...modalities.map(readout), ...results, ...modalities.flatMap(worth), ...costs];
}

/** Mean, spread and interval of a measure over the runs that have it; `null` if none has. */
export function measured(runs: readonly KnownRun[], measure: Measure): Measured | null {
  const values = runs.filter((run) => run.state === "finished").map((run) => measure.of(run)).filter((value) =>
    value !== null && Number.isFinite(value)
  ) as number[];
  return values.length === 0 ? null : { ...interval(values), n: values.length };
}

/** Head of a measure's column, with its unit. */
export function measureTitle({ title, unit }: Measure): string {
  if (unit === "percent") return `${title} %`;
  if (unit === "seconds") return `${title} s`;
  if (unit === "milliseconds") return `${title} ms`;
  return title;
}

/** Whether its spread over seeds is worth the space. */
export function hasSpread({ unit }: Measure): boolean {
  return unit === "percent" || unit === "plain";
}

/** A measured value as a cell: mean ± 95 % CI. */
export function measuredCell(measure: Measure, value: Measured | null, strong: boolean = false): TableCell {
  const raw = hasSpread(measure)
    ? [value?.mean ?? null, value?.std ?? null, value?.ci95 ?? null]
    : [value?.mean ?? null];
  if (value === null) return { text: "–", raw };
  const mean = numberText(value.mean, measure.unit, false);
  if (!hasSpread(measure) || value.ci95 === null) return { text: mean, raw, strong };
  return { text: `${mean} ± ${numberText(value.ci95, measure.unit, false)}`, raw, strong };
}

/** Names of a measure's columns in CSV. */
export function rawTitles(measure: Measure): string[] {
  return hasSpread(measure)
    ? [`${measure.key} mean`, `${measure.key} std`, `${measure.key} ci95`]
    : [`${measure.key} mean`];
}

/** How the runs of a configuration stand, in words: "3 seeds", "2 of 3 seeds, 1 running". */
export function stateText({ counts, runs, planned }: Pick<Configuration, "counts" | "runs" | "planned">): string {
  const all = runs.length + planned;
  const seeds = `${all} seed${all === 1 ? "" : "s"}`;
  if (counts.finished === all) return seeds;
  const others = (["running", "failed", "interrupted"] as const).filter((state) => counts[state] > 0);
  return [
    `${counts.finished} of ${seeds}`,
    ...others.map((state) => `${counts[state]} ${state}`),
    ...(planned > 0 ? [`${planned} planned`] : []),
  ].join(", ");
}
