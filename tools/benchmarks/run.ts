/**
 * Runs that benchmarks time.
 *
 * @module
 */
import type { Dataset } from "../../core/kinds/mod.ts";
import type { Engine } from "../../core/program.ts";
import { Random } from "../../core/random.ts";
import { standInTeachers } from "../../contracts/toy.ts";
import { createOptimizer } from "../../nn/mod.ts";
import { type Model, type Run, startRun } from "../../training/mod.ts";

/** Samples of a step. */
export const BATCH = 64;

/** A run of plain momentum SGD, in batches of 64, without an end. */
export function benchRun(engine: Engine, dataset: Dataset, model: Model, epochs = 1): Run {
  return startRun({
    model,
    dataset,
    engine,
    optimizer: createOptimizer("sgd", { momentum: 0.9, weightDecay: 5e-4 }),
    batchSize: BATCH,
    clipNorm: 10,
    learningRate: () => 1e-3,
    random: new Random(0),
    epochs,
    budget: Number.MAX_SAFE_INTEGER,
    teachers: standInTeachers(model, dataset, engine),
  });
}
