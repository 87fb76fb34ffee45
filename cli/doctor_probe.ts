/**
 * Tries every engine, in a process of its own: drivers print warnings of their own while they start, and a broken one may
 * end the process. Prints a JSON object a line, as soon as it is known, so that what came before is not lost.
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

/** A line of what the process says: which engine it tries, what it found, at last which engine runs use. */
export type ProbeLine =
  | { readonly trying: { readonly name: string; readonly about: string } }
  | { readonly found: ProbedEngine }
  | { readonly chosen: string };

/** Tries the engines from the one at index `from` on. */
async function* probe(from: number): AsyncGenerator<ProbeLine> {
  for (const plugin of engines.slice(from)) {
    const { name, about } = plugin;
    yield { trying: { name, about } };
    const missing = await plugin.unavailable();
    if (missing !== null) {
      yield { found: { name, about, missing } };
      continue;
    }
    const engine = await plugin.create();
    const { version, device } = engine;
    await engine.dispose();
    yield { found: { name, about, missing: null, version, device } };
  }
  const { engine } = await selectEngine(undefined, {});
  await engine.dispose();
  yield { chosen: engine.name };
}

if (import.meta.main) {
  for await (const line of probe(Number(Deno.args[0]))) console.log(JSON.stringify(line));
  Deno.exit(0);
}
