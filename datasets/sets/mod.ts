/**
 * Published sets of media.
 *
 * @module
 */
import type { SetPlugin } from "../../core/kinds/mod.ts";
import { cremaD } from "./crema_d.ts";
import { kineticsSounds } from "./kinetics_sounds.ts";
import { vggSound } from "./vggsound.ts";

export { cremaD, type CremaDOptions } from "./crema_d.ts";
export { kineticsSounds, type KineticsSoundsOptions } from "./kinetics_sounds.ts";
export { vggSound } from "./vggsound.ts";
export { absentOf, formsOf, type SampleArrays, type SetForm } from "./forms.ts";
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
export { type Decoded, type DecodeOptions, decodeSamples } from "./decode.ts";
export { type SetSettings, setSettings } from "./settings.ts";

/** All built-in sets. */
export const builtinSets: readonly SetPlugin[] = [cremaD, kineticsSounds, vggSound];
