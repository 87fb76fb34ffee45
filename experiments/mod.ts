/**
 * Experiments: configurations, grids, the runner and statistics over seeds.
 *
 * @module
 */
export * from "./across/across.ts";
export * from "./across/aggregates.ts";
export * from "./across/ranks.ts";
export * from "./comparable.ts";
export * from "./config.ts";
export * from "./grids/mod.ts";
export * from "./power.ts";
export * from "./results.ts";
export type { Aside, FrozenFeatures } from "./frozen.ts";
export * from "./run_cell.ts";
export * from "./estimate.ts";
export * from "./plan.ts";
export * from "./reproduce.ts";
export * from "./provenance.ts";
export { type CellOutcome, type GridEvent, type GridOptions, type GridResult, runGrid, runPlan } from "./run_grid.ts";
export * from "./selection_rules.ts";
export * from "./settings.ts";
export { SharedData, type SharedDataset } from "./shared_data.ts";
export * from "./statistics.ts";
export * from "./table.ts";
export * from "./text_table.ts";
export * from "./tuning/tune.ts";
export * from "./versus.ts";
export { FeatureStore } from "./feature_store.ts";
