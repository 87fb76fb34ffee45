/**
 * Training: one loop, programs over named tensors, evaluation that never sees labels.
 *
 * @module
 */
export * from "./answers.ts";
export * from "./batches.ts";
export * from "./checkpoint.ts";
export * from "./compiled.ts";
export * from "./compose.ts";
export * from "./cost.ts";
export * from "./curve.ts";
export * from "./declarations.ts";
export * from "./epoch.ts";
export * from "./errors.ts";
export * from "./evaluate.ts";
export * from "./host.ts";
export * from "./journal.ts";
export * from "./losses.ts";
export * from "./metrics/classification.ts";
export * from "./metrics/linear_probe.ts";
export * from "./forward.ts";
export * from "./model.ts";
export * from "./packing.ts";
export * from "./predictions.ts";
export * from "./predictor.ts";
export * from "./programs/mod.ts";
export * from "./ready.ts";
export * from "./run.ts";
export * from "./run_state.ts";
export * from "./select.ts";
export * from "./state.ts";
export * from "./teachers.ts";
export * from "./train.ts";
export * from "./trainer.ts";
export { type BatchArrays, ReadAhead, type Wanted } from "../loading/read_ahead.ts";
