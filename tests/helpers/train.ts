/** Training of tests: the result with every epoch's record and checkpoint. */
import type { Dataset } from "../../core/plugin.ts";
import type { Engine } from "../../core/program.ts";
import type { EpochRecord, TrainingConfig } from "../../core/record.ts";
import { type Checkpoint, type Model, train, type TrainResult } from "../../training/mod.ts";
import { toyTraining } from "./toy.ts";

/** A finished run. */
export interface Kept {
  result: TrainResult;
  records: EpochRecord[];
  checkpoints: Checkpoint[];
}

/** Trains with `toyTraining`, changed as asked. */
export async function trained(
  engine: Engine,
  model: Model,
  dataset: Dataset,
  options: { training?: Partial<TrainingConfig>; seed?: number; resume?: Checkpoint } = {},
): Promise<Kept> {
  const records: EpochRecord[] = [];
  const checkpoints: Checkpoint[] = [];
  const result = await train({
    model,
    dataset,
    engine,
    training: { ...toyTraining, ...options.training },
    seed: options.seed ?? 0,
    resume: options.resume,
    onEpoch: async (record, checkpoint) => {
      records.push(record);
      // Through JSON and copies, as a file would do it.
      const { tensors, state } = await checkpoint();
      checkpoints.push({
        tensors: Object.fromEntries(
          Object.entries(tensors).map(([name, value]) => [name, { ...value, data: value.data.slice() }]),
        ),
        state: JSON.parse(JSON.stringify(state)),
      });
    },
  });
  return { result, records, checkpoints };
}
