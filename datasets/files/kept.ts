/**
 * What was found out by reading whole arrays, kept so that the next command need not read them again.
 *
 * What is found by the values themselves has their digests in its key and cannot be out of date. That a file still holds
 * the values that were read is taken from its place, size and times, and from some of its rows.
 *
 * @module
 */
import { join } from "node:path";
import { createHash } from "node:crypto";
import { canonicalJson } from "../../core/canonical.ts";
import { askedCacheFolder } from "../../formats/cache_folder.ts";
import { FileCache } from "../../formats/file_cache.ts";

/** Bytes that all entries may have together: some 33 a sample and array. */
const MOST_BYTES = 2 ** 30;
/** What is kept has this form: another one is another key. */
const FORM = 1;
/** A file that changed so short a time before it was read may have changed again without another time, in milliseconds. */
const SETTLED_MS = 2000;

/** Folders that a warning was given about. */
const warned: Set<string> = new Set();

/** SHA-256 (hex) of some bytes one behind the other. */
export function digestOf(parts: Iterable<Uint8Array>): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}

/** The folder that the environment asks for, or `null` where nothing is to be kept. */
function keptFolder(): FileCache | null {
  const base = askedCacheFolder();
  return base === null ? null : new FileCache(join(base, "arrays"), ".kept", MOST_BYTES);
}

/**
 * What was made and kept before, or is made now.
 *
 * @param about All that decides it.
 * @param fits Whether what was kept is taken. @default {it is}
 * @param lasting Whether it may be kept, once it is made. @default {it may}
 */
export async function kept(
  about: unknown,
  make: () => Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>>,
  { fits = () => true, lasting = () => Promise.resolve(true) }: {
    readonly fits?: (bytes: Uint8Array<ArrayBuffer>) => boolean;
    readonly lasting?: () => Promise<boolean>;
  } = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const cache = keptFolder();
  const key = digestOf([new TextEncoder().encode(canonicalJson([FORM, about]))]);
  const old = await cache?.get(key) ?? null;
  if (old !== null && fits(old)) return old;
  const made = await make();
  if (cache !== null && await lasting()) await cache.put(key, made).catch((error) => warn(cache.folder, error));
  return made;
}

/** What cannot be kept costs time at the next command, but nothing else: one warning is enough. */
function warn(folder: string, error: unknown): void {
  if (warned.has(folder)) return;
  warned.add(folder);
  console.warn(`Cannot keep what was found in arrays in ${folder}: ${error instanceof Error ? error.message : error}`);
}

/** What says that a file is the same: plain data. */
export interface FileIdentity {
  readonly path: string;
  readonly size: number;
  readonly device: number;
  readonly inode: number | null;
  /** Milliseconds of the last change of its content, and of anything about it. */
  readonly changed: readonly (number | null)[];
}

/** Which file stands at a path. */
export async function identityOf(path: string): Promise<FileIdentity> {
  const real = await Deno.realPath(path);
  const { size, dev, ino, mtime, ctime } = await Deno.stat(real);
  return {
    path: real,
    size,
    device: dev,
    inode: ino,
    changed: [mtime, ctime].map((time) => time?.getTime() ?? null),
  };
}

/** Whether a file is as it was when it began to be read, and had not been changed just before. */
export async function unchanged(before: FileIdentity, began: number): Promise<boolean> {
  const settled = before.changed.every((time) => time !== null && time < began - SETTLED_MS);
  return settled && canonicalJson(await identityOf(before.path)) === canonicalJson(before);
}
