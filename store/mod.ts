/**
 * Runs on disk: folders (the truth) and their SQLite index.
 *
 * @module
 */
export * from "./claims.ts";
export * from "./experiments.ts";
export * from "./features.ts";
export * from "./files.ts";
export * from "./index.ts";
export * from "./inspect.ts";
export * from "./members.ts";
export * from "./predictions.ts";
export { maxJsonBytes, maxMetricsBytes, remedies, runFiles } from "./run_files.ts";
export * from "./run_folder.ts";
export * from "./run_id.ts";
export { isKept, keptOf, parseEpoch, parseValuation } from "./run_records.ts";
export type { StoredCheckpoint, StoredModel } from "./run_tensors.ts";
export * from "./tensors.ts";
export * from "./test_curve.ts";
export * from "./unite.ts";
