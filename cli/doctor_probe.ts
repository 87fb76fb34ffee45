/**
 * Tries every engine, in a process of its own: drivers print warnings of their own while they start, and a broken one may
 * end the process. Prints one JSON object.
 *
 * @module
 */
import { engines, selectEngine } from "../engines/mod.ts";

/** What was found of an engine. */
export interface ProbedEngine {
  readonly name: string;
  readonly about: string;
  /** Why it does not work here and how to get it; `null` if it works. */
  readonly missing: { readonly what: string; readonly get: string | null } | null;
  readonly version?: string;
  readonly device?: string;
}

/** What was found of all engines. */
export interface Probed {
  readonly engines: readonly ProbedEngine[];
  /** The engine of runs that name none. */
  readonly chosen: string;
}

async function probe(): Promise<Probed> {
  const found: ProbedEngine[] = [];
  for (const plugin of engines) {
    const { name, about } = plugin;
    const missing = await plugin.unavailable();
    if (missing !== null) {
      found.push({ name, about, missing });
      continue;
    }
    const engine = await plugin.create();
    found.push({ name, about, missing: null, version: engine.version, device: engine.device });
    await engine.dispose();
  }
  const { engine } = await selectEngine(undefined, {});
  await engine.dispose();
  return { engines: found, chosen: engine.name };
}

if (import.meta.main) {
  console.log(JSON.stringify(await probe()));
  Deno.exit(0);
}
