/**
 * Datasets for benchmarks, by name.
 *
 * @module
 */
import type { Library } from "../../core/library.ts";
import { resolveOptions } from "../../core/options.ts";
import type { Dataset } from "../../core/kinds/mod.ts";

/** A registered dataset; options that are not given have their defaults. */
export async function datasetOf(
  name: string,
  library: Library,
  options: Readonly<Record<string, unknown>> = {},
): Promise<Dataset> {
  const plugin = library.of("dataset").get(name);
  return await plugin.load(resolveOptions(`dataset "${name}"`, plugin.options, options));
}
