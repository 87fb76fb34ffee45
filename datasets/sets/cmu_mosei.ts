/**
 * CMU-MOSEI as aligned features: sentiment of sentences from words, voice and face.
 *
 * @module
 */
import {
  defineSet,
  type SetArray,
  type SetFolder,
  type SetListing,
  type SetPlugin,
  type SetSample,
  type SplitName,
} from "../../core/kinds/mod.ts";
import { Refusal } from "../../core/refusal.ts";
import { rowName } from "./sequences.ts";

/** Options of `cmu-mosei`. */
export interface CmuMoseiOptions {
  readonly classes: "2" | "7";
  readonly zero: "non-negative" | "left out";
}

const MODALITIES = ["audio", "text", "vision"];
/** Names of the splits' folders or files. */
const SPLITS: Readonly<Record<SplitName, readonly string[]>> = {
  train: ["train"],
  validation: ["valid", "validation", "val", "dev"],
  test: ["test"],
};
const SEVEN = ["-3", "-2", "-1", "0", "1", "2", "3"];

/** Rounded as NumPy does: halves to the even neighbour. */
export function roundedEven(value: number): number {
  const low = Math.floor(value);
  const rest = value - low;
  return rest < 0.5 || (rest === 0.5 && low % 2 === 0) ? low : low + 1;
}

/**
 * The class of a score in [-3, 3], or `null` for a zero that is left out.
 *
 * Seven: the score, limited to [-3, 3], rounded (halves to even), as Acc-7 is computed. Two: negative below 0, and either
 * non-negative, or positive above 0 with zeros left out.
 */
export function sentimentOf(score: number, { classes, zero }: CmuMoseiOptions): string | null {
  // -0 is "0" as well.
  if (classes === "7") return String(roundedEven(Math.max(-3, Math.min(3, score))) + 0);
  if (score < 0) return "negative";
  if (zero === "non-negative") return zero;
  return score > 0 ? "positive" : null;
}

/** Where arrays of a split are: `train/text.npy` by its name, or `train.npz#text`. */
async function sourceOf(folder: SetFolder, split: SplitName): Promise<((name: string) => string) | null> {
  for (const name of SPLITS[split]) {
    for (const at of [(array: string) => `${name}/${array}.npy`, (array: string) => `${name}.npz#${array}`]) {
      if (await folder.shape(at("text")) !== null) return at;
    }
  }
  return null;
}

/** Numbers of an array of one number a sample: [N], [N, 1] or [N, 1, 1]. */
function scalars(array: SetArray, reference: string): ArrayLike<number> {
  const { shape, data } = array;
  const texts = data.length > 0 && typeof data[0] === "string";
  if (!texts && shape.slice(1).every((extent) => extent === 1)) return data as ArrayLike<number>;
  throw new Refusal({
    what: `read "${reference}"`,
    must: "it must hold a number a sample",
    found: `found ${texts ? "texts of " : ""}shape [${shape.join(", ")}]`,
  });
}

/** Videos of samples: texts [N], or the first of each row, without the clip that MMSA's files add (`video$_$clip`). */
function videosOf({ shape, data }: SetArray, size: number, reference: string): string[] {
  const columns = data.length / Math.max(1, shape[0]);
  if (shape[0] === size && (shape.length === 1 || shape.length === 2)) {
    return Array.from({ length: size }, (_, n) => String(data[n * columns]).split("$_$")[0]);
  }
  throw new Refusal({
    what: `read "${reference}"`,
    must: `it must name the video of each of the ${size} samples`,
    found: `found shape [${shape.join(", ")}]`,
  });
}

/** Samples of one split. */
async function samplesOf(
  folder: SetFolder,
  split: SplitName,
  at: (name: string) => string,
  options: CmuMoseiOptions,
): Promise<{ samples: SetSample[]; zeros: number; limited: number }> {
  const missing = async (name: string) =>
    new Refusal({
      what: `read ${split} of "${folder.path}"`,
      must: `it must hold ${at(name)}`,
      found: `it holds ${[...(await folder.entries("")).keys()].slice(0, 10).join(", ")}`,
    });
  const given = await folder.array(at("labels"));
  if (given === null) throw await missing("labels");
  const scores = scalars(given, at("labels"));
  const size = scores.length;
  const lengths: Record<string, ArrayLike<number> | null> = {};
  for (const name of MODALITIES) {
    const shape = await folder.shape(at(name));
    if (shape === null) throw await missing(name);
    if (shape.length !== 3 || shape[0] !== size) {
      throw new Refusal({
        what: `read "${at(name)}"`,
        must: `its shape must be [N, T, d] of the ${size} samples that ${at("labels")} has`,
        found: `found [${shape.join(", ")}]`,
      });
    }
    const own = await folder.array(at(`${name}_lengths`));
    lengths[name] = own === null ? null : lengthsOf(own, at(`${name}_lengths`), size, shape[1]);
  }
  const ids = await folder.array(at("id"));
  const videos = ids === null ? null : videosOf(ids, size, at("id"));
  const samples: SetSample[] = [];
  let [zeros, limited] = [0, 0];
  for (let n = 0; n < size; n++) {
    if (!Number.isFinite(scores[n])) {
      throw new Refusal({
        what: `read "${at("labels")}"`,
        must: "every score must be a finite number",
        found: `sample ${n} has ${scores[n]}`,
      });
    }
    if (Math.abs(scores[n]) > 3) limited++;
    const label = sentimentOf(scores[n], options);
    if (label === null) {
      zeros++;
      continue;
    }
    const files = Object.fromEntries(MODALITIES.map((name) => {
      const length = lengths[name]?.[n];
      return [name, length === 0 ? "" : rowName(at(name), n, length)];
    }));
    samples.push({ id: `${split} ${n}`, label, split, group: videos?.[n] ?? "", files });
  }
  return { samples, zeros, limited };
}

function lengthsOf(array: SetArray, reference: string, size: number, window: number): ArrayLike<number> {
  const lengths = scalars(array, reference);
  const bad = Array.from(lengths).findIndex((own) => !Number.isInteger(own) || own < 0 || own > window);
  if (bad === -1 && lengths.length === size) return lengths;
  throw new Refusal({
    what: `read "${reference}"`,
    must: `it must hold ${size} integers of 0..${window}`,
    found: bad === -1 ? `found ${lengths.length}` : `sample ${bad} has ${lengths[bad]}`,
  });
}

async function listed(folder: SetFolder, options: CmuMoseiOptions): Promise<SetListing> {
  const samples: SetSample[] = [];
  let [zeros, limited] = [0, 0];
  for (const split of ["train", "validation", "test"] as const) {
    const at = await sourceOf(folder, split);
    if (at === null && split === "validation") continue;
    if (at === null) {
      throw new Refusal({
        what: `read "${folder.path}"`,
        must: `it must hold ${split}/text.npy or ${split}.npz with text`,
        found: `it holds ${[...(await folder.entries("")).keys()].slice(0, 10).join(", ") || "nothing"}`,
        hint: "a .pkl is unpacked by the lines in docs/datasets.md",
      });
    }
    const own = await samplesOf(folder, split, at, options);
    samples.push(...own.samples);
    zeros += own.zeros;
    limited += own.limited;
  }
  return {
    samples,
    ...zeros === 0 ? { official: "MulT" } : {},
    classes: options.classes === "7"
      ? SEVEN
      : ["negative", options.zero === "non-negative" ? "non-negative" : "positive"],
    notes: [
      ...zeros === 0 ? [] : [`${zeros} samples with a score of 0 are left out`],
      ...limited === 0 ? [] : [`${limited} scores are outside of [-3, 3], and taken as its ends`],
    ],
  };
}

/** cmu-mosei: sentiment in words, voice and face. */
export const cmuMosei: SetPlugin = defineSet<CmuMoseiOptions>({
  name: "cmu-mosei",
  title: "CMU-MOSEI",
  about: "sentiment of 22,856 sentences from features of words, voice and face, aligned; also CMU-MOSI in this form",
  source: "Zadeh et al., ACL 2018; aligned as by Tsai et al., Multimodal Transformer (MulT), ACL 2019",
  licence: "none is known here for the features: see github.com/A2Zadeh/CMU-MultimodalSDK, and the videos' own terms",
  layout: [
    "train/text.npy, train/audio.npy, train/vision.npy [N, T, d], train/labels.npy: scores in [-3, 3]; valid/…, test/… (or train.npz with these arrays, …)",
    "train/id.npy (videos: they must not be in two splits) and train/text_lengths.npy, … [N], where there are any",
  ],
  classes: [],
  modalities: {
    audio: { kind: "sequence", scale: "none", infiniteIsZero: true },
    text: { kind: "sequence", scale: "none" },
    vision: { kind: "sequence", scale: "none" },
  },
  official: {
    MulT: {
      about: "of mosei_senti_data.pkl, as code that reads it states; not counted here",
      splits: { train: { samples: 16_326 }, validation: { samples: 1871 }, test: { samples: 4659 } },
    },
  },
  options: {
    classes: {
      type: "choice",
      choices: ["2", "7"],
      default: "2",
      about: "2: sign of the score; 7: the score rounded to -3..3, halves to even",
      source: "Acc-2 and Acc-7 of MulT and its followers",
    },
    zero: {
      type: "choice",
      choices: ["non-negative", "left out"],
      default: "non-negative",
      about: "of 2 classes, scores of 0: with the positive ones, or left out of all splits",
      source: "non-negative: BalanceBenchmark's loader; MulT leaves zeros out where it tests",
    },
  },
  list: listed,
});
