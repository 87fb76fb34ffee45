/**
 * Training: one loop, programs over named tensors, evaluation that never sees labels.
 *
 * @module
 */
export * from "./batches.ts";
export * from "./compose.ts";
export * from "./cost.ts";
export * from "./errors.ts";
export * from "./evaluate.ts";
export * from "./losses.ts";
export * from "./metrics/classification.ts";
export * from "./model.ts";
export * from "./predictions.ts";
export * from "./programs.ts";
export * from "./select.ts";
export * from "./session.ts";
export * from "./state.ts";
export * from "./teachers.ts";
export * from "./train.ts";
