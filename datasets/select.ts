/**
 * Parts of a dataset.
 *
 * @module
 */
import { at, byModality, modalitiesOf } from "../core/modality.ts";
import type { Dataset, Split } from "../core/kinds/mod.ts";

/**
 * The same samples with some modalities only. The fingerprint stays that of the whole.
 *
 * @throws {TypeError} If the dataset lacks a modality; the message lists those it has.
 */
export function selectModalities(dataset: Dataset, modalities: readonly string[]): Dataset {
  const all = modalitiesOf(dataset.modalities);
  const wanted = [...modalities].sort();
  if (wanted.join() === all.join()) return dataset;
  if (wanted.length === 0) {
    throw new RangeError(`Cannot select no modality of dataset "${dataset.name}": it has ${all.join(", ")}`);
  }
  const narrow = (split: Split): Split => ({ ...split, inputs: byModality(wanted, (name) => at(split.inputs, name)) });
  return {
    ...dataset,
    modalities: byModality(wanted, (name) => at(dataset.modalities, name)),
    splits: {
      train: narrow(dataset.splits.train),
      validation: narrow(dataset.splits.validation),
      test: narrow(dataset.splits.test),
    },
  };
}
