/**
 * The registries of a session, and how somebody else's plugins get into them.
 *
 * @module
 */
import type { DatasetPlugin, EncoderPlugin, FusionPlugin, MethodPlugin } from "./plugin.ts";
import { Registry } from "./registry.ts";

/** Any plugin that a library holds. */
export type AnyPlugin = EncoderPlugin | FusionPlugin | MethodPlugin | DatasetPlugin;

/** Registries by kind. */
export interface Library {
  readonly datasets: Registry<DatasetPlugin>;
  readonly encoders: Registry<EncoderPlugin>;
  readonly fusions: Registry<FusionPlugin>;
  readonly methods: Registry<MethodPlugin>;
}

/** A library with nothing in it. */
export function emptyLibrary(): Library {
  return {
    datasets: new Registry<DatasetPlugin>("dataset"),
    encoders: new Registry<EncoderPlugin>("encoder"),
    fusions: new Registry<FusionPlugin>("fusion"),
    methods: new Registry<MethodPlugin>("method"),
  };
}

/** Registers a plugin where it belongs. @throws {RangeError} On a clash of names. */
export function register(library: Library, plugin: AnyPlugin): void {
  switch (plugin.kind) {
    case "dataset":
      library.datasets.add(plugin);
      break;
    case "encoder":
      library.encoders.add(plugin);
      break;
    case "fusion":
      library.fusions.add(plugin);
      break;
    case "method":
      library.methods.add(plugin);
      break;
  }
}

function isPlugin(value: unknown): value is AnyPlugin {
  return typeof value === "object" && value !== null && "kind" in value && "name" in value && "options" in value &&
    ["dataset", "encoder", "fusion", "method"].includes(String(value.kind));
}

/**
 * Imports a module and registers every plugin that it exports.
 *
 * @param specifier A URL, a JSR or npm specifier, or an absolute file path as a `file:` URL.
 * @returns The registered plugins.
 * @throws {TypeError} If the module cannot be imported or exports no plugin.
 */
export async function importPlugins(library: Library, specifier: string): Promise<readonly AnyPlugin[]> {
  let exported: Record<string, unknown>;
  try {
    exported = await import(specifier);
  } catch (cause) {
    throw new TypeError(
      `Cannot import plugin "${specifier}": ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  }
  const plugins = [...new Set(Object.values(exported).filter(isPlugin))];
  if (plugins.length === 0) {
    throw new TypeError(
      `Cannot use "${specifier}" as a plugin as it must export a plugin made by defineFusion, defineMethod, ` +
        `defineEncoder or defineDataset: its exports are ${Object.keys(exported).join(", ") || "none"}`,
    );
  }
  for (const plugin of plugins) register(library, plugin);
  return plugins;
}
