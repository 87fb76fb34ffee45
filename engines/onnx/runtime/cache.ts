/**
 * Optimised models on disk, found by their content.
 *
 * The key is a hash of the model that is to run, of the runtime's version and of its settings, so an entry is never out of
 * date.
 *
 * @module
 */
import { join } from "node:path";
import { askedCacheFolder } from "../../../formats/cache_folder.ts";
import { FileCache } from "../../../formats/file_cache.ts";

/** Bytes that all entries of a folder may have together, unless said otherwise. */
const DEFAULT_BYTES = 256 * 2 ** 20;

/** A folder of optimised models. */
export class GraphCache extends FileCache {
  /** @param folder Absolute or relative path; made when the first entry is written. */
  constructor(folder: string, maxBytes: number = DEFAULT_BYTES) {
    super(folder, ".graph", maxBytes);
  }
}

/** The folder of compiled graphs that the environment asks for, or `null`. */
export function askedGraphFolder(): string | null {
  const base = askedCacheFolder();
  return base === null ? null : join(base, "graphs");
}
