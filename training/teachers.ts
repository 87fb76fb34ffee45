/**
 * What trained models give that methods learn from.
 *
 * @module
 */
import type { Dataset, OpenSplit, PassResult } from "../core/kinds/mod.ts";
import type { Engine, NamedHostTensors } from "../core/program.ts";
import { Random } from "../core/random.ts";
import { createOptimizer } from "../nn/optimizers.ts";
import type { Model } from "./model.ts";
import { Session } from "./session.ts";

/** A teacher's model, the data of its modalities, and its parameters and buffers. */
export interface TeacherModel {
  readonly model: Model;
  readonly dataset: Dataset;
  readonly engine: Engine;
  readonly batchSize: number;
  /** By device name (`param:…`, `buffer:…`); those that the seed gives where there are none. */
  readonly values?: NamedHostTensors;
  /** @default {0} */
  readonly seed?: number;
}

/** Logits, features and readouts of a teacher on a split, in evaluation mode. */
export async function teacherPass(teacher: TeacherModel, split: OpenSplit): Promise<PassResult> {
  const { model, dataset, engine, batchSize, values, seed = 0 } = teacher;
  const session = new Session({
    model,
    dataset,
    engine,
    optimizer: createOptimizer("sgd", { momentum: 0, weightDecay: 0 }),
    batchSize,
    clipNorm: 0,
    learningRate: () => 0,
    random: new Random(seed),
    epochs: 1,
    budget: 0,
  });
  try {
    if (values !== undefined) await session.state.write(values);
    return await session.pass(split);
  } finally {
    session.dispose();
  }
}
