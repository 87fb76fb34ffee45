/**
 * A training run with everything that it would leave on disk.
 *
 * @module
 */
import type { EpochRecord } from "../core/record.ts";
import type { Checkpoint } from "../training/checkpoint.ts";
import { train, type TrainResult } from "../training/train.ts";

/** A finished run. */
export interface Kept {
  readonly result: TrainResult;
  readonly records: EpochRecord[];
  readonly checkpoints: Checkpoint[];
}

/** Trains, and keeps every epoch's record and checkpoint. */
export async function keptRun(options: Omit<Parameters<typeof train>[0], "onEpoch">): Promise<Kept> {
  const records: EpochRecord[] = [];
  const checkpoints: Checkpoint[] = [];
  const result = await train({
    ...options,
    onEpoch: async (record, checkpoint) => {
      records.push(record);
      const { tensors, state } = await checkpoint();
      checkpoints.push({
        // Through copies and JSON, as a file would do it.
        tensors: Object.fromEntries(
          Object.entries(tensors).map(([name, value]) => [name, { ...value, data: value.data.slice() }]),
        ),
        state: JSON.parse(JSON.stringify(state)),
      });
    },
  });
  return { result, records, checkpoints };
}
