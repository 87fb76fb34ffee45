/**
 * Samples of the data that runs were trained on, for people to look at.
 *
 * @module
 */
import type { Dataset, Preview, SplitName } from "../core/kinds/mod.ts";
import type { Library } from "../core/library.ts";
import type { ByModality } from "../core/modality.ts";
import type { RunConfig } from "../core/record.ts";
import { selectModalities } from "../datasets/select.ts";
import { previewOf } from "../datasets/preview.ts";
import { loadSameDataset } from "./data.ts";

export { brightness } from "../datasets/preview.ts";

/** Where previews come from. */
export interface SampleSource {
  /**
   * Previews of a sample of a run's data, by modality.
   *
   * @throws {Refusal} If the data is not the same any more, or has no such sample.
   * @throws {PluginError} If the dataset cannot be loaded.
   */
  preview(config: RunConfig, split: SplitName, sample: number): Promise<ByModality<readonly Preview[]>>;
}

/** Datasets kept in memory. */
const kept = 2;

/** Previews of what a library can load; library and dataset are loaded when the first sample is looked at. */
export function samplesFrom(library: () => Promise<Library>): SampleSource {
  const known = new Map<string, Promise<Dataset>>();
  const load = (config: RunConfig) => {
    const { name, options, fingerprint } = config.dataset;
    const key = JSON.stringify([name, options, fingerprint]);
    const loading = known.get(key) ??
      library().then((own) => loadSameDataset(own, config, `show samples of dataset "${name}"`));
    known.delete(key);
    known.set(key, loading);
    if (known.size > kept) known.delete(known.keys().next().value!);
    // What failed is tried again: files may be put back.
    loading.catch(() => known.delete(key));
    return loading;
  };
  return {
    async preview(config, split, sample) {
      return await previewOf(selectModalities(await load(config), config.modalities), split, sample);
    },
  };
}
