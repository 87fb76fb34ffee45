/**
 * Where things that are built or fetched once per user are kept.
 *
 * @module
 */
import { join } from "node:path";

/**
 * A folder of armlab in the user's cache; it need not exist. `ARMLAB_CACHE` names another place.
 *
 * @throws {RangeError} If no variable says where the user's files are.
 */
export function cacheFolder(name: string): string {
  const own = Deno.env.get("ARMLAB_CACHE");
  if (own !== undefined && own !== "") return join(own, name);
  const home = Deno.env.get("HOME");
  const base = Deno.build.os === "windows" ? Deno.env.get("LOCALAPPDATA") : Deno.env.get("XDG_CACHE_HOME") ||
    (home === undefined ? undefined : join(home, Deno.build.os === "darwin" ? "Library/Caches" : ".cache"));
  if (base === undefined || base === "") {
    throw new RangeError("Cannot find the cache folder as HOME or ARMLAB_CACHE must be set: neither is");
  }
  return join(base, "armlab", name);
}
