/**
 * Folders of media: `class/sample.jpg`, `class/sample.wav`, `class/sample.mp4`, `class/sample.txt`, or `class/sample/` with
 * a file of each kind, or with the frames of a film, themselves or in folders; under folders of splits or not. Seen as a
 * table of paths and texts.
 *
 * @module
 */
import { join } from "node:path";
import { Refusal } from "../../core/refusal.ts";
import type { ArrayFile, ArrayHead } from "../../formats/mod.ts";
import { decoded, refuser } from "../../formats/csv.ts";
import { splitOf } from "./labels.ts";
import { bytesOfFile } from "./media_files.ts";
import { FILM, PICTURE, SOUND } from "./media_files.ts";

/** What references to this table begin with. */
export const FOLDERS = "@folders";

/** Columns of media, and what files are of each. */
const kinds: readonly (readonly [column: string, pattern: RegExp])[] = [
  ["image", PICTURE],
  ["audio", SOUND],
  ["film", FILM],
  ["text", /\.txt$/i],
];

interface Sample {
  readonly label: string;
  readonly split: string;
  readonly id: string;
  readonly files: Map<string, string>;
}

async function entriesOf(path: string): Promise<{ name: string; folder: boolean }[]> {
  const entries: { name: string; folder: boolean }[] = [];
  for await (const { name, isDirectory, isSymlink } of Deno.readDir(path)) {
    if (name.startsWith(".")) continue;
    entries.push({ name, folder: isSymlink ? (await Deno.stat(join(path, name))).isDirectory : isDirectory });
  }
  return entries.sort((a, b) => a.name < b.name ? -1 : 1);
}

const kindOf = (name: string) => kinds.find(([_, pattern]) => pattern.test(name))?.[0];

/** Adds a file to its sample. @throws {Refusal} If the sample has one of that kind. */
function add(samples: Map<string, Sample>, at: Omit<Sample, "files">, column: string, file: string): void {
  const key = `${at.split}/${at.id}`;
  let sample = samples.get(key);
  if (sample === undefined) samples.set(key, sample = { ...at, files: new Map() });
  const other = sample.files.get(column);
  if (other !== undefined) {
    throw new Refusal({
      what: `read sample "${at.id}"`,
      must: `it must have one file of ${column}`,
      found: `found "${other}" and "${file}"`,
      hint: "keep one of them, or put frames of a film into a folder of the sample",
    });
  }
  sample.files.set(column, file);
}

/** What a sample's own folder holds: a file of each kind; several pictures, or a folder of them, are a film. */
async function scanSample(root: string, path: string, at: Omit<Sample, "files">, samples: Map<string, Sample>) {
  const entries = await entriesOf(join(root, path));
  const pictures = entries.filter(({ name, folder }) => !folder && PICTURE.test(name)).length;
  if (pictures > 1) add(samples, at, "film", `${path}/`);
  for (const { name, folder } of entries) {
    if (folder) {
      const inner = await entriesOf(join(root, path, name));
      if (inner.some((own) => !own.folder && PICTURE.test(own.name))) add(samples, at, name, `${path}/${name}/`);
      continue;
    }
    const column = kindOf(name);
    if (column !== undefined && !(column === "image" && pictures > 1)) add(samples, at, column, `${path}/${name}`);
  }
}

/** Names of folders that are a modality's, where those of classes or samples should be. */
const modalityName =
  /^(images?|img|pictures?|photos?|rgb|depth|audios?|sounds?|wavs?|speech|videos?|films?|clips|frames|flow|texts?|captions?)$/i;

/** @throws {Refusal} If folders of modalities or splits stand where those of classes or samples should. */
function checkOrder(root: string, within: string, folders: readonly string[]): void {
  const refuse = (must: string, hint: string) =>
    new Refusal({
      what: `read "${join(root, within)}" as folders of media`,
      must,
      found: `found ${folders.slice(0, 5).join(", ")}`,
      hint,
    });
  if (folders.length < 2) return;
  if (folders.every((name) => modalityName.test(name))) {
    throw refuse(
      "the files of a sample must stand beside each other",
      "put them there (class/sample.jpg, class/sample.wav), or name them in a table with a column label",
    );
  }
  if (within !== "" && folders.every((name) => splitOf(name) !== null)) {
    throw refuse("folders of splits must stand above those of classes", "turn them around: train/class, test/class");
  }
}

/** Samples of one class. */
async function scanClass(root: string, folder: string, split: string, label: string, samples: Map<string, Sample>) {
  const deeper = (await entriesOf(join(root, folder))).filter((own) => own.folder).map(({ name }) => name);
  checkOrder(root, folder, deeper);
  for (const { name, folder: deeper } of await entriesOf(join(root, folder))) {
    const path = `${folder}/${name}`;
    if (deeper) {
      await scanSample(root, path, { label, split, id: `${label}/${name}` }, samples);
      continue;
    }
    const column = kindOf(name);
    if (column === undefined) continue;
    add(samples, { label, split, id: `${label}/${name.slice(0, name.lastIndexOf("."))}` }, column, path);
  }
}

/** All samples under a folder, by split and class, in alphabetic order. */
async function scan(root: string): Promise<Sample[]> {
  const samples = new Map<string, Sample>();
  const top = (await entriesOf(root)).filter(({ folder }) => folder);
  const split = top.length > 0 && top.every(({ name }) => splitOf(name) !== null);
  if (!split) checkOrder(root, "", top.map(({ name }) => name));
  for (const { name } of top) {
    if (!split) await scanClass(root, name, "", name, samples);
    else {
      const classes = (await entriesOf(join(root, name))).filter(({ folder }) => folder);
      checkOrder(root, name, classes.map((own) => own.name));
      for (const inner of classes) {
        await scanClass(root, `${name}/${inner.name}`, name, inner.name, samples);
      }
    }
  }
  return [...samples.values()];
}

/** Whether a folder holds media in folders of classes. */
export async function holdsMedia(root: string): Promise<boolean> {
  return (await scan(root)).length > 0;
}

/** Opens folders of media as a table: `label`, `id`, `split`, and columns of paths and texts. */
export async function openFolders(root: string): Promise<ArrayFile> {
  const samples = await scan(root);
  const columns = new Map<string, string[]>([
    ["label", samples.map(({ label }) => label)],
    ["id", samples.map(({ id, split }) => split === "" ? id : `${split}/${id}`)],
  ]);
  if (samples.some(({ split }) => split !== "")) columns.set("split", samples.map(({ split }) => split));
  const known = kinds.map(([column]) => column);
  const others = new Set(samples.flatMap(({ files }) => [...files.keys()]).filter((column) => !known.includes(column)));
  for (const column of [...known, ...[...others].sort()]) {
    if (!samples.some(({ files }) => files.has(column))) continue;
    const paths = samples.map(({ files }) => files.get(column) ?? "");
    const content = async (path: string) => {
      if (path === "") return "";
      return decoded(await bytesOfFile(root, path), refuser(path));
    };
    columns.set(column, column === "text" ? await Promise.all(paths.map(content)) : paths);
  }
  const heads = new Map<string, ArrayHead>();
  for (const name of columns.keys()) {
    heads.set(name, {
      name,
      shape: [samples.length],
      type: "text",
      held: 64 * samples.length,
      what: `"${name}" of the folders`,
    });
  }
  return {
    path: FOLDERS,
    heads,
    // deno-lint-ignore require-await
    read: async (name) => {
      const data = columns.get(name);
      if (data !== undefined) return { type: "text", shape: [data.length], data };
      throw new Refusal({
        what: `read "${FOLDERS}#${name}"`,
        must: "there must be such a column",
        found: `found ${[...columns.keys()].join(", ")}`,
      });
    },
    close: () => {},
  };
}
