/**
 * Published sets of media.
 *
 * @module
 */
import type { SetPlugin } from "../../core/kinds/mod.ts";
import { cremaD } from "./crema_d.ts";

export { cremaD, type CremaDOptions } from "./crema_d.ts";
export { absentOf, formsOf, type SampleArrays, type SetForm } from "./forms.ts";
export { lacking, type ListedSet, listSet } from "./listing.ts";
export { type BrokenSample, copiesIn, countsOf, type SetCounts, setFindings } from "./findings.ts";
export { type Decoded, type DecodeOptions, decodeSamples } from "./decode.ts";
export { type SetSettings, setSettings } from "./settings.ts";

/** All built-in sets. */
export const builtinSets: readonly SetPlugin[] = [cremaD];
