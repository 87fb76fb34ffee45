/**
 * Contracts and vocabulary: what every other room shares.
 *
 * @module
 */
export * from "./canonical.ts";
export * from "./check.ts";
export * from "./library.ts";
export * from "./plugins.ts";
export * from "./modality.ts";
export * as names from "./names.ts";
export * from "./options.ts";
export * from "./kinds/mod.ts";
export * from "./origin.ts";
export * from "./plugin_error.ts";
export * from "./program.ts";
export * from "./random.ts";
export * from "./record.ts";
export * from "./refusal.ts";
export * from "./registry.ts";
export * from "./scope.ts";
export * from "./suggest.ts";
export * from "./version.ts";
