/**
 * Features of frozen encoders on disk, found by what made them.
 *
 * An entry is a safetensors file with its digest, so that one that was cut off or changed does not count as present. It
 * appears by one rename; whoever makes one holds its lock, so that several workers that need the same one make it once.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { canonicalJson } from "../core/canonical.ts";
import { float32 } from "../core/program.ts";
import { askedCacheFolder, boundFolder } from "../formats/cache_folder.ts";
import { makeFolder, StoreError, storeErrorOf } from "../store/files.ts";
import { readSafetensors, writeSafetensors } from "../store/tensors.ts";
import type { FeatureRows } from "../training/mod.ts";

/** Bytes that all entries may have together. */
const MAX_BYTES = 4 * 2 ** 30;
const SUFFIX = ".safetensors";
const LOCK = ".lock";
const ENTRY = /^[0-9a-f]{64}\.safetensors$/;
const PARTS = ["train", "validation", "test", "blank"] as const;

/** A folder of features. */
export class FeatureStore {
  readonly #folder: string;
  readonly #maxBytes: number;

  constructor(folder: string, maxBytes: number = MAX_BYTES) {
    this.#folder = folder;
    this.#maxBytes = maxBytes;
  }

  /** The folder that the environment asks for, or `null` if nothing is to be kept. */
  static asked(): FeatureStore | null {
    const base = askedCacheFolder();
    return base === null ? null : new FeatureStore(join(base, "features"));
  }

  /** The name of features by all that decides them. */
  static key(made: unknown): string {
    return createHash("sha256").update(canonicalJson(made)).digest("hex");
  }

  #path(key: string): string {
    return join(this.#folder, key + SUFFIX);
  }

  /** Rows of a width, or `null` if there are none that are whole. */
  async get(key: string, width: number): Promise<FeatureRows | null> {
    const path = this.#path(key);
    try {
      const stored = await readSafetensors(path, { what: "kept features", hint: "remove the file" });
      if (stored === null) return null;
      if (PARTS.some((part) => stored.tensors[part]?.shape[1] !== width)) return null;
      const now = new Date();
      // What is used stays longest; where it cannot be marked it is as good.
      await Deno.utime(path, now, now).catch(() => {});
      return Object.fromEntries(PARTS.map((part) => [part, stored.tensors[part].data])) as unknown as FeatureRows;
    } catch (error) {
      if (error instanceof StoreError && error.code === "corrupt") return null;
      throw error;
    }
  }

  /** Keeps rows, and removes the longest unused entries beyond the bound. @returns Whether they fit under it. */
  async put(key: string, rows: FeatureRows, width: number): Promise<boolean> {
    if (PARTS.reduce((sum, part) => sum + rows[part].byteLength, 0) > this.#maxBytes) return false;
    const tensors = Object.fromEntries(
      PARTS.map((part) => [part, float32(rows[part], [rows[part].length / width, width])]),
    );
    await writeSafetensors(this.#path(key), tensors, { format: "2" });
    await boundFolder(this.#folder, (name) => ENTRY.test(name), this.#maxBytes);
    return true;
  }

  /**
   * Waits until nobody else makes the same entry, and keeps others waiting until it is given back.
   *
   * @throws {StoreError} If the folder cannot be written.
   */
  async alone(key: string): Promise<Disposable> {
    const path = join(this.#folder, key + LOCK);
    await makeFolder(this.#folder);
    try {
      const file = await Deno.open(path, { create: true, write: true });
      await file.lock(true);
      return file;
    } catch (error) {
      throw storeErrorOf(error, "lock", path);
    }
  }
}
