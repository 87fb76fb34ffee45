/**
 * What lies in a run folder: names, sizes at most, and how what is damaged is mended.
 *
 * @module
 */

/** Names of the files in a run folder. */
export const runFiles = {
  config: "config.json",
  metrics: "metrics.jsonl",
  valuation: "valuation.jsonl",
  "test-curve": "test-curve.jsonl",
  checkpoint: "checkpoint.safetensors",
  model: "model.safetensors",
  "predictions-validation": "predictions-validation.safetensors",
  "predictions-test": "predictions-test.safetensors",
  "features-test": "features-test.safetensors",
  progress: "progress.json",
  failure: "failure.json",
  summary: "summary.json",
  timing: "timing.json",
  log: "log.txt",
} as const;

/** No JSON file of a run comes near this; a larger one is not ours. */
export const maxJsonBytes = 4 * 1024 * 1024;

/** Records of epochs are bounded far below this, whatever the number of epochs. */
export const maxMetricsBytes = 256 * 1024 * 1024;

/** How a damaged file is mended: what is removed is written anew when the same bench runs again. */
export const remedies: Readonly<
  Record<"config" | "summary" | "timing" | "progress" | "failure" | "experiment" | "valuation", string>
> = {
  config: "remove it and run the same bench again, which writes it anew",
  summary: "remove it and run the same bench again, which trains the run anew",
  timing: "remove summary.json beside it and run the same bench again, which trains the run anew",
  progress: "remove it",
  failure: "remove it",
  experiment: "remove it and run the same bench again, which writes it anew",
  valuation: "remove it: nothing but pictures of followed samples is drawn from it",
};

/** A text from a file or a user, short and without control characters. */
export const quoted = (text: string): string => JSON.stringify(text.slice(0, 40));
