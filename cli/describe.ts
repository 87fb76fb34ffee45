/**
 * `armlab describe NAME`: formula, source, options and what a part works with.
 *
 * @module
 */
import type { AnyPart, Library } from "../core/library.ts";
import type { OptionSpecs } from "../core/options.ts";
import { Refusal } from "../core/refusal.ts";
import { didYouMean } from "../core/suggest.ts";
import { describeOption, trainingOptions } from "../experiments/config.ts";
import { createLibrary } from "../library.ts";
import { selectEngine } from "../engines/mod.ts";
import { measuresFor } from "../viewer/measures.ts";
import { type Command, type Flag, helpOf, parseFlags } from "./command.ts";
import { compatibilityLines } from "./compatibility.ts";
import { costLines, statedInputs } from "./cost.ts";
import { needLines } from "./needs.ts";
import { loadPlugins, pluginFlag, pluginSpecifiers } from "./plugins.ts";
import { outputWidth, wrapped } from "./terminal.ts";

const flags: Readonly<Record<string, Flag>> = {
  plugin: pluginFlag,
  help: { type: "boolean", about: "show this help" },
};

/** Options by their headings, those without one first; below each the options of the parts that are its default. */
function optionLines(options: OptionSpecs, indent: string): string[] {
  const groups = Map.groupBy(Object.entries(options), ([, { group }]) => group ?? "");
  return [...groups].sort(([a], [b]) => Number(a !== "") - Number(b !== "")).flatMap(([group, own]) => [
    ...(group === "" ? [] : [`${indent}${group}:`]),
    ...groupLines(own, group === "" ? indent : `${indent}  `),
  ]);
}

function groupLines(options: readonly (readonly [string, OptionSpecs[string]])[], indent: string): string[] {
  return options.flatMap(([name, spec]) => {
    const line = `${indent}${describeOption(name, spec)}`;
    if (spec.type !== "part") return [line];
    const { plugin, options: chosen } = spec.default;
    const own = Object.entries(plugin.options).map(([inner, own]) =>
      [`${name}.${inner}`, Object.hasOwn(chosen, inner) ? { ...own, default: chosen[inner] } : own] as const
    );
    return [line, ...optionLines(Object.fromEntries(own) as OptionSpecs, `${indent}  `)];
  });
}

/** What is described beside parts. */
const topics: Readonly<Record<string, () => string[]>> = {
  training: () => [
    "training: options of the training, the same for every method of a grid (--set training.<option>=VALUE)",
    ...optionLines(trainingOptions, "  "),
  ],
  measures: () => [
    "measures: what tables, curves and exports hold; <modality> stands for each modality",
    ...measuresFor(["<modality>"]).map(({ key, title, about, unit }) => `  ${key} = ${title} (${unit}): ${about}`),
  ],
};

/** A part in words. */
function partText(part: AnyPart, library: Library, abstract?: (run: () => void) => void): string {
  const { kind } = library.of(part.kind);
  const lines = [`${kind.name} "${part.name}"`, `  ${part.about}`];
  if (part.formula !== undefined) {
    lines.push("  Formula:", ...part.formula.split("\n").map((line) => `    ${line.trim()}`));
  }
  if (part.source !== undefined) lines.push(`  Source: ${part.source}`);
  lines.push(...(kind.describe?.(part) ?? []).map((line) => `  ${line}`));
  lines.push(...needLines(part, statedInputs.map(({ info }) => info)));
  lines.push(...compatibilityLines(part, library));
  if (abstract !== undefined) lines.push(...costLines(part, library, abstract));
  if (Object.keys(kind.functions).length === 0) return lines.join("\n");
  const options = optionLines(part.options, "    ");
  lines.push(options.length === 0 ? "  Options: none" : "  Options:", ...options);
  return lines.join("\n");
}

/**
 * A description of everything registered under a name.
 *
 * @param abstract Runs a function for its shapes, as `Engine.abstract` does; with it costs are stated.
 * @throws {Refusal} If nothing is.
 */
export function description(library: Library, name: string, abstract?: (run: () => void) => void): string {
  if (Object.hasOwn(topics, name)) return topics[name]().join("\n");
  const parts = library.named(name);
  if (parts.length === 0) {
    const names = [...library.names(), ...Object.keys(topics)];
    throw new Refusal({
      what: `describe ${JSON.stringify(name.slice(0, 80))}`,
      found: `known names are ${names.join(", ")}`,
      hint: didYouMean(name, names),
    });
  }
  return parts.map((part) => partText(part, library, abstract)).join("\n\n");
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
  about: "formula, source, options and cost of a part; grids, training options, measures",
  async run(args: string[]): Promise<number> {
    const parsed = parseFlags("describe", flags, args, { most: Infinity });
    if (parsed.boolean.help || parsed.positional.length === 0) {
      console.log(
        helpOf("armlab describe NAME ...", this.about, flags, [
          "armlab describe arm",
          "armlab describe table1",
          "armlab describe training measures",
        ]),
      );
      return parsed.boolean.help ? 0 : 2;
    }
    const library = createLibrary();
    await loadPlugins(library, pluginSpecifiers(parsed.list.plugin));
    const text = await described(library, parsed.positional);
    console.log(wrapped(text.split("\n"), outputWidth()).join("\n"));
    return 0;
  },
};
