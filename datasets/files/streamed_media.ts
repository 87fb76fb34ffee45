/**
 * Media that are decoded when a batch asks for them.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { twoFolders } from "./films.ts";
import { bytesOfFile, placeOf } from "./media_files.ts";
import { mediaReaderAgain, type MediaValues, type Undecoded } from "./media.ts";
import type { Values } from "./values.ts";

/** A digest of what a sample is made of: the bytes of its file, or of its folders' files one behind the other. */
async function digestOfFile(root: string, name: string): Promise<Uint8Array> {
  const hash = createHash("sha256");
  for (const place of twoFolders(name) ?? [name]) {
    const path = await placeOf(root, place);
    if (!(await Deno.stat(path)).isDirectory) {
      hash.update(await bytesOfFile(root, place));
      continue;
    }
    const files: string[] = [];
    for await (const { name: own, isFile } of Deno.readDir(path)) if (isFile) files.push(own);
    for (const own of files.sort()) hash.update(await bytesOfFile(root, `${place}/${own}`));
  }
  return hash.digest();
}

/** Values of files that have been looked at, to be read by index. */
export async function streamedMedia(values: MediaValues, undecoded: Undecoded): Promise<Values> {
  const { form, names, root } = undecoded;
  const digests = new Uint8Array(32 * names.length);
  for (const [n, name] of names.entries()) {
    if (values.present[n] === 1) digests.set(await digestOfFile(root, name), 32 * n);
  }
  const read = mediaReaderAgain(form, root);
  return {
    data: values.data,
    present: values.present,
    info: values.info,
    ...values.rate === undefined ? {} : { rate: values.rate },
    stream: { read: (n) => read(names[n]), digests, elsewhere: { media: { form, names, root } } },
  };
}
