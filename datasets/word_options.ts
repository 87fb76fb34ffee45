/**
 * Texts of embedded datasets as inputs, and the options that say how.
 *
 * @module
 */
import type { ModalityInfo } from "../core/kinds/mod.ts";
import type { SpecsFor } from "../core/options.ts";
import { bagOf, idsOf, SPECIAL_IDS, vocabularyOf, wordsOf } from "./transforms/words.ts";

/** How texts become inputs. */
export interface WordOptions {
  readonly text: "bag" | "ids";
  readonly words: number;
  readonly counts: "unit" | "standard";
}

/** Ids of a text. */
const TEXT_LENGTH = 24;

/** Specs of `WordOptions`. @param things What has a text each, in the plural. */
export function wordOptions(things: string): SpecsFor<WordOptions> {
  return {
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
      source: `chosen here: what occurs in two ${things} or more, about`,
    },
    counts: {
      type: "choice",
      choices: ["unit", "standard"],
      default: "unit",
      about: "counts of a sample at length 1, as tf-idf is used, or standardised like the other modalities",
      source: "chosen here: text alone reads best so under AdamW, see docs/datasets.md",
    },
  };
}

/** Specs of the size of an embedded dataset. @param things What its samples are, in the plural. */
export function sizeOptions(things: string): SpecsFor<{ readonly size: "full" | "mini" }> {
  return {
    size: {
      type: "choice",
      choices: ["full", "mini"],
      default: "full",
      about: `all ${things}, or 1000/200/500`,
      source: "all that is embedded",
    },
  };
}

/** Texts of one dataset as inputs, by the words of its training split. */
export interface WordInputs {
  readonly info: ModalityInfo;
  /** Values of one text. */
  of(text: string): Float32Array | Int32Array;
  /** Values of texts, one behind the other. */
  all(texts: readonly string[]): Float32Array | Int32Array;
}

/** Reads texts by the most frequent words of those of training. */
export function wordInputs(train: readonly string[], { text, words }: Pick<WordOptions, "text" | "words">): WordInputs {
  const vocabulary = vocabularyOf(train.map(wordsOf), words);
  const info: ModalityInfo = text === "bag"
    ? { shape: [vocabulary.size], dtype: "float32", about: "name and tags: counts of words" }
    : {
      shape: [TEXT_LENGTH],
      dtype: "int32",
      vocabulary: vocabulary.size + SPECIAL_IDS,
      about: "name and tags: ids of words; 0 is padding, 1 unknown",
    };
  const of = (given: string) =>
    text === "bag" ? bagOf(wordsOf(given), vocabulary) : idsOf(wordsOf(given), vocabulary, TEXT_LENGTH);
  return {
    info,
    of,
    all(texts) {
      const width = info.shape[0];
      const values = text === "bag" ? new Float32Array(texts.length * width) : new Int32Array(texts.length * width);
      texts.forEach((own, n) => values.set(of(own), n * width));
      return values;
    },
  };
}
