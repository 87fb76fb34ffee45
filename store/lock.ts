/**
 * One writer per runs folder.
 *
 * @module
 */
import { join } from "node:path";
import { checkPlain, makeFolder, readTextSync, StoreError, storeErrorOf } from "./files.ts";

/** Which lock a process holds: the file, not its name. */
export interface LockMark {
  /** The lock file. */
  readonly path: string;
  /** Its number on its device; `null` where the system has none. */
  readonly file: string | null;
}

/** An exclusive lock that is held. */
export interface RunsLock extends Disposable {
  /** The lock file. */
  readonly path: string;
  /** For `checkLock`, also in another thread. */
  readonly mark: LockMark;
  /** Gives the lock back. */
  release(): void;
}

/** Who holds a lock, as far as it says. */
export interface LockHolder {
  /** Process id; `null` if the lock file does not tell. */
  readonly pid: number | null;
  /** ISO 8601; `null` if the lock file does not tell. */
  readonly since: string | null;
}

const lockFile = ".lock";

/** How often a held lock is tried, and the pause between: someone who only asks holds it for an instant. */
const attempts = 6;
const pauseMs = 40;

/** What a lock file holds is shorter. */
const maxLockBytes = 4096;

/** Reads who wrote the lock file. Anything unreadable is nobody in particular. */
function holderIn(text: string): LockHolder {
  try {
    const value = JSON.parse(text);
    return {
      pid: Number.isSafeInteger(value?.pid) ? value.pid : null,
      since: typeof value?.since === "string" && !Number.isNaN(Date.parse(value.since))
        ? value.since.slice(0, 40)
        : null,
    };
  } catch {
    return { pid: null, since: null };
  }
}

function readHolder(path: string): LockHolder {
  try {
    return holderIn(readTextSync(path, maxLockBytes) ?? "");
  } catch (error) {
    // Where locks are mandatory (Windows) the holder's file cannot be read; it is held all the same.
    if (error instanceof StoreError) return { pid: null, since: null };
    throw error;
  }
}

function numberOf(info: Deno.FileInfo): string | null {
  return info.ino === null ? null : `${info.dev}/${info.ino}`;
}

/**
 * Takes the lock of a runs folder, which is made if it is missing.
 *
 * The operating system frees the lock when the process ends, however it ends; the file stays and means nothing by itself.
 *
 * @throws {StoreError} With code `"locked"` if another process holds it; the message names its pid. Other codes if the
 * folder cannot be made or written, or its `.lock` is no plain file.
 */
export async function acquireLock(runsDir: string): Promise<RunsLock> {
  await makeFolder(runsDir);
  const path = join(runsDir, lockFile);
  let file: Deno.FsFile;
  try {
    await checkPlain(path, "lock");
    file = await Deno.open(path, { read: true, write: true, create: true });
  } catch (error) {
    throw storeErrorOf(error, "lock", path);
  }
  let number: string | null;
  try {
    for (let attempt = 1; !(await file.tryLock(true)); attempt++) {
      if (attempt === attempts) {
        const { pid, since } = readHolder(path);
        throw new StoreError("locked", path, {
          what: `lock runs folder "${runsDir}"`,
          must: "one process at a time may write to it",
          found: `process ${pid ?? "unknown"} holds it${since === null ? "" : ` since ${since}`}`,
          hint: "wait until it ends, or choose another folder with --runs",
        });
      }
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
    await file.truncate(0);
    await file.write(new TextEncoder().encode(JSON.stringify({ pid: Deno.pid, since: new Date().toISOString() })));
    await file.sync();
    number = numberOf(await file.stat());
  } catch (error) {
    file.close();
    throw storeErrorOf(error, "lock", path);
  }
  let held = true;
  const release = () => {
    if (!held) return;
    held = false;
    // Closing frees the lock, and leaves no moment in which a freed lock still bears our pid to a new holder.
    file.close();
  };
  return { path, mark: { path, file: number }, release, [Symbol.dispose]: release };
}

/**
 * Checks that the lock that is held is still that of its folder: who removes the folder removes the lock, and another
 * process may hold that of a new one.
 *
 * @throws {StoreError} With code `"locked"` if it is not.
 */
export function checkLock({ path, file }: LockMark): void {
  let found = "it is gone";
  try {
    const now = numberOf(Deno.lstatSync(path));
    if (file === null || now === file) return;
    found = "another one is there";
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory)) {
      throw storeErrorOf(error, "look at", path);
    }
  }
  throw new StoreError("locked", path, {
    what: "go on writing runs",
    must: `the lock that this process holds must be "${path}"`,
    found,
    hint: "somebody removed the runs folder; run the same command again",
  });
}

/**
 * Who holds the lock of a runs folder.
 *
 * @returns `null` if nobody does, or there is no such folder.
 * @throws {StoreError} If the lock file is no plain file or cannot be read.
 */
export async function lockHolder(runsDir: string): Promise<LockHolder | null> {
  const path = join(runsDir, lockFile);
  try {
    await checkPlain(path, "read");
    using file = await Deno.open(path, { read: true });
    // A shared lock, so that several may ask at a time; closing frees it.
    if (await file.tryLock(false)) return null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return null;
    throw storeErrorOf(error, "read", path);
  }
  return readHolder(path);
}
