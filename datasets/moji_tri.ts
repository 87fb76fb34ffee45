/**
 * Emoji as pictures, texts and speech: a real three-modality dataset that comes with the package.
 *
 * @module
 */
import { type Dataset, type DatasetPlugin, defineDataset, type Split, type SplitName } from "../core/kinds/mod.ts";
import { Random } from "../core/random.ts";
import { decodeTable, LOG_FLOOR } from "./av_digits_format.ts";
import { checkDataset } from "./check.ts";
import { noticesOf, readManifest, standardise, standardised, unpack } from "./embedded.ts";
import { fingerprintOf } from "./fingerprint.ts";
import {
  ARTISTS,
  BANDS,
  CLASSES,
  FRAMES,
  LANGUAGES,
  LEVELS,
  type MojiConcept,
  type MojiTriManifest,
  SEEN_ARTISTS,
  SIDE,
  SPOKEN,
} from "./moji_tri_format.ts";
import { wordsOf } from "./transforms/words.ts";
import { sizeOptions, wordInputs, type WordOptions, wordOptions } from "./word_options.ts";

/** Options of `moji-tri`. */
export interface MojiTriOptions extends WordOptions {
  readonly size: "full" | "mini";
  readonly language: "all" | "en" | "de" | "fr" | "es" | "it" | "pt" | "nl" | "pl";
  readonly artist: "seen" | "unseen";
}

/** Samples of the small version. */
const MINI: Readonly<Record<SplitName, number>> = { train: 1000, validation: 200, test: 500 };
const PIXELS = SIDE * SIDE * 3;
const CELLS = FRAMES * BANDS;

/** A sample: a concept as one artist drew it, described in one language and spoken in one. */
interface Sample {
  readonly concept: number;
  readonly picture: number;
  readonly text: string;
  readonly spoken: number;
}

function samplesOf(concepts: readonly MojiConcept[], split: SplitName, options: MojiTriOptions): Sample[] {
  const unseen = split === "test" && options.artist === "unseen";
  const artists = ARTISTS.map((_, artist) => artist).filter((artist) => (artist >= SEEN_ARTISTS) === unseen);
  const all = concepts.flatMap((own, concept) =>
    own.split !== split ? [] : artists.flatMap((artist): Sample[] => {
      const picture = own.pictures[artist];
      const language = options.language === "all"
        ? (concept + 2 * artist) % LANGUAGES.length
        : LANGUAGES.indexOf(options.language);
      const text = own.texts[language];
      return picture === -1 ? [] : [{ concept, picture, text, spoken: (concept + artist) % SPOKEN.length }];
    })
  );
  const shuffled = new Random(0).split("moji-tri", split, "order").shuffle(all);
  return options.size === "full" ? shuffled : shuffled.slice(0, MINI[split]);
}

async function load(options: MojiTriOptions): Promise<Dataset> {
  const manifest = await readManifest<MojiTriManifest>("moji-tri", "moji_tri.manifest.json");
  const [pictures, speech, json] = await Promise.all(
    ["pictures", "speech", "concepts"].map((name) => unpack("moji-tri", manifest, name)),
  );
  const concepts = JSON.parse(new TextDecoder().decode(json)) as MojiConcept[];
  const samples = {
    train: samplesOf(concepts, "train", options),
    validation: samplesOf(concepts, "validation", options),
    test: samplesOf(concepts, "test", options),
  };
  const words = wordInputs(samples.train.map(({ text }) => text), options);
  const powers = decodeTable();
  const finish = (list: readonly Sample[]): Split => {
    const image = new Float32Array(list.length * PIXELS);
    const sound = new Float32Array(list.length * CELLS);
    list.forEach(({ concept, picture, spoken }, n) => {
      for (let i = 0; i < PIXELS; i++) image[n * PIXELS + i] = pictures[picture * PIXELS + i] / LEVELS;
      const from = (concept * SPOKEN.length + spoken) * CELLS;
      for (let i = 0; i < CELLS; i++) sound[n * CELLS + i] = Math.log(powers[speech[from + i]] + LOG_FLOOR);
    });
    return {
      size: list.length,
      labels: Int32Array.from(list, ({ concept }) => concepts[concept].label),
      groups: list.map(({ concept }) => concepts[concept].stem),
      inputs: { image, speech: sound, text: words.all(list.map(({ text }) => text)) },
      texts: { text: list.map(({ text }) => text) },
    };
  };
  const splits = { train: finish(samples.train), validation: finish(samples.validation), test: finish(samples.test) };
  const scale = standardise(splits, [
    "image",
    "speech",
    ...options.text === "bag" && options.counts === "standard" ? ["text"] : [],
  ]);
  const dataset: Dataset = {
    name: "moji-tri",
    modalities: {
      image: { shape: [SIDE, SIDE, 3], dtype: "float32", about: "emoji by one of four artists, RGB, standardised" },
      speech: {
        shape: [FRAMES, BANDS, 1],
        dtype: "float32",
        about: "its name in English or German: log mel spectrogram, 40 frames of 46 ms, standardised",
        logPower: { ...scale.speech, floor: LOG_FLOOR },
      },
      text: words.info,
    },
    classes: CLASSES,
    splits,
    reads: { text: (text) => standardised(words.of(text), scale.text) },
    fingerprint: await fingerprintOf(splits),
    notices: noticesOf(manifest),
    preview(name, sample) {
      const { concept, picture, text } = samples[name][sample];
      const values = pictures.slice(picture * PIXELS, (picture + 1) * PIXELS).map((code) =>
        Math.round(255 * code / LEVELS)
      );
      const sound = splits[name].inputs.speech.slice(sample * CELLS, (sample + 1) * CELLS) as Float32Array;
      return {
        image: [{ kind: "image", width: SIDE, height: SIDE, channels: 3, values }],
        speech: [{ kind: "spectrogram", frames: FRAMES, bands: BANDS, values: sound }],
        text: [{ kind: "text", text: `${wordsOf(text).join(" ")} (${concepts[concept].stem})` }],
      };
    },
  };
  checkDataset(dataset);
  return dataset;
}

/**
 * moji-tri: an emoji as a picture, its name and tags as text, its name as speech; the eight groups of Unicode are the
 * classes. Text dominates.
 *
 * A sample is a concept as one artist drew it, described in one of eight languages (in turn), spoken in English or German
 * (in turn). Splits are disjoint in stems: concepts that differ in a person or in a detail after a colon.
 */
export const mojiTri: DatasetPlugin = defineDataset<MojiTriOptions>({
  name: "moji-tri",
  tiny: { size: "mini", words: 64 },
  about: "emoji as picture, text (name and tags) and speech (name), 8 classes; text dominates",
  source: "pictures: Noto, Twemoji, OpenMoji, Fluent; text: Unicode CLDR in 8 languages; speech: eSpeak NG",
  encoder: {
    image: { name: "cnn", options: {} },
    speech: { name: "cnn", options: {} },
    text: { name: "mlp", options: { hidden: [64] } },
  },
  options: {
    ...sizeOptions("samples"),
    ...wordOptions("concepts"),
    language: {
      type: "choice",
      choices: ["all", ...LANGUAGES],
      default: "all",
      about: "language of the texts; all takes eight in turn",
      source: "chosen here: one language makes text stronger still",
    },
    artist: {
      type: "choice",
      choices: ["seen", "unseen"],
      default: "seen",
      about: "test on the artists that are trained on, or on a fifth one's pictures of the same concepts",
      source: "chosen here: unseen asks for more than the task",
    },
  },
  load,
});
