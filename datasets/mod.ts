/**
 * Datasets.
 *
 * @module
 */
import type { DatasetPlugin } from "../core/plugin.ts";
import { avDigits } from "./av_digits.ts";

export { avDigits, type AvDigitsOptions } from "./av_digits.ts";
export { checkDataset } from "./check.ts";
export { fingerprintOf } from "./fingerprint.ts";
export { selectModalities } from "./select.ts";

/** All built-in datasets. */
export const builtinDatasets: readonly DatasetPlugin[] = [avDigits];
