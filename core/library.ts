/**
 * The registries of a session, and how somebody else's plugins get into them.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { defineDataset, defineEncoder, defineFusion, defineMethod } from "./define.ts";
import type { DatasetPlugin, EncoderPlugin, FusionPlugin, MethodPlugin } from "./kinds/mod.ts";
import { setOrigin } from "./origin.ts";
import { Registry } from "./registry.ts";
import { VERSION } from "./version.ts";

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

/** Whether what one version made can be used by another: the first number that is not 0 is the same. */
export function compatible(made: string, own: string): boolean {
  const significant = (version: string) => /^(0\.)?\d+/.exec(version)?.[0];
  return significant(made) === significant(own);
}

/**
 * A plugin that resolves its options, as `define...` makes it: a package that does not import armlab exports plain values.
 *
 * @throws {RangeError} If another version of armlab made it, which this one does not fit.
 */
function completed(plugin: AnyPlugin, specifier: string): AnyPlugin {
  const { madeWith } = plugin;
  if (madeWith !== undefined) {
    if (compatible(madeWith, VERSION)) return plugin;
    throw new RangeError(
      `Cannot use ${plugin.kind} "${plugin.name}" of "${specifier}" as its armlab must fit this one, ${VERSION}: found ` +
        `${madeWith}; take a version of it that imports armlab ${VERSION}, or that armlab`,
    );
  }
  switch (plugin.kind) {
    case "dataset":
      return defineDataset(plugin as Parameters<typeof defineDataset>[0]);
    case "encoder":
      return defineEncoder(plugin as Parameters<typeof defineEncoder>[0]);
    case "fusion":
      return defineFusion(plugin as Parameters<typeof defineFusion>[0]);
    case "method":
      return defineMethod(plugin as Parameters<typeof defineMethod>[0]);
  }
}

/**
 * Imports a module.
 *
 * Copies of tfjs share one engine. Another copy replaces its kernels and gradients as it loads, those that armlab mended
 * among them, with a warning for each.
 *
 * @throws {TypeError} If the module cannot be imported, or brings another copy of tfjs.
 */
async function imported(specifier: string): Promise<Record<string, unknown>> {
  const gradient = tf.getGradient("Square");
  const silent = tf.env().getBool("PROD");
  let exported: Record<string, unknown>;
  try {
    tf.env().set("PROD", true);
    exported = await import(specifier);
  } catch (cause) {
    throw new TypeError(
      `Cannot import plugin "${specifier}": ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  } finally {
    tf.env().set("PROD", silent);
  }
  if (tf.getGradient("Square") !== gradient) {
    throw new TypeError(
      `Cannot use plugin "${specifier}" as it must import the copy of tfjs that armlab uses, ` +
        `npm:@tensorflow/tfjs@${tf.version.tfjs}: it brings another`,
    );
  }
  return exported;
}

/**
 * Imports a module and registers every plugin that it exports: values that `define...` made, or plain ones.
 *
 * @param specifier A URL, a JSR or npm specifier, or an absolute file path as a `file:` URL.
 * @returns The registered plugins.
 * @throws {TypeError} If the module cannot be imported, brings another copy of tfjs or exports no plugin.
 * @throws {RangeError} If an armlab made a plugin that does not fit this one, or on a clash of names.
 */
export async function importPlugins(library: Library, specifier: string): Promise<readonly AnyPlugin[]> {
  const exported = await imported(specifier);
  const plugins = [...new Set(Object.values(exported).filter(isPlugin))].map((plugin) => completed(plugin, specifier));
  if (plugins.length === 0) {
    throw new TypeError(
      `Cannot use "${specifier}" as a plugin as it must export a plugin made by defineFusion, defineMethod, ` +
        `defineEncoder or defineDataset: its exports are ${Object.keys(exported).join(", ") || "none"}`,
    );
  }
  for (const plugin of plugins) {
    register(library, plugin);
    setOrigin(plugin, specifier);
  }
  return plugins;
}
