/**
 * Files of tensors in run folders: checkpoints and models.
 *
 * @module
 */
import type { NamedHostTensors } from "../core/program.ts";
import { Refusal } from "../core/refusal.ts";
import { decodeSafetensors, encodeSafetensors, type Safetensors } from "../formats/safetensors.ts";
import { readBytes, StoreError, writeAtomic } from "./files.ts";

/** Replaces a file by tensors, atomically. @throws {StoreError} If it cannot be written. */
export async function writeSafetensors(
  path: string,
  tensors: NamedHostTensors,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  await writeAtomic(path, encodeSafetensors(tensors, metadata));
}

/**
 * Reads a file of tensors that a run wrote.
 *
 * @returns `null` if there is no such file.
 * @throws {StoreError} If it is damaged or cannot be read.
 */
export async function readSafetensors(path: string): Promise<Safetensors | null> {
  const bytes = await readBytes(path, Number.MAX_SAFE_INTEGER);
  if (bytes === null) return null;
  try {
    return await decodeSafetensors(bytes, path);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new StoreError("corrupt", path, {
      what: `read checkpoint "${path}"`,
      must: error.must,
      found: error.found,
      hint: "the file is damaged: put a whole copy in its place, or remove it to start anew",
    }, { cause: error });
  }
}
