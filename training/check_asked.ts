/**
 * What `train` is asked for, looked at before anything is built: a script of one's own passes through no command line.
 *
 * @module
 */
import type { Dataset } from "../core/kinds/mod.ts";
import { sizeOf } from "../core/program.ts";
import type { TrainingConfig } from "../core/record.ts";
import { Refusal } from "../core/refusal.ts";
import type { Model } from "./model.ts";

type Words = { readonly [K in "budget" | "optimizer" | "schedule" | "select"]: readonly TrainingConfig[K][] };

const words: Words = {
  budget: ["samples", "epochs"],
  optimizer: ["sgd", "adamw"],
  schedule: ["constant", "cosine", "linear", "step"],
  select: ["best", "last"],
};

/** Smallest and greatest value, and whether it is a whole number. */
const numbers = {
  epochs: [1, Infinity, true],
  batchSize: [1, Infinity, true],
  learningRate: [0, Infinity, false],
  momentum: [0, 1, false],
  weightDecay: [0, Infinity, false],
  stepAt: [0, 1, false],
  clipNorm: [0, Infinity, false],
} as const;

/** @throws {Refusal} If a number is out of range, or a word is none that is known. */
export function checkTraining(training: TrainingConfig): void {
  for (const [name, [least, most, whole]] of Object.entries(numbers)) {
    const value: unknown = training[name as keyof typeof numbers];
    if (typeof value === "number" && value >= least && value <= most && value < Infinity) {
      if (!whole || Number.isInteger(value)) continue;
    }
    const range = most === Infinity ? `>= ${least}` : `${least} to ${most}`;
    throw new Refusal({
      what: `train with ${name}`,
      must: `it must be ${whole ? "a whole number" : "a number"} ${range}`,
      found: `found ${value}`,
    });
  }
  for (const [name, known] of Object.entries(words)) {
    const value = training[name as keyof Words];
    if ((known as readonly string[]).includes(value)) continue;
    throw new Refusal({
      what: `train with ${name} ${JSON.stringify(value)}`,
      must: `it must be one of ${known.join(", ")}`,
    });
  }
}

/** @throws {Refusal} If a model and a dataset do not belong together. */
export function checkModel({ context, encoders }: Model, dataset: Dataset): void {
  const { modalities, classes } = context;
  const refuse = (must: string, found: string) =>
    new Refusal({ what: `train on dataset "${dataset.name}"`, must, found });
  if (modalities.join() !== [...modalities].sort().join()) {
    throw refuse("the model's modalities must be sorted", `found ${modalities.join(", ")}`);
  }
  for (const [whose, all] of [["dataset", dataset.modalities], ["model's encoders", encoders]] as const) {
    const lacking = modalities.find((modality) => !Object.hasOwn(all, modality));
    if (lacking === undefined) continue;
    throw refuse(
      `the ${whose} must have modality "${lacking}"`,
      `found ${Object.keys(all).sort().join(", ") || "none"}`,
    );
  }
  if (classes !== dataset.classes.length) {
    throw refuse(`the model must have its ${dataset.classes.length} classes`, `found ${classes}`);
  }
  for (const [name, split] of Object.entries(dataset.splits)) {
    // What lies behind the last sample is not looked at.
    if (split.labels.length < split.size) {
      throw refuse(`split "${name}" must have ${split.size} labels`, `found ${split.labels.length}`);
    }
    for (const modality of modalities) {
      if (split.rows !== undefined && Object.hasOwn(split.rows, modality)) continue;
      const wanted = split.size * sizeOf(dataset.modalities[modality].shape);
      const found = split.inputs[modality]?.length ?? 0;
      if (found < wanted) {
        throw refuse(`"${modality}" of split "${name}" must have ${wanted} values`, `found ${found}`);
      }
    }
  }
}
