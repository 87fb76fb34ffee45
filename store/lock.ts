/**
 * One writer per runs folder.
 *
 * @module
 */
import { join } from "node:path";
import { makeFolder, StoreError, storeErrorOf } from "./files.ts";

/** An exclusive lock that is held. */
export interface RunsLock extends Disposable {
  /** The lock file. */
  readonly path: string;
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

/** Reads who wrote the lock file. Anything unreadable is nobody in particular. */
function holderIn(text: string): LockHolder {
  try {
    const value = JSON.parse(text);
    return {
      pid: Number.isSafeInteger(value?.pid) ? value.pid : null,
      since: typeof value?.since === "string" ? value.since : null,
    };
  } catch {
    return { pid: null, since: null };
  }
}

async function readHolder(path: string): Promise<LockHolder> {
  try {
    return holderIn(await Deno.readTextFile(path));
  } catch (error) {
    // Where locks are mandatory (Windows) the holder's file cannot be read; it is held all the same.
    if (error instanceof Deno.errors.NotFound || (error as { code?: string }).code !== undefined) {
      return { pid: null, since: null };
    }
    throw error;
  }
}

/**
 * Takes the lock of a runs folder, which is made if it is missing.
 *
 * The operating system frees the lock when the process ends, however it ends; the file stays and means nothing by itself.
 *
 * @throws {StoreError} With code `"locked"` if another process holds it; the message names its pid. Other codes if the
 * folder cannot be made or written.
 */
export async function acquireLock(runsDir: string): Promise<RunsLock> {
  await makeFolder(runsDir);
  const path = join(runsDir, lockFile);
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path, { read: true, write: true, create: true });
  } catch (error) {
    throw storeErrorOf(error, "lock", path);
  }
  try {
    for (let attempt = 1; !(await file.tryLock(true)); attempt++) {
      if (attempt === attempts) {
        const { pid, since } = await readHolder(path);
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
  return { path, release, [Symbol.dispose]: release };
}

/**
 * Who holds the lock of a runs folder.
 *
 * @returns `null` if nobody does, or there is no such folder.
 * @throws {StoreError} If the lock file cannot be read.
 */
export async function lockHolder(runsDir: string): Promise<LockHolder | null> {
  const path = join(runsDir, lockFile);
  try {
    using file = await Deno.open(path, { read: true });
    // A shared lock, so that several may ask at a time; closing frees it.
    if (await file.tryLock(false)) return null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return null;
    throw storeErrorOf(error, "read", path);
  }
  return await readHolder(path);
}
