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
  /** Checkpoints between the batches of epochs, if they were asked for. */
  readonly within: Checkpoint[];
}

/** Through copies and JSON, as a file would do it. */
function copied({ tensors, state }: Checkpoint): Checkpoint {
  return {
    tensors: Object.fromEntries(
      Object.entries(tensors).map(([name, value]) => [name, { ...value, data: value.data.slice() }]),
    ),
    state: JSON.parse(JSON.stringify(state)),
  };
}

/** Trains, and keeps every epoch's record and checkpoint, and those between batches that `checkpointEvery` asks for. */
export async function keptRun(
  options: Omit<Parameters<typeof train>[0], "onEpoch" | "onCheckpoint">,
): Promise<Kept> {
  const records: EpochRecord[] = [];
  const checkpoints: Checkpoint[] = [];
  const within: Checkpoint[] = [];
  const result = await train({
    ...options,
    onEpoch: async (record, checkpoint) => {
      records.push(record);
      checkpoints.push(copied(await checkpoint()));
    },
    onCheckpoint: options.checkpointEvery === undefined
      ? undefined
      : async (checkpoint) => void within.push(copied(await checkpoint())),
  });
  return { result, records, checkpoints, within };
}
