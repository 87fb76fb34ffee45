/**
 * Refusals: what a user asked for cannot be had. Anything else that is thrown is a defect and keeps its stack.
 *
 * @module
 */

/** The clauses of a refusal: "Cannot `what` as `must`: `found`; `hint`". */
export interface RefusalParts {
  /** What cannot be done, after "Cannot": `set option "k" of method "arm"`. */
  readonly what: string;
  /** What must hold, a clause: `it must be a number <= -0.01`. */
  readonly must?: string;
  /** What was found, a clause: `found 3`, `registered names are concat, sum`. */
  readonly found?: string;
  /** How to mend it, a clause that was tried: `write ogm+arm`. */
  readonly hint?: string;
}

/** The sentence that clauses make. */
function sentence({ what, must, found, hint }: RefusalParts): string {
  return [
    `Cannot ${what}`,
    must === undefined ? "" : ` as ${must}`,
    found === undefined ? "" : `: ${found}`,
    hint === undefined ? "" : `; ${hint}`,
  ].join("");
}

/**
 * What somebody asked for cannot be had: a wrong value, shape or name, parts that do not fit, a damaged file. Commands
 * print its text without a stack, the API answers 400 with its fields.
 */
export class Refusal extends Error implements RefusalParts {
  override readonly name: string = "Refusal";
  readonly what: string;
  readonly must?: string;
  readonly found?: string;
  readonly hint?: string;

  /** @param parts Its clauses; the message is the sentence that they make. */
  constructor(parts: RefusalParts, options?: ErrorOptions) {
    super(sentence(parts), options);
    this.what = parts.what;
    this.must = parts.must;
    this.found = parts.found;
    this.hint = parts.hint;
  }

  /** The same refusal with another remedy behind it. */
  with(parts: Partial<RefusalParts>): Refusal {
    return new Refusal({ what: this.what, must: this.must, found: this.found, hint: this.hint, ...parts }, {
      cause: this,
    });
  }

  /** Why, without what: for lists that name what is refused already. */
  get reason(): string {
    return [this.must, this.found].filter((clause) => clause !== undefined).join(": ");
  }
}
