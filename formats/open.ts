/**
 * Arrays that somebody else saved, whatever the format: what a file is, its first bytes say.
 *
 * @module
 */
import { join, parse } from "node:path";
import { Refusal } from "../core/refusal.ts";
import { type ArrayFile, type ArrayHead, checkHeld, headOf, MAX_HELD_BYTES } from "./arrays.ts";
import { sizeOf } from "../core/program.ts";
import { rowReader } from "./row_reader.ts";
import { isNpy, NPY_HEAD_BYTES, npyHead, npyValues } from "./npy.ts";
import { openNpz } from "./npz.ts";
import { openSafetensors } from "./safetensors.ts";
import { type ByteSource, fileSource, statOf } from "./source.ts";

/** Formats that hold arrays. */
export type ArrayFormat = "npy" | "zip" | "safetensors";

const numpy = "save arrays by numpy.savez";

/** A format that is not read: how it begins, what it is, what to do; FILE stands for the path. */
type Unread = readonly [string | readonly number[], string, string];

/** No library that reads MATLAB's files here has a licence that fits ours; SciPy reads versions 4 and 5. */
const matlab: Unread = [
  "MATLAB 5.0 MAT-file",
  "a MATLAB file",
  "convert it: python -c \"import numpy, scipy.io; numpy.savez('FILE.npz', **{k: v for k, v in " +
  "scipy.io.loadmat('FILE', squeeze_me=True).items() if k[0] != '_'})\"",
];

/** Formats that are not read. */
const unread: readonly Unread[] = [
  [[0x89, 0x48, 0x44, 0x46], "an HDF5 file", numpy],
  matlab,
  [
    "MATLAB 7.3 MAT-file",
    "a MATLAB file of version 7.3",
    "convert it: python -c \"import numpy, h5py; f = h5py.File('FILE'); numpy.savez('FILE.npz', " +
    "**{k: f[k][()].T for k in f if hasattr(f[k], 'shape')})\"",
  ],
  [[0x1f, 0x8b], "a gzip archive", "unpack it first"],
  ["BZh", "a bzip2 archive", "unpack it first"],
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a], "an xz archive", "unpack it first"],
  [[0x28, 0xb5, 0x2f, 0xfd], "a zstd archive", "unpack it first"],
  ["7z\xbc\xaf", "a 7z archive", "unpack it first"],
  ["Rar!", "a RAR archive", "unpack it first"],
  ["ARROW1", "an Arrow file (Feather)", "save arrays by numpy.savez, or a table for a dataset as CSV"],
  ["PAR1", "a Parquet table", numpy],
  ["SQLite format 3", "an SQLite database", numpy],
  ["version https://git-lfs", "a Git LFS pointer, not the file itself", "fetch it: git lfs pull"],
  ["<!DOCTYPE", "a web page, not the file itself", "download the file anew"],
  ["<html", "a web page, not the file itself", "download the file anew"],
  ["%PDF", "a PDF document", numpy],
];

function begins(bytes: Uint8Array, start: string | readonly number[]): boolean {
  const wanted = typeof start === "string" ? [...start].map((letter) => letter.charCodeAt(0)) : start;
  return wanted.every((byte, i) => bytes[i] === byte);
}

/** Python's serialised objects, protocols 2 to 5; PyTorch's old format and pandas' `to_pickle` among them. */
function isPickle(bytes: Uint8Array): boolean {
  return bytes[0] === 0x80 && bytes[1] >= 2 && bytes[1] <= 5;
}

/** A safetensors file begins with the length of a JSON object. */
function isSafetensors(bytes: Uint8Array): boolean {
  return bytes.length > 8 && bytes[8] === 0x7b;
}

/**
 * What a file holds.
 *
 * @param head Its first bytes.
 * @throws {Refusal} If it is of no format that holds arrays.
 */
export function arrayFormat(head: Uint8Array, path: string): ArrayFormat {
  const refuse = (found: string, hint: string) =>
    new Refusal({ what: `read "${path}"`, must: "it must be a .npy, .npz or .safetensors file", found, hint });
  if (head.length === 0) throw refuse("it is empty", "save or copy it again");
  if (isNpy(head)) return "npy";
  if (begins(head, "PK\x03\x04") || begins(head, "PK\x05\x06")) return "zip";
  for (const [start, what, hint] of unread) {
    if (begins(head, start)) throw refuse(`it is ${what}`, hint.replaceAll("FILE", path));
  }
  if (isPickle(head)) {
    throw refuse("it is a Python pickle (pandas, an old torch.save, or an array of objects)", numpy);
  }
  if (path.endsWith(".mat")) {
    throw refuse("it is a MATLAB file of version 4, or damaged", matlab[2].replaceAll("FILE", path));
  }
  if (path.endsWith(".tar")) throw refuse("it is a tar archive", "unpack it first");
  if (isSafetensors(head) || path.endsWith(".safetensors")) return "safetensors";
  // The name alone says what it was meant to be: the reader says what is damaged.
  if (path.endsWith(".npy")) return "npy";
  if (path.endsWith(".npz")) return "zip";
  throw refuse("it begins like none of them", numpy);
}

/** One `.npy` file as an array of the file's name. */
async function openNpy(source: ByteSource, path: string, most: number): Promise<ArrayFile> {
  const what = `"${path}"`;
  const npy = npyHead(await source.read(0, Math.min(source.size, NPY_HEAD_BYTES)), source.size, what);
  const { name } = parse(path);
  const heads = new Map<string, ArrayHead>([
    [name, { name, shape: npy.shape, type: npy.type, held: npy.held, what }],
  ]);
  checkHeld(path, heads.values(), most);
  return {
    path,
    heads,
    async read(wanted) {
      headOf(path, heads, wanted);
      return npyValues(npy, await source.read(npy.start, npy.start + npy.length), what);
    },
    rowsOf(wanted) {
      headOf(path, heads, wanted);
      const { type, columns, big, shape, start } = npy;
      if (type === "text" || columns || shape.length === 0) return null;
      return rowReader(source, { type, big, start, width: sizeOf(shape.slice(1)), what });
    },
    close: () => source.close(),
  };
}

/** Opens one file of arrays. @throws {Refusal} If it is none, is damaged, or too large. */
export async function openArrayFile(path: string, most: number = MAX_HELD_BYTES): Promise<ArrayFile> {
  const source = await fileSource(path);
  try {
    switch (arrayFormat(await source.read(0, Math.min(source.size, 32)), path)) {
      case "npy":
        return await openNpy(source, path, most);
      case "zip":
        return await openNpz(source, path, most);
      case "safetensors":
        return await openSafetensors(source, path, most);
    }
  } catch (error) {
    source.close();
    throw error;
  }
}

/** A folder of `.npy` files, an array each. */
async function openFolder(path: string, most: number): Promise<ArrayFile> {
  const names: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(path)) {
    if (!isDirectory && name.endsWith(".npy") && !name.startsWith("._")) names.push(name);
  }
  const files = new Map<string, ArrayFile>();
  const heads = new Map<string, ArrayHead>();
  const close = () => files.forEach((file) => file.close());
  const root = await Deno.realPath(path);
  try {
    for (const name of names.sort()) {
      const own = join(path, name);
      const real = (await statOf(own), await Deno.realPath(own));
      if (!real.startsWith(join(root, "/"))) {
        throw new Refusal({
          what: `read "${own}"`,
          must: "it must lie in the folder",
          found: "it is a link out of it",
          hint: "copy the file itself",
        });
      }
      const file = await openArrayFile(own, most);
      const key = name.slice(0, -".npy".length);
      files.set(key, file);
      const [head] = file.heads.values();
      if (file.heads.size !== 1 || !file.heads.has(key)) {
        throw new Refusal({ what: `read "${own}"`, must: "it must be a .npy array", found: "it is another format" });
      }
      heads.set(key, head);
    }
    checkHeld(path, heads.values(), most);
  } catch (error) {
    close();
    throw error;
  }
  return {
    path,
    heads,
    read(name) {
      headOf(path, heads, name);
      return files.get(name)!.read(name);
    },
    rowsOf(name) {
      headOf(path, heads, name);
      return files.get(name)!.rowsOf?.(name) ?? null;
    },
    close,
  };
}

/**
 * Opens a `.npz`, `.npy` or `.safetensors` file, or a folder of `.npy` files: heads are read, values wait.
 *
 * @param most Most bytes that all arrays may take in memory. @default {MAX_HELD_BYTES}
 * @throws {Refusal} If nothing is there, it is of another format, is damaged, or too large.
 */
export async function openArrays(path: string, most: number = MAX_HELD_BYTES): Promise<ArrayFile> {
  return (await statOf(path)).isDirectory ? await openFolder(path, most) : await openArrayFile(path, most);
}
