/**
 * Text for terminals: what comes from files may hold characters that move the cursor or hide what stands there.
 *
 * @module
 */

/** Control characters but tab and line end, and those that turn or hide text. */
const hidden = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\p{Cs}]/gu;

/** A text with such characters as escapes: `\u001b`. */
export function printable(text: string): string {
  return text.replaceAll(hidden, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** The same on one line. */
export function printableLine(text: string): string {
  return printable(text.replaceAll(/\s*[\r\n]+\s*/g, " "));
}
