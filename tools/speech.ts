/**
 * Speech for embedded datasets, from eSpeak NG (GPL-3: a tool of builds only; neither its code nor its data is part of
 * what is stored or shipped).
 *
 * @module
 */
import type { Random } from "../core/random.ts";

/** Imported by this name at run time only, so that nothing but builds ever downloads it. */
const SPEECH = "npm:@echogarden/espeak-ng-emscripten@0.3.5";
const VARIANTS = "/usr/share/espeak-ng-data/voices/!v";
/** Samples per second of what it speaks. */
const SPOKEN_RATE = 22_050;

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

/** A fresh instance of the synthesiser. */
export async function speechModule(): Promise<SpeechModule> {
  const { default: create } = await import(SPEECH);
  return await (create as () => Promise<SpeechModule>)();
}

/** Names of all voice variants, sorted. */
export async function voiceVariants(): Promise<string[]> {
  const { FS } = await speechModule();
  return FS.readdir(VARIANTS).filter((name) => !name.startsWith(".")).sort();
}

/** How something is said. */
export interface Voice {
  /** Language: `en-us`, `de`. */
  readonly language: string;
  /** A variant of the synthesiser. @default its plain voice */
  readonly variant?: string;
  /** Words per minute. */
  readonly rate: number;
  /** 0..100. */
  readonly pitch: number;
}

/**
 * Texts as they sound, at 22,050 Hz.
 *
 * A fresh instance for each call: a second call in one instance gives another sound, the same order of texts the same.
 */
export async function spoken(voice: Voice, texts: readonly string[]): Promise<Float64Array[]> {
  // Breathy voices draw their noise from a generator that is seeded by the clock.
  const now = Date.now;
  Date.now = () => 0;
  try {
    return await speak(voice, texts);
  } finally {
    Date.now = now;
  }
}

async function speak({ language, variant, rate, pitch }: Voice, texts: readonly string[]): Promise<Float64Array[]> {
  const module = await speechModule();
  const worker = await new module.eSpeakNGWorker();
  const name = variant === undefined ? language : `${language}+${variant}`;
  const code = worker.set_voice(name);
  // An unknown variant is no error to the synthesiser, which takes the plain voice then.
  if (code !== 0 || (variant !== undefined && !module.FS.readdir(VARIANTS).includes(variant))) {
    throw new Error(`Cannot set voice "${name}" as it must be a voice of the package: code ${code}`);
  }
  if (worker.get_samplerate() !== SPOKEN_RATE) {
    throw new Error(`Cannot use the synthesiser as its rate must be ${SPOKEN_RATE}: found ${worker.get_samplerate()}`);
  }
  worker.set_rate(rate);
  worker.set_pitch(pitch);
  return texts.map((text) => {
    const parts: number[] = [];
    worker.synthesize(text, (audio) => {
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

/** Without silence at both ends, at a seeded place in a window of so many samples, largest absolute value 1. */
export function placed(signal: Float64Array, samples: number, random: Random): Float64Array {
  const peak = signal.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  if (peak === 0) throw new Error("Cannot place an utterance as it must not be silent: it is");
  const loud = (value: number) => Math.abs(value) > 0.01 * peak;
  const first = signal.findIndex(loud);
  const last = signal.findLastIndex(loud);
  const trimmed = signal.subarray(first, Math.min(last + 1, first + samples));
  const window = new Float64Array(samples);
  const offset = random.integer(samples - trimmed.length + 1);
  for (let i = 0; i < trimmed.length; i++) window[offset + i] = trimmed[i] / peak;
  return window;
}
