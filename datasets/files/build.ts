/**
 * From samples of files to a dataset.
 *
 * @module
 */
import { byModality } from "../../core/modality.ts";
import type { Dataset, ModalityInfo, Rows, Split, SplitName } from "../../core/kinds/mod.ts";
import { Refusal } from "../../core/refusal.ts";
import { checkDataset } from "../check.ts";
import { fingerprintOf } from "../fingerprint.ts";
import type { FilesSpec } from "./spec.ts";
import { previewsOf } from "./previews.ts";
import { DROPPED, type Samples } from "./samples.ts";
import { joined, splitNames } from "./splits.ts";
import { knownWords } from "./texts.ts";
import { inputsOf, type Scaling, standardising } from "./inputs.ts";
import type { Values } from "./values.ts";

/**
 * Makes a dataset of samples.
 *
 * @param readers Threads that read ahead what is read by index.
 * @throws {Refusal} If a split is empty, or a class has no sample to train on.
 */
export async function datasetOf(spec: FilesSpec, samples: Samples, readers?: number): Promise<Dataset> {
  checkSplits(spec, samples);
  const modalities = Object.keys(samples.values).sort();
  const trained = (n: number) => samples.split[n] === 0;
  const described = byModality(modalities, (name) => samples.values[name].info);
  const inputs: Record<string, { values: Values; scaling: Scaling | null }> = {};
  for (const name of modalities) {
    const values = samples.values[name];
    const { kind, scale, tokenizer } = spec.modalities[name];
    if (kind === "text" && tokenizer === undefined) {
      const known = knownWords(values, trained);
      described[name] = known.info;
      inputs[name] = { values: { ...values, ...known }, scaling: null };
      continue;
    }
    const plain = scale === "none" || kind === "tokens" || kind === "text";
    const scaling = plain ? null : await standardising(values, trained);
    inputs[name] = { values, scaling };
    described[name] = scaledInfo(values.info, scaling);
  }
  const scalings = byModality(modalities, (name) => inputs[name].scaling);
  const missing = modalities.some((name) => samples.values[name].present.includes(0));
  const readable = modalities.filter((name) => inputs[name].values.read !== undefined);
  const written = (name: string, n: number) => inputs[name].values.texts![n];
  const splitAt = (k: number): Split => {
    const items = Array.from(samples.split.keys()).filter((n) => samples.split[n] === k);
    const arrays: Record<string, Float32Array | Int32Array> = {};
    const rows: Record<string, Rows> = {};
    for (const name of modalities) {
      const own = inputsOf(inputs[name].values, inputs[name].scaling, items);
      if ("array" in own) arrays[name] = own.array;
      else rows[name] = own.rows;
    }
    return {
      size: items.length,
      labels: Int32Array.from(items, (n) => samples.labels[n]),
      groups: items.map((n) => samples.groups[n]),
      inputs: arrays,
      ...readable.length === 0 ? {} : { texts: byModality(readable, (name) => items.map((n) => written(name, n))) },
      ...Object.keys(rows).length === 0 ? {} : { rows },
      ...missing
        ? { present: Uint8Array.from(items.flatMap((n) => modalities.map((name) => samples.values[name].present[n]))) }
        : {},
    };
  };
  const splits: Record<SplitName, Split> = { train: splitAt(0), validation: splitAt(1), test: splitAt(2) };
  const dataset: Dataset = {
    name: spec.name,
    modalities: described,
    classes: spec.classes,
    splits,
    fingerprint: await fingerprintOf(splits, described),
    notices: [],
    ...readable.length === 0 ? {} : { reads: byModality(readable, (name) => inputs[name].values.read!) },
    ...readers === undefined ? {} : { readers },
    preview: (name, sample) => previewsOf({ spec, samples, splits, described, scalings }, name, sample),
  };
  checkDataset(dataset);
  return dataset;
}

/** What a modality is once it is scaled: spectrograms, of one value a cell, by one mean and deviation; flow by channel. */
function scaledInfo(info: ModalityInfo, scaling: Scaling | null): ModalityInfo {
  if (scaling === null) return info;
  if (info.noMovement !== undefined) {
    return { ...info, noMovement: info.noMovement.map((none, c) => (none - scaling.mean[c]) * scaling.factor[c]) };
  }
  if (info.logPower === undefined) return info;
  const [factor] = scaling.factor;
  return { ...info, logPower: { ...info.logPower, mean: scaling.mean[0], std: factor === 0 ? 1 : 1 / factor } };
}

function checkSplits(spec: FilesSpec, { split, labels, size, groups, hashes, values }: Samples): void {
  const refuse = (must: string, found: string, hint?: string) =>
    new Refusal({ what: `use dataset "${spec.name}"`, must, found, hint });
  const made = "shares" in spec.split;
  const counts = splitNames.map((_, k) => split.filter((own) => own === k).length);
  const empty = counts.indexOf(0);
  if (empty !== -1) {
    const apart = new Set(joined([groups, hashes])).size;
    throw refuse(
      "every split must hold a sample",
      `${splitNames[empty]} is empty, of ${size} samples${
        apart < size ? `, ${apart} without copies and by group` : ""
      }`,
      made ? "a made split needs about ten samples, or groups, of some class" : undefined,
    );
  }
  const trained = new Set(labels.filter((_, n) => split[n] === 0));
  const unseen = spec.classes.findIndex((_, c) => !trained.has(c));
  if (unseen !== -1) {
    const where = [...new Set(Array.from(split).filter((k, n) => k !== DROPPED && labels[n] === unseen))]
      .map((k) => splitNames[k]);
    throw refuse(
      "training must hold every class",
      `class ${JSON.stringify(spec.classes[unseen])} is ${
        where.length === 0 ? "in no sample" : `only in ${where.join(" and ")}`
      }`,
      "leave it out, or split otherwise",
    );
  }
  for (const [name, { present }] of Object.entries(values)) {
    const without = splitNames.findIndex((_, k) => !present.some((there, n) => there === 1 && split[n] === k));
    if (without === -1) continue;
    throw refuse(
      "some sample of every split must have each modality",
      `${splitNames[without]} has none with "${name}"`,
    );
  }
  const owner = new Map<string, number>();
  groups.forEach((group, n) => {
    if (split[n] === DROPPED) return;
    const other = owner.get(group);
    if (other !== undefined && other !== split[n]) {
      throw refuse(
        "splits must share no group",
        `group ${JSON.stringify(group.slice(0, 40))} is in ${splitNames[other]} and ${splitNames[split[n]]}`,
        "split by groups, or leave groups out of dataset.json",
      );
    }
    owner.set(group, split[n]);
  });
}
