/**
 * Definitions of plugins by their options' types: what they create receives options that were checked and filled in.
 *
 * @module
 */
import { type OptionSpecs, type RawOptions, resolveOptions, type SpecsFor } from "./options.ts";
import type {
  About,
  Dataset,
  DatasetPlugin,
  Encoder,
  EncoderPlugin,
  Fusion,
  FusionPlugin,
  Method,
  MethodPlugin,
  ModalityInfo,
  ModelContext,
} from "./kinds/mod.ts";
import { VERSION } from "./version.ts";

/** An `About` whose option specs fit an options interface. */
export type Typed<P extends About, O> =
  & Omit<P, "kind" | "options" | "create" | "refuses" | "load" | "passes" | "madeWith">
  & {
    readonly options: SpecsFor<O>;
  };

/** Defines an encoder; `create` and `refuses` receive resolved options. */
export function defineEncoder<O extends object>(
  plugin: Typed<EncoderPlugin, O> & {
    refuses?(input: ModalityInfo, options: O): string | null;
    create(options: O, input: ModalityInfo): Encoder;
  },
): EncoderPlugin {
  const resolve = (raw: RawOptions) =>
    resolveOptions<O>(`encoder "${plugin.name}"`, plugin.options as OptionSpecs, raw);
  return {
    ...plugin,
    kind: "encoder",
    madeWith: VERSION,
    options: plugin.options as OptionSpecs,
    refuses: (input, raw) => plugin.refuses?.(input, resolve(raw)) ?? null,
    create: (raw, input) => plugin.create(resolve(raw), input),
  };
}

/** Defines a fusion; `create` receives resolved options. */
export function defineFusion<O extends object>(
  plugin: Typed<FusionPlugin, O> & { create(options: O, context: ModelContext): Fusion },
): FusionPlugin {
  const resolve = (raw: RawOptions) => resolveOptions<O>(`fusion "${plugin.name}"`, plugin.options as OptionSpecs, raw);
  return {
    ...plugin,
    kind: "fusion",
    madeWith: VERSION,
    options: plugin.options as OptionSpecs,
    create: (raw, context) => plugin.create(resolve(raw), context),
  };
}

/** Defines a method; `create` and `refuses` receive resolved options. */
export function defineMethod<O extends object>(
  plugin: Typed<MethodPlugin, O> & {
    refuses?(fusion: Fusion, context: ModelContext, options: O): string | null;
    passes?(options: O, context: ModelContext): number;
    create(options: O, context: ModelContext): Method;
  },
): MethodPlugin {
  const resolve = (raw: RawOptions) => resolveOptions<O>(`method "${plugin.name}"`, plugin.options as OptionSpecs, raw);
  return {
    ...plugin,
    kind: "method",
    madeWith: VERSION,
    options: plugin.options as OptionSpecs,
    refuses: (fusion, context, raw) => plugin.refuses?.(fusion, context, resolve(raw)) ?? null,
    passes: (raw, context) => plugin.passes?.(resolve(raw), context) ?? 0,
    create: (raw, context) => plugin.create(resolve(raw), context),
  };
}

/** Defines a dataset; `load` receives resolved options. */
export function defineDataset<O extends object>(
  plugin: Typed<DatasetPlugin, O> & { load(options: O): Promise<Dataset> },
): DatasetPlugin {
  const resolve = (raw: RawOptions) =>
    resolveOptions<O>(`dataset "${plugin.name}"`, plugin.options as OptionSpecs, raw);
  return {
    ...plugin,
    kind: "dataset",
    madeWith: VERSION,
    options: plugin.options as OptionSpecs,
    load: async (raw) => await plugin.load(resolve(raw)),
  };
}
