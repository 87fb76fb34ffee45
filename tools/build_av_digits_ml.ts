/**
 * Builds the speech of the embedded dataset `av-digits-ml` from its source, bit for bit the same every time. Its images and
 * voices are those of `av-digits`.
 *
 * Run: `deno task build:av-digits-ml [FOLDER]`, about a minute.
 *
 * @module
 */
import { Random } from "../core/random.ts";
import { type AvDigitsManifest, BANDS, FRAMES } from "../datasets/av_digits_format.ts";
import {
  type AvDigitsMlManifest,
  DIGIT_LANGUAGES,
  type DigitLanguage,
  speakersOf,
} from "../datasets/av_digits_ml_format.ts";
import { stored } from "./build_av_digits.ts";
import { embed, writeManifest } from "./embed.ts";
import { spoken } from "./speech.ts";

/** Names of the digits. Dutch "één" has its accents, without which it is read as the article. */
const WORDS: Readonly<Record<DigitLanguage, readonly string[]>> = {
  en: ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"],
  de: ["null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun"],
  fr: ["zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf"],
  es: ["cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve"],
  it: ["zero", "uno", "due", "tre", "quattro", "cinque", "sei", "sette", "otto", "nove"],
  pt: ["zero", "um", "dois", "três", "quatro", "cinco", "seis", "sete", "oito", "nove"],
  nl: ["nul", "één", "twee", "drie", "vier", "vijf", "zes", "zeven", "acht", "negen"],
  pl: ["zero", "jeden", "dwa", "trzy", "cztery", "pięć", "sześć", "siedem", "osiem", "dziewięć"],
};

/** One voice's ten digits in one language. */
export interface Spoken {
  /** Codes [32, 32] of each. */
  readonly codes: readonly Uint8Array[];
  readonly power: readonly number[];
}

/** What a voice says in a language in a setting. */
export async function digitsOf(
  variant: string,
  language: DigitLanguage,
  [rate, pitch]: readonly [number, number],
): Promise<Spoken> {
  const signals = await spoken(
    { language: language === "en" ? "en-us" : language, variant, rate, pitch },
    WORDS[language],
  );
  const made = signals.map((signal, digit) =>
    stored(signal, new Random(0).split("av-digits-ml", "placement", variant, language, digit))
  );
  return { codes: made.map(({ codes }) => codes), power: made.map(({ power }) => power) };
}

/** The manifest of av-digits, whose voices speak here. */
export async function voicesOf(): Promise<Pick<AvDigitsManifest, "voices" | "settings">> {
  const url = new URL("../datasets/data/av_digits.manifest.json", import.meta.url);
  return JSON.parse(await Deno.readTextFile(url)) as AvDigitsManifest;
}

/** Writes what all speakers said, in stored order. @returns Compressed size in bytes. */
export async function write(folder: string, all: readonly Spoken[]): Promise<number> {
  const { voices, settings } = await voicesOf();
  const cells = FRAMES * BANDS;
  const audio = new Uint8Array(all.length * 10 * cells);
  all.flatMap(({ codes }) => codes).forEach((codes, n) => audio.set(codes, n * cells));
  const power = new DataView(new ArrayBuffer(4 * 10 * all.length));
  all.flatMap((own) => own.power).forEach((value, n) => power.setFloat32(4 * n, value, true));
  const files = {
    audio: await embed(folder, "av_digits_ml_audio.u8.gz", audio),
    power: await embed(folder, "av_digits_ml_power.f32.gz", new Uint8Array(power.buffer)),
  };
  const manifest: AvDigitsMlManifest = {
    format: 1,
    files: { audio: files.audio.file, power: files.power.file },
    voices,
    settings,
    sources: [
      {
        package: "npm @echogarden/espeak-ng-emscripten 0.3.5 (eSpeak NG)",
        licence: "GPL-3.0",
        use: "synthesised the speech; not distributed",
      },
    ],
    build: "deno task build:av-digits-ml",
  };
  await writeManifest(folder, "av_digits_ml.manifest.json", manifest);
  return files.audio.bytes + files.power.bytes;
}

async function build(folder: string): Promise<void> {
  const { voices, settings } = await voicesOf();
  const all: Spoken[] = [];
  for (const { voice, language, setting } of speakersOf(voices.length, settings.length)) {
    all.push(await digitsOf(voices[voice].variant, DIGIT_LANGUAGES[language], settings[setting]));
    if (language >= DIGIT_LANGUAGES.length - 2) console.error(`${voice + 1}/${voices.length} ${voices[voice].variant}`);
  }
  const bytes = await write(folder, all);
  console.error(`${all.length * 10} utterances; ${(bytes / 2 ** 20).toFixed(2)} MiB in ${folder}`);
}

if (import.meta.main) await build(Deno.args[0] ?? new URL("../datasets/data", import.meta.url).pathname);
