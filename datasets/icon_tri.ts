/**
 * Icons as rasters, paths and texts: a real three-modality dataset that comes with the package.
 *
 * @module
 */
import { type Dataset, type DatasetPlugin, defineDataset, type Split, type SplitName } from "../core/kinds/mod.ts";
import { Random } from "../core/random.ts";
import { checkDataset } from "./check.ts";
import { noticesOf, readManifest, standardise, unpack } from "./embedded.ts";
import { fingerprintOf } from "./fingerprint.ts";
import {
  CLASSES,
  groupOf,
  type Icon,
  type IconTriManifest,
  LEVELS,
  PATH_IDS,
  pathIds,
  SIDE,
} from "./icon_tri_format.ts";
import { bagOf, idsOf, SPECIAL_IDS, vocabularyOf, withPairs, wordsOf } from "./transforms/words.ts";

/** Options of `icon-tri`. */
export interface IconTriOptions {
  readonly size: "full" | "mini";
  readonly path: "bag" | "ids";
  readonly text: "bag" | "ids";
  readonly words: number;
  readonly counts: "unit" | "standard";
}

/** Samples of the small version. */
const MINI: Readonly<Record<SplitName, number>> = { train: 1000, validation: 200, test: 500 };
/** Ids of a text and of a path; a path has 72 on average. */
const TEXT_LENGTH = 24;
const PATH_LENGTH = 128;
/** Commands, numbers and their pairs that a path's counts are of. */
const PATH_WORDS = 512;
const PIXELS = SIDE * SIDE;

type Sample = Icon & { readonly place: number; readonly ids: readonly number[] };

function samplesOf(icons: readonly Icon[], split: SplitName, size: IconTriOptions["size"]): Sample[] {
  const own = icons.flatMap((icon, place): Sample[] =>
    icon.split === split ? [{ ...icon, place, ids: pathIds(icon.path) }] : []
  );
  const shuffled = new Random(0).split("icon-tri", split, "order").shuffle(own);
  return size === "full" ? shuffled : shuffled.slice(0, MINI[split]);
}

/** Rows of one length behind each other. */
function stacked<T extends Float32Array | Int32Array>(into: T, rows: readonly (Float32Array | Int32Array)[]): T {
  rows.forEach((row, n) => into.set(row, n * row.length));
  return into;
}

async function load(options: IconTriOptions): Promise<Dataset> {
  const manifest = await readManifest<IconTriManifest>("icon-tri", "icon_tri.manifest.json");
  const [rasters, json] = await Promise.all(["rasters", "icons"].map((name) => unpack("icon-tri", manifest, name)));
  const icons = JSON.parse(new TextDecoder().decode(json)) as Icon[];
  const samples = {
    train: samplesOf(icons, "train", options.size),
    validation: samplesOf(icons, "validation", options.size),
    test: samplesOf(icons, "test", options.size),
  };
  const strokes = (ids: readonly number[]) => withPairs(ids.map(String));
  const words = vocabularyOf(samples.train.map(({ text }) => wordsOf(text)), options.words);
  const pieces = vocabularyOf(samples.train.map(({ ids }) => strokes(ids)), PATH_WORDS);
  const textOf = (list: readonly Sample[]) =>
    options.text === "bag"
      ? stacked(new Float32Array(list.length * words.size), list.map(({ text }) => bagOf(wordsOf(text), words)))
      : stacked(
        new Int32Array(list.length * TEXT_LENGTH),
        list.map(({ text }) => idsOf(wordsOf(text), words, TEXT_LENGTH)),
      );
  const pathOf = (list: readonly Sample[]) =>
    options.path === "bag"
      ? stacked(new Float32Array(list.length * pieces.size), list.map(({ ids }) => bagOf(strokes(ids), pieces)))
      : stacked(
        new Int32Array(list.length * PATH_LENGTH),
        list.map(({ ids }) => Int32Array.from({ length: PATH_LENGTH }, (_, k) => ids[k] ?? 0)),
      );
  const finish = (list: readonly Sample[]): Split => {
    const raster = new Float32Array(list.length * PIXELS);
    list.forEach(({ place }, n) => {
      for (let i = 0; i < PIXELS; i++) raster[n * PIXELS + i] = rasters[place * PIXELS + i] / LEVELS;
    });
    return {
      size: list.length,
      labels: Int32Array.from(list, ({ label }) => label),
      groups: list.map(({ name }) => groupOf(name)),
      inputs: { path: pathOf(list), raster, text: textOf(list) },
    };
  };
  const splits = { train: finish(samples.train), validation: finish(samples.validation), test: finish(samples.test) };
  const bags = (["path", "text"] as const).filter((name) => options[name] === "bag");
  standardise(splits, ["raster", ...(options.counts === "standard" ? bags : [])]);
  const dataset: Dataset = {
    name: "icon-tri",
    modalities: {
      path: options.path === "bag"
        ? {
          shape: [pieces.size],
          dtype: "float32",
          about: "its SVG path: counts of commands, rounded numbers and their pairs",
        }
        : {
          shape: [PATH_LENGTH],
          dtype: "int32",
          vocabulary: PATH_IDS,
          about: "its SVG path: ids of commands and rounded numbers; 0 is padding",
        },
      raster: { shape: [SIDE, SIDE, 1], dtype: "float32", about: "an icon in outline, standardised" },
      text: options.text === "bag"
        ? { shape: [words.size], dtype: "float32", about: "name and tags: counts of words" }
        : {
          shape: [TEXT_LENGTH],
          dtype: "int32",
          vocabulary: words.size + SPECIAL_IDS,
          about: "name and tags: ids of words; 0 is padding, 1 unknown",
        },
    },
    classes: CLASSES,
    splits,
    fingerprint: await fingerprintOf(splits),
    notices: noticesOf(manifest),
    preview(name, sample) {
      const { place, path, text } = samples[name][sample];
      const values = rasters.slice(place * PIXELS, (place + 1) * PIXELS).map((code) =>
        Math.round(255 * (1 - code / LEVELS))
      );
      return {
        path: [{ kind: "text", text: path }],
        raster: [{ kind: "image", width: SIDE, height: SIDE, channels: 1, values }],
        text: [{ kind: "text", text }],
      };
    },
  };
  checkDataset(dataset);
  return dataset;
}

/**
 * icon-tri: an icon as a raster, as the path that draws it, and its name and tags as text; sixteen categories are the
 * classes. Two views of one drawing, and text, which dominates. Splits are disjoint in the first word of names.
 */
export const iconTri: DatasetPlugin = defineDataset<IconTriOptions>({
  name: "icon-tri",
  tiny: { size: "mini", words: 64 },
  about: "icons as raster, vector path and text (name and tags), 16 classes; text dominates",
  source: "Tabler Icons",
  encoder: {
    path: { name: "mlp", options: {} },
    raster: { name: "cnn", options: {} },
    text: { name: "mlp", options: {} },
  },
  options: {
    size: {
      type: "choice",
      choices: ["full", "mini"],
      default: "full",
      about: "all icons, or 1000/200/500",
      source: "all that is embedded",
    },
    path: {
      type: "choice",
      choices: ["bag", "ids"],
      default: "bag",
      about: "path as counts of its pieces, which any encoder of vectors takes, or as 128 ids for bert",
      source: "chosen here: counts train in seconds",
    },
    text: {
      type: "choice",
      choices: ["bag", "ids"],
      default: "bag",
      about: "text as counts of words, which any encoder of vectors takes, or as 24 ids for bert",
      source: "chosen here: counts train in seconds",
    },
    words: {
      type: "integer",
      default: 2048,
      min: 1,
      max: 65_536,
      about: "words of the vocabulary, the most frequent of the training split",
      source: "chosen here: what occurs in two icons or more, about",
    },
    counts: {
      type: "choice",
      choices: ["unit", "standard"],
      default: "unit",
      about: "counts of a sample at length 1, as tf-idf is used, or standardised like the other modalities",
      source: "chosen here: text alone reads best so under AdamW, see docs/datasets.md",
    },
  },
  load,
});
