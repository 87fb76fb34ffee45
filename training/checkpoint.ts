/**
 * Checkpoints: all that is needed to go on bit for bit, from the end of an epoch or from any place within one.
 *
 * Nothing of randomness needs saving, as streams are functions of names: the seed, the epoch, the step.
 *
 * @module
 */
import * as names from "../core/names.ts";
import type { NamedHostTensors } from "../core/program.ts";
import type { SplitMetrics } from "../core/record.ts";
import type { SavedSnapshots } from "./host.ts";
import type { SavedEpoch } from "./journal.ts";
import { pack, unpack } from "./packing.ts";
import type { Run } from "./run.ts";
import type { SavedCounters } from "./run_state.ts";

/** The state of training: all that is needed to go on bit for bit. */
export interface Checkpoint {
  /** Parameters, slots, buffers, tables, the selected parameters so far, and arrays of `state`, by checkpoint name. */
  readonly tensors: NamedHostTensors;
  readonly state: CheckpointState;
}

/** The JSON part of a checkpoint. */
export interface CheckpointState {
  /** Finished epochs. */
  readonly epochs: number;
  /** Whether it is of a place within the next epoch. */
  readonly within: boolean;
  readonly counters: SavedCounters;
  /** The selected epoch so far. */
  readonly best: Omit<Best, "tensors"> | null;
  /** What methods keep, snapshots, and the epoch under way: packed, as they may hold arrays. */
  readonly kept: unknown;
}

/** The selected epoch. */
export interface Best {
  readonly epoch: number;
  /** Metrics of the validation split. */
  readonly validation: SplitMetrics;
  /** Parameters and buffers, by device name. */
  readonly tensors: NamedHostTensors;
}

/** Where training stands. */
export interface TrainingStanding {
  readonly epochs: number;
  readonly best: Best | null;
  /** The next epoch, if it has begun. */
  readonly underway: SavedEpoch | null;
}

/** What is packed. */
interface Kept {
  readonly methods: Readonly<Record<string, unknown>>;
  readonly snapshots: SavedSnapshots;
  readonly underway: SavedEpoch | null;
}

/** Takes a checkpoint. */
export async function checkpointOf(
  { state, host }: Run,
  { epochs, best, underway }: TrainingStanding,
): Promise<Checkpoint> {
  const kept: Kept = { methods: host.savedMethods(), snapshots: host.savedSnapshots(), underway };
  const { json, tensors } = pack(kept, names.kept.of(""));
  return {
    tensors: { ...await state.tensors(), ...names.best.over(best?.tensors ?? {}), ...tensors },
    state: {
      epochs,
      within: underway !== null,
      counters: state.saved(),
      best: best === null ? null : { epoch: best.epoch, validation: best.validation },
      kept: json,
    },
  };
}

/**
 * Puts a checkpoint back.
 *
 * @throws {Refusal} If it lacks a tensor of the run.
 */
export async function restored({ state, host }: Run, { tensors, state: saved }: Checkpoint): Promise<TrainingStanding> {
  const { methods, snapshots, underway } = unpack(saved.kept, tensors) as Kept;
  state.epoch = saved.epochs;
  await state.load(tensors, saved.counters);
  host.loadMethods(methods);
  host.loadSnapshots(snapshots);
  return {
    epochs: saved.epochs,
    best: saved.best === null ? null : { ...saved.best, tensors: names.best.under(tensors) },
    underway,
  };
}
