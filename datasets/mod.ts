/**
 * Datasets.
 *
 * @module
 */
import type { DatasetPlugin } from "../core/kinds/mod.ts";
import { avDigits } from "./av_digits.ts";
import { avDigitsMl } from "./av_digits_ml.ts";
import { corrupted } from "./corrupted.ts";
import { files } from "./files/files.ts";
import { iconTri } from "./icon_tri.ts";
import { mojiTri } from "./moji_tri.ts";
import { synthetic } from "./synthetic.ts";

export { avDigits, type AvDigitsOptions } from "./av_digits.ts";
export { avDigitsMl, type AvDigitsMlOptions } from "./av_digits_ml.ts";
export type { DigitLanguage } from "./av_digits_ml_format.ts";
export type { DigitOptions } from "./digits.ts";
export type { WordOptions } from "./word_options.ts";
export {
  type CorruptAt,
  corrupted,
  type CorruptedOptions,
  corruptionsFrom,
  corruptSplits,
  dropsFrom,
} from "./corrupted.ts";
export { corrupted as corruptedView, type Corruption, type CorruptOptions } from "./corruptions/corrupt.ts";
export {
  type CorruptedSample,
  type Corruptible,
  corruptible,
  type CorruptionKind,
  corruptions,
  corruptionsOf,
} from "./corruptions/kinds.ts";
export type { Scale } from "./corruptions/image.ts";
export { checkDataset } from "./check.ts";
export { describe, type Described, files, type FilesOptions, samplesOf } from "./files/files.ts";
export { inspect, type Inspected } from "./files/guessed.ts";
export type { ReadOptions, Samples } from "./files/samples.ts";
export type { FilesKind, FilesModality, FilesSpec, FoldedSplit, Holds, MadeSplit, NamedSplit } from "./files/spec.ts";
export type { MediaForm } from "./files/media.ts";
export type { Film, Flow, Stack } from "./files/films.ts";
export type { SoundForm } from "./files/readers.ts";
export { parseTokenizers } from "./files/tokenized.ts";
export type { ArrayPlace, Broken, Stream, StreamPlace, Values } from "./files/values.ts";
export { fingerprintOf } from "./fingerprint.ts";
export { iconTri, type IconTriOptions } from "./icon_tri.ts";
export * from "./information_sets.ts";
export { mojiTri, type MojiTriOptions } from "./moji_tri.ts";
export { brightness, previewOf } from "./preview.ts";
export {
  type ContactClass,
  type ContactOptions,
  type ContactSample,
  type ContactSheet,
  contactSheetOf,
  contactSheetOfFiles,
  type Pixels,
  type Shown,
} from "./contact_sheet.ts";
export * from "./sets/mod.ts";
export { selectModalities } from "./select.ts";
export { synthetic, type SyntheticKind, type SyntheticOptions, syntheticTruth } from "./synthetic.ts";
export * from "./transforms/invertible.ts";
export { readTokenizer, type Tokenizer, tokenizerOf } from "./transforms/tokenize.ts";
export { alignedTable, type DataInfo, dataInfo, type DataTable, type Finding, findings } from "./views.ts";

/** All built-in datasets. */
export const builtinDatasets: readonly DatasetPlugin[] = [
  avDigits,
  avDigitsMl,
  mojiTri,
  iconTri,
  synthetic,
  corrupted,
  files,
];
