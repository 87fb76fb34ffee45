/**
 * Texts as ids of their words.
 *
 * @module
 */
import type { FilesModality } from "./spec.ts";
import type { Values } from "./values.ts";

/** Tokens of a text that are read. */
export const MAX_WORDS = 64;
/** Id of a word that training does not know; 0 is padding. */
const UNKNOWN = 1;
/** Words that training keeps. */
const MAX_VOCABULARY = 20_000;

/** Lower-case words and numbers of a text. */
export function wordsOf(text: string): string[] {
  return text.normalize("NFKC").toLowerCase().match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];
}

/** Texts as ids of their words, in the order of their first appearance; empty ones are missing. */
export function textValues({ from, words: most = MAX_WORDS }: FilesModality, given: readonly string[]): Values {
  const ids = new Map<string, number>();
  const all = given.map((text) => wordsOf(text).slice(0, most));
  const window = all.reduce((longest, words) => Math.max(longest, words.length), 1);
  const data = new Int32Array(given.length * window);
  all.forEach((words, n) => {
    words.forEach((word, k) => {
      let id = ids.get(word);
      if (id === undefined) ids.set(word, id = ids.size + 2);
      data[n * window + k] = id;
    });
  });
  return {
    data,
    texts: given,
    read(text) {
      const words = wordsOf(text).slice(0, window);
      return Int32Array.from({ length: window }, (_, k) => k < words.length ? ids.get(words[k]) ?? UNKNOWN : 0);
    },
    present: Uint8Array.from(all, (words) => words.length === 0 ? 0 : 1),
    info: { shape: [window], dtype: "int32", vocabulary: ids.size + 2, about: `words of ${from}` },
  };
}

/**
 * The same texts with ids for the words of training alone, the most frequent ones; others become 1.
 *
 * @param counts Whether a sample is in training.
 */
export function knownWords(
  { data, info, read }: Values,
  counts: (n: number) => boolean,
): Pick<Values, "data" | "info" | "read"> {
  const [window] = info.shape;
  const seen = new Float64Array(info.vocabulary!);
  data.forEach((id, k) => seen[id] += id >= 2 && counts(Math.floor(k / window)) ? 1 : 0);
  const kept = Array.from(seen.keys()).filter((id) => seen[id] > 0).sort((a, b) => seen[b] - seen[a] || a - b)
    .slice(0, MAX_VOCABULARY);
  const next = new Int32Array(info.vocabulary!).fill(UNKNOWN);
  next[0] = 0;
  kept.forEach((id, k) => next[id] = k + 2);
  const about = `${info.about}: ${kept.length} of training, 1 for others, 0 is padding`;
  return {
    data: Int32Array.from(data, (id) => next[id]),
    read: (text) => read!(text).map((id) => next[id]),
    info: { ...info, vocabulary: kept.length + 2, about },
  };
}
