/**
 * Zip archives: their directory first, entries on demand, never more bytes than an entry says it has.
 *
 * @see https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 * @module
 */
import { crc32 } from "node:zlib";
import { Refusal } from "../core/refusal.ts";
import type { ByteSource } from "./source.ts";

/** One file in an archive. */
export interface ZipEntry {
  readonly name: string;
  /** How it is compressed: 0 not at all, 8 deflate. */
  readonly method: number;
  /** Bytes in the archive. */
  readonly stored: number;
  /** Bytes it becomes. */
  readonly size: number;
  readonly crc: number;
  /** Where its local head begins. */
  readonly at: number;
}

/** Most entries of one archive. */
const MAX_ENTRIES = 100_000;
/** The end record and the longest comment behind it. */
const MAX_END = 22 + 0xffff;
const again = "save or copy it again";

function refuser(what: string): (found: string, hint?: string) => Refusal {
  return (found, hint = again) =>
    new Refusal({ what: `read ${what}`, must: "it must be a whole zip archive", found, hint });
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A 64-bit number; one beyond 2^53 is no place in a file and fails every check of bounds. */
function long(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, true));
}

/** Place, length and number of entries of the directory. */
async function findDirectory(source: ByteSource, what: string): Promise<{ at: number; length: number; count: number }> {
  const refuse = refuser(what);
  const from = Math.max(0, source.size - MAX_END);
  const tail = viewOf(await source.read(from, source.size));
  // The end record is the last thing in the file, but for a comment.
  let end = tail.byteLength - 22;
  while (end >= 0 && tail.getUint32(end, true) !== 0x06054b50) end--;
  if (end < 0) throw refuse("it has no directory at its end");
  let count = tail.getUint16(end + 10, true);
  let length = tail.getUint32(end + 12, true);
  let at = tail.getUint32(end + 16, true);
  if ((at === 0xffffffff || length === 0xffffffff || count === 0xffff) && end >= 20) {
    const locator = end - 20;
    if (tail.getUint32(locator, true) !== 0x07064b50) throw refuse("its directory is damaged");
    const place = long(tail, locator + 8);
    if (place + 56 > source.size) throw refuse("its directory is damaged");
    const record = viewOf(await source.read(place, place + 56));
    if (record.getUint32(0, true) !== 0x06064b50) throw refuse("its directory is damaged");
    [count, length, at] = [long(record, 32), long(record, 40), long(record, 48)];
  }
  if (at + length > source.size) throw refuse("its directory is damaged");
  if (count > MAX_ENTRIES) throw refuse(`it says it has ${count} entries`, `save at most ${MAX_ENTRIES}`);
  return { at, length, count };
}

/**
 * Files of an archive, folders left out.
 *
 * @throws {Refusal} If the directory is damaged, or an entry is encrypted or compressed in a way that is not read.
 */
export async function zipEntries(source: ByteSource, what: string): Promise<ZipEntry[]> {
  const refuse = refuser(what);
  const { at, length, count } = await findDirectory(source, what);
  const bytes = await source.read(at, at + length);
  const view = viewOf(bytes);
  const entries: ZipEntry[] = [];
  const names = new Set<string>();
  let place = 0;
  for (let k = 0; k < count; k++) {
    if (place + 46 > length || view.getUint32(place, true) !== 0x02014b50) throw refuse("its directory is damaged");
    const nameEnd = place + 46 + view.getUint16(place + 28, true);
    const extraEnd = nameEnd + view.getUint16(place + 30, true);
    const next = extraEnd + view.getUint16(place + 32, true);
    if (next > length) throw refuse("its directory is damaged");
    const name = new TextDecoder().decode(bytes.subarray(place + 46, nameEnd));
    const sizes = sizesOf(view, place, nameEnd, extraEnd);
    if (sizes === null) throw refuse("its directory is damaged");
    const method = view.getUint16(place + 10, true);
    const flags = view.getUint16(place + 8, true);
    const crc = view.getUint32(place + 16, true);
    place = next;
    if (name.endsWith("/")) continue;
    const text = JSON.stringify(name);
    if (flags & 1) throw refuse(`entry ${text} is encrypted`, "save it without a password");
    if (method !== 0 && method !== 8) {
      throw refuse(`entry ${text} is compressed by method ${method}`, "save it stored or deflated");
    }
    if (names.has(name)) throw refuse(`it has two entries ${text}`, "save each array once");
    names.add(name);
    if (sizes.at + 30 + sizes.stored > source.size) throw refuse(`entry ${text} is cut off`);
    if (method === 0 && sizes.stored !== sizes.size) throw refuse(`entry ${text} has two sizes`);
    entries.push({ name, method, crc, ...sizes });
  }
  return entries;
}

/** Sizes and place of an entry; those of 4 GiB and more stand in an extra field. */
function sizesOf(
  view: DataView,
  place: number,
  extra: number,
  end: number,
): Pick<ZipEntry, "stored" | "size" | "at"> | null {
  let [stored, size, at] = [20, 24, 42].map((field) => view.getUint32(place + field, true));
  if (stored !== 0xffffffff && size !== 0xffffffff && at !== 0xffffffff) return { stored, size, at };
  for (let field = extra; field + 4 <= end;) {
    const length = view.getUint16(field + 2, true);
    if (view.getUint16(field, true) === 1) {
      let value = field + 4;
      const take = (given: number) => {
        if (given !== 0xffffffff) return given;
        value += 8;
        return value > field + 4 + length || value > end ? NaN : long(view, value - 8);
      };
      [size, stored, at] = [take(size), take(stored), take(at)];
      return [stored, size, at].every(Number.isSafeInteger) ? { stored, size, at } : null;
    }
    field += 4 + length;
  }
  return null;
}

/** Where an entry's bytes begin: behind its own head, whose length the directory does not know. */
async function dataStart(source: ByteSource, entry: ZipEntry, what: string): Promise<number> {
  const head = viewOf(await source.read(entry.at, entry.at + 30));
  const start = entry.at + 30 + head.getUint16(26, true) + head.getUint16(28, true);
  if (head.getUint32(0, true) !== 0x04034b50 || start + entry.stored > source.size) {
    throw refuser(what)(`the head of entry ${JSON.stringify(entry.name)} is damaged`);
  }
  return start;
}

/** Bytes of compressed data that are inflated at once: at most 1,032 times as many come out. */
const PIECE = 16 * 1024;

/**
 * The first bytes of an entry, or all of them; those that come behind are neither inflated nor held.
 *
 * @throws {Refusal} If compressed bytes are damaged, or it is longer or shorter than it says.
 */
async function inflated(
  source: ByteSource,
  entry: ZipEntry,
  count: number,
  what: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const refuse = refuser(what);
  const start = await dataStart(source, entry, what);
  if (entry.method === 0) return await source.read(start, start + count);
  const text = JSON.stringify(entry.name);
  let at = start;
  const end = start + entry.stored;
  const pieces = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      if (at >= end) return controller.close();
      const next = Math.min(end, at + PIECE);
      controller.enqueue(await source.read(at, next));
      at = next;
    },
  }, { highWaterMark: 0 });
  const reader = pieces.pipeThrough(new DecompressionStream("deflate-raw")).getReader();
  const result = new Uint8Array(count);
  let filled = 0;
  try {
    while (true) {
      const { done, value } = await reader.read();
      if (done) break;
      const room = count - filled;
      if (value.length > room && count === entry.size) {
        throw refuse(`entry ${text} holds more than the ${entry.size} bytes it says`);
      }
      result.set(value.length > room ? value.subarray(0, room) : value, filled);
      filled = Math.min(count, filled + value.length);
      if (filled === count && count < entry.size) break;
    }
  } catch (error) {
    if (error instanceof Refusal) throw error;
    if (!(error instanceof TypeError)) throw error;
    throw refuse(`the compressed bytes of entry ${text} are damaged`);
  } finally {
    await reader.cancel().catch(() => {
      // What was wrong has been said; a stream that failed cannot be cancelled again.
    });
  }
  if (filled !== count) throw refuse(`entry ${text} holds ${filled} of the ${entry.size} bytes it says`);
  return result;
}

/** The first `count` bytes of an entry, or all if there are fewer. @throws {Refusal} If it is damaged there. */
export function zipHead(
  source: ByteSource,
  entry: ZipEntry,
  count: number,
  what: string,
): Promise<Uint8Array<ArrayBuffer>> {
  return inflated(source, entry, Math.min(count, entry.size), what);
}

/** All bytes of an entry. @throws {Refusal} If it is damaged: its checksum is compared. */
export async function zipBytes(source: ByteSource, entry: ZipEntry, what: string): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await inflated(source, entry, entry.size, what);
  const crc = crc32(bytes);
  if (crc !== entry.crc) {
    const hex = (value: number) => value.toString(16).padStart(8, "0");
    throw refuser(what)(`entry ${JSON.stringify(entry.name)} has checksum ${hex(crc)} and must have ${hex(entry.crc)}`);
  }
  return bytes;
}
