/**
 * Lines of large files, read where they lie: no such file is in memory as a whole.
 *
 * @module
 */
import { openSync, StoreError, storeErrorOf } from "./files.ts";

/** Lines of an open file; the rest after the last line end is none. */
export interface Lines {
  readonly count: number;
  /** A line without its end. @throws {StoreError} If it is too long or cannot be read. */
  at(index: number): string;
}

/** Lines counted at most. */
const maxLines = 2_000_000;
/** Bytes of a line at most. */
const maxLineBytes = 4 * 1024 * 1024;

/**
 * Opens a file for the time of a function.
 *
 * @returns What the function returns; `null` if there is no file.
 * @throws {StoreError} If it is no regular file, is too large, has too many lines, or cannot be read.
 */
export function withLines<T>(path: string, maxBytes: number, run: (lines: Lines) => T): T | null {
  try {
    using file = openSync(path, maxBytes);
    if (file === null) return null;
    const ends = endsOf(file, path);
    return run({
      count: ends.length,
      at: (index) => read(file, path, index === 0 ? 0 : ends[index - 1], ends[index] - 1),
    });
  } catch (error) {
    throw storeErrorOf(error, "read", path);
  }
}

/** Places behind the line ends. */
function endsOf(file: Deno.FsFile, path: string): number[] {
  const ends: number[] = [];
  const chunk = new Uint8Array(1024 * 1024);
  let at = 0;
  for (let bytes = file.readSync(chunk); bytes !== null; bytes = file.readSync(chunk)) {
    for (let i = chunk.indexOf(0x0a); i !== -1 && i < bytes; i = chunk.indexOf(0x0a, i + 1)) ends.push(at + i + 1);
    at += bytes;
    if (ends.length > maxLines) {
      throw new StoreError("corrupt", path, { what: `read "${path}"`, must: `it must hold at most ${maxLines} lines` });
    }
  }
  return ends;
}

function read(file: Deno.FsFile, path: string, start: number, end: number): string {
  if (end - start > maxLineBytes) {
    const found = `found one of ${end - start}`;
    throw new StoreError("corrupt", path, {
      what: `read "${path}"`,
      must: `a line must hold at most ${maxLineBytes} bytes`,
      found,
    });
  }
  const bytes = new Uint8Array(end - start);
  file.seekSync(start, Deno.SeekMode.Start);
  let done = 0;
  while (done < bytes.length) {
    const more = file.readSync(bytes.subarray(done));
    // Cut off while it is read: what is missing shows as a damaged line.
    if (more === null) break;
    done += more;
  }
  return new TextDecoder().decode(bytes.subarray(0, done));
}
