/**
 * Mutual-information valuation of modalities.
 *
 * @module
 */
export * from "./contributions.ts";
export * from "./estimators/mod.ts";
export * from "./information_program.ts";
export { mismatchedPairs } from "./floor.ts";
export * from "./measure.ts";
export { type SavedFeatures, subsetName, type ValuationInputs } from "./saved.ts";
export * from "./shapley.ts";
export { type Table, valuationTables } from "./summaries.ts";
export * from "./valuate.ts";
export * from "./valuation.ts";
export * from "./views.ts";
