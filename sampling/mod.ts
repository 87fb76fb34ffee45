/**
 * Which samples an epoch draws.
 *
 * @module
 */
export * from "./dsr.ts";
