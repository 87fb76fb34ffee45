/**
 * Files of arrays that others write and read: one decoder for datasets, valuation and checkpoints.
 *
 * @module
 */
export * from "./npy.ts";
export * from "./safetensors.ts";
