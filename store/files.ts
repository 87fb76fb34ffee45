/**
 * Files that a kill, a crash or a full disk cannot leave half written, and errors that say how to mend.
 *
 * @module
 */
import { constants } from "node:os";
import { basename, dirname, join } from "node:path";
import { forbidden } from "../core/forbidden.ts";
import { Refusal, type RefusalParts } from "../core/refusal.ts";

/** Why a file could not be read or written. */
export type StoreErrorCode =
  /** The disk or the quota is full. */
  | "no-space"
  /** The operating system or Deno's permissions forbid it. */
  | "not-permitted"
  /** The file system is mounted read-only. */
  | "read-only"
  /** A part of the path is a file where a folder must be. */
  | "not-a-folder"
  /** Nothing is there. */
  | "missing"
  /** What is there is not what must be there. */
  | "corrupt"
  /** Another process holds it. */
  | "locked"
  /** Anything else that input and output can fail with. */
  | "io";

/** The one error of everything that touches run folders: says which path, what must hold, what was found, how to mend. */
export class StoreError extends Refusal {
  override readonly name = "StoreError";
  /** Why. */
  readonly code: StoreErrorCode;
  /** The file or folder. */
  readonly path: string;

  /** @param parts Its clauses; `code` and `path` are for callers that act on it. */
  constructor(code: StoreErrorCode, path: string, parts: RefusalParts, options?: ErrorOptions) {
    super(parts, options);
    this.code = code;
    this.path = path;
  }

  /** The same error with another remedy. */
  override with(parts: Partial<RefusalParts>): StoreError {
    const { what, must, found, hint } = this;
    return new StoreError(this.code, this.path, { what, must, found, hint, ...parts }, { cause: this });
  }
}

/** What must hold, what was found and how to mend it, by code of the operating system. */
type Cause = readonly [code: StoreErrorCode, must: string, found: string, hint: string];

const elsewhere = "choose another folder";

const causes: Readonly<Record<string, Cause>> = {
  ENOSPC: ["no-space", "the disk must have room", "no space is left", `free some, or ${elsewhere}`],
  EDQUOT: ["no-space", "the disk quota must have room", "it is used up", `free some, or ${elsewhere}`],
  EFBIG: ["no-space", "the file must stay within the size limit", "it does not", "raise the limit (ulimit -f)"],
  EACCES: [
    "not-permitted",
    "this user must be allowed to",
    "permission is denied",
    `change its mode or owner, or ${elsewhere}`,
  ],
  EPERM: [
    "not-permitted",
    "this user must be allowed to",
    "it is not permitted",
    `change its mode or owner, or ${elsewhere}`,
  ],
  EROFS: ["read-only", "its file system must be writable", "it is mounted read-only", elsewhere],
  ENOTDIR: ["not-a-folder", "every part of its path must be a folder", "one is a file", "choose another path"],
  EEXIST: [
    "not-a-folder",
    "it must be a folder",
    "a file of that name is there",
    "move it away, or choose another path",
  ],
  EISDIR: ["corrupt", "it must be a file", "a folder of that name is there", "move it away"],
  ENOENT: ["missing", "it must exist", "nothing is there", "check the path"],
  ELOOP: ["corrupt", "its symbolic links must lead somewhere", "they go round in circles", "remove them"],
  ENAMETOOLONG: ["io", "the file system must take its name", "it is too long", "choose a shorter path"],
  ENOLCK: ["io", "its file system must know file locks", "it does not", "choose a local folder"],
  ENOTSUP: ["io", "its file system must know file locks", "it does not", "choose a local folder"],
};

/**
 * Turns an error of the operating system into a `StoreError`; others are returned as they are.
 *
 * @param action What was tried, as after "Cannot": `write`, `read`, `lock`.
 */
export function storeErrorOf(error: unknown, action: string, path: string): unknown {
  if (error instanceof StoreError || !(error instanceof Error)) return error;
  if (error instanceof Deno.errors.NotCapable) {
    return new StoreError("not-permitted", path, forbidden(`${action} "${path}"`, error), { cause: error });
  }
  const code = codeOf(error);
  if (code === undefined || !/^E[A-Z0-9]+$/.test(code)) return error;
  const [kind, must, found, hint] = causes[code] ?? ["io", "the file system must do it", error.message, undefined];
  return new StoreError(kind, path, { what: `${action} "${path}"`, must, found, hint }, { cause: error });
}

/** The system's name of an error. Of some, as of a file that is too large, the runtime tells the number alone. */
function codeOf(error: Error): string | undefined {
  const { code } = error as { code?: unknown };
  if (typeof code === "string") return code;
  const number = Number(/\(os error (\d+)\)/.exec(error.message)?.[1]);
  // Numbers of Windows are others.
  if (Deno.build.os === "windows") return undefined;
  return Object.entries(constants.errno).find(([, own]) => own === number)?.[0];
}

/** Runs file operations and translates their errors. */
async function translated<T>(action: string, path: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw storeErrorOf(error, action, path);
  }
}

/** Makes a folder with its parents; one that exists is fine. @throws {StoreError} If it cannot be made. */
export function makeFolder(path: string): Promise<void> {
  return translated("make folder", path, () => Deno.mkdir(path, { recursive: true }));
}

/** Makes the names in a folder durable. */
async function syncFolder(path: string): Promise<void> {
  // Windows opens no folders as files; its file systems keep a journal of names.
  if (Deno.build.os === "windows") return;
  using folder = await Deno.open(path, { read: true });
  await folder.sync();
}

async function writeAll(file: Deno.FsFile, chunk: Uint8Array): Promise<void> {
  for (let offset = 0; offset < chunk.length;) offset += await file.write(chunk.subarray(offset));
}

/**
 * Replaces a file as a whole: readers see the old or the new content, never a part, whenever the process is killed.
 *
 * Writes `.<name>.tmp` beside it, flushes it to the disk and renames it; on an error the temporary file is removed and
 * the old content stays. One process at a time may write a path: a run's claim sees to that.
 *
 * @param data Text, bytes, or chunks of bytes.
 * @param shared Whether others may write the path at the same time: then one of the contents stays, whole.
 * @throws {StoreError} If it cannot be written.
 */
export async function writeAtomic(
  path: string,
  data: string | Uint8Array | readonly Uint8Array[],
  shared = false,
): Promise<void> {
  const chunks = typeof data === "string"
    ? [new TextEncoder().encode(data)]
    : data instanceof Uint8Array
    ? [data]
    : data;
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}${shared ? `.${crypto.randomUUID()}` : ""}.tmp`);
  await translated("write", path, async () => {
    await checkTarget(path, "write");
    try {
      // What is there is left by a kill, or a link or pipe that somebody laid: it is removed, never written through.
      await removeIfPresent(temporary);
      {
        using file = await Deno.open(temporary, { write: true, createNew: true });
        for (const chunk of chunks) await writeAll(file, chunk);
        await file.sync();
      }
      await Deno.rename(temporary, path);
    } catch (error) {
      await removeIfPresent(temporary).catch(() => {
        // The first error says what went wrong; a left-over temporary file is overwritten by the next write.
      });
      throw error;
    }
    await syncFolder(folder);
  });
}

/**
 * Appends one line and flushes it to the disk. A killed process can leave a part of the line, which readers drop.
 *
 * @param line Without line end.
 * @throws {Refusal} If it holds a line end.
 * @throws {StoreError} If what is there is no plain file, or it cannot be written.
 */
export async function appendLine(path: string, line: string): Promise<void> {
  if (line.includes("\n")) {
    throw new Refusal({ what: `append to "${path}"`, must: "a line must hold no line end", found: "found one" });
  }
  await translated("write", path, async () => {
    await checkPlain(path, "write");
    using file = await Deno.open(path, { append: true, create: true });
    await writeAll(file, new TextEncoder().encode(line + "\n"));
    await file.sync();
  });
}

/** Cuts a file off after so many bytes. @throws {StoreError} If it cannot be written. */
export async function truncateFile(path: string, bytes: number): Promise<void> {
  await translated("write", path, async () => {
    await checkPlain(path, "write");
    using file = await Deno.open(path, { write: true });
    await file.truncate(bytes);
    await file.sync();
  });
}

/** Removes a file; one that is not there is fine. @throws {StoreError} If it cannot be removed. */
export async function removeIfPresent(path: string): Promise<void> {
  await translated("remove", path, async () => {
    try {
      await Deno.remove(path);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  });
}

/** Removes a folder with all that is in it, links themselves and not what they lead to. @throws {StoreError} If it cannot be removed. */
export async function removeTree(path: string): Promise<void> {
  await translated("remove", path, async () => {
    if (await entryAt(path) !== null) await Deno.remove(path, { recursive: true });
  });
}

/** Gives a folder another name, durably. @throws {StoreError} If something else is there. */
export async function renameFolder(from: string, to: string): Promise<void> {
  await translated("make folder", to, async () => {
    await Deno.rename(from, to);
    await syncFolder(dirname(to));
  });
}

/** Whether there is a folder at a path, links not followed. @throws {StoreError} If it cannot be looked at. */
export function isFolder(path: string): Promise<boolean> {
  return translated("look at", path, async () => (await entryAt(path))?.isDirectory === true);
}

/** Whether there is a plain file at a path. @throws {StoreError} If it cannot be looked at. */
export function isFile(path: string): Promise<boolean> {
  return translated("look at", path, async () => (await entryAt(path))?.isFile === true);
}

/**
 * Reads a regular file.
 *
 * @param maxBytes Larger files are refused: they are not what they claim to be, and would fill the memory.
 * @returns `null` if there is none.
 * @throws {StoreError} If it is a link or a folder, is too large, or cannot be read.
 */
export async function readBytes(path: string, maxBytes: number): Promise<Uint8Array<ArrayBuffer> | null> {
  try {
    checkRegular(path, await Deno.lstat(path), maxBytes);
    return await Deno.readFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw storeErrorOf(error, "read", path);
  }
}

/** Like `readBytes`, at once and as UTF-8 text: for the small files of a listing, where waiting costs more than reading. */
export function readTextSync(path: string, maxBytes: number): string | null {
  try {
    checkRegular(path, Deno.lstatSync(path), maxBytes);
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw storeErrorOf(error, "read", path);
  }
}

/** Opens a regular file for reading; `null` if there is none. @throws {StoreError} As `readBytes`. */
export function openSync(path: string, maxBytes: number): Deno.FsFile | null {
  try {
    checkRegular(path, Deno.lstatSync(path), maxBytes);
    return Deno.openSync(path, { read: true });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw storeErrorOf(error, "read", path);
  }
}

/** What an entry is that is no plain file. */
function oddity(info: Deno.FileInfo): string {
  return info.isSymlink ? "a symbolic link" : info.isDirectory ? "a folder" : "a special file";
}

/**
 * Checks that something is a regular file of bounded size.
 *
 * @throws {StoreError} With code `"corrupt"` if it is not.
 */
export function checkRegular(path: string, info: Deno.FileInfo, maxBytes: number): void {
  const what = `read "${path}"`;
  if (!info.isFile) {
    throw new StoreError("corrupt", path, { what, must: "it must be a regular file", found: `found ${oddity(info)}` });
  }
  if (info.size > maxBytes) {
    throw new StoreError("corrupt", path, {
      what,
      must: `it must hold at most ${maxBytes} bytes`,
      found: `found ${info.size}`,
    });
  }
}

/** What is at a path, links not followed; `null` for nothing. */
async function entryAt(path: string): Promise<Deno.FileInfo | null> {
  try {
    return await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/**
 * Checks that a path may be opened: it is a plain file, or there is nothing yet. A pipe would block whoever opens it, a link
 * leads out of the folder.
 *
 * @param action What is to be done: `write`, `lock`.
 * @throws {StoreError} With code `"corrupt"` if anything else is there.
 */
export async function checkPlain(path: string, action: string): Promise<void> {
  refuseOdd(path, action, await entryAt(path));
}

function refuseOdd(path: string, action: string, info: Deno.FileInfo | null): void {
  if (info === null || info.isFile) return;
  throw new StoreError("corrupt", path, {
    what: `${action} "${path}"`,
    must: "it must be a regular file",
    found: `found ${oddity(info)}`,
    hint: "move it away",
  });
}

/** Checks that a file may take a path: a link is replaced and not followed, a device or pipe is nobody's file. */
async function checkTarget(path: string, action: string): Promise<void> {
  const info = await entryAt(path);
  if (info !== null && !info.isSymlink && !info.isDirectory) refuseOdd(path, action, info);
}
