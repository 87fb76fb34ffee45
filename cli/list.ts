/**
 * `armlab list`: everything that can be chosen.
 *
 * @module
 */
import { importPlugins, type Library } from "../core/library.ts";
import { engines } from "../engines/mod.ts";
import { grids } from "../experiments/grids/mod.ts";
import { createLibrary } from "../library.ts";
import { type Command, type Flag, helpOf, parseFlags } from "./command.ts";
import { pluginSpecifier } from "./plugins.ts";

const flags: Readonly<Record<string, Flag>> = {
  plugin: { type: "list", value: "FILE", about: "register somebody else's plugins first" },
  help: { type: "boolean", about: "show this help" },
};

/** What can be chosen, as text. */
export function listing(library: Library): string {
  const rows: [string, readonly { name: string; about: string }[]][] = [
    ["Datasets", library.datasets.list()],
    ["Encoders", library.encoders.list()],
    ["Fusions", library.fusions.list()],
    ["Methods", library.methods.list()],
    ["Engines", engines],
    ["Grids", grids.map(({ name, question }) => ({ name, about: question }))],
  ];
  const width = Math.max(...rows.flatMap(([_, items]) => items.map(({ name }) => name.length)));
  return rows.map(([title, items]) =>
    [title, ...items.map(({ name, about }) => `  ${name.padEnd(width)}  ${about}`)].join("\n")
  ).join("\n\n");
}

/** `armlab list`. */
export const listCommand: Command = {
  name: "list",
  about: "list datasets, encoders, fusions, methods, engines and grids",
  async run(args: string[]): Promise<number> {
    const parsed = parseFlags("list", flags, args);
    if (parsed.boolean.help) {
      console.log(helpOf("armlab list", this.about, flags, ["armlab list --plugin ./my_fusion.ts"]));
      return 0;
    }
    const library = createLibrary();
    for (const file of parsed.list.plugin) await importPlugins(library, pluginSpecifier(file));
    console.log(listing(library));
    return 0;
  },
};
