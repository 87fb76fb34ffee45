/**
 * What Deno's permissions forbid.
 *
 * @module
 */
import type { RefusalParts } from "./refusal.ts";

/**
 * The clauses of a refusal of what Deno was not allowed to do.
 *
 * The runtime names the flag in its sentence alone: the remedy has to take it from there.
 *
 * @param what What was tried, as after "Cannot": `read "/data/x.npy"`.
 */
export function forbidden(what: string, { message }: Deno.errors.NotCapable): RefusalParts {
  const [needed, advice] = message.split(", run again");
  const [, flag] = /--(allow-[a-z-]+)/.exec(advice ?? "") ?? [];
  return {
    what,
    must: "Deno must be allowed to",
    found: needed,
    // Some files of the system ask for all permissions.
    hint: flag === undefined || flag === "allow-all"
      ? "run it again with -A"
      : `run it again with --${flag}, or with -A`,
  };
}
