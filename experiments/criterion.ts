/**
 * The task's loss of a run.
 *
 * @module
 */
import { CLAIMS, type Dataset, type Fusion, type Method, type ModelContext } from "../core/kinds/mod.ts";
import type { Library } from "../core/library.ts";
import type { PartConfig } from "../core/record.ts";
import { Refusal } from "../core/refusal.ts";
import { crossEntropyLoss } from "../losses/cross_entropy.ts";
import type { Model } from "../training/model.ts";

/** Training samples of each class, C of them. */
function classCounts({ splits, classes }: Pick<Dataset, "splits" | "classes">): number[] {
  const counts = new Array<number>(classes.length).fill(0);
  for (const label of splits.train.labels) counts[label]++;
  return counts;
}

/** Whether a loss is plain cross-entropy, which every part can do with. */
function isPlain(options: PartConfig["options"]): boolean {
  return Object.entries(crossEntropyLoss.options).every(([name, spec]) => options[name] === spec.default);
}

/**
 * The task's loss as the training options name it; plain cross-entropy is left to the harness.
 *
 * @throws {Refusal} If the loss cannot stand for the task's, or a part has a loss of its own in its place.
 */
export function criterionOf(
  config: PartConfig,
  library: Library,
  dataset: Pick<Dataset, "classes"> & Partial<Pick<Dataset, "splits">>,
  { context, fusion, methods }: { context: ModelContext; fusion: Fusion; methods: readonly Method[] },
): Model["criterion"] {
  const { name, plugin, options } = library.bind("loss", config);
  if (plugin === crossEntropyLoss && isPlain(options)) return undefined;
  const what = `train by loss "${name}"`;
  if (fusion.loss !== undefined) {
    throw new Refusal({
      what,
      must: "the fusion must leave the task's loss to the training",
      found: "it has a loss of its own",
      hint: "leave training.loss out, or take another fusion or another value of its option loss",
    });
  }
  const own = methods.find(({ declares }) => declares?.claims?.includes(CLAIMS.taskLoss));
  if (own !== undefined) {
    throw new Refusal({
      what,
      must: "no method may replace the task's loss",
      found: `method "${own.name}" does`,
      hint: "leave training.loss out",
    });
  }
  const counts = dataset.splits === undefined
    ? undefined
    : classCounts({ splits: dataset.splits, classes: dataset.classes });
  const { ofLogits } = plugin.create(options, { ...context, counts });
  if (ofLogits === undefined) {
    throw new Refusal({
      what,
      must: "the task's loss must be one of any logits",
      found: "it is one of the whole step",
      hint: `add it to the task's by --method recipe --set recipe.losses=${name}`,
    });
  }
  return ofLogits;
}
