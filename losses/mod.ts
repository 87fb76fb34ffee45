/**
 * Losses, per sample.
 *
 * @module
 */
import type { LossPlugin } from "../core/kinds/mod.ts";
import { contributionGap } from "./contribution_gap.ts";
import { crossEntropyLoss } from "./cross_entropy.ts";
import { focal } from "./focal.ts";
import { minimumInformation } from "./minimum_information.ts";
import { readouts } from "./readouts.ts";

export * from "./contribution_gap.ts";
export * from "./cross_entropy.ts";

export * from "./divergence.ts";

export * from "./focal.ts";

export * from "./kept.ts";
export * from "./minimum_information.ts";
export * from "./readouts.ts";

/** All losses that armlab brings. */
export const builtinLosses: readonly LossPlugin[] = [
  contributionGap,
  crossEntropyLoss,
  focal,
  minimumInformation,
  readouts,
];
