/**
 * What every dataset promises.
 *
 * @module
 */
import { modalitiesOf } from "../core/modality.ts";
import type { Dataset, DatasetPlugin, Preview, Split } from "../core/kinds/mod.ts";
import { sizeOf } from "../core/program.ts";
import { checkDataset } from "../datasets/check.ts";
import { digestOfRows, fingerprintOf } from "../datasets/fingerprint.ts";
import { previewOf } from "../datasets/preview.ts";
import { type Contract, must } from "./contract.ts";
import { optionsAreSound } from "./options.ts";

const loaded = new WeakMap<DatasetPlugin, Promise<Dataset>>();

/** The dataset with its smallest options, loaded once for all contracts. */
function load(plugin: DatasetPlugin): Promise<Dataset> {
  let dataset = loaded.get(plugin);
  if (dataset === undefined) {
    dataset = plugin.load(plugin.tiny ?? {});
    loaded.set(plugin, dataset);
  }
  return dataset;
}

const SPLITS = ["train", "validation", "test"] as const;

/** A number that equal samples share (FNV-1a over the bytes of all modalities). */
function hashOf(split: Split, modalities: Dataset["modalities"], sample: number): string {
  let [low, high] = [0x811c9dc5, 0x1b873593];
  for (const modality of modalitiesOf(modalities)) {
    const row = sizeOf(modalities[modality].shape);
    const values = Object.hasOwn(split.inputs, modality)
      ? split.inputs[modality].slice(sample * row, (sample + 1) * row)
      : new Float32Array(row);
    if (!Object.hasOwn(split.inputs, modality)) split.rows![modality].copy(sample, values, 0);
    for (const byte of new Uint8Array(values.buffer)) {
      low = Math.imul(low ^ byte, 0x01000193) >>> 0;
      high = Math.imul(high ^ byte, 0x5bd1e995) >>> 0;
    }
  }
  return `${low}-${high}`;
}

/** What is wrong with a preview; `null` if nothing is. */
function wrongIn(preview: Preview): string | null {
  if (preview.kind === "text") return null;
  const { values } = preview;
  const wanted = preview.kind === "image"
    ? preview.width * preview.height * preview.channels
    : preview.kind === "spectrogram"
    ? preview.frames * preview.bands
    : preview.kind === "values"
    ? sizeOf(preview.shape)
    : values.length;
  if (values.length !== wanted || wanted === 0) return `${values.length} values where ${wanted} should be`;
  if (!values.every(Number.isFinite)) return "a value that is not finite";
  if (preview.kind === "sound" && !values.every((value) => Math.abs(value) <= 1)) return "a value outside -1..1";
  return null;
}

/** Contracts of datasets. */
export const datasetContracts: readonly Contract<DatasetPlugin>[] = [
  {
    claim: "has options whose defaults and tuning values are allowed",
    check: (plugin, { library }) => optionsAreSound(plugin, library, null),
  },
  {
    claim: "has train, validation and test splits of the declared shapes, with finite values, that share no group",
    async check(plugin) {
      const dataset = await load(plugin);
      must(modalitiesOf(dataset.modalities).length > 0, "it has no modality");
      must(dataset.classes.length >= 2, `it has ${dataset.classes.length} classes`);
      checkDataset(dataset);
      const sizes = SPLITS.map((name) => `${name} ${dataset.splits[name].size}`).join(", ");
      return { note: `${modalitiesOf(dataset.modalities).join(", ")}; ${sizes}; ${dataset.classes.length} classes` };
    },
  },
  {
    claim: "keeps each modality in an array of its declared type",
    async check(plugin) {
      const { modalities, splits } = await load(plugin);
      for (const name of SPLITS) {
        for (const modality of modalitiesOf(modalities)) {
          const { dtype } = modalities[modality];
          const fits = dtype === "int32" ? Int32Array : Float32Array;
          must(
            splits[name].inputs[modality] instanceof fits || splits[name].rows?.[modality] !== undefined,
            `"${modality}" of split "${name}" is declared ${dtype} and kept in a ${
              splits[name].inputs[modality]?.constructor.name
            }`,
          );
        }
      }
    },
  },
  {
    claim: "has every class in its training split, and no class elsewhere that is not there",
    async check(plugin) {
      const { classes, splits } = await load(plugin);
      for (const name of SPLITS) {
        const present = new Set(splits[name].labels);
        const missing = classes.filter((_, label) => !present.has(label));
        // A small validation or test split may lack rare classes; a training split may not.
        const excused = name !== "train" && splits[name].size < 5 * classes.length;
        must(missing.length === 0 || excused, `split "${name}" has no sample of ${missing.join(", ")}`);
      }
    },
  },
  {
    claim: "repeats no sample of one split in another",
    async check(plugin) {
      const { modalities, splits } = await load(plugin);
      const owner = new Map<string, string>();
      for (const name of SPLITS) {
        for (let sample = 0; sample < splits[name].size; sample++) {
          const hash = hashOf(splits[name], modalities, sample);
          const other = owner.get(hash);
          must(
            other === undefined || other.startsWith(`${name} `),
            `sample ${sample} of split "${name}" equals ${other} in all modalities`,
          );
          owner.set(hash, `${name} ${sample}`);
        }
      }
    },
  },
  {
    claim: "has a fingerprint of its contents that is the same at every loading",
    async check(plugin) {
      const { fingerprint, splits, modalities } = await load(plugin);
      const own = [await fingerprintOf(splits), await fingerprintOf(splits, modalities)];
      must(own.includes(fingerprint), `its fingerprint is "${fingerprint}", that of its contents "${own[0]}"`);
      const again = (await plugin.load(plugin.tiny ?? {})).fingerprint;
      must(again === fingerprint, `a second loading has fingerprint "${again}", the first had "${fingerprint}"`);
      for (const name of SPLITS) {
        const { rows = {}, size } = splits[name];
        for (const [modality, own] of Object.entries(rows)) {
          const [said, found] = [await own.digest?.(), await digestOfRows(own, size, modalities[modality].dtype)];
          must(
            said === undefined || said === found,
            `"${modality}" of split "${name}" has another digest than its rows`,
          );
        }
      }
    },
  },
  {
    claim: "shows its samples in the forms that it says",
    async check(plugin) {
      const dataset = await load(plugin);
      for (const name of SPLITS) {
        for (const [modality, previews] of Object.entries(await previewOf(dataset, name, 0))) {
          for (const preview of previews) {
            const wrong = wrongIn(preview);
            must(wrong === null, `${preview.kind} of "${modality}" of sample 0 of split "${name}" has ${wrong}`);
          }
        }
      }
      return { note: dataset.preview === undefined ? "the values that are trained on" : "its own previews" };
    },
  },
  {
    claim: "has inputs that some registered encoder takes",
    crossing: true,
    async check(plugin, { library }) {
      const { modalities } = await load(plugin);
      const notes = modalitiesOf(modalities).map((modality) => {
        const info = modalities[modality];
        const fits = library.of("encoder").list().filter((encoder) => encoder.refuses(info, {}) === null);
        must(fits.length > 0, `no registered encoder takes "${modality}" of shape [${info.shape.join(", ")}]`);
        return `${modality}: ${fits.map(({ name }) => name).join(", ")}`;
      });
      return { note: notes.join("; ") };
    },
  },
];
