/**
 * Losses, per sample.
 *
 * @module
 */
export * from "./balanced_min_max.ts";
export * from "./cross_entropy.ts";
export * from "./divergence.ts";
export * from "./kept.ts";
