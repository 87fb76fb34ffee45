/**
 * Kinds: what sorts of parts there are. A kind is a value; a registry holds the parts of one kind.
 *
 * @module
 */
import { type OptionSpecs, type RawOptions, resolveOptions, type SpecsFor } from "../options.ts";
import { guarded, inPlugin } from "../plugin_error.ts";
import { VERSION } from "../version.ts";
import type { About } from "./about.ts";

/** How a function of a part takes options. */
export interface OptionsFunction {
  /** Position of the options among its arguments. */
  readonly at: number;
  /** What a part without this function answers; a part must have it where nothing stands here. */
  readonly otherwise?: (...args: never[]) => unknown;
  /** What becomes of its result besides: `owner` is kind and name of the part, `args` what the function was given. */
  readonly then?: (result: never, part: About, owner: string, args: readonly unknown[]) => unknown;
}

/** For functions that make a value whose own functions the harness calls: what those throw names the part. */
export function guardHooks(made: object, _part: About, owner: string): object {
  return guarded(owner, made);
}

/** The same for values whose functions answer at once, but for some: a step that is traced waits for nobody. */
export function guardAtOnce(made: object, _part: About, owner: string, later: readonly string[] = []): object {
  return guarded(owner, made, later);
}

/** A sort of part. `P` is what its registry holds. */
export interface Kind<P extends About = About> {
  /** In the singular, as plugins say it: `"fusion"`. */
  readonly name: string;
  /** In the plural, for headings: `"fusions"`. */
  readonly plural: string;
  /** What parts of this kind do, in one sentence. */
  readonly about: string;
  /** Functions of its parts that take options. Others are left as they are. */
  readonly functions: Readonly<Record<string, OptionsFunction>>;
  /** What names look like. @default kebab-case */
  readonly names?: { readonly pattern: RegExp; readonly words: string };
  /** Whether its parts are listed as they were registered, not by name. @default {false} */
  readonly ordered?: boolean;
  /** Further lines of `describe` for a part of this kind, not indented. */
  describe?(part: P): readonly string[];
}

/** The part of a kind. */
export type PartOf<K> = K extends Kind<infer P> ? P : never;

/** Defines a kind. */
export function defineKind<P extends About>(kind: Kind<P>): Kind<P> {
  return kind;
}

/** An `About` whose option specs fit an options interface, without what a definition adds. */
export type Typed<P extends About, O, F extends string> =
  & Omit<P, "kind" | "options" | "madeWith" | F>
  & { readonly options: SpecsFor<O> };

/** Finds a part of a kind by its name, for options that are parts. */
export type FindPart = (kind: string, name: string) => About;

/**
 * Completes a definition: its functions receive options that were checked and filled in, and what they throw names the
 * part. Idempotent for what is complete already.
 *
 * @param given The part as its author wrote it.
 */
export function complete<P extends About>(kind: Kind<P>, given: object): P {
  const part = given as About & Record<string, unknown>;
  const owner = `${kind.name} "${part.name}"`;
  const resolve = (raw: RawOptions) => resolveOptions(owner, part.options as OptionSpecs, raw);
  const functions = Object.fromEntries(
    Object.entries(kind.functions).map(([name, { at, otherwise, then }]) => {
      const own = part[name] ?? otherwise;
      if (typeof own !== "function") return [name, own];
      return [name, (...args: unknown[]) =>
        inPlugin(owner, name, () => {
          const passed = [...args];
          passed[at] = resolve((args[at] ?? {}) as RawOptions);
          const result = Reflect.apply(own, given, passed);
          return then === undefined ? result : then(result as never, part, owner, passed);
        })];
    }),
  );
  return { ...part, ...functions, kind: kind.name, madeWith: VERSION } as unknown as P;
}
