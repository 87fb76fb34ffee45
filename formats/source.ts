/**
 * Where bytes are read from: memory or a file, a piece at a time.
 *
 * @module
 */
import { forbidden } from "../core/forbidden.ts";
import { Refusal } from "../core/refusal.ts";

/** Bytes that are read in pieces. */
export interface ByteSource {
  /** Bytes in all. */
  readonly size: number;
  /**
   * A copy of the bytes `from` to `to`, which must lie within.
   *
   * @throws {Refusal} If the file has become shorter since.
   */
  read(from: number, to: number): Promise<Uint8Array<ArrayBuffer>>;
  /** The same at once, for rows of a batch: waiting would cost more than reading. @throws {Refusal} As `read`. */
  readNow(from: number, to: number): Uint8Array<ArrayBuffer>;
  /** Closes what is open. */
  close(): void;
}

/** Bytes in memory. */
export function bytesSource(bytes: Uint8Array): ByteSource {
  return {
    size: bytes.length,
    // deno-lint-ignore require-await
    read: async (from, to) => bytes.slice(from, to),
    readNow: (from, to) => bytes.slice(from, to),
    close: () => {},
  };
}

/** What cannot be opened, by what the operating system says. */
function openingRefusal(path: string, error: unknown): unknown {
  const refuse = (must: string, found: string, hint?: string) =>
    new Refusal({ what: `read "${path}"`, must, found, hint }, { cause: error });
  if (error instanceof Deno.errors.NotFound) return refuse("it must exist", "nothing is there", "check the path");
  if (error instanceof Deno.errors.NotADirectory) {
    return refuse("every part of its path must be a folder", "one is a file", "check the path");
  }
  if (error instanceof Deno.errors.NotCapable) {
    return new Refusal(forbidden(`read "${path}"`, error), { cause: error });
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return refuse("this user must be allowed to", "it is not permitted", "change its mode or owner");
  }
  if (error instanceof Deno.errors.FilesystemLoop) {
    return refuse("its symbolic links must lead somewhere", "they go round in circles", "remove them");
  }
  if (error instanceof Error && (error as { code?: unknown }).code === "ENAMETOOLONG") {
    return refuse("its path must be one that the file system takes", "it is too long");
  }
  return error;
}

/** What a path leads to. @throws {Refusal} If nothing is there or it cannot be looked at. */
export async function statOf(path: string): Promise<Deno.FileInfo> {
  if (path.includes("\0")) {
    throw new Refusal({
      what: "read a path",
      must: "it must hold no zero byte",
      found: `found ${JSON.stringify(path)}`,
    });
  }
  try {
    return await Deno.stat(path);
  } catch (error) {
    throw openingRefusal(path, error);
  }
}

/**
 * A file, opened.
 *
 * @throws {Refusal} If there is none, it is no regular file, or it cannot be read.
 */
export async function fileSource(path: string): Promise<ByteSource> {
  const { isFile, isDirectory, size } = await statOf(path);
  // A pipe would keep its reader waiting for ever.
  if (!isFile) {
    throw new Refusal({
      what: `read "${path}"`,
      must: "it must be a file",
      found: isDirectory ? "found a folder" : "found a pipe or a device",
    });
  }
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path, { read: true });
  } catch (error) {
    throw openingRefusal(path, error);
  }
  const readNow = (from: number, to: number): Uint8Array<ArrayBuffer> => {
    const bytes = new Uint8Array(to - from);
    // Place and bytes at once: another read in between would move the place.
    file.seekSync(from, Deno.SeekMode.Start);
    for (let filled = 0; filled < bytes.length;) {
      const count = file.readSync(bytes.subarray(filled));
      if (count === null) {
        throw new Refusal({
          what: `read "${path}"`,
          must: "it must keep its size while it is read",
          found: `it ends at byte ${from + filled} of ${size}`,
        });
      }
      filled += count;
    }
    return bytes;
  };
  // deno-lint-ignore require-await
  return { size, read: async (from, to) => readNow(from, to), readNow, close: () => file.close() };
}
