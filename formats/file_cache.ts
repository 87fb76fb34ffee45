/**
 * What is kept on disk between processes, found by a key that says all that decides it.
 *
 * An entry is a SHA-256 and the bytes that have it: one that was cut off or changed does not count as present. It appears
 * under its name by one rename, so processes share a folder without locks.
 *
 * @module
 */
import { join } from "node:path";
import { boundFolder, ignoreMissing } from "./cache_folder.ts";

const UNFINISHED = ".tmp";
const HASH_BYTES = 32;

/** What was found and made. */
export interface CacheStats {
  readonly hits: number;
  readonly misses: number;
}

async function digest(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

/** A folder of entries. */
export class FileCache {
  /** Absolute or relative path; made when the first entry is written. */
  readonly folder: string;
  readonly #suffix: string;
  readonly #maxBytes: number;
  #hits = 0;
  #misses = 0;

  /**
   * @param suffix What names of entries end with.
   * @param maxBytes Bytes that all entries may have together.
   */
  constructor(folder: string, suffix: string, maxBytes: number) {
    this.folder = folder;
    this.#suffix = suffix;
    this.#maxBytes = maxBytes;
  }

  stats(): CacheStats {
    return { hits: this.#hits, misses: this.#misses };
  }

  /** The key of what is made of some content under settings that change it. */
  async key(content: Uint8Array<ArrayBuffer>, settings: unknown): Promise<string> {
    const about = new TextEncoder().encode(JSON.stringify(settings));
    const joined = new Uint8Array(HASH_BYTES + about.length);
    joined.set(await digest(content));
    joined.set(about, HASH_BYTES);
    return (await digest(joined)).toHex();
  }

  #path(key: string): string {
    return join(this.folder, key + this.#suffix);
  }

  /** A file to write into before it becomes an entry; no other process uses it. */
  async temporary(): Promise<string> {
    await Deno.mkdir(this.folder, { recursive: true });
    return join(this.folder, crypto.randomUUID() + UNFINISHED);
  }

  /** The bytes of an entry, or `null` if there is none that is whole. */
  async get(key: string): Promise<Uint8Array<ArrayBuffer> | null> {
    const path = this.#path(key);
    let entry: Uint8Array<ArrayBuffer>;
    try {
      entry = await Deno.readFile(path);
    } catch (error) {
      const none = error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory;
      if (!none) throw error;
      this.#misses++;
      return null;
    }
    const body = entry.slice(HASH_BYTES);
    const [found, wanted] = [await digest(body), entry.subarray(0, HASH_BYTES)];
    if (entry.length <= HASH_BYTES || found.some((byte, i) => byte !== wanted[i])) {
      this.#misses++;
      return null;
    }
    this.#hits++;
    const now = new Date();
    // What is used stays longest. Where it cannot be marked, as it was removed meanwhile or the folder is read-only, it is
    // as good.
    await Deno.utime(path, now, now).catch(() => {});
    return body;
  }

  /** Adds an entry, and removes the longest unused ones beyond the size bound and what others left unfinished. */
  async put(key: string, body: Uint8Array<ArrayBuffer>): Promise<void> {
    const temporary = await this.temporary();
    const entry = new Uint8Array(HASH_BYTES + body.length);
    entry.set(await digest(body));
    entry.set(body, HASH_BYTES);
    try {
      await Deno.writeFile(temporary, entry);
      await Deno.rename(temporary, this.#path(key));
    } finally {
      await this.discard(temporary);
    }
    const isEntry = (name: string) => name.endsWith(this.#suffix);
    await boundFolder(this.folder, isEntry, this.#maxBytes, (name) => name.endsWith(UNFINISHED));
  }

  /** Removes a temporary file, if it is still there. */
  async discard(temporary: string): Promise<void> {
    await Deno.remove(temporary).catch(ignoreMissing);
  }
}
