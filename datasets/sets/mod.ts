/**
 * Published sets of media.
 *
 * @module
 */
import type { SetPlugin } from "../../core/kinds/mod.ts";
import { cmuMosei } from "./cmu_mosei.ts";
import { cremaD } from "./crema_d.ts";
import { food101 } from "./food_101.ts";
import { kineticsSounds } from "./kinetics_sounds.ts";
import { ucf51 } from "./ucf_51.ts";
import { vggSound } from "./vggsound.ts";

export { cmuMosei, type CmuMoseiOptions, roundedEven, sentimentOf } from "./cmu_mosei.ts";
export { cremaD, type CremaDOptions } from "./crema_d.ts";
export { food101 } from "./food_101.ts";
export { kineticsSounds, type KineticsSoundsOptions } from "./kinetics_sounds.ts";
export { ucf51, type Ucf51Options } from "./ucf_51.ts";
export { vggSound } from "./vggsound.ts";
export { absentOf, formsOf, notInside, type SampleArrays, type SetForm } from "./forms.ts";
export { lacking, type ListedSet, listSet } from "./listing.ts";
export {
  type BrokenSample,
  brokenText,
  copiesIn,
  countsOf,
  type SetCounts,
  setFindings,
  type VerifyOptions,
  verifySet,
} from "./findings.ts";
export { preparedFindings } from "./prepared.ts";
export { type Decoded, type DecodeOptions, decodeSamples } from "./decode.ts";
export { type SetSettings, setSettings } from "./settings.ts";

/** All built-in sets. */
export const builtinSets: readonly SetPlugin[] = [cmuMosei, cremaD, food101, kineticsSounds, ucf51, vggSound];
