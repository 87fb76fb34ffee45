/**
 * Augmentations.
 *
 * @module
 */
import type { AugmentationPlugin } from "../core/kinds/mod.ts";
import { colourJitter } from "./colour_jitter.ts";
import { flip } from "./flip.ts";
import { mixup } from "./mixup.ts";
import { randomCrop } from "./random_crop.ts";
import { specAugment } from "./spec_augment.ts";
import { timeShift } from "./time_shift.ts";
import { tokenDropout } from "./token_dropout.ts";

export { Augmenter, type AugmentPlan, type Mixture } from "./augmenter.ts";
export { colourJitter, flip, mixup, randomCrop, specAugment, timeShift, tokenDropout };

/** All built-in augmentations. */
export const builtinAugmentations: readonly AugmentationPlugin[] = [
  colourJitter,
  flip,
  mixup,
  randomCrop,
  specAugment,
  timeShift,
  tokenDropout,
];
