/**
 * The library with everything that armlab brings.
 *
 * @module
 */
import { builtinMethods } from "./baselines/mod.ts";
import { Library } from "./core/library.ts";
import { builtinAugmentations } from "./augment/mod.ts";
import { builtinDatasets, builtinSets } from "./datasets/mod.ts";
import { builtinEncoders } from "./encoders/mod.ts";
import { engines } from "./engines/mod.ts";
import { grids } from "./experiments/grids/mod.ts";
import { builtinFusions } from "./fusion/mod.ts";
import { builtinLosses } from "./losses/mod.ts";
import { builtinEstimators } from "./miv/estimators/mod.ts";
import { builtinSamplers } from "./sampling/mod.ts";

/** A new library with all built-in parts; add your own with `library.add`. */
export function createLibrary(): Library {
  const library = new Library();
  const parts = [
    builtinDatasets,
    builtinSets,
    builtinAugmentations,
    builtinEncoders,
    builtinFusions,
    builtinMethods,
    builtinEstimators,
    builtinLosses,
    builtinSamplers,
    engines,
    grids,
  ];
  for (const part of parts.flat()) library.add(part);
  return library;
}
