/**
 * Who works on a runs folder: a process each, on one machine or on several that share the folder.
 *
 * A member keeps a file whose content changes at every beat of its heart, and one beside it that it holds locked (locks may
 * be mandatory, and then nobody else could read the first). Whether it lives is seen in two ways. On the same machine the lock tells at once, as the system frees it when a process ends, however it ends. From
 * another machine, where locks may not be told, only the content counts: as long as a reader sees it change, by the reader's
 * own clock, the member lives. No times of two machines are ever compared.
 *
 * @module
 */
import { join } from "node:path";
import { checkPlain, makeFolder, readTextSync, removeIfPresent, StoreError, storeErrorOf } from "./files.ts";

/** The folder of members' files within a runs folder. */
const membersFolder = ".members";

/** What a member says of itself. */
export interface MemberInfo {
  /** Its name: a UUID. */
  readonly id: string;
  /** Its machine's name, for people. */
  readonly host: string;
  /** What tells the running system apart from all others; `null` where it has nothing of the kind. */
  readonly kernel: string | null;
  readonly pid: number;
  /** ISO 8601, by its own clock. */
  readonly since: string;
  /** Whether it holds a lock: some shared file systems know none. */
  readonly locked: boolean;
  /** Milliseconds without a beat after which it is taken for dead. */
  readonly patienceMs: number;
}

/** How a member is kept alive. */
export interface HeartOptions {
  /** Milliseconds between two beats. @default {5000} */
  readonly beatMs?: number;
  /** Milliseconds without a beat after which others take it for dead. @default {120000} */
  readonly patienceMs?: number;
  /** What tells this system apart; for tests. */
  readonly kernel?: string | null;
  /** Is told once if a beat cannot be written. */
  readonly onTrouble?: (message: string) => void;
}

/** This process as a member of a runs folder. */
export interface Member extends AsyncDisposable {
  readonly runs: string;
  readonly info: MemberInfo;
  /** @throws {StoreError} With code `"locked"` if its file is gone: somebody removed the runs folder. */
  check(): void;
  /** Gives everything back. */
  leave(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const maxMemberBytes = 4096;
const beatMs = 5000;
/** A shared file system may stand still for a minute without anybody being dead. */
const patienceMs = 120_000;

/** What tells the running system from others, also from a container's view; `null` where it does not say. */
export function kernelId(): string | null {
  try {
    if (Deno.build.os === "linux") return Deno.readTextFileSync("/proc/sys/kernel/random/boot_id").trim();
    const addresses = Deno.networkInterfaces().map(({ mac }) => mac).filter((mac) => !/^[0:]*$/.test(mac));
    return addresses.length === 0 ? null : `${Deno.hostname()} ${[...new Set(addresses)].sort().join()}`;
  } catch (error) {
    // Without it members are watched, on their own machine too.
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotCapable) return null;
    throw error;
  }
}

/** Whether an error says that the file system has no locks. */
function hasNoLocks(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" && ["ENOLCK", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"].includes(code);
}

/** Locks a file for this process; `null` where the file system knows no locks. */
async function lock(file: Deno.FsFile, exclusive: boolean): Promise<boolean | null> {
  try {
    return await file.tryLock(exclusive);
  } catch (error) {
    if (hasNoLocks(error)) return null;
    throw error;
  }
}

/** The path of a member's file. */
function fileOf(runs: string, id: string): string {
  return join(runs, membersFolder, id);
}

/** The path of the file that a member holds locked. */
const lockOf = (runs: string, id: string) => `${fileOf(runs, id)}.lock`;

/** The text of a member's file at a beat: always of one length, as it is written over the last. */
function textOf(info: MemberInfo, beat: number): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify({ ...info, beat: String(beat).padStart(12, "0") })}\n`);
}

/**
 * Joins those who work on a runs folder, which is made if it is missing.
 *
 * @throws {StoreError} If the folder cannot be made or written.
 */
export async function joinRuns(runs: string, options: HeartOptions = {}): Promise<Member> {
  await makeFolder(runs);
  await checkFolder(join(runs, membersFolder));
  await makeFolder(join(runs, membersFolder));
  const id = crypto.randomUUID();
  const path = fileOf(runs, id);
  let [file, lifeline]: Deno.FsFile[] = [];
  let info: MemberInfo;
  try {
    // Locked before anybody can see it.
    lifeline = await Deno.open(lockOf(runs, id), { read: true, write: true, createNew: true });
    const locked = await lock(lifeline, true) === true;
    info = {
      id,
      host: Deno.hostname(),
      kernel: options.kernel === undefined ? kernelId() : options.kernel,
      pid: Deno.pid,
      since: new Date().toISOString(),
      locked,
      patienceMs: options.patienceMs ?? patienceMs,
    };
    file = await Deno.open(path, { read: true, write: true, createNew: true });
    await file.write(textOf(info, 0));
    await file.syncData();
  } catch (error) {
    throw storeErrorOf(error, "join", path);
  }
  const heart = startHeart(file, info, options);
  let left: Promise<void> | null = null;
  const leave = () => left ??= end(path, [file, lifeline], heart);
  return { runs, info, check: () => checkThere(path), leave, [Symbol.asyncDispose]: leave };
}

/** @throws {StoreError} If something else than a folder is there. */
async function checkFolder(path: string): Promise<void> {
  try {
    if ((await Deno.lstat(path)).isDirectory) return;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw storeErrorOf(error, "look at", path);
  }
  throw new StoreError("corrupt", path, {
    what: `use "${path}"`,
    must: "it must be a folder",
    found: "it is none",
    hint: "move it away",
  });
}

interface Heart {
  stop(): Promise<void>;
}

function startHeart(file: Deno.FsFile, info: MemberInfo, options: HeartOptions): Heart {
  let beat = 0;
  let beating: Promise<void> = Promise.resolve();
  let told = false;
  const write = async () => {
    try {
      await file.seek(0, Deno.SeekMode.Start);
      await file.write(textOf(info, ++beat));
      // What other machines see is what has left this one.
      await file.syncData();
    } catch (error) {
      if (!told) options.onTrouble?.(`this process cannot show that it is alive: ${(error as Error).message}`);
      told = true;
    }
  };
  const timer = setInterval(() => beating = beating.then(write), options.beatMs ?? beatMs);
  Deno.unrefTimer(timer);
  return {
    stop: () => {
      clearInterval(timer);
      return beating;
    },
  };
}

async function end(path: string, files: readonly Deno.FsFile[], heart: Heart): Promise<void> {
  await heart.stop();
  for (const file of files) file.close();
  await removeIfPresent(path);
  await removeIfPresent(`${path}.lock`);
}

function checkThere(path: string): void {
  try {
    Deno.lstatSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory)) {
      throw storeErrorOf(error, "look at", path);
    }
    throw removed(path);
  }
}

/** Said where the folder was removed under its workers. */
export function removed(path: string): StoreError {
  return new StoreError("locked", path, {
    what: "go on writing runs",
    must: `"${path}" must be what this process put there`,
    found: "it is not",
    hint: "somebody removed the runs folder; run the same command again",
  });
}

/** Reads what a member says; `null` if its file is gone. What is no member's is `info: null`. */
function readMember(runs: string, id: string): { readonly text: string; readonly info: MemberInfo | null } | null {
  const text = readTextSync(fileOf(runs, id), maxMemberBytes);
  if (text === null) return null;
  try {
    const { kernel, pid, since, locked, host, patienceMs: patience } = JSON.parse(text);
    const sound = (kernel === null || typeof kernel === "string") && Number.isSafeInteger(pid) &&
      typeof since === "string" && typeof locked === "boolean" && typeof host === "string" && patience > 0;
    return { text, info: sound ? { id, kernel, pid, since, locked, host, patienceMs: patience } : null };
  } catch {
    return { text, info: null }; // read while it is written: the next look tells
  }
}

/** A reader that remembers what it saw of members, to tell who lives. */
export class Watch {
  readonly #runs: string;
  readonly #kernel: string | null;
  readonly #now: () => number;
  readonly #patienceMs: number;
  readonly #seen: Map<string, { text: string; at: number }> = new Map();

  /**
   * @param kernel What tells this system apart; for tests.
   * @param now Milliseconds of a clock that never goes back.
   * @param mostMs Patience at most, of one who only wants to know and takes nothing over.
   */
  constructor(
    runs: string,
    kernel: string | null = kernelId(),
    now: () => number = () => performance.now(),
    mostMs: number = Infinity,
  ) {
    this.#patienceMs = mostMs;
    this.#runs = runs;
    this.#kernel = kernel;
    this.#now = now;
  }

  /** What a living member says of itself, as far as it can be read. */
  info(id: string): MemberInfo | null {
    return readMember(this.#runs, id)?.info ?? null;
  }

  /**
   * Whether a member lives, as far as this reader can know: one that it sees for the first time does, unless its machine is
   * this one and says otherwise.
   *
   * @param kernel Of the member's machine, if that is known from elsewhere.
   * @throws {StoreError} If its file cannot be looked at.
   */
  async lives(id: string, kernel: string | null = null): Promise<boolean> {
    const read = readMember(this.#runs, id);
    const here = read?.info?.kernel ?? kernel;
    const own = here !== null && here === this.#kernel;
    if (read === null && own) return false;
    if (read?.info?.locked === true) {
      const held = await this.#held(id);
      // Held is held, wherever; a free lock tells nothing of another machine.
      if (held === true) return this.#remember(id, read.text, true);
      if (held === false && own) return false;
    }
    return this.#remember(id, read?.text ?? "", false, read?.info?.patienceMs);
  }

  /** Whether something that is not a member's beat still stands as it did, for longer than anybody takes to write it. */
  stands(key: string, text: string): boolean {
    return this.#remember(key, text, false);
  }

  /** Notes what was seen; whether it is young enough. */
  #remember(key: string, text: string, held: boolean, patience: number = patienceMs): boolean {
    const now = this.#now();
    const last = this.#seen.get(key);
    if (held || last === undefined || last.text !== text) {
      this.#seen.set(key, { text, at: now });
      return true;
    }
    return now - last.at <= Math.min(patience, this.#patienceMs);
  }

  async #held(id: string): Promise<boolean | null> {
    const path = lockOf(this.#runs, id);
    try {
      await checkPlain(path, "read");
      using file = await Deno.open(path, { read: true });
      // A shared lock, so that several may ask at a time; closing frees it.
      const free = await lock(file, false);
      return free === null ? null : !free;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return null;
      throw storeErrorOf(error, "look at", path);
    }
  }

  /** Removes what members left that are dead. @throws {StoreError} If it cannot be removed. */
  async tidy(): Promise<void> {
    for (const id of memberNames(this.#runs)) {
      if (await this.lives(id)) continue;
      await removeIfPresent(fileOf(this.#runs, id));
      await removeIfPresent(lockOf(this.#runs, id));
    }
  }
}

/** Members that a runs folder names, dead ones among them. */
export function memberNames(runs: string): string[] {
  try {
    return [...Deno.readDirSync(join(runs, membersFolder))]
      .map(({ name }) => name).filter((name) => /^[0-9a-f-]{36}$/.test(name)).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return [];
    throw storeErrorOf(error, "read", runs);
  }
}
