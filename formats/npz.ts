/**
 * NumPy's archive of arrays, `.npz`: a zip of `.npy` files, stored or deflated.
 *
 * @module
 */
import { Refusal } from "../core/refusal.ts";
import { type ArrayFile, type ArrayHead, checkHeld, headOf, MAX_HELD_BYTES } from "./arrays.ts";
import type { ForeignArray } from "./elements.ts";
import { NPY_HEAD_BYTES, type NpyHead, npyHead, npyValues } from "./npy.ts";
import { type ByteSource, bytesSource } from "./source.ts";
import { zipBytes, zipEntries, type ZipEntry, zipHead } from "./zip.ts";

/** What other zip archives are, by an entry that gives them away. */
const others: readonly (readonly [RegExp, string, string])[] = [
  [
    /(^|\/)data\.pkl$/,
    "it is a PyTorch file (torch.save)",
    "save tensors by safetensors.torch.save_file, or numpy.savez of tensor.numpy()",
  ],
  [
    /^\[Content_Types\]\.xml$/,
    "it is an Office document",
    "save arrays by numpy.savez, or a table for a dataset as CSV",
  ],
  [/^(META-INF\/|mimetype$)/, "it is a document or a program", "save arrays by numpy.savez"],
  [/\.keras$|^model\.weights\.h5$/, "it is a Keras model", "save arrays by numpy.savez"],
];

/** Files that archivers add and that hold nothing. */
const litter = /^__MACOSX\/|(^|\/)(\._[^/]*|\.DS_Store|Thumbs\.db)$/;

/** Names of arrays by entry: without `.npy`, and without the one folder that all may lie in. */
function namesOf(entries: readonly ZipEntry[], what: string): string[] {
  const refuse = (found: string, hint: string) =>
    new Refusal({ what: `read ${what}`, must: "it must hold .npy files alone", found, hint });
  const folders = new Set(entries.map(({ name }) => name.slice(0, name.lastIndexOf("/") + 1)));
  const drop = folders.size === 1 ? [...folders][0].length : 0;
  return entries.map(({ name }) => {
    if (!name.endsWith(".npy")) {
      for (const [pattern, found, hint] of others) {
        if (entries.some((entry) => pattern.test(entry.name))) throw refuse(found, hint);
      }
      throw refuse(`entry ${JSON.stringify(name)} is none`, "save arrays by numpy.savez");
    }
    return name.slice(drop, -".npy".length);
  });
}

/**
 * Opens an archive: reads its directory and the heads of its arrays.
 *
 * @param path For messages.
 * @param most Most bytes that its arrays may take in memory.
 * @throws {Refusal} If it is none, is damaged, or too large.
 */
export async function openNpz(source: ByteSource, path: string, most: number = MAX_HELD_BYTES): Promise<ArrayFile> {
  const what = `"${path}"`;
  const entries = (await zipEntries(source, what)).filter(({ name }) => !litter.test(name));
  const names = namesOf(entries, what);
  const heads = new Map<string, ArrayHead & { readonly npy: NpyHead; readonly entry: ZipEntry }>();
  for (const [k, entry] of entries.entries()) {
    const own = `"${names[k]}" of ${what}`;
    const npy = npyHead(await zipHead(source, entry, NPY_HEAD_BYTES, what), entry.size, own);
    heads.set(names[k], { name: names[k], shape: npy.shape, type: npy.type, held: npy.held, what: own, npy, entry });
  }
  checkHeld(path, heads.values(), most);
  return {
    path,
    heads,
    async read(name) {
      headOf(path, heads, name);
      const { entry, npy, what: own } = heads.get(name)!;
      const bytes = await zipBytes(source, entry, what);
      // Values of four and eight bytes must begin at such a place of their own memory: a copy does.
      return npyValues(npy, bytes.slice(npy.start), own);
    },
    close: () => source.close(),
  };
}

/**
 * Reads an archive from memory.
 *
 * @returns Arrays by name, without the ending `.npy`.
 * @throws {Refusal} As `openNpz`.
 */
export async function decodeNpz(bytes: Uint8Array, path: string): Promise<Map<string, ForeignArray>> {
  const file = await openNpz(bytesSource(bytes), path);
  const arrays = new Map<string, ForeignArray>();
  for (const name of file.heads.keys()) arrays.set(name, await file.read(name));
  return arrays;
}
