/**
 * Pictures, recordings, films and texts as the inputs of a modality.
 *
 * @module
 */
import { sizeOf } from "../../core/program.ts";
import { Refusal } from "../../core/refusal.ts";
import { type Film, filmCommand, filmValues, type Flow, flowValues, twoFolders } from "./films.ts";
import { PICTURE_SIZE, pictureValues, type SoundForm, soundForm, soundMaker, soundOf } from "./readers.ts";
import { heldInfo } from "./holds.ts";
import { FILM, placeIfThere } from "./media_files.ts";
import type { FilesModality, Holds } from "./spec.ts";
import { textValues } from "./texts.ts";
import type { Broken, Values } from "./values.ts";

/** How media become values: plain data, so that another thread can be told. */
export type MediaForm =
  | { readonly kind: "picture"; readonly size: number }
  | Film
  | Flow
  | SoundForm;

/** Inputs made of media, and those that could not be made. */
export interface MediaValues extends Values {
  readonly broken: readonly Broken[];
  /** What is named and not there, by its sample. */
  readonly gone?: ReadonlyMap<number, string>;
  /** What was decided. */
  readonly notes?: readonly string[];
}

/** Files that are decoded at once: the decoders of pictures have threads of their own. */
const AT_ONCE = 8;

/** What was found where each sample's file was read. */
interface Read<T> {
  readonly made: readonly (T | null)[];
  readonly broken: readonly Broken[];
}

/**
 * Reads each sample's file; what is broken is thrown, or gathered where that is asked for.
 *
 * @param make Gives `null` where the file holds nothing of the kind.
 */
async function each<T>(
  names: readonly string[],
  skip: boolean,
  make: (name: string, n: number) => Promise<T | null>,
): Promise<Read<T>> {
  const made: (T | null)[] = new Array(names.length).fill(null);
  const broken: (Broken | undefined)[] = [];
  let next = 0;
  const failures: { readonly n: number; readonly error: unknown }[] = [];
  const work = async () => {
    while (next < names.length && failures.length === 0) {
      const n = next++;
      if (names[n] === "") continue;
      try {
        made[n] = await make(names[n], n);
      } catch (error) {
        if (skip && error instanceof Refusal) broken[n] = { sample: n, why: `${names[n]}: ${error.reason}` };
        else failures.push({ n, error });
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, names.length) }, work));
  if (failures.length > 0) {
    // The first of them, whichever was read first.
    const { error } = failures.reduce((first, other) => other.n < first.n ? other : first);
    if (!(error instanceof Refusal)) throw error;
    throw error.with({ hint: `${error.hint ?? "mend it"}, or leave broken ones out: --skip-broken` });
  }
  return { made, broken: broken.filter((one) => one !== undefined) };
}

const presentOf = (made: readonly unknown[]) => Uint8Array.from(made, (value) => value === null ? 0 : 1);

/** Shape of one sample. */
export function shapeOfForm(form: MediaForm): number[] {
  if (form.kind === "picture") return [form.size, form.size, 3];
  if (form.kind === "film" || form.kind === "flow") {
    const channels = form.kind === "film" ? 3 : 2 * form.fields;
    const { size, frames, stack } = form;
    return stack === "time" ? [frames, size, size, channels] : [size, size, channels * frames];
  }
  return soundMaker(form).shape;
}

/** What the values are, in words. */
function aboutForm(name: string, form: MediaForm): string {
  if (form.kind === "picture") return `pictures of ${name}, ${form.size} x ${form.size}, cut around the middle`;
  if (form.kind === "film" || form.kind === "flow") {
    const { size, frames, stack } = form;
    const [what, channels] = form.kind === "film" ? ["films", 3] : ["optical flow", 2 * form.fields];
    const where = stack === "time" ? "" : ", in channels";
    return `${what} of ${name}: ${frames} frames at equal distances, each ${size} x ${size} x ${channels}${where}`;
  }
  return soundMaker(form).about(name);
}

/** What media become, where an array of their values should know it. */
export function holdsOf(form: MediaForm): Holds | null {
  return form.kind === "sound" ? form.front : form.kind === "flow" ? "flow" : null;
}

/** Makes a function that reads one sample's file as values of a form; `null` is the sound of a film without sound. */
export function mediaReader(form: MediaForm, root: string): (name: string) => Promise<Float32Array | null> {
  if (form.kind === "picture") return (name) => pictureValues(root, name, form.size);
  if (form.kind === "film") return (name) => filmValues(root, name, form);
  if (form.kind === "flow") return (name) => flowValues(root, name, form);
  const maker = soundMaker(form);
  return async (name) => {
    const recording = await soundOf(root, name);
    return recording === null ? null : maker.values(recording);
  };
}

/** The same of files that were looked at before, and had it. @throws {Refusal} If one has it no more. */
export function mediaReaderAgain(form: MediaForm, root: string): (name: string) => Promise<Float32Array> {
  const read = mediaReader(form, root);
  return async (name) => {
    const values = await read(name);
    if (values !== null) return values;
    throw new Refusal({ what: `read "${name}"`, must: "it must stay as it is", found: "it has no sound any more" });
  };
}

/** What a form is made of: what all files must be looked at for. */
async function formOf(
  spec: FilesModality,
  names: readonly string[],
  root: string,
  skip: boolean,
): Promise<{ form: MediaForm; broken: readonly Broken[]; notes: readonly string[] }> {
  const { size = PICTURE_SIZE, frames = 8, fps = 4, fields = 1, stack = "channels" } = spec;
  if (spec.kind === "picture") return { form: { kind: "picture", size }, broken: [], notes: [] };
  if (spec.kind === "film") {
    const form: Film = { kind: "film", size, frames, fps, stack };
    const first = names.find((name) => FILM.test(name));
    const notes = first === undefined ? [] : [`"${spec.from}" is decoded by ${filmCommand(first, form)}`];
    return { form, broken: [], notes };
  }
  if (spec.kind === "flow") return { form: { kind: "flow", size, frames, fields, stack }, broken: [], notes: [] };
  const { made, broken } = await each(names, skip, async (name) => {
    const recording = await soundOf(root, name);
    return recording === null ? null : { rate: recording.rate, size: recording.signal.length };
  });
  const heard = made.filter((one) => one !== null);
  const { form, note } = soundForm(spec, heard);
  const silent = names.filter((name) => name !== "").length - heard.length - broken.length;
  const notes = silent === 0 ? [] : [`${silent} films of "${spec.from}" have no sound: their samples lack it`];
  return { form, broken, notes: note === null ? notes : [...notes, note] };
}

/** Whether something is at a place; one outside of the folder is refused, or left out, where it is read. */
async function isThere(root: string, name: string): Promise<boolean> {
  try {
    return await placeIfThere(root, name) !== null;
  } catch (error) {
    if (error instanceof Refusal) return true;
    throw error;
  }
}

/**
 * The names whose files are there, and "" for the others: clips that could not be downloaded are no reason to stop.
 *
 * @throws {Refusal} If none is there, which is a wrong folder rather than what samples lack.
 */
async function thereOf(
  spec: FilesModality,
  names: readonly string[],
  root: string,
): Promise<{ names: string[]; gone: Map<number, string>; notes: string[] }> {
  const gone = new Map<number, string>();
  for (const [n, name] of names.entries()) {
    const places = name === "" ? [] : twoFolders(name) ?? [name];
    const found = await Promise.all(places.map((place) => isThere(root, place)));
    if (places.length > 0 && !found.includes(true)) gone.set(n, name);
  }
  const there = names.map((name, n) => gone.has(n) ? "" : name);
  if (gone.size === 0) return { names: there, gone, notes: [] };
  const named = [...gone.values()];
  if (there.every((name) => name === "")) {
    throw new Refusal({
      what: `read "${spec.from}"`,
      must: "files that it names must be there",
      found: `none of ${named.length} is, as "${named[0]}"`,
      hint: `write their paths as they lead from ${root}`,
    });
  }
  const listing = named.slice(0, 3).map((name) => `"${name}"`).join(", ") + (named.length > 3 ? ", ..." : "");
  const count = `${named.length} of ${names.length} samples lack "${spec.from}"`;
  return { names: there, gone, notes: [`${count}, as no file is where their cells say: ${listing}`] };
}

/** Media that are decoded when a batch asks for them. */
export interface Undecoded {
  readonly form: MediaForm;
  readonly names: readonly string[];
  readonly root: string;
}

/**
 * Turns files and texts into the inputs of a modality.
 *
 * @param given Paths within the folder, or the texts themselves; "" where a sample has none.
 * @param skip Whether broken files are gathered instead of refused.
 * @param held Says whether values of so many bytes are held; if not, they are looked at and read again by index.
 * @throws {Refusal} If a file is broken or lies outside the folder, or none is there.
 */
export async function mediaOf(
  spec: FilesModality,
  given: readonly string[],
  root: string,
  skip: boolean,
  held: (bytes: number) => boolean,
): Promise<MediaValues & { readonly undecoded?: Undecoded }> {
  if (spec.kind === "text") return { ...textValues(spec, given), broken: [] };
  const there = await thereOf(spec, given, root);
  const { form, broken: unheard, notes } = await formOf(spec, there.names, root, skip);
  const shape = shapeOfForm(form);
  const width = sizeOf(shape);
  const about = aboutForm(spec.from, form);
  const without = new Set(unheard.map(({ sample }) => sample));
  const names = there.names.map((name, n) => without.has(n) ? "" : name);
  const read = mediaReader(form, root);
  const whole = held(4 * width * names.length);
  const data = new Float32Array(whole ? names.length * width : 0);
  const { made, broken } = await each(names, skip, async (name, n) => {
    const values = await read(name);
    if (values === null) return null;
    if (whole) data.set(values, n * width);
    return true;
  });
  return {
    data,
    present: presentOf(made),
    broken: [...unheard, ...broken].sort((a, b) => a.sample - b.sample),
    info: {
      shape,
      dtype: "float32",
      about: whole ? about : `${about}; decoded by batch`,
      ...heldInfo(holdsOf(form), shape),
    },
    gone: there.gone,
    notes: [...there.notes, ...notes],
    ...form.kind === "sound" ? { rate: form.rate } : {},
    ...whole ? {} : { undecoded: { form, names, root } },
  };
}
