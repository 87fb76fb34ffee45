/**
 * Options of plugins: declared once with type, default, range and source; checked, printed and documented from there.
 *
 * @module
 */
import { z } from "zod";

/** What every option has. */
export interface OptionBase<T> {
  /** Value when nothing is said. */
  readonly default: T;
  /** What it does, in one line, with units. */
  readonly about: string;
  /** Where the default comes from: a paper, a released code, a measurement. */
  readonly source?: string;
}

/** A number with optional bounds (inclusive). */
export interface NumberOption extends OptionBase<number> {
  readonly type: "number" | "integer";
  readonly min?: number;
  readonly max?: number;
  /** Values worth trying when tuning. */
  readonly tune?: readonly number[];
}
/** True or false. */
export interface BooleanOption extends OptionBase<boolean> {
  readonly type: "boolean";
}
/** One of a few words. */
export interface ChoiceOption<T extends string = string> extends OptionBase<T> {
  readonly type: "choice";
  readonly choices: readonly T[];
}
/** Free text. */
export interface TextOption extends OptionBase<string> {
  readonly type: "text";
}
/** A list of numbers. */
export interface NumbersOption extends OptionBase<readonly number[]> {
  readonly type: "numbers";
}

/** Any option. */
export type OptionSpec = NumberOption | BooleanOption | ChoiceOption | TextOption | NumbersOption;

/** The spec that fits a TypeScript type. Wrapped in tuples, so that a union of words is one choice and not several. */
export type SpecFor<T> = [T] extends [boolean] ? BooleanOption
  : [T] extends [number] ? NumberOption
  : [T] extends [readonly number[]] ? NumbersOption
  : [T] extends [string] ? (string extends T ? TextOption : ChoiceOption<T>)
  : never;

/** Specs by option name. */
export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

/** Specs for an options interface: one entry per field, of the matching type. */
export type SpecsFor<O> = { readonly [K in keyof O]-?: SpecFor<O[K]> };

/** Values of options as given by a user, unchecked. */
export type RawOptions = Readonly<Record<string, unknown>>;

function schemaOf(spec: OptionSpec): z.ZodType {
  switch (spec.type) {
    case "number":
    case "integer": {
      let schema = spec.type === "integer" ? z.number().int() : z.number();
      if (spec.min !== undefined) schema = schema.min(spec.min);
      if (spec.max !== undefined) schema = schema.max(spec.max);
      return schema;
    }
    case "boolean":
      return z.boolean();
    case "choice":
      return z.enum(spec.choices as [string, ...string[]]);
    case "text":
      return z.string();
    case "numbers":
      return z.array(z.number());
  }
}

/** The allowed values in words. */
export function describeType(spec: OptionSpec): string {
  switch (spec.type) {
    case "number":
    case "integer": {
      const low = spec.min === undefined ? "" : ` >= ${spec.min}`;
      const high = spec.max === undefined ? "" : `${low === "" ? "" : " and"} <= ${spec.max}`;
      return `${spec.type === "integer" ? "an integer" : "a number"}${low}${high}`;
    }
    case "boolean":
      return "true or false";
    case "choice":
      return `one of ${spec.choices.join(", ")}`;
    case "text":
      return "text";
    case "numbers":
      return "a list of numbers";
  }
}

/**
 * Fills defaults and checks every value.
 *
 * @param owner Who owns the options, for messages: `fusion "concat"`.
 * @throws {RangeError} If an option is unknown or its value is not allowed.
 */
export function resolveOptions<O extends object = Record<string, unknown>>(
  owner: string,
  specs: OptionSpecs,
  given: RawOptions = {},
): O {
  const names = Object.keys(specs);
  const result: Record<string, unknown> = {};
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(specs, name)) {
      throw new RangeError(
        `Cannot set option "${name}" of ${owner}: its options are ${names.join(", ") || "none"}`,
      );
    }
  }
  for (const name of names) {
    const spec = specs[name];
    const value = given[name] === undefined ? spec.default : given[name];
    if (!schemaOf(spec).safeParse(value).success) {
      throw new RangeError(
        `Cannot set option "${name}" of ${owner} as it must be ${describeType(spec)}: found ${JSON.stringify(value)}`,
      );
    }
    result[name] = value;
  }
  return result as O;
}

/**
 * Reads a value typed on a command line by the type of its option: `"0.5"` becomes a number where a number is wanted.
 * What does not read as the wanted type is returned as text, for `resolveOptions` to refuse.
 */
export function parseOption(spec: OptionSpec, text: string): unknown {
  switch (spec.type) {
    case "number":
    case "integer": {
      const value = Number(text);
      return text.trim() === "" || Number.isNaN(value) ? text : value;
    }
    case "boolean":
      return text === "true" ? true : text === "false" ? false : text;
    case "numbers": {
      const parts = text.split(",").map((part) => part.trim());
      const values = parts.map(Number);
      return parts.some((part) => part === "") || values.some(Number.isNaN) ? text : values;
    }
    default:
      return text;
  }
}
