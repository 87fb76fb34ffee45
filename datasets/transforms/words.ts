/**
 * Texts and other sequences of words as counts or ids, by a vocabulary of training texts.
 *
 * @module
 */

/** Words of a text: runs of letters and digits, in lower case. */
export function wordsOf(text: string): string[] {
  return text.normalize("NFKC").toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
}

/** Words and their neighbours: each word, then each pair. */
export function withPairs(words: readonly string[]): string[] {
  return [...words, ...words.slice(1).map((word, k) => `${words[k]} ${word}`)];
}

/**
 * The most frequent words of training texts, each with its place; equals in the order of their code units.
 *
 * @param size Words at most.
 */
export function vocabularyOf(texts: readonly (readonly string[])[], size: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (const words of texts) for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  const sorted = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  return new Map(sorted.slice(0, size).map(([word], place) => [word, place]));
}

/**
 * Counts of the vocabulary's words as ln(1 + n), scaled to length 1; zeros if none is in it.
 *
 * @returns [V].
 */
export function bagOf(words: readonly string[], vocabulary: ReadonlyMap<string, number>): Float32Array {
  const bag = new Float32Array(vocabulary.size);
  for (const word of words) {
    const place = vocabulary.get(word);
    if (place !== undefined) bag[place]++;
  }
  let squares = 0;
  for (let i = 0; i < bag.length; i++) {
    bag[i] = Math.log1p(bag[i]);
    squares += bag[i] ** 2;
  }
  if (squares > 0) { for (let i = 0; i < bag.length; i++) bag[i] /= Math.sqrt(squares); }
  return bag;
}

/** Ids that stand before a vocabulary's: padding and unknown. */
export const SPECIAL_IDS = 2;

/** Ids of words, cut or padded with 0 to a length; 1 is a word that the vocabulary lacks. */
export function idsOf(words: readonly string[], vocabulary: ReadonlyMap<string, number>, length: number): Int32Array {
  const place = (word: string) => SPECIAL_IDS + (vocabulary.get(word) ?? -1);
  return Int32Array.from({ length }, (_, k) => k < words.length ? place(words[k]) : 0);
}
