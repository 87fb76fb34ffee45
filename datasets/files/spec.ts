/**
 * `dataset.json`: what the files of a dataset are. Written by the first `bench --data`, to be read and edited by people.
 *
 * @module
 */
import { z } from "zod";
import { checkModalityName } from "../../core/modality.ts";
import { Refusal } from "../../core/refusal.ts";
import type { Stack } from "./films.ts";

/** Version of the format. */
export const FILES_FORMAT = 1;

/** What a modality's values are. */
export type FilesKind =
  | "vector"
  | "sequence"
  | "image"
  /** Films as arrays of pictures. */
  | "clip"
  | "tokens"
  /** Paths of pictures. */
  | "picture"
  /** Paths of recordings. */
  | "sound"
  /** Paths of films, or of folders of their frames. */
  | "film"
  /** Paths of folders of optical flow: `flow_x_00001.jpg` and `flow_y_00001.jpg`, or `{u,v}/clip`, two of equal names. */
  | "flow"
  /** Texts themselves. */
  | "text";

/** What an array holds that was made of media: front ends of recordings, another spectrogram, optical flow as bytes. */
export type Holds = "log-mel" | "stft" | "waveform" | "spectrogram" | "flow";

/** One modality of a dataset of files. */
export interface FilesModality {
  /**
   * Where its array is: `audio.npy`, `features.npz#audio`, `table.csv#audio_*` (all columns of that name and a number) or
   * `table.csv#age,height`. `{split}` stands for the folder, or file, of each split.
   */
  readonly from: string;
  readonly kind: FilesKind;
  /** Where the lengths of sequences are; what lies behind them is not read. */
  readonly lengths?: string;
  /**
   * `"standard"`: mean 0 and deviation 1 over the training split, per coordinate or channel.
   *
   * @default {"standard"}
   */
  readonly scale: "standard" | "none";
  /** Where the channels of an image or clip are. @default {"last"} */
  readonly channels: "first" | "last" | "none";
  /** Height and width of pictures and frames. @default {64} */
  readonly size?: number;
  /** Frames of a film that are taken, at equal distances. @default {8} */
  readonly frames?: number;
  /** Frames a second that ffmpeg decodes of a film. @default {4} */
  readonly fps?: number;
  /**
   * Where frames of films and flow are: `"time"`, [frames, H, W, c], which encoders of pictures take frame by frame, as is
   * written for films that are found; or `"channels"`, [H, W, c frames], as descriptions mean that say nothing of it.
   *
   * @default {"channels"}
   */
  readonly stack?: Stack;
  /** Fields of optical flow that follow each other at each place, two channels each. @default {1} */
  readonly fields?: number;
  /** Samples a second that recordings are brought to. @default the commonest rate */
  readonly rate?: number;
  /** What is made of recordings. @default {"log-mel"} */
  readonly front?: "log-mel" | "stft" | "waveform";
  /** Length of recordings. @default that of the longest, at most 10 */
  readonly seconds?: number;
  /** Mel bands of recordings. @default {64} */
  readonly bands?: number;
  /** What media the values of an array were made of, as `data prepare` writes it. @default it is not known */
  readonly holds?: Holds;
  /** Words of a text that are read, or ids of its tokenizer. @default {64}, or 128 ids */
  readonly words?: number;
  /** Where the `tokenizer.json` of texts is, from the folder of the description. @default words are numbered here */
  readonly tokenizer?: string;
}

/** A split that the data has: a column of names, and what each split is called in it. */
export interface NamedSplit {
  readonly from: string;
  readonly train: readonly string[];
  readonly validation: readonly string[];
  readonly test: readonly string[];
}

/** A split that the data has: folders, or files, by split. */
export interface FoldedSplit {
  readonly folders: { readonly train: string; readonly validation?: string; readonly test: string };
}

/** A split that is made. */
export interface MadeSplit {
  /** Of train, validation and test. */
  readonly shares: readonly [number, number, number];
  readonly seed: number;
}

/** What the files of a dataset are. References are as `FilesModality.from`. */
export interface FilesSpec {
  readonly format: 1;
  readonly name: string;
  readonly labels: string;
  /** Names of the classes in the order of their indices; labels that are integers are their own names. */
  readonly classes: readonly string[];
  readonly modalities: Readonly<Record<string, FilesModality>>;
  readonly groups?: string;
  readonly ids?: string;
  readonly split: NamedSplit | FoldedSplit | MadeSplit;
  /** What was seen when this was written; not read. */
  readonly seen?: unknown;
}

const reference = z.string().min(1).max(4000);
const share = z.number().positive();

const schema: z.ZodType<FilesSpec> = z.strictObject({
  format: z.literal(FILES_FORMAT),
  name: z.string().min(1).max(100),
  labels: reference,
  classes: z.array(z.string()).min(2).max(100_000),
  modalities: z.record(
    z.string(),
    z.strictObject({
      from: reference,
      kind: z.enum(["vector", "sequence", "image", "clip", "tokens", "picture", "sound", "film", "flow", "text"]),
      lengths: reference.optional(),
      scale: z.enum(["standard", "none"]).default("standard"),
      channels: z.enum(["first", "last", "none"]).default("last"),
      size: z.number().int().min(1).max(1024).optional(),
      frames: z.number().int().min(1).max(256).optional(),
      fps: z.number().positive().max(240).optional(),
      stack: z.enum(["time", "channels"]).optional(),
      fields: z.number().int().min(1).max(64).optional(),
      rate: z.number().int().min(1000).max(384_000).optional(),
      front: z.enum(["log-mel", "stft", "waveform"]).optional(),
      seconds: z.number().positive().max(600).optional(),
      bands: z.number().int().min(1).max(512).optional(),
      holds: z.enum(["log-mel", "stft", "waveform", "spectrogram", "flow"]).optional(),
      words: z.number().int().min(1).max(4096).optional(),
      tokenizer: reference.optional(),
    }),
  ),
  groups: reference.optional(),
  ids: reference.optional(),
  split: z.union([
    z.strictObject({
      from: reference,
      train: z.array(z.string()),
      validation: z.array(z.string()),
      test: z.array(z.string()),
    }),
    z.strictObject({
      folders: z.strictObject({ train: z.string(), validation: z.string().optional(), test: z.string() }),
    }),
    z.strictObject({ shares: z.tuple([share, share, share]), seed: z.number().int().nonnegative() }),
  ]),
  seen: z.unknown().optional(),
});

/**
 * Reads a `dataset.json`.
 *
 * @param path For messages.
 * @throws {Refusal} If it is no JSON, of another version, or does not keep to the schema; the message says where.
 */
export function parseSpec(text: string, path: string): FilesSpec {
  const refuse = (must: string, found: string, hint = "mend it, or remove it to have it guessed anew") =>
    new Refusal({ what: `read "${path}"`, must, found, hint });
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (error) {
    throw refuse("it must be JSON", (error as Error).message.split("\n")[0]);
  }
  const format = (value as { format?: unknown } | null)?.format;
  if (typeof value === "object" && value !== null && format !== FILES_FORMAT) {
    throw refuse(`its format must be ${FILES_FORMAT}`, `found ${JSON.stringify(format) ?? "none"}`);
  }
  const result = schema.safeParse(value);
  if (!result.success) {
    const [{ path: at, message }] = result.error.issues;
    throw refuse(
      at.length === 0 ? "it must keep to the schema" : `"${at.join(".")}" must keep to the schema`,
      message.charAt(0).toLowerCase() + message.slice(1),
    );
  }
  const names = Object.keys(result.data.modalities);
  if (names.length === 0) throw refuse("there must be a modality", "found none");
  for (const name of names) checkModalityName(name, `"${path}"`);
  const { classes } = result.data;
  const twice = classes.find((name, k) => classes.indexOf(name) !== k);
  if (twice !== undefined) throw refuse("classes must have different names", `two are ${JSON.stringify(twice)}`);
  return result.data;
}
