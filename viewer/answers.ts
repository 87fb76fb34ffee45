/**
 * What the interface for programs answers: a schema for each answer, which types it and which the document is made from.
 *
 * @module
 */
import { z } from "zod";
import { storedSchema } from "../store/schemas.ts";
import type { StreamEvents } from "./events.ts";

const count = z.number().int().min(0);
const maybe = z.number().nullable();
const text = z.string();
const maybeText = z.string().nullable();
const state = z.enum(["finished", "running", "failed", "interrupted", "broken"]);

const measured = z.strictObject({ mean: z.number(), std: maybe, ci95: maybe, n: count }).describe(
  "Mean, sample standard deviation and half width of the 95 % confidence interval over n finished seeds",
);

const runRow = z.strictObject({
  id: text,
  state,
  reason: maybeText.describe("Why it failed or is broken"),
  configuration: maybeText.describe("Shared by the seeds of one configuration"),
  seed: z.number().int().nullable(),
  dataset: maybeText,
  fusion: maybeText,
  methods: maybeText,
  encoders: maybeText,
  modalities: maybeText,
  engine: maybeText,
  epochs: count,
  epochsPlanned: maybe,
  testAccuracy: maybe,
  testMacroF1: maybe,
  validationAccuracy: maybe,
  contributionGap: maybe,
  jointContribution: maybe,
  samplesDrawn: maybe,
  parameters: maybe,
  seconds: maybe,
  startedAt: maybeText,
  finishedAt: maybeText,
});

const setting = z.union([z.string(), z.number(), z.boolean(), z.null()]);

const tied = z.enum(["yes", "no", "untested"]);

const versusFields = {
  reference: text.describe("Name of what it is compared with"),
  n: count.describe("Common finished seeds"),
  difference: maybe.describe("Mean difference of test accuracy from the reference, over common seeds"),
  ci95: maybe.describe("Half width of its 95 % confidence interval, not corrected"),
  p: maybe.describe("Of the two-sided paired t-test"),
  pHolm: maybe.describe("Corrected by Holm over all rows with a test"),
  verdict: z.enum(["better", "worse", "not told apart", "untested"]),
  reason: maybeText.describe("Why it is untested"),
  seedsNeeded: maybe.describe("Seeds that would show such a difference with a chance of 80 %, where it is not shown"),
};
const versus = z.strictObject(versusFields);

const grid = z.strictObject({
  version: count.describe("Raised by every change of the runs folder"),
  problem: maybeText,
  total: count,
  page: count,
  pages: count,
  experiment: maybeText.describe("Name of the experiment whose rows these are; null for all runs"),
  question: maybeText.describe("What it asked"),
  reference: maybeText.describe("Id of the configuration that others are compared with"),
  answer: maybeText.describe("The best row against the reference, in one sentence"),
  notes: z.array(text).describe("What comparisons and marks rest on"),
  measures: z.array(z.strictObject({ key: text, title: text, about: text, unit: text })),
  configurations: z.array(z.strictObject({
    id: text,
    label: text,
    group: maybeText,
    tied: tied.nullable().describe(
      "Whether the paired test cannot tell it from the best with the same data and budget",
    ),
    best: z.boolean().describe("Whether the paired test tells it from every other with the same data and budget"),
    versus: versus.nullable().describe("The difference from the reference; null for the reference itself"),
    seeds: z.strictObject({ finished: count, running: count, failed: count, interrupted: count, planned: count }),
    values: z.record(text, measured.nullable()),
    settings: z.record(text, setting),
    runs: z.array(z.strictObject({ id: text, seed: z.number().int(), state, epochs: count, reason: maybeText })),
  })),
});

const chart = z.strictObject({
  id: text,
  title: text,
  height: count.describe("Pixels"),
  option: z.record(text, z.unknown()).describe("Option of ECharts"),
});

const chartList = z.array(z.strictObject({ id: text, title: text, about: text }));

const run = z.strictObject({
  run: runRow,
  label: maybeText,
  repeat: maybeText.describe("The command that repeats it"),
  config: storedSchema("config").nullable(),
  summary: storedSchema("summary").nullable(),
  timing: storedSchema("timing").nullable(),
  progress: storedSchema("progress").nullable(),
  failure: storedSchema("failure").nullable(),
  files: z.array(z.strictObject({ name: text, bytes: count })),
  charts: chartList,
  experiments: z.array(z.strictObject({ name: text, label: text })).describe("That planned it, with its row's name"),
  predictions: z.strictObject({
    classes: z.array(text),
    confusion: z.array(z.array(count)).describe("Test samples by true class, then by predicted class"),
    ece: z.record(text, z.number()).describe("Expected calibration error by readout, in 15 bins"),
  }).nullable().describe("What kept predictions show; null where none are kept"),
});

const difference = z.strictObject({ id: text, label: text, ...versusFields });

const comparison = z.strictObject({
  items: z.array(
    z.strictObject({ id: text, kind: z.enum(["configuration", "run"]), label: text, runs: z.array(text) }),
  ),
  missing: z.array(text),
  leftOut: count.describe("How many that were asked for would be too many"),
  reference: maybeText,
  differences: z.array(difference),
  samples: z.array(z.strictObject({
    id: text,
    bootstrap: z.strictObject({ difference: z.number(), low: z.number(), high: z.number(), draws: count }).nullable()
      .describe("95 % interval of the difference over seeds and groups of samples"),
    mcNemar: z.array(z.strictObject({ seed: z.number().int(), onlyFirst: count, onlySecond: count, p: z.number() }))
      .describe("McNemar's exact test for each seed: samples that this one, or the reference, alone has right"),
  })).describe("From kept predictions; empty where none are kept"),
  settings: z.array(z.strictObject({ name: text, values: z.array(setting) })),
  measures: z.array(z.strictObject({ key: text, title: text })),
  charts: chartList,
});

const configuration = z.strictObject({
  id: text,
  label: text,
  experiment: maybeText,
  reference: maybeText.describe("Id of the configuration that it is compared with"),
  versus: versus.nullable(),
  seeds: z.strictObject({ finished: count, running: count, failed: count, interrupted: count, planned: count }),
  values: z.record(text, measured.nullable()),
  settings: z.record(text, setting),
  runs: z.array(runRow),
  charts: chartList,
});

const accuracy = z.strictObject({ mean: z.number(), std: maybe, ci95: maybe });
const standing = z.strictObject({ testAccuracy: accuracy, versus: versus.nullable() });
const bootstrap = z.strictObject({ value: z.number(), low: z.number(), high: z.number() }).describe(
  "With its 95 % interval by a bootstrap over runs within each data set",
);

const experiment = z.strictObject({
  name: text,
  question: maybeText,
  command: text.describe("That runs it again"),
  progress: text.describe("How many of its runs have finished, in words"),
  answer: maybeText.describe("The answer at equal tuning, in one sentence"),
  incomplete: count.describe("Studies with a run still to come: they choose nothing yet"),
  tuned: z.array(z.strictObject({
    label: text,
    options: z.array(text).describe("That were tuned"),
    given: standing,
    tuned: standing.describe("Compared with the tuned reference"),
    gain: versus.describe("Tuned minus as given, over studies"),
    trials: z.number().describe("In each study, what is given among them"),
    cost: z.strictObject({
      runs: count,
      teachers: count.describe("Teachers' runs"),
      samplesDrawn: z.number().describe("With those of teachers, each counted once"),
      seconds: z.number(),
    }).describe("Of all trials"),
    studies: z.array(z.strictObject({
      seed: z.number().int(),
      label: text.describe("Of the chosen run"),
      settings: z.array(text).describe("That it sets; none where what is given was best"),
      validation: z.number(),
      givenValidation: maybe,
      failed: count,
      id: text.describe("Of the chosen run"),
    })),
  })),
  across: z.array(z.strictObject({
    how: text.describe("Which runs: all, as given, tuned"),
    dataSets: z.array(text),
    reference: text,
    rows: z.array(z.strictObject({
      subject: text,
      means: z.array(z.number()).describe("Test accuracy on each data set"),
      iqm: bootstrap,
      improvement: bootstrap.nullable(),
      rank: maybe,
    })),
    ranking: z.strictObject({ criticalDifference: z.number(), chiSquare: maybe, p: maybe }).nullable(),
    incomplete: z.array(text).describe("Subjects that lack a run on some data set"),
  })),
  charts: chartList,
});

const samples = z.strictObject({
  run: maybeText.describe("Id; null where none has finished"),
  split: z.enum(["test", "validation"]),
  classes: z.array(text),
  total: count.describe("Samples that fit"),
  page: count,
  pages: count,
  reason: maybeText.describe("Why there are none, or less than was asked for"),
  samples: z.array(z.strictObject({
    id: count.describe("Place in the split"),
    label: count.describe("Index of the true class"),
    loss: maybe.describe("Cross-entropy of the fused prediction"),
    readouts: z.array(z.strictObject({ name: text, predicted: count, probability: maybe, right: z.boolean() })),
    phi: z.record(text, z.number()).describe("Raw contribution of each modality"),
    followed: z.boolean().describe("Whether its contributions were kept over all epochs"),
  })),
});

const failure = z.strictObject({
  error: z.strictObject({
    status: count,
    message: text,
    what: text.optional().describe("What cannot be done; this and the next three are clauses of a refusal's message"),
    must: text.optional().describe("What must hold"),
    found: text.optional().describe("What was found, or what there is"),
    hint: text.optional().describe("How to mend it"),
  }),
});

/** Data of the one kind of event. */
export const change: z.ZodType<StreamEvents["change"]> = z.strictObject({
  version: count.describe("That the runs folder is at, raised by every change"),
}).describe("Sent when a stream begins, whenever the runs folder has changed, and after 15 s without a change");

/** Schemas of the answers, by name. */
export const answers = {
  Grid: grid,
  Runs: z.strictObject({ version: count, problem: maybeText, runs: z.array(runRow) }),
  Run: run,
  Epochs: z.strictObject({ records: z.array(storedSchema("epoch")), reason: maybeText }),
  Comparison: comparison,
  Configuration: configuration,
  Experiment: experiment,
  Samples: samples,
  Chart: chart,
  Error: failure,
} as const;

/** What an answer holds. */
export type Answer<K extends keyof typeof answers> = z.infer<typeof answers[K]>;
