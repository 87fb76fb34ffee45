/**
 * Parts of a dataset.
 *
 * @module
 */
import { at, byModality, modalitiesOf } from "../core/modality.ts";
import type { Dataset, Split } from "../core/kinds/mod.ts";
import { Refusal } from "../core/refusal.ts";

/**
 * The same samples with some modalities only. The fingerprint stays that of the whole.
 *
 * @throws {Refusal} If the dataset lacks a modality, or none is asked for; the message lists those it has.
 */
export function selectModalities(dataset: Dataset, modalities: readonly string[]): Dataset {
  const all = modalitiesOf(dataset.modalities);
  const wanted = [...modalities].sort();
  if (wanted.join() === all.join()) return dataset;
  if (wanted.length === 0) {
    throw new Refusal({
      what: `select modalities of dataset "${dataset.name}"`,
      must: "there must be one",
      found: `found none; it has ${all.join(", ")}`,
    });
  }
  const missing = wanted.find((name) => !all.includes(name));
  if (missing !== undefined) {
    throw new Refusal({
      what: `select modality "${missing}" of dataset "${dataset.name}"`,
      must: "the dataset must have it",
      found: `it has ${all.join(", ")}`,
    });
  }
  const columns = wanted.map((name) => all.indexOf(name));
  const narrow = (split: Split): Split => ({
    ...split,
    inputs: byModality(wanted.filter((name) => Object.hasOwn(split.inputs, name)), (name) => at(split.inputs, name)),
    ...split.rows === undefined ? {} : {
      rows: byModality(wanted.filter((name) => Object.hasOwn(split.rows!, name)), (name) => at(split.rows!, name)),
    },
    ...split.present === undefined ? {} : {
      present: Uint8Array.from(
        { length: split.size * columns.length },
        (_, k) => split.present![Math.floor(k / columns.length) * all.length + columns[k % columns.length]],
      ),
    },
  });
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
