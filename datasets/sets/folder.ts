/**
 * The folder in which somebody has a set: names and lists, never from outside of it.
 *
 * @module
 */
import { isAbsolute, join, normalize, relative } from "node:path";
import type { SetFolder, SetRow } from "../../core/kinds/mod.ts";
import { Refusal } from "../../core/refusal.ts";
import { decoded, refuser, rowsOfText } from "../../formats/csv.ts";
import type { ArrayHead } from "../../formats/mod.ts";
import { bytesOfFile } from "../files/media_files.ts";
import { DataFiles, parseReference } from "../files/refs.ts";

/** A folder that remembers which folders of media were asked for. */
export interface OpenSetFolder extends SetFolder {
  /** Names in each folder of media that was asked for. */
  readonly seen: ReadonlyMap<string, ReadonlyMap<string, boolean>>;
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory;
  } catch (error) {
    // A link that leads nowhere is no folder; who reads it is told.
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Names in a folder; empty where there is none. @throws {Refusal} If it lies outside of the root. */
async function namesIn(root: string, folder: string): Promise<Map<string, boolean>> {
  const refuse = (found: string) =>
    new Refusal({ what: `look into "${folder}"`, must: "it must lie in the folder of the set", found });
  if (isAbsolute(folder) || normalize(folder).split(/[\\/]/)[0] === "..") throw refuse("its path leads out of it");
  const path = join(root, folder);
  const names: [string, boolean][] = [];
  try {
    const real = relative(await Deno.realPath(root), await Deno.realPath(path));
    if (real.split(/[\\/]/)[0] === ".." || isAbsolute(real)) throw refuse("it is a link out of it");
    for await (const { name, isDirectory: folder, isSymlink } of Deno.readDir(path)) {
      if (!name.startsWith(".")) names.push([name, isSymlink ? await isDirectory(join(path, name)) : folder]);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory)) throw error;
  }
  return new Map(names.sort(([a], [b]) => a < b ? -1 : 1));
}

const firstLine = (error: unknown) => String((error as Error).message).replace(/ \(os error \d+\).*/s, "").slice(0, 80);

/** Opens the folder of a set. @throws {Refusal} If there is none. */
export async function openSetFolder(path: string): Promise<OpenSetFolder> {
  const found = await Deno.stat(path).then(
    ({ isDirectory }) => isDirectory ? "" : "it is a file",
    // Whatever the operating system says of a path: none of it is a folder that can be read.
    (error) => error instanceof Deno.errors.NotFound ? "nothing is there" : firstLine(error),
  );
  if (found !== "") throw new Refusal({ what: `read "${path}"`, must: "it must be a folder", found });
  const known = new Map<string, Promise<ReadonlyMap<string, boolean>>>();
  const seen = new Map<string, ReadonlyMap<string, boolean>>();
  const entries = (folder: string) => {
    let names = known.get(folder);
    if (names === undefined) known.set(folder, names = namesIn(path, folder));
    return names;
  };
  /** Whether the file of a reference is there. */
  const holds = async (reference: string) => {
    const { file } = parseReference(reference);
    const at = file.lastIndexOf("/");
    return (await entries(file.slice(0, Math.max(0, at)))).get(file.slice(at + 1)) === false;
  };
  /** Looks at an array; its file is closed afterwards. `null` where there is none. */
  const withArray = async <T>(reference: string, look: (head: ArrayHead, files: DataFiles) => Promise<T>) => {
    if (!await holds(reference)) return null;
    const { file, array } = parseReference(reference);
    const files = new DataFiles(path);
    try {
      const { heads } = await files.file(file);
      const head = heads.get(array ?? [...heads.keys()][0]);
      return head === undefined ? null : await look(head, files);
    } finally {
      await files.close();
    }
  };
  return {
    path,
    seen,
    entries,
    async media(folder, own) {
      const names = await entries(folder);
      if (!seen.has(folder)) {
        seen.set(folder, own === undefined ? names : new Map([...names].filter(([name]) => own(name))));
      }
      return names;
    },
    array: (reference) => withArray(reference, (_, files) => files.read(reference)),
    shape: (reference) => withArray(reference, ({ shape }) => Promise.resolve(shape)),
    async rows(file) {
      if (!await holds(file)) return null;
      const text = decoded(await bytesOfFile(path, file), refuser(file));
      return rowsOfText(text, file);
    },
  };
}

/**
 * The first of some lists that is there.
 *
 * @throws {Refusal} If none is.
 */
export async function listOf(
  folder: SetFolder,
  files: readonly string[],
): Promise<{ readonly file: string; readonly rows: readonly SetRow[] }> {
  for (const file of files) {
    const rows = await folder.rows(file);
    if (rows !== null) return { file, rows };
  }
  throw new Refusal({
    what: `read "${folder.path}"`,
    must: `it must hold the list ${files.join(" or ")}`,
    found: `it holds ${[...(await folder.entries("")).keys()].slice(0, 10).join(", ") || "nothing"}`,
  });
}

/** Makes the refusal of a row. */
export function rowRefusal(file: string, { line }: SetRow, must: string, found: string): Refusal {
  return new Refusal({ what: `read line ${line} of "${file}"`, must, found });
}

/**
 * The name of a sample's files.
 *
 * @throws {Refusal} If it would lead to another folder.
 */
export function idOf(file: string, row: SetRow, text: string): string {
  if (text !== "" && text !== "." && text !== ".." && !/[\\/\0]/.test(text)) return text;
  throw rowRefusal(file, row, "its first cell must name a file, and no path", `found ${JSON.stringify(text)}`);
}

/**
 * The file or folder of a sample: the first of some endings that is there, "" if none is.
 *
 * @param endings `""` for a folder.
 */
export function fileOf(
  folder: string,
  names: ReadonlyMap<string, boolean>,
  id: string,
  endings: readonly string[],
): string {
  const ending = endings.find((own) => names.get(id + own) === (own === ""));
  return ending === undefined ? "" : `${folder}/${id}${ending}`;
}
