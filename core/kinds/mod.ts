/**
 * Contracts of everything that can be swapped, a file for each kind. A part is a plain value; importing it does nothing.
 *
 * @module
 */
export * from "./about.ts";
export * from "./dataset.ts";
export * from "./encoder.ts";
export * from "./fusion.ts";
export * from "./host.ts";
export * from "./method.ts";
export * from "./step.ts";
