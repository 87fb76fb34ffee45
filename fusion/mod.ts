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
import { lmf } from "./lmf.ts";
import { mmtm } from "./mmtm.ts";
import { multiplicative } from "./multiplicative.ts";
import { sum } from "./sum.ts";
import { tfn } from "./tfn.ts";

export { centralnet, type CentralNetOptions } from "./centralnet.ts";
export { concat, type ConcatOptions } from "./concat.ts";
export { decision, type DecisionOptions } from "./decision.ts";
export { film, type FilmOptions } from "./film.ts";
export { bigated, gated, type GatedOptions } from "./gated.ts";
export { lmf, type LmfOptions } from "./lmf.ts";
export { mmtm, type MmtmOptions } from "./mmtm.ts";
export { multiplicative, type MultiplicativeOptions } from "./multiplicative.ts";
export type { HeadLoss } from "./shared.ts";
export { sum, type SumOptions } from "./sum.ts";
export { tfn, type TfnOptions } from "./tfn.ts";

/** All built-in fusions. */
export const builtinFusions: readonly FusionPlugin[] = [
  bigated,
  centralnet,
  concat,
  decision,
  film,
  gated,
  lmf,
  mmtm,
  multiplicative,
  sum,
  tfn,
];
