/**
 * Datasets: three splits of inputs by modality with labels. Symbols: N samples, C classes, V ids.
 *
 * @module
 */
import { complete, defineKind, type Kind, type Typed } from "./kind.ts";
import type { ByModality } from "../modality.ts";
import type { RawOptions } from "../options.ts";
import type { PartConfig } from "../record.ts";
import type { About } from "./about.ts";
import { encoderText } from "./words.ts";

/** What one modality's input is. */
export interface ModalityInfo {
  /** Shape of one sample, without the batch axis: [28, 28, 1], [32, 32, 1], [300]. */
  readonly shape: readonly number[];
  readonly dtype: "float32" | "int32";
  /** Number of ids V, for token ids in 0..V-1 of which 0 is padding. */
  readonly vocabulary?: number;
  /** What it is, with units. */
  readonly about: string;
  /**
   * Of log mel spectrograms [T, bands, 1]: values are (ln(power + floor) - mean) / std, so that noise can be added in
   * the power domain. @default no spectrogram, or it is not known how it was made
   */
  readonly logPower?: { readonly mean: number; readonly std: number; readonly floor: number };
  /** Whether it is a sound as it is, [T] or [T, 1]. @default {false} */
  readonly waveform?: boolean;
  /**
   * Of optical flow [.., H, W, 2 fields]: by channel, the value that is no movement. Channels 0, 2, ... are movements
   * across, which turn around where a picture is mirrored. @default no flow
   */
  readonly noMovement?: readonly number[];
}

/** Inputs that are read a sample at a time: data larger than memory. */
export interface Rows {
  /** Values of a sample. */
  readonly width: number;
  /** Copies the values of a sample to a place of an array; a promise where they must be decoded first. */
  copy(sample: number, into: Float32Array | Int32Array, at: number): void | Promise<void>;
  /** How threads that run ahead read the same. @default they do not */
  readonly elsewhere?: RowsElsewhere;
  /** SHA-256 (hex) of the values of all samples one behind the other, where it is known. @default they are read for it */
  digest?(): Promise<string>;
}

/** Rows for another thread: a module whose `openRows(given)` gives a promise of what copies them. */
export interface RowsElsewhere {
  /** URL of the module. */
  readonly module: string;
  /** Plain data. */
  readonly given: unknown;
}

/** What another thread reads rows with. */
export interface RowsReader {
  copy(sample: number, into: Float32Array | Int32Array, at: number): void | Promise<void>;
  close(): void | Promise<void>;
}

/** One split: labels, groups and masks in memory, inputs there or read by index. */
export interface Split {
  /** Number of samples N. */
  readonly size: number;
  /** Class indices [N]. */
  readonly labels: Int32Array;
  /** Inputs, row-major [N, ...shape], per modality. */
  readonly inputs: ByModality<Float32Array | Int32Array>;
  /** Inputs of the modalities that are not in `inputs`. @default none */
  readonly rows?: ByModality<Rows>;
  /** Group id per sample: splits share no group. */
  readonly groups: readonly string[];
  /**
   * Which modalities each sample has, [N, m] of 0 and 1, modalities in sorted order; its values of one that it lacks are
   * 0. Trained and evaluated as a keep mask. @default all
   */
  readonly present?: Uint8Array;
  /** Texts that inputs were made of, one a sample, by modality; `Dataset.reads` makes them again. @default not kept */
  readonly texts?: ByModality<readonly string[]>;
}

/** Names of splits. */
export type SplitName = "train" | "validation" | "test";

/** One modality of a sample, as people see, hear or read it. */
export type Preview =
  /** A picture: `values` [height, width, channels], 0 is dark and 255 bright. */
  | {
    readonly kind: "image";
    readonly width: number;
    readonly height: number;
    readonly channels: 1 | 3;
    readonly values: Uint8Array;
  }
  /** Loudness over time: `values` [frames, bands] in any unit, low bands first. */
  | {
    readonly kind: "spectrogram";
    readonly frames: number;
    readonly bands: number;
    readonly values: Float32Array;
  }
  /** A sound: `values` in -1..1, so many a second. */
  | { readonly kind: "sound"; readonly sampleRate: number; readonly values: Float32Array }
  | { readonly kind: "text"; readonly text: string }
  /** What has no form that people know: the numbers, row-major. */
  | { readonly kind: "values"; readonly shape: readonly number[]; readonly values: Float32Array | Int32Array };

/** A loaded dataset. */
export interface Dataset {
  readonly name: string;
  readonly modalities: ByModality<ModalityInfo>;
  /** Class names; C = classes.length. */
  readonly classes: readonly string[];
  readonly splits: Readonly<Record<SplitName, Split>>;
  /** SHA-256 (hex) over the decoded contents of all splits, as loaded. */
  readonly fingerprint: string;
  /** Licence notices of the sources. */
  readonly notices: readonly string[];
  /**
   * How people see a sample: by modality what there is to see, hear or read of it, best first. Nothing is trained on it.
   *
   * @param sample Its place in the split. @default the values that are trained on, plainly (`previewOf`)
   */
  preview?(split: SplitName, sample: number): ByModality<readonly Preview[]> | Promise<ByModality<readonly Preview[]>>;
  /** How another text becomes a modality's values, of modalities with `Split.texts`. @default none */
  readonly reads?: ByModality<(text: string) => Float32Array | Int32Array>;
  /** Threads that read rows ahead. Changes nothing but the time that a step waits. @default 1 */
  readonly readers?: number;
}

/** A registered dataset. */
export interface DatasetPlugin extends About {
  readonly kind: "dataset";
  /** Encoders that `bench` takes where none is named: one, or one for each modality. @default cnn */
  readonly encoder?: PartConfig | Readonly<Record<string, PartConfig>>;
  /** Loads it. @throws {RangeError} If stored data does not have the hash that its manifest says. */
  load(options: RawOptions): Promise<Dataset>;
}

/** The kind of datasets. */
export const datasetKind: Kind<DatasetPlugin> = defineKind<DatasetPlugin>({
  name: "dataset",
  plural: "datasets",
  about: "three splits of inputs by modality, with labels",
  functions: { load: { at: 0 } },
  describe: ({ encoder }) => encoder === undefined ? [] : [`Encoders, where none is named: ${encoderText(encoder)}.`],
});

/** Defines a dataset; `load` receives resolved options. */
export function defineDataset<O extends object>(
  plugin: Typed<DatasetPlugin, O, "load"> & { load(options: O): Promise<Dataset> },
): DatasetPlugin {
  return complete(datasetKind, plugin);
}
