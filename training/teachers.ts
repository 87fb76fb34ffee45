/**
 * What trained models give that methods learn from.
 *
 * @module
 */
import type { Dataset, OpenSplit, PassResult } from "../core/kinds/mod.ts";
import type { Engine, NamedHostTensors } from "../core/program.ts";
import { Random } from "../core/random.ts";
import type { Model } from "./model.ts";
import { predictWith } from "./run.ts";
import { RunState } from "./run_state.ts";

/** A teacher's model, the data of its modalities, and its parameters and buffers. */
export interface TeacherModel {
  readonly model: Model;
  readonly dataset: Dataset;
  readonly engine: Engine;
  readonly batchSize: number;
  /** By device name; those that the seed gives if absent. */
  readonly values?: NamedHostTensors;
  /** @default {0} */
  readonly seed?: number;
}

/** Logits, features and readouts of a teacher on a split, in evaluation mode. */
export async function teacherPass(teacher: TeacherModel, split: OpenSplit): Promise<PassResult> {
  const { model, dataset, engine, batchSize, values, seed = 0 } = teacher;
  const parts = { model, dataset, engine, batchSize };
  const state = values === undefined
    ? RunState.untrained(parts, new Random(seed).split("init"))
    : RunState.ofModel(parts, values, "ask a teacher");
  const { predictor, dispose } = predictWith(state);
  try {
    return await predictor.pass(dataset.splits[split]);
  } finally {
    dispose();
  }
}
