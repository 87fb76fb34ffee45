/**
 * Corruptions of one sample's features or token ids, in place.
 *
 * @module
 */
import type { Random } from "../../core/random.ts";

/** A share of values becomes a value: that of a feature that says nothing. */
export function dropFeatures(values: Float32Array, share: number, value: number, random: Random): void {
  for (let i = 0; i < values.length; i++) if (random.uniform() < share) values[i] = value;
}

/** A share of tokens is left out; the others move up, and 0, padding, fills the end. */
export function dropTokens(ids: Int32Array, share: number, random: Random): void {
  let kept = 0;
  for (let i = 0; i < ids.length; i++) {
    if (ids[i] === 0 || random.uniform() < share) continue;
    ids[kept++] = ids[i];
  }
  ids.fill(0, kept);
}

/** A share of tokens becomes another of 1..V-1, each as likely: what a word is to a vocabulary that was mistyped. */
export function swapTokens(ids: Int32Array, share: number, vocabulary: number, random: Random): void {
  for (let i = 0; i < ids.length; i++) {
    if (ids[i] !== 0 && vocabulary > 2 && random.uniform() < share) {
      const other = 1 + random.integer(vocabulary - 2);
      ids[i] = other < ids[i] ? other : other + 1;
    }
  }
}

/** A share of a text's words is left out. */
export function dropWords(text: string, share: number, random: Random): string {
  return share === 0 ? text : text.split(/\s+/).filter(() => random.uniform() >= share).join(" ");
}

const LETTERS = "abcdefghijklmnopqrstuvwxyz";

/** Mistyped text: a share of letters is left out, doubled, swapped with the next, or becomes another of a..z. */
export function mistype(text: string, share: number, random: Random): string {
  const letters = [...text];
  let typed = "";
  for (let i = 0; i < letters.length; i++) {
    const letter = letters[i];
    if (!/\p{L}/u.test(letter) || random.uniform() >= share) {
      typed += letter;
      continue;
    }
    const kind = random.integer(4);
    if (kind === 1) typed += letter + letter;
    else if (kind === 2 && i + 1 < letters.length) typed += letters[++i] + letter;
    else if (kind > 1) typed += LETTERS[random.integer(LETTERS.length)];
  }
  return typed;
}
