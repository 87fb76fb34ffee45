/**
 * Mutual-information valuation of modalities.
 *
 * @module
 */
export * from "./contributions.ts";
export * from "./estimators/histogram.ts";
export * from "./shapley.ts";
export * from "./valuation.ts";
