/**
 * `armlab describe NAME`: formula, source, options and what a part works with.
 *
 * @module
 */
import { importPlugins, type Library } from "../core/library.ts";
import { describeOption } from "../experiments/config.ts";
import { grids } from "../experiments/grids/mod.ts";
import { createLibrary } from "../library.ts";
import { selectEngine } from "../engines/mod.ts";
import { type Command, type Flag, helpOf, parseFlags } from "./command.ts";
import { compatibilityLines } from "./compatibility.ts";
import { costLines, statedInputs } from "./cost.ts";
import { needLines } from "./needs.ts";
import { pluginSpecifier } from "./plugins.ts";

const flags: Readonly<Record<string, Flag>> = {
  plugin: { type: "list", value: "FILE", about: "register somebody else's plugins first" },
  help: { type: "boolean", about: "show this help" },
};

/**
 * A description of everything registered under a name.
 *
 * @param abstract Runs a function for its shapes, as `Engine.abstract` does; with it costs are stated.
 * @throws {RangeError} If nothing is.
 */
export function description(library: Library, name: string, abstract?: (run: () => void) => void): string {
  const texts: string[] = [];
  for (const registry of [library.datasets, library.encoders, library.fusions, library.methods]) {
    if (!registry.has(name)) continue;
    const plugin = registry.get(name);
    const lines = [`${registry.kind} "${name}"`, `  ${plugin.about}`];
    if (plugin.formula !== undefined) {
      lines.push("  Formula:", ...plugin.formula.split("\n").map((line) => `    ${line.trim()}`));
    }
    if (plugin.source !== undefined) lines.push(`  Source: ${plugin.source}`);
    if (plugin.kind === "method") {
      const { forwards, backwards } = plugin.cost ?? { forwards: 1, backwards: 1 };
      lines.push(`  Cost per step: ${forwards} forward, ${backwards} backward (plain training is 1 and 1)`);
      const passes = plugin.passes?.({}, { modalities: ["a", "b"], classes: 2 }) ?? 0;
      if (passes > 0) {
        const count = Number(passes.toPrecision(3));
        lines.push(
          `  Cost per epoch past its warm-up: ${count} forward passes over the training set besides its steps (2 modalities)`,
        );
      }
    }
    lines.push(...needLines(plugin, statedInputs.map(({ info }) => info)));
    lines.push(...compatibilityLines(plugin, library));
    if (abstract !== undefined) lines.push(...costLines(plugin, library, abstract));
    const options = Object.entries(plugin.options);
    lines.push(options.length === 0 ? "  Options: none" : "  Options:");
    for (const [option, spec] of options) lines.push(`    ${describeOption(option, spec)}`);
    texts.push(lines.join("\n"));
  }
  const grid = grids.find((candidate) => candidate.name === name);
  if (grid !== undefined) {
    texts.push(
      [
        `grid "${name}"`,
        `  ${grid.question}`,
        `  Seeds: ${grid.seeds.join(", ")}`,
        `  Configurations: ${grid.cells.map(({ label }) => label).join(", ")}`,
      ].join("\n"),
    );
  }
  if (texts.length === 0) {
    const known = [library.datasets, library.encoders, library.fusions, library.methods]
      .flatMap((registry) => registry.names()).concat(grids.map((candidate) => candidate.name));
    throw new RangeError(`Cannot describe "${name}": known names are ${[...new Set(known)].sort().join(", ")}`);
  }
  return texts.join("\n\n");
}

/** Descriptions with costs, for which the best engine works out shapes. */
export async function described(library: Library, names: readonly string[]): Promise<string> {
  const { engine } = await selectEngine(undefined);
  try {
    return names.map((name) => description(library, name, (run) => engine.abstract(run))).join("\n\n");
  } finally {
    await engine.dispose();
  }
}

/** `armlab describe`. */
export const describeCommand: Command = {
  name: "describe",
  about: "print formula, source, options and cost of a part",
  async run(args: string[]): Promise<number> {
    const parsed = parseFlags("describe", flags, args);
    if (parsed.boolean.help || parsed.positional.length === 0) {
      console.log(
        helpOf("armlab describe NAME ...", this.about, flags, ["armlab describe arm", "armlab describe concat"]),
      );
      return parsed.boolean.help ? 0 : 2;
    }
    const library = createLibrary();
    for (const file of parsed.list.plugin) await importPlugins(library, pluginSpecifier(file));
    console.log(await described(library, parsed.positional));
    return 0;
  },
};
