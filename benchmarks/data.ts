/**
 * Datasets for benchmarks, by name.
 *
 * @module
 */
import type { Library } from "../core/library.ts";
import { resolveOptions } from "../core/options.ts";
import type { Dataset } from "../core/plugin.ts";

/** A registered dataset with its default options. */
export async function datasetOf(name: string, library: Library): Promise<Dataset> {
  const plugin = library.datasets.get(name);
  return await plugin.load(resolveOptions(`dataset "${name}"`, plugin.options, {}));
}
