/**
 * Claims on runs: each run is written by one process at a time, however many share its folder.
 *
 * A claim is a file `<run>.<generation>` that is made only if it is not there, which is atomic on shared file systems, too.
 * The highest generation holds. Who finds its holder dead makes the next one; there is but one who does. A holder that was
 * taken for dead and is not (its machine stood still for minutes) looks before each record and checkpoint whether it still
 * holds, and stops if not.
 *
 * @module
 */
import { join } from "node:path";
import { makeFolder, readTextSync, removeIfPresent, StoreError, storeErrorOf, writeAtomic } from "./files.ts";
import { type Member, type MemberInfo, removed, type Watch } from "./members.ts";

/** The folder of claims within a runs folder. */
const claimsFolder = ".claims";

/** A claim that is held, as data that another thread can check. */
export interface ClaimMark {
  /** The runs folder. */
  readonly runs: string;
  /** The run. */
  readonly run: string;
  readonly generation: number;
  /** The member that holds it. */
  readonly member: string;
}

/** Who holds a run. */
export interface Holder {
  readonly member: string;
  /** `null` where the member cannot be read now. */
  readonly info: MemberInfo | null;
}

interface Stored {
  readonly member: string;
  readonly kernel: string | null;
  readonly released: boolean;
}

const maxClaimBytes = 1024;

const pathOf = ({ runs, run, generation }: Pick<ClaimMark, "runs" | "run" | "generation">) =>
  join(runs, claimsFolder, `${run}.${generation}`);

/** Generations of claims by run, rising; none where nothing is claimed. */
function generations(runs: string): Map<string, number[]> {
  const found = new Map<string, number[]>();
  try {
    for (const { name } of Deno.readDirSync(join(runs, claimsFolder))) {
      const [, run, generation] = /^([0-9a-f]{16})\.(\d{1,9})$/.exec(name) ?? [];
      if (run === undefined) continue;
      const own = found.get(run);
      if (own === undefined) found.set(run, [Number(generation)]);
      else own.push(Number(generation));
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory)) {
      throw storeErrorOf(error, "read", join(runs, claimsFolder));
    }
  }
  for (const own of found.values()) own.sort((a, b) => a - b);
  return found;
}

/** Reads a claim: `null` if it is gone, `"unread"` while it is being written. */
function readClaim(mark: Pick<ClaimMark, "runs" | "run" | "generation">): Stored | "unread" | null {
  const text = readTextSync(pathOf(mark), maxClaimBytes);
  if (text === null) return null;
  try {
    const { member, kernel = null, released = false } = JSON.parse(text);
    return typeof member === "string" ? { member, kernel, released } : "unread";
  } catch {
    return "unread";
  }
}

/** Whether somebody holds a run by its claim of the highest generation, and who. */
async function holderOf(runs: string, run: string, generation: number, watch: Watch): Promise<Holder | null> {
  const stored = readClaim({ runs, run, generation });
  if (stored === null) return null;
  if (stored === "unread") {
    return watch.stands(`${run}.${generation}`, "unread") ? { member: "", info: null } : null;
  }
  if (stored.released || !await watch.lives(stored.member, stored.kernel)) return null;
  return { member: stored.member, info: watch.info(stored.member) };
}

/** Times that a claim is tried where others try at the same moment. */
const attempts = 8;

/**
 * Claims a run for this process.
 *
 * @returns The claim, or who holds the run.
 * @throws {StoreError} If it cannot be written, or somebody removed the runs folder.
 */
export async function claimRun(member: Member, run: string, watch: Watch): Promise<ClaimMark | Holder> {
  const { runs, info } = member;
  for (let attempt = 0; attempt < attempts; attempt++) {
    member.check();
    const before = generations(runs).get(run) ?? [];
    const top = before[before.length - 1] ?? 0;
    const holder = top === 0 ? null : await holderOf(runs, run, top, watch);
    if (holder !== null) return holder;
    const mark: ClaimMark = { runs, run, generation: top + 1, member: info.id };
    if (!await make(mark, info)) continue;
    const now = generations(runs).get(run) ?? [];
    const others = now.filter((generation) => generation !== mark.generation && !before.includes(generation));
    if (others.length === 0) {
      for (const generation of before) await removeIfPresent(pathOf({ ...mark, generation }));
      return mark;
    }
    // Somebody who looked at another time claimed it by another number: who sees that steps back.
    await removeIfPresent(pathOf(mark));
    await new Promise((resolve) => setTimeout(resolve, 20 + 80 * Math.random()));
  }
  return { member: "", info: null };
}

/** Makes a claim's file; `false` if it is there already. */
async function make(mark: ClaimMark, { id, kernel }: MemberInfo): Promise<boolean> {
  const path = pathOf(mark);
  await makeFolder(join(mark.runs, claimsFolder));
  try {
    using file = await Deno.open(path, { write: true, createNew: true });
    await file.write(new TextEncoder().encode(JSON.stringify({ member: id, kernel })));
    await file.syncData();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return false;
    throw storeErrorOf(error, "claim", path);
  }
}

/** Whether somebody got a claim and no holder. */
export function isClaim(found: ClaimMark | Holder): found is ClaimMark {
  return "generation" in found;
}

/**
 * Checks that a claim still holds.
 *
 * @throws {StoreError} With code `"locked"` if it does not: the folder was removed, or another process took the run over.
 */
export function checkClaim(mark: ClaimMark): void {
  const path = pathOf(mark);
  const own = generations(mark.runs).get(mark.run) ?? [];
  if (own.some((generation) => generation > mark.generation)) {
    throw new StoreError("locked", path, {
      what: `go on writing run ${mark.run}`,
      must: "this process must hold it",
      found: "another one took it over, as this one showed no sign of life",
      hint: "nothing is lost: that one goes on from the last checkpoint",
    });
  }
  const stored = readClaim(mark);
  if (stored === null || (stored !== "unread" && stored.member !== mark.member)) throw removed(path);
}

/**
 * Gives a run back. A claim on a finished run is removed; on another it stays, marked, so that generations only rise.
 *
 * @throws {StoreError} If it cannot be written.
 */
export async function releaseClaim(mark: ClaimMark, finished: boolean): Promise<void> {
  const stored = readClaim(mark);
  if (stored === null || stored === "unread" || stored.member !== mark.member) return;
  if (finished) await removeIfPresent(pathOf(mark));
  else await writeAtomic(pathOf(mark), JSON.stringify({ member: mark.member, released: true }));
}

/** Runs that are held by members that live, as far as a reader can know. @throws {StoreError} If claims cannot be read. */
export async function heldRuns(runs: string, watch: Watch): Promise<Map<string, Holder>> {
  const held = new Map<string, Holder>();
  for (const [run, own] of generations(runs)) {
    const holder = await holderOf(runs, run, own[own.length - 1], watch);
    if (holder !== null) held.set(run, holder);
  }
  return held;
}
