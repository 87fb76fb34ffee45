/**
 * Loading the dataset of a configuration.
 *
 * @module
 */
import type { Library } from "../core/library.ts";
import type { Dataset } from "../core/kinds/mod.ts";
import { inPlugin } from "../core/plugin_error.ts";
import type { PartConfig, RunConfig } from "../core/record.ts";
import { Refusal } from "../core/refusal.ts";
import { checkDataset } from "../datasets/check.ts";
import { fingerprintOf } from "../datasets/fingerprint.ts";

/**
 * Loads a dataset and checks it: a NaN is told here, not as a diverged loss.
 *
 * Its fingerprint is computed from what was loaded, whatever the dataset says of itself: files that it reads may have
 * changed.
 *
 * @throws {PluginError} If loading it fails.
 */
export async function loadDataset(library: Library, config: PartConfig): Promise<Dataset> {
  // Bound by the library: an option of a dataset may be another dataset.
  const { name, options, plugin } = library.bind("dataset", config);
  const loaded = await inPlugin(`dataset "${name}"`, "load", async () => await plugin.load(options));
  checkDataset(loaded);
  return { ...loaded, fingerprint: await fingerprintOf(loaded.splits) };
}

/**
 * Loads the dataset that a run was configured for.
 *
 * @param what What it is wanted for, after "Cannot": `valuate run "…"`.
 * @throws {Refusal} If it is not the same any more.
 */
export async function loadSameDataset(library: Library, config: RunConfig, what: string): Promise<Dataset> {
  const dataset = await loadDataset(library, config.dataset);
  if (dataset.fingerprint === config.dataset.fingerprint) return dataset;
  throw new Refusal({
    what,
    must: `dataset "${config.dataset.name}" must have fingerprint ${config.dataset.fingerprint}`,
    found: `found ${dataset.fingerprint}`,
    hint: "its data has changed since: put the old data back, or train anew",
  });
}
