/**
 * What is done to tensors below every method: differentiation, mended gradients, noise from a key.
 *
 * @module
 */
export * from "./autodiff.ts";
export * from "./gradients.ts";
export * from "./identity_matrix.ts";
export * from "./noise.ts";
