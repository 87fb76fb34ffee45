/**
 * `armlab list`: everything that can be chosen.
 *
 * @module
 */
import type { Library } from "../core/library.ts";
import { createLibrary } from "../library.ts";
import { type Command, type Flag, helpOf, parseFlags } from "./command.ts";
import { loadPlugins, pluginFlag, pluginSpecifiers } from "./plugins.ts";

const flags: Readonly<Record<string, Flag>> = {
  json: { type: "boolean", about: "print one JSON object per part: kind, name, about, formula, source" },
  plugin: pluginFlag,
  help: { type: "boolean", about: "show this help" },
};

/** What can be chosen, as text: a paragraph for each kind that has parts. */
export function listing(library: Library): string {
  const kinds = library.kinds().map((kind) => ({ kind, parts: library.of(kind.name).list() }))
    .filter(({ parts }) => parts.length > 0);
  const width = Math.max(...kinds.flatMap(({ parts }) => parts.map(({ name }) => name.length)));
  return kinds.map(({ kind, parts }) =>
    [
      `${kind.plural[0].toUpperCase()}${kind.plural.slice(1)}`,
      ...parts.map(({ name, about }) => `  ${name.padEnd(width)}  ${about}`),
    ].join("\n")
  ).join("\n\n");
}

/** The same for programs: a line for each part. */
function jsonLines(library: Library): string[] {
  return library.kinds().flatMap(({ name: kind }) =>
    library.of(kind).list().map(({ name, about, formula, source }) =>
      JSON.stringify({ kind, name, about, formula: formula ?? null, source: source ?? null })
    )
  );
}

/** `armlab list`. */
export const listCommand: Command = {
  name: "list",
  about: "list the parts of every kind, engines and grids",
  async run(args: string[]): Promise<number> {
    const parsed = parseFlags("list", flags, args);
    if (parsed.boolean.help) {
      console.log(
        helpOf("armlab list", this.about, flags, ["armlab list --json", "armlab list --plugin ./my_fusion.ts"]),
      );
      return 0;
    }
    const library = createLibrary();
    await loadPlugins(library, pluginSpecifiers(parsed.list.plugin));
    console.log(parsed.boolean.json ? jsonLines(library).join("\n") : listing(library));
    return 0;
  },
};
