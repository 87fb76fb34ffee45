/**
 * The library with everything that armlab brings.
 *
 * @module
 */
import { builtinMethods } from "./baselines/mod.ts";
import { emptyLibrary, type Library, register } from "./core/library.ts";
import { builtinDatasets } from "./datasets/mod.ts";
import { builtinEncoders } from "./encoders/mod.ts";
import { builtinFusions } from "./fusion/mod.ts";

/** A new library with all built-in datasets, encoders, fusions and methods; add your own with `register`. */
export function createLibrary(): Library {
  const library = emptyLibrary();
  for (const plugin of [...builtinDatasets, ...builtinEncoders, ...builtinFusions, ...builtinMethods]) {
    register(library, plugin);
  }
  return library;
}
