/**
 * Runs on disk: folders (the truth) and their SQLite index.
 *
 * @module
 */
export * from "./experiments.ts";
export * from "./features.ts";
export * from "./files.ts";
export * from "./index.ts";
export * from "./inspect.ts";
export * from "./lock.ts";
export * from "./predictions.ts";
export * from "./run_folder.ts";
export * from "./run_id.ts";
export * from "./tensors.ts";
export * from "./test_curve.ts";
