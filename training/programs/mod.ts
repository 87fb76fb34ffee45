/**
 * The traced programs of a run.
 *
 * @module
 */
export * from "./parts.ts";
export * from "./predict.ts";
export * from "./train.ts";
