/**
 * `corrupted`: any dataset with corrupted and missing modalities, as a dataset of its own.
 *
 * @module
 */
import { type Dataset, type DatasetPlugin, defineDataset, type SplitName } from "../core/kinds/mod.ts";
import { type BoundPart, use } from "../core/options.ts";
import { Refusal } from "../core/refusal.ts";
import { avDigits } from "./av_digits.ts";
import { corrupted as view, type Corruption } from "./corruptions/corrupt.ts";
import { fingerprintOf } from "./fingerprint.ts";

/** Which splits are corrupted: training with validation, which selects as training does; the test split; or all. */
export type CorruptAt = "train" | "test" | "all";

/** Options of `corrupted`. */
export interface CorruptedOptions {
  readonly of: BoundPart<DatasetPlugin>;
  readonly at: CorruptAt;
  readonly corrupt: string;
  readonly drop: string;
  readonly seed: number;
}

/** The splits of a word. */
export const corruptSplits: Readonly<Record<CorruptAt, readonly SplitName[]>> = {
  train: ["train", "validation"],
  test: ["test"],
  all: ["train", "validation", "test"],
};

function pairs(what: string, text: string, form: RegExp, hint: string): [string, number][] {
  return text.split(/[\s,]+/).filter((part) => part !== "").map((part) => {
    const value = Number(part.slice(part.indexOf("=") + 1));
    if (!form.test(part) || part.endsWith("=") || !Number.isFinite(value)) {
      throw new Refusal({
        what: `${what} ${JSON.stringify(part.slice(0, 80))}`,
        must: "it must name one and a number",
        hint: `write it as ${hint}`,
      });
    }
    return [part.slice(0, part.indexOf("=")), value];
  });
}

/** Corruptions of a text: `audio.snr=-5 image.blur=3`. @throws {Refusal} If it is none. */
export function corruptionsFrom(text: string): Corruption[] {
  return pairs("corrupt", text, /^[^=\s]+\.[^.=\s]+=/, "audio.snr=-5").map(([key, severity]) => {
    const dot = key.lastIndexOf(".");
    return { modality: key.slice(0, dot), name: key.slice(dot + 1), severity };
  });
}

/** Shares by modality of a text: `audio=0.5`. @throws {Refusal} If it is none, or names a modality twice. */
export function dropsFrom(text: string): Record<string, number> {
  const list = pairs("drop", text, /^[^=\s]+=/, "audio=0.5");
  const twice = list.find(([name], k) => list.findIndex(([other]) => other === name) < k);
  if (twice !== undefined) {
    throw new Refusal({ what: `drop "${twice[0]}"`, must: "a modality must have one share", found: "found two" });
  }
  return Object.fromEntries(list);
}

/** Any dataset with corrupted or missing modalities. `bench --corrupt` and `--drop` are this. */
export const corrupted: DatasetPlugin = defineDataset<CorruptedOptions>({
  name: "corrupted",
  tiny: {
    of: { name: "av-digits", options: { size: "mini" } },
    corrupt: "audio.snr=-5 image.blur=3",
    drop: "audio=0.5",
  },
  about: "another dataset with corrupted and missing modalities, in training or test",
  source: "after Hendrycks and Dietterich, ICLR 2019, without weather; sound and text by plain models of them",
  options: {
    of: { type: "part", kind: "dataset", default: use(avDigits), about: "the dataset", source: "the default dataset" },
    at: {
      type: "choice",
      choices: ["train", "test", "all"],
      default: "all",
      about: "corrupt training and validation, the test split, or all three",
      source: "chosen here: as av-digits is corrupted",
    },
    corrupt: {
      type: "text",
      default: "",
      about: "corruptions with severities, in order: audio.snr=-5 image.blur=3 (docs/robustness.md lists them)",
      source: "chosen here: none",
    },
    drop: {
      type: "text",
      default: "",
      about: "share of samples that lack a modality, each by its own chance: audio=0.5",
      source: "chosen here: none",
    },
    seed: { type: "integer", default: 0, min: 0, about: "seed of corruptions and drops", source: "any" },
  },
  async load({ of, at, corrupt, drop, seed }): Promise<Dataset> {
    const options = { corrupt: corruptionsFrom(corrupt), drop: dropsFrom(drop), splits: corruptSplits[at], seed };
    const loaded = await of.plugin.load(of.options);
    const changed = await view(loaded, options);
    return { ...changed, fingerprint: await fingerprintOf(changed.splits) };
  },
});
