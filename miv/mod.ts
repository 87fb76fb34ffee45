/**
 * Mutual-information valuation of modalities.
 *
 * @module
 */
export * from "./contributions.ts";
export * from "./estimators/information.ts";
export * from "./estimators/gaussian.ts";
export * from "./estimators/gaussian_points.ts";
export * from "./estimators/binned.ts";
export * from "./estimators/histogram.ts";
export * from "./estimators/ksg.ts";
export * from "./estimators/mismatch.ts";
export * from "./estimators/official.ts";
export * from "./estimators/options.ts";
export * from "./estimators/points.ts";
export * from "./estimators/tables.ts";
export * from "./information_program.ts";
export * from "./measure.ts";
export * from "./shapley.ts";
export { type Table, valuationTables } from "./summaries.ts";
export * from "./valuate.ts";
export * from "./valuation.ts";
export * from "./views.ts";
