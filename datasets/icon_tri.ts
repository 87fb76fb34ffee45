/**
 * Icons as rasters, paths and texts: a real three-modality dataset that comes with the package.
 *
 * @module
 */
import { type Dataset, type DatasetPlugin, defineDataset, type Split, type SplitName } from "../core/kinds/mod.ts";
import { Random } from "../core/random.ts";
import { checkDataset } from "./check.ts";
import { noticesOf, readManifest, standardise, standardised, unpack } from "./embedded.ts";
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
import { bagOf, vocabularyOf, withPairs } from "./transforms/words.ts";
import { sizeOptions, wordInputs, type WordOptions, wordOptions } from "./word_options.ts";

/** Options of `icon-tri`. */
export interface IconTriOptions extends WordOptions {
  readonly size: "full" | "mini";
  readonly path: "bag" | "ids";
}

/** Samples of the small version. */
const MINI: Readonly<Record<SplitName, number>> = { train: 1000, validation: 200, test: 500 };
/** Ids of a path, which has 72 on average. */
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
  const words = wordInputs(samples.train.map(({ text }) => text), options);
  const pieces = vocabularyOf(samples.train.map(({ ids }) => strokes(ids)), PATH_WORDS);
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
      inputs: { path: pathOf(list), raster, text: words.all(list.map(({ text }) => text)) },
      texts: { text: list.map(({ text }) => text) },
    };
  };
  const splits = { train: finish(samples.train), validation: finish(samples.validation), test: finish(samples.test) };
  const bags = (["path", "text"] as const).filter((name) => options[name] === "bag");
  const scale = standardise(splits, ["raster", ...(options.counts === "standard" ? bags : [])]);
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
      text: words.info,
    },
    classes: CLASSES,
    splits,
    reads: { text: (text) => standardised(words.of(text), scale.text) },
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
  encoder: { name: "mlp", options: {} },
  options: {
    ...sizeOptions("icons"),
    path: {
      type: "choice",
      choices: ["bag", "ids"],
      default: "bag",
      about: "path as counts of its pieces, which any encoder of vectors takes, or as 128 ids for bert",
      source: "chosen here: counts train in seconds",
    },
    ...wordOptions("icons"),
  },
  load,
});
