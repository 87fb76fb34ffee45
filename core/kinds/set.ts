/**
 * Sets: published collections of media, and how the files that people have of one are its samples.
 *
 * @module
 */
import type { ByModality } from "../modality.ts";
import type { RawOptions } from "../options.ts";
import type { PartConfig } from "../record.ts";
import type { About } from "./about.ts";
import type { SplitName } from "./dataset.ts";
import { complete, defineKind, type Kind, type Typed } from "./kind.ts";

/** How the files of a modality become its values; what is left out is as `dataset.json` has it (docs/your-data.md). */
export interface SetModality {
  /**
   * `"array"`: a `.npy` a sample, all of one shape. `"sequence"`: a row [T, d] of an array of all samples, `FILE#ROW` or
   * `FILE#ROW:LENGTH` where it ends earlier. `"text"`: the texts themselves, in place of files.
   */
  readonly kind: "picture" | "sound" | "film" | "flow" | "array" | "sequence" | "text";
  /** @default {"standard"}, of texts `"none"` */
  readonly scale?: "standard" | "none";
  /** Height and width of pictures and frames. */
  readonly size?: number;
  /** Frames of a film, or places of optical flow, that are taken, at equal distances. */
  readonly frames?: number;
  /** Fields of optical flow at each place. */
  readonly fields?: number;
  /** Whether frames have an axis of their own, or are beside each other in the channels. @default {"time"} */
  readonly stack?: "time" | "channels";
  /** Frames a second that ffmpeg decodes of a film. */
  readonly fps?: number;
  /** Samples a second of recordings. */
  readonly rate?: number;
  /** Length of recordings. */
  readonly seconds?: number;
  readonly front?: "log-mel" | "stft" | "waveform";
  /** Mel bands of recordings. */
  readonly bands?: number;
  /** Words of a text that are read. */
  readonly words?: number;
  /** Whether infinities in sequences stand for 0. @default {false} */
  readonly infiniteIsZero?: boolean;
}

/** One sample of a set, as its lists and folders have it. */
export interface SetSample {
  /** Unique within the set. */
  readonly id: string;
  readonly label: string;
  /** `null` where the set has no split and one is made: of all samples, or of none. */
  readonly split: SplitName | null;
  /** What must not stand in two splits: a speaker, a video. "" for the sample alone. */
  readonly group: string;
  /** Path within the folder (`{u,v}/clip` for two), or the text itself, by modality; "" where nothing is there. */
  readonly files: ByModality<string>;
}

/** A row of a list. */
export interface SetRow {
  readonly cells: readonly string[];
  /** Line at which it begins, from 1. */
  readonly line: number;
}

/** An array of numbers or texts. */
export interface SetArray {
  readonly shape: readonly number[];
  /** Row-major. */
  readonly data: ArrayLike<number> | readonly string[];
}

/** The folder in which somebody has a set. Paths within it; whatever leads out of it is refused. */
export interface SetFolder {
  /** As people named it. */
  readonly path: string;
  /** Names of what lies in a folder of it, and whether each is a folder itself; empty where nothing is there. */
  entries(folder: string): Promise<ReadonlyMap<string, boolean>>;
  /**
   * The same of a folder of media: names that no sample has are told by `verify`.
   *
   * @param own Which names are of this set. @default all
   */
  media(folder: string, own?: (name: string) => boolean): Promise<ReadonlyMap<string, boolean>>;
  /**
   * An array, as `dataset.json` refers to it: `train/labels.npy`, `train.npz#labels`.
   *
   * @returns `null` where there is no such file, or no such array in it.
   */
  array(reference: string): Promise<SetArray | null>;
  /** The shape of an array. @returns `null` where there is no such file, or no such array in it. */
  shape(reference: string): Promise<readonly number[] | null>;
  /**
   * Rows of a list: cells between commas, tabs or semicolons, or, where its first line has none, between spaces.
   *
   * @returns `null` where there is no such file.
   */
  rows(file: string): Promise<readonly SetRow[] | null>;
}

/** What somebody has of a set. */
export interface SetListing {
  /** In the order of the lists. */
  readonly samples: readonly SetSample[];
  /** Which of the set's official numbers it is to be compared with. @default none */
  readonly official?: string;
  /** Names of the classes in the order of their indices. @default the set's own, or those of the samples */
  readonly classes?: readonly string[];
  /** How its files become values, where that depends on what is there. @default the set's own */
  readonly modalities?: ByModality<SetModality>;
  /** What was found, for people. */
  readonly notes?: readonly string[];
}

/** Numbers that a set is known by. */
export interface Official {
  /** Where they are from. */
  readonly about: string;
  /** Samples of each split; of each class, in the order of the classes, where that is known. */
  readonly splits: Readonly<
    Partial<Record<SplitName, { readonly samples: number; readonly classes?: readonly number[] }>>
  >;
}

/** How a paper trains on a set. */
export interface PaperSettings {
  /** Where each is stated, and where this differs. */
  readonly about: readonly string[];
  readonly encoder: PartConfig | ByModality<PartConfig>;
  readonly training: Readonly<Record<string, unknown>>;
}

/** A registered set. */
export interface SetPlugin extends About {
  readonly kind: "set";
  /** As papers write it. */
  readonly title: string;
  /** Under which terms it may be used, and where that is said. */
  readonly licence: string;
  /** The folders and lists that are read, a line each. */
  readonly layout: readonly string[];
  /** In the order of their indices; empty where the lists name them. */
  readonly classes: readonly string[];
  readonly modalities: ByModality<SetModality>;
  /** Numbers of each list that is known, by its name. */
  readonly official: Readonly<Record<string, Official>>;
  readonly paper?: PaperSettings;
  /**
   * Finds the samples. Looks at names and lists alone: no file of media is read.
   *
   * @throws {Refusal} If lists are missing, or hold what cannot be.
   */
  list(folder: SetFolder, options: RawOptions): Promise<SetListing>;
}

const settings = (given: object) => Object.entries(given).map(([name, value]) => `${name} ${value}`).join(", ");

const encoderText = (encoder: PaperSettings["encoder"]) =>
  typeof encoder.name === "string"
    ? `${encoder.name} of every modality`
    : Object.entries(encoder as ByModality<PartConfig>).map(([name, own]) => `${name} ${own.name}`).join(", ");

/** The kind of sets. */
export const setKind: Kind<SetPlugin> = defineKind<SetPlugin>({
  name: "set",
  plural: "sets",
  about: "a published collection of media: its files become a dataset by armlab data prepare NAME --from FOLDER",
  functions: { list: { at: 1 } },
  describe: ({ name, licence, layout, classes, modalities, official, paper }) => [
    `Licence: ${licence}`,
    "Read from FOLDER:",
    ...layout.map((line) => `  ${line}`),
    ...(classes.length === 0 ? [] : [`Classes (${classes.length}): ${classes.join(", ")}`]),
    ...Object.entries(modalities).map(([modality, own]) => `Modality ${modality}: ${settings(own)}`),
    ...Object.entries(official).map(([list, { about, splits }]) =>
      `Numbers of ${list}: ${
        Object.entries(splits).map(([split, own]) => `${split} ${own.samples}`).join(", ")
      } (${about})`
    ),
    ...(paper === undefined ? [] : [
      `Profile paper: ${encoderText(paper.encoder)}; ${settings(paper.training)}`,
      ...paper.about.map((line) => `  ${line}`),
    ]),
    `Prepared by: deno task armlab data prepare ${name} --from FOLDER --to data/${name}`,
  ],
});

/** Defines a set; `list` receives resolved options. */
export function defineSet<O extends object>(
  plugin: Typed<SetPlugin, O, "list"> & { list(folder: SetFolder, options: O): Promise<SetListing> },
): SetPlugin {
  return complete(setKind, plugin);
}
