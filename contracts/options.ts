/**
 * What the options of every plugin promise.
 *
 * @module
 */
import type { Library } from "../core/library.ts";
import { type OptionSpec, type RawOptions, use } from "../core/options.ts";
import type { About } from "../core/kinds/mod.ts";
import { Refusal } from "../core/refusal.ts";
import { BrokenContract, type Contract, type Found, must } from "./contract.ts";

/** A value that an option must refuse, or `undefined` if every value of its type goes. */
function refusedBy(spec: OptionSpec): unknown {
  switch (spec.type) {
    case "number":
    case "integer":
      return spec.min !== undefined ? spec.min - 1 : spec.max !== undefined ? spec.max + 1 : "no number";
    case "boolean":
      return "yes";
    case "choice":
      return "none of these";
    case "text":
      return 1;
    case "numbers":
      return ["no number"];
    case "part":
      return 1;
    case "parts":
      return [1];
  }
}

/**
 * Defaults, tuning values and `tiny` are allowed values; anything else is refused; every option says what it does.
 *
 * @param create Builds the plugin, or `null` where that costs too much to be tried with wrong values.
 */
export function optionsAreSound(
  plugin: About & { readonly kind: string },
  library: Library,
  create: ((options: Record<string, unknown>) => unknown) | null,
): Found {
  const owner = `${plugin.kind} "${plugin.name}"`;
  library.resolve(owner, plugin, {});
  library.resolve(owner, plugin, plugin.tiny ?? {});
  must(plugin.about.trim() !== "", "it does not say what it is (about)");
  for (const [name, spec] of Object.entries(plugin.options)) {
    must(spec.about.trim() !== "", `option "${name}" does not say what it does (about)`);
    for (const value of "tune" in spec ? spec.tune ?? [] : []) {
      library.resolve(owner, { options: { [name]: spec } }, { [name]: value });
    }
    if (create === null) continue;
    const wrong = refusedBy(spec);
    let accepted = true;
    try {
      create({ [name]: wrong });
    } catch {
      accepted = false;
    }
    must(!accepted, `option "${name}" takes ${JSON.stringify(wrong)}, which its spec does not allow`);
  }
  const unsourced = Object.entries(plugin.options).filter(([_, spec]) => spec.source === undefined).map(([name]) =>
    name
  );
  return unsourced.length === 0 ? {} : { note: `options without a source: ${unsourced.join(", ")}` };
}

/** Values of choices, switches and parts other than the defaults, one at a time, also within default parts. */
export function alternatives({ options }: Pick<About, "options">, library: Library): RawOptions[] {
  return Object.entries(options).flatMap(([name, spec]): RawOptions[] => {
    switch (spec.type) {
      case "boolean":
        return [{ [name]: !spec.default }];
      case "choice":
        return spec.choices.filter((choice) => choice !== spec.default).map((choice) => ({ [name]: choice }));
      case "part": {
        const { plugin, options: chosen } = spec.default;
        const others = library.of(spec.kind).list().filter((other) => other !== plugin);
        return [
          ...others.map((other) => ({ [name]: use(other, other.tiny) })),
          ...alternatives(plugin, library).map((inner) => ({ [name]: use(plugin, { ...chosen, ...inner }) })),
        ];
      }
      default:
        return [];
    }
  });
}

/** Options as they are set on the command line. */
export function optionsInWords(options: RawOptions): string {
  const word = (value: unknown) => typeof value === "string" ? value : JSON.stringify(value);
  return Object.entries(options).map(([name, value]) => `${name}=${word(value)}`).join(", ");
}

/**
 * Tries every alternative.
 *
 * @param run Runs with the options; `false` if they are refused in words.
 */
export async function choicesWork(
  plugin: About,
  library: Library,
  run: (options: Record<string, unknown>) => Promise<boolean>,
): Promise<Found> {
  const all = alternatives(plugin, library);
  if (all.length === 0) return { skipped: "it has no choices" };
  const refused: string[] = [];
  for (const options of all) {
    const text = optionsInWords(options);
    try {
      if (!await run(options)) refused.push(text);
    } catch (error) {
      // A part may be of no use to another; a word that is a choice must be.
      if (error instanceof Refusal && Object.values(options).some((value) => typeof value === "object")) {
        refused.push(text);
        continue;
      }
      throw new BrokenContract(`with ${text}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  const tried = `${all.length - refused.length} tried`;
  return { note: refused.length === 0 ? tried : `${tried}; refused: ${refused.join(", ")}` };
}

/** Contracts of parts whose kind has none of its own. */
export const commonContracts: readonly Contract<never>[] = [
  {
    claim: "has sound options",
    check: (part: About & { readonly kind: string }, { library }) => optionsAreSound(part, library, null),
  },
];
