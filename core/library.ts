/**
 * The library of a session: a registry for each kind of part.
 *
 * @module
 */
import { type About, type BuiltinKind, builtinKinds, type Kind, type Kinds } from "./kinds/mod.ts";
import { type BoundPart, type RawOptions, resolveOptions, use } from "./options.ts";
import type { PartConfig } from "./record.ts";
import { Refusal } from "./refusal.ts";
import { Registry } from "./registry.ts";

/** A part of any kind. */
export interface AnyPart extends About {
  /** Name of its kind. */
  readonly kind: string;
}

/** A part of one of the kinds that armlab brings. */
export type AnyPlugin = Kinds[BuiltinKind];

/** Registries by kind. */
export class Library {
  readonly #registries: Map<string, Registry<About>> = new Map();

  /** @param kinds The kinds to begin with. @default {builtinKinds} */
  constructor(kinds: readonly Kind<never>[] = Object.values(builtinKinds)) {
    for (const kind of kinds) this.addKind(kind as unknown as Kind);
  }

  /** Adds a kind with no parts yet; adding the same kind again changes nothing. @throws {Refusal} On a clash of names. */
  addKind(kind: Kind): this {
    const present = this.#registries.get(kind.name);
    if (present === undefined) this.#registries.set(kind.name, new Registry<About>(kind));
    else if (present.kind !== kind) {
      throw new Refusal({
        what: `add kind "${kind.name}"`,
        must: "a kind's name must be unique",
        found: "another kind of that name is there",
      });
    }
    return this;
  }

  /** All kinds, in the order in which they were added. */
  kinds(): readonly Kind[] {
    return [...this.#registries.values()].map(({ kind }) => kind);
  }

  /** The registry of a kind, by its name or itself. @throws {Refusal} If there is no such kind. */
  of<K extends BuiltinKind>(kind: K): Registry<Kinds[K]>;
  of<P extends About>(kind: Kind<P>): Registry<P>;
  of(kind: string): Registry<About>;
  of(kind: string | Kind<never>): Registry<never> {
    const name = typeof kind === "string" ? kind : kind.name;
    const registry = this.#registries.get(name);
    if (registry !== undefined) return registry as unknown as Registry<never>;
    throw new Refusal({
      what: `find kind "${name}"`,
      found: `kinds are ${[...this.#registries.keys()].join(", ")}`,
    });
  }

  /** Registers a part with the others of its kind. @throws {Refusal} On a clash of names or an unknown kind. */
  add(part: AnyPart): this {
    this.of(part.kind).add(part);
    return this;
  }

  /** Everything registered under a name, of whatever kind. */
  named(name: string): readonly AnyPart[] {
    return [...this.#registries.values()].flatMap((registry) =>
      registry.has(name) ? [registry.get(name) as AnyPart] : []
    );
  }

  /** All names of all kinds, sorted, each once. */
  names(): string[] {
    return [...new Set([...this.#registries.values()].flatMap((registry) => registry.names()))].sort();
  }

  /**
   * A part by name with all its options resolved, those that are parts included.
   *
   * @throws {Refusal} If there is no such part, or an option is unknown or not allowed.
   */
  bind<K extends BuiltinKind>(kind: K, config: PartConfig): BoundPart<Kinds[K]>;
  bind(kind: string, config: PartConfig): BoundPart;
  bind(kind: string, { name, options }: PartConfig): BoundPart {
    const plugin = this.of(kind).get(name);
    return use(plugin, this.resolve(`${kind} "${name}"`, plugin, options));
  }

  /** All options of something with options, resolved. @throws {Refusal} As `bind`. */
  resolve<O extends object = Record<string, unknown>>(
    owner: string,
    { options }: Pick<About, "options">,
    given: RawOptions,
  ): O {
    return resolveOptions<O>(owner, options, given, (kind, name) => this.of(kind).get(name));
  }
}
