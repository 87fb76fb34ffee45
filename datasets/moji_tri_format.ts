/**
 * What the builder and the loader of `moji-tri` share: constants and the stored form.
 *
 * @module
 */
import type { SplitName } from "../core/kinds/mod.ts";
import type { StoredFile, StoredManifest } from "./embedded.ts";
import type { MelOptions } from "./transforms/spectrum.ts";

/** Height and width of a picture. */
export const SIDE = 32;
/** Largest code of a colour value: five bits. */
export const LEVELS = 31;
/** Samples per second of the spectrograms' signal. */
export const RATE = 11_025;
/** Length of the audio window in samples: 1.2 s. */
export const WINDOW_SAMPLES = Math.floor(1.2 * RATE);
/** Frames per spectrogram. */
export const FRAMES = 40;
/** Mel bands per frame. */
export const BANDS = 32;
/** Samples from one frame to the next, so that 40 frames of 512 fill the window. */
export const HOP = Math.floor((WINDOW_SAMPLES - 512) / (FRAMES - 1));
/** Mel front end: 512-point Hann frames, 32 bands from 60 Hz to half the rate. */
export const MEL: MelOptions = { rate: RATE, window: 512, bands: BANDS, lowest: 60 };

/** Languages of texts, in the order in which samples rotate over them. */
export const LANGUAGES = ["en", "de", "fr", "es", "it", "pt", "nl", "pl"] as const;
/** Languages of speech. */
export const SPOKEN = ["en", "de"] as const;
/** Who drew the pictures; the last one's are in no training split. */
export const ARTISTS = ["noto", "twemoji", "openmoji", "fluent", "emojione"] as const;
/** Artists whose pictures are trained on. */
export const SEEN_ARTISTS = 4;
/** Classes: Unicode's groups without components and flags. */
export const CLASSES = [
  "smileys-emotion",
  "people-body",
  "animals-nature",
  "food-drink",
  "travel-places",
  "activities",
  "objects",
  "symbols",
] as const;

/** One concept: an emoji, whoever drew it. */
export interface MojiConcept {
  /** Code points in hexadecimal. */
  readonly code: string;
  /** Index of its class. */
  readonly label: number;
  /** English label without person words and what follows a colon: concepts of one stem share a split. */
  readonly stem: string;
  readonly split: SplitName;
  /** Places of its pictures by artist; -1 where there is none. */
  readonly pictures: readonly number[];
  /** Label and tags in each language. */
  readonly texts: readonly string[];
}

/** `moji_tri.manifest.json`. */
export interface MojiTriManifest extends StoredManifest {
  /** `pictures` [P, 32, 32, 3], `speech` [concepts, 2, 40, 32], `concepts` as JSON. */
  readonly files: Readonly<Record<"pictures" | "speech" | "concepts", StoredFile>>;
  readonly counts: { readonly concepts: number; readonly stems: number; readonly pictures: number };
}
