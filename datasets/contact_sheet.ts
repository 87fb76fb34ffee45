/**
 * Samples of a dataset to look at: some of each class, every modality as pixels or words.
 *
 * @module
 */
import { byModality, modalitiesOf } from "../core/modality.ts";
import type { Dataset, ModalityInfo, Preview, SplitName } from "../core/kinds/mod.ts";
import { datasetOf } from "./files/build.ts";
import { describe, samplesOf } from "./files/files.ts";
import { brightness, previewOf } from "./preview.ts";

/** Pixels of a picture, red, green and blue. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  /** [height, width, 3]. */
  readonly data: Uint8Array;
}

/** A modality of a sample, as it is shown; `null` where the sample lacks it. */
export type Shown = { readonly pixels: Pixels } | { readonly text: string } | null;

/** A sample that is shown. */
export interface ContactSample {
  readonly id: string;
  readonly split: SplitName;
  readonly shown: Readonly<Record<string, Shown>>;
}

/** Some samples of a class. */
export interface ContactClass {
  readonly name: string;
  /** Samples of the class in all splits. */
  readonly size: number;
  readonly samples: readonly ContactSample[];
}

/** Some samples of each class. */
export interface ContactSheet {
  readonly name: string;
  readonly modalities: Readonly<Record<string, ModalityInfo>>;
  /** Classes in their order, those beyond the most that are shown left out. */
  readonly classes: readonly ContactClass[];
  /** Classes that are not shown. */
  readonly left: number;
}

/** How much is shown. */
export interface ContactOptions {
  /** Samples of a class. */
  readonly perClass: number;
  /** Most classes. */
  readonly classes: number;
}

const splitNames: readonly SplitName[] = ["train", "validation", "test"];

/** Dark blue to yellow over green, in nine steps: matplotlib's viridis. */
const colours = [
  [68, 1, 84],
  [71, 44, 122],
  [59, 81, 139],
  [44, 113, 142],
  [33, 144, 141],
  [39, 173, 129],
  [92, 200, 99],
  [170, 220, 50],
  [253, 231, 37],
] as const;

/** Colour of a number in 0..1. */
function coloured(value: number): readonly number[] {
  const at = Math.max(0, Math.min(1, value)) * (colours.length - 1);
  const low = Math.min(colours.length - 2, Math.floor(at));
  return colours[low].map((own, c) => own + (at - low) * (colours[low + 1][c] - own));
}

/** Pixels of a function from row and column. */
function painted(height: number, width: number, colour: (y: number, x: number) => readonly number[]): Pixels {
  const data = new Uint8Array(height * width * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) data.set(colour(y, x).map(Math.round), 3 * (y * width + x));
  }
  return { width, height, data };
}

/** A picture; of more channels than three one beside the other. */
function picture(values: Uint8Array, [height, width, channels]: readonly number[]): Pixels {
  const frames = channels % 3 === 0 ? channels / 3 : channels;
  const colour = channels % 3 === 0;
  return painted(height, width * frames, (y, x) => {
    const frame = Math.floor(x / width);
    const at = (y * width + x % width) * channels + (colour ? 3 * frame : frame);
    return [0, 1, 2].map((c) => values[at + (colour ? c : 0)]);
  });
}

/** Values along time, to the right; the first of each moment at the bottom. */
function heat(values: ArrayLike<number>, steps: number, rows: number): Pixels {
  let [least, greatest] = [Infinity, -Infinity];
  for (let i = 0; i < values.length; i++) {
    least = Math.min(least, values[i]);
    greatest = Math.max(greatest, values[i]);
  }
  const span = Math.max(greatest - least, 1e-12);
  return painted(rows, steps, (y, x) => coloured((values[x * rows + rows - 1 - y] - least) / span));
}

/** Pixels of a waveform. */
const WAVE: readonly [height: number, width: number] = [64, 256];

/** A waveform: from the least to the greatest value of each column. */
function wave(values: ArrayLike<number>): Pixels {
  const [height, width] = WAVE;
  let most = 1e-12;
  for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i]));
  const row = (value: number) => Math.round((1 - value / most) / 2 * (height - 1));
  const spans = Array.from({ length: width }, (_, x) => {
    const [from, to] = [x, x + 1].map((column) => Math.floor(column * values.length / width));
    let [low, high] = [height, -1];
    for (let i = from; i < Math.max(to, from + 1); i++) {
      low = Math.min(low, row(values[i]));
      high = Math.max(high, row(values[i]));
    }
    return [low, high];
  });
  return painted(height, width, (y, x) => y >= spans[x][0] && y <= spans[x][1] ? [31, 84, 140] : [255, 255, 255]);
}

/** Coordinates of a vector beside each other. */
const VECTOR_ROW = 32;

/** What is seen of a preview. */
export function shownOf(preview: Preview): Shown {
  switch (preview.kind) {
    case "image":
      return { pixels: picture(preview.values, [preview.height, preview.width, preview.channels]) };
    case "spectrogram":
      return { pixels: heat(preview.values, preview.frames, preview.bands) };
    case "sound":
      return { pixels: wave(preview.values) };
    case "text":
      return { text: preview.text };
    case "values":
      return valuesShown(preview.values, preview.shape);
  }
}

/** Pictures of one size beside each other: the frames of a film; `null` for anything else. */
function filmOf(previews: readonly Preview[]): Shown {
  const frames = previews.filter((own) => own.kind === "image");
  const [first] = frames;
  if (frames.length < 2 || frames.some((own) => own.width !== first.width || own.height !== first.height)) return null;
  const { width, height } = first;
  return {
    pixels: painted(height, width * frames.length, (y, x) => {
      const { channels, values } = frames[Math.floor(x / width)];
      return [0, 1, 2].map((c) => values[(y * width + x % width) * channels + (channels === 3 ? c : 0)]);
    }),
  };
}

/** What numbers look like that have no form which people know. */
function valuesShown(values: Float32Array | Int32Array, shape: readonly number[]): Shown {
  if (values instanceof Int32Array) {
    const ids = Array.from(values).filter((id) => id !== 0);
    return { text: `ids ${ids.slice(0, 24).join(" ")}${ids.length > 24 ? " ..." : ""}` };
  }
  const [first, second = 1] = shape;
  if (shape.length === 3) return { pixels: picture(brightness(values), shape) };
  // Frames of a film, one below the other.
  if (shape.length === 4) {
    return { pixels: picture(brightness(values), [first * second, shape[2], shape[3]]) };
  }
  if (shape.length === 2) return { pixels: second === 1 ? wave(values) : heat(values, first, second) };
  const columns = Math.min(VECTOR_ROW, first);
  const scaled = brightness(values);
  return {
    pixels: painted(Math.ceil(first / columns), columns, (y, x) => {
      const k = y * columns + x;
      return k < first ? coloured(scaled[k] / 255) : [255, 255, 255];
    }),
  };
}

/** Where the samples of a class are: the first of each split in turn, training first. */
function chosen({ splits }: Dataset, label: number, count: number): { split: SplitName; sample: number }[] {
  const found = splitNames.map((split) => {
    const own: { split: SplitName; sample: number }[] = [];
    splits[split].labels.forEach((other, sample) => {
      if (other === label && own.length < count) own.push({ split, sample });
    });
    return own;
  });
  return found.flat().slice(0, count);
}

/**
 * Some samples of each class of a loaded dataset.
 *
 * @param idOf Names a sample. @default its split and place
 */
export async function contactSheetOf(
  dataset: Dataset,
  { perClass, classes }: ContactOptions,
  idOf: (split: SplitName, sample: number) => string = (split, sample) => `${split} ${sample}`,
): Promise<ContactSheet> {
  const names = modalitiesOf(dataset.modalities);
  const shownClasses = dataset.classes.slice(0, classes);
  const rows: ContactClass[] = [];
  for (const [label, name] of shownClasses.entries()) {
    const samples: ContactSample[] = [];
    for (const { split, sample } of chosen(dataset, label, perClass)) {
      const previews = await previewOf(dataset, split, sample);
      const shown = byModality(names, (modality): Shown => {
        const own = Object.hasOwn(previews, modality) ? previews[modality] : [];
        return own.length === 0 ? null : filmOf(own) ?? shownOf(own[0]);
      });
      samples.push({ id: idOf(split, sample), split, shown });
    }
    const size = splitNames.reduce(
      (sum, split) => sum + dataset.splits[split].labels.reduce((count, own) => count + (own === label ? 1 : 0), 0),
      0,
    );
    rows.push({ name, size, samples });
  }
  return {
    name: dataset.name,
    modalities: dataset.modalities,
    classes: rows,
    left: dataset.classes.length - shownClasses.length,
  };
}

/**
 * Some samples of each class of somebody's files.
 *
 * @param skip Whether broken samples are left out.
 * @throws {Refusal} If the files cannot be read as a dataset.
 */
export async function contactSheetOfFiles(
  path: string,
  options: ContactOptions,
  skip: boolean = false,
): Promise<ContactSheet> {
  const described = await describe(path);
  const samples = await samplesOf(described, { skip });
  const dataset = await datasetOf(described.spec, samples);
  // Places of each split's samples in the whole.
  const places = splitNames.map((_, k) => Array.from(samples.split.keys()).filter((n) => samples.split[n] === k));
  return await contactSheetOf(dataset, options, (split, n) => samples.ids[places[splitNames.indexOf(split)][n]]);
}
