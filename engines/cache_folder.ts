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
