/**
 * Fusions: features of all modalities to one prediction.
 *
 * @module
 */
import type { FusionPlugin } from "../core/kinds/mod.ts";
import { centralnet } from "./centralnet.ts";
import { concat } from "./concat.ts";
import { crossAttention } from "./cross_attention.ts";
import { decision } from "./decision.ts";
import { dynmm } from "./dynmm.ts";
import { film } from "./film.ts";
import { bigated, gated } from "./gated.ts";
import { lmf } from "./lmf.ts";
import { mbt } from "./mbt.ts";
import { mmtm } from "./mmtm.ts";
import { multiplicative } from "./multiplicative.ts";
import { pmf } from "./pmf.ts";
import { sum } from "./sum.ts";
import { tfn } from "./tfn.ts";
import { transfusion } from "./transfusion.ts";

export { centralnet, type CentralNetOptions } from "./centralnet.ts";
export { concat, type ConcatOptions } from "./concat.ts";
export { crossAttention, type CrossAttentionOptions } from "./cross_attention.ts";
export { decision, type DecisionOptions } from "./decision.ts";
export { dynmm, type DynmmOptions } from "./dynmm.ts";
export { film, type FilmOptions } from "./film.ts";
export { bigated, gated, type GatedOptions } from "./gated.ts";
export { lmf, type LmfOptions } from "./lmf.ts";
export { mbt, type MbtOptions } from "./mbt.ts";
export { mmtm, type MmtmOptions } from "./mmtm.ts";
export { multiplicative, type MultiplicativeOptions } from "./multiplicative.ts";
export type { HeadLoss } from "./shared.ts";
export type { LayersOf } from "./tokens.ts";
export { pmf, type PmfOptions } from "./pmf.ts";
export { sum, type SumOptions } from "./sum.ts";
export { tfn, type TfnOptions } from "./tfn.ts";
export { transfusion, type TransfusionOptions } from "./transfusion.ts";

/** All built-in fusions. */
export const builtinFusions: readonly FusionPlugin[] = [
  bigated,
  centralnet,
  concat,
  crossAttention,
  decision,
  dynmm,
  film,
  gated,
  lmf,
  mbt,
  mmtm,
  multiplicative,
  pmf,
  sum,
  tfn,
  transfusion,
];
