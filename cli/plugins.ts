/**
 * How plugins are named on the command line, and how they are loaded.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { AnyPart, Library } from "../core/library.ts";
import { importPlugins } from "../core/plugins.ts";
import type { RunConfig } from "../core/record.ts";
import { Refusal } from "../core/refusal.ts";
import { Provenance } from "../experiments/provenance.ts";
import { createLibrary } from "../library.ts";
import type { Flag } from "./command.ts";

/** The flag that names plugins. Commas separate several, but for `data:` modules, which hold some. */
export const pluginFlag: Flag = {
  type: "each",
  value: "FILE,...",
  about: "register plugins of a file, URL, jsr: or npm: module",
};

/** A file path becomes a `file:` URL; URLs and `jsr:`, `npm:` specifiers stay as they are. */
export function pluginSpecifier(text: string): string {
  return /^(https?|file|jsr|npm|data):/.test(text) ? text : pathToFileURL(resolve(Deno.cwd(), text)).href;
}

/** Specifiers of what stood behind the flags, each once. @throws {Refusal} If nothing stands between commas. */
export function pluginSpecifiers(values: readonly string[]): string[] {
  const texts = values.flatMap((value) => {
    const whole = value.startsWith("data:") || existsSync(value);
    return whole ? [value] : value.split(",").map((text) => text.trim());
  });
  if (texts.includes("")) {
    throw new Refusal({ what: "use --plugin", must: "something must stand between commas", found: "nothing does" });
  }
  return [...new Set(texts.map(pluginSpecifier))];
}

/** Milliseconds that a module may take to load; what it fetches must come within them. */
const limitMs = 120_000;

/** Runs something that may not end the program. @param what After "Cannot". */
export async function withoutExit<T>(what: string, run: () => Promise<T>): Promise<T> {
  const exit = Deno.exit;
  Deno.exit = (code?: number): never => {
    throw new Refusal({ what, must: "it must not end the program", found: `it calls Deno.exit(${code ?? 0})` });
  };
  try {
    return await run();
  } finally {
    Deno.exit = exit;
  }
}

/**
 * Imports plugins into a library.
 *
 * @param specifiers As `pluginSpecifiers` gives them.
 * @param limit Milliseconds for each.
 * @throws {Refusal} If a module cannot be imported, ends the program, or does not come to an end.
 */
export async function loadPlugins(
  library: Library,
  specifiers: readonly string[],
  limit: number = limitMs,
): Promise<readonly AnyPart[]> {
  const parts: AnyPart[] = [];
  for (const specifier of specifiers) {
    const what = `import plugin "${specifier.slice(0, 200)}"`;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      const refusal = new Refusal({
        what,
        must: `it must be loaded within ${limit / 1000} s`,
        found: "it still waits for something",
        hint: "look for an await at its top level that does not end",
      });
      timer = setTimeout(() => reject(refusal), limit);
    });
    try {
      parts.push(...await withoutExit(what, () => Promise.race([importPlugins(library, specifier), late])));
    } finally {
      clearTimeout(timer);
    }
  }
  return parts;
}

/**
 * Imports the plugins that a run's configuration names, but for those whose parts are there already: files may have been
 * moved since, and `--plugin` says where to.
 *
 * @param named Specifiers that were loaded already.
 * @returns What was loaded.
 * @throws {Refusal} As `loadPlugins`; it says how to name another place.
 */
export async function loadKept(
  library: Library,
  config: Pick<RunConfig, "plugins" | "code"> | null,
  named: readonly string[],
): Promise<string[]> {
  if (config === null) return [];
  const parts = Object.keys(config.code ?? {}).map((key) => key.split(" "));
  const known = ([kind, name]: string[]) =>
    library.kinds().some((own) => own.name === kind && library.of(kind).has(name));
  if (parts.length > 0 && parts.every(known)) return [];
  const wanted = config.plugins.filter((specifier) => !named.includes(specifier));
  for (const specifier of wanted) {
    try {
      await loadPlugins(library, [specifier]);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      throw error.with({ hint: "if it was moved, say where to with --plugin" });
    }
  }
  return wanted;
}

/** Says so where plugins are not what they were when a run was trained. */
export async function sayChanged(
  library: Library,
  config: RunConfig | null,
  specifiers: readonly string[],
): Promise<void> {
  if (config === null || config.code === undefined) return;
  for (const name of (await Provenance.of(library, specifiers)).changed(config)) {
    console.error(`Note: ${name} changed since this run was trained; its model is used by the code of now.`);
  }
}

/**
 * A library with what a run used: the plugins of its configuration, or those that are named in their place.
 *
 * @param values What stood behind `--plugin`.
 * @throws {Refusal} As `loadKept`.
 */
export async function libraryFor(config: RunConfig | null, values: readonly string[]): Promise<Library> {
  const library = createLibrary();
  const named = pluginSpecifiers(values);
  await loadPlugins(library, named);
  await sayChanged(library, config, [...named, ...await loadKept(library, config, named)]);
  return library;
}
