/**
 * Text for terminals: what comes from files may hold characters that move the cursor or hide what stands there.
 *
 * @module
 */

/** Characters that control, turn or hide text. */
const hidden = /[\p{Cc}\p{Cf}\p{Cs}]/gu;

/** A text with such characters as escapes, `\u001b`, but for tabs and line ends. */
export function printable(text: string): string {
  return text.replaceAll(hidden, (character) => {
    if (character === "\t" || character === "\n") return character;
    return `\\u${character.codePointAt(0)!.toString(16).padStart(4, "0")}`;
  });
}

/** The same on one line. */
export function printableLine(text: string): string {
  return printable(text.replaceAll(/\s*[\r\n]+\s*/g, " "));
}

/** Letters of one word that are shown, at its beginning and its end. */
const [BEGINNING, END] = [200, 60];

/** A text whose endless words, as a name of megabytes, are cut in the middle. */
export function brief(text: string): string {
  return text.replaceAll(/\S{300,}/g, (word) => `${word.slice(0, BEGINNING)}…${word.slice(-END)}`);
}
