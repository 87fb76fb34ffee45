/**
 * Engines: what programs run on.
 *
 * @module
 */
import type { Engine, EngineOptions, Missing } from "../program.ts";
import type { About } from "./about.ts";
import { complete, defineKind, type Kind } from "./kind.ts";

/** A registered engine. What it is asked for (threads) belongs to the machine, so it has no options of its own. */
export interface EnginePlugin extends About {
  readonly kind: "engine";
  /** Says why the engine cannot run here, or `null` if it can. Must not throw. */
  unavailable(): Promise<Missing | null>;
  /**
   * Of an engine on graphics cards: its cells run in a process each. Variables of the environment that say which card a
   * process sees, each set to its number; without any, a process takes the card that the runtime prefers. @default no cards
   */
  readonly cards?: { readonly variables: readonly string[] };
  /** Creates the engine. */
  create(options?: EngineOptions): Promise<Engine>;
}

/** The kind of engines. */
export const engineKind: Kind<EnginePlugin> = defineKind<EnginePlugin>({
  name: "engine",
  plural: "engines",
  about: "what programs run on",
  functions: {},
  ordered: true,
  names: { pattern: /^[a-z0-9]+([-:][a-z0-9]+)*$/, words: "lower case, its words joined by - or :" },
});

/** Defines an engine. */
export function defineEngine(plugin: Omit<EnginePlugin, "kind" | "options" | "madeWith">): EnginePlugin {
  return complete(engineKind, { ...plugin, options: {} });
}
