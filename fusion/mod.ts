/**
 * Fusions: features of all modalities to one prediction.
 *
 * @module
 */
import type { FusionPlugin } from "../core/kinds/mod.ts";
import { centralnet } from "./centralnet.ts";
import { concat } from "./concat.ts";
import { decision } from "./decision.ts";
import { film } from "./film.ts";
import { bigated, gated } from "./gated.ts";
import { mmtm } from "./mmtm.ts";
import { sum } from "./sum.ts";

export { centralnet, type CentralNetOptions } from "./centralnet.ts";
export { concat, type ConcatOptions } from "./concat.ts";
export { decision, type DecisionOptions } from "./decision.ts";
export { film, type FilmOptions } from "./film.ts";
export { bigated, gated, type GatedOptions } from "./gated.ts";
export { mmtm, type MmtmOptions } from "./mmtm.ts";
export type { HeadLoss } from "./shared.ts";
export { sum, type SumOptions } from "./sum.ts";

/** All built-in fusions. */
export const builtinFusions: readonly FusionPlugin[] = [
  bigated,
  centralnet,
  concat,
  decision,
  film,
  gated,
  mmtm,
  sum,
];
