/**
 * What the builder and the loader of `av-digits-ml` share: languages and the stored form.
 *
 * @module
 */
import type { StoredVoice } from "./av_digits_format.ts";
import type { StoredFile, StoredManifest } from "./embedded.ts";

/** A language of the digits' names. */
export type DigitLanguage = "en" | "de" | "fr" | "es" | "it" | "pt" | "nl" | "pl";

/** Languages, in stored order. */
export const DIGIT_LANGUAGES: readonly DigitLanguage[] = ["en", "de", "fr", "es", "it", "pt", "nl", "pl"];

/** `av_digits_ml.manifest.json`. */
export interface AvDigitsMlManifest extends StoredManifest {
  /** `audio` [utterances, 32, 32] as av-digits has it, `power` [utterances] in 32-bit floats. */
  readonly files: Readonly<Record<"audio" | "power", StoredFile>>;
  /** Voices in stored order: those of av-digits. */
  readonly voices: readonly StoredVoice[];
  /** Rate (words per minute) and pitch (0..100) of each setting. */
  readonly settings: readonly (readonly [number, number])[];
}

/**
 * Who speaks which language in which setting, in stored order: every voice every second language, so that all voices speak
 * and each language has half of them. Utterance (speaker, digit) is at speaker * 10 + digit.
 */
export function speakersOf(
  voices: number,
  settings: number,
): { readonly voice: number; readonly language: number; readonly setting: number }[] {
  return Array.from(
    { length: voices },
    (_, voice) =>
      DIGIT_LANGUAGES.flatMap((_, language) =>
        (voice + language) % 2 === 0
          ? [{ voice, language, setting: Math.floor((voice + language) / 2) % settings }]
          : []
      ),
  ).flat();
}
