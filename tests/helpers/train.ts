/** Training of tests: the result with every epoch's record and checkpoint. */
import type { Dataset } from "../../core/kinds/mod.ts";
import type { Engine } from "../../core/program.ts";
import type { TrainingConfig } from "../../core/record.ts";
import { type Kept, keptRun } from "../../contracts/kept.ts";
import type { Checkpoint, Model, WholeModel } from "../../training/mod.ts";
import { toyTraining } from "./toy.ts";

export type { Kept } from "../../contracts/kept.ts";

/** Trains with `toyTraining`, changed as asked. */
export function trained(
  engine: Engine,
  model: Model,
  dataset: Dataset,
  { training, seed = 0, resume, whole }: {
    training?: Partial<TrainingConfig>;
    seed?: number;
    resume?: Checkpoint;
    whole?: WholeModel;
  } = {},
): Promise<Kept> {
  return keptRun({ model, dataset, engine, training: { ...toyTraining, ...training }, seed, resume, whole });
}
