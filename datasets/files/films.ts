/**
 * One sample's film, or the optical flow of one, as values.
 *
 * @module
 */
import { join } from "node:path";
import { Refusal } from "../../core/refusal.ts";
import { bytesOfFile, ffmpegCommand, fromFfmpeg, PICTURE, placeOf, WHOLE_OR_NOTHING } from "./media_files.ts";
import { decodedPicture } from "./readers.ts";

/** Where the frames of a film are in its values: an axis before height and width, or beside each other in the channels. */
export type Stack = "time" | "channels";

/** How films become values: [frames, size, size, 3], or [size, size, 3 frames]. */
export interface Film {
  readonly kind: "film";
  readonly size: number;
  /** Frames that are taken, at equal distances. */
  readonly frames: number;
  /** Frames a second that ffmpeg gives, of which these are taken. */
  readonly fps: number;
  readonly stack: Stack;
}

/** How optical flow becomes values: [frames, size, size, 2 fields], or [size, size, 2 fields frames]. */
export interface Flow {
  readonly kind: "flow";
  readonly size: number;
  /** Places in time that are taken, at equal distances. */
  readonly frames: number;
  /** Fields that follow each other, at each place. */
  readonly fields: number;
  readonly stack: Stack;
}

const filmArguments = (path: string, { size, fps }: Film): string[] => [
  ...[...WHOLE_OR_NOTHING, "-i", `file:${path}`, "-vf"],
  `fps=${fps},scale=${size}:${size}:force_original_aspect_ratio=increase,crop=${size}:${size}`,
  ...["-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"],
];

/** The command that decodes a film. */
export function filmCommand(path: string, form: Film): string {
  return ffmpegCommand(filmArguments(path, form));
}

/** Places of `count` frames among `size`, each in the middle of an equal share. */
export function framePlaces(size: number, count: number): number[] {
  return Array.from({ length: count }, (_, k) => Math.min(size - 1, Math.floor((k + 0.5) * size / count)));
}

/** First of `fields` that follow each other around each of `count` places among `size`, and those that follow. */
export function fieldPlaces(size: number, count: number, fields: number): number[][] {
  return framePlaces(size, count).map((place) => {
    const first = Math.max(0, Math.min(place - (fields >> 1), size - fields));
    return Array.from({ length: fields }, (_, l) => Math.min(size - 1, first + l));
  });
}

const empty = (name: string, found: string) =>
  new Refusal({ what: `read "${name}"`, must: "it must hold frames", found });

/** Pictures of a folder, as people number them: 2 before 10. */
async function picturesOf(root: string, name: string): Promise<string[]> {
  const files: string[] = [];
  for await (const entry of Deno.readDir(await placeOf(root, name))) {
    if (PICTURE.test(entry.name) && !entry.name.startsWith(".")) files.push(entry.name);
  }
  return files.sort(new Intl.Collator("en", { numeric: true }).compare);
}

/** Parts of the name of one direction of a field: `flow_x_00001.jpg`, `flow_y_00001.jpg`; also `x`, `u`, `y` and `v` alone. */
const direction = /^((?:flow)?[_-]?)([xuyv])([_-]?\d+\..+)$/i;
const opposite: Readonly<Record<string, string>> = { x: "y", y: "x", u: "v", v: "u", X: "Y", Y: "X", U: "V", V: "U" };

/** The file of the other direction of a field, by its name; `null` for what is no field. */
function partner(file: string): string | null {
  const found = direction.exec(file);
  return found === null ? null : `${found[1]}${opposite[found[2]]}${found[3]}`;
}

/** Names of a folder taken apart: fields of which both directions are there, and other pictures. */
function sorted(files: readonly string[]): { readonly frames: string[]; readonly fields: string[] } {
  const all = new Set(files);
  const isField = (file: string) => {
    const other = partner(file);
    return other !== null && all.has(other);
  };
  return { frames: files.filter((file) => !isField(file)), fields: files.filter(isField) };
}

/** Whether a folder holds optical flow and nothing else: two directions of each field. */
export async function holdsFlow(root: string, name: string): Promise<boolean> {
  const { frames, fields } = sorted(await picturesOf(root, name));
  return frames.length === 0 && fields.length > 0;
}

/** The two folders of `{u,v}/clip`, or `null` for one folder. */
export function twoFolders(name: string): [string, string] | null {
  const found = /^(.*)\{([^{},/]+),([^{},/]+)\}(.*)$/.exec(name);
  return found === null ? null : [`${found[1]}${found[2]}${found[4]}`, `${found[1]}${found[3]}${found[4]}`];
}

/** Files of both directions of each field, in order. @throws {Refusal} If one has no other. */
async function fieldsOf(root: string, name: string): Promise<[string, string][]> {
  const refuse = (found: string) =>
    new Refusal({ what: `read "${name}"`, must: "both directions of each field must be there", found });
  const folders = twoFolders(name);
  if (folders !== null) {
    const [own, other] = await Promise.all(folders.map((folder) => picturesOf(root, folder)));
    const odd = own.find((file) => !other.includes(file)) ?? other.find((file) => !own.includes(file));
    if (odd !== undefined) throw refuse(`"${odd}" is in one of the folders alone`);
    return own.map((file) => [join(folders[0], file), join(folders[1], file)]);
  }
  const files = await picturesOf(root, name);
  const odd = files.find((file) => {
    const other = partner(file);
    return other !== null && !files.includes(other);
  });
  // Where some are fields, a picture whose name is that of one direction is one that lost its other.
  if (odd !== undefined) throw refuse(`"${odd}" has no "${partner(odd)}"`);
  return sorted(files).fields.filter((file) => "xu".includes(direction.exec(file)![2].toLowerCase()))
    .map((file) => [join(name, file), join(name, partner(file)!)]);
}

/** Frames of a film that are read: files of a folder by their names, or what ffmpeg gives. */
async function framesOf(root: string, name: string, form: Film): Promise<Uint8Array[]> {
  const path = await placeOf(root, name);
  if ((await Deno.stat(path)).isDirectory) {
    const { frames: files, fields } = sorted(await picturesOf(root, name));
    if (files.length === 0) {
      throw empty(name, fields.length === 0 ? "the folder has no picture" : "the folder has optical flow alone");
    }
    return await Promise.all(
      framePlaces(files.length, form.frames).map(async (k) => {
        const file = join(name, files[k]);
        return await decodedPicture(await bytesOfFile(root, file), file, form.size);
      }),
    );
  }
  const bytes = await fromFfmpeg(filmArguments(path, form), name);
  if (bytes === null) throw empty(name, "it has no pictures, as a recording");
  const size = form.size * form.size * 3;
  const count = Math.floor(bytes.length / size);
  if (count === 0) throw empty(name, "ffmpeg gave none");
  return framePlaces(count, form.frames).map((k) => bytes.subarray(k * size, (k + 1) * size));
}

/** Values of frames [size, size, c] each: one behind the other, or beside each other in the channels. */
function stacked(frames: readonly Uint8Array[], channels: number, stack: Stack): Float32Array {
  const width = frames[0].length;
  const data = new Float32Array(width * frames.length);
  if (stack === "time") {
    frames.forEach((frame, k) => data.set(frame, k * width));
    return data;
  }
  frames.forEach((frame, k) => {
    for (let p = 0; p < width / channels; p++) {
      for (let c = 0; c < channels; c++) data[(p * frames.length + k) * channels + c] = frame[channels * p + c];
    }
  });
  return data;
}

/** A film's values, 0..255: red, green and blue of each frame. @throws {Refusal} If it has none, or one is broken. */
export async function filmValues(root: string, name: string, form: Film): Promise<Float32Array> {
  return stacked(await framesOf(root, name, form), 3, form.stack);
}

/**
 * The values of optical flow, 0..255 as they are stored: across and down of the first field at a place, of the second, ...
 *
 * @param name A folder of pairs (`flow_x_00001.jpg`, `flow_y_00001.jpg`), or two, `{u,v}/clip`, of files of one name.
 * @throws {Refusal} If it has none, a field lacks a direction, or a file is broken.
 */
export async function flowValues(root: string, name: string, form: Flow): Promise<Float32Array> {
  const pairs = await fieldsOf(root, name);
  if (pairs.length === 0) throw empty(name, "it has no pairs of optical flow");
  const { size, fields, frames, stack } = form;
  const channels = 2 * fields;
  const made = fieldPlaces(pairs.length, frames, fields).map(async (places) => {
    const frame = new Uint8Array(size * size * channels);
    await Promise.all(places.flatMap((k, l) =>
      pairs[k].map(async (file, side) => {
        const grey = await decodedPicture(await bytesOfFile(root, file), file, size);
        for (let p = 0; p < size * size; p++) frame[p * channels + 2 * l + side] = grey[3 * p];
      })
    ));
    return frame;
  });
  return stacked(await Promise.all(made), channels, stack);
}
