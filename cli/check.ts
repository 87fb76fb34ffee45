/**
 * `armlab check FILE`: does a plugin keep every contract?
 *
 * @module
 */
import type { AnyPart, Library } from "../core/library.ts";
import { Refusal } from "../core/refusal.ts";
import { didYouMean } from "../core/suggest.ts";
import { selectEngine } from "../engines/mod.ts";
import { createLibrary } from "../library.ts";
import { checkPlugin, type Verdict } from "../contracts/mod.ts";
import { type Command, type Flag, helpOf, parseFlags } from "./command.ts";
import { loadPlugins, pluginFlag, pluginSpecifier, pluginSpecifiers } from "./plugins.ts";

const flags: Readonly<Record<string, Flag>> = {
  plugin: { ...pluginFlag, about: "register further plugins that those checked need" },
  json: { type: "boolean", about: "print one JSON object per contract" },
  help: { type: "boolean", about: "show this help" },
};

/** Everything registered under a name. @throws {Refusal} If nothing is. */
function named(library: Library, name: string): readonly AnyPart[] {
  const found = library.named(name);
  if (found.length > 0) return found;
  throw new Refusal({
    what: `check ${JSON.stringify(name.slice(0, 80))}`,
    must: "it must be a file, a URL, a jsr: or npm: module, or a registered name",
    found: `names are ${library.names().join(", ")}`,
    hint: didYouMean(name, library.names()),
  });
}

/** Whether an argument names a module rather than a registered part. */
function isModule(text: string): boolean {
  return /[/\\:]|\.[cm]?[jt]sx?$/.test(text);
}

const words: Readonly<Record<Verdict["status"], string>> = { held: "ok", broken: "BROKEN", skipped: "skipped" };

/** A verdict as a line. */
export function verdictLine({ status, claim, detail }: Verdict): string {
  const found = detail === "" ? "" : status === "broken" ? `\n           ${detail}` : ` (${detail})`;
  return `  ${words[status].padEnd(7)}  ${claim}${found}`;
}

/** `armlab check`. */
export const checkCommand: Command = {
  name: "check",
  about: "run the contract suite on somebody's plugin and say what it breaks",
  async run(args: string[]): Promise<number> {
    const parsed = parseFlags("check", flags, args, { most: Infinity });
    if (parsed.boolean.help || parsed.positional.length === 0) {
      console.log(helpOf("armlab check FILE|NAME ... [options]", "Runs the contract suite on plugins.", flags, [
        "armlab check ./my_fusion.ts        everything that the file exports",
        "armlab check npm:their-plugin      a published one",
        "armlab check concat                one that is built in",
      ]));
      return parsed.boolean.help ? 0 : 2;
    }
    const library = createLibrary();
    await loadPlugins(library, pluginSpecifiers(parsed.list.plugin));
    const plugins: AnyPart[] = [];
    for (const text of parsed.positional) {
      plugins.push(...isModule(text) ? await loadPlugins(library, [pluginSpecifier(text)]) : named(library, text));
    }
    const tools = {
      library,
      eager: (await selectEngine("cpu")).engine,
      compiled: (await selectEngine("onnx:cpu")).engine,
    };
    const counts: Record<Verdict["status"], number> = { held: 0, broken: 0, skipped: 0 };
    for (const plugin of new Set(plugins)) {
      if (!parsed.boolean.json) console.log(`${plugin.kind} "${plugin.name}"`);
      // What breaks several promises is said once.
      const said = new Set<string>();
      for await (const verdict of checkPlugin(plugin, tools)) {
        counts[verdict.status]++;
        const again = verdict.status === "broken" && said.has(verdict.detail);
        said.add(verdict.detail);
        console.log(
          parsed.boolean.json
            ? JSON.stringify(verdict)
            : verdictLine(again ? { ...verdict, detail: "as above" } : verdict),
        );
      }
    }
    if (!parsed.boolean.json) {
      console.log(`\n${counts.held} held, ${counts.broken} broken, ${counts.skipped} skipped`);
    }
    return counts.broken === 0 ? 0 : 1;
  },
};
