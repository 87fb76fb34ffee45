/**
 * How the files of a set's modalities become arrays of one shape.
 *
 * @module
 */
import { type ByModality, mapByModality } from "../../core/modality.ts";
import type { SetModality } from "../../core/kinds/mod.ts";
import { sizeOf } from "../../core/program.ts";
import { Refusal } from "../../core/refusal.ts";
import { decodeNpy } from "../../formats/mod.ts";
import { bytesOfFile } from "../files/media_files.ts";
import { type MediaForm, mediaReader, shapeOfForm } from "../files/media.ts";
import { BANDS, PICTURE_SIZE } from "../files/readers.ts";
import { type FileReader, firstSequence, sequenceReader } from "./sequences.ts";

/** How a modality's files are read: plain data, for other threads. */
export type SetForm =
  | { readonly kind: "media"; readonly form: MediaForm; readonly shape: readonly number[]; readonly bytes: boolean }
  /** A `.npy` a sample, of the shape of the first. */
  | { readonly kind: "array"; readonly shape: readonly number[]; readonly bytes: false }
  /** A row of an array of all samples. */
  | {
    readonly kind: "sequence";
    readonly shape: readonly number[];
    readonly bytes: false;
    readonly infiniteIsZero: boolean;
  };

function mediaForm({ kind, ...own }: SetModality): MediaForm {
  const { size = PICTURE_SIZE, frames = 8, fps = 4, fields = 1, stack = "time" } = own;
  const { rate, seconds, front = "log-mel", bands = BANDS } = own;
  if (kind === "picture") return { kind, size };
  if (kind === "film") return { kind, size, frames, fps, stack };
  if (kind === "flow") return { kind, size, frames, fields, stack };
  if (kind === "sound" && rate !== undefined && seconds !== undefined) {
    return { kind, front, rate, length: Math.round(rate * seconds), bands };
  }
  throw new Refusal({
    what: `read a modality of kind "${kind}"`,
    must: "recordings must have a rate and a length",
    found: `found ${rate} and ${seconds}`,
  });
}

/** An array of one sample. @throws {Refusal} If it is none of numbers. */
async function arrayOf(root: string, file: string): Promise<{ shape: readonly number[]; values: Float32Array }> {
  const array = decodeNpy(await bytesOfFile(root, file), file);
  if (array.type === "text") {
    throw new Refusal({ what: `read "${file}"`, must: "it must hold numbers", found: "found texts" });
  }
  return { shape: array.shape, values: Float32Array.from(array.data) };
}

/** Values [T, bands] as an image of one channel. */
const imaged = (shape: readonly number[]) => shape.length === 2 ? [...shape, 1] : shape;

/** The shape of the first array that can be read. @throws {Refusal} If none can. */
async function firstShape(root: string, files: readonly string[]): Promise<readonly number[]> {
  let why: unknown = new Refusal({ what: "read arrays", must: "some sample must have one", found: "none has" });
  for (const file of files) {
    try {
      return (await arrayOf(root, file)).shape;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      // It is told where samples are decoded; another one says the shape.
      why = error;
    }
  }
  throw why;
}

/**
 * The forms of all modalities but texts.
 *
 * @param files Files of a modality, for shapes that only they say.
 * @throws {Refusal} If recordings have no rate or length, or no array can be read.
 */
export async function formsOf(
  modalities: ByModality<SetModality>,
  root: string,
  files: (modality: string) => readonly string[],
): Promise<Record<string, SetForm>> {
  const forms: Record<string, SetForm> = {};
  for (const [name, own] of Object.entries(modalities)) {
    if (own.kind === "text") continue;
    if (own.kind === "array") {
      forms[name] = { kind: "array", shape: imaged(await firstShape(root, files(name))), bytes: false };
      continue;
    }
    if (own.kind === "sequence") {
      const shape = await firstSequence(root, files(name));
      forms[name] = { kind: "sequence", shape, bytes: false, infiniteIsZero: own.infiniteIsZero ?? false };
      continue;
    }
    const form = mediaForm(own);
    forms[name] = { kind: "media", form, shape: shapeOfForm(form), bytes: own.kind !== "sound" };
  }
  return forms;
}

/** A sample's values by modality: bytes of pictures, numbers of anything else. */
export type SampleArrays = Record<string, Uint8Array<ArrayBuffer> | Float32Array<ArrayBuffer>>;

/** Modalities that a sample has a file of, which holds nothing of them: the sound of a film without sound. */
export function notInside(files: ByModality<string>, forms: ByModality<SetForm>, arrays: SampleArrays): string[] {
  return Object.keys(forms).filter((name) => files[name] !== "" && !Object.hasOwn(arrays, name));
}

/** Reads samples. */
export interface SampleReader {
  /** Arrays of the modalities that are there. @throws {Refusal} If a file is broken, missing, outside of the folder, or of another shape. */
  read(files: ByModality<string>): Promise<SampleArrays>;
  close(): Promise<void>;
}

function readerOf(root: string, own: SetForm): FileReader {
  if (own.kind === "sequence") return sequenceReader(root, own.shape, own.infiniteIsZero);
  const close = () => Promise.resolve();
  if (own.kind === "media") return { read: mediaReader(own.form, root), close };
  const read = async (file: string) => {
    const { shape, values } = await arrayOf(root, file);
    if (imaged(shape).join() === own.shape.join()) return values;
    throw new Refusal({
      what: `read "${file}"`,
      must: `it must have the shape of the first, [${own.shape.join(", ")}]`,
      found: `found [${imaged(shape).join(", ")}]`,
    });
  };
  return { read, close };
}

/** Makes what reads a sample's files. */
export function sampleReader(root: string, forms: ByModality<SetForm>): SampleReader {
  const readers = mapByModality(forms, (own) => readerOf(root, own));
  return {
    async read(files) {
      const arrays: SampleArrays = {};
      for (const [name, form] of Object.entries(forms)) {
        if (files[name] === "") continue;
        const values = await readers[name].read(files[name]);
        if (values === null) continue;
        checkFinite(values, files[name]);
        arrays[name] = form.bytes ? Uint8Array.from(values) : values as Float32Array<ArrayBuffer>;
      }
      return arrays;
    },
    async close() {
      for (const { close } of Object.values(readers)) await close();
    },
  };
}

function checkFinite(values: Float32Array, file: string): void {
  const place = values.findIndex((value) => !Number.isFinite(value));
  if (place === -1) return;
  throw new Refusal({
    what: `read "${file}"`,
    must: "every value must be a finite number",
    found: `it has ${values[place]} at position ${place}`,
  });
}

/** Values of a modality that a sample lacks. */
export function absentOf(form: SetForm): Float32Array<ArrayBuffer> {
  return new Float32Array(sizeOf(form.shape)).fill(NaN);
}
