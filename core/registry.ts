/**
 * Registries: the only way in which a part is found by its name.
 *
 * @module
 */
import type { About } from "./kinds/about.ts";
import type { Kind } from "./kinds/kind.ts";
import { Refusal } from "./refusal.ts";
import { didYouMean } from "./suggest.ts";

/** What names look like where their kind says nothing. */
const kebabCase = { pattern: /^[a-z0-9]+(-[a-z0-9]+)*$/, words: "kebab-case (a-z, 0-9, single hyphens)" };

/** The parts of one kind. A miss and a clash both throw. */
export class Registry<P extends About> {
  /** What is registered. */
  readonly kind: Kind<P>;
  readonly #parts: Map<string, P> = new Map();

  constructor(kind: Kind<P>, parts: readonly P[] = []) {
    this.kind = kind;
    for (const part of parts) this.add(part);
  }

  /**
   * Registers a part under its own name.
   *
   * @throws {Refusal} If the name is taken by another part or is not what names of its kind look like.
   */
  add(part: P): this {
    const { pattern, words } = this.kind.names ?? kebabCase;
    if (!pattern.test(part.name)) {
      throw new Refusal({ what: `register ${this.kind.name} "${part.name}"`, must: `its name must be ${words}` });
    }
    const present = this.#parts.get(part.name);
    if (present !== undefined && present !== part) {
      throw new Refusal({
        what: `register ${this.kind.name} "${part.name}"`,
        must: "a name must be unique",
        found: `a ${this.kind.name} of that name is registered`,
      });
    }
    this.#parts.set(part.name, part);
    return this;
  }

  /** Whether a part of this name is registered. */
  has(name: string): boolean {
    return this.#parts.has(name);
  }

  /** The part of a name. @throws {Refusal} If there is none; the message lists the registered names. */
  get(name: string): P {
    const part = this.#parts.get(name);
    if (part !== undefined) return part;
    throw new Refusal({
      what: `find ${this.kind.name} "${name.length > 80 ? `${name.slice(0, 80)}…` : name}"`,
      found: `registered names are ${this.names().join(", ") || "none"}`,
      hint: didYouMean(name, this.names()),
    });
  }

  /** Registered names: sorted, or as registered where their kind says so. */
  names(): string[] {
    const names = [...this.#parts.keys()];
    return this.kind.ordered === true ? names : names.sort();
  }

  /** Registered parts, in the order of `names`. */
  list(): P[] {
    return this.names().map((name) => this.get(name));
  }
}
