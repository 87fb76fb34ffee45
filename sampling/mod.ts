/**
 * Samplers: which samples an epoch draws.
 *
 * @module
 */
import type { SamplerPlugin } from "../core/kinds/mod.ts";
import { classBalanced } from "./class_balanced.ts";
import { dsr, inverseSampler, randomSampler } from "./dsr.ts";
import { maskedCopies, maskedShare } from "./masked_copies.ts";
import { uniformSampler } from "./uniform.ts";

export * from "./class_balanced.ts";
export * from "./copies.ts";
export * from "./dsr.ts";
export * from "./masked_copies.ts";
export * from "./uniform.ts";

/** All samplers that armlab brings. */
export const builtinSamplers: readonly SamplerPlugin[] = [
  classBalanced,
  dsr,
  inverseSampler,
  maskedCopies,
  maskedShare,
  randomSampler,
  uniformSampler,
];
