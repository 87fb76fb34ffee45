/**
 * What every dataset must be.
 *
 * @module
 */
import { firstNonFinite } from "../core/check.ts";
import { checkModalityName, modalitiesOf } from "../core/modality.ts";
import type { Dataset, Split, SplitName } from "../core/kinds/mod.ts";
import { sizeOf } from "../core/program.ts";
import { Refusal } from "../core/refusal.ts";

const splitNames: readonly SplitName[] = ["train", "validation", "test"];

type Refuse = (must: string, found: string) => never;

/**
 * Checks names, shapes, lengths, labels, values and masks of all splits, and that splits share no group.
 *
 * @throws {Refusal} If something does not fit; the message names split, modality, sample and position.
 */
export function checkDataset(dataset: Dataset): void {
  checkWhole(dataset);
  const modalities = modalitiesOf(dataset.modalities);
  for (const modality of modalities) checkModalityName(modality, `dataset "${dataset.name}"`);
  const owner = new Map<string, SplitName>();
  for (const name of splitNames) {
    const split = dataset.splits[name];
    const refuse: Refuse = (must, found) => {
      throw new Refusal({ what: `use split "${name}" of dataset "${dataset.name}"`, must, found });
    };
    checkSamples(split, dataset.classes.length, modalities.length, refuse);
    for (const modality of modalities) checkValues(split, dataset.modalities[modality], modality, refuse);
    for (const group of new Set(split.groups)) {
      const other = owner.get(group);
      if (other !== undefined) {
        refuse("splits must share no group", `${JSON.stringify(group)} is in split "${other}" too`);
      }
      owner.set(group, name);
    }
  }
}

/** @throws {Refusal} If what everything else looks at is not there. */
function checkWhole(dataset: Dataset | undefined): void {
  const what = `use dataset ${JSON.stringify(dataset?.name) ?? "that was loaded"}`;
  for (const field of ["modalities", "classes", "splits"] as const) {
    if (typeof dataset?.[field] === "object" && dataset[field] !== null) continue;
    throw new Refusal({
      what,
      must: "it must have modalities, classes and splits",
      found: `${field} is ${dataset?.[field]}`,
    });
  }
  for (const name of splitNames) {
    for (const field of ["labels", "groups", "inputs"] as const) {
      if (typeof dataset!.splits[name]?.[field] === "object") continue;
      const found = dataset!.splits[name] === undefined ? `there is no "${name}"` : `"${name}" has no ${field}`;
      throw new Refusal({ what, must: "train, validation and test must have labels, groups and inputs", found });
    }
  }
}

function checkSamples({ size, labels, groups, present }: Split, classes: number, m: number, refuse: Refuse): void {
  if (size < 1) refuse("it must hold a sample", "it is empty");
  if (labels.length !== size || groups.length !== size) {
    refuse(`it must have ${size} labels and groups`, `found ${labels.length} and ${groups.length}`);
  }
  const bad = labels.findIndex((label) => label < 0 || label >= classes);
  if (bad !== -1) refuse(`labels must be 0..${classes - 1}`, `sample ${bad} has ${labels[bad]}`);
  if (present === undefined) return;
  if (present.length !== size * m) {
    refuse(`it must say of ${size} samples which of ${m} modalities they have`, `found ${present.length} flags`);
  }
  const strange = present.findIndex((flag) => flag > 1);
  if (strange !== -1) {
    refuse("flags must be 0 or 1", `sample ${Math.floor(strange / m)} has ${present[strange]}`);
  }
}

function checkValues(
  split: Split,
  { shape, vocabulary }: Dataset["modalities"][string],
  modality: string,
  refuse: Refuse,
): void {
  const values = Object.hasOwn(split.inputs, modality) ? split.inputs[modality] : undefined;
  const row = sizeOf(shape);
  const rows = split.rows !== undefined && Object.hasOwn(split.rows, modality) ? split.rows[modality] : undefined;
  // Whoever reads by index has looked at the values once: they are too many to be looked at again.
  if (values === undefined && rows !== undefined) {
    if (rows.width !== row) refuse(`"${modality}" must have ${row} values a sample`, `found ${rows.width}`);
    return;
  }
  if (values === undefined || values.length !== split.size * row) {
    return refuse(`"${modality}" must have ${split.size} x ${row} values`, `found ${values?.length ?? "none"}`);
  }
  const at = (index: number) => `sample ${Math.floor(index / row)} has ${values[index]} at position ${index % row}`;
  const index = firstNonFinite(values);
  if (index !== -1) refuse("every value must be finite", `"${modality}" of ${at(index)}`);
  if (vocabulary === undefined) return;
  const strange = values.findIndex((id) => id < 0 || id >= vocabulary);
  if (strange !== -1) refuse(`ids of "${modality}" must be 0..${vocabulary - 1}`, at(strange));
}
