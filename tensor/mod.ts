/**
 * What is done to tensors below every method: differentiation, mended gradients, noise from a key, squares of huge numbers.
 *
 * @module
 */
export * from "./autodiff.ts";
export * from "./gradients.ts";
export * from "./identity_matrix.ts";
export * from "./noise.ts";
export * from "./square_scale.ts";
