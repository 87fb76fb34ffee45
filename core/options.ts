/**
 * Options of parts: declared once with type, default, range and source; checked, printed and documented from there.
 *
 * @module
 */
import { z } from "zod";
import type { About } from "./kinds/about.ts";
import type { FindPart } from "./kinds/kind.ts";
import { Refusal } from "./refusal.ts";
import { didYouMean } from "./suggest.ts";

/** What every option has. */
export interface OptionBase<T> {
  /** Value when nothing is said. */
  readonly default: T;
  /** What it does, in one line, with units. */
  readonly about: string;
  /** Where the default comes from: a paper, a released code, a measurement. */
  readonly source?: string;
  /** Heading under which it is described. @default none */
  readonly group?: string;
  /**
   * Whether it says where data lies or how it is held, and nothing of what it is: of a dataset, whose fingerprint says
   * that. Runs on the same data at another place are the same runs.
   *
   * @default {false}
   */
  readonly place?: boolean;
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
/** A part of some kind: whoever is registered, with options of its own. */
export interface PartOption extends OptionBase<BoundPart> {
  readonly type: "part";
  /** Name of the kind: `"estimator"`. */
  readonly kind: string;
  /** Parts worth trying when tuning. */
  readonly tune?: readonly string[];
}
/** Several parts of one kind, in order. */
export interface PartsOption extends OptionBase<readonly BoundPart[]> {
  readonly type: "parts";
  /** Name of the kind: `"loss"`. */
  readonly kind: string;
}

/** Any option. */
export type OptionSpec =
  | NumberOption
  | BooleanOption
  | ChoiceOption
  | TextOption
  | NumbersOption
  | PartOption
  | PartsOption;

/** The spec that fits a TypeScript type. Wrapped in tuples, so that a union of words is one choice and not several. */
export type SpecFor<T> = [T] extends [boolean] ? BooleanOption
  : [T] extends [number] ? NumberOption
  : [T] extends [readonly number[]] ? NumbersOption
  : [T] extends [string] ? (string extends T ? TextOption : ChoiceOption<T>)
  : [T] extends [BoundPart] ? PartOption
  : [T] extends [readonly BoundPart[]] ? PartsOption
  : never;

/** Specs by option name. */
export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

/** Specs for an options interface: one entry per field, of the matching type. */
export type SpecsFor<O> = { readonly [K in keyof O]-?: SpecFor<O[K]> };

/** Values of options as given by a user, unchecked. */
export type RawOptions = Readonly<Record<string, unknown>>;

/**
 * A part that was chosen, with all its options resolved. As JSON, and in comparisons, it is `{ name, options }`: the part
 * itself is a hidden property.
 */
export interface BoundPart<P extends About = About> {
  readonly name: string;
  readonly options: RawOptions;
  /** The registered part. Not enumerable. */
  readonly plugin: P;
}

/** A part with options, as the default of an option: `use(histogram, { bins: 8 })`. */
export function use<P extends About>(plugin: P, options: RawOptions = {}): BoundPart<P> {
  const bound = { name: plugin.name, options };
  return Object.defineProperty(bound, "plugin", { value: plugin }) as BoundPart<P>;
}

/** A schema for what is no part. */
function schemaOf(spec: Exclude<OptionSpec, PartOption | PartsOption>): z.ZodType {
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

/** Types that options can have. */
const types: ReadonlySet<string> = new Set<OptionSpec["type"]>([
  "number",
  "integer",
  "boolean",
  "choice",
  "text",
  "numbers",
  "part",
  "parts",
]);

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
    case "part":
      return `the name of ${/^[aeiou]/.test(spec.kind) ? "an" : "a"} ${spec.kind}`;
    case "parts":
      return `names of kind ${spec.kind}`;
  }
}

/** What an option's value refers to: a name, a name with options, or a part that is bound already. */
const reference = z.union([
  z.string().transform((name) => ({ name, options: {} as RawOptions })),
  z.object({ name: z.string(), options: z.record(z.string(), z.unknown()).optional() }),
]);

/** Looks up and resolves a part that an option names. */
function boundPart(
  spec: PartOption | PartsOption,
  option: string,
  owner: string,
  value: unknown,
  find?: FindPart,
): BoundPart {
  const read = reference.safeParse(value);
  if (!read.success) throw wrongValue(option, owner, spec, value);
  const { name, options = {} } = read.data;
  const defaults = spec.type === "part" ? [spec.default] : spec.default;
  const plugin = (value as Partial<BoundPart>).plugin ?? find?.(spec.kind, name) ??
    defaults.find((known) => known.name === name)?.plugin;
  if (plugin === undefined) {
    throw new Refusal({
      what: `set option "${option}" of ${owner} to "${name}"`,
      must: `a part that is no default must come from a library`,
      found: "there is none here",
      hint: "build the part by library.bind(kind, { name, options })",
    });
  }
  return use(plugin, resolveOptions(`${spec.kind} "${name}" of ${owner}`, plugin.options, options, find));
}

/** A value in a message: numbers that JSON has no word for by their own, and no more of a long text than says what it is. */
function shown(value: unknown): string {
  const text = JSON.stringify(value, (_, one) => typeof one === "number" && !Number.isFinite(one) ? String(one) : one);
  const plain = typeof value === "number" ? String(value) : text ?? typeof value;
  return plain.length > 120 ? `${plain.slice(0, 120)}…` : plain;
}

function wrongValue(option: string, owner: string, spec: OptionSpec, value: unknown): Refusal {
  return new Refusal({
    what: `set option "${option}" of ${owner}`,
    must: `it must be ${describeType(spec)}`,
    found: `found ${shown(value)}`,
  });
}

/** One option's value, checked. */
function resolvedValue(option: string, owner: string, spec: OptionSpec, value: unknown, find?: FindPart): unknown {
  if (!types.has(spec.type)) {
    throw new Refusal({
      what: `use option "${option}" of ${owner}`,
      must: `its type must be one of ${[...types].join(", ")}`,
      found: `found ${JSON.stringify(spec.type)}`,
    });
  }
  if (spec.type === "part") return boundPart(spec, option, owner, value, find);
  if (spec.type === "parts") {
    if (!Array.isArray(value)) throw wrongValue(option, owner, spec, value);
    return value.map((one) => boundPart(spec, option, owner, one, find));
  }
  if (!schemaOf(spec).safeParse(value).success) throw wrongValue(option, owner, spec, value);
  return value;
}

/**
 * Fills defaults and checks every value; options that are parts become bound parts with their own options resolved.
 *
 * @param owner Who owns the options, for messages: `fusion "concat"`.
 * @param find Finds parts by name; without it only defaults and bound parts can be had.
 * @throws {Refusal} If an option is unknown or its value is not allowed.
 */
export function resolveOptions<O extends object = Record<string, unknown>>(
  owner: string,
  specs: OptionSpecs,
  given: RawOptions = {},
  find?: FindPart,
): O {
  const names = Object.keys(specs);
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(specs, name)) {
      throw new Refusal({
        what: `set option "${name}" of ${owner}`,
        found: `its options are ${names.join(", ") || "none"}`,
        hint: didYouMean(name, names),
      });
    }
  }
  return Object.fromEntries(names.map((name) => {
    const value = given[name] === undefined ? specs[name].default : given[name];
    return [name, resolvedValue(name, owner, specs[name], value, find)];
  })) as O;
}

/** A number written in decimal digits, as `-1.5e-3`; NaN for anything else, `0x10` and the empty text among them. */
function numberOf(text: string): number {
  const digits = /^\s*[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?\s*$/i;
  return digits.test(text) || /^\s*[-+]?Infinity\s*$/.test(text) ? Number(text) : NaN;
}

/**
 * Reads a value typed on a command line by the type of its option: `"0.5"` becomes a number where a number is wanted.
 * What does not read as the wanted type is returned as text, for `resolveOptions` to refuse.
 */
export function parseOption(spec: OptionSpec, text: string): unknown {
  switch (spec.type) {
    case "number":
    case "integer": {
      const value = numberOf(text);
      return Number.isNaN(value) ? text : value;
    }
    case "boolean":
      return text === "true" ? true : text === "false" ? false : text;
    case "numbers": {
      const parts = text.split(",").map((part) => part.trim());
      const values = parts.map(numberOf);
      return values.some(Number.isNaN) ? text : values;
    }
    case "part":
      return { name: text, options: {} };
    case "parts":
      return text === "" ? [] : text.split(",").map((name) => ({ name: name.trim(), options: {} }));
    default:
      return text;
  }
}
