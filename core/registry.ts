/**
 * Registries: the only way in which a part is found by its name.
 *
 * @module
 */

/** Anything that can be registered. */
export interface Named {
  /** Kebab-case name, unique within its registry. */
  readonly name: string;
}

/** A set of plugins of one kind. A miss and a clash both throw. */
export class Registry<P extends Named> {
  /** What is registered, in the singular: "fusion", "dataset". */
  readonly kind: string;
  readonly #plugins: Map<string, P> = new Map();

  /** @param kind What is registered, in the singular, for messages. */
  constructor(kind: string, plugins: readonly P[] = []) {
    this.kind = kind;
    for (const plugin of plugins) this.add(plugin);
  }

  /**
   * Registers a plugin under its own name.
   *
   * @throws {RangeError} If the name is taken by another plugin or is not kebab-case.
   */
  add(plugin: P): this {
    if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(plugin.name)) {
      throw new RangeError(
        `Cannot register ${this.kind} "${plugin.name}" as its name must be kebab-case (a-z, 0-9, single hyphens)`,
      );
    }
    const present = this.#plugins.get(plugin.name);
    if (present !== undefined && present !== plugin) {
      throw new RangeError(
        `Cannot register ${this.kind} "${plugin.name}" as a name must be unique: ` +
          `a ${this.kind} of that name is registered`,
      );
    }
    this.#plugins.set(plugin.name, plugin);
    return this;
  }

  /** Whether a plugin of this name is registered. */
  has(name: string): boolean {
    return this.#plugins.has(name);
  }

  /**
   * The plugin of a name.
   *
   * @throws {RangeError} If there is none; the message lists the registered names.
   */
  get(name: string): P {
    const plugin = this.#plugins.get(name);
    if (plugin !== undefined) return plugin;
    throw new RangeError(
      `Cannot find ${this.kind} "${name}": registered names are ${this.names().join(", ") || "none"}`,
    );
  }

  /** Registered names, sorted. */
  names(): string[] {
    return [...this.#plugins.keys()].sort();
  }

  /** Registered plugins, sorted by name. */
  list(): P[] {
    return this.names().map((name) => this.get(name));
  }
}
