/**
 * Where things that are built or fetched once per user are kept.
 *
 * @module
 */
import { join } from "node:path";
import { Refusal } from "../core/refusal.ts";

/** The variable that names the folder of all caches; `off` keeps no compiled graphs. */
export const CACHE_VARIABLE = "ARMLAB_CACHE";

/** Where the user's caches belong on this system, with our name; `null` where the environment does not say. */
export function userCacheFolder(): string | null {
  const { env, build } = Deno;
  const home = env.get("HOME");
  const base = build.os === "windows"
    ? env.get("LOCALAPPDATA")
    : build.os === "darwin"
    ? home && join(home, "Library", "Caches")
    : env.get("XDG_CACHE_HOME") || (home && join(home, ".cache"));
  return base === undefined || base === "" ? null : join(base, "armlab");
}

/** The folder of all caches that the environment asks for, or `null`. Without the permission to read it, none. */
export function askedCacheFolder(): string | null {
  const { state } = Deno.permissions.querySync({ name: "env", variable: CACHE_VARIABLE });
  const asked = state === "granted" ? Deno.env.get(CACHE_VARIABLE) : undefined;
  return asked === undefined || asked === "" || asked === "off" ? null : asked;
}

/**
 * A folder of armlab in the user's cache; it need not exist. `ARMLAB_CACHE` names another place.
 *
 * @throws {Refusal} If no variable says where the user's files are.
 */
export function cacheFolder(name: string): string {
  const base = askedCacheFolder() ?? userCacheFolder();
  if (base === null) {
    throw new Refusal({
      what: "find the cache folder",
      must: `HOME or ${CACHE_VARIABLE} must be set`,
      found: "neither is",
    });
  }
  return join(base, name);
}

/** A file beside the entries that is older than this was left by a process that ended while writing, in milliseconds. */
const ABANDONED_MS = 3_600_000;

/** Passes over what somebody else has removed meanwhile. @throws {unknown} Any other error. */
export function ignoreMissing(error: unknown): undefined {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}

/**
 * Removes the longest unused entries of a folder beyond a bound, and files beside them that were left behind.
 *
 * @param isEntry Whether a name is an entry's.
 * @param isOurs Whether a name beside the entries is ours to remove. @default {all}
 * @param maxBytes Bytes that all entries may have together.
 */
export async function boundFolder(
  folder: string,
  isEntry: (name: string) => boolean,
  maxBytes: number,
  isOurs: (name: string) => boolean = () => true,
): Promise<void> {
  const entries: { path: string; size: number; used: number }[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    if (!isEntry(name) && !isOurs(name)) continue;
    const path = join(folder, name);
    const info = await Deno.stat(path).catch(ignoreMissing);
    if (info === undefined) continue;
    const used = info.mtime?.getTime() ?? 0;
    if (isEntry(name)) entries.push({ path, size: info.size, used });
    else if (Date.now() - used > ABANDONED_MS) await Deno.remove(path).catch(ignoreMissing);
  }
  entries.sort((a, b) => b.used - a.used);
  let total = 0;
  for (const { path, size } of entries) {
    total += size;
    if (total > maxBytes) await Deno.remove(path).catch(ignoreMissing);
  }
}
