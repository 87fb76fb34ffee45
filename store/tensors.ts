/**
 * Files of tensors in run folders: checkpoints, models and predictions, each with a digest of its own bytes.
 *
 * The digest (SHA-256, in hexadecimal) stands in the file's metadata; it is that of the whole file with zeros in its place.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { NamedHostTensors } from "../core/program.ts";
import { Refusal } from "../core/refusal.ts";
import { decodeSafetensors, encodeSafetensors, type Safetensors } from "../formats/safetensors.ts";
import { readBytes, StoreError, writeAtomic } from "./files.ts";

/** Format of files that carry a digest: without one, such a file is damaged. */
export const SEALED = "2";

const ZEROS = "0".repeat(64);
const FIELD = '"digest":"';

/** Where the digest's digits begin in a file that has one. */
function digestAt(bytes: Uint8Array): number {
  const header = 8 + Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  // Texts of other metadata hold no such field, as their quotation marks are escaped.
  return new TextDecoder("latin1").decode(bytes.subarray(0, header)).indexOf(FIELD) + FIELD.length;
}

function sha256(chunks: readonly Uint8Array[]): string {
  const hash = createHash("sha256");
  for (const chunk of chunks) hash.update(chunk);
  return hash.digest("hex");
}

/** Replaces a file by tensors with their digest, atomically. @throws {StoreError} If it cannot be written. */
export async function writeSafetensors(
  path: string,
  tensors: NamedHostTensors,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const chunks = encodeSafetensors(tensors, { ...metadata, digest: ZEROS });
  new TextEncoder().encodeInto(sha256(chunks), chunks[0].subarray(digestAt(chunks[0])));
  await writeAtomic(path, chunks);
}

/** What is said of a file that cannot be read. */
export interface TensorFileWords {
  /** What it is: `checkpoint`. */
  readonly what: string;
  /** How to mend it. */
  readonly hint: string;
}

/**
 * Reads a file of tensors that a run wrote, and compares its digest.
 *
 * @returns `null` if there is no such file.
 * @throws {StoreError} If it is damaged or cannot be read.
 */
export async function readSafetensors(
  path: string,
  { what, hint }: TensorFileWords = {
    what: "checkpoint",
    hint: "the file is damaged: put a whole copy in its place, or remove it to start anew",
  },
): Promise<Safetensors | null> {
  const bytes = await readBytes(path, Number.MAX_SAFE_INTEGER);
  if (bytes === null) return null;
  const damaged = (must: string | undefined, found: string | undefined, cause?: unknown) =>
    new StoreError("corrupt", path, { what: `read ${what} "${path}"`, must, found, hint }, { cause });
  let stored: Safetensors;
  try {
    stored = await decodeSafetensors(bytes, path);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw damaged(error.must, error.found, error);
  }
  const { digest, format } = stored.metadata;
  if (digest === undefined) {
    if (format !== SEALED) return stored;
    throw damaged("it must say its digest", "it does not");
  }
  const at = digestAt(bytes);
  bytes.fill(ZEROS.charCodeAt(0), at, at + ZEROS.length);
  const found = sha256([bytes]);
  if (found !== digest) {
    throw damaged(`its bytes must have the digest ${digest.slice(0, 16)}…`, `found ${found.slice(0, 16)}…`);
  }
  return stored;
}
