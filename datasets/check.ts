/**
 * What every dataset must be.
 *
 * @module
 */
import { firstNonFinite } from "../core/check.ts";
import { modalitiesOf } from "../core/modality.ts";
import type { Dataset, SplitName } from "../core/kinds/mod.ts";
import { sizeOf } from "../core/program.ts";

const splitNames: readonly SplitName[] = ["train", "validation", "test"];

/**
 * Checks shapes, lengths, labels and values of all splits, and that splits share no group.
 *
 * @throws {TypeError} If a length does not fit its shape, or a split lacks a modality.
 * @throws {RangeError} If a split is empty, a label or token id is out of range, a value is NaN or infinite, or two splits share a group.
 */
export function checkDataset(dataset: Dataset): void {
  const modalities = modalitiesOf(dataset.modalities);
  const owner = new Map<string, SplitName>();
  for (const name of splitNames) {
    const split = dataset.splits[name];
    const where = `split "${name}" of dataset "${dataset.name}"`;
    if (split.size < 1) throw new RangeError(`Cannot use ${where} as it must hold a sample: it is empty`);
    if (split.labels.length !== split.size || split.groups.length !== split.size) {
      throw new TypeError(
        `Cannot use ${where} as it must have ${split.size} labels and groups: found ${split.labels.length} and ` +
          `${split.groups.length}`,
      );
    }
    const bad = split.labels.findIndex((label) => label < 0 || label >= dataset.classes.length);
    if (bad !== -1) {
      throw new RangeError(
        `Cannot use ${where} as labels must be 0..${dataset.classes.length - 1}: sample ${bad} has ${
          split.labels[bad]
        }`,
      );
    }
    for (const modality of modalities) {
      const values = split.inputs[modality];
      const row = sizeOf(dataset.modalities[modality].shape);
      if (values === undefined || values.length !== split.size * row) {
        throw new TypeError(
          `Cannot use ${where} as "${modality}" must have ${split.size} x ${row} values: found ${
            values?.length ?? "none"
          }`,
        );
      }
      const index = firstNonFinite(values);
      if (index !== -1) {
        throw new RangeError(
          `Cannot use ${where} as every value must be finite: "${modality}" of sample ${Math.floor(index / row)} has ` +
            `${values[index]} at position ${index % row}`,
        );
      }
      const { vocabulary } = dataset.modalities[modality];
      const strange = vocabulary === undefined ? -1 : values.findIndex((id) => id < 0 || id >= vocabulary);
      if (strange !== -1) {
        throw new RangeError(
          `Cannot use ${where} as ids of "${modality}" must be 0..${vocabulary! - 1}: sample ${
            Math.floor(strange / row)
          } has ${values[strange]} at position ${strange % row}`,
        );
      }
    }
    for (const group of new Set(split.groups)) {
      const other = owner.get(group);
      if (other !== undefined) {
        throw new RangeError(
          `Cannot use ${where} as splits must share no group: "${group}" is in split "${other}" too`,
        );
      }
      owner.set(group, name);
    }
  }
}
