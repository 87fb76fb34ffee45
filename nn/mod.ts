/**
 * Layers, initialisers, optimisers and schedules; scopes that give layers their parameters.
 *
 * @module
 */
export * from "./activations.ts";
export * from "./attention.ts";
export * from "./conv.ts";
export * from "./cost.ts";
export * from "./initializers.ts";
export * from "./linear.ts";
export * from "./normalization.ts";
export * from "./optimizers.ts";
export * from "./pretrained.ts";
export * from "./schedules.ts";
export * from "./scope.ts";
export * from "./torch.ts";
export * from "./transformer.ts";
